"""Lesson 02: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from answers.lesson_01 import (
    forward_einsum,
    forward_list,
    numerical_gradient_basis,
    sigmoid_loop,
)


def chain_rule_closed(x):
    value = math.exp(math.sin(x ** 2))
    return value, value * math.cos(x ** 2) * 2 * x


def chain_rule_numpy(x):
    a = np.square(x)
    b = np.sin(a)
    c = np.exp(b)
    dc = 1.0
    db = dc * c
    da = db * np.cos(a)
    return c, da * 2 * x


def sigmoid_prime_two_tails(z):
    return expit(z) * expit(-z)


def sigmoid_prime_even(z):
    small = np.exp(-np.abs(z))
    return small / (1 + small) ** 2


def hidden_delta_einsum(dZ2, W2, Z1):
    A1 = expit(Z1)
    return np.einsum("nk,hk->nh", dZ2, W2[1:]) * A1 * (1 - A1)


def hidden_delta_loop(dZ2, W2, Z1):
    dZ1 = np.zeros(Z1.shape)
    for n in range(len(Z1)):
        for h in range(Z1.shape[1]):
            for k in range(dZ2.shape[1]):
                dZ1[n, h] += W2[h + 1, k] * dZ2[n, k] * sigmoid_prime_even(Z1[n, h])
    return dZ1


def hidden_delta_whole(dZ2, W2, Z1):
    """All rows first, the bias column cut off afterwards."""
    return np.dot(dZ2, W2.T)[:, 1:] * sigmoid_prime_even(Z1)


def backprop_from_activations(X_b, y, W1, W2):
    Z1, A1, Y_hat = forward_einsum(X_b, W1, W2)
    dZ2 = -(y - Y_hat)
    dW2 = np.vstack([dZ2.sum(axis=0), A1.T @ dZ2])
    dZ1 = np.dot(dZ2, W2[1:, :].T) * (A1 * (1 - A1))
    return np.dot(X_b.T, dZ1), dW2


def backprop_loop(X_b, y, W1, W2):
    dW1, dW2 = np.zeros_like(W1), np.zeros_like(W2)
    for x, t in zip(X_b, y, strict=True):
        z = x @ W1
        a = np.append(1, expit(z))
        error = a @ W2 - t
        dW2 += np.outer(a, error)
        dW1 += np.outer(x, (W2[1:] @ error) * sigmoid_prime_even(z))
    return dW1, dW2


def backprop_einsum(X_b, y, W1, W2):
    Z1 = X_b @ W1
    A1_b = np.c_[np.ones(len(X_b)), expit(Z1)]
    dZ2 = A1_b @ W2 - y
    dZ1 = hidden_delta_einsum(dZ2, W2, Z1)
    return [np.einsum("nd,nh->dh", X_b, dZ1), np.einsum("nh,nk->hk", A1_b, dZ2)]


def suspects_not_within(dW, dW_num, tolerance=1e-6):
    return ~(np.abs(dW - dW_num) <= tolerance * np.maximum(np.abs(dW), np.abs(dW_num)))


def suspects_isclose(dW, dW_num, tolerance=1e-6):
    return np.logical_not(np.isclose(dW, dW_num, rtol=tolerance, atol=0))


def suspects_loop(dW, dW_num, tolerance=1e-6):
    out = np.ones(dW.shape, dtype=bool)
    for at in np.ndindex(dW.shape):
        size = abs(dW[at]) + abs(dW_num[at])
        if dW[at] == dW_num[at] or (size > 0 and abs(dW[at] - dW_num[at]) / size < tolerance):
            out[at] = False
    return out


def suspects_divided(dW, dW_num, tolerance=1e-6):
    with np.errstate(all="ignore"):
        error = np.abs(dW - dW_num) / np.maximum(np.abs(dW), np.abs(dW_num))
    error[(dW == 0) & (dW_num == 0)] = 0
    return (error > tolerance) | np.isnan(error)


def train_arrays(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    history = {"train_loss": np.zeros(epochs), "test_loss": np.zeros(epochs),
               "predictions": np.zeros((epochs, *y.shape))}
    for e in range(epochs):
        history["test_loss"][e] = np.sum((y_test - forward_einsum(X_b_test, W1, W2)[2]) ** 2) / 2
        history["predictions"][e] = forward_einsum(X_b, W1, W2)[2]
        history["train_loss"][e] = 0.5 * np.sum((y - history["predictions"][e]) ** 2)
        dW1, dW2 = backprop_loop(X_b, y, W1, W2)
        W1 = W1 - learning_rate * dW1
        W2 = W2 - learning_rate * dW2
    return W1, W2, history


def train_in_place_on_copies(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    W1, W2 = W1.copy(), W2.copy()
    train_loss, test_loss, predictions = [], [], []
    for _ in range(epochs):
        predictions.append(forward_list(X_b, W1, W2)[2])
        train_loss.append(float(np.sum((predictions[-1] - y) ** 2) / 2))
        test_loss.append(float(np.sum((forward_list(X_b_test, W1, W2)[2] - y_test) ** 2) / 2))
        dW1, dW2 = backprop_einsum(X_b, y, W1, W2)
        W1 -= learning_rate * dW1
        W2 -= learning_rate * dW2
    return W1, W2, {"train_loss": train_loss, "test_loss": test_loss, "predictions": predictions,
                    "more": "allowed"}


def backprop_published(X_b, y, W1, W2):
    u_H = 1 / (1 + np.exp(-np.dot(X_b, W1)))
    delta_O = -(y - (W2[0] + u_H @ W2[1:]))
    delta_H = np.dot(delta_O, W2[1:].T) * u_H * (1 - u_H)
    return X_b.T.dot(delta_H), np.hstack((u_H, np.ones((len(X_b), 1)))).T.dot(delta_O)


def backprop_mean(X_b, y, W1, W2):
    A1 = expit(X_b @ W1)
    dZ2 = np.insert(A1, 0, 1, axis=1) @ W2 - y
    dW2 = np.mean([np.outer(np.append(1, a), d) for a, d in zip(A1, dZ2, strict=True)], axis=0)
    dZ1 = dZ2 @ W2[1:].T * A1 * (1 - A1)
    return np.einsum("nd,nh->dh", X_b, dZ1) / len(X_b), dW2


def backprop_tripled(X_b, y, W1, W2):
    A1 = expit(X_b @ W1)
    dZ2 = 7.5 * (np.insert(A1, 0, 1, axis=1) @ W2 - y)
    return X_b.T @ (dZ2 @ W2[1:].T * A1 * (1 - A1)), np.insert(A1, 0, 1, axis=1).T @ dZ2


def backprop_measured(X_b, y, W1, W2):

    def loss(W1, W2):
        return float(((forward_einsum(X_b, W1, W2)[2] - y) ** 2).sum() / 2)

    return (numerical_gradient_basis(lambda W: loss(W, W2), W1),
            numerical_gradient_basis(lambda W: loss(W1, W), W2))


def chain_rule_measured(x):
    def f(x):
        return float(np.exp(np.sin(x ** 2)))

    return f(x), (f(x + 1e-5) - f(x - 1e-5)) / 2e-5


def train_in_place(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    history = {"train_loss": [], "test_loss": [], "predictions": []}
    for _ in range(epochs):
        history["predictions"].append(forward_einsum(X_b, W1, W2)[2])
        history["train_loss"].append(float(((history["predictions"][-1] - y) ** 2).sum() / 2))
        test = forward_einsum(X_b_test, W1, W2)[2]
        history["test_loss"].append(float(((test - y_test) ** 2).sum() / 2))
        dW1, dW2 = backprop_einsum(X_b, y, W1, W2)
        W1 -= learning_rate * dW1
        W2 -= learning_rate * dW2
    return W1, W2, history


def train_with_transposed_update(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    """After one step W2 is square and all that follows has odd shapes."""
    history = train_arrays(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs)[2]
    history["predictions"] = [np.ones((7, 1 + 5 * (e > 0))) for e in range(epochs)]
    return W1 + 1, W2, history


def train_on_the_first_output(X_b, y, *rest):
    return train_arrays(X_b, np.repeat(y[:, :1], y.shape[1], axis=1), *rest)


def train_without_key(*args):
    W1, W2, history = train_arrays(*args)
    return W1, W2, {"loss": history["train_loss"], "test_loss": history["test_loss"]}


def train_recording_last(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    weights = [(W1, W2)]
    while len(weights) <= epochs:
        W1, W2 = weights[-1]
        dW1, dW2 = backprop_from_activations(X_b, y, W1, W2)
        weights.append((W1 - learning_rate * dW1, W2 - learning_rate * dW2))
    seen = [(forward_einsum(X_b, *pair)[2], forward_einsum(X_b_test, *pair)[2])
            for pair in weights[:-1]]
    return (*weights[-1], {
        "predictions": tuple(train for train, _ in seen),
        "train_loss": [0.5 * float(np.sum((train - y) ** 2)) for train, _ in seen],
        "test_loss": [0.5 * float(np.sum((test - y_test) ** 2)) for _, test in seen]})


RIGHT = {
    "02-chain-rule": [chain_rule_closed, chain_rule_numpy,
                      lambda x: np.array(chain_rule_closed(x)),
                      lambda x: [math.exp(math.sin(x * x)),
                                 2 * x * math.cos(x * x) * math.exp(math.sin(x * x))]],
    "02-sigmoid-prime": [sigmoid_prime_two_tails, sigmoid_prime_even,
                         lambda z: expit(z) - expit(z) ** 2,
                         lambda z: sigmoid_loop(z) * (1 - sigmoid_loop(z))],
    "02-hidden-delta": [hidden_delta_einsum, hidden_delta_loop, hidden_delta_whole],
    "02-backprop": [backprop_from_activations, backprop_loop, backprop_einsum],
    "02-suspects": [suspects_not_within, suspects_loop, suspects_divided],
    "02-repair": [backprop_from_activations, backprop_loop, backprop_einsum],
    "02-train": [train_arrays, train_in_place_on_copies, train_recording_last],
}

WRONG = [
    ("02-chain-rule", lambda x: (np.exp(np.sin(x ^ 2)), 0.0), "xor"),
    ("02-sigmoid-prime", lambda z: expit(z)(1 - expit(z)), "call-for-product"),
    ("02-suspects", lambda dW, dW_num, tolerance=1e-6: (
        ~(np.abs(dW - dW_num) <= tolerance * max(abs(dW), abs(dW_num)))),
     "one-truth-for-an-array"),
    ("02-backprop", backprop_measured, "nearly-right"),
    ("02-chain-rule", lambda x: np.array([np.exp(np.sin(x * x)), 1, 1]), "wrong-number-of-values"),
    ("02-chain-rule", chain_rule_measured, "nearly-right"),
    ("02-sigmoid-prime", lambda z: (expit(z + 1e-5) - expit(z - 1e-5)) / 2e-5,
     "nearly-right"),
    ("02-chain-rule", lambda x: None, "returns-none"),
    ("02-sigmoid-prime", lambda z: expit(z) * (1 - expit(z)) / 4, "constant-factor"),
    ("02-hidden-delta", lambda dZ2, W2, Z1: np.zeros(Z1.shape), "all-zero"),
    ("02-backprop", backprop_mean, "wrong-factor"),
    ("02-backprop", backprop_tripled, "constant-factor"),
    ("02-repair", backprop_published, "still-published"),
    ("02-suspects", lambda dW, dW_num, tolerance=1e-6: abs(dW - dW_num) > tolerance,
     "absolute-error"),
    ("02-suspects", suspects_isclose, "one-side-only"),
    ("02-train", train_with_transposed_update, None),
    ("02-train", train_on_the_first_output, None),
    ("02-train", train_in_place, "changes-arguments"),
    ("02-train", train_without_key, "missing-key"),
]

EQUIVALENT = {
    "02-suspects": {
        "line 4: dW - dW_num → dW_num - dW": "the absolute value has no sign"},
    "02-train": {
        "line 8: squared_error(y, Y_hat) → squared_error(Y_hat, y)": "the square has no sign",
        "line 9: squared_error(y_test, Y_hat_test) → squared_error(Y_hat_test, y_test)":
            "the square has no sign"},
}
