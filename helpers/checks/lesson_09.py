"""Lesson 09: a network that reads digits, from the split of the data to any number of layers."""

from __future__ import annotations

import math
from itertools import pairwise, permutations, product

import numpy as np
from scipy.special import expit, logsumexp
from scipy.special import softmax as scipy_softmax

from helpers.checks.exercise import Exercise, Group, Mistake
from helpers.checks.lesson_01 import DATA as EARLIER_DATA
from helpers.checks.lesson_05 import cross_entropy, softmax
from helpers.checks.lesson_06 import minibatches, update_momentum, update_params
from helpers.checks.truth import complex_gradients, dense

DATA = EARLIER_DATA | {
    "X_all", "y_all", "X_val", "y_val", "parts", "params", "start", "grads", "velocity", "cache",
    "trained", "history", "settings", "X_few", "y_few", "X_small", "y_small", "small", "rates",
    "train_rows", "val_rows", "test_rows"}


def sample(seed, N, D, H, K, kind=int):
    """Return X (N, D), y (N,), params of a D-H-K network: generic, biases too."""
    X, y, params = deep_sample(seed, N, (D, H, K), kind)
    return X, y, params


def deep_sample(seed, N, sizes, kind=int):
    """Return X (N, D), y (N,), params W1, b1, W2, ... of a network with these layers."""
    rng = np.random.default_rng(seed)
    X, params = rng.normal(size=(N, sizes[0])), {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        params[f"W{i}"] = rng.normal(size=(n_in, n_out))
        params[f"b{i}"] = rng.normal(size=n_out)
    K = sizes[-1]
    y = rng.permutation(np.append(np.arange(K), rng.integers(0, K, size=N - K)))
    return X, y.astype(kind), params


def relu(Z):
    """Return the larger of Z and 0, for complex Z by its real part; slope 0 at 0."""
    return np.where(Z.real > 0, Z, 0)


def soft(Z, axis=1):
    """Return softmax along an axis."""
    return scipy_softmax(Z, axis=axis)


def plain_soft(Z):
    """Return the softmax of a beginner, which overflows."""
    E = np.exp(Z)
    return E / E.sum(axis=1, keepdims=True)


def layers_of(params):
    """Return the number of layers that a dict W1, b1, W2, ... describes."""
    return len(params) // 2


def logits(X, params):
    """Return the logits of a network with any number of layers; parameters may be complex."""
    A, last = X, layers_of(params)
    for i in range(1, last + 1):
        Z = dense(A, params[f"W{i}"]) + params[f"b{i}"]
        A = relu(Z) if i < last else Z
    return A


def loss_of(X, y, params, reg):
    """Return J: mean cross-entropy plus reg/2 times the squares of all weights."""
    Z = logits(X, params)
    Z = Z - Z.real.max(axis=1, keepdims=True)
    J = (np.log(np.exp(Z).sum(axis=1)) - Z[np.arange(len(y)), y.astype(int)]).mean()
    return J + reg / 2 * sum((W**2).sum() for name, W in params.items() if name[0] == "W")


def gradients(X, y, params, reg):
    """Return the gradient of J by complex steps, a dict."""
    return complex_gradients(lambda p: loss_of(X, y, p, reg), params)


def measured(X, y, params, reg):
    """Return the gradient of J by central differences, a dict."""
    y, grads = y.astype(int), {}
    for name, W in params.items():
        grads[name] = np.zeros(W.shape)
        for at in np.ndindex(W.shape):
            ends = []
            for step in (1e-5, -1e-5):
                moved = W.copy()
                moved[at] += step
                ends.append(loss_of(X, y, {**params, name: moved}, reg))
            grads[name][at] = (ends[0] - ends[1]) / 2e-5
    return grads


def each(change, *dicts):
    """Return a dict with `change` applied to the entries of dicts with the same keys."""
    return {name: change(*(d[name] for d in dicts)) for name in dicts[0]}


# 09-split

def _split(N, n_val, n_test, rng):
    order = list(rng.permutation(N))
    test, val, train = order[:n_test], order[n_test:n_test + n_val], order[n_test + n_val:]
    return np.array(train), np.array(val), np.array(test)


def _split_cases():
    return [(N, n_val, n_test, np.random.default_rng(seed))
            for seed, N, n_val, n_test in ((1, 17, 3, 5), (2, 23, 6, 4), (3, 31, 7, 11))]


def wrong_split(order=lambda N, rng: rng.permutation(N),
                parts=lambda o, v, t: (o[t + v:], o[t:t + v], o[:t])):
    """Return a split with one part exchanged."""
    return lambda N, n_val, n_test, rng: parts(order(N, rng), n_val, n_test)


def _drawn_apart(order, first, training):
    """Return a split whose parts, drawn in this order, come from permutations of their own."""
    def split(N, n_val, n_test, rng):
        n = n_test + n_val
        cuts = {"a": {"rest": slice(n, None), "length": slice(N - n),
                      "end": slice(n - N, None)}[training],
                "b": slice(n_val) if first else slice(n_test, n), "c": slice(n_test)}
        drawn = {name: rng.permutation(N)[cuts[name]] for name in order}
        return drawn["a"], drawn["b"], drawn["c"]
    return split


def _test_drawn_apart(N, n_val, n_test, rng):
    train, val, _ = _split(N, n_val, n_test, rng)
    return train, val, rng.permutation(N)[:n_test]


ORDER_WANTED = ("Of the permutation, the first `n_test` go to the test, the next `n_val` to the "
                "validation, the rest to training.")

split = Exercise(
    id="09-split",
    name="split",
    truth=_split,
    cases=_split_cases,
    returns=("train", "val", "test"),
    data=DATA,
    integers=(),
    more=(
        Mistake("not-shuffled", wrong_split(order=lambda N, rng: np.arange(N)),
                "the digits are cut in the order of the file. Neighbours in a file tend to be "
                "alike: shuffle first, with one `rng.permutation`."),
        Mistake("another-generator", wrong_split(
            order=lambda N, rng: np.random.default_rng(0).permutation(N)),
                "the order comes from a generator made inside, so that every split is the same. "
                "Use the `rng` that is handed over."),
        Mistake("with-replacement", wrong_split(order=lambda N, rng: rng.integers(N, size=N)),
                "the indices are drawn independently, so that a digit can be in the training and "
                "in the test part. A permutation has each once."),
        Mistake("with-replacement", wrong_split(order=lambda N, rng: rng.choice(N, N)),
                "the indices are drawn independently, so that a digit can be in the training and "
                "in the test part. A permutation has each once."),
        Mistake("drawn-three-times", lambda N, n_val, n_test, rng: (
            rng.permutation(N)[n_test + n_val:], rng.permutation(N)[n_test:n_test + n_val],
            rng.permutation(N)[:n_test]),
                "each part is cut from a permutation of its own, so that the parts overlap. Draw "
                "one, and cut that."),
        Mistake("drawn-three-times", lambda N, n_val, n_test, rng: (
            *reversed([rng.permutation(N)[:n_test], rng.permutation(N)[:n_val]]),
            rng.permutation(N)[n_test + n_val:])[::-1],
                "each part is cut from a permutation of its own, so that the parts overlap. Draw "
                "one, and cut that."),
        *(Mistake("drawn-three-times", _drawn_apart(*way),
                  "each part is cut from a permutation of its own, so that the parts overlap. "
                  "Draw one, and cut that.") for way in product(
                      permutations("abc"), (True, False), ("rest", "length", "end"))),
        Mistake("drawn-three-times", _test_drawn_apart,
                "the test part is cut from a permutation of its own, so that the parts overlap. "
                "Draw one, and cut that."),
        Mistake("training-begins-too-early", wrong_split(
            parts=lambda o, v, t: (o[v:], o[t:t + v], o[:t])),
                "the training part begins at `n_val`, too early: digits of the other parts are "
                "still in it. It begins where both have ended."),
        Mistake("validation-in-training", wrong_split(
            parts=lambda o, v, t: (o[t:], o[t:t + v], o[:t])),
                "the training part still contains the validation digits: early stopping would "
                "watch digits that the network has learnt by heart."),
        Mistake("test-in-training", wrong_split(parts=lambda o, v, t: (o, o[t:t + v], o[:t])),
                "the training part contains all digits, those of the test too."),
        Mistake("validation-is-test", wrong_split(
            parts=lambda o, v, t: (o[t + v:], o[:v], o[:t])),
                "validation and test share digits. What chooses the weights must not be what "
                "judges them."),
        Mistake("gap", wrong_split(parts=lambda o, v, t: (o[t + v + 1:], o[t:t + v], o[:t])),
                "one digit gets lost between two parts: the end of a slice is left out already, "
                "and the next one begins there."),
        Mistake("gap", wrong_split(parts=lambda o, v, t: (o[t + v:], o[t + 1:t + v], o[:t])),
                "one digit gets lost between two parts: the end of a slice is left out already, "
                "and the next one begins there."),
        *(Mistake("end-for-length", wrong_split(parts=cut),
                  "a slice ends at an index, not after a number of entries: where does the "
                  "validation part end, counted from the beginning?")
          for cut in (lambda o, v, t: (o[t + v:], o[t:v], o[:t]),
                      lambda o, v, t: (o[v:], o[t:v], o[:t]))),
        Mistake("order-of-results", wrong_split(
            parts=lambda o, v, t: (o[:t], o[t:t + v], o[t + v:])),
                "the right parts in another order: return training, validation, test."),
        Mistake("order-of-results", wrong_split(
            parts=lambda o, v, t: (o[t + v:], o[:t], o[t:t + v])),
                "the right parts in another order: return training, validation, test."),
        Mistake("other-end", wrong_split(
            parts=lambda o, v, t: (o[:len(o) - v - t], o[len(o) - v - t:len(o) - t],
                                   o[len(o) - t:])),
                "a good split, from the other end, so that your figures will not be those of the "
                f"text. {ORDER_WANTED}"),
        Mistake("validation-first", wrong_split(
            parts=lambda o, v, t: (o[t + v:], o[:v], o[v:v + t])),
                "a good split, with the validation part cut first, so that your figures will not "
                f"be those of the text. {ORDER_WANTED}"),
        Mistake("sorted-parts", wrong_split(
            parts=lambda o, v, t: (np.sort(o[t + v:]), np.sort(o[t:t + v]), np.sort(o[:t]))),
                "the parts are right, but sorted; leave them in the order of the permutation."),
        Mistake("sizes-swapped", wrong_split(
            parts=lambda o, v, t: (o[t + v:], o[v:t + v], o[:v])),
                "`n_val` and `n_test` have changed places."),
        Mistake("masks", wrong_split(parts=lambda o, v, t: (
            np.isin(np.arange(len(o)), o[t + v:]), np.isin(np.arange(len(o)), o[t:t + v]),
            np.isin(np.arange(len(o)), o[:t]))),
                "these are `True` and `False`, one for each digit; return the indices."),
    ),
    sizes=lambda *args: {},
    hint="one permutation, three slices of it that do not overlap and leave nothing out.",
    unlocks="No digit is in two parts. Everything you will claim rests on that.",
)


# 09-standardise

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


def scaled(centre=lambda T, X: T.mean(axis=0), spread=lambda T, X: T.std(axis=0),
           guard=np.maximum):
    """Return a standardisation with one part exchanged."""
    def standardise(X_train, X, floor=1.0):
        return (X - centre(X_train, X)) / guard(spread(X_train, X), floor)
    return standardise


def _both(T, X):
    return np.vstack([T, X])


NO_FLOOR = ("a pixel that never changes in training has the spread 0, and dividing by it gives inf "
            "or nan. Divide by `floor` wherever the spread is smaller than that.")
ONLY_ZERO = ("only a spread of exactly 0 is guarded. A pixel that is lit in one digit of a "
             "thousand has a tiny spread, and dividing by it makes a giant: divide by `floor` "
             "wherever the spread is smaller.")
LEAK = ("mean and spread are taken from the training digits and the others together: the test has "
        "leaked into what the network sees. They come from `X_train` alone.")
OWN_SCALE = ("`X` is scaled by its own mean and spread. Then the same ink means something else in "
             "each set: use those of `X_train` for all of them.")

NP_MAX = ("`np.max(a, b)` is the largest entry of `a`, and takes `b` for an axis. The larger of "
          "two, entry by entry, is `np.maximum`.")

standardise = Exercise(
    id="09-standardise",
    name="standardise",
    truth=_standardise,
    cases=_standardise_cases,
    data=DATA | {"floor"},
    tolerance=1e-11,
    more=(
        Mistake("fitted-on-everything", scaled(lambda T, X: _both(T, X).mean(axis=0),
                                               lambda T, X: _both(T, X).std(axis=0)), LEAK),
        Mistake("fitted-on-everything", scaled(spread=lambda T, X: _both(T, X).std(axis=0)), LEAK),
        Mistake("own-statistics", scaled(lambda T, X: X.mean(axis=0), lambda T, X: X.std(axis=0)),
                OWN_SCALE),
        Mistake("own-mean", scaled(lambda T, X: X.mean(axis=0)),
                "the mean is that of `X` itself; the spread comes from `X_train`, and so should "
                "the mean."),
        Mistake("own-spread", scaled(spread=lambda T, X: X.std(axis=0)),
                "the spread is that of `X` itself; the mean comes from `X_train`, and so should "
                "the spread."),
        Mistake("each-sample", scaled(lambda T, X: X.mean(axis=1, keepdims=True),
                                      lambda T, X: X.std(axis=1, keepdims=True)),
                "each digit is scaled by its own mean and spread (`axis=1`). A column is a pixel: "
                "each pixel has its mean and spread over the digits."),
        *(Mistake("mean-of-each-digit", scaled(centre, spread),
                  "`axis=1` gives one number for each digit. Each pixel, each column, has its own "
                  "mean and spread, over the digits.")
          for centre, spread in (
              (lambda T, X: T.mean(axis=1), lambda T, X: T.std(axis=1)),
              (lambda T, X: T.mean(axis=0), lambda T, X: T.std(axis=1)),
              (lambda T, X: T.mean(axis=1, keepdims=True),
               lambda T, X: T.std(axis=1, keepdims=True)),
              (lambda T, X: X.mean(axis=1), lambda T, X: X.std(axis=1)))),
        *(Mistake("max-for-maximum", scaled(guard=guard), NP_MAX)
          for guard in (lambda s, floor: np.max(s, floor), lambda s, floor: s.max(floor))),
        Mistake("largest-spread-for-all", scaled(guard=lambda s, floor: max(s.max(), floor)),
                "every pixel is divided by one number, the largest spread of all. Each has its "
                "own: entry by entry it is `np.maximum`."),
        Mistake("brackets-missing", lambda X_train, X, floor=1.0: X - X_train.mean(
            axis=0) / np.maximum(X_train.std(axis=0), floor),
                "only the mean is divided by the spread: division goes before subtraction. The "
                "difference needs brackets."),
        Mistake("whole-array", scaled(lambda T, X: T.mean(), lambda T, X: T.std()),
                "one mean and one spread serve all pixels; each pixel, each column, has its own."),
        Mistake("mean-missing", scaled(lambda T, X: 0),
                "the mean is not taken away: subtract the mean of each pixel first."),
        Mistake("spread-missing", scaled(spread=lambda T, X: 1, guard=lambda s, floor: s),
                "the mean is taken away, but nothing is divided."),
        Mistake("variance", scaled(spread=lambda T, X: T.var(axis=0)),
                "it is divided by the variance; the standard deviation is its root."),
        Mistake("ddof", scaled(spread=lambda T, X: T.std(axis=0, ddof=1)),
                "the spread is divided by N − 1 inside (`ddof=1`, as pandas does). Here it is "
                "NumPy's own `std`, with N."),
        Mistake("floor-missing", scaled(guard=lambda s, floor: s), NO_FLOOR),
        Mistake("only-zero-guarded", scaled(guard=lambda s, floor: np.where(s == 0, 1, s)),
                ONLY_ZERO),
        Mistake("only-zero-guarded", scaled(guard=lambda s, floor: np.where(s == 0, floor, s)),
                ONLY_ZERO),
        *(Mistake("only-zero-guarded", scaled(guard=lambda s, floor, tiny=tiny: s + tiny),
                  ONLY_ZERO) for tiny in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)),
        *(Mistake("only-zero-guarded", scaled(
            guard=lambda s, floor, tiny=tiny: np.maximum(s, tiny)), ONLY_ZERO)
          for tiny in (1e-6, 1e-8, 1e-9, 1e-10, 1e-12)),
        Mistake("floor-added", scaled(guard=np.add),
                "the floor is added to every spread. A spread above the floor stays as it is."),
        Mistake("floor-as-ceiling", scaled(guard=np.minimum),
                "the smaller of spread and floor is taken; the floor holds the spread up, so it "
                "is the larger."),
        Mistake("one-for-floor", scaled(guard=lambda s, floor: np.where(s < floor, 1, s)),
                "a spread below the floor is replaced by 1; replace it by `floor`."),
        Mistake("fixed-floor", scaled(guard=lambda s, floor: np.maximum(s, 1)),
                "the floor is always 1, whatever `floor` says: use the argument."),
        Mistake("divided-first", lambda X_train, X, floor=1.0: X / np.maximum(
            X_train.std(axis=0), floor) - X_train.mean(axis=0),
                "the mean is subtracted after the division. Subtract first: (x − mean) / spread."),
        Mistake("training-set-returned", lambda X_train, X, floor=1.0: _standardise(
            X_train, X_train, floor),
                "`X_train` comes back scaled; it is `X` that is wanted."),
        Mistake("range-for-spread", scaled(lambda T, X: T.min(axis=0),
                                           lambda T, X: np.ptp(T, axis=0)),
                "this maps the pixels to 0 … 1. Wanted is mean 0 and standard deviation 1."),
        Mistake("median", scaled(lambda T, X: np.median(T, axis=0)),
                "the median is subtracted; take the mean."),
    ),
    sizes=lambda *args: {},
    hint="mean and standard deviation of each column of `X_train`; (X − mean) / the larger of "
         "spread and `floor`.",
    unlocks="No pixel speaks much louder than the others, and none of them screams.",
)


