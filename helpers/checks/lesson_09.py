"""Lesson 09: a network that reads digits, from the split of the data to its mistakes."""

from __future__ import annotations

from itertools import pairwise
from statistics import fmean, pstdev

import numpy as np

from helpers.checks.catalogue import answer
from helpers.checks.exercise import Exercise, Group
from helpers.checks.lesson_05 import cross_entropy, softmax
from helpers.checks.lesson_06 import minibatches, update_momentum, update_params
from helpers.checks.truth import complex_gradients, dense


def sample(seed, N, sizes, kind=int):
    """Return X (N, D), y (N,), params W1, b1, W2, ... of a network with layers of these sizes."""
    rng = np.random.default_rng(seed)
    X, K, params = rng.normal(size=(N, sizes[0])), sizes[-1], {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        params[f"W{i}"] = rng.normal(size=(n_in, n_out))
        params[f"b{i}"] = rng.normal(size=n_out)
    y = rng.permutation(np.append(np.arange(K), rng.integers(0, K, size=N - K)))
    return X, y.astype(kind), params


def loss_of(X, y, params, reg):
    """Return J of a network of any depth: mean cross-entropy plus L2; params may be complex."""
    Z, squares = X, 0
    for i in range(1, len(params) // 2 + 1):
        A = Z if i == 1 else np.where(Z.real > 0, Z, 0)
        Z = dense(A, params[f"W{i}"]) + params[f"b{i}"]
        squares = squares + (params[f"W{i}"] ** 2).sum()
    Z = Z - Z.real.max(axis=1, keepdims=True)
    surprise = np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(len(y)), y.astype(int)]
    return surprise.mean() + reg / 2 * squares


def gradients(X, y, params, reg):
    """Return the gradient of J by complex steps, a dict."""
    return complex_gradients(lambda p: loss_of(X, y, p, reg), params)


class OneDraw(np.random.Generator):
    """A generator like `default_rng(seed)`, of which a second permutation is one too many."""

    def __init__(self, seed):
        super().__init__(np.random.PCG64(seed))
        self.seed, self.drawn = seed, False

    def __deepcopy__(self, memo):
        return OneDraw(self.seed)

    def permutation(self, x, axis=0):
        """Return the first permutation, and raise where another one is wanted."""
        if self.drawn:
            raise RuntimeError("the generator of this check draws one permutation; here a second "
                               "one is wanted")
        self.drawn = True
        return super().permutation(x, axis)


split = Exercise(
    "09-split", "split", truth=answer("09-split"), returns=("train", "val", "test"),
    cases=lambda: [(17, 3, 5, OneDraw(1)), (23, 6, 4, OneDraw(2)), (31, 7, 11, OneDraw(3))],
    hint="one permutation, three slices of it that do not overlap and leave nothing out.",
    unlocks="No digit is in two parts. Everything you will claim rests on that.")


def _pixels(seed, N_train, N, D):
    """Return grey levels: column 0 always blank, 1 always 7, 2 lit once in training."""
    rng = np.random.default_rng(seed)
    X = np.round(rng.uniform(0, 16, size=(N_train + N, D)), 1)
    X[:, 3] /= 9
    X_train, X = X[:N_train], X[N_train:]
    X_train[:, 0], X_train[:, 1], X_train[:, 2] = 0, 7, 0
    X_train[4, 2] = 3
    X[2, 0], X[1, 1] = 5, 6
    return X_train, X


def _standardise_cases():
    one, two, three = _pixels(1, 13, 7, 5), _pixels(2, 17, 11, 6), _pixels(3, 29, 9, 8)
    return [(*one, 1.0), (*two, 2.0), (*three, 0.25), two]


standardise = Exercise(
    "09-standardise", "standardise", cases=_standardise_cases,
    truth=lambda X_train, X, floor=1.0: np.column_stack([
        (x - fmean(column)) / max(pstdev(column), floor)
        for column, x in zip(X_train.T, X.T, strict=True)]),
    hint="mean and standard deviation of each column of `X_train`; (X − mean) / the larger of "
         "spread and `floor`.",
    unlocks="No pixel speaks much louder than the others, and none of them screams.")


initialise = Exercise(
    "09-initialise", "initialise", truth=answer("09-initialise"), returns=("params",),
    cases=lambda: [((5, 7, 3), np.random.default_rng(1)), ((9, 4, 6, 11), np.random.default_rng(2)),
                   ((3, 8), np.random.default_rng(3))],
    hint="for each layer `rng.normal(size=(n_in, n_out))` times √(2 / n_in), and zeros for the "
         "biases.",
    unlocks="From layer to layer the expected square of a signal stays what it was.")


SIZES = ((1, 11, (4, 6, 3)), (2, 13, (3, 7, 5)), (3, 17, (6, 9, 7)))


def _forward_cases():
    X, _, far = sample(4, 9, (2, 5, 3))
    return [*(sample(*sizes)[::2] for sizes in SIZES), (X, {**far, "W2": 1000 * far["W2"]})]


forward = Exercise(
    "09-network", "forward", truth=answer("09-network")[0], returns=("cache",), uses=(softmax,),
    tolerance=1e-10, cases=_forward_cases,
    hint="two layers: weighted sums plus bias; the ReLU after the first, the softmax after the "
         "second; keep all four arrays.")


def _loss_cases():
    return [(*sample(*sizes, kind), reg) for sizes, kind, reg in zip(
        SIZES, (int, np.uint8, int), (0.3, 0.07, 0.0), strict=True)]


loss = Exercise(
    "09-network", "loss", truth=loss_of, uses=(cross_entropy, forward), cases=_loss_cases,
    hint="your `cross_entropy` of `forward`'s probabilities, plus reg/2 times all squared weights.")


network = Group("09-network", (forward, loss),
                unlocks="The network stands, and one number says how wrong it is.")


def _kink(seed, *sizes):
    """Return a case in which some sums are exactly 0: blank inputs, units without a bias."""
    X, y, params = sample(seed, 9, sizes)
    X[:4] = 0
    params["b1"][[0, 3, 6]] = 0
    return X, y, params, 0.02


def _without_two_classes(seed, *sizes):
    """Return a case in which no sample is of class 1 or of the last, as in a small batch."""
    X, y, params = sample(seed, 11, sizes)
    return X, np.where(y == 1, 0, np.minimum(y, sizes[-1] - 2)), params, 0.02


backprop = Exercise(
    "09-backprop", "backprop", truth=gradients, returns=("grads",), uses=(forward, softmax),
    sizes=lambda X, y, params, reg: {"N": len(X), "K": params["W2"].shape[1]},
    cases=lambda: [*_loss_cases(), _kink(4, 5, 8, 3), _without_two_classes(5, 4, 7, 5)],
    checker="Run your `check_gradients` on it first: it says which of the four is wrong.",
    hint="compare with measured slopes: `diagnose` says what the wrong one looks like.",
    unlocks="Ten thousand slopes for the price of two passes.")


def our_backprop(X, y, params, reg):
    """A backprop of ours."""
    return answer("10-deep-backprop")[1](X, y, params, reg)


def our_loss(X, y, params, reg):
    """A loss of ours."""
    return float(loss_of(X, y, params, reg))


def _epoch_case(seed, N, sizes, *settings):
    X, y, params = sample(seed, N, sizes)
    rng = np.random.default_rng(seed)
    velocity = {name: 0.1 * rng.normal(size=W.shape) for name, W in params.items()}
    return our_backprop, X, y, params, velocity, np.random.default_rng(seed), *settings


epoch = Exercise(
    "09-epoch", "run_epoch", truth=answer("09-epoch"), returns=("params", "velocity"),
    uses=(minibatches, update_momentum, update_params),
    cases=lambda: [_epoch_case(1, 13, (3, 5, 4), 0.7, 0.8, 0.05, 5),
                   _epoch_case(2, 17, (4, 6, 3), 0.3, 0.5, 0.2, 7),
                   _epoch_case(3, 11, (6, 5), 0.4, 0.9, 0.1, 4)],
    hint="for each batch: gradient at the current parameters, new velocity, new parameters.",
    unlocks="Once through all digits, in bites.")


rate_range = Exercise(
    "09-rate-range", "rate_range", truth=answer("09-rate-range"), returns=("losses",),
    uses=(minibatches, update_momentum, update_params), tolerance=1e-9,
    cases=lambda: [(our_loss, our_backprop, *sample(seed, *sizes), np.random.default_rng(seed),
                    *settings) for seed, sizes, *settings in (
        (1, (13, (3, 5, 4)), np.geomspace(0.01, 2, 7), 0.8, 0.05, 5),
        (2, (17, (4, 6, 3)), np.geomspace(0.01, 2, 5), 0.5, 0.2, 7),
        (3, (11, (6, 5)), np.geomspace(0.1, 3, 6), 0.9, 0.1, 4))],
    hint="for each rate: draw a batch, note its loss, make one step at this rate.",
    unlocks="The rate is no longer a guess.")


def _train_case(seed, N, n_val, sizes, *settings):
    X, y, params = sample(seed, N + n_val, sizes)
    return (our_loss, our_backprop, X[:N], y[:N], X[N:], y[N:], params,
            np.random.default_rng(seed), *settings)


train = Exercise(
    "09-train", "train", truth=answer("09-train"), returns=("params", "history"), uses=(epoch,),
    tolerance=1e-9, cases=lambda: [
        # the best epoch lies in the middle, and the training stops early
        _train_case(22, 13, 9, (3, 5, 4), 0.3, 0.6, 0.03, 5, 12, 3),
        # it ends before its patience does
        _train_case(1, 17, 7, (4, 6, 3), 0.8, 0.8, 0.1, 7, 11, 4),
        # nothing is better than the start
        _train_case(10, 17, 7, (4, 6, 3), 0.3, 0.8, 0.1, 7, 9, 4),
        # a rate of 0: no loss is lower than the first
        _train_case(4, 11, 5, (6, 5), 0.0, 0.9, 0.1, 4, 7, 2)],
    hint="after each epoch: note both losses; a new lowest validation loss → keep the parameters; "
         "`patience` epochs without one → stop.",
    unlocks="The training watches itself, and hands back its best moment.")


def _confusion_case(seed, N, K, kind):
    rng = np.random.default_rng(seed)
    y = rng.integers(K - 1, size=N)  # the last class does not occur
    y_pred = np.where(rng.random(N) < 0.5, y, rng.integers(K - 1, size=N))
    y[y == 1] = y_pred[y_pred == 1] = 2  # nor does class 1
    if kind is np.uint8:
        y[:2] = y_pred[:2] = K - 1
    return y.astype(kind), y_pred.astype(kind), K


confusion = Exercise(
    "09-confusion", "confusion_matrix", returns=("C",),
    truth=lambda y, y_pred, K: np.bincount(K * np.int64(y) + y_pred, minlength=K**2).reshape(K, K),
    cases=lambda: [_confusion_case(1, 23, 5, int), _confusion_case(2, 41, 7, int),
                   _confusion_case(3, 97, 15, np.uint8)],
    hint="a K by K table of zeros; for each digit, 1 more in the row of its class and the column "
         "of its prediction.",
    unlocks="Not only how often it errs, but what it takes for what.")


repair = Exercise(
    "09-repair", "repaired_parts", truth=answer("09-repair"),
    returns=("X_train", "y_train", "X_val", "y_val", "X_test", "y_test"), uses=(split,),
    cases=lambda: [(*sample(seed, N, sizes)[:2], n_val, n_test, np.random.default_rng(seed))
                   for seed, N, sizes, n_val, n_test in (
        (1, 43, (4, 3, 5), 6, 4), (2, 59, (5, 3, 4), 7, 9), (3, 61, (3, 4, 6), 5, 8))],
    hint="split the row numbers first; then make copies, of the training rows only.",
    unlocks="The score is lower now, and true.")


def __getattr__(name):
    """Return the exercise that has moved to lesson 10, for notebooks of November 2026."""
    if name == "deep":
        from helpers.checks import lesson_10
        return Group("09-deep", lesson_10.deep_backprop.parts, lesson_10.deep_backprop.unlocks)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
