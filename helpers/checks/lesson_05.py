"""Lesson 05: softmax, cross-entropy, regularisation, initial weights."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, logsumexp
from scipy.special import softmax as scipy_softmax

from helpers.checks.exercise import Exercise, Mistake
from helpers.checks.lesson_01 import DATA as DATA_01
from helpers.checks.truth import complex_gradients, dense

DATA = DATA_01 | {"params", "grads", "start", "trained", "cache", "dZ1", "dZ2"}


def soft(Z, axis=1):
    """Return softmax along an axis, safe from overflow."""
    E = np.exp(Z - Z.max(axis=axis, keepdims=True))
    return E / E.sum(axis=axis, keepdims=True)


def picked(y, Y_hat):
    """Return each sample's probability of its own class, (N,)."""
    return Y_hat[np.arange(len(y)), y]


# 05-softmax

def _softmax_cases():
    rng = np.random.default_rng(1)
    square = np.random.default_rng(2).normal(size=(4, 4)) * 2
    far = np.array([[1000.0, -999.0, -1000.0], [-1001.0, -1000.0, -1000.5],
                    [500.0, 499.0, -500.0], [0.5, -1.0, 2.0], [-1.0, 2.0, 711.0]])
    small = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 1.5]])
    return [(small,), (rng.normal(size=(7, 3)) * 2 + 1,), (square,), (far,)]


def _ratios(shift, total):
    """Return exp(Z − shift) / total of it, for two functions of an array."""
    def wrong(Z):
        E = np.exp(Z - shift(Z))
        return E / total(E)
    return wrong


def _row_max(Z):
    return Z.max(axis=1, keepdims=True)


def _row_sum(E):
    return E.sum(axis=1, keepdims=True)


OVERFLOW = ("the formula is right, but exp(1000) is infinite, and inf / inf is nan. A softmax does "
            "not change when a number is taken from all logits of a row: take away the row's "
            "largest first.")
NO_KEEPDIMS = ("Without `keepdims=True` a maximum or a sum over each row has shape (N,), and a "
               "(N, K) array meets it column by column: an error, or, where N = K, wrong numbers "
               "without an error.")
GUARDED = ("a small number is added to the sum, so that no row adds up to exactly 1. With the "
           "maximum taken away, the largest exponential of a row is 1 already: the sum is never 0 "
           "and needs no guard.")
OVER_BATCH = ("this runs over the samples: each column adds up to 1. The classes of one sample "
              "share its probability, so it is each row that adds up to 1: `axis=1`. (Python's own "
              "`sum` runs over the rows, too.)")

softmax = Exercise(
    id="05-softmax",
    name="softmax",
    truth=lambda Z: scipy_softmax(Z, axis=1),
    cases=_softmax_cases,
    data=DATA,
    more=(
        Mistake("over-the-batch", lambda Z: soft(Z, axis=0), OVER_BATCH),
        Mistake("over-the-batch", lambda Z: np.exp(Z) / np.exp(Z).sum(axis=0), OVER_BATCH),
        Mistake("over-the-batch", _ratios(_row_max, lambda E: E.sum(axis=0)), OVER_BATCH),
        Mistake("over-the-batch", _ratios(lambda Z: Z.max(axis=1), lambda E: E.sum(axis=0)),
                OVER_BATCH),
        Mistake("over-everything", _ratios(np.max, np.sum),
                "the exponentials are divided by the sum of the whole array; each row is divided "
                "by its own sum."),
        Mistake("over-everything", _ratios(_row_max, np.sum),
                "the exponentials are divided by the sum of the whole array; each row is divided "
                "by its own sum."),
        Mistake("over-everything", _ratios(lambda Z: 0, np.sum),
                "the exponentials are divided by the sum of the whole array; each row is divided "
                "by its own sum."),
        Mistake("no-keepdims", _ratios(lambda Z: Z.max(axis=1), _row_sum),
                f"the maximum lost its second axis. {NO_KEEPDIMS}"),
        Mistake("no-keepdims", _ratios(_row_max, lambda E: E.sum(axis=1)),
                f"the sum lost its second axis. {NO_KEEPDIMS}"),
        Mistake("no-keepdims", _ratios(np.max, lambda E: E.sum(axis=1)),
                f"the sum lost its second axis. {NO_KEEPDIMS}"),
        Mistake("no-keepdims", _ratios(lambda Z: Z.max(axis=1), lambda E: E.sum(axis=1)),
                f"the maximum and the sum lost their second axis. {NO_KEEPDIMS}"),
        Mistake("no-keepdims", _ratios(lambda Z: 0, lambda E: E.sum(axis=1)),
                f"the sum lost its second axis. {NO_KEEPDIMS}"),
        Mistake("global-max", _ratios(np.max, _row_sum),
                "the largest logit of the whole array is taken away. A row that lies far below it "
                "becomes exp(−2000) = 0 in every place, and 0 / 0 is nan. Take each row's own "
                "maximum."),
        Mistake("global-max", _ratios(lambda Z: Z.max(axis=0), _row_sum),
                "the largest logit of each column is taken away, a different number for each class "
                "of a row; that changes the result. Take each row's own maximum."),
        Mistake("overflow", _ratios(lambda Z: 0, _row_sum), OVERFLOW),
        Mistake("overflow", _ratios(lambda Z: Z.mean(axis=1, keepdims=True), _row_sum),
                "the row's mean is taken away, and its largest logit can still be far above that: "
                "exp overflows. Take away the row's maximum."),
        Mistake("overflow", _ratios(lambda Z: Z.min(axis=1, keepdims=True), _row_sum),
                "the row's smallest logit is taken away, which makes the others larger: exp "
                "overflows. Take away the row's largest."),
        *(Mistake("guarded-sum", _ratios(_row_max, lambda E, eps=eps: _row_sum(E) + eps), GUARDED)
          for eps in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)),
        Mistake("argmax-for-max", _ratios(lambda Z: Z.argmax(axis=1)[:, np.newaxis], _row_sum),
                "`argmax` is the *place* of the row's largest logit, 0, 1 or 2 and so on; take "
                "away the largest logit itself, `max`."),
        Mistake("maximum-added", _ratios(lambda Z: -_row_max(Z), _row_sum),
                "the maximum is added, which makes every logit larger, and exp overflows. Take it "
                "away."),
        Mistake("overflow", lambda Z: np.exp(Z) / np.exp(_row_max(Z)) / _row_sum(
            np.exp(Z) / np.exp(_row_max(Z))),
                "it is divided by exp of the maximum, after exp(1000) has overflowed already. "
                "Take the maximum away first, inside the exponential."),
        Mistake("shifted-above-only", lambda Z: np.exp(Z - _row_max(Z)) / _row_sum(np.exp(Z)),
                "the maximum is taken away above the line and not below it: shift once, and use "
                "the same exponentials for both."),
        Mistake("shifted-outside", lambda Z: (np.exp(Z) - _row_max(Z)) / _row_sum(
            np.exp(Z) - _row_max(Z)),
                "the maximum is taken from the exponentials; it belongs inside, exp(z − max)."),
        Mistake("not-normalised", lambda Z: np.exp(Z - _row_max(Z)),
                "the rows do not add up to 1 yet: divide each row by its sum."),
        Mistake("not-normalised", lambda Z: np.exp(Z),
                "the rows do not add up to 1 yet: divide each row by its sum."),
        Mistake("exp-missing", lambda Z: Z / _row_sum(Z),
                "the logits themselves are divided by their sum; they may be negative. Take the "
                "exponential first."),
        Mistake("exp-missing", lambda Z: (Z - _row_max(Z)) / _row_sum(Z - _row_max(Z)),
                "the shifted logits themselves are divided by their sum. Take the exponential "
                "first."),
        Mistake("exp-missing", lambda Z: np.exp(Z) / _row_sum(Z),
                "above the line stand the exponentials, below it the sum of the logits: sum the "
                "exponentials."),
        Mistake("exp-missing", lambda Z: np.exp(Z - _row_max(Z)) / _row_sum(Z),
                "above the line stand the exponentials, below it the sum of the logits: sum the "
                "exponentials."),
        Mistake("divided-by-largest", lambda Z: np.exp(Z) / np.exp(Z).max(axis=1, keepdims=True),
                "each row is divided by its largest exponential; divide by the row's sum."),
        Mistake("mirrored", lambda Z: soft(-Z),
                "the largest logit gets the smallest probability: look at the sign in the "
                "exponent."),
        Mistake("sigmoid", lambda Z: expit(Z),
                "this is the sigmoid of each entry. In a softmax the classes of a row compete: "
                "together they make 1."),
        Mistake("log-softmax", lambda Z: Z - logsumexp(Z, axis=1, keepdims=True),
                "this is the logarithm of the softmax; return the probabilities themselves."),
        Mistake("winner-takes-all", lambda Z: (Z == _row_max(Z)).astype(float),
                "the largest logit gets 1 and the others 0. A softmax is softer: every class gets "
                "its share."),
        Mistake("normalised-by-length", lambda Z: np.exp(Z - _row_max(Z)) / np.linalg.norm(
            np.exp(Z - _row_max(Z)), axis=1, keepdims=True),
                "each row has length 1 (the root of the sum of squares); divide by the plain sum "
                "of the row."),
        Mistake("twice", lambda Z: soft(soft(Z)),
                "the softmax has been taken twice; once is enough."),
    ),
    sizes=lambda Z: {"N": len(Z), "K": Z.shape[1]},
    tolerance=1e-12,
    rounding=1e-13,  # a guard of 1e-12 is told from a result that is rounded
    hint="take each row's maximum away, then the exponential, then divide each row by its sum.",
    unlocks="Any number of classes now share one probability, whatever the logits.",
)


# 05-cross-entropy

FLOOR = 1e-300


def _cross_entropy(y, Y_hat):
    return float(sum(-math.log(max(float(row[int(k)]), FLOOR))
                     for k, row in zip(y, Y_hat, strict=True)) / len(y))


