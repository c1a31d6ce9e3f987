"""Lesson 05: softmax, cross-entropy, regularisation, initial weights."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import softmax as scipy_softmax

from helpers.checks.exercise import Exercise, no_sizes
from helpers.checks.truth import complex_gradients, dense


def _softmax_cases():
    rng = np.random.default_rng(1)
    square = np.random.default_rng(2).normal(size=(4, 4)) * 2
    far = np.array([[1000.0, -999.0, -1000.0], [-1001.0, -1000.0, -1000.5],
                    [500.0, 499.0, -500.0], [0.5, -1.0, 2.0], [-1.0, 710.0, 711.0]])
    small = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 1.5]])
    return [(small,), (rng.normal(size=(7, 3)) * 2 + 1,), (square,), (far,)]


softmax = Exercise(
    "05-softmax", "softmax", truth=lambda Z: scipy_softmax(Z, axis=1),
    sizes=lambda Z: {"N": len(Z), "K": Z.shape[1]},
    tolerance=1e-12, rounding=1e-13,  # a guard of 1e-12 is told from a result that is rounded
    cases=_softmax_cases,
    hint="subtract each row's maximum, then the exponential, then divide each row by its sum.",
    unlocks="Any number of classes now share a probability of 1, whatever the logits.")


def _cross_entropy(y, Y_hat):
    return float(sum(-math.log(max(float(row[int(k)]), 1e-300))
                     for k, row in zip(y, Y_hat, strict=True)) / len(y))


def labelled(seed, N, K, kind=int):
    """Return labels (N,), every class among them, in no order."""
    rng = np.random.default_rng(seed)
    return rng.permutation(np.append(np.arange(K), rng.integers(0, K, size=N - K))).astype(kind)


def _cross_entropy_cases():
    cases = [(labelled(seed, N, K, kind), scipy_softmax(
        np.random.default_rng(seed).normal(size=(N, K)) * 2, axis=1))
             for seed, N, K, kind in ((1, 7, 3, int), (2, 11, 5, np.uint8), (3, 13, 2, int))]
    sure = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.25, 0.0, 0.75], [0.5, 0.5, 0.0]])
    return [*cases, (np.array([0, 1, 0, 1]), sure), (np.array([0, 2, 2, 2]), sure)]


cross_entropy = Exercise(
    "05-cross-entropy", "cross_entropy", truth=_cross_entropy,
    sizes=lambda y, Y_hat: {"N": len(y), "K": Y_hat.shape[1]}, cases=_cross_entropy_cases,
    hint="pick the probability of the true class in each row, keep it above 1e-300, take the log, "
         "then minus the mean.",
    unlocks="One number says how surprised the network is by the true classes.")


# The network, and the loss in a form that complex steps can go through

def _logits(X, params):
    """Return Z2 (N, K)."""
    A1 = np.tanh(dense(X, params["W1"]) + params["b1"])
    return dense(A1, params["W2"]) + params["b2"]


def _mean_loss(y, Z2):
    """Return the mean cross-entropy from logits, analytic in Z2."""
    top = Z2.real.max(axis=1)
    total = 0
    for z, m, k in zip(Z2, top, y, strict=True):
        total = total + np.log(np.sum(np.exp(z - m))) + m - z[int(k)]
    return total / len(y)


def _objective(X, y, params, reg):
    penalty = sum((w * w).sum() for w in (params["W1"], params["W2"]))
    return _mean_loss(y, _logits(X, params)) + reg / 2 * penalty


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


def _output_delta(y, Y_hat):
    return np.array([[(p - (k == c)) / len(y) for k, p in enumerate(row)]
                     for c, row in zip(y, Y_hat.tolist(), strict=True)])


def _delta_cases():
    cases = [(y, scipy_softmax(_logits(X, params), axis=1)) for X, y, params, _ in _network_cases()]
    sure = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.25, 0.0, 0.75], [0.5, 0.5, 0.0],
                     [0.0, 0.125, 0.875]])
    return [*cases, (np.array([0, 2, 2, 0, 2]), sure)]


softmax_delta = Exercise(
    "05-softmax-delta", "output_delta", truth=_output_delta, returns=("dZ2",),
    sizes=lambda y, Y_hat: {"N": len(y), "K": Y_hat.shape[1]}, cases=_delta_cases,
    hint="copy `Y_hat`, take 1 from the true class of each row, divide by the number of samples.",
    unlocks="So short, because the softmax and the logarithm are made for each other.")


def _loss(X, y, params, reg):
    return float(_objective(X, y, params, reg))


loss = Exercise(
    "05-loss", "loss", truth=_loss, uses=(softmax, cross_entropy), sizes=_sizes,
    cases=_network_cases,
    hint="forward, cross-entropy from the logits, plus reg/2 times the sum of all squared weights.",
    unlocks="The network now pays for every large weight.")


def _backprop(X, y, params, reg):
    return complex_gradients(lambda p: _objective(X, y, p, reg), params)


backprop = Exercise(
    "05-backprop", "backprop", truth=_backprop, returns=("grads",),
    uses=(softmax, cross_entropy, softmax_delta), sizes=_sizes, cases=_network_cases,
    hint="`dZ2` from `output_delta`; `dZ1` through `W2` and tanh; each weight: input.T @ error "
         "plus reg · W; each bias: the error summed over the samples, `axis=0`.",
    unlocks="A gradient for any number of classes, with a penalty on the weights.")


def _initialise(D, H, K, rng):
    def layer(n_in, n_out):  # one draw at a time, row by row
        return np.array([[rng.normal() / math.sqrt(n_in) for _ in range(n_out)]
                         for _ in range(n_in)])
    return {"W1": layer(D, H), "b1": np.zeros(H), "W2": layer(H, K), "b2": np.zeros(K)}


initialise = Exercise(
    "05-initialise", "initialise", truth=_initialise, returns=("params",), sizes=no_sizes,
    cases=lambda: [(3, 5, 2, np.random.default_rng(1)), (4, 7, 3, np.random.default_rng(2)),
                   (2, 9, 5, np.random.default_rng(3))],
    hint="`W1` first, then `W2`, both with `rng.normal(size=...)` of the given generator, "
         "each divided by the root of its number of inputs; biases zero.",
    unlocks="Every layer starts with sums of about the same size, however many inputs it has.")


def _train(X, y, params, learning_rate, steps, reg):
    history = {"loss": []}
    for _ in range(steps):
        history["loss"].append(_loss(X, y, params, reg))
        grads = _backprop(X, y, params, reg)
        params = {k: params[k] - learning_rate * grads[k] for k in params}
    return params, history


def _train_cases():
    return [(*network_case(1, 7, 3, 5, 2, 0.2)[:3], 0.6, 4, 0.2),
            (*network_case(2, 9, 2, 6, 4, 0.05)[:3], 0.25, 6, 0.05)]


train = Exercise(
    "05-train", "train", truth=_train, returns=("params", "history"),
    uses=(softmax, cross_entropy, softmax_delta, loss, backprop), cases=_train_cases,
    hint="in each step: record the loss, then all gradients, then all updates.",
    unlocks="Your training loop now serves any data, any width and any number of classes.")