# 09-initialise

def _initialise(sizes, rng):
    params = {}
    for i in range(1, len(sizes)):
        n_in, n_out = sizes[i - 1], sizes[i]
        params[f"W{i}"] = np.array([[math.sqrt(2 / n_in) * rng.standard_normal()
                                     for _ in range(n_out)] for _ in range(n_in)])
        params[f"b{i}"] = np.zeros(n_out)
    return params


def start(scale=lambda a, b: np.sqrt(2 / a), draw=lambda rng, shape: rng.normal(size=shape),
          bias=lambda rng, b: np.zeros(b), layers=lambda pairs: pairs, shape=lambda a, b: (a, b)):
    """Return an initialisation with one part exchanged."""
    def initialise(sizes, rng):
        drawn = {}
        for i, (a, b) in layers(list(enumerate(pairwise(sizes), start=1))):
            drawn[f"W{i}"] = draw(rng, shape(a, b)) * scale(a, b)
            drawn[f"b{i}"] = bias(rng, b)
        return {f"{kind}{i}": drawn[f"{kind}{i}"] for i in range(1, len(sizes)) for kind in "Wb"
                if f"{kind}{i}" in drawn}
    return initialise


def _own_generator(sizes, rng):
    return _initialise(sizes, np.random.default_rng(0))


def _three_widths(sizes, rng):
    D, H, K = sizes
    return _initialise((D, H, K), rng)


initialise = Exercise(
    id="09-initialise",
    name="initialise",
    truth=_initialise,
    cases=lambda: [((5, 7, 3), np.random.default_rng(1)), ((9, 4, 6, 11), np.random.default_rng(2)),
                   ((3, 8), np.random.default_rng(3))],
    returns=("params",),
    data=DATA | {"sizes"},
    integers=(),
    tolerance=1e-12,
    more=(
        Mistake("not-scaled", start(scale=lambda a, b: 1),
                "the weights have the standard deviation 1. With many inputs the sums become "
                "huge: multiply by the factor you derived."),
        Mistake("one-over-root", start(scale=lambda a, b: np.sqrt(1 / a)),
                "this is 1/√n, which suits tanh. A ReLU throws half of its input away: what makes "
                "up for that?"),
        Mistake("root-missing", start(scale=lambda a, b: 2 / a),
                "the variance is to be 2/n. Normal numbers are multiplied by a standard deviation, "
                "which is the root of it."),
        Mistake("outputs-for-inputs", start(scale=lambda a, b: np.sqrt(2 / b)),
                "n is the number of units that the layer feeds; it should be the number of its "
                "inputs, since that many terms are added up."),
        Mistake("average-of-both", start(scale=lambda a, b: np.sqrt(2 / (a + b))),
                "this is 2 over inputs plus outputs, another recipe (Glorot's). Here it is 2 over "
                "the number of inputs."),
        Mistake("factor-outside-root", start(scale=lambda a, b: 2 / np.sqrt(a)),
                "the 2 belongs under the root, too: √(2/n)."),
        Mistake("divided-by-factor", start(scale=lambda a, b: np.sqrt(a / 2)),
                "the fraction stands on its head: more inputs need smaller weights."),
        Mistake("small-numbers", start(scale=lambda a, b: 0.01),
                "the weights are 0.01 times normal numbers, whatever the width. The factor depends "
                "on the number of inputs."),
        Mistake("zeros", start(draw=lambda rng, shape: np.zeros(shape)),
                "all weights are zero: every hidden unit computes the same and stays the same."),
        Mistake("uniform", start(draw=lambda rng, shape: rng.random(shape)),
                "the numbers lie evenly between 0 and 1, as those of `rng.random` and "
                "`rng.uniform` do; use `rng.normal`."),
        Mistake("uniform", start(draw=lambda rng, shape: rng.uniform(-1, 1, shape)),
                "the numbers lie evenly between −1 and 1, as `rng.uniform` can draw them; use "
                "`rng.normal`."),
        Mistake("biases-drawn", start(bias=lambda rng, b: rng.normal(size=b)),
                "the biases are drawn; let them start at zero."),
        Mistake("biases-one", start(bias=lambda rng, b: np.ones(b)),
                "the biases start at 1; let them start at zero."),
        Mistake("biases-as-rows", start(bias=lambda rng, b: np.zeros((1, b))),
                "the biases have two axes; one number for each unit is wanted, `(n,)`."),
        Mistake("transposed", start(shape=lambda a, b: (b, a)),
                "the matrices lie on their side: inputs are rows, units are columns."),
        Mistake("last-layer-first", start(layers=lambda pairs: pairs[::-1]),
                "the last layer is drawn first. Draw `W1` first, so that your figures are those of "
                "the text."),
        Mistake("another-generator", _own_generator,
                "the numbers come from a generator made inside, so that every start is the same. "
                "Use the `rng` that is handed over."),
        Mistake("last-layer-missing", start(layers=lambda pairs: pairs[:-1]),
                "the last layer is missing: `sizes` with n numbers describe n − 1 layers."),
        Mistake("first-layer-only", start(layers=lambda pairs: pairs[:1]),
                "only the first layer is made. Is the `return` indented too far, inside the "
                "loop?"),
        *(Mistake("two-layers-only", made, "only two layers are made. `sizes` may be longer or "
                  "shorter: make as many as it asks for.")
          for made in (lambda sizes, rng: start()(sizes[:3], rng), _three_widths)),
        Mistake("counted-from-zero", lambda sizes, rng: {
            f"{k[0]}{int(k[1:]) - 1}": v for k, v in _initialise(sizes, rng).items()},
                "the layers are counted from 0; the first is `W1`, `b1`."),
        Mistake("list-returned", lambda sizes, rng: list(_initialise(sizes, rng).values()),
                "the arrays come in a list; return a dict with the keys `W1`, `b1`, `W2` …"),
    ),
    sizes=lambda sizes, rng: {},
    hint="for each layer `rng.normal(size=(n_in, n_out))` times √(2 / n_in), and zeros for the "
         "biases.",
    unlocks="Signals keep their size through any number of ReLU layers.",
)


# 09-network

def _forward(X, params):
    Z1 = dense(X, params["W1"]) + params["b1"]
    A1 = np.array([[max(z, 0.0) for z in row] for row in Z1])
    Z2 = dense(A1, params["W2"]) + params["b2"]
    Y_hat = np.exp(Z2 - logsumexp(Z2, axis=1, keepdims=True))
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": Y_hat}


def _forward_cases():
    far = sample(4, 9, 2, 5, 3)
    return [*(sample(*sizes)[::2] for sizes in SIZES),
            (far[0], {**far[2], "W2": 1000 * far[2]["W2"]})]


SIZES = ((1, 11, 4, 6, 3), (2, 13, 3, 7, 5), (3, 17, 6, 9, 7))


def wrong_forward(into=lambda X: X, Z1=lambda X, p: X @ p["W1"] + p["b1"],
                  g=lambda Z: np.maximum(Z, 0), Z2=lambda A, p: A @ p["W2"] + p["b2"],
                  out=soft, keep=lambda Z1, A1: (Z1, A1)):
    """Return a forward pass with one part exchanged."""
    def forward(X, params):
        first = Z1(into(X), params)
        A1 = g(first)
        second = Z2(A1, params)
        first, A1 = keep(first, A1)
        return {"Z1": first, "A1": A1, "Z2": second, "Y_hat": out(second)}
    return forward


