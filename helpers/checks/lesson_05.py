"""Lesson 05: softmax, cross-entropy, regularisation, initial weights."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, logsumexp
from scipy.special import softmax as scipy_softmax

from helpers.checks.exercise import Exercise, Mistake
from helpers.checks.lesson_01 import DATA as DATA_01

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
                    [500.0, 499.0, -500.0], [0.5, -1.0, 2.0]])
    return [(np.array([[1.0, 2.0, 0.5]]),), (rng.normal(size=(7, 3)) * 2 + 1,), (square,), (far,)]


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
OVER_BATCH = ("this runs over the samples: each column adds up to 1. The classes of one sample "
              "share its probability, so it is each row that adds up to 1 (`axis=1`).")

softmax = Exercise(
    id="05-softmax",
    name="softmax",
    truth=lambda Z: scipy_softmax(Z, axis=1),
    cases=_softmax_cases,
    data=DATA,
    mistakes=(
        Mistake("over-the-batch", lambda Z: soft(Z, axis=0), OVER_BATCH),
        Mistake("over-the-batch", lambda Z: np.exp(Z) / np.exp(Z).sum(axis=0), OVER_BATCH),
        Mistake("over-the-batch", _ratios(_row_max, lambda E: E.sum(axis=0)), OVER_BATCH),
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


def _from_log(combine):
    """Return a loss that combines the labels and the safe logs of all probabilities."""
    return lambda y, Y_hat: combine(y, np.log(np.maximum(Y_hat, FLOOR)))


def _one_hot(y, K):
    return np.eye(K)[y]


FLOOR_TEXT = ("a probability of exactly 0 is to count as 1e-300, no more: with a larger floor, or "
              "with a constant added, a sure and wrong prediction looks much better than it is.")
LOG_OF_ZERO = ("a probability can be exactly 0, and its log is −∞ (times 0 even nan). Raise the "
               "probabilities to at least 1e-300 before the log.")

cross_entropy = Exercise(
    id="05-cross-entropy",
    name="cross_entropy",
    truth=_cross_entropy,
    cases=_cross_entropy_cases,
    data=DATA,
    integers=(),
    mistakes=(
        Mistake("log-of-zero", lambda y, Y_hat: float(-np.mean(np.log(picked(y, Y_hat)))),
                LOG_OF_ZERO),
        Mistake("log-of-zero", lambda y, Y_hat: float(-np.sum(
            _one_hot(y, Y_hat.shape[1]) * np.log(Y_hat)) / len(y)),
                LOG_OF_ZERO),
        *(Mistake("floor-too-high", lambda y, Y_hat, floor=floor: float(-np.mean(np.log(
            np.maximum(picked(y, Y_hat), floor)))), FLOOR_TEXT)
          for floor in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, np.finfo(float).eps)),
        *(Mistake("floor-too-high", lambda y, Y_hat, floor=floor: float(-np.mean(np.log(
            picked(y, Y_hat) + floor))), FLOOR_TEXT)
          for floor in (1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16, np.finfo(float).eps)),
        Mistake("every-label-of-every-row",
                _from_log(lambda y, L: float(-L[:, y].mean())),
                "`[:, y]` takes the columns `y` of *every* row, an (N, N) array. One entry for "
                "each row needs row numbers beside the column numbers: `[np.arange(N), y]`."),
        Mistake("every-label-of-every-row",
                _from_log(lambda y, L: float(-L[:, y].sum() / len(y))),
                "`[:, y]` takes the columns `y` of *every* row, an (N, N) array. One entry for "
                "each row needs row numbers beside the column numbers: `[np.arange(N), y]`."),
        Mistake("rows-for-classes", _from_log(lambda y, L: float(-L[y].mean())),
                "`[y]` takes whole rows, as if the labels were sample numbers. What is needed "
                "is column `y[n]` of row n."),
        Mistake("rows-for-classes", _from_log(lambda y, L: float(-L[y].sum() / len(y))),
                "`[y]` takes whole rows, as if the labels were sample numbers. What is needed "
                "is column `y[n]` of row n."),
        Mistake("one-hot-meant", _from_log(lambda y, L: -np.mean(y * L)),
                "`y * ...` would fit a table of zeros and ones, (N, K). Here `y` holds class "
                "numbers, (N,): use them to pick one entry of each row."),
        Mistake("one-hot-meant", lambda y, Y_hat: -np.mean(
            y * np.log(Y_hat) + (1 - y) * np.log(1 - Y_hat)),
                "`y * ...` would fit a table of zeros and ones, (N, K). Here `y` holds class "
                "numbers, (N,): use them to pick one entry of each row."),
        Mistake("one-hot-meant", _from_log(
            lambda y, L: float(-np.sum(y.reshape(-1, 1) * L) / len(y))),
                "the logarithms are multiplied by the class numbers. Those are names, not "
                "weights: use them to pick one entry of each row."),
        Mistake("one-hot-meant", _from_log(
            lambda y, L: float(-np.mean(y.reshape(-1, 1) * L))),
                "the logarithms are multiplied by the class numbers. Those are names, not "
                "weights: use them to pick one entry of each row."),
        Mistake("mean-over-classes-too", _from_log(
            lambda y, L: float(-np.mean(_one_hot(y, L.shape[1]) * L))),
                "it is divided by N·K, as `np.mean` of an (N, K) array does. The mean runs over "
                "the N samples."),
        Mistake("all-classes", _from_log(lambda y, L: float(-L.mean())),
                "the labels play no part: this is the mean over all classes. Only the "
                "probability of the true class counts."),
        Mistake("all-classes", _from_log(lambda y, L: float(-L.sum() / len(y))),
                "the labels play no part: this adds up all classes. Only the probability of the "
                "true class counts."),
        Mistake("sum-for-mean", _from_log(lambda y, L: float(-picked(y, L).sum())),
                "this is the sum over the samples; the loss is their mean."),
        Mistake("minus-missing", _from_log(lambda y, L: float(picked(y, L).mean())),
                "the minus is missing: logarithms of probabilities are negative, and a loss is "
                "not."),
        Mistake("not-averaged", _from_log(lambda y, L: -picked(y, L)),
                "there is one loss for each sample; return their mean, one number."),
        Mistake("log-missing", lambda y, Y_hat: float(1 - picked(y, Y_hat).mean()),
                "this is the mean of 1 − p, without a logarithm."),
        Mistake("log-missing", lambda y, Y_hat: float(-picked(y, Y_hat).mean()),
                "the right entries are picked, but their logarithm is missing."),
        Mistake("log-of-mean", lambda y, Y_hat: float(-np.log(picked(y, Y_hat).mean())),
                "the logarithm of the mean is taken; it is the mean of the logarithms."),
        Mistake("other-base", _from_log(lambda y, L: float(-picked(y, L).mean() / np.log(2))),
                "this is the logarithm to base 2; `np.log` is the natural one."),
        Mistake("other-base", _from_log(lambda y, L: float(-picked(y, L).mean() / np.log(10))),
                "this is the logarithm to base 10; `np.log` is the natural one."),
        Mistake("likeliest-for-true",
                lambda y, Y_hat: float(-np.mean(np.log(Y_hat.max(axis=1)))),
                "the largest probability of each row is taken, whatever the label says. Take "
                "that of the true class."),
        Mistake("wrong-class", _from_log(lambda y, L: float(-picked(y - 1, L).mean())),
                "the class before the true one is taken: labels count from 0, and so do "
                "columns."),
        Mistake("error-rate", lambda y, Y_hat: float(np.mean(Y_hat.argmax(axis=1) != y)),
                "this is the share of wrong predictions. The loss looks at the probability of "
                "the true class."),
        Mistake("one-sample-only", _from_log(lambda y, L: float(-L[-1, y[-1]])),
                "this is the loss of the last sample alone: add up, do not overwrite."),
        Mistake("one-sample-only", _from_log(lambda y, L: float(-L[0, y[0]])),
                "this is the loss of the first sample alone. Is the `return` indented too far, "
                "inside the loop?"),
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
