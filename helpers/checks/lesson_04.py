"""Lesson 04: from scalars to matrices, tanh, a stable loss, an update that makes a new dict."""

from __future__ import annotations

import numpy as np
from scipy.special import log_expit

from helpers.checks.exercise import Exercise, no_sizes
from helpers.checks.lesson_01 import sigmoid
from helpers.checks.lesson_03 import accuracy
from helpers.checks.truth import complex_gradients, rings_network


def params_case(seed, *shapes):
    """Return a dict W1, b1, W2, b2, … of generic numbers for layers of these (in, out) shapes."""
    rng = np.random.default_rng(seed)
    params = {}
    for layer, (before, after) in enumerate(shapes, 1):
        params[f"W{layer}"] = rng.normal(size=(before, after))
        params[f"b{layer}"] = rng.normal(size=after)
    return params


def rings_case(seed, N, D, H, K=1):
    """Return X (N, D), y (N, K) of zeros and ones in any order, params: all sizes different."""
    rng = np.random.default_rng(seed + 100)
    y = rng.permuted(np.repeat([[0.0], [1.0]], [N // 2, N - N // 2], axis=0) + np.zeros(K), axis=0)
    return rng.normal(size=(N, D)), y, params_case(seed, (D, H), (H, K))


def sure_of_itself(case, factor=300.0):
    """Return a case with logits so large that sigmoid is exactly 0 or 1 for most samples."""
    X, y, params = case
    return X, y, {**params, "W2": factor * params["W2"], "b2": factor * params["b2"]}


def _forward(X, params):
    return dict(zip(("Z1", "A1", "Z2", "Y_hat"), rings_network(X, params), strict=True))


forward = Exercise(
    "04-forward", "forward", truth=_forward, returns=("cache",), uses=(sigmoid,),
    cases=lambda: [(X, params) for X, _, params in (
        rings_case(1, 7, 4, 5, 1), rings_case(2, 11, 3, 6, 2), rings_case(3, 9, 5, 4, 3))],
    hint="compute `Z1`, `A1`, `Z2`, `Y_hat` one after the other and look at each shape.",
    unlocks="Every array has its name, and the biases stand on their own.")


def _cross_entropy(y, z):
    terms = np.where(y == 1, log_expit(z), np.where(y == 0, log_expit(-z), (
        y * log_expit(z) + (1 - y) * log_expit(-z))))
    return -float(sum(map(float, terms.ravel()))) / len(terms)


def _loss_cases():
    rng = np.random.default_rng(5)
    def labels(N):
        return (rng.permutation(N)[:, None] % 2 == 0).astype(float)
    return [(labels(7), 2 * rng.normal(size=(7, 1))), (labels(11), 4 * rng.normal(size=(11, 1))),
            (np.array([[1.0], [0.0], [0.0], [1.0], [0.0]]),
             np.array([[41.0], [-44.0], [-2.5], [-0.75], [39.0]])),
            (np.array([[1.0], [0.0], [1.0], [0.0], [1.0], [0.0]]),
             np.array([[1000.0], [-1000.0], [-1000.0], [1000.0], [0.5], [700.0]]))]


def _lost_digits(function):
    """Return a remark where a loss that is tiny on all samples has lost its digits."""
    y, z = np.array([[1.0], [0.0], [1.0]]), np.array([[40.0], [-38.5], [43.0]])
    loss, wanted = float(function(y, z)), _cross_entropy(y, z)
    return None if np.isclose(loss, wanted, rtol=1e-9, atol=0) else (
        f"It survives. Only where it is tiny it loses its digits: for samples that are right, with "
        f"logits near ±40, it says {loss:.4g} in place of {wanted:.4g}. A tiny number is lost when "
        "it is added to 1, or to a large one that is taken away again; `np.log1p` keeps it.")


logistic_cross_entropy = Exercise(
    "04-logistic-cross-entropy", "logistic_cross_entropy", truth=_cross_entropy, returns=("loss",),
    uses=(sigmoid,), cases=_loss_cases, besides=_lost_digits,
    hint="write log(1 + exp(z)) as max(z, 0) + log(1 + exp(−|z|)), in a small function of its "
         "own, and use it for z and for −z.",
    unlocks="As far down as a float reaches, it keeps its digits.")


def _backprop_cases():
    return [rings_case(1, 7, 4, 5), rings_case(2, 11, 3, 6), rings_case(3, 13, 5, 4),
            sure_of_itself(rings_case(4, 9, 2, 7))]


def _gradients(X, y, params):
    """Return the gradient of the mean logistic cross-entropy."""
    def loss(params):
        z = rings_network(X, params)[2]
        away = np.where(z.real > 0, -z, z)  # its exponential cannot overflow
        return (np.where(z.real > 0, z, 0) + np.log(1 + np.exp(away)) - y * z).sum() / len(y)

    return complex_gradients(loss, params)


backprop = Exercise(
    "04-backprop", "backprop", truth=_gradients, returns=("grads",), uses=(forward, sigmoid),
    cases=_backprop_cases,
    hint="first `forward`, then `dZ2` with its 1/N, then back through `W2` and through tanh to "
         "`dZ1`; then two products and two sums.",
    unlocks="Every gradient has its number and its shape, even where a probability is exactly 1.")


def _sgd_step(params, grads, learning_rate):
    return {key: W - learning_rate * grads[key] for key, W in params.items()}


sgd_step = Exercise(
    "04-sgd-step", "sgd_step", truth=_sgd_step, returns=("params",), sizes=no_sizes,
    cases=lambda: [
        (params_case(1, (2, 5), (5, 3)), params_case(11, (2, 5), (5, 3)), 0.3),
        (params_case(2, (4, 3), (3, 1)),  # gradients in the order in which they are found
         dict(reversed(params_case(12, (4, 3), (3, 1)).items())), 1.7),
        (params_case(3, (3, 4), (4, 6), (6, 2)), params_case(13, (3, 4), (4, 6), (6, 2)), 0.07)],
    hint="for every key of `params`: old array minus learning rate times gradient, stored in a new "
         "dict.",
    unlocks="The old parameters are still there, unchanged.")


def _train(X, y, params, learning_rate, steps):
    history = {"loss": [], "accuracy": []}
    for _ in range(steps):
        Z1, A1, Z2, Y_hat = rings_network(X, params)
        history["loss"].append(_cross_entropy(y, Z2))
        history["accuracy"].append(accuracy.truth(y, Y_hat))
        params = _sgd_step(params, _gradients(X, y, params), learning_rate)
    return params, history


def _train_cases():
    return [(*rings_case(1, 7, 4, 5), 0.4, 4), (*rings_case(2, 11, 3, 6), 1.3, 6),
            (*sure_of_itself(rings_case(4, 9, 2, 7), 100.0), 0.8, 3)]


train = Exercise(
    "04-train", "train", truth=_train, returns=("params", "history"),
    uses=(forward, logistic_cross_entropy, backprop, sgd_step, accuracy, sigmoid),
    cases=_train_cases,
    hint="in each step: `forward`, append loss and accuracy, `backprop`, `sgd_step`.",
    unlocks="Every step is on record, and the caller's parameters stay as they were.")