forward = Exercise(
    id="09-network",
    name="forward",
    truth=_forward,
    cases=_forward_cases,
    returns=("cache",),
    data=DATA,
    uses=(softmax,),
    integers=("X",),
    tolerance=1e-10,
    more=(
        Mistake("no-activation", wrong_forward(g=lambda Z: Z),
                "`A1` is `Z1`: without a ReLU between them two layers are only one."),
        Mistake("sigmoid", wrong_forward(g=expit),
                "the hidden layer uses the sigmoid; here it is the ReLU, the larger of z and 0."),
        Mistake("tanh", wrong_forward(g=np.tanh),
                "the hidden layer uses tanh; here it is the ReLU, the larger of z and 0."),
        Mistake("absolute-value", wrong_forward(g=np.abs),
                "this is |z|; a ReLU makes negative numbers 0."),
        Mistake("step", wrong_forward(g=lambda Z: (Z > 0).astype(float)),
                "this is 1 where z is positive, the *slope* of the ReLU. Its value is z itself "
                "there."),
        Mistake("mirrored", wrong_forward(g=lambda Z: np.minimum(Z, 0)),
                "the smaller of z and 0 is taken; it is the larger."),
        Mistake("leaky", wrong_forward(g=lambda Z: np.where(Z > 0, Z, 0.01 * Z)),
                "negative sums leak through a little, as in a leaky ReLU. Here they become 0."),
        Mistake("largest-number-only", wrong_forward(g=lambda Z: np.max(Z)),
                "`np.max` is one number, the largest of the array. Entry by entry it is "
                "`np.maximum`."),
        Mistake("max-for-maximum", wrong_forward(g=lambda Z: np.max(Z, 0), out=plain_soft),
                f"only one row reaches the softmax. {NP_MAX}"),
        Mistake("sums-overwritten", wrong_forward(keep=lambda Z1, A1: (A1, A1)),
                "`Z1` holds the activations: it was changed in place, or the name was used twice. "
                "Keep both."),
        Mistake("first-bias-missing", wrong_forward(Z1=lambda X, p: X @ p["W1"]),
                "`b1` is missing: it is added before the ReLU."),
        Mistake("second-bias-missing", wrong_forward(Z2=lambda A, p: A @ p["W2"]),
                "`b2` is missing: it is added before the softmax."),
        Mistake("hidden-layer-skipped", wrong_forward(keep=lambda Z1, A1: (Z1, np.maximum(Z1, 0)),
                                                      g=lambda Z: Z),
                "`Z2` is computed from `Z1`; the output layer reads the activations `A1`."),
        Mistake("relu-at-output", wrong_forward(out=lambda Z: soft(np.maximum(Z, 0))),
                "the logits go through a ReLU before the softmax: what lies below zero is lost. "
                "The output layer has no ReLU."),
        Mistake("no-softmax", wrong_forward(out=lambda Z: Z),
                "`Y_hat` holds the logits; the softmax makes probabilities of them."),
        Mistake("softmax-over-the-batch", wrong_forward(out=lambda Z: soft(Z, axis=0)),
                "the columns of `Y_hat` add up to 1, over the samples; each row should."),
        Mistake("softmax-twice", wrong_forward(out=lambda Z: soft(soft(Z))),
                "the logits go through the softmax twice."),
        Mistake("sigmoid-output", wrong_forward(out=expit),
                "each output answers for itself, by a sigmoid; ten classes share one softmax."),
        Mistake("overflow", wrong_forward(out=plain_soft),
                "exp of a large logit is infinite, and inf / inf is nan. Your `softmax` of lesson "
                "05 is safe."),
        Mistake("inputs-through-relu", wrong_forward(into=lambda X: np.maximum(X, 0)),
                "the inputs go through a ReLU as well, which cuts off all that is below average."),
        Mistake("weights-on-the-left", wrong_forward(Z1=lambda X, p: X @ p["W1"].T + p["b1"]),
                "samples are rows: the data stands on the left, and nothing is transposed."),
        Mistake("weights-on-the-left", wrong_forward(Z1=lambda X, p: p["W1"] @ X + p["b1"]),
                "samples are rows: the data stands on the left, and nothing is transposed."),
    ),
    sizes=lambda X, params: {"N": len(X), "K": params["W2"].shape[1]},
    hint="two layers: weighted sums plus bias; the ReLU after the first, the softmax after the "
         "second; keep all four arrays.",
    unlocks="Sixty-four pixels in, ten probabilities out.",
)


def _loss(X, y, params, reg):
    Z2 = _forward(X, params)["Z2"]
    surprise = [logsumexp(row) - row[int(k)] for row, k in zip(Z2, y, strict=True)]
    squares = math.fsum(float(w) ** 2 for name in ("W1", "W2") for w in params[name].ravel())
    return float(sum(surprise) / len(y) + reg / 2 * squares)


def _loss_cases():
    kinds = (int, np.uint8, int)
    return [(*sample(*sizes, kind), reg)
            for sizes, kind, reg in zip(SIZES, kinds, (0.3, 0.07, 0.0), strict=True)]


def _squares(params, names=("W1", "W2")):
    return sum(np.sum(params[name] ** 2) for name in names)


def penalised(penalty, fit=lambda ce, N, K: ce):
    """Return a loss with its penalty exchanged."""
    def loss(X, y, params, reg):
        ce = _loss(X, y, params, 0)
        return float(fit(ce, len(y), params["W2"].shape[1]) + penalty(params, reg, len(y)))
    return loss


loss = Exercise(
    id="09-network",
    name="loss",
    truth=_loss,
    cases=_loss_cases,
    data=DATA | {"reg"},
    uses=(cross_entropy, forward),
    integers=("X",),
    tolerance=1e-10,
    more=(
        Mistake("penalty-missing", penalised(lambda p, reg, N: 0),
                "the penalty is missing: reg/2 times the sum of the squares of all weights."),
        Mistake("half-missing", penalised(lambda p, reg, N: reg * _squares(p)),
                "the penalty is twice as large: it is *half* of reg times the squares, so that "
                "its gradient is reg times W."),
        Mistake("penalty-over-N", penalised(lambda p, reg, N: reg / 2 / N * _squares(p)),
                "the penalty is divided by N. It belongs to the weights and is the same for any "
                "number of samples."),
        Mistake("biases-regularised", penalised(lambda p, reg, N: reg / 2 * _squares(p, p)),
                "the biases are in the penalty too; only the weights are."),
        Mistake("first-layer-only", penalised(lambda p, reg, N: reg / 2 * _squares(p, ["W1"])),
                "only `W1` is in the penalty; `W2` has weights too."),
        *(Mistake("brackets-missing", penalised(penalty),
                  "`reg / 2` multiplies the squares of one layer only: products go before sums. "
                  "Put the sum of all squares in brackets.")
          for penalty in (
              lambda p, reg, N: reg / 2 * _squares(p, ["W1"]) + _squares(p, ["W2"]),
              lambda p, reg, N: _squares(p, ["W1"]) + reg / 2 * _squares(p, ["W2"]))),
        Mistake("second-layer-only", penalised(lambda p, reg, N: reg / 2 * _squares(p, ["W2"])),
                "only `W2` is in the penalty; `W1` has weights too."),
        Mistake("penalty-subtracted", penalised(lambda p, reg, N: -reg / 2 * _squares(p)),
                "the penalty is subtracted, which rewards large weights."),
        Mistake("absolute-values", penalised(lambda p, reg, N: reg / 2 * sum(
            np.abs(p[k]).sum() for k in ("W1", "W2"))),
                "the penalty adds up the sizes of the weights; it adds up their squares."),
        Mistake("lengths", penalised(lambda p, reg, N: reg / 2 * sum(
            np.linalg.norm(p[k]) for k in ("W1", "W2"))),
                "`np.linalg.norm` is the root of the sum of squares; the penalty has no root."),
        Mistake("squares-averaged", penalised(lambda p, reg, N: reg / 2 * sum(
            np.mean(p[k] ** 2) for k in ("W1", "W2"))),
                "the squares of the weights are averaged; add them up."),
        Mistake("penalty-without-reg", penalised(lambda p, reg, N: _squares(p) / 2),
                "`reg` plays no part: it is the strength of the penalty."),
        Mistake("every-label-of-every-row", lambda X, y, params, reg: float(
            reg / 2 * _squares(params) - np.log(_forward(X, params)["Y_hat"][:, y]).mean()),
                "`[:, y]` takes the columns `y` of *every* row. One entry of each row needs row "
                "numbers beside the column numbers; your `cross_entropy` does that."),
        Mistake("sum-for-mean", penalised(lambda p, reg, N: reg / 2 * _squares(p),
                                          lambda ce, N, K: ce * N),
                "the cross-entropy is added up over the samples; it is their mean."),
        Mistake("penalty-averaged-too", penalised(lambda p, reg, N: reg / 2 * _squares(p) / N,
                                                  lambda ce, N, K: ce * N),
                "the cross-entropy is a sum and the penalty is divided by N: it is the other way "
                "round, a mean and a plain penalty."),
        Mistake("activation-missing", lambda X, y, params, reg: float(np.mean(
            logsumexp(_linear(X, params), axis=1) - _linear(X, params)[np.arange(len(y)), y])
            + reg / 2 * _squares(params)),
                "this is the loss of a network without a ReLU."),
    ),
    sizes=lambda X, y, params, reg: {"N": len(y), "K": params["W2"].shape[1]},
    hint="your `cross_entropy` of `forward`'s probabilities, plus reg/2 times all squared weights.",
    unlocks="One number to bring down.",
)


def _linear(X, params):
    return (X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]


network = Group("09-network", (forward, loss),
                      unlocks="The network stands, and one number says how wrong it is.")


# 09-backprop

def _kink():
    """Return a case in which some sums are exactly 0: a blank input, a unit without a bias."""
    X, y, params = sample(4, 9, 5, 8, 3)
    X[:4] = 0
    params["b1"][[0, 3, 6]] = 0
    return X, y, params, 0.02


def _backprop_cases():
    kinds, regs = (int, np.uint8, int), (0.3, 0.07, 0.0)
    return [*((*sample(*sizes, kind), reg)
              for sizes, kind, reg in zip(SIZES, kinds, regs, strict=True)), _kink()]


def _relu_slope(cache):
    return cache["Z1"] > 0


def _reg_gradient(params, reg, N):
    return {name: reg * W if W.ndim == 2 else 0 for name, W in params.items()}


def _columns(d):
    return d.sum(axis=0)


def back(delta=lambda P, Y: (P - Y) / len(Y), slope=_relu_slope, penalty=_reg_gradient,
         W2=lambda p: p["W2"], seen=lambda X: X, bias=_columns, hidden=lambda c: c["A1"],
         relu_on=lambda cache: np.maximum(cache["Z1"], 0), out=soft):
    """Return a backprop with one part exchanged."""
    def backprop(X, y, params, reg):
        cache = wrong_forward(out=out)(seen(X), params)
        Y = np.eye(params["W2"].shape[1])[y.astype(int)]
        dZ2 = delta(cache["Y_hat"], Y)
        dZ1 = (dZ2 @ W2(params).T) * slope(cache)
        grads = {"W1": X.T @ dZ1, "b1": bias(dZ1), "W2": hidden(cache).T @ dZ2, "b2": bias(dZ2)}
        extra = penalty(params, reg, len(X))
        return {name: grads[name] + extra[name] for name in grads}
    return backprop


def patched(change):
    """Return a right gradient to which `change(grads, X, y, params, reg)` has been done."""
    def backprop(X, y, params, reg):
        grads = back()(X, y, params, reg)
        return {**grads, **change(grads, X, y, params, reg)}
    return backprop


def _by_hand(grads, X, y, params, reg):
    return back()(X, y, params, reg)


def _hidden_error(X, y, params):
    cache = wrong_forward()(X, params)
    dZ2 = (cache["Y_hat"] - np.eye(params["W2"].shape[1])[y.astype(int)]) / len(y)
    return cache, dZ2, (dZ2 @ params["W2"].T) * (cache["Z1"] > 0)


MEASURED = ("right to some digits only, as a measured derivative is. Here the formula is wanted: "
            "it is exact, and a thousand times faster.")
N_INSIDE = "The gradient of weights adds up over the samples, so N stands inside, as in"
NO_PENALTY = ("the penalty is in the loss and not in the gradient: its derivative by a weight w is "
              "reg · w.")
FORWARD_FAULT = ("the forward pass inside differs from the network's: compare it with your "
                 "`forward`, or call that.")
HALVED = ("the penalty's part is half as large: the square brings a 2, which cancels the ½ of the "
          "loss.")
SUBTRACTED = ("the penalty's part has the wrong sign: it pulls weights towards 0, so its gradient "
              "is *plus* reg times W.")


