"""Lesson 10: any number of layers, first weights, normalisation, residuals, checkpoints."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from helpers.checks.exercise import Exercise, Group
from helpers.checks.lesson_05 import softmax, softmax_delta
from helpers.checks.lesson_09 import DATA as EARLIER_DATA
from helpers.checks.lesson_09 import gradients, sample
from helpers.checks.truth import dense

DATA = EARLIER_DATA | {"small", "few", "labels", "sizes", "starts", "errors", "order"}

# 10-deep-backprop

def _deep_forward(X, params):
    A = [X]
    for i in range(1, len(params) // 2 + 1):
        Z = dense(A[-1], params[f"W{i}"]) + params[f"b{i}"]
        A.append(np.where(Z > 0, Z, 0.0))
    return [*A[:-1], np.exp(Z - logsumexp(Z, axis=1, keepdims=True))]


DEEP = ((1, 11, (4, 6, 5, 3)), (2, 13, (3, 6, 7, 4, 5)), (3, 9, (5, 4)), (4, 17, (6, 8, 7)),
        (98, 7, (2, 3, 2, 3, 2, 3, 2, 3, 2, 4, 3)))  # ten layers: W10 is not the second


def _forward_cases():
    X, _, far = sample(5, 9, (2, 5, 4, 3))
    return [*(sample(*sizes)[::2] for sizes in DEEP), (X, {**far, "W3": 1000 * far["W3"]})]


deep_forward = Exercise(
    id="10-deep-backprop",
    name="deep_forward",
    truth=_deep_forward,
    cases=_forward_cases,
    returns=("A",),
    data=DATA,
    uses=(softmax,),
    tolerance=1e-10,
    hint="start the list with `X`; each layer reads the last entry and appends its own.",
    unlocks="Any number of layers, one loop.",
)


def _kink():
    """Return a case in which some sums are exactly 0: blank inputs, units without a bias."""
    X, y, params = sample(5, 9, (4, 7, 5, 3))
    X[:4] = 0
    params["b1"][[0, 3, 6]] = 0
    return X, y, params


deep_gradients = Exercise(
    id="10-deep-backprop",
    name="deep_backprop",
    truth=gradients,
    cases=lambda: [*((*sample(*sizes), reg) for sizes, reg in zip(
        DEEP, (0.3, 0.07, 0.0, 0.2, 0.1), strict=True)), (*_kink(), 0.02)],
    returns=("grads",),
    data=DATA | {"reg"},
    uses=(softmax, softmax_delta, deep_forward),
    tolerance=1e-12,
    rounding=2e-9,
    checker="Run your `check_gradients` on three layers first: it says where the fault begins.",
    hint="from the last layer to the first: gradient of its weights, of its biases, then the "
         "error one layer back. `diagnose` names the first layer that is wrong.",
    unlocks="You have written backpropagation for any number of layers.",
)

deep_backprop = Group("10-deep-backprop", (deep_forward, deep_gradients),
                      unlocks="This is what every deep network does, and you wrote it.")


# 10-initialise

def _initialise(sizes, kind, rng):
    params = {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        variance = {"xavier": 2 / (n_in + n_out), "he": 2 / n_in}.get(kind)
        spread = kind if variance is None else math.sqrt(variance)
        params[f"W{i}"] = np.array([[spread * rng.standard_normal() for _ in range(n_out)]
                                    for _ in range(n_in)])
        params[f"b{i}"] = np.zeros(n_out)
    return params


initialise = Exercise(
    id="10-initialise",
    name="initialise",
    truth=_initialise,
    cases=lambda: [(sizes, kind, np.random.default_rng(seed)) for seed, (sizes, kind) in enumerate((
        ((5, 7, 3), "he"), ((9, 4, 6, 11), "xavier"), ((3, 8), 0.3), ((4, 11, 5), "he"),
        ((7, 3, 10), "xavier"), ((6, 9, 4), 2.5)), start=1)],
    returns=("params",),
    data=DATA | {"sizes"},
    tolerance=1e-12,
    hint="for each layer the spread by `kind`, then `rng.normal(size=(n_in, n_out))` times it, and "
         "zeros for the biases.",
    unlocks="Now you decide how loud a network is at its first word.",
)


# 10-norms-per-layer

def _norms_per_layer(A, grads):
    def rms(array):
        return math.sqrt(math.fsum(float(v) ** 2 for v in array.flat) / array.size)

    return (np.array([rms(a) for a in A[1:-1]]),
            np.array([rms(grads[f"W{i}"]) for i in range(1, len(A))]))


def _norms_cases():
    cases = []
    for sizes in (DEEP[0], DEEP[1], DEEP[4]):
        X, y, params = sample(*sizes)
        cases.append((_deep_forward(X, params), gradients(X, y, params, 0.1)))
    return cases


norms_per_layer = Exercise(
    id="10-norms-per-layer",
    name="norms_per_layer",
    truth=_norms_per_layer,
    cases=_norms_cases,
    returns=("activations", "gradients"),
    data=DATA,
    tolerance=1e-10,
    hint="the root of the mean of the squares, for each array between the first and the last of "
         "`A`, and for each weight matrix of `grads`, in the order of the layers.",
    unlocks="You can now see at which layer a signal is lost.",
)
