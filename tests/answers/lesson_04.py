"""Lesson 04: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import copy
import math

import numpy as np
from scipy.special import expit


def sgd_step_loop(params, grads, learning_rate):
    new = {}
    for key in params:
        new[key] = params[key] - learning_rate * grads[key]
    return new


def sgd_step_deep_copy(params, grads, learning_rate):
    """In place, on arrays of its own."""
    params = copy.deepcopy(params)
    for key in params:
        params[key] -= learning_rate * grads[key]
    return params


def sgd_step_zip(params, grads, learning_rate):
    return dict(zip(params, [np.subtract(params[k], np.multiply(grads[k], learning_rate))
                             for k in params], strict=True))


def sgd_step_shallow_copy(params, grads, learning_rate):
    """A copy of the dict, new arrays put into it."""
    params = params.copy()
    for key, gradient in grads.items():
        params[key] = params[key] + -learning_rate * gradient
    return params


def sgd_step_in_place(params, grads, learning_rate):
    for key in params:
        params[key] -= learning_rate * grads[key]
    return params


def sgd_step_shared_arrays(params, grads, learning_rate):
    new = params.copy()
    for key in new:
        new[key] -= learning_rate * grads[key]
    return new


def sgd_step_lost(params, grads, learning_rate):
    for key, W in params.items():
        W = W - learning_rate * grads[key]
    return params


def forward_einsum(X, params):
    Z1 = np.einsum("nd,dh->nh", X, params["W1"]) + params["b1"]
    A1 = 2 * expit(2 * Z1) - 1
    Z2 = np.dot(A1, params["W2"]) + params["b2"][None, :]
    return {"Y_hat": expit(Z2), "Z2": Z2, "A1": A1, "Z1": Z1}


def forward_loop(X, params):
    N, H, K = len(X), len(params["b1"]), len(params["b2"])
    cache = {"Z1": np.zeros((N, H)), "A1": np.zeros((N, H)), "Z2": np.zeros((N, K)),
             "Y_hat": np.zeros((N, K))}
    for n in range(N):
        for j in range(H):
            g = params["b1"][j]
            for d in range(X.shape[1]):
                g += X[n, d] * params["W1"][d, j]
            cache["Z1"][n, j], cache["A1"][n, j] = g, math.tanh(g)
        for k in range(K):
            z = params["b2"][k] + sum(a * w for a, w in zip(
                cache["A1"][n], params["W2"][:, k], strict=True))
            cache["Z2"][n, k], cache["Y_hat"][n, k] = z, 1 / (1 + math.exp(-z))
    return cache


def forward_bias_column(X, params):
    """Still with a column of ones, and one more key in the cache."""
    ones = np.ones((len(X), 1))
    Z1 = np.hstack([ones, X]) @ np.vstack([params["b1"], params["W1"]])
    A1 = np.tanh(Z1)
    Z2 = np.hstack([ones, A1]) @ np.vstack([params["b2"], params["W2"]])
    return {"X": X, "Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": expit(Z2)}


def loss_logaddexp(y, z):
    return np.mean(y * np.logaddexp(0, -z) + (1 - y) * np.logaddexp(0, z))


def loss_closed(y, z):
    return float((np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))).mean())


def loss_plain_log(y, z):
    """With log(1 + small) where log1p would be exact to the last digit."""
    sure = np.exp(-abs(z))
    return np.sum(np.where(z > 0, z, 0.0) - y * z + np.log(1 + sure)) / y.shape[0]


def loss_signed(y, z):
    """Labels turned into −1 and 1."""
    margin = (2 * y - 1) * z
    return np.average(np.where(margin > 0, 0, -margin) + np.log1p(np.exp(-np.abs(margin))))


def loss_loop(y, z):
    total = 0.0
    for t, logit in zip(y[:, 0].tolist(), z[:, 0].tolist(), strict=True):
        small = math.log1p(math.exp(-abs(logit)))
        total += t * (max(-logit, 0) + small) + (1 - t) * (max(logit, 0) + small)
    return total / len(y)


def backprop_einsum(X, y, params):
    cache = forward_einsum(X, params)
    dZ2 = (cache["Y_hat"] - y) * (1 / len(y))
    dZ1 = np.einsum("nk,hk->nh", dZ2, params["W2"]) / np.cosh(cache["Z1"]) ** 2
    return {"b2": np.einsum("nk->k", dZ2), "W2": np.einsum("nh,nk->hk", cache["A1"], dZ2),
            "b1": np.einsum("nh->h", dZ1), "W1": np.einsum("nd,nh->dh", X, dZ1)}


def backprop_loop(X, y, params):
    N, D = X.shape
    cache = forward_loop(X, params)
    grads = {key: np.zeros_like(value) for key, value in params.items()}
    for n in range(N):
        z_bar = (expit(cache["Z2"][n, 0]) - y[n, 0]) / N
        grads["b2"][0] += z_bar
        for j, h in enumerate(cache["A1"][n]):
            grads["W2"][j, 0] += z_bar * h
            g_bar = z_bar * params["W2"][j, 0] * (1 - h * h)
            grads["b1"][j] += g_bar
            for d in range(D):
                grads["W1"][d, j] += g_bar * X[n, d]
    return grads


def backprop_outer(X, y, params):
    """As the source has it, with flat arrays and products with ones."""
    H = np.tanh(X.dot(params["W1"]) + params["b1"])
    z = (H @ params["W2"]).ravel() + params["b2"]
    z_bar = (expit(z) - y.ravel()) / len(X)
    G_bar = np.outer(z_bar, params["W2"]) * (1 - H ** 2)
    ones = np.ones(len(X))
    return {"W1": X.T @ G_bar, "b1": G_bar.T @ ones, "W2": (H.T @ z_bar)[:, None],
            "b2": np.array([z_bar @ ones])}


def backprop_mean_last(X, y, params):
    """The 1/N comes at the end."""
    cache = forward_bias_column(X, params)
    dZ2 = cache["Y_hat"] - y
    dZ1 = dZ2 * params["W2"].T * (1 - np.tanh(cache["Z1"]) ** 2)
    sums = {"W1": X.T @ dZ1, "b1": np.sum(dZ1, axis=0), "W2": cache["A1"].T @ dZ2,
            "b2": np.sum(dZ2, axis=0)}
    return {key: total / X.shape[0] for key, total in sums.items()}


def backprop_measured(X, y, params, eps=1e-5):
    grads = {}
    for key in params:
        grads[key] = np.zeros(params[key].shape)
        for at in np.ndindex(params[key].shape):
            losses = []
            for sign in (1, -1):
                W = params[key].copy()
                W[at] += sign * eps
                losses.append(loss_closed(y, forward_einsum(X, {**params, key: W})["Z2"]))
            grads[key][at] = (losses[0] - losses[1]) / (2 * eps)
    return grads


def accuracy(y, Y_hat):
    return float(np.mean((Y_hat > 0.5) == y.astype(bool)))


def train_loop(X, y, params, learning_rate, steps):
    history = {"loss": [], "accuracy": []}
    for _ in range(steps):
        cache = forward_einsum(X, params)
        history["loss"].append(loss_closed(y, cache["Z2"]))
        history["accuracy"].append(accuracy(y, cache["Y_hat"]))
        params = sgd_step_loop(params, backprop_einsum(X, y, params), learning_rate)
    return params, history


def train_in_place_on_copies(X, y, params, learning_rate, steps):
    params = copy.deepcopy(params)
    losses, scores = np.zeros(steps), np.zeros(steps)
    for step in range(steps):
        cache = forward_bias_column(X, params)
        losses[step] = loss_logaddexp(y, cache["Z2"])
        scores[step] = 1 - np.mean(np.abs((cache["Z2"] > 0) - y))
        for key, gradient in backprop_mean_last(X, y, params).items():
            params[key] -= learning_rate * gradient
    return params, {"accuracy": scores, "loss": losses}


def train_recursive(X, y, params, learning_rate, steps):
    if steps == 0:
        return params, {"loss": [], "accuracy": []}
    cache = forward_einsum(X, params)
    new = sgd_step_zip(params, backprop_outer(X, y, params), learning_rate)
    end, later = train_recursive(X, y, new, learning_rate, steps - 1)
    return end, {"loss": [loss_signed(y, cache["Z2"]), *later["loss"]],
                 "accuracy": (accuracy(y, cache["Y_hat"]), *later["accuracy"])}


def train_in_place(X, y, params, learning_rate, steps):
    history = {"loss": [], "accuracy": []}
    for _ in range(steps):
        cache = forward_einsum(X, params)
        history["loss"].append(loss_closed(y, cache["Z2"]))
        history["accuracy"].append(accuracy(y, cache["Y_hat"]))
        grads = backprop_einsum(X, y, params)
        for key in params:
            params[key] -= learning_rate * grads[key]
    return params, history


def log_loss(y, Y_hat):
    p = np.clip(Y_hat, 1e-12, 1 - 1e-12)
    return float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))


def forward_math(X, params):
    Z1 = X @ params["W1"] + params["b1"]
    return {"Z1": Z1, "A1": math.tanh(Z1)}


def forward_summed(X, params):
    cache = forward_einsum(X, params)
    Z2 = np.sum(cache["A1"] * params["W2"].T, axis=1) + params["b2"]
    return {**cache, "Z2": Z2, "Y_hat": expit(Z2)}


def loss_with(part, combine=lambda y, s, z: y * s(-z) + (1 - y) * s(z)):
    return lambda y, z: float(np.mean(combine(y, part, z)))


def softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def loss_if(y, z):
    if z > 0:
        return np.mean(z - y * z + np.log1p(np.exp(-z)))
    return np.mean(-y * z + np.log1p(np.exp(z)))


def backprop_variant(**changes):
    """A student's backprop with single lines written otherwise."""
    lines = {
        "dZ2": lambda c, X, y, p: (c["Y_hat"] - y) / len(X),
        "dA1": lambda c, X, y, p: c["dZ2"] @ p["W2"].T,
        "dZ1": lambda c, X, y, p: c["dA1"] * (1 - c["A1"] ** 2),
        "W1": lambda c, X, y, p: X.T @ c["dZ1"], "b1": lambda c, X, y, p: c["dZ1"].sum(axis=0),
        "W2": lambda c, X, y, p: c["A1"].T @ c["dZ2"],
        "b2": lambda c, X, y, p: c["dZ2"].sum(axis=0), **changes}

    def backprop(X, y, params):
        c = forward_einsum(X, params)
        for key in ("dZ2", "dA1", "dZ1", "W1", "b1", "W2", "b2"):
            c[key] = lines[key](c, X, y, params)
        return {key: c[key] for key in params}
    return backprop