def _wrong_deltas(back):
    """Return the mistakes at the output that a backprop of any depth can start from."""
    return (
        Mistake("averaged-twice", back(delta=lambda P, Y: (P - Y) / len(Y) ** 2),
                "it is divided by N twice."),
        Mistake("labels-missing", back(delta=lambda P, Y: P / len(Y)),
                "the labels play no part: 1 is taken away at the true class of each sample."),
        Mistake("one-put-in-place", back(delta=lambda P, Y: np.where(Y, 1, P) / len(Y)),
                "at the true class the probability is *replaced* by 1. 1 is taken away from it: "
                "`-= 1`."),
        Mistake("one-added", back(delta=lambda P, Y: (P + Y) / len(Y)),
                "1 is added at the true class; it is taken away."),
    )


backprop = Exercise(
    id="09-backprop",
    name="backprop",
    truth=gradients,
    cases=_backprop_cases,
    returns=("grads",),
    data=DATA | {"reg"},
    uses=(forward, softmax),
    integers=("X",),
    tolerance=1e-12,
    rounding=2e-9,
    more=(
        Mistake("activation-derivative-missing", back(slope=lambda c: 1),
                "the error goes back through the hidden layer as if there were no ReLU. Where a "
                "unit is off, its slope is 0 and nothing goes through."),
        Mistake("slope-at-zero", back(slope=lambda c: c["Z1"] >= 0),
                "right but for sums that are exactly 0: take the slope 0 there, as PyTorch does "
                "(`>`, not `>=`)."),
        Mistake("slope-of-the-output", back(slope=lambda c: c["A1"]),
                "the error is multiplied by the ReLU's *value*, `A1`; its slope is 1 or 0."),
        Mistake("slope-of-the-output", back(slope=lambda c: c["Z1"]),
                "the error is multiplied by the sums `Z1` themselves; the slope of the ReLU is 1 "
                "where they are positive, and 0 elsewhere."),
        Mistake("error-through-relu", lambda X, y, params, reg: patched(
            lambda g, X, y, p, r: _error_clipped(X, y, p, r))(X, y, params, reg),
                "the ReLU is applied to the error on its way back. Its slope depends on `Z1`, not "
                "on the sign of the error."),
        Mistake("slope-inverted", back(slope=lambda c: c["Z1"] < 0),
                "the slope is 1 where the sum is negative; it is the other way round."),
        Mistake("slope-inverted", back(slope=lambda c: c["Z1"] <= 0),
                "the slope is 1 where the sum is negative; it is the other way round."),
        Mistake("sigmoid-derivative", back(slope=lambda c: c["A1"] * (1 - c["A1"])),
                "the slope a(1 − a) belongs to the sigmoid; the hidden layer is a ReLU."),
        Mistake("tanh-derivative", back(slope=lambda c: 1 - c["A1"] ** 2),
                "the slope 1 − a² belongs to tanh; the hidden layer is a ReLU."),
        Mistake("sign-of-sums", back(slope=lambda c: np.sign(c["Z1"])),
                "`np.sign` is −1 where a sum is negative; the slope of the ReLU is 0 there."),
        Mistake("not-averaged", back(delta=lambda P, Y: P - Y),
                "the 1/N of the mean is missing: the gradient is that of the summed loss."),
        Mistake("averaged-again-in-hidden-layer", patched(lambda g, X, y, p, r: {
            "W1": (g["W1"] - r * p["W1"]) / len(X) + r * p["W1"], "b1": g["b1"] / len(X)}),
                "in the hidden layer it is divided by N once more; the 1/N came along with "
                "`dZ2` already."),
        Mistake("averaged-over-all-entries", back(delta=lambda P, Y: (P - Y) / Y.size),
                "it is divided by N · K. The loss is a mean over the N samples."),
        Mistake("sign-flipped", back(delta=lambda P, Y: (Y - P) / len(Y)),
                "the sign of the error is flipped: probabilities minus labels. (The penalty's "
                "part is right.)"),
        Mistake("output-derivative-extra", back(delta=lambda P, Y: (P - Y) * P * (1 - P) / len(Y)),
                "the output error is multiplied by ŷ(1 − ŷ). With softmax and cross-entropy that "
                "factor has cancelled already."),
        *_wrong_deltas(back),
        Mistake("labels-as-numbers", lambda X, y, params, reg: soft(
            wrong_forward()(X, params)["Z2"]) - y,
                "the class numbers themselves are subtracted, (N,) from (N, K). They are names: "
                "they say in which column of a row the 1 is taken away."),
        Mistake("whole-columns", back(delta=lambda P, Y: (
            P - np.tile(Y.any(axis=0), (len(Y), 1))) / len(Y)),
                "`[:, y] -= 1` lowers whole columns. Only one entry of each row is lowered: that "
                "needs the row numbers too."),
        Mistake("penalty-missing", back(penalty=lambda p, r, N: dict.fromkeys(p, 0)), NO_PENALTY),
        Mistake("penalty-doubled", back(penalty=lambda p, r, N: _reg_gradient(p, 2 * r, N)),
                "the penalty's part is twice as large: the ½ of the loss cancels the 2 of the "
                "square."),
        Mistake("penalty-halved", back(penalty=lambda p, r, N: _reg_gradient(p, r / 2, N)),
                HALVED),
        Mistake("penalty-over-N", back(penalty=lambda p, r, N: _reg_gradient(p, r / N, N)),
                "the penalty's part is divided by N: it belongs to the weights, not to the "
                "samples."),
        Mistake("biases-regularised", back(penalty=lambda p, r, N: each(lambda W: r * W, p)),
                "the biases are regularised too; only the weights are in the penalty."),
        Mistake("penalty-on-first-layer-only", back(penalty=lambda p, r, N: {
            **_reg_gradient(p, r, N), "W2": 0}),
                "the penalty's part is missing in `W2`."),
        Mistake("penalty-on-second-layer-only", back(penalty=lambda p, r, N: {
            **_reg_gradient(p, r, N), "W1": 0}),
                "the penalty's part is missing in `W1`."),
        Mistake("penalty-subtracted", back(penalty=lambda p, r, N: _reg_gradient(p, -r, N)),
                SUBTRACTED),
        Mistake("reg-in-place-of-weights", back(penalty=lambda p, r, N: {
            k: r if W.ndim == 2 else 0 for k, W in p.items()}),
                "`reg` itself is added to every entry; its part is reg times the weight."),
        Mistake("bias-averaged", back(bias=lambda d: d.mean(axis=0)),
                "the bias gradients are divided by N once more: the errors contain 1/N already, "
                "so add them up."),
        Mistake("bias-summed-over-everything", back(bias=np.sum),
                "the errors are added up over everything, one number. Each unit has its own bias: "
                "add up over the samples (`axis=0`)."),
        Mistake("bias-over-wrong-axis", back(bias=lambda d: d.sum(axis=1)),
                "the errors are added up over the units; add up over the samples (`axis=0`)."),
        *(Mistake("bias-over-wrong-axis", patched(change),
                  "the errors of one layer are added up over the units; add up over the samples "
                  "(`axis=0`), as for the other bias.")
          for change in (lambda g, X, y, p, r: {"b1": _hidden_error(X, y, p)[2].sum(axis=1)},
                         lambda g, X, y, p, r: {"b2": _hidden_error(X, y, p)[1].sum(axis=1)})),
        Mistake("names-of-gradients", lambda X, y, params, reg: {
            f"d{k}": g for k, g in back()(X, y, params, reg).items()},
                "the keys have a d in front. Gradients carry the names of their parameters, `W1`, "
                "`b1` …, so that one loop can update all."),
        Mistake("bias-not-summed", back(bias=lambda d: d),
                "the bias gradients have a row for each sample; add them up."),
        Mistake("bias-as-row", back(bias=lambda d: d.sum(axis=0, keepdims=True)),
                "the bias gradients are (1, H) and (1, K); the biases are (H,) and (K,)."),
        *(Mistake("bias-as-row", patched(lambda g, X, y, p, r, one=one: {one: g[one][None]}),
                  "the gradient of one bias has two axes; a bias has one.")
          for one in ("b1", "b2")),
        *(Mistake("transpose-missing", product, f"the inner lengths are {which}")
          for product, which in (
              (lambda X, y, params, reg: X @ _hidden_error(X, y, params)[2],
               f"D and N. {N_INSIDE} (D, N) times (N, H)."),
              (lambda X, y, params, reg: wrong_forward()(X, params)["A1"] @ np.ones((len(X), 1)),
               f"H and N. {N_INSIDE} (H, N) times (N, K)."),
              (lambda X, y, params, reg: _hidden_error(X, y, params)[1] @ params["W2"],
               "K and H. The error goes back to the hidden layer as (N, K) times (K, H)."))),
        Mistake("pre-activation-as-input", back(hidden=lambda c: c["Z1"]),
                "`W2`'s gradient uses `Z1`. What went into the output layer are the activations "
                "`A1`."),
        Mistake("gradient-for-weight", patched(lambda g, X, y, p, r: _w2_replaced(
            X, y, p, r, (g["W2"]))),
                "the error goes back through the *gradient* of `W2`; it goes through `W2`."),
        Mistake("star-for-at", lambda X, y, params, reg: X.T * _hidden_error(X, y, params)[2],
                "`*` multiplies entry by entry; the gradient of a layer is a matrix product."),
        Mistake("activation-twice", back(slope=lambda c: c["Z1"] > 0,
                                         out=lambda Z: soft(soft(Z))), FORWARD_FAULT),
        Mistake("inputs-swapped", lambda X, y, params, reg: _layers_swapped(
            X, y, params, reg),
                "the errors of the two layers have changed places."),
        Mistake("measured-not-derived", measured, MEASURED),
    ),
    sizes=lambda X, y, params, reg: {"N": len(X), "K": params["W2"].shape[1]},
    hint="compare with measured slopes: `diagnose` (or your `check_gradients`) says which of the "
         "four is wrong.",
    unlocks="Ten thousand slopes for the price of two passes.",
)


def _error_clipped(X, y, params, reg):
    cache, dZ2, _ = _hidden_error(X, y, params)
    dZ1 = np.maximum(dZ2 @ params["W2"].T, 0)
    return {"W1": X.T @ dZ1 + reg * params["W1"], "b1": dZ1.sum(axis=0)}


def _w2_replaced(X, y, params, reg, W2):
    cache, dZ2, _ = _hidden_error(X, y, params)
    dZ1 = (dZ2 @ W2.T) * (cache["Z1"] > 0)
    return {"W1": X.T @ dZ1 + reg * params["W1"], "b1": dZ1.sum(axis=0)}


def _layers_swapped(X, y, params, reg):
    cache, dZ2, dZ1 = _hidden_error(X, y, params)
    return {"W1": X.T @ dZ2 + reg * params["W1"], "b1": dZ2.sum(axis=0),
            "W2": cache["A1"].T @ dZ1 + reg * params["W2"], "b2": dZ1.sum(axis=0)}


# 09-epoch

def _log_shares(Z):
    Z = Z - Z.max(axis=1, keepdims=True)
    return Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))


def quick_backprop(X, y, params, reg):
    """A backprop of ours."""
    Z1 = X @ params["W1"] + params["b1"]
    A1 = np.maximum(Z1, 0)
    d = np.exp(_log_shares(A1 @ params["W2"] + params["b2"]))
    d[np.arange(len(y)), y] -= 1
    d /= len(y)
    d1 = (d @ params["W2"].T) * (Z1 > 0)
    return {"W1": X.T @ d1 + reg * params["W1"], "b1": d1.sum(axis=0),
            "W2": A1.T @ d + reg * params["W2"], "b2": d.sum(axis=0)}


def quick_loss(X, y, params, reg):
    """A loss of ours."""
    A1 = np.maximum(X @ params["W1"] + params["b1"], 0)
    logs = _log_shares(A1 @ params["W2"] + params["b2"])
    return float(reg / 2 * _squares(params) - logs[np.arange(len(y)), y].mean())


def one_layer_backprop(X, y, params, reg):
    """A backprop of ours, for one layer."""
    dZ = (soft(X @ params["W1"] + params["b1"]) - np.eye(len(params["b1"]))[y]) / len(y)
    return {"W1": X.T @ dZ + reg * params["W1"], "b1": dZ.sum(axis=0)}


def one_layer_loss(X, y, params, reg):
    """A loss of ours, for one layer."""
    Z = X @ params["W1"] + params["b1"]
    J = np.mean(logsumexp(Z, axis=1) - Z[np.arange(len(y)), y])
    return float(J + reg / 2 * np.sum(params["W1"] ** 2))


def _batches(N, batch_size, rng):
    order = list(rng.permutation(N))
    return [np.array(order[i:i + batch_size]) for i in range(0, N, batch_size)]


