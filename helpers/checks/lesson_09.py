"""Lesson 09: a network that reads digits, from the split of the data to its mistakes."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

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


def _split(N, n_val, n_test, rng):
    order = list(rng.permutation(N))
    test, val, train = order[:n_test], order[n_test:n_test + n_val], order[n_test + n_val:]
    return np.array(train), np.array(val), np.array(test)


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


def _split_cases():
    return [(N, n_val, n_test, OneDraw(seed))
            for seed, N, n_val, n_test in ((1, 17, 3, 5), (2, 23, 6, 4), (3, 31, 7, 11))]


split = Exercise(
    "09-split", "split", truth=_split, returns=("train", "val", "test"), cases=_split_cases,
    hint="one permutation, three slices of it that do not overlap and leave nothing out.",
    unlocks="No digit is in two parts. Everything you will claim rests on that.")


def _standardise(X_train, X, floor=1.0):
    out = np.zeros(X.shape)
    for d in range(X.shape[1]):
        column = [float(v) for v in X_train[:, d]]
        mean = math.fsum(column) / len(column)
        spread = math.sqrt(math.fsum((v - mean) ** 2 for v in column) / len(column))
        out[:, d] = [(float(v) - mean) / max(spread, floor) for v in X[:, d]]
    return out


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
    "09-standardise", "standardise", truth=_standardise, cases=_standardise_cases,
    hint="mean and standard deviation of each column of `X_train`; (X − mean) / the larger of "
         "spread and `floor`.",
    unlocks="No pixel speaks much louder than the others, and none of them screams.")


def _initialise(sizes, rng):
    params = {}
    for i in range(1, len(sizes)):
        n_in, n_out = sizes[i - 1], sizes[i]
        params[f"W{i}"] = np.array([[math.sqrt(2 / n_in) * rng.standard_normal()
                                     for _ in range(n_out)] for _ in range(n_in)])
        params[f"b{i}"] = np.zeros(n_out)
    return params


initialise = Exercise(
    "09-initialise", "initialise", truth=_initialise, returns=("params",),
    cases=lambda: [((5, 7, 3), np.random.default_rng(1)), ((9, 4, 6, 11), np.random.default_rng(2)),
                   ((3, 8), np.random.default_rng(3))],
    hint="for each layer `rng.normal(size=(n_in, n_out))` times √(2 / n_in), and zeros for the "
         "biases.",
    unlocks="From layer to layer the expected square of a signal stays what it was.")


def all_layers(X, params):
    A = [X]
    for i in range(1, len(params) // 2 + 1):
        Z = dense(A[-1], params[f"W{i}"]) + params[f"b{i}"]
        A.append(np.where(Z > 0, Z, 0.0))
    return [*A[:-1], np.exp(Z - logsumexp(Z, axis=1, keepdims=True))]


def _forward(X, params):
    _, A1, Y_hat = all_layers(X, params)
    Z1, Z2 = dense(X, params["W1"]) + params["b1"], dense(A1, params["W2"]) + params["b2"]
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": Y_hat}


SIZES = ((1, 11, (4, 6, 3)), (2, 13, (3, 7, 5)), (3, 17, (6, 9, 7)))


def _forward_cases():
    X, _, far = sample(4, 9, (2, 5, 3))
    return [*(sample(*sizes)[::2] for sizes in SIZES), (X, {**far, "W2": 1000 * far["W2"]})]


forward = Exercise(
    "09-network", "forward", truth=_forward, returns=("cache",), uses=(softmax,), tolerance=1e-10,
    cases=_forward_cases,
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


def _without_the_last_class(seed, *sizes):
    """Return a case in which no sample is of the last class, as in a small batch."""
    X, y, params = sample(seed, 11, sizes)
    return X, np.minimum(y, sizes[-1] - 2), params, 0.02


backprop = Exercise(
    "09-backprop", "backprop", truth=gradients, returns=("grads",), uses=(forward, softmax),
    sizes=lambda X, y, params, reg: {"N": len(X), "K": params["W2"].shape[1]},
    cases=lambda: [*_loss_cases(), _kink(4, 5, 8, 3), _without_the_last_class(5, 4, 7, 3)],
    checker="Run your `check_gradients` on it first: it says which of the four is wrong.",
    hint="compare with measured slopes: `diagnose` says what the wrong one looks like.",
    unlocks="Ten thousand slopes for the price of two passes.")


def our_backprop(X, y, params, reg):
    """A backprop of ours."""
    return answer("10-deep-backprop")[1](X, y, params, reg)


def our_loss(X, y, params, reg):
    """A loss of ours."""
    return float(loss_of(X, y, params, reg))


def _run_epoch(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
    order = list(rng.permutation(len(X)))
    for i in range(0, len(X), batch_size):
        rows = np.array(order[i:i + batch_size])
        params, velocity = _step(params, velocity, backprop(X[rows], y[rows], params, reg),
                                 learning_rate, mu)
    return params, velocity


def _step(params, velocity, grads, rate, mu):
    velocity = {k: mu * velocity[k] - rate * grads[k] for k in params}
    return {k: params[k] + velocity[k] for k in params}, velocity


def _zeros(params):
    return {name: np.zeros_like(W) for name, W in params.items()}


def _epoch_cases():
    cases = []
    for seed, N, sizes, rate, mu, reg, batch in ((1, 13, (3, 5, 4), 0.7, 0.8, 0.05, 5),
                                                 (2, 17, (4, 6, 3), 0.3, 0.5, 0.2, 7),
                                                 (3, 11, (6, 5), 0.4, 0.9, 0.1, 4)):
        X, y, params = sample(seed, N, sizes)
        rng = np.random.default_rng(seed)
        velocity = {name: 0.1 * rng.normal(size=W.shape) for name, W in params.items()}
        cases.append((our_backprop, X, y, params, velocity, np.random.default_rng(seed), rate, mu,
                      reg, batch))
    return cases


epoch = Exercise(
    "09-epoch", "run_epoch", truth=_run_epoch, returns=("params", "velocity"),
    uses=(minibatches, update_momentum, update_params), cases=_epoch_cases,
    hint="for each batch: gradient at the current parameters, new velocity, new parameters.",
    unlocks="Once through all digits, in bites.")


def _rate_range(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
    velocity, losses = _zeros(params), []
    for rate in rates:
        rows = np.array(list(rng.permutation(len(X)))[:batch_size])
        losses.append(float(loss(X[rows], y[rows], params, 0.0)))
        params, velocity = _step(params, velocity, backprop(X[rows], y[rows], params, reg), rate,
                                 mu)
    return losses


def _range_cases():
    return [(our_loss, our_backprop, *sample(seed, *sizes), np.random.default_rng(seed), rates, mu,
             reg, batch) for seed, sizes, rates, mu, reg, batch in (
        (1, (13, (3, 5, 4)), np.geomspace(0.01, 2, 7), 0.8, 0.05, 5),
        (2, (17, (4, 6, 3)), np.geomspace(0.01, 2, 5), 0.5, 0.2, 7),
        (3, (11, (6, 5)), np.geomspace(0.1, 3, 6), 0.9, 0.1, 4))]


rate_range = Exercise(
    "09-rate-range", "rate_range", truth=_rate_range, returns=("losses",),
    uses=(minibatches, update_momentum, update_params), tolerance=1e-9, cases=_range_cases,
    hint="for each rate: draw a batch, note its loss, make one step at this rate.",
    unlocks="The rate is no longer a guess.")


def _train(loss, backprop, X, y, X_val, y_val, params, rng, learning_rate, mu, reg, batch_size,
           epochs, patience):
    velocity, seen = _zeros(params), [params]
    history = {"train_loss": [float(loss(X, y, params, 0.0))],
               "val_loss": [float(loss(X_val, y_val, params, 0.0))]}
    while len(seen) <= epochs:
        best = int(np.argmin(history["val_loss"]))
        if len(seen) > 1 and len(seen) - 1 - best >= patience:
            break
        params, velocity = _run_epoch(backprop, X, y, params, velocity, rng, learning_rate, mu,
                                      reg, batch_size)
        seen.append(params)
        history["train_loss"].append(float(loss(X, y, params, 0.0)))
        history["val_loss"].append(float(loss(X_val, y_val, params, 0.0)))
    return seen[int(np.argmin(history["val_loss"]))], history


def _train_cases():
    cases = []
    for seed, N, n_val, sizes, rate, mu, reg, batch, epochs, patience in (
            # the best epoch lies in the middle, and the training stops early
            (22, 13, 9, (3, 5, 4), 0.3, 0.6, 0.03, 5, 12, 3),
            # it ends before its patience does
            (1, 17, 7, (4, 6, 3), 0.8, 0.8, 0.1, 7, 11, 4),
            # nothing is better than the start
            (10, 17, 7, (4, 6, 3), 0.3, 0.8, 0.1, 7, 9, 4),
            # a rate of 0: no loss is lower than the first
            (4, 11, 5, (6, 5), 0.0, 0.9, 0.1, 4, 7, 2)):
        X, y, params = sample(seed, N + n_val, sizes)
        cases.append((our_loss, our_backprop, X[:N], y[:N], X[N:], y[N:], params,
                      np.random.default_rng(seed), rate, mu, reg, batch, epochs, patience))
    return cases


train = Exercise(
    "09-train", "train", truth=_train, returns=("params", "history"), uses=(epoch,), tolerance=1e-9,
    cases=_train_cases,
    hint="after each epoch: note both losses; a new lowest validation loss → keep the parameters; "
         "`patience` epochs without one → stop.",
    unlocks="The training watches itself, and hands back its best moment.")


def _confusion(y, y_pred, K):
    pairs = [(int(a), int(b)) for a, b in zip(y, y_pred, strict=True)]
    return np.array([[pairs.count((a, b)) for b in range(K)] for a in range(K)])


def _confusion_cases():
    cases = []
    for seed, N, K, kind in ((1, 23, 5, int), (2, 41, 7, int), (3, 97, 15, np.uint8)):
        rng = np.random.default_rng(seed)
        y = rng.integers(K - 1, size=N)  # the last class does not occur
        y_pred = np.where(rng.random(N) < 0.5, y, rng.integers(K - 1, size=N))
        if kind is np.uint8:
            y[:2] = y_pred[:2] = K - 1
        cases.append((y.astype(kind), y_pred.astype(kind), K))
    return cases


confusion = Exercise(
    "09-confusion", "confusion_matrix", truth=_confusion, returns=("C",), cases=_confusion_cases,
    hint="a K by K table of zeros; for each digit, 1 more in the row of its class and the column "
         "of its prediction.",
    unlocks="Not only how often it errs, but what it takes for what.")


def _repaired(X, y, n_val, n_test, rng):
    train, val, test = _split(len(X), n_val, n_test, rng)
    copies = [X[train], *(X[train] + rng.normal(size=X[train].shape) for _ in range(2))]
    return np.concatenate(copies), np.tile(y[train], 3), X[val], y[val], X[test], y[test]


def _repair_cases():
    return [(*sample(seed, N, sizes)[:2], n_val, n_test, np.random.default_rng(seed))
            for seed, N, sizes, n_val, n_test in (
                (1, 43, (4, 3, 5), 6, 4), (2, 59, (5, 3, 4), 7, 9), (3, 61, (3, 4, 6), 5, 8))]


repair = Exercise(
    "09-repair", "repaired_parts", truth=_repaired,
    returns=("X_train", "y_train", "X_val", "y_val", "X_test", "y_test"), uses=(split,),
    cases=_repair_cases,
    hint="split the row numbers first; then make copies, of the training rows only.",
    unlocks="The score is lower now, and true.")


def __getattr__(name):
    """Return the exercise that has moved to lesson 10, for notebooks of November 2026."""
    if name == "deep":
        from helpers.checks import lesson_10
        return Group("09-deep", lesson_10.deep_backprop.parts, lesson_10.deep_backprop.unlocks)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