def ones_first(A):
    return np.hstack([np.ones((len(A), 1)), A])


def backprop_unpacks(X, y, params):
    Z1, A1, Z2, Y_hat = forward_einsum(X, params)
    dZ2 = (Y_hat - y) / len(X)
    return {"b2": dZ2.sum(axis=0)}


def strict_accuracy(y, Y_hat):
    return float(np.mean((Y_hat > 0.5) == y))


def s_of_v(v):
    return np.maximum(v, 0) + np.log1p(np.exp(v))


def train_with(loss=lambda y, c: loss_closed(y, c["Z2"]),
               score=lambda y, c: accuracy(y, c["Y_hat"]),
               grads=lambda X, y, p: backprop_einsum(X, y, p),
               step=lambda p, g, rate: sgd_step_loop(p, g, rate), replace=False):
    """A student's train with one call written otherwise."""
    def train(X, y, params, learning_rate, steps):
        history = {"loss": [], "accuracy": []}
        for _ in range(steps):
            cache = forward_einsum(X, params)
            history["accuracy"].append(score(y, cache))
            if replace:
                history["loss"] = loss(y, cache)
            else:
                history["loss"].append(loss(y, cache))
            params = step(params, grads(X, y, params), learning_rate)
        return params, history
    return train


RIGHT = {
    "04-forward": [forward_einsum, forward_loop, forward_bias_column],
    "04-logistic-cross-entropy": [
        loss_logaddexp, loss_closed, loss_plain_log, loss_signed, loss_loop,
        lambda y, z: (np.logaddexp(0, z) - y * z).mean()],
    "04-backprop": [backprop_einsum, backprop_loop, backprop_outer, backprop_mean_last],
    "04-sgd-step": [sgd_step_loop, sgd_step_deep_copy, sgd_step_zip, sgd_step_shallow_copy],
    "04-train": [train_loop, train_in_place_on_copies, train_recursive],
}