def _run_epoch(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
    for rows in _batches(len(X), batch_size, rng):
        grads = backprop(X[rows], y[rows], params, reg)
        velocity = {k: mu * velocity[k] - learning_rate * grads[k] for k in params}
        params = each(np.add, params, velocity)
    return params, velocity


def _velocity(seed, params):
    rng = np.random.default_rng(seed)
    return each(lambda W: 0.1 * rng.normal(size=W.shape), params)


def _epoch_cases():
    cases = []
    for seed, sizes, rate, mu, reg, batch in ((1, (13, 3, 5, 4), 0.7, 0.8, 0.05, 5),
                                              (2, (17, 4, 6, 3), 0.3, 0.5, 0.2, 7)):
        X, y, params = sample(seed, *sizes)
        cases.append((quick_backprop, X, y, params, _velocity(seed, params),
                      np.random.default_rng(seed), rate, mu, reg, batch))
    X, y, params = deep_sample(3, 11, (6, 5))
    return [*cases, (one_layer_backprop, X, y, params, _velocity(3, params),
                     np.random.default_rng(3), 0.4, 0.9, 0.1, 4)]


def wrong_epoch(batches=_batches, rows_of_y=lambda rows: rows, rows_of_X=lambda rows: rows,
          at_batch=lambda v: v, rate=lambda rate, mu: rate, keep=lambda rate, mu: mu,
          reg_of=lambda reg: reg, factor=lambda rows, N, size: 1.0,
          move=lambda params, old, new: each(np.add, params, new), gradient_at=None,
          hand_back=lambda params, velocity, first: (params, velocity)):
    """Return a run through the training data with one part exchanged."""
    def run_epoch(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
        first = params
        for rows in batches(len(X), batch_size, rng):
            at = first if gradient_at == "first" else params
            grads = backprop(X[rows_of_X(rows)], y[rows_of_y(rows)], at, reg_of(reg))
            f = factor(rows, len(X), batch_size)
            v = at_batch(velocity)
            new = {k: keep(learning_rate, mu) * v[k] - rate(learning_rate, mu) * f * grads[k]
                   for k in params}
            params, velocity = move(params, v, new), new
        return hand_back(params, velocity, first)
    return run_epoch


EPOCH_UPHILL = ("the weights move uphill. There is one minus in all, and it stands in "
                "`update_momentum`: either the velocity is subtracted here, or the rate is handed "
                "over with a minus of its own.")
NOT_SHUFFLED = "the batches run through the rows in their order: nothing is shuffled."
SAME_ROWS = "take the same rows of both."


def _gradient_for_velocity(backprop, X, y, params, velocity, rng, learning_rate, mu, reg,
                           batch_size):
    for rows in _batches(len(X), batch_size, rng):
        grads = backprop(X[rows], y[rows], params, reg)
        velocity = {k: mu * velocity[k] - learning_rate * grads[k] for k in params}
        params = each(np.add, params, grads)
    return params, velocity


def _velocity_not_kept(back, used=True):
    """Return an epoch whose steps start from, or (not `used`) move by, the velocity given."""
    def run_epoch(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
        new = velocity
        for rows in _batches(len(X), batch_size, rng):
            grads = backprop(X[rows], y[rows], params, reg)
            new = {k: mu * velocity[k] - learning_rate * grads[k] for k in params}
            params = each(np.add, params, new if used else velocity)
        return params, new if back == "last" else velocity
    return run_epoch


EPOCH_MISTAKES = (
    Mistake("uphill", wrong_epoch(move=lambda params, old, new: each(np.subtract, params, new)),
            EPOCH_UPHILL),
    Mistake("shuffled-apart", wrong_epoch(rows_of_y=lambda rows: np.arange(len(rows))),
            f"the digits are shuffled and the labels are not: {SAME_ROWS}"),
    Mistake("shuffled-apart", wrong_epoch(rows_of_X=lambda rows: np.arange(len(rows))),
            f"the labels are shuffled and the digits are not: {SAME_ROWS}"),
    Mistake("batch-of-one-only", wrong_epoch(rows_of_y=lambda rows: slice(None)),
            f"all labels meet the rows of one batch: {SAME_ROWS}"),
    Mistake("batch-of-one-only", wrong_epoch(rows_of_X=lambda rows: slice(None)),
            f"all digits meet the labels of one batch: {SAME_ROWS}"),
    Mistake("shuffled-apart", wrong_epoch(rows_of_y=lambda rows: np.sort(rows)),
            "the rows of the labels are in another order than the rows of the digits."),
    Mistake("not-shuffled", wrong_epoch(batches=lambda N, size, rng: [
        np.arange(N)[i:i + size] for i in range(0, N, size)]), NOT_SHUFFLED),
    Mistake("another-generator", wrong_epoch(batches=lambda N, size, rng: _batches(
        N, size, np.random.default_rng(0))),
            "the order comes from a generator made inside: it is the same in every epoch. Hand "
            "your `rng` on."),
    Mistake("last-batch-dropped", wrong_epoch(batches=lambda N, size, rng: [
        b for b in _batches(N, size, rng) if len(b) == size]),
            "the last, shorter batch is left out; its samples count too."),
    Mistake("all-samples-in-each-step", wrong_epoch(
        rows_of_X=lambda rows: slice(None), rows_of_y=lambda rows: slice(None)),
            "each step takes the gradient of *all* samples: the batches are drawn and not used. "
            "Hand the rows of the batch to `backprop`."),
    Mistake("gradient-for-velocity", _gradient_for_velocity,
            "the gradient itself is added to the parameters; it is the velocity that is added."),
    Mistake("batch-size-for-N", wrong_epoch(batches=lambda N, size, rng: _batches(size, N, rng)),
            "one step is made, with the first `batch_size` rows: have the number of rows and "
            "`batch_size` changed places in a call?"),
    Mistake("array-for-number", lambda backprop, X, y, params, velocity, rng, rate, mu, reg, size:
            range(0, X, size),
            "an array stands where a whole number is wanted. `minibatches` takes the number of "
            "rows, not the rows themselves."),
    Mistake("first-batch-only", wrong_epoch(
        batches=lambda N, size, rng: _batches(N, size, rng)[:1]),
            "only one step is made. Is the `return` indented too far, inside the loop?"),
    Mistake("all-samples-at-once", wrong_epoch(batches=lambda N, size, rng: [rng.permutation(N)]),
            "one step is made with all samples: `batch_size` plays no part."),
    Mistake("divided-by-all-samples", wrong_epoch(factor=lambda rows, N, size: len(rows) / N),
            "the gradient of a batch is divided by the number of all samples; it is the mean over "
            "the batch, and `backprop` has taken that already."),
    Mistake("divided-again", wrong_epoch(factor=lambda rows, N, size: 1 / len(rows)),
            "the gradient is divided by the size of the batch; `backprop` has done that already."),
    Mistake("divided-again", wrong_epoch(factor=lambda rows, N, size: 1 / size),
            "the gradient is divided by `batch_size`; `backprop` has taken the mean already."),
    Mistake("momentum-missing", wrong_epoch(keep=lambda rate, mu: 0),
            "the velocity forgets everything at each step, so that this is plain gradient descent: "
            "hand `mu` on, and the last velocity too."),
    *(Mistake("velocity-not-kept", _velocity_not_kept(back),
              "every step starts from the velocity that came in. Keep the new one for the next "
              "step.") for back in ("first", "last")),
    Mistake("velocity-not-kept", _velocity_not_kept("first", used=False),
            "every step moves by the velocity that came in: the new one is computed and not kept, "
            "or not computed at all."),
    Mistake("rate-and-mu-swapped", wrong_epoch(
        rate=lambda rate, mu: mu, keep=lambda rate, mu: rate),
            "`learning_rate` and `mu` have changed places in a call."),
    Mistake("old-velocity-used", wrong_epoch(
        move=lambda params, old, new: each(np.add, params, old)),
            "the parameters move with the velocity of the step before: update the velocity first."),
    Mistake("penalty-missing", wrong_epoch(reg_of=lambda reg: 0.0),
            "`reg` is not handed on to `backprop`: the penalty plays no part."),
    Mistake("gradient-of-first-parameters", wrong_epoch(gradient_at="first"),
            "every step uses the gradient at the parameters that came in: take it at the current "
            "ones."),
    Mistake("never-updated", wrong_epoch(move=lambda params, old, new: params),
            "the parameters never change: give the updated dict the name that the next step uses."),
    Mistake("weights-only", wrong_epoch(move=lambda params, old, new: {
        k: W + new[k] if W.ndim == 2 else W for k, W in params.items()}),
            "only the weights move; the biases are parameters too."),
    Mistake("first-parameters-returned", wrong_epoch(hand_back=lambda p, v, first: (first, v)),
            "the parameters that come back are those that came in."),
    Mistake("order-of-results", wrong_epoch(hand_back=lambda p, v, first: (v, p)),
            "parameters and velocity have changed places in the `return` line."),
    Mistake("parameters-only", wrong_epoch(hand_back=lambda p, v, first: p),
            "the parameters are right; return the velocity with them, so that the next epoch can "
            "go on with it."),
)


def _from_rest(backprop, X, y, params, velocity, *others):
    return _run_epoch(backprop, X, y, params, each(np.zeros_like, velocity), *others)


def _key_by_key(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
    """Update one parameter after the other, the gradient taken anew for each."""
    for rows in _batches(len(X), batch_size, rng):
        for k in params:
            grads = backprop(X[rows], y[rows], params, reg)
            velocity = {**velocity, k: mu * velocity[k] - learning_rate * grads[k]}
            params = {**params, k: params[k] + velocity[k]}
    return params, velocity


LOOP_DATA = DATA | {"learning_rate", "mu", "reg", "batch_size", "epochs", "patience"}

epoch = Exercise(
    id="09-epoch",
    name="run_epoch",
    truth=_run_epoch,
    cases=_epoch_cases,
    returns=("params", "velocity"),
    data=LOOP_DATA,
    uses=(minibatches, update_momentum, update_params),
    integers=(),
    tolerance=1e-10,
    more=(
        *EPOCH_MISTAKES,
        Mistake("velocity-from-zero", _from_rest,
                "the velocity that comes in is thrown away and starts from zero: go on with it."),
        Mistake("updated-one-by-one", _key_by_key,
                "each gradient is taken after another parameter has moved already. One gradient "
                "for all, at one point; then all move."),
    ),
    sizes=lambda *args: {},
    hint="for each batch: gradient at the current parameters, new velocity, new parameters.",
    unlocks="Once through all digits, in bites.",
)


# 09-rate-range

def _zeros(params):
    return each(np.zeros_like, params)


def _rate_range(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
    velocity, losses = _zeros(params), []
    for rate in rates:
        rows = np.array(list(rng.permutation(len(X)))[:batch_size])
        losses.append(float(loss(X[rows], y[rows], params, 0.0)))
        grads = backprop(X[rows], y[rows], params, reg)
        velocity = {k: mu * velocity[k] - rate * grads[k] for k in params}
        params = each(np.add, params, velocity)
    return losses


def _range_cases():
    cases = []
    for seed, sizes, mu, reg, batch, number in ((1, (13, 3, 5, 4), 0.8, 0.05, 5, 7),
                                                (2, (17, 4, 6, 3), 0.5, 0.2, 7, 5)):
        X, y, params = sample(seed, *sizes)
        cases.append((quick_loss, quick_backprop, X, y, params, np.random.default_rng(seed),
                      np.geomspace(0.01, 2, number), mu, reg, batch))
    X, y, params = deep_sample(3, 11, (6, 5))
    return [*cases, (one_layer_loss, one_layer_backprop, X, y, params, np.random.default_rng(3),
                     np.geomspace(0.1, 3, 6), 0.9, 0.1, 4)]


def wrong_range(draw=lambda N, size, rng: rng.permutation(N)[:size], reg_of_loss=0.0,
                rate_of=lambda rate, rates: rate, whole=False, after=False, once=False,
                again=False, keep=lambda mu: mu, at_batch=lambda v: v, sign=1, still=False,
                hand_back=lambda losses, rates, params: losses, reg_of=lambda reg: reg,
                labels=lambda rows: rows):
    """Return a rate range test with one part exchanged."""
    def rate_range(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
        velocity, losses, first, rows = _zeros(params), [], params, None
        for rate in rates:
            if rows is None or not once:
                rows = draw(len(X), batch_size, rng)
            data = (X, y) if whole else (X[rows], y[labels(rows)])
            strength = reg if reg_of_loss is None else reg_of_loss
            before = float(loss(*data, params, strength))
            at = first if again else params
            grads = backprop(X[rows], y[labels(rows)], at, reg_of(reg))
            velocity = {k: keep(mu) * at_batch(velocity)[k] - rate_of(rate, rates) * grads[k]
                        for k in params}
            moved = {k: W + sign * velocity[k] for k, W in at.items()}
            params = params if still else moved
            losses.append(float(loss(*data, params, strength)) if after else before)
        return hand_back(losses, rates, params)
    return rate_range


def _epoch_for_each_rate(whole, penalty):
    """Return a rate range test that makes an epoch at each rate."""
    def rate_range(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
        velocity, losses = _zeros(params), []
        for rate in rates:
            rows = slice(None) if whole else rng.permutation(len(X))[:batch_size]
            losses.append(float(loss(X[rows], y[rows], params, reg if penalty else 0.0)))
            params, velocity = _run_epoch(backprop, X, y, params, velocity, rng, rate, mu, reg,
                                          batch_size)
        return losses
    return rate_range


rate_range = Exercise(
    id="09-rate-range",
    name="rate_range",
    truth=_rate_range,
    cases=_range_cases,
    returns=("losses",),
    data=LOOP_DATA,
    uses=(minibatches, update_momentum, update_params),
    integers=(),
    tolerance=1e-9,
    more=(
        Mistake("uphill", wrong_range(sign=-1), EPOCH_UPHILL),
        Mistake("noted-after-the-step", wrong_range(after=True),
                "the loss is noted after the step; note it before, so that no batch is judged by "
                "weights that have just been fitted to it."),
        Mistake("loss-of-everything", wrong_range(whole=True),
                "the loss is that of all digits; that of the batch is enough, and quick."),
        *(Mistake("an-epoch-for-each-rate", _epoch_for_each_rate(whole, reg),
                  "each rate runs through a whole epoch, many steps. One batch and one step for "
                  "each rate.") for whole in (True, False) for reg in (True, False)),
        Mistake("loss-with-penalty", wrong_range(reg_of_loss=None),
                "the penalty is in the noted losses; note them with reg 0."),
        Mistake("penalty-missing", wrong_range(reg_of=lambda reg: 0.0),
                "`reg` is not handed on to `backprop`."),
        Mistake("one-rate", wrong_range(rate_of=lambda rate, rates: rates[0]),
                "every step is made at the first rate. The rate grows from step to step."),
        Mistake("one-rate", wrong_range(rate_of=lambda rate, rates: rates[-1]),
                "every step is made at the last rate. The rate grows from step to step."),
        Mistake("started-anew", wrong_range(again=True),
                "each rate starts from the first parameters again. It is one training, in which "
                "the rate grows."),
        Mistake("never-updated", wrong_range(still=True),
                "the parameters never change: give the updated dict the name that the next step "
                "uses."),
        Mistake("batch-drawn-once", wrong_range(once=True),
                "the batch is drawn once, before the loop; draw a new one for every step."),
        Mistake("not-shuffled", wrong_range(draw=lambda N, size, rng: np.arange(size)),
                "every step uses the first rows; draw them by `rng.permutation`."),
        Mistake("with-replacement", wrong_range(draw=lambda N, size, rng: rng.integers(
            N, size=size)),
                "the rows are drawn independently, so that one may come twice. Take the first "
                "ones of a permutation."),
        Mistake("another-draw", wrong_range(draw=lambda N, size, rng: rng.choice(
            N, size, replace=False)),
                "fair, but other rows than those of the text: take the first `batch_size` of "
                "`rng.permutation(N)`."),
        Mistake("first-ones-of-minibatches", wrong_range(
            draw=lambda N, size, rng: rng.permutation(N)[-size:]),
                "the last rows of the permutation are taken; take the first."),
        Mistake("shuffled-apart", wrong_range(labels=lambda rows: np.arange(len(rows))),
                "digits and labels come from different rows: take the same rows of both."),
        Mistake("momentum-missing", wrong_range(keep=lambda mu: 0.0),
                "the velocity forgets everything at each step. Hand `mu` and the last velocity on: "
                "with momentum the steps are longer, and it is what you will train with."),
        Mistake("best-rate-returned", wrong_range(
            hand_back=lambda losses, rates, params: float(rates[int(np.argmin(losses))])),
                "one rate comes back. Return all losses, one for each rate: the picture is for "
                "your eyes to judge."),
        Mistake("last-missing", wrong_range(hand_back=lambda losses, *others: losses[:-1]),
                "one loss is missing: each rate has one."),
        Mistake("parameters-too", wrong_range(
            hand_back=lambda losses, rates, params: (params, losses)),
                "the losses are right; return them alone."),
    ),
    sizes=lambda *args: {},
    hint="for each rate: draw a batch, note its loss, make one step at this rate.",
    unlocks="The rate is no longer a guess.",
)


# 09-train

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


# Seed, (N, D, H, K), N_val, rate, mu, reg, batch, epochs, patience. In the first one the best epoch
# lies in the middle and the training stops early; in the second it ends before its patience does;
# in the third nothing is better than the start.
TRAININGS = (
    (22, (13, 3, 5, 4), 9, 0.3, 0.6, 0.03, 5, 12, 3),
    (1, (17, 4, 6, 3), 7, 0.8, 0.8, 0.1, 7, 11, 4),
    (10, (17, 4, 6, 3), 7, 0.3, 0.8, 0.1, 7, 9, 4),
)


def _train_cases():
    cases = []
    for seed, sizes, n_val, rate, mu, reg, batch, epochs, patience in TRAININGS:
        N, D, H, K = sizes
        X, y, params = sample(seed, N + n_val, D, H, K)
        cases.append((quick_loss, quick_backprop, X[:N], y[:N], X[N:], y[N:], params,
                      np.random.default_rng(seed), rate, mu, reg, batch, epochs, patience))
    X, y, params = deep_sample(4, 16, (6, 5))  # a rate of 0: no loss is lower than the first
    return [*cases, (one_layer_loss, one_layer_backprop, X[:11], y[:11], X[11:], y[11:], params,
                     np.random.default_rng(4), 0.0, 0.9, 0.1, 4, 7, 2)]


def _lowest(history, seen):
    return int(np.argmin(history["val_loss"]))


def _patient(losses, patience):
    """Whether the last `patience` losses brought no new lowest one."""
    return len(losses) - 1 - int(np.argmin(losses)) >= patience


def loop(run=_run_epoch, data=lambda X, y, X_val, y_val: (X, y), stop=_patient, choose=_lowest,
         reg_of=lambda reg: 0.0, reset=False, log=lambda history, best: history,
         rounds=lambda epochs: epochs, generator=lambda rng: rng, watch="val_loss",
         hand_back=lambda params, history: (params, history),
         penalised=("train_loss", "val_loss"), start_too=True,
         noted=lambda train, val, first: (train, val)):
    """Return a training loop with one part exchanged."""
    def train(loss, backprop, X, y, X_val, y_val, params, rng, learning_rate, mu, reg, batch_size,
              epochs, patience):
        velocity, seen, history = _zeros(params), [params], {"train_loss": [], "val_loss": []}

        def note(params):
            first = not history["val_loss"]
            both = noted((X, y), (X_val, y_val), first)
            for name, part in zip(history, both, strict=True):
                with_it = name in penalised and (start_too or not first)
                history[name].append(float(loss(*part, params, reg_of(reg) if with_it else 0.0)))

        note(params)
        for _ in range(rounds(epochs)):
            if reset:
                velocity = _zeros(params)
            params, velocity = run(backprop, *data(X, y, X_val, y_val), params, velocity,
                                   generator(rng), learning_rate, mu, reg, batch_size)
            seen.append(params)
            note(params)
            if stop(history[watch], patience):
                break
        best = choose(history, seen)
        return hand_back(seen[best], log(history, best))
    return train


def _counted_in_all(losses, patience):
    worse = sum(losses[i] >= min(losses[:i]) for i in range(1, len(losses)))
    return worse >= patience


def _fallen_from_last(history, seen):
    v = history["val_loss"]
    return max([0, *(i for i in range(1, len(v)) if v[i] < v[i - 1])])


def _below_first(history, seen):
    v = history["val_loss"]
    return max(i for i in range(len(v)) if i == 0 or v[i] < v[0])


def _below_first_stop(losses, patience):
    return len(losses) - 1 - _below_first({"val_loss": losses}, None) >= patience


def _rises_in_a_row(losses, patience):
    rises = 0
    for before, after in zip(losses, losses[1:], strict=False):
        rises = rises + 1 if after >= before else 0
    return rises >= patience


def _start_as_first_epoch(losses, patience):
    return len(losses) - 2 - max(0, int(np.argmin(losses)) - 1) >= patience


def _ties_count(losses, patience):
    best = max(i for i, v in enumerate(losses) if v == min(losses))
    return len(losses) - 1 - best >= patience


def _never(losses, patience):
    return False


def _skip_start(history, seen):
    return 1 + int(np.argmin(history["val_loss"][1:]))


def _skip_start_stop(losses, patience):
    return len(losses) > 1 and _patient(losses[1:], patience)


def _one_late(history, seen):
    return min(_lowest(history, seen) + 1, len(seen) - 1)


def _one_early(history, seen):
    return max(_lowest(history, seen) - 1, 0)


def _noted_before(loss, backprop, X, y, X_val, y_val, params, rng, learning_rate, mu, reg,
                  batch_size, epochs, patience):
    velocity, history = _zeros(params), {"train_loss": [], "val_loss": []}
    best, lowest, waited = params, np.inf, 0
    for _ in range(epochs):
        history["train_loss"].append(float(loss(X, y, params, 0.0)))
        history["val_loss"].append(float(loss(X_val, y_val, params, 0.0)))
        params, velocity = _run_epoch(backprop, X, y, params, velocity, rng, learning_rate, mu,
                                      reg, batch_size)
        waited += 1
        if history["val_loss"][-1] < lowest:
            best, lowest, waited = params, history["val_loss"][-1], 0
        if waited >= patience:
            break
    return best, history


def _losses_mixed_up(kept):
    """Return a training loop that compares a training loss with a validation loss."""
    def train(loss, backprop, X, y, X_val, y_val, params, rng, learning_rate, mu, reg, batch_size,
              epochs, patience):
        history = {"train_loss": [float(loss(X, y, params, 0.0))],
                   "val_loss": [float(loss(X_val, y_val, params, 0.0))]}
        compared = "train_loss" if kept == "val_loss" else "val_loss"
        velocity, best, lowest, waited = _zeros(params), params, history[kept][0], 0
        for _ in range(epochs):
            params, velocity = _run_epoch(backprop, X, y, params, velocity, rng, learning_rate,
                                          mu, reg, batch_size)
            history["train_loss"].append(float(loss(X, y, params, 0.0)))
            history["val_loss"].append(float(loss(X_val, y_val, params, 0.0)))
            waited += 1
            if history[compared][-1] < lowest:
                best, lowest, waited = params, history[kept][-1], 0
            if waited >= patience:
                break
        return best, history
    return train


BY_REFERENCE = ("the parameters of the last epoch come back, not those with the lowest validation "
                "loss. Either the best ones are not kept, or they are kept as a second name for a "
                "dict that goes on changing.")
SAW_VALIDATION = ("the validation digits are trained on. Then their loss says nothing about new "
                  "digits: use them for watching only.")
NO_PATIENCE = "it runs through all epochs: it should stop when the patience is used up."

train = Exercise(
    id="09-train",
    name="train",
    truth=_train,
    cases=_train_cases,
    returns=("params", "history"),
    data=LOOP_DATA,
    uses=(epoch,),
    integers=(),
    tolerance=1e-9,
    rounding=1e-9,
    more=(
        Mistake("last-weights-returned", loop(choose=lambda h, seen: len(seen) - 1),
                BY_REFERENCE),
        Mistake("last-weights-returned", loop(choose=lambda h, seen: len(seen) - 1, stop=_never),
                f"{BY_REFERENCE} It also never stops early."),
        Mistake("first-weights-returned", loop(choose=lambda h, seen: 0),
                "the parameters that come back are those that came in."),
        Mistake("worst-weights-returned", loop(
            choose=lambda h, seen: int(np.argmax(h["val_loss"]))),
                "the parameters with the *highest* validation loss come back."),
        Mistake("chosen-by-training-loss", loop(
            choose=lambda h, seen: int(np.argmin(h["train_loss"]))),
                "the parameters with the lowest *training* loss come back. That loss nearly always "
                "falls; the validation loss decides."),
        Mistake("chosen-by-training-loss", loop(
            choose=lambda h, seen: int(np.argmin(h["train_loss"])), watch="train_loss"),
                "the *training* loss decides when to stop and what to keep. It nearly always "
                "falls; the validation loss decides."),
        *(Mistake("losses-mixed-up", _losses_mixed_up(kept),
                  "a *training* loss is compared with the lowest *validation* loss. Compare "
                  "validation losses, all the way.") for kept in ("val_loss", "train_loss")),
        Mistake("one-epoch-late", loop(choose=_one_late),
                "the parameters kept are those of the epoch after the best: loss and parameters "
                "do not belong together."),
        Mistake("one-epoch-early", loop(choose=_one_early),
                "the parameters kept are those from before the best epoch: note the loss and keep "
                "the parameters after the same step."),
        Mistake("fallen-is-not-lowest", loop(choose=_fallen_from_last),
                "parameters are kept whenever the validation loss is lower than in the epoch "
                "before. It must be lower than all before."),
        Mistake("fallen-is-not-lowest", loop(choose=_fallen_from_last, stop=_rises_in_a_row),
                "each validation loss is compared with the one before it. Compare with the lowest "
                "so far."),
        Mistake("lowest-never-noted", loop(choose=_below_first, stop=_below_first_stop),
                "every validation loss is compared with the first one. When a new lowest one is "
                "found, it is the one to compare with from there on."),
        Mistake("lowest-never-noted", loop(choose=_below_first),
                "every validation loss is compared with the first one. When a new lowest one is "
                "found, it is the one to compare with from there on."),
        Mistake("rises-counted", loop(stop=_rises_in_a_row),
                "the patience counts epochs in which the loss rose from the one before. It counts "
                "epochs without a new *lowest* loss."),
        Mistake("patience-missing", loop(stop=_never), NO_PATIENCE),
        Mistake("no-patience", loop(stop=lambda losses, patience: _patient(losses, 1)),
                "it stops at the first epoch without a new lowest loss: wait for `patience` of "
                "them in a row."),
        Mistake("patience-never-restored", loop(stop=_counted_in_all),
                "epochs without a new lowest loss are counted over the whole training. A new "
                "lowest loss sets the count back to 0."),
        Mistake("patience-one-more", loop(
            stop=lambda losses, patience: _patient(losses, patience + 1)),
                "it stops one epoch too late: after `patience` epochs without a new lowest loss "
                "it is over."),
        Mistake("patience-one-more", loop(stop=_start_as_first_epoch),
                "where no epoch is better than the start, it stops one epoch too late. Is the "
                "start counted like the first epoch, both as number 0?"),
        Mistake("patience-one-less", loop(
            stop=lambda losses, patience: _patient(losses, patience - 1)),
                "it stops one epoch too early: `patience` epochs without a new lowest loss are "
                "allowed to run."),
        Mistake("equal-counts-as-lower", loop(stop=_ties_count),
                "an equal loss counts as a new lowest one, so that a training that stands still "
                "never ends. Only a lower one counts."),
        Mistake("start-left-out", loop(choose=_skip_start),
                "the parameters that came in take no part in the choice. They can be the best: "
                "the first entry of the history is theirs."),
        Mistake("start-left-out", loop(choose=_skip_start, stop=_skip_start_stop),
                "the parameters that came in take no part in the choice. They can be the best: "
                "the first entry of the history is theirs."),
        *(Mistake("penalty-in-history", loop(
            reg_of=lambda reg: reg, penalised=names, start_too=start_too),
                  f"the penalty is in {which}. Take all losses of the history with reg 0, so that "
                  "they say how well digits are read and nothing else.")
          for names, start_too, which in (
              (("train_loss", "val_loss"), True, "the noted losses"),
              (("train_loss", "val_loss"), False, "all noted losses but the first ones"),
              (("train_loss",), True, "the training losses"),
              (("train_loss",), False, "all training losses but the first"),
              (("val_loss",), True, "the validation losses"),
              (("val_loss",), False, "all validation losses but the first"))),
        *(Mistake("losses-of-the-same-digits", loop(noted=noted), f"{which}: each series is the "
                  "loss on digits of its own.")
          for noted, which in (
              (lambda train, val, first: (train, train),
               "the validation losses are computed on the training digits"),
              (lambda train, val, first: (train, val if first else train),
               "all validation losses but the first are computed on the training digits"),
              (lambda train, val, first: (val, val),
               "the training losses are computed on the validation digits"),
              (lambda train, val, first: (train if first else val, val),
               "all training losses but the first are computed on the validation digits"))),
        Mistake("trained-on-validation", loop(data=lambda X, y, X_val, y_val: (
            np.vstack([X, X_val]), np.concatenate([y, y_val]))), SAW_VALIDATION),
        Mistake("trained-on-validation", loop(data=lambda X, y, X_val, y_val: (X_val, y_val)),
                SAW_VALIDATION),
        Mistake("velocity-reset-every-epoch", loop(reset=True),
                "the velocity starts from zero in every epoch; it is made once."),
        Mistake("same-order-every-epoch", loop(generator=lambda rng: np.random.default_rng(0)),
                "each epoch gets a generator made anew, so that all see the same order. Hand the "
                "`rng` on."),
        Mistake("shuffled-apart", loop(run=wrong_epoch(rows_of_y=lambda rows: np.arange(
            len(rows)))),
                "digits and labels are shuffled apart: take the same rows of both."),
        Mistake("divided-by-all-samples", loop(run=wrong_epoch(
            factor=lambda rows, N, size: len(rows) / N)),
                "the gradient of a batch is divided by the number of all samples."),
        Mistake("momentum-missing", loop(run=wrong_epoch(keep=lambda rate, mu: 0)),
                "there is no momentum in the steps: hand `mu` on."),
        Mistake("rate-and-mu-swapped", loop(run=wrong_epoch(
            rate=lambda rate, mu: mu, keep=lambda rate, mu: rate)),
                "`learning_rate` and `mu` have changed places in a call."),
        Mistake("reg-missing", loop(run=wrong_epoch(reg_of=lambda reg: 0.0)),
                "`reg` does not reach `run_epoch`: it trains without a penalty. (Only the noted "
                "losses are without one.)"),
        Mistake("first-entry-missing", loop(log=lambda h, best: each(lambda v: v[1:], h)),
                "the history lacks its first entries: note both losses once before the first "
                "epoch."),
        Mistake("first-entry-missing", loop(
            choose=_skip_start, stop=_skip_start_stop,
            log=lambda h, best: each(lambda v: v[1:], h)),
                "the parameters that came in are left out, in the history and in the choice of "
                "the best: note both losses once before the first epoch."),
        Mistake("one-epoch-late", _noted_before,
                "the losses are noted before an epoch, and the parameters kept after it: they do "
                "not belong together, and the losses after the last epoch are missing."),
        Mistake("last-entry-missing", loop(log=lambda h, best: each(lambda v: v[:-1], h)),
                "the history lacks the last epoch: note the losses before you leave the loop."),
        Mistake("history-cut", loop(log=lambda h, best: each(lambda v: v[:best + 1], h)),
                "the history ends at the best epoch. Let it tell the whole story, the epochs of "
                "waiting too."),
        Mistake("losses-swapped", loop(log=lambda h, best: {
            "train_loss": h["val_loss"], "val_loss": h["train_loss"]}),
                "training and validation losses have changed places."),
        Mistake("epoch-missing", loop(rounds=lambda epochs: epochs - 1),
                "one epoch too few may run: `range(epochs)` is `epochs` rounds."),
        Mistake("epoch-too-many", loop(rounds=lambda epochs: epochs + 1),
                "one epoch too many may run: `range(epochs)` is `epochs` rounds."),
        Mistake("one-epoch-only", loop(rounds=lambda epochs: 1),
                "only one epoch runs. Is the `return` indented too far, inside the loop?"),
        Mistake("parameters-only", loop(hand_back=lambda params, history: params),
                "the parameters are right; return the history with them."),
        Mistake("order-of-results", loop(hand_back=lambda params, history: (history, params)),
                "parameters and history have changed places in the `return` line."),
    ),
    sizes=lambda *args: {},
    hint="after each epoch: note both losses; a new lowest validation loss → keep the parameters; "
         "`patience` epochs without one → stop.",
    unlocks="The training watches itself, and hands back its best moment.",
)


# 09-confusion

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


def counted(change=lambda C: C, y_of=lambda y: y, K_of=lambda y, y_pred, K: K):
    """Return a confusion matrix with one thing wrong."""
    def confusion_matrix(y, y_pred, K):
        own = K_of(y, y_pred, K)
        return change(_confusion(y_of(y), y_of(y_pred), own))
    return confusion_matrix


def _counted_once(y, y_pred, K):
    C = np.zeros((K, K), dtype=int)
    C[y, y_pred] += 1
    return C


def _safe(C, total):
    return C / np.maximum(total, 1)


NORMALISED = ("these are shares; return the counts. A share can be computed from counts, not the "
              "other way round.")

confusion = Exercise(
    id="09-confusion",
    name="confusion_matrix",
    truth=_confusion,
    cases=_confusion_cases,
    returns=("C",),
    data=DATA,
    integers=(),
    more=(
        Mistake("axes-swapped", counted(lambda C: C.T),
                "rows and columns are swapped: the true class is the row, the predicted one the "
                "column."),
        Mistake("counted-once", _counted_once,
                "each pair that occurs counts once, however often it occurs. `C[a, b] = 1` in a "
                "loop does that, and so does `C[y, y_pred] += 1`, for all at once. Add 1 for each "
                "digit."),
        Mistake("K-from-labels", counted(K_of=lambda y, p, K: len(np.unique(y))),
                "the table is only as large as the labels that occur ask for. A class that does "
                "not occur has its row too: make it K by K."),
        Mistake("K-from-labels", counted(K_of=lambda y, p, K: int(max(y.max(), p.max())) + 1),
                "the table is only as large as the labels that occur ask for. A class that does "
                "not occur has its row too: make it K by K."),
        Mistake("shares-of-rows", counted(lambda C: _safe(C, C.sum(axis=1, keepdims=True))),
                NORMALISED),
        Mistake("shares-of-columns", counted(lambda C: _safe(C, C.sum(axis=0))), NORMALISED),
        Mistake("shares-of-all", counted(lambda C: C / C.sum()), NORMALISED),
        Mistake("right-ones-only", counted(lambda C: np.diag(np.diag(C))),
                "only the diagonal is filled: the mistakes are what the table is for."),
        Mistake("mistakes-only", counted(lambda C: C - np.diag(np.diag(C))),
                "the diagonal is empty: right answers are counted too."),
        Mistake("floats", counted(lambda C: C.astype(float)),
                "the counts are right, but floats; make the table of integers (`dtype=int`)."),
        Mistake("accuracy", counted(lambda C: float(np.trace(C) / C.sum())),
                "this is the accuracy, one number; return the whole table."),
        Mistake("counted-from-one", counted(lambda C: np.roll(C, (-1, -1), (0, 1))),
                "all counts stand one place too far up and left: classes count from 0."),
        Mistake("true-classes-only", counted(lambda C: np.diag(C.sum(axis=1))),
                "this counts the true classes; the predictions play no part."),
        Mistake("predicted-classes-only", counted(lambda C: np.diag(C.sum(axis=0))),
                "this counts the predictions; the true classes play no part."),
        Mistake("flat", counted(lambda C: C.ravel()),
                "the counts come in one row; give them the shape (K, K)."),
    ),
    sizes=lambda y, y_pred, K: {"N": len(y), "K": K},
    hint="a K by K table of zeros; for each digit, 1 more in the row of its class and the column "
         "of its prediction.",
    unlocks="Not only how often it errs, but what it takes for what.",
)


# 09-repair

def _with_copies(X, y, rng):
    noisy = [X + rng.normal(size=X.shape) for _ in range(2)]
    return np.vstack([X, *noisy]), np.tile(y, 3)


def _repaired(X, y, n_val, n_test, rng):
    order = list(rng.permutation(len(X)))
    test, val, train = order[:n_test], order[n_test:n_test + n_val], order[n_test + n_val:]
    X_train, y_train = X[train], y[train]
    X_more = np.concatenate([X_train, X_train + rng.normal(size=X_train.shape),
                             X_train + rng.normal(size=X_train.shape)])
    return X_more, np.concatenate([y_train] * 3), X[val], y[val], X[test], y[test]


def _repair_cases():
    return [(*sample(seed, *sizes)[:2], n_val, n_test, np.random.default_rng(seed))
            for seed, sizes, n_val, n_test in ((1, (43, 4, 3, 5), 6, 4), (2, (59, 5, 3, 4), 7, 9),
                                               (3, (61, 3, 4, 6), 5, 8))]


def parts(before=False, train=True, val=False, test=False, pick=lambda parts: parts,
          copies=_with_copies, times=1):
    """Return the three parts of the data, with copies made at the places that are named."""
    def repaired_parts(X, y, n_val, n_test, rng):
        if before:
            X, y = copies(X, y, rng)
        rows = _split(len(X), times * n_val, times * n_test, rng)
        out = []
        for index, wanted in zip(rows, (train, val, test), strict=True):
            out += copies(X[index], y[index], rng) if wanted else (X[index], y[index])
        return pick(tuple(out))
    return repaired_parts


def _copies_of_each(X, y, rng):
    noisy = [X + rng.normal(size=X.shape) for _ in range(2)]
    return np.vstack([X, *noisy]), np.repeat(y, 3)


repair = Exercise(
    id="09-repair",
    name="repaired_parts",
    truth=_repaired,
    cases=_repair_cases,
    returns=("X_train", "y_train", "X_val", "y_val", "X_test", "y_test"),
    data=DATA,
    uses=(split,),
    integers=(),
    more=(
        *(Mistake("copies-before-split", parts(before=True, train=False, times=times),
                  "the copies are still made before the split: copies of one digit end up on both "
                  "sides.") for times in (1, 3)),
        Mistake("three-times-as-large", parts(times=3),
                "validation and test are three times as large as asked for. Before the copies "
                "are made, `n_val` and `n_test` count digits: the 3 has to go."),
        Mistake("copies-everywhere", parts(val=True, test=True),
                "the copies are made after the split, but of validation and test too. Those are "
                "there to be judged as they are."),
        Mistake("copies-everywhere", parts(val=True),
                "the copies are made after the split, but of the validation part too. It is there "
                "to be judged as it is."),
        Mistake("copies-everywhere", parts(test=True),
                "the copies are made after the split, but of the test part too. It is there to be "
                "judged as it is."),
        Mistake("copies-missing", parts(train=False),
                "there are no copies at all now: make them of the training part."),
        Mistake("copies-twice", parts(before=True),
                "copies are made before the split and after it; only those after it are honest."),
        Mistake("labels-apart", parts(copies=_copies_of_each),
                "the labels of the copies are in another order than the copies: 0 0 0 1 1 1 for "
                "rows 0 1 0 1 0 1."),
        Mistake("order-of-results", parts(
            pick=lambda p: (p[0], p[2], p[4], p[1], p[3], p[5])),
                "the right arrays in another order: X and y of training, then of validation, then "
                "of the test."),
        Mistake("validation-for-test", parts(pick=lambda p: (*p[:2], *p[4:], *p[2:4])),
                "validation and test have changed places. The order is training, validation, test, "
                "in what `split` returns and in what you return."),
        Mistake("sizes-swapped", lambda X, y, n_val, n_test, rng: parts()(
            X, y, n_test, n_val, rng),
                "`n_val` and `n_test` have changed places."),
        Mistake("order-of-results", parts(pick=lambda p: (*p[4:], *p[2:4], *p[:2])),
                "the right arrays in another order: training, validation, test."),
    ),
    sizes=lambda *args: {},
    hint="split the row numbers first; then make copies, of the training rows only.",
    unlocks="The score is lower now, and true.",
)


# 09-deep

def _deep_forward(X, params):
    A = [X]
    for i in range(1, layers_of(params) + 1):
        Z = dense(A[-1], params[f"W{i}"]) + params[f"b{i}"]
        A.append(np.where(Z > 0, Z, 0.0) if i < layers_of(params)
                 else np.exp(Z - logsumexp(Z, axis=1, keepdims=True)))
    return A


DEEP = ((1, 11, (4, 6, 5, 3)), (2, 13, (3, 7, 9, 8, 5)), (3, 9, (5, 4)), (4, 17, (6, 8, 7)))


def _deep_cases():
    X, y, params = deep_sample(5, 9, (2, 5, 4, 3))
    return [*(deep_sample(*sizes)[::2] for sizes in DEEP),
            (X, {**params, "W3": 1000 * params["W3"]})]


def wrong_deep_forward(g=lambda Z: np.maximum(Z, 0), last=soft, bias=True, number=layers_of,
                       keep=lambda A: A):
    """Return a forward pass of any depth with one part exchanged."""
    def deep_forward(X, params):
        A, L = [X], number(params)
        for i in range(1, L + 1):
            Z = A[-1] @ params[f"W{i}"] + (params[f"b{i}"] if bias else 0)
            A.append(last(Z) if i == L else g(Z))
        return keep(A)
    return deep_forward


deep_forward = Exercise(
    id="09-deep",
    name="deep_forward",
    truth=_deep_forward,
    cases=_deep_cases,
    returns=("A",),
    data=DATA,
    uses=(softmax,),
    integers=("X",),
    tolerance=1e-10,
    more=(
        Mistake("relu-at-output", wrong_deep_forward(last=lambda Z: soft(np.maximum(Z, 0))),
                "the last layer goes through a ReLU before the softmax: what lies below zero is "
                "lost."),
        Mistake("no-softmax", wrong_deep_forward(last=lambda Z: Z),
                "the last entry holds the logits; it should be the probabilities."),
        Mistake("no-softmax", wrong_deep_forward(last=lambda Z: np.maximum(Z, 0)),
                "the last layer ends in a ReLU; it should end in the softmax."),
        Mistake("softmax-everywhere", wrong_deep_forward(g=soft),
                "every layer ends in a softmax; the hidden ones end in a ReLU."),
        Mistake("no-activation", wrong_deep_forward(g=lambda Z: Z),
                "the hidden layers have no ReLU: without it any number of layers is only one."),
        Mistake("overflow", wrong_deep_forward(last=plain_soft),
                "exp of a large logit is infinite, and inf / inf is nan. Your `softmax` of lesson "
                "05 is safe."),
        Mistake("biases-missing", wrong_deep_forward(bias=False), "the biases are missing."),
        Mistake("inputs-missing", wrong_deep_forward(keep=lambda A: A[1:]),
                "the list begins with the first layer's activations; let `A[0]` be `X`, what went "
                "into the first layer."),
        Mistake("output-only", wrong_deep_forward(keep=lambda A: A[-1]),
                "only the probabilities come back; the way back needs what went into each layer."),
        Mistake("output-missing", wrong_deep_forward(keep=lambda A: A[:-1]),
                "the probabilities are missing at the end of the list."),
        Mistake("two-layers-only", wrong_deep_forward(number=lambda p: min(2, layers_of(p))),
                "it stops after two layers. How many there are follows from `params`."),
        Mistake("a-layer-missing", wrong_deep_forward(
            number=lambda p: max(1, layers_of(p) - 1)),
                "the last layer is left out: `range(1, L)` ends at L − 1."),
        Mistake("too-many-layers", wrong_deep_forward(number=lambda p: layers_of(p) + 1),
                "it looks for more layers than there are. `params` holds two arrays for each "
                "layer, and `range(1, L + 1)` ends at L."),
        Mistake("dict-returned", wrong_deep_forward(
            keep=lambda A: {f"A{i}": a for i, a in enumerate(A)}),
                "the arrays come in a dict; return a list, `A[0]` to `A[L]`."),
    ),
    sizes=lambda X, params: {},
    hint="start the list with `X`; each layer reads the last entry and appends its own.",
    unlocks="Any number of layers, one loop.",
)


def _deep_backprop_cases():
    regs = (0.3, 0.07, 0.0, 0.2)
    X, y, params = deep_sample(5, 9, (4, 7, 5, 3))
    X[:4] = 0
    params["b1"][[0, 3, 6]] = 0
    return [*((*deep_sample(*sizes), reg) for sizes, reg in zip(DEEP, regs, strict=True)),
            (X, y, params, 0.02)]


def wrong_deep_back(delta=lambda P, Y: (P - Y) / len(Y), slope=lambda A: A > 0,
                    penalty=lambda W, reg: reg * W, bias=_columns, first=1,
                    into=lambda A, i: A[i - 1], through=lambda params, i: params[f"W{i}"],
                    again=lambda d, N: d, bias_penalty=0.0, skip=()):
    """Return a backprop of any depth with one part exchanged."""
    def deep_backprop(X, y, params, reg):
        A, L = wrong_deep_forward()(X, params), layers_of(params)
        d = delta(A[-1], np.eye(A[-1].shape[1])[y.astype(int)])
        grads = {}
        for i in range(L, first - 1, -1):
            grads[f"W{i}"] = into(A, i).T @ d + penalty(params[f"W{i}"], reg)
            grads[f"b{i}"] = bias(d) + bias_penalty * reg * params[f"b{i}"]
            if i > 1:
                d = again((d @ through(params, i).T) * (1 if i - 1 in skip else slope(A[i - 1])),
                          len(X))
        return {name: grads[name] for name in params if name in grads}
    return deep_backprop


def _deep_back_counted(kind):
    """Return a backprop that looks for as many layers as there are arrays."""
    return lambda X, y, params, reg: params[f"{kind}{len(params)}"]


def _mask_of_the_layer_itself(lowest):
    """Return a backprop that hands errors down from layer `lowest` on, past the wrong mask."""
    def deep_backprop(X, y, params, reg):
        A = wrong_deep_forward()(X, params)
        d = (A[-1] - np.eye(A[-1].shape[1])[y.astype(int)]) / len(y)
        grads = {}
        for i in range(layers_of(params), 0, -1):
            grads[f"W{i}"], grads[f"b{i}"] = A[i - 1].T @ d + reg * params[f"W{i}"], _columns(d)
            if i >= lowest:
                d = (d @ params[f"W{i}"].T) * (A[i] > 0)
        return grads
    return deep_backprop


deep_backprop = Exercise(
    id="09-deep",
    name="deep_backprop",
    truth=gradients,
    cases=_deep_backprop_cases,
    returns=("grads",),
    data=DATA | {"reg"},
    uses=(softmax, deep_forward),
    integers=("X",),
    tolerance=1e-12,
    rounding=2e-9,
    more=(
        Mistake("activation-derivative-missing", wrong_deep_back(slope=lambda A: 1),
                "the error goes back as if there were no ReLU. Where a unit is off, nothing goes "
                "through. (A test for `>= 0` is always true of activations.)"),
        Mistake("slope-of-the-output", wrong_deep_back(slope=lambda A: A),
                "the error is multiplied by the activations; the slope of a ReLU is 1 or 0."),
        Mistake("slope-of-the-first-layer-only", wrong_deep_back(skip=range(2, 9)),
                "the ReLU's slope is taken in the first layer only; the other hidden layers have "
                "one too."),
        Mistake("slope-of-the-last-hidden-layer-only", lambda X, y, p, r: wrong_deep_back(
            skip=range(1, layers_of(p) - 1))(X, y, p, r),
                "the ReLU's slope is taken in the last hidden layer only; the others have one "
                "too."),
        Mistake("not-averaged", wrong_deep_back(delta=lambda P, Y: P - Y),
                "the 1/N of the mean is missing."),
        *_wrong_deltas(wrong_deep_back),
        Mistake("averaged-in-every-layer", wrong_deep_back(again=lambda d, N: d / N),
                "the error is divided by N in every layer. Once, at the output, is enough: it "
                "comes along."),
        Mistake("sign-flipped", wrong_deep_back(delta=lambda P, Y: (Y - P) / len(Y)),
                "the sign of the error is flipped: probabilities minus labels. (The penalty's "
                "part is right.)"),
        Mistake("penalty-missing", wrong_deep_back(penalty=lambda W, reg: 0), NO_PENALTY),
        Mistake("penalty-doubled", wrong_deep_back(penalty=lambda W, reg: 2 * reg * W),
                "the penalty's part is twice as large: its ½ cancels the 2 of the square."),
        Mistake("penalty-halved", wrong_deep_back(penalty=lambda W, reg: reg / 2 * W), HALVED),
        Mistake("penalty-subtracted", wrong_deep_back(penalty=lambda W, reg: -reg * W),
                SUBTRACTED),
        Mistake("biases-regularised", wrong_deep_back(bias_penalty=1.0),
                "the biases are regularised too; only the weights are in the penalty."),
        Mistake("bias-averaged", wrong_deep_back(bias=lambda d: d.mean(axis=0)),
                "the bias gradients are divided by N once more; add the errors up."),
        Mistake("bias-as-row", wrong_deep_back(bias=lambda d: d.sum(axis=0, keepdims=True)),
                "the bias gradients have two axes; the biases have one."),
        Mistake("output-of-the-layer-as-input", wrong_deep_back(into=lambda A, i: A[i]),
                "the gradient of layer i uses what came *out* of it, `A[i]`; it needs what went "
                "in, `A[i - 1]`."),
        Mistake("first-layer-missing", wrong_deep_back(first=2),
                "the loop ends before the first layer: `W1` and `b1` get no gradient."),
        *(Mistake("arrays-counted", _deep_back_counted(name),
                  "`len(params)` counts weights and biases; there are half as many layers.")
          for name in "Wb"),
        *(Mistake("mask-of-the-wrong-layer", _mask_of_the_layer_itself(lowest),
                  "the error goes back to layer l − 1, and is masked by the activations of layer "
                  "l: where `A[l - 1]` is 0, nothing goes through.") for lowest in (1, 2)),
        Mistake("next-layers-weights", wrong_deep_back(through=lambda p, i: p[f"W{i - 1}"]),
                "the error of layer i goes back through the weights of layer i itself, not of the "
                "one before."),
        Mistake("next-layers-weights", wrong_deep_back(
            through=lambda p, i: p[f"W{i - 1}"].T),
                "the error of layer i goes back through the weights of layer i itself, not of the "
                "one before."),
        Mistake("measured-not-derived", measured, MEASURED),
    ),
    sizes=lambda X, y, params, reg: {"N": len(X)},
    hint="from the last layer to the first: gradient of its weights, of its biases, then the "
         "error one layer back. `diagnose` names the first layer that is wrong.",
    unlocks="You have written backpropagation for any number of layers.",
)

deep = Group("09-deep", (deep_forward, deep_backprop),
             unlocks="This is what every deep network does, and you wrote it.")