def labelled(seed, N, K, kind=int):
    """Return labels (N,), every class among them, in no order."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.append(np.arange(K), rng.integers(0, K, size=N - K))).astype(kind)


def _cross_entropy_cases():
    cases = [(labelled(s, N, K, kind), soft(np.random.default_rng(s).normal(size=(N, K)) * 2))
             for s, N, K, kind in ((1, 7, 3, int), (2, 11, 5, np.uint8), (3, 13, 2, int))]
    sure = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.25, 0.0, 0.75], [0.5, 0.5, 0.0]])
    return [*cases, (np.array([0, 1, 0, 1]), sure), (np.array([0, 2, 2, 1]), sure)]


def _from_log(name, combine, message):
    """Return two rows: the mistake, and the mistake without the floor.

    `combine` takes the labels and the logarithms of all probabilities.
    """
    return (Mistake(name, lambda y, Y_hat: combine(y, np.log(np.maximum(Y_hat, FLOOR))), message),
            Mistake(name, lambda y, Y_hat: combine(y, np.log(Y_hat)), message))


def _one_hot(y, K):
    return np.eye(K)[y]


FLOOR_TEXT = ("a probability of exactly 0 is to count as 1e-300, no more: with a larger floor, or "
              "with a constant added, a sure and wrong prediction looks much better than it is.")
BINARY = ("this is the formula for yes or no, with one column of `Y_hat`. With any number of "
          "classes, pick the probability of the true class in each row.")
INDICES = ("the labels stand where the row numbers belong. The first index is the row (the "
           "sample), the second the column (its class).")
LOG_OF_ZERO = ("a probability can be exactly 0, and its log is −∞ (times 0 even nan). Raise the "
               "probabilities to at least 1e-300 before the log.")

cross_entropy = Exercise(
    id="05-cross-entropy",
    name="cross_entropy",
    truth=_cross_entropy,
    cases=_cross_entropy_cases,
    data=DATA,
    integers=(),
    more=(
        Mistake("log-of-zero", lambda y, Y_hat: float(-np.mean(np.log(picked(y, Y_hat)))),
                LOG_OF_ZERO),
        Mistake("log-of-zero", lambda y, Y_hat: float(-np.sum(
            _one_hot(y, Y_hat.shape[1]) * np.log(Y_hat)) / len(y)),
                LOG_OF_ZERO),
        *(Mistake("floor-too-high", lambda y, Y_hat, floor=floor: float(-np.mean(np.log(
            np.maximum(picked(y, Y_hat), floor)))), FLOOR_TEXT)
          for floor in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, np.finfo(float).eps)),
        *(Mistake("floor-too-high", lambda y, Y_hat, floor=floor: float(-np.mean(np.log(
            np.clip(picked(y, Y_hat), floor, 1 - floor)))), FLOOR_TEXT)
          for floor in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12)),
        Mistake("max-for-maximum", lambda y, Y_hat: np.max(picked(y, Y_hat), FLOOR),
                "the second argument of `np.max` is an axis. The larger of two numbers, entry by "
                "entry, is `np.maximum`."),
        *(Mistake("floor-too-high", lambda y, Y_hat, floor=floor: float(-np.mean(np.log(
            picked(y, Y_hat) + floor))), FLOOR_TEXT)
          for floor in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, np.finfo(float).eps)),
        *_from_log("every-label-of-every-row", lambda y, L: float(-L[:, y].mean()),
                "`[:, y]` takes the columns `y` of *every* row, an (N, N) array. One entry for "
                "each row needs row numbers beside the column numbers: `[np.arange(N), y]`."),
        *_from_log("every-label-of-every-row", lambda y, L: float(-L[:, y].sum() / len(y)),
                "`[:, y]` takes the columns `y` of *every* row, an (N, N) array. One entry for "
                "each row needs row numbers beside the column numbers: `[np.arange(N), y]`."),
        *_from_log("rows-for-classes", lambda y, L: float(-L[y].mean()),
                "`[y]` takes whole rows, as if the labels were sample numbers. What is needed "
                "is column `y[n]` of row n."),
        *_from_log("rows-for-classes", lambda y, L: float(-L[y].sum() / len(y)),
                "`[y]` takes whole rows, as if the labels were sample numbers. What is needed "
                "is column `y[n]` of row n."),
        *_from_log("one-hot-meant", lambda y, L: -np.mean(y * L),
                "`y * ...` would fit a table of zeros and ones, (N, K). Here `y` holds class "
                "numbers, (N,): use them to pick one entry of each row."),
        Mistake("one-hot-meant", lambda y, Y_hat: -np.mean(
            y * np.log(Y_hat) + (1 - y) * np.log(1 - Y_hat)),
                "`y * ...` would fit a table of zeros and ones, (N, K). Here `y` holds class "
                "numbers, (N,): use them to pick one entry of each row."),
        *_from_log("one-hot-meant", lambda y, L: float(-np.sum(y.reshape(-1, 1) * L) / len(y)),
                "the logarithms are multiplied by the class numbers. Those are names, not "
                "weights: use them to pick one entry of each row."),
        *_from_log("one-hot-meant", lambda y, L: float(-np.mean(y.reshape(-1, 1) * L)),
                "the logarithms are multiplied by the class numbers. Those are names, not "
                "weights: use them to pick one entry of each row."),
        *_from_log("mean-over-classes-too",
                   lambda y, L: float(-np.mean(_one_hot(y, L.shape[1]) * L)),
                "it is divided by N·K, as `np.mean` of an (N, K) array does. The mean runs over "
                "the N samples."),
        *_from_log("all-classes", lambda y, L: float(-L.mean()),
                "the labels play no part: this is the mean over all classes. Only the "
                "probability of the true class counts."),
        *_from_log("all-classes", lambda y, L: float(-L.sum() / len(y)),
                "the labels play no part: this adds up all classes. Only the probability of the "
                "true class counts."),
        *_from_log("sum-for-mean", lambda y, L: float(-picked(y, L).sum()),
                "this is the sum over the samples; the loss is their mean."),
        *_from_log("minus-missing", lambda y, L: float(picked(y, L).mean()),
                "the minus is missing: logarithms of probabilities are negative, and a loss is "
                "not."),
        *_from_log("not-averaged", lambda y, L: -picked(y, L),
                "there is one loss for each sample; return their mean, one number."),
        Mistake("log-missing", lambda y, Y_hat: float(1 - picked(y, Y_hat).mean()),
                "this is the mean of 1 − p, without a logarithm."),
        Mistake("log-missing", lambda y, Y_hat: float(-picked(y, Y_hat).mean()),
                "the right entries are picked, but their logarithm is missing."),
        Mistake("log-of-mean", lambda y, Y_hat: float(-np.log(picked(y, Y_hat).mean())),
                "the logarithm of the mean is taken; it is the mean of the logarithms."),
        *_from_log("other-base", lambda y, L: float(-picked(y, L).mean() / np.log(2)),
                "this is the logarithm to base 2; `np.log` is the natural one."),
        *_from_log("other-base", lambda y, L: float(-picked(y, L).mean() / np.log(10)),
                "this is the logarithm to base 10; `np.log` is the natural one."),
        Mistake("likeliest-for-true",
                lambda y, Y_hat: float(-np.mean(np.log(Y_hat.max(axis=1)))),
                "the largest probability of each row is taken, whatever the label says. Take "
                "that of the true class."),
        *_from_log("wrong-class", lambda y, L: float(-picked(y - 1, L).mean()),
                "the class before the true one is taken: labels count from 0, and so do "
                "columns."),
        Mistake("error-rate", lambda y, Y_hat: float(np.mean(Y_hat.argmax(axis=1) != y)),
                "this is the share of wrong predictions. The loss looks at the probability of "
                "the true class."),
        *_from_log("one-sample-only", lambda y, L: float(-L[-1, y[-1]]),
                "this is the loss of the last sample alone: add up, do not overwrite."),
        *_from_log("one-sample-only", lambda y, L: float(-L[0, y[0]]),
                "this is the loss of the first sample alone. Is the `return` indented too far, "
                "inside the loop?"),
        *_from_log("one-sample-only", lambda y, L: float(-L[-1, y[-1]] / len(y)),
                "this is the share of the last sample alone: add up, do not overwrite."),
        *_from_log("one-sample-only", lambda y, L: float(-L[0, y[0]] / len(y)),
                "this is the share of the first sample alone. Is the `return` indented too far, "
                "inside the loop?"),
        *_from_log("sample-left-out", lambda y, L: float(-picked(y, L)[:-1].sum() / len(y)),
                "the last sample is left out: `range(N)` ends before N by itself."),
        *_from_log("sample-left-out", lambda y, L: float(-picked(y, L)[1:].sum() / len(y)),
                "the first sample is left out: samples count from 0."),
        Mistake("binary-formula", lambda y, Y_hat: float(-np.mean(
            y * np.log(Y_hat[:, 1]) + (1 - y) * np.log(1 - Y_hat[:, 1]))), BINARY),
        Mistake("binary-formula", lambda y, Y_hat: float(-np.mean(
            y * np.log(np.maximum(Y_hat[:, 1], FLOOR))
            + (1 - y) * np.log(np.maximum(1 - Y_hat[:, 1], FLOOR)))), BINARY),
        Mistake("floor-after-log", lambda y, Y_hat: float(-np.mean(np.maximum(
            np.log(picked(y, Y_hat)), FLOOR))),
                "the floor is applied to the logarithm, which is never positive. It belongs "
                "inside: raise the probability first, then take its log."),
        Mistake("minimum-for-maximum", lambda y, Y_hat: float(-np.mean(np.log(np.minimum(
            picked(y, Y_hat), FLOOR)))),
                "`np.minimum` takes the smaller of the two, so that every probability becomes "
                "1e-300. A floor is a maximum."),
        Mistake("indices-swapped", lambda y, Y_hat: Y_hat[y, np.arange(len(y))], INDICES),
        Mistake("squared-error", lambda y, Y_hat: float(np.mean(np.sum(
            (_one_hot(y, Y_hat.shape[1]) - Y_hat) ** 2, axis=1))),
                "this is the squared error against zeros and ones; the cross-entropy is −log of "
                "the true class's probability."),
        Mistake("softmax-inside", lambda y, Y_hat: float(-np.mean(np.log(picked(y, soft(Y_hat))))),
                "`Y_hat` has been through the softmax already; here it goes through once more."),
    ),
    sizes=lambda y, Y_hat: {"N": len(y), "K": Y_hat.shape[1]},
    tolerance=1e-12,
    hint="pick the probability of the true class in each row, keep it above 1e-300, take the log, "
         "then minus the mean.",
    unlocks="One number says how surprised the network is by the true classes.",
)


# The network, and the loss in a form that complex steps can go through

SHARP = "Here it is to be computed by the chain rule, which needs no eps and is exact."
MEASURED = f"right to some digits only, as a measured derivative is. {SHARP}"


def moons_network(X, params, hidden=np.tanh):
    """Return Z1, A1 (N, H), Z2 (N, K)."""
    Z1 = dense(X, params["W1"]) + params["b1"]
    A1 = hidden(Z1)
    return Z1, A1, dense(A1, params["W2"]) + params["b2"]


def _mean_loss(y, Z2):
    """Return the mean cross-entropy from logits, analytic in Z2."""
    top = Z2.real.max(axis=1)
    total = 0
    for z, m, k in zip(Z2, top, y, strict=True):
        total = total + np.log(np.sum(np.exp(z - m))) + m - z[int(k)]
    return total / len(y)


def _objective(X, y, params, reg):
    penalty = sum((w * w).sum() for w in (params["W1"], params["W2"]))
    return _mean_loss(y, moons_network(X, params)[2]) + reg / 2 * penalty


def network_case(seed, N, D, H, K, reg, kind=int, classes=None):
    """Return X (N, D), y (N,), params, reg: all sizes different, no parameter zero.

    Only the first `classes` classes (by default all) occur among the labels.
    """
    rng = np.random.default_rng(seed)
    params = {"W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H),
              "W2": rng.normal(size=(H, K)), "b2": rng.normal(size=K)}
    return rng.normal(size=(N, D)), labelled(seed, N, classes or K, kind), params, reg


def _network_cases():
    return [network_case(1, 11, 4, 7, 3, 0.3), network_case(2, 13, 3, 8, 2, 0.07, np.uint8),
            network_case(3, 9, 2, 5, 4, 0.7, classes=3)]


def _sizes(X, y, params, *rest):
    return {"N": len(X), "K": len(params["b2"])}


# 05-softmax-delta

def _output_delta(y, Y_hat):
    return np.array([[(p - (k == c)) / len(y) for k, p in enumerate(row)]
                     for c, row in zip(y, Y_hat.tolist(), strict=True)])


def _delta_cases():
    cases = [(y, soft(moons_network(X, params)[2])) for X, y, params, _ in _network_cases()]
    sure = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.25, 0.0, 0.75], [0.5, 0.5, 0.0],
                     [0.0, 0.125, 0.875]])
    return [*cases, (np.array([0, 2, 1, 1, 2]), sure)]


def wrong_delta(error=lambda Y, Y_hat: Y_hat - Y, finish=lambda d, N: d / N):
    """Return an output delta with one part exchanged; Y are the labels as zeros and ones."""
    return lambda y, Y_hat: finish(error(_one_hot(y, Y_hat.shape[1]), Y_hat), len(y))


def _every_row(y, Y_hat, finish=lambda d, N: d / N):
    d = Y_hat.copy()
    d[:, y] -= 1
    return finish(d, len(y))


def _rows_for_classes(y, Y_hat, finish=lambda d, N: d / N):
    d = Y_hat.copy()
    d[y] -= 1
    return finish(d, len(y))


def _at_labels(change, finish=lambda d, N: d / N):
    """Return an output delta that changes a copy of Y_hat in place, as `change` does."""
    def delta(y, Y_hat):
        d = Y_hat.copy()
        change(d, y)
        return finish(d, len(y))
    return delta


def _take_one(d, rows, columns):
    d[rows, columns] -= 1


def _first_row_of_zeros(d, y):
    d[1:] = 0
    d[0, y[0]] -= 1


def _by_jacobian(y, Y_hat, jacobian=lambda p: np.diag(p) - np.outer(p, p)):
    d = np.zeros(Y_hat.shape)
    for n, p in enumerate(Y_hat):
        by_probability = np.zeros(len(p))
        by_probability[y[n]] = -1 / p[y[n]]
        d[n] = by_probability @ jacobian(p)
    return d / len(y)


EITHER = (lambda d, N: d / N, lambda d, N: d)
EVERY_ROW = ("1 is taken from every class of every row. For example, `d[:, y] -= 1` does that: it "
             "takes the columns `y` of *all* rows. One entry for each row needs row numbers beside "
             "the column numbers, `[np.arange(N), y]`.")
LABEL_NUMBERS = ("the class numbers themselves are subtracted. They are names, not amounts: it is "
                 "1 that is taken from the true class's probability.")

softmax_delta = Exercise(
    id="05-softmax-delta",
    name="output_delta",
    truth=_output_delta,
    cases=_delta_cases,
    returns=("dZ2",),
    data=DATA,
    integers=(),
    tolerance=1e-12,
    more=(
        Mistake("sign-flipped", wrong_delta(lambda Y, Y_hat: Y - Y_hat),
                "every entry has the wrong sign (so has the formula that the source prints). The "
                "loss falls when the true class's logit grows: there the derivative is negative."),
        Mistake("N-missing", wrong_delta(finish=lambda d, N: d),
                "this is the derivative of the *sum* over the samples, N times too large. The loss "
                "is their mean."),
        Mistake("N-missing-and-sign", wrong_delta(lambda Y, Y_hat: Y - Y_hat, lambda d, N: d),
                "the sign is flipped, and the 1/N of the mean is missing: this is the formula as "
                "the source prints it."),
        Mistake("measured-not-derived", wrong_delta(finish=lambda d, N: d / N * (1 + 3e-10)),
                MEASURED),
        Mistake("divided-by-N-twice", wrong_delta(finish=lambda d, N: d / N / N),
                "it is divided by N twice; the mean asks for it once."),
        Mistake("divided-by-classes-too", lambda y, Y_hat: (
            Y_hat - _one_hot(y, Y_hat.shape[1])) / Y_hat.size,
                "it is divided by N·K, the number of entries; the mean runs over the N samples."),
        Mistake("divided-by-classes", lambda y, Y_hat: (
            Y_hat - _one_hot(y, Y_hat.shape[1])) / Y_hat.shape[1],
                "it is divided by K, the number of classes; the mean runs over the N samples "
                "(`len(y)`)."),
        Mistake("every-label-of-every-row", _every_row, EVERY_ROW),
        Mistake("every-label-of-every-row", wrong_delta(lambda Y, Y_hat: Y_hat - 1), EVERY_ROW),
        Mistake("every-label-of-every-row",
                lambda y, Y_hat: _every_row(y, Y_hat, lambda d, N: d), EVERY_ROW),
        Mistake("rows-for-classes", _rows_for_classes,
                "`[y]` takes whole rows, as if the labels were sample numbers. What is needed is "
                "column `y[n]` of row n."),
        Mistake("rows-for-classes",
                lambda y, Y_hat: _rows_for_classes(y, Y_hat, lambda d, N: d),
                "`[y]` takes whole rows, as if the labels were sample numbers. What is needed is "
                "column `y[n]` of row n."),
        Mistake("N-in-one-place", wrong_delta(
            lambda Y, Y_hat: Y_hat - Y / len(Y), lambda d, N: d),
                "the 1 is divided by N and the probabilities are not; divide the whole result."),
        Mistake("N-in-one-place", wrong_delta(
            lambda Y, Y_hat: Y_hat / len(Y) - Y, lambda d, N: d),
                "the probabilities are divided by N and the 1 is not; divide the whole result."),
        Mistake("one-hot-meant", lambda y, Y_hat: Y_hat - y,
                "`y` is (N,) and holds class numbers, `Y_hat` is (N, K): they cannot be "
                "subtracted. Take 1 from one entry of each row."),
        Mistake("labels-as-numbers", lambda y, Y_hat: (Y_hat - y.reshape(-1, 1)) / len(y),
                LABEL_NUMBERS),
        Mistake("labels-as-numbers", lambda y, Y_hat: Y_hat - y.reshape(-1, 1), LABEL_NUMBERS),
        Mistake("labels-missing", wrong_delta(lambda Y, Y_hat: Y_hat),
                "the labels play no part: the probabilities themselves come back. Is there a `-= "
                "1` that went to another array?"),
        Mistake("labels-missing", wrong_delta(lambda Y, Y_hat: Y_hat, lambda d, N: d),
                "the labels play no part: the probabilities themselves come back. Is there a `-= "
                "1` that went to another array?"),
        Mistake("true-class-only", wrong_delta(lambda Y, Y_hat: Y * (Y_hat - 1)),
                "only the true class has an entry. The loss looks at its probability alone, but "
                "every logit of the row changes that probability."),
        Mistake("true-class-only", lambda y, Y_hat: (picked(y, Y_hat) - 1) / len(y),
                "only the true class's entry of each row comes back, (N,). Every logit of the row "
                "changes that probability: the result is (N, K)."),
        Mistake("derivative-by-probability", wrong_delta(
            lambda Y, Y_hat: -Y / np.where(Y > 0, Y_hat, 1)),
                "this is the derivative by the probabilities, −1/p at the true class. It still has "
                "to go back through the softmax, to the logits."),
        Mistake("derivative-by-probability", wrong_delta(lambda Y, Y_hat: -Y / Y_hat),
                "this is the derivative by the probabilities, −1/p at the true class. It still has "
                "to go back through the softmax, to the logits."),
        Mistake("divided-by-zero", _by_jacobian,
                "right until the true class's probability is 0: −1/p and the p of the Jacobian "
                "cancel on paper, but 1/0 times 0 is nan. Cancel them before you write the code."),
        Mistake("diagonal-only", lambda y, Y_hat: _by_jacobian(y, Y_hat, lambda p: np.diag(
            p * (1 - p))),
                "only the diagonal of the Jacobian is used, p(1 − p), as for a sigmoid. In a "
                "softmax every logit changes every probability."),
        Mistake("diagonal-only", wrong_delta(lambda Y, Y_hat: -Y * (1 - Y_hat), lambda d, N: d),
                "only the true class has an entry. The loss looks at its probability alone, but "
                "every logit of the row changes that probability."),
        Mistake("softmax-derivative-extra",
                wrong_delta(lambda Y, Y_hat: (Y_hat - Y) * Y_hat * (1 - Y_hat)),
                "there is a factor p(1 − p) too many: what the softmax contributes has cancelled "
                "against the 1/p of the loss already."),
        Mistake("factor-2", wrong_delta(lambda Y, Y_hat: 2 * (Y_hat - Y)),
                "it is twice too large; there is no square in this loss."),
        Mistake("softmax-twice", wrong_delta(lambda Y, Y_hat: soft(Y_hat) - Y),
                "`Y_hat` has been through the softmax already; here it goes through once more."),
        Mistake("loss-for-delta", wrong_delta(
            lambda Y, Y_hat: -Y * np.log(np.maximum(Y_hat, FLOOR))),
                "this is each sample's share of the loss itself; wanted is its derivative by the "
                "logits."),
        *(Mistake("one-added", wrong_delta(lambda Y, Y_hat: Y_hat + Y, finish),
                  "1 is added to the true class's probability; it is taken away.")
          for finish in EITHER),
        *(Mistake("one-put-in-place", wrong_delta(lambda Y, Y_hat: Y_hat * (1 - Y) - Y, finish),
                  "the true class's entry has been replaced by −1. Take 1 away from what stands "
                  "there, `-=`.") for finish in EITHER),
        *(Mistake("one-put-in-place", wrong_delta(lambda Y, Y_hat: Y_hat * (1 - Y) + Y, finish),
                  "the true class's entry has been replaced by 1. Take 1 away from what stands "
                  "there, `-=`.") for finish in EITHER),
        *(Mistake("wrong-class", _at_labels(
            lambda d, y: _take_one(d, np.arange(len(y)), y - 1), finish),
                  "1 is taken from the class before the true one: labels count from 0, and so do "
                  "columns.") for finish in EITHER),
        *(Mistake("one-sample-only", _at_labels(change, finish),
                  "only the first row is right. Is the `return` indented too far, inside the "
                  "loop?") for finish in EITHER for change in (
            lambda d, y: _take_one(d, 0, y[0]), _first_row_of_zeros)),
        Mistake("indices-swapped", _at_labels(
            lambda d, y: _take_one(d, y, np.arange(len(y)))), INDICES),
        *(Mistake("too-few-classes", lambda y, Y_hat, finish=finish: finish(
            Y_hat - np.eye(y.max() + 1)[y], len(y)),
                  "the table of zeros and ones has as many columns as the labels ask for. The last "
                  "classes may have no sample here: K is the number of columns of `Y_hat`.")
          for finish in EITHER),
        Mistake("summed-over-samples", wrong_delta(
            finish=lambda d, N: d.sum(axis=0) / N),
                "the samples have been added up. Each keeps its own row of `dZ2`; the sum comes "
                "with the gradients."),
    ),
    sizes=lambda y, Y_hat: {"N": len(y), "K": Y_hat.shape[1]},
    hint="copy `Y_hat`, take 1 from the true class of each row, divide by the number of samples.",
    unlocks="So short, because the softmax and the logarithm are made for each other.",
)


# 05-loss

def _loss(X, y, params, reg):
    return float(_objective(X, y, params, reg))


def wrong_loss(penalty=lambda p, reg: reg / 2 * sum(np.sum(p[k] ** 2) for k in ("W1", "W2")),
               data=lambda y, P: -np.mean(np.log(picked(y, P))), hidden=np.tanh,
               change=lambda p: p, finish=lambda data, penalty, N: data + penalty):
    """Return a loss with one part exchanged."""
    def loss(X, y, params, reg):
        P = soft(moons_network(X, change(params), hidden)[2])
        return float(finish(data(y, P), penalty(params, reg), len(y)))
    return loss


def _squares(*names):
    return lambda p, reg: reg / 2 * sum(np.sum(p[k] ** 2) for k in names)


def _without(*names):
    return lambda p: {k: np.zeros_like(v) if k in names else v for k, v in p.items()}


loss = Exercise(
    id="05-loss",
    name="loss",
    truth=_loss,
    cases=_network_cases,
    data=DATA,
    uses=(softmax, cross_entropy),
    integers=("X",),
    tolerance=1e-11,
    more=(
        Mistake("penalty-missing", wrong_loss(_squares()),
                "the penalty on the weights is missing (as it is in the formula that the source "
                "prints)."),
        Mistake("penalty-doubled", wrong_loss(lambda p, reg: 2 * _squares("W1", "W2")(p, reg)),
                "the penalty is twice too large: the ½ in front of it is missing."),
        Mistake("penalty-halved", wrong_loss(lambda p, reg: _squares("W1", "W2")(p, reg) / 2),
                "the penalty is half of what it should be: there is a ½ too many."),
        Mistake("penalty-divided-by-N", wrong_loss(
            finish=lambda data, penalty, N: data + penalty / N),
                "the penalty is divided by N. The mean runs over the samples; the weights have "
                "none. (In the source it is, which makes its λ another number: see the "
                "conversion.)"),
        Mistake("penalty-doubled-and-divided-by-N", wrong_loss(
            finish=lambda data, penalty, N: data + 2 * penalty / N),
                "the penalty is divided by N, which it should not be, and its ½ is missing."),
        Mistake("penalty-times-N", wrong_loss(
            finish=lambda data, penalty, N: data + penalty * N),
                "the penalty is counted once for every sample; it is added once."),
        Mistake("biases-penalised", wrong_loss(_squares("W1", "b1", "W2", "b2")),
                "the biases are penalised too; the sum of squares runs over the weights, `W1` and "
                "`W2`."),
        Mistake("one-layer-only", wrong_loss(_squares("W1")),
                "only `W1` is penalised; `W2` belongs to the sum too."),
        Mistake("one-layer-only", wrong_loss(_squares("W2")),
                "only `W2` is penalised; `W1` belongs to the sum too."),
        Mistake("squares-missing", wrong_loss(
            lambda p, reg: reg / 2 * (p["W1"].sum() + p["W2"].sum())),
                "the weights are added up without being squared, so that plus and minus cancel."),
        Mistake("absolute-for-square", wrong_loss(
            lambda p, reg: reg / 2 * (np.abs(p["W1"]).sum() + np.abs(p["W2"]).sum())),
                "absolute values are added up (an L1 penalty); here it is squares, L2."),
        Mistake("squared-after-sum", wrong_loss(
            lambda p, reg: reg / 2 * (p["W1"].sum() ** 2 + p["W2"].sum() ** 2)),
                "the sums have been squared; square each weight first, then add up."),
        Mistake("root-taken", wrong_loss(lambda p, reg: reg / 2 * (
            np.linalg.norm(p["W1"]) + np.linalg.norm(p["W2"]))),
                "`np.linalg.norm` takes a square root; the penalty is the sum of the squares."),
        Mistake("mean-of-squares", wrong_loss(lambda p, reg: reg / 2 * (
            np.mean(p["W1"] ** 2) + np.mean(p["W2"] ** 2))),
                "the penalty is a mean of squares; it is their sum."),
        Mistake("penalty-without-reg", wrong_loss(lambda p, reg: _squares("W1", "W2")(p, 1)),
                "`reg` plays no part; the sum of squares is multiplied by reg/2."),
        Mistake("penalty-subtracted", wrong_loss(
            finish=lambda data, penalty, N: data - penalty),
                "the penalty is subtracted, a reward for large weights; add it."),
        Mistake("parentheses-missing", wrong_loss(lambda p, reg: (
            reg / 2 * np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))),
                "only the squares of `W1` are multiplied by reg/2: put both sums in "
                "parentheses."),
        Mistake("shapes-added", lambda X, y, params, reg: params["W1"] ** 2 + params["W2"] ** 2,
                "`W1` and `W2` have different shapes and cannot be added. Sum the squares of each "
                "first, then add the two numbers."),
        Mistake("rows-summed", lambda X, y, params, reg: (
            sum(params["W1"] ** 2) + sum(params["W2"] ** 2)),
                "the squares are added up down the columns, one number for each is left, and two "
                "such rows do not fit. `np.sum` without an axis adds up all entries (with "
                "`axis=0`, or as Python's own `sum`, it does not)."),
        Mistake("logits-for-probabilities", lambda X, y, params, reg: float(
            -np.mean(np.log(np.maximum(picked(y, moons_network(X, params)[2]), FLOOR)))
            + _squares("W1", "W2")(params, reg)),
                "the cross-entropy was given the logits, `Z2`; it takes the probabilities, "
                "`Y_hat`."),
        Mistake("data-part-missing", wrong_loss(finish=lambda data, penalty, N: penalty),
                "this is the penalty alone; the cross-entropy belongs to it."),
        Mistake("sum-for-mean", wrong_loss(
            finish=lambda data, penalty, N: N * data + penalty),
                "the cross-entropy is a sum over the samples here; it is their mean."),
        Mistake("sum-for-mean", wrong_loss(
            finish=lambda data, penalty, N: N * (data + penalty)),
                "all of it is N times too large: the cross-entropy is a mean, the penalty is added "
                "once."),
        Mistake("activation-missing", wrong_loss(hidden=lambda Z: Z),
                "the hidden units have no activation here; it is tanh. Does it use `forward`?"),
        Mistake("other-activation", wrong_loss(hidden=expit),
                "the hidden units go through the sigmoid here; it is tanh. Does it use "
                "`forward`?"),
        Mistake("biases-left-out", wrong_loss(change=_without("b1", "b2")),
                "the biases are missing from the forward pass. Does it use `forward`?"),
        Mistake("biases-left-out", wrong_loss(change=_without("b1")),
                "`b1` is missing from the forward pass. Does it use `forward`?"),
        Mistake("biases-left-out", wrong_loss(change=_without("b2")),
                "`b2` is missing from the forward pass. Does it use `forward`?"),
        Mistake("softmax-twice", wrong_loss(data=lambda y, P: -np.mean(np.log(
            picked(y, soft(P))))),
                "the probabilities go through the softmax a second time; `Y_hat` has been "
                "through it."),
        Mistake("minus-missing", wrong_loss(data=lambda y, P: np.mean(np.log(picked(y, P)))),
                "the minus of the cross-entropy is missing."),
        Mistake("mean-over-classes-too", wrong_loss(
            data=lambda y, P: -np.log(picked(y, P)).sum() / P.size),
                "the cross-entropy is divided by N·K; the mean runs over the N samples."),
        Mistake("whole-cache-used", lambda X, y, params, reg: {}[np.arange(len(y)), y],
                "`forward` returns a dict; the loss takes its entry `\"Y_hat\"`."),
    ),
    sizes=_sizes,
    hint="forward, cross-entropy of `Y_hat`, plus reg/2 times the sum of all squared weights.",
    unlocks="The network now pays for every large weight.",
)


# 05-backprop

def _backprop(X, y, params, reg):
    return complex_gradients(lambda p: _objective(X, y, p, reg), params)


def slope(A1):
    """Return the derivative of tanh from its value."""
    return 1 - A1 ** 2


def wrong_backprop(residual=lambda Y, P: P - Y, scale=lambda N: 1 / N, back=lambda W2: W2.T,
                   through=lambda Z1, A1: slope(A1), into_output=lambda Z1, A1: A1,
                   biases=lambda d: d.sum(axis=0), decay=lambda k, W, reg: reg * W,
                   decayed=("W1", "W2"), finish=lambda grads, N: grads):
    """Return a backpropagation with one part exchanged."""
    def backprop(X, y, params, reg):
        Z1, A1, Z2 = moons_network(X, params)
        dZ2 = residual(_one_hot(y, Z2.shape[1]), soft(Z2)) * scale(len(X))
        dZ1 = dZ2 @ back(params["W2"]) * through(Z1, A1)
        grads = {"W1": X.T @ dZ1, "b1": biases(dZ1),
                 "W2": into_output(Z1, A1).T @ dZ2, "b2": biases(dZ2)}
        for k in decayed:
            grads[k] = grads[k] + decay(k, params[k], reg)
        return finish(grads, len(X))
    return backprop


def _scaled(**factors):
    """Return a finish that multiplies some gradients by a power of N or by a number."""
    def finish(grads, N):
        return {k: g * factors[k](N) if k in factors else g for k, g in grads.items()}
    return wrong_backprop(finish=finish)


def _averaged_again(*names):
    """Return a backpropagation that divides by N once more, before the penalty is added."""
    def backprop(X, y, params, reg):
        grads = wrong_backprop(decayed=())(X, y, params, reg)
        return {k: (g / len(X) if k in names else g) + (reg * params[k] if k[0] == "W" else 0)
                for k, g in grads.items()}
    return backprop


def _all_times(factor):
    return wrong_backprop(finish=lambda grads, N: {k: g * factor(N) for k, g in grads.items()})


def _one_sample(X, y, params, reg):
    return wrong_backprop()(X[-1:], y[-1:], params, reg)


def _one_share(X, y, params, reg):
    return wrong_backprop(scale=lambda n: 1 / len(X))(X[-1:], y[-1:], params, reg)


def _gradient_for_weight(X, y, params, reg):
    right = wrong_backprop()(X, y, params, reg)
    along = wrong_backprop(back=lambda W2: right["W2"].T)(X, y, params, reg)
    return {**right, "W1": along["W1"], "b1": along["b1"]}


def _updated_first(rate):
    def backprop(X, y, params, reg):
        right = wrong_backprop()(X, y, params, reg)
        moved = wrong_backprop(back=lambda W2: (W2 - rate * right["W2"]).T)(X, y, params, reg)
        return {**right, "W1": moved["W1"], "b1": moved["b1"]}
    return backprop


NO_DECAY = ("the penalty's part is missing from the gradients of the weights: the loss has it, so "
            "its gradient has reg · W.")
def wrong_hidden(dZ1):
    """Return a backpropagation with another dZ1, a function of dZ2 @ W2.T and of A1."""
    def backprop(X, y, params, reg):
        _, A1, Z2 = moons_network(X, params)
        dZ2 = (soft(Z2) - _one_hot(y, Z2.shape[1])) / len(X)
        error = dZ1(dZ2 @ params["W2"].T, A1)
        return {**wrong_backprop()(X, y, params, reg),
                "W1": X.T @ error + reg * params["W1"], "b1": error.sum(axis=0)}
    return backprop


def one_bias(name, total):
    """Return a backpropagation in which only one bias has a wrong sum, `total` of its error."""
    def backprop(X, y, params, reg):
        wrong = wrong_backprop(biases=total)(X, y, params, reg)
        return {**wrong_backprop()(X, y, params, reg), name: wrong[name]}
    return backprop


AT_FOR_STAR = ("an `@` stands between arrays that do not fit. Rows are samples, so on the way "
               "back `dZ2` comes first, and goes through `W2` transposed. Only then comes the "
               "derivative of tanh, 1 − A1², entry by entry, `*`. (The source's printed formula "
               "lacks it.)")
ONE_N = "The mean's 1/N is in `dZ2` already, and travels from there to every gradient."

backprop = Exercise(
    id="05-backprop",
    name="backprop",
    truth=_backprop,
    cases=_network_cases,
    returns=("grads",),
    data=DATA,
    uses=(softmax, cross_entropy, softmax_delta),
    integers=("X",),
    tolerance=1e-12,
    more=(
        Mistake("penalty-missing", wrong_backprop(decayed=()), NO_DECAY),
        Mistake("penalty-doubled", wrong_backprop(decay=lambda k, W, reg: 2 * reg * W),
                "the penalty's part is twice too large: the derivative of reg/2 · w² is reg · w."),
        Mistake("penalty-halved", wrong_backprop(decay=lambda k, W, reg: reg / 2 * W),
                "the penalty's part is half of what it should be: the derivative of reg/2 · w² is "
                "reg · w, the 2 of the square cancels the ½."),
        Mistake("penalty-divided-by-N", lambda X, y, params, reg: wrong_backprop()(
            X, y, params, reg / len(X)),
                "the penalty's part is divided by N; the mean runs over the samples, and the "
                "penalty is no part of it."),
        Mistake("penalty-doubled-and-divided-by-N", lambda X, y, params, reg: wrong_backprop()(
            X, y, params, 2 * reg / len(X)),
                "the penalty's part is divided by N, which it should not be, and twice too large "
                "beside that."),
        Mistake("penalty-times-N", lambda X, y, params, reg: wrong_backprop()(
            X, y, params, reg * len(X)),
                "the penalty's part is N times too large; it is added once, not once a sample."),
        Mistake("biases-penalised", wrong_backprop(decayed=("W1", "b1", "W2", "b2")),
                "the biases are penalised too; reg · W belongs to the weights alone."),
        Mistake("one-layer-only", wrong_backprop(decayed=("W1",)),
                "`W2` has no penalty in its gradient; both weight matrices have."),
        Mistake("one-layer-only", wrong_backprop(decayed=("W2",)),
                "`W1` has no penalty in its gradient; both weight matrices have."),
        Mistake("penalty-subtracted", wrong_backprop(decay=lambda k, W, reg: -reg * W),
                "the penalty's part has the wrong sign: it pulls the weights towards zero when the "
                "update subtracts it, so in the gradient it has a plus."),
        Mistake("penalty-sign-of-weight", wrong_backprop(
            decay=lambda k, W, reg: reg * np.sign(W)),
                "the penalty's part has one size for all weights; for squares it is reg · W."),
        Mistake("penalty-squared", wrong_backprop(decay=lambda k, W, reg: reg / 2 * W ** 2),
                "the penalty itself, reg/2 · w², has been added; what belongs here is its "
                "derivative."),
        Mistake("penalty-squared", wrong_backprop(
            decay=lambda k, W, reg: reg / 2 * np.sum(W ** 2)),
                "the whole penalty, one number, has been added to every entry; what belongs here "
                "is its derivative by each weight."),
        Mistake("penalty-squared", wrong_backprop(decay=lambda k, W, reg: reg * W ** 2),
                "the penalty's part has the weights squared; the derivative of reg/2 · w² is "
                "reg · w."),
        Mistake("penalty-without-reg", wrong_backprop(decay=lambda k, W, reg: W),
                "the weights are added without the factor `reg`."),
        Mistake("penalty-without-weight", wrong_backprop(decay=lambda k, W, reg: reg),
                "`reg` itself is added, the same for every weight; the pull is reg times the "
                "weight."),
        Mistake("penalty-of-other-layer", lambda X, y, params, reg: (
            params["W1"] + params["W2"]),
                "`W1` and `W2` meet in one sum: each gradient has reg times its own weights."),
        Mistake("biases-not-summed", wrong_backprop(biases=lambda d: d),
                "each sample has its own bias gradient here, a row for each (the printed formula "
                "says so, too). A bias is shared by all samples: add up over them."),
        Mistake("biases-summed-over-units", wrong_backprop(biases=lambda d: d.sum(axis=1)),
                "the bias gradients are summed over the units and not over the samples: rows are "
                "samples, so the sum runs over `axis=0`."),
        Mistake("biases-summed-over-everything", wrong_backprop(
            biases=lambda d: np.full(d.shape[1], d.sum())),
                "the bias gradients are summed over everything; each unit has its own: `axis=0`."),
        Mistake("biases-summed-over-everything", wrong_backprop(biases=lambda d: d.sum()),
                "the bias gradients are summed over everything, one number; each unit has its "
                "own: `axis=0`."),
        Mistake("biases-summed-over-everything", wrong_backprop(
            finish=lambda g, N: {**g, "b2": g["b2"].sum()}),
                "the gradient of `b2` is summed over everything, one number; each unit has its "
                "own: `axis=0`."),
        Mistake("biases-summed-over-everything", wrong_backprop(
            finish=lambda g, N: {**g, "b1": g["b1"].sum()}),
                "the gradient of `b1` is summed over everything, one number; each unit has its "
                "own: `axis=0`."),
        *(Mistake("biases-summed-over-units", one_bias(name, lambda d: d.sum(axis=1)),
                  f"the gradient of `{name}` is summed over the units and not over the samples: "
                  "rows are samples, so the sum runs over `axis=0`.") for name in ("b1", "b2")),
        Mistake("biases-averaged", wrong_backprop(biases=lambda d: d.mean(axis=0)),
                f"the bias gradients are means over the samples. {ONE_N} So here it is a sum."),
        Mistake("biases-as-a-row", wrong_backprop(biases=lambda d: d.sum(axis=0, keepdims=True)),
                "the bias gradients are rows, (1, H) and (1, K); here biases are (H,) and (K,), "
                "and a gradient has the shape of what it belongs to."),
        Mistake("bias-missing", _scaled(b1=lambda N: 0),
                "`b1` has the gradient zero; it is the sum of `dZ1` over the samples."),
        Mistake("bias-missing", _scaled(b2=lambda N: 0),
                "`b2` has the gradient zero; it is the sum of `dZ2` over the samples."),
        Mistake("sign-flipped", wrong_backprop(residual=lambda Y, P: Y - P),
                "the part that comes from the data has the wrong sign: δ at the output is ŷ − y, "
                "as your `output_delta` has it."),
        Mistake("sign-flipped", _all_times(lambda N: -1),
                "all gradients have the wrong sign."),
        Mistake("N-missing", wrong_backprop(scale=lambda N: 1),
                "the part that comes from the data is N times too large: the loss is a mean. Your "
                "`output_delta` has the 1/N."),
        Mistake("N-missing", _all_times(lambda N: N),
                "all gradients, the penalty's part too, are N times too large: the loss is a "
                "mean, and the penalty is added once."),
        Mistake("divided-by-N-twice", wrong_backprop(scale=lambda N: 1 / N ** 2),
                f"the part that comes from the data is divided by N twice. {ONE_N}"),
        Mistake("divided-by-N-twice", _all_times(lambda N: 1 / N),
                f"all gradients are divided by N once more. {ONE_N}"),
        Mistake("hidden-divided-by-N-twice",
                wrong_backprop(through=lambda Z1, A1: slope(A1) / len(A1)),
                f"the hidden layer's gradients are divided by N twice. {ONE_N}"),
        Mistake("weights-divided-by-N-twice", _averaged_again("W1", "W2"),
                "the biases are right; the part of the weights' gradients that comes from the data "
                f"is divided by N twice. {ONE_N}"),
        *(Mistake("weights-divided-by-N-twice", _averaged_again(name),
                  f"only `{name}` is wrong: the part of its gradient that comes from the data is "
                  f"divided by N twice. {ONE_N}") for name in ("W1", "W2")),
        Mistake("weights-divided-by-N-twice", _scaled(W1=lambda N: 1 / N, W2=lambda N: 1 / N),
                "the biases are right; the weights' gradients, the penalty's part too, are divided "
                f"by N once more. {ONE_N}"),
        Mistake("factor-2", wrong_backprop(residual=lambda Y, P: 2 * (P - Y)),
                "the part that comes from the data is twice too large; there is no square in "
                "this loss."),
        Mistake("divided-by-classes-too", wrong_backprop(residual=lambda Y, P: (P - Y) / len(P.T)),
                "the part that comes from the data is divided by N·K; the mean runs over the N "
                "samples."),
        Mistake("measured-not-derived", _all_times(lambda N: 1 + 3e-10), MEASURED),
        Mistake("activation-derivative-missing", wrong_backprop(through=lambda Z1, A1: 1),
                "the output layer is right; for the hidden layer the derivative of tanh is "
                "missing, 1 − A1², entry by entry."),
        Mistake("activation-for-derivative", wrong_backprop(through=lambda Z1, A1: A1),
                "the output layer is right; for the hidden layer the way back multiplies by `A1` "
                "itself, where its derivative belongs."),
        Mistake("derivative-of-activated", wrong_backprop(
            through=lambda Z1, A1: slope(np.tanh(A1))),
                "the output layer is right; for the hidden layer the derivative is taken at `A1`, "
                "which has been through tanh already: 1 − tanh²(Z1) is 1 − A1²."),
        Mistake("derivative-from-pre-activation", wrong_backprop(
            through=lambda Z1, A1: 1 - Z1 ** 2),
                "the output layer is right; for the hidden layer the derivative is written as "
                "1 − Z1². That formula takes the activated value `A1`."),
        Mistake("square-missing", wrong_backprop(through=lambda Z1, A1: 1 - A1),
                "the output layer is right; the derivative of tanh is 1 − A1², with a square."),
        Mistake("sigmoid-derivative", wrong_backprop(through=lambda Z1, A1: A1 * (1 - A1)),
                "the output layer is right; a · (1 − a) is the derivative of the sigmoid. For "
                "tanh it is 1 − a²."),
        Mistake("softmax-derivative-extra", wrong_backprop(
            residual=lambda Y, P: (P - Y) * P * (1 - P)),
                "there is a factor p(1 − p) at the output. Your `output_delta` is the derivative "
                "by the logits already: the softmax is behind you."),
        Mistake("precedence", wrong_hidden(lambda back, A1: back * 1 - A1 ** 2),
                "the output layer is right; in `... * 1 - A1**2` the product comes first: put "
                "1 − A1² in parentheses."),
        Mistake("activation-derivative-sign", wrong_hidden(lambda back, A1: back * (A1 ** 2 - 1)),
                "the output layer is right; for the hidden layer the derivative of tanh has the "
                "wrong sign: it is 1 − A1², never negative."),
        Mistake("squared-difference", wrong_hidden(lambda back, A1: back * (1 - A1) ** 2),
                "the output layer is right; (1 − A1)² has been squared as a whole. Only `A1` is: "
                "1 − A1²."),
        Mistake("logits-for-probabilities", lambda X, y, params, reg: wrong_backprop(
            residual=lambda Y, P: moons_network(X, params)[2] - Y)(X, y, params, reg),
                "the labels are taken from the logits, `Z2`; `output_delta` wants the "
                "probabilities, `Y_hat`."),
        Mistake("input-of-first-layer", lambda X, y, params, reg: (
            X.T @ soft(moons_network(X, params)[2]) + reg * params["W2"]),
                "the gradient of `W2` is made with `X`, the input of the first layer. The output "
                "layer was fed `A1`."),
        Mistake("input-of-first-layer", lambda X, y, params, reg: {
            **wrong_backprop()(X, y, params, reg),
            "W2": X.T @ wrong_delta()(y, soft(moons_network(X, params)[2]))},
                "the gradient of `W2` is made with `X`, the input of the first layer. The output "
                "layer was fed `A1`."),
        Mistake("pre-activation-used", wrong_backprop(into_output=lambda Z1, A1: Z1),
                "the gradient of `W2` is computed from `Z1`; the output layer was fed `A1`."),
        *(Mistake("labels-missing", wrong_backprop(residual=lambda Y, P: P, scale=scale),
                  "the labels play no part: 1 is to be taken from the true class. Your "
                  "`output_delta` does it.") for scale in (lambda N: 1 / N, lambda N: 1)),
        Mistake("gradient-for-weight", _gradient_for_weight,
                "the output layer is right; the error was sent back through the gradient of `W2` "
                "in place of `W2` itself."),
        Mistake("updated-weights-used", _updated_first(2),
                "the hidden layer's gradients are computed with a `W2` that has been updated "
                "already (rate 2). All gradients belong to the parameters as they came in."),
        Mistake("updated-weights-used", _updated_first(1),
                "the hidden layer's gradients are computed with a `W2` that has been updated "
                "already (rate 1). All gradients belong to the parameters as they came in."),
        Mistake("reshape-for-transpose", wrong_backprop(
            back=lambda W2: W2.reshape(W2.shape[1], -1)),
                "the output layer is right; on the way back `reshape` only breaks the lines "
                "elsewhere. The transpose, `.T`, turns rows into columns."),
        Mistake("transpose-missing", wrong_backprop(back=lambda W2: W2),
                "on the way back `dZ2` is (N, K), so it needs a matrix (K, H): `W2` transposed."),
        Mistake("star-for-at", lambda X, y, params, reg: (
            soft(moons_network(X, params)[2]) * params["W2"].T),
                "going back through the weights is a matrix product, `@`; `*` works entry by "
                "entry."),
        Mistake("at-for-star", lambda X, y, params, reg: (
            soft(moons_network(X, params)[2]) @ params["W2"].T @ slope(
                moons_network(X, params)[1])),
                AT_FOR_STAR),
        Mistake("at-for-star", lambda X, y, params, reg: (
            params["W2"].T @ soft(moons_network(X, params)[2])), AT_FOR_STAR),
        Mistake("printed-formula", lambda X, y, params, reg: (
            slope(moons_network(X, params)[1]) * soft(moons_network(X, params)[2])),
                "(1 − A1²) and `dZ2` have different shapes. First `dZ2` goes back through `W2`, "
                "then comes the derivative of tanh."),
        Mistake("shape-transposed", wrong_backprop(finish=lambda g, N: {
            **g, "W1": g["W1"].T, "W2": g["W2"].T}, decayed=()),
                "the weights' gradients are transposed: a gradient has the shape of its weights. "
                "It is the layer's input, transposed, times the error."),
        Mistake("shape-transposed", lambda X, y, params, reg: params["W1"].T + params["W1"],
                "the gradient of `W1` comes out as (H, D): it is the layer's input, transposed, "
                "times the error, `X.T @ ...`."),
        Mistake("shape-transposed", lambda X, y, params, reg: params["W2"].T + params["W2"],
                "the gradient of `W2` comes out as (K, H): it is the layer's input, transposed, "
                "times the error."),
        Mistake("parentheses-missing", lambda X, y, params, reg: params["W1"] * (
            X @ params["W1"]),
                "`@` and `*` run from left to right, so that the product with `X.T` comes before "
                "the derivative of tanh. Compute `dZ1` first, in a line of its own."),
        Mistake("input-not-transposed", lambda X, y, params, reg: X @ (X @ params["W1"]),
                "the layer's input is not transposed: `X.T @ dZ1` sums over the samples and has "
                "the shape of `W1`."),
        Mistake("one-sample-only", _one_sample,
                "this is the gradient of the last sample alone; all samples belong to the mean."),
        Mistake("one-sample-only", _one_share,
                "only the last sample's share has arrived: add up in the loop, do not overwrite."),
        Mistake("tuple-for-dict", lambda X, y, params, reg: tuple(
            wrong_backprop()(X, y, params, reg).values()),
                "the gradients come back as a tuple; return a dict with the keys of `params`."),
        Mistake("other-keys", lambda X, y, params, reg: {
            f"d{k}": g for k, g in wrong_backprop()(X, y, params, reg).items()},
                "the keys are `dW1`, `db1`, …; give `grads` the same keys as `params`: `W1`, "
                "`b1`, `W2`, `b2`."),
    ),
    sizes=_sizes,
    hint="`dZ2` from `output_delta`; `dZ1` through `W2` and tanh; each weight: input.T @ error "
         "plus reg · W; each bias: the error summed over the samples, `axis=0`.",
    unlocks="A gradient for any number of classes, with a penalty on the weights.",
)


# 05-initialise

def _initialise(D, H, K, rng):
    def layer(n_in, n_out):  # one draw at a time, row by row
        return np.array([[rng.normal() / math.sqrt(n_in) for _ in range(n_out)]
                         for _ in range(n_in)])
    return {"W1": layer(D, H), "b1": np.zeros(H), "W2": layer(H, K), "b2": np.zeros(K)}


def wrong_start(scale=lambda n_in, n_out: 1 / math.sqrt(n_in), draw=lambda rng, shape: rng.normal(
        size=shape), bias=lambda rng, n: np.zeros(n), second_first=False, finish=lambda p: p):
    """Return an initialisation with one part exchanged."""
    def initialise(D, H, K, rng):
        def layer(n_in, n_out):
            return draw(rng, (n_in, n_out)) * scale(n_in, n_out)
        if second_first:
            W2 = layer(H, K)
            W1 = layer(D, H)
        else:
            W1 = layer(D, H)
            W2 = layer(H, K)
        return finish({"W1": W1, "b1": bias(rng, H), "W2": W2, "b2": bias(rng, K)})
    return initialise


def _drawn_in_between(D, H, K, rng):
    W1 = rng.normal(size=(D, H)) / np.sqrt(D)
    b1 = rng.normal(size=H)
    W2 = rng.normal(size=(H, K)) / np.sqrt(H)
    return {"W1": W1, "b1": b1, "W2": W2, "b2": rng.normal(size=K)}


def _own_generator(seed):
    return lambda D, H, K, rng: wrong_start()(D, H, K, np.random.default_rng(seed))


def _own_legacy(seed):
    def initialise(D, H, K, rng):
        legacy = np.random.RandomState(seed)
        return wrong_start(draw=lambda _, shape: legacy.normal(size=shape))(D, H, K, None)
    return initialise


def _same_draws(D, H, K, rng):
    draws = rng.normal(size=D * H + H * K)
    return {"W1": draws[:D * H].reshape(D, H) / np.sqrt(D), "b1": np.zeros(H),
            "W2": draws[:H * K].reshape(H, K) / np.sqrt(H), "b2": np.zeros(K)}


OWN = ("these draws do not come from `rng`: the function makes a generator of its own, and gives "
       "the same weights whatever `rng` is. Draw with the one that is handed over.")
FAN_OUT = ("the weights are divided by the root of the number of units they lead *to*. What adds "
           "up in a unit is what comes in: use the number of inputs of the layer.")

initialise = Exercise(
    id="05-initialise",
    name="initialise",
    truth=_initialise,
    cases=lambda: [(3, 5, 2, np.random.default_rng(1)), (4, 7, 3, np.random.default_rng(2)),
                   (2, 9, 5, np.random.default_rng(3))],
    returns=("params",),
    data=DATA,
    integers=(),
    more=(
        Mistake("zeros", wrong_start(draw=lambda rng, shape: np.zeros(shape)),
                "all weights are zero. Then every hidden unit does the same, gets the same "
                "gradient, and they never become different (here the gradient is even zero)."),
        Mistake("equal-weights", wrong_start(draw=lambda rng, shape: np.ones(shape),
                                             scale=lambda n_in, n_out: 1),
                "all weights are equal. Then every hidden unit does the same, gets the same "
                "gradient, and they never become different: draw them."),
        Mistake("equal-weights", wrong_start(draw=lambda rng, shape: np.ones(shape)),
                "all weights of a layer are equal. Then every hidden unit does the same, gets "
                "the same gradient, and they never become different: draw them."),
        Mistake("uniform", wrong_start(draw=lambda rng, shape: rng.uniform(-1, 1, size=shape)),
                "the weights are drawn evenly between −1 and 1; draw them with `rng.normal`."),
        Mistake("uniform", wrong_start(draw=lambda rng, shape: rng.uniform(-1, 1, size=shape),
                                       scale=lambda n_in, n_out: 1),
                "the weights are drawn evenly between −1 and 1; draw them with `rng.normal`, and "
                "scale them."),
        Mistake("uniform", wrong_start(draw=lambda rng, shape: rng.random(shape)),
                "the weights are drawn evenly between 0 and 1 (`rng.random`), none negative; draw "
                "them with `rng.normal`."),
        Mistake("uniform", wrong_start(draw=lambda rng, shape: rng.random(shape),
                                       scale=lambda n_in, n_out: 1),
                "the weights are drawn evenly between 0 and 1 (`rng.random`), none negative; draw "
                "them with `rng.normal`, and scale them."),
        Mistake("not-scaled", wrong_start(scale=lambda n_in, n_out: 1),
                "the draws are right, but not scaled: divide each layer's by the root of its "
                "number of inputs."),
        Mistake("root-missing", wrong_start(scale=lambda n_in, n_out: 1 / n_in),
                "the weights are divided by the number of inputs; divide by its square root."),
        Mistake("multiplied-by-root", wrong_start(scale=lambda n_in, n_out: math.sqrt(n_in)),
                "the weights are multiplied by the root of the number of inputs; divide by it."),
        Mistake("fan-out", wrong_start(scale=lambda n_in, n_out: 1 / math.sqrt(n_out)), FAN_OUT),
        Mistake("fan-out", wrong_start(scale=lambda n_in, n_out: 1 / n_out), FAN_OUT),
        Mistake("one-scale-for-both", lambda D, H, K, rng: wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(D))(D, H, K, rng),
                "both layers are divided by √D. The output layer has H inputs."),
        Mistake("one-scale-for-both", lambda D, H, K, rng: wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(H))(D, H, K, rng),
                "both layers are divided by √H. The hidden layer has D inputs."),
        Mistake("only-hidden-scaled", lambda D, H, K, rng: wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(D) if n_in == D else 1)(D, H, K, rng),
                "`W1` is right, `W2` is not scaled: divide it by the root of its number of "
                "inputs, H."),
        Mistake("only-hidden-scaled", lambda D, H, K, rng: wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(D) if n_in == D else 1 / math.sqrt(K))(
                D, H, K, rng),
                "`W1` is right, `W2` is divided by √K. What adds up in an output unit is what "
                "comes in: H numbers."),
        Mistake("size-missing", lambda D, H, K, rng: {
            "W1": rng.normal(D, H) / np.sqrt(D), "b1": np.zeros(H),
            "W2": rng.normal(H, K) / np.sqrt(H), "b2": np.zeros(K)},
                "`rng.normal(D, H)` draws a single number with the mean D and the spread H. The "
                "shape goes into `size=(D, H)`."),
        Mistake("bias-counted-as-input", wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(n_in + 1)),
                "the bias has been counted as an input, √(n + 1). Here the biases stand apart: "
                "√n."),
        Mistake("root-of-two", wrong_start(scale=lambda n_in, n_out: math.sqrt(2 / n_in)),
                "there is a √2 too many. That scale belongs to another activation (ReLU); here it "
                "is 1/√n."),
        Mistake("roots-swapped", lambda D, H, K, rng: wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(H if n_in == D else D))(D, H, K, rng),
                "√D and √H have changed places: the hidden layer has D inputs, the output layer "
                "H."),
        Mistake("fixed-scale", lambda D, H, K, rng: wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(2 if n_in == D else 3))(D, H, K, rng),
                "the weights are divided by √2 and √3 for every size, as in the source, which has "
                "two inputs and three hidden units. Here it is √D and √H."),
        Mistake("both-sides", wrong_start(
            scale=lambda n_in, n_out: math.sqrt(2 / (n_in + n_out))),
                "the scale uses the inputs and the outputs of a layer. That rule exists; here it "
                "is 1/√n with the inputs alone."),
        Mistake("both-sides", wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(n_in + n_out)),
                "the scale uses the inputs and the outputs of a layer; here it is 1/√n with the "
                "inputs alone."),
        Mistake("both-sides", wrong_start(
            scale=lambda n_in, n_out: 1 / math.sqrt(n_in * n_out)),
                "the scale uses the inputs and the outputs of a layer; here it is 1/√n with the "
                "inputs alone."),
        Mistake("fixed-scale", wrong_start(scale=lambda n_in, n_out: 0.01),
                "the scale is 0.01 for every size; divide by the root of the number of inputs."),
        Mistake("fixed-scale", wrong_start(scale=lambda n_in, n_out: 0.1),
                "the scale is 0.1 for every size; divide by the root of the number of inputs."),
        Mistake("scale-as-mean", lambda D, H, K, rng: wrong_start(
            draw=lambda rng, shape: rng.normal(1 / math.sqrt(shape[0]), size=shape),
            scale=lambda n_in, n_out: 1)(D, H, K, rng),
                "the first argument of `rng.normal` is the mean, the second the scale: the "
                "weights are shifted and not scaled."),
        Mistake("second-layer-first", wrong_start(second_first=True),
                "the right scales, but `W2` is drawn before `W1`. Draw `W1` first, then `W2`, so "
                "that a seed means the same weights for everybody."),
        Mistake("biases-drawn", wrong_start(bias=lambda rng, n: rng.normal(size=n)),
                "the weights are right; the biases are drawn too. Biases start at zero."),
        Mistake("biases-drawn", _drawn_in_between,
                "the biases are drawn, and from the same generator, so that `W2` gets other "
                "numbers. Biases start at zero."),
        Mistake("biases-one", wrong_start(bias=lambda rng, n: np.ones(n)),
                "the biases are ones; they start at zero."),
        Mistake("biases-as-rows", wrong_start(bias=lambda rng, n: np.zeros((1, n))),
                "the biases are rows, (1, H) and (1, K); here they are (H,) and (K,)."),
        Mistake("biases-as-numbers", wrong_start(bias=lambda rng, n: 0.0),
                "the biases are single zeros; each unit has its own: (H,) and (K,)."),
        Mistake("shape-transposed", lambda D, H, K, rng: {
            "W1": rng.normal(size=(H, D)) / np.sqrt(D), "b1": np.zeros(H),
            "W2": rng.normal(size=(K, H)) / np.sqrt(H), "b2": np.zeros(K)},
                "the weights are transposed: `W1` is (D, H), a row for each input."),
        *(Mistake("own-generator", _own_generator(seed), OWN) for seed in (0, 1, 42)),
        *(Mistake("own-generator", _own_legacy(seed), OWN) for seed in (0, 1, 42)),
        Mistake("same-draws", _same_draws,
                "`W1` and `W2` begin with the same numbers: draw twice from the same generator."),
        Mistake("tuple-for-dict", lambda *args: tuple(wrong_start()(*args).values()),
                "the parameters come back as a tuple; return a dict with the keys `W1`, `b1`, "
                "`W2`, `b2`."),
    ),
    sizes=lambda D, H, K, rng: {},
    tolerance=1e-12,
    hint="`W1` first, then `W2`, both with `rng.normal(size=...)` of the generator handed over, "
         "each divided by the root of its number of inputs; biases zero.",
    unlocks="Every layer starts with weighted sums of about the same size, however wide it is.",
)


# 05-train

def _train(X, y, params, learning_rate, steps, reg):
    history = {"loss": []}
    for _ in range(steps):
        history["loss"].append(_loss(X, y, params, reg))
        grads = _backprop(X, y, params, reg)
        params = {k: params[k] - learning_rate * grads[k] for k in params}
    return params, history


def _step(params, grads, rate):
    return {k: params[k] - rate * grads[k] for k in params}


RIGHT_GRADIENT = wrong_backprop()


def wrong_train(step=_step, gradient=RIGHT_GRADIENT, objective=_loss, rounds=lambda steps: steps,
                rate=lambda learning_rate: learning_rate, learnt_reg=lambda reg: reg,
                log_after=False, from_first=False, finish=lambda params, history: (
                    params, history)):
    """Return a training loop with one part exchanged."""
    def train(X, y, params, learning_rate, steps, reg):
        history, first = {"loss": []}, params
        for _ in range(rounds(steps)):
            before = params
            grads = gradient(X, y, first if from_first else params, learnt_reg(reg))
            params = step(params, grads, rate(learning_rate))
            history["loss"].append(objective(X, y, params if log_after else before, reg))
        return finish(params, history)
    return train


def wrong_train_reg(swap):
    """Return a training loop whose steps use `swap(learning_rate, reg)` for the two."""
    def train(X, y, params, learning_rate, steps, reg):
        rate, learnt = swap(learning_rate, reg)
        return wrong_train(rate=lambda _: rate, learnt_reg=lambda _: learnt)(
            X, y, params, learning_rate, steps, reg)
    return train


def _one_after_the_other(X, y, params, learning_rate, steps, reg):
    history = {"loss": []}
    for _ in range(steps):
        history["loss"].append(_loss(X, y, params, reg))
        for k in params:
            grads = wrong_backprop()(X, y, params, reg)
            params = {**params, k: params[k] - learning_rate * grads[k]}
    return params, history


def _updates_lost(X, y, params, learning_rate, steps, reg):
    history = {"loss": [_loss(X, y, params, reg)] * steps}
    return wrong_train()(X, y, params, learning_rate, 1, reg)[0], history


def _only(*names):
    return lambda params, grads, rate: {
        k: params[k] - rate * grads[k] if k in names else params[k] for k in params}


def _train_cases():
    return [(*network_case(1, 7, 3, 5, 2, 0.2)[:3], 0.6, 4, 0.2),
            (*network_case(2, 9, 2, 6, 4, 0.05)[:3], 0.25, 6, 0.05)]


SWAPPED = ("`learning_rate` and `reg` have changed places: the rate belongs to the update, `reg` "
           "to `loss` and `backprop`.")
NO_DICT = ("a number stands where a dict is wanted. `sgd_step` takes the parameters first, then "
           "their gradient (from `backprop`, not the loss), then the rate.")
FIRST_ENTRY = ("the losses are noted after the step. Note each before its step, so that the first "
               "entry belongs to the parameters that came in.")

train = Exercise(
    id="05-train",
    name="train",
    truth=_train,
    cases=_train_cases,
    returns=("params", "history"),
    data=DATA | {"learning_rate", "steps", "reg"},
    uses=(softmax, cross_entropy, softmax_delta, loss, backprop),
    integers=(),
    more=(
        Mistake("uphill", wrong_train(lambda p, g, rate: _step(p, g, -rate)),
                "the parameters move with the gradient, uphill. It points to where the loss "
                "rises: subtract it."),
        Mistake("never-updated", wrong_train(lambda p, g, rate: p),
                "the parameters never change: the update makes a new dict, so give it the name "
                "that the next step uses."),
        Mistake("biases-not-updated", wrong_train(_only("W1", "W2")),
                "the biases never change; update every entry of the dict."),
        Mistake("one-layer-updated", wrong_train(_only("W1", "b1")),
                "only the hidden layer is updated; update every entry of the dict."),
        Mistake("one-layer-updated", wrong_train(_only("W2", "b2")),
                "only the output layer is updated; update every entry of the dict."),
        Mistake("learning-rate-missing", wrong_train(rate=lambda learning_rate: 1),
                "the rate is always 1: multiply the gradient by `learning_rate`."),
        Mistake("learning-rate-ignored", wrong_train(rate=lambda learning_rate: 2),
                "the rate is always 2, whatever `learning_rate` says: use the argument."),
        *(Mistake("learning-rate-ignored", wrong_train(rate=lambda given, fixed=fixed: fixed),
                  f"the rate is always {fixed}, whatever `learning_rate` says: use the argument.")
          for fixed in (0.5, 0.1, 0.05, 0.01, 0.001)),
        Mistake("learning-rate-divided-by-N", lambda X, y, params, rate, steps, reg: _train(
            X, y, params, rate / len(X), steps, reg),
                "the rate is divided by N. The mean's 1/N is in the gradient already."),
        Mistake("rate-and-reg-swapped", lambda X, y, params, rate, steps, reg: _train(
            X, y, params, reg, steps, rate), SWAPPED),
        Mistake("rate-and-reg-swapped", wrong_train_reg(lambda rate, reg: (reg, rate)), SWAPPED),
        Mistake("rate-and-reg-swapped", wrong_train_reg(lambda rate, reg: (reg, reg)),
                "`reg` stands where the learning rate belongs, in the update."),
        Mistake("rate-and-reg-swapped", wrong_train_reg(lambda rate, reg: (rate, rate)),
                "`learning_rate` stands where `reg` belongs, in the call of `backprop`."),
        Mistake("gradient-for-parameters", wrong_train(lambda p, g, rate: g),
                "the parameters are replaced by their gradient. Give it a name of its own, and "
                "move the parameters by a step along it."),
        Mistake("arguments-swapped", wrong_train(lambda p, g, rate: _step(g, p, rate)),
                "parameters and gradient have changed places in the update: the parameters come "
                "first, and rate times the gradient is taken from them."),
        Mistake("penalty-missing-in-step", wrong_train(learnt_reg=lambda reg: 0.0),
                "the gradient is computed without the penalty: hand `reg` to `backprop`."),
        Mistake("penalty-missing-in-loss", wrong_train(
            objective=lambda X, y, p, reg: _loss(X, y, p, 0.0)),
                "the parameters are right; the losses in the history lack the penalty: hand "
                "`reg` to `loss`."),
        Mistake("penalty-missing", wrong_train(
            objective=lambda X, y, p, reg: _loss(X, y, p, 0.0), learnt_reg=lambda reg: 0.0),
                "`reg` plays no part: hand it to `loss` and to `backprop`."),
        Mistake("penalty-twice", wrong_train(learnt_reg=lambda reg: 2 * reg),
                "the penalty acts twice: your `backprop` has it in the gradient already, so the "
                "update adds nothing."),
        Mistake("reg-ignored", wrong_train(
            objective=lambda X, y, p, reg: _loss(X, y, p, 5e-5), learnt_reg=lambda reg: 5e-5),
                "`reg` is always 5e-5, whatever the argument says: use it."),
        Mistake("gradient-of-first-parameters", wrong_train(from_first=True),
                "every step uses the gradient of the first parameters: compute it anew in each "
                "step, inside the loop."),
        Mistake("one-after-the-other", _one_after_the_other,
                "the gradient is computed anew after each single update. Compute all gradients "
                "first, then update all parameters."),
        Mistake("gradient-summed", wrong_train(
            gradient=lambda X, y, p, reg: {k: len(X) * g for k, g in wrong_backprop()(
                X, y, p, reg).items()}),
                "the gradient is multiplied by N, as for a sum over the samples; the loss is "
                "their mean."),
        Mistake("logged-after-update", wrong_train(log_after=True), FIRST_ENTRY),
        Mistake("step-missing", wrong_train(rounds=lambda steps: steps - 1),
                "one step too few has been made; `range(steps)` runs `steps` times."),
        Mistake("step-too-many", wrong_train(rounds=lambda steps: steps + 1),
                "one step too many has been made; `range(steps)` runs `steps` times."),
        Mistake("one-loss-too-many", lambda X, y, params, learning_rate, steps, reg: (
            _train(X, y, params, learning_rate, steps, reg)[0],
            _train(X, y, params, learning_rate, steps + 1, reg)[1]),
                "the parameters are right; the history has one loss too many. There is one for "
                "each step, noted before it."),
        Mistake("steps-ignored", wrong_train(rounds=lambda steps: 1),
                "the loop ends after one step. Is the `return` indented too far, inside the "
                "loop?"),
        Mistake("steps-ignored", wrong_train(rounds=lambda steps: 100),
                "100 steps have been made, whatever `steps` says: use the argument."),
        Mistake("updates-lost", _updates_lost,
                "every step starts from the first parameters again. Give the updated dict the "
                "name that the next step uses."),
        Mistake("parameters-replaced", wrong_train(
            lambda p, g, rate: {k: rate * g[k] for k in p}),
                "the parameters are replaced by the step. The step is subtracted from them."),
        Mistake("parameters-replaced", wrong_train(
            lambda p, g, rate: {k: -rate * g[k] for k in p}),
                "the parameters are replaced by the step. The step is added to what they were."),
        Mistake("first-parameters-returned", lambda X, y, params, *rest: (
            params, _train(X, y, params, *rest)[1]),
                "the history is right, but the parameters that come back are those that came "
                "in."),
        Mistake("last-loss-only", wrong_train(finish=lambda params, history: (
            params, {"loss": history["loss"][-1]})),
                "the history holds the last loss only; it should have one for each step."),
        Mistake("last-loss-only", wrong_train(finish=lambda params, history: (
            params, {"loss": history["loss"][-1:]})),
                "the history holds the last loss only. Is the list made anew in each step? It is "
                "made once, before the loop."),
        Mistake("last-loss-only", wrong_train(log_after=True, finish=lambda params, history: (
            params, {"loss": history["loss"][-1:]})),
                "the history holds one loss, that of the final parameters. Note one in each step, "
                "inside the loop."),
        Mistake("history-empty", wrong_train(finish=lambda params, history: (
            params, {"loss": []})),
                "the parameters are right; the list of losses is empty. In each step, append the "
                "loss to it."),
        Mistake("history-key", wrong_train(finish=lambda params, history: (
            params, {"losses": history["loss"]})),
                "the parameters are right; the key of the history is `losses` here. It is "
                "`loss`."),
        Mistake("history-missing", wrong_train(finish=lambda params, history: params),
                "the parameters are right; return the history with them: `return params, "
                "history`."),
        Mistake("history-as-list", wrong_train(finish=lambda params, history: (
            params, history["loss"])),
                "the losses are right, but the history is to be a dict with the key `loss`, as "
                "in the lessons before."),
        Mistake("order-of-results", wrong_train(finish=lambda params, history: (
            history, params)),
                "`params` and `history` have changed places in the `return` line."),
        Mistake("steps-not-a-range", lambda *args: [None for _ in args[4]],
                "`steps` is a number; `range(steps)` is what a loop runs over."),
        Mistake("update-does-not-fit", wrong_train(lambda p, g, rate: _step(p, rate, g)),
                NO_DICT),
        Mistake("update-does-not-fit", wrong_train(lambda p, g, rate: _step(rate, p, g)),
                NO_DICT),
        Mistake("samples-and-labels-swapped", lambda X, y, params, *rest: y @ params["W1"],
                "the labels went through the network: have `X` and `y` changed places in a call "
                "of `loss` or `backprop`?"),
    ),
    sizes=lambda X, *rest: {"N": len(X)},
    hint="in each step: note the loss, then all gradients, then all updates.",
    unlocks="Your training loop now serves any data, any width and any number of classes.",
)