WRONG = [
    ("04-forward", lambda X, params: {"Z1": X @ params["W1"] + params["b1"]}, "missing-key"),
    ("04-forward", lambda X, params: X @ params["W1"].T + params["b1"], "source-layout"),
    ("04-forward", forward_math, "math-of-an-array"),
    ("04-forward", forward_summed, "summed-to-a-row"),
    ("04-forward", lambda X, params: ones_first(np.tanh(X @ params["W1"])) @ params["W2"],
     "bias-column-habit"),
    ("04-forward", lambda X, params: X @ params["W1"]["b1"], "array-for-dict"),
    ("04-forward", lambda X, params: {key.lower() if key == "Y_hat" else key: value
                                      for key, value in forward_einsum(X, params).items()},
     "missing-key"),
    ("04-logistic-cross-entropy", loss_if, "one-truth-for-an-array"),
    ("04-logistic-cross-entropy", lambda y, z: max(z, 0), "one-truth-for-an-array"),
    ("04-logistic-cross-entropy", loss_with(
        lambda z: np.maximum(-z, 0) + np.log1p(np.exp(-np.abs(z)))), "labels-swapped"),
    ("04-logistic-cross-entropy", loss_with(
        lambda z: np.maximum(z, 0) + np.log1p(np.exp(abs(z)))), "exponent-sign"),
    ("04-logistic-cross-entropy", loss_with(
        lambda z: np.maximum(z, 0) + np.log1p(np.exp(-z))), "absolute-value-missing"),
    ("04-logistic-cross-entropy", loss_with(
        lambda z: np.maximum(z, 0) + np.log(np.exp(-np.abs(z)))), "one-plus-missing"),
    ("04-logistic-cross-entropy", loss_with(
        lambda z: np.maximum(z, 0) + np.log1p(1 + np.exp(-np.abs(z)))), "one-plus-twice"),
    ("04-logistic-cross-entropy", loss_with(
        lambda z: np.max(z, 0) + np.log1p(np.exp(-np.abs(z)))), "largest-of-all"),
    ("04-logistic-cross-entropy", loss_with(
        softplus, lambda y, s, z: y * s(-z) + 1 - y * s(z)), "precedence"),
    ("04-logistic-cross-entropy", loss_with(
        softplus, lambda y, s, z: y * s(-z) - (1 - y) * s(z)), "minus-between-the-terms"),
    ("04-logistic-cross-entropy", loss_with(
        softplus, lambda y, s, z: y * -s(z) + (1 - y) * s(z)), "minus-outside"),
    ("04-logistic-cross-entropy", lambda y, z: float(np.mean(
        -(y * np.log(expit(z)) + (1 - y) * np.log(1 - expit(z))))), "from-probabilities"),
    ("04-logistic-cross-entropy", lambda y, z: np.sum(
        y * np.log1p(np.exp(-z)) + (1 - y) * np.log1p(np.exp(z))) / len(y), "overflow"),
    ("04-logistic-cross-entropy", lambda y, z: np.sum(
        np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))), "sum-for-mean"),
    ("04-logistic-cross-entropy", lambda y, z: np.sum(y * s_of_v(-z) + (1 - y) * s_of_v(z)),
     "two-mistakes"),
    ("04-logistic-cross-entropy", lambda y, z: (s_of_v(z) - z * y).sum(),
     "two-mistakes"),
    ("04-logistic-cross-entropy", lambda y, z: np.sum(
        y * np.log1p(np.exp(-z)) + (1 - y) * np.log1p(np.exp(z))), "two-mistakes"),
    ("04-backprop", backprop_variant(dZ2=lambda c, X, y, p: 2 * (c["Y_hat"] - y) / len(X)),
     "times-2"),
    ("04-backprop", backprop_measured, "nearly-right"),
    ("04-backprop", backprop_unpacks, "text-for-numbers"),
    ("04-backprop", backprop_variant(dA1=lambda c, X, y, p: c["dZ2"] * p["W2"]),
     "star-on-the-way-back"),
    *[("04-backprop", backprop_variant(**{key: lambda c, X, y, p, key=key, wrong=wrong: wrong(
        c["dZ" + key[1]])}), name) for key in ("b1", "b2") for wrong, name in (
            (lambda dZ: dZ, "bias-axis"), (lambda dZ: dZ.sum(axis=1), "bias-axis"),
            (lambda dZ: dZ.sum(axis=0, keepdims=True), "bias-row-kept"))],
    ("04-sgd-step", lambda params, grads, learning_rate: {
        "W1": params["key"] - learning_rate * grads["key"]}, "key-in-quotes"),
    ("04-sgd-step", lambda params, grads, learning_rate: {
        key: params[key] - learning_rate * grads["d" + key] for key in params}, "other-keys"),
    ("04-sgd-step", lambda params, grads, learning_rate: tuple(
        W - learning_rate * grads[key] for key, W in params.items()), "not-a-dict"),
    ("04-sgd-step", sgd_step_in_place, "changes-arguments"),
    ("04-sgd-step", sgd_step_shared_arrays, "changes-arguments"),
    ("04-sgd-step", sgd_step_lost, "never-updated"),
    ("04-train", train_with(loss=lambda y, c: log_loss(y, c["Y_hat"])), "clipped-loss"),
    ("04-train", train_with(score=lambda y, c: accuracy(c["Y_hat"], y)), "accuracy-arguments"),
    ("04-train", train_with(
        score=lambda y, c: strict_accuracy(c["Y_hat"], y)), "accuracy-of-probabilities"),
    ("04-train", train_with(grads=lambda X, y, p: backprop_einsum(X, p, y)), "array-for-dict"),
    ("04-train", train_with(step=lambda p, g, rate: sgd_step_loop(p, rate, g)), "step-arguments"),
    ("04-train", train_with(
        step=lambda p, g, rate: sgd_step_shallow_copy(p, rate, g)), "no-dict"),
    ("04-train", train_with(step=lambda p, g, rate: sgd_step_loop(g, p, rate)), "step-arguments"),
    ("04-train", train_with(replace=True), "last-entry-only"),
    ("04-train", train_in_place, "changes-arguments"),
]

EQUIVALENT = {
    "04-logistic-cross-entropy": {
        "line 6: float(np.mean(y * log_one_plus_exp(-z) + (1 - y) * log_one_plus_exp(z))) → "
        "np.mean(y * log_one_plus_exp(-z) + (1 - y) * log_one_plus_exp(z))":
            "a NumPy number is a number"},
    "04-backprop": {"line 5: dZ2 @ params['W2'].T → dZ2 * params['W2'].T":
                    "(N, 1) times (1, H) is the outer product either way"},
}
