"""Right answers, written differently from the solutions: every check must accept them."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit


def sigmoid_loop(z):
    out = np.empty(np.shape(z), dtype=float)
    for at in np.ndindex(out.shape):
        out[at] = 1 / (1 + math.exp(-z[at])) if z[at] > -700 else 0.0
    return out


def sigmoid_stable(z):
    out = np.zeros_like(z, dtype=np.float64)
    positive = z >= 0
    out[positive] = 1 / (1 + np.exp(-z[positive]))
    small = np.exp(z[~positive])
    out[~positive] = small / (1 + small)
    return out


def add_bias_insert(X):
    return np.insert(np.asarray(X, dtype=float), 0, 1, axis=1)


def add_bias_filled(X):
    X_b = np.ones((X.shape[0], X.shape[1] + 1))
    X_b[:, 1:] = X
    return X_b


def forward_einsum(X_b, W1, W2):
    Z1 = np.einsum("nd,dh->nh", X_b, W1)
    A1 = expit(Z1)
    return Z1, A1, np.einsum("nh,hk->nk", A1, W2[1:]) + W2[0]


def forward_loop(X_b, W1, W2):
    Z1 = np.zeros((len(X_b), W1.shape[1]))
    Y_hat = np.zeros((len(X_b), W2.shape[1]))
    for n, x in enumerate(X_b):
        Z1[n] = W1.T.dot(x)
        Y_hat[n] = W2.T.dot(np.append(1, sigmoid_loop(Z1[n])))
    return Z1, sigmoid_loop(Z1), Y_hat


def forward_list(X_b, W1, W2):
    Z1 = np.dot(X_b, W1)
    A1 = 0.5 * (1 + np.tanh(Z1 / 2))
    return [Z1, A1, np.hstack([np.ones((A1.shape[0], 1)), A1]).dot(W2)]


def numerical_gradient_in_place(f, W, eps=1e-5):
    gradient = np.zeros(W.shape)
    W = W.astype(float)
    for at in np.ndindex(W.shape):
        kept = W[at]
        W[at] = kept + eps
        above = f(W)
        W[at] = kept - eps
        gradient[at] = (above - f(W)) / (2 * eps)
        W[at] = kept
    return gradient


def numerical_gradient_basis(f, W, eps=1e-5):
    flat = []
    for direction in np.eye(W.size):
        step = eps * direction.reshape(W.shape)
        flat.append((f(W + step) - f(W - step)) / (2 * eps))
    return np.array(flat).reshape(W.shape)


def numerical_gradient_restored(f, W, eps=1e-5):
    """Shifts the caller's own array and puts each entry back: allowed, since nothing changes."""
    gradient = np.zeros(W.shape)
    for i in range(W.size):
        kept = W.flat[i]
        if W.dtype != float:
            return numerical_gradient_basis(f, W, eps)
        W.flat[i] = kept + eps
        above = f(W)
        W.flat[i] = kept - eps
        below = f(W)
        W.flat[i] = kept
        gradient.flat[i] = (above - below) / (2 * eps)
    return gradient


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


RIGHT = {
    "00-square": [np.square, lambda x: x * x, lambda x: np.power(np.abs(x), 2.0)],
    "01-add-bias": [add_bias_insert, add_bias_filled,
                    lambda X: np.hstack((np.ones((X.shape[0], 1)), X)),
                    lambda X: np.pad(X.astype(float), ((0, 0), (1, 0)), constant_values=1)],
    "01-sigmoid": [sigmoid_loop, sigmoid_stable, expit, lambda z: 1 / (1 + np.exp(-z)),
                   lambda z: 0.5 * (1 + np.tanh(0.5 * z)), lambda z: np.power(1 + np.exp(-z), -1)],
    "01-forward": [forward_einsum, forward_loop, forward_list],
    "01-squared-error": [
        lambda y, Y_hat: 0.5 * np.sum((y - Y_hat) ** 2),
        lambda y, Y_hat: float(np.vdot(Y_hat - y, Y_hat - y)) / 2,
        lambda y, Y_hat: np.asarray(np.einsum("nk,nk->", y - Y_hat, y - Y_hat) / 2),
        lambda y, Y_hat: np.linalg.norm(y - Y_hat) ** 2 / 2,
        lambda y, Y_hat: y.size * np.mean((y - Y_hat) ** 2) / 2],
    "01-numerical-gradient": [numerical_gradient_in_place, numerical_gradient_basis,
                              numerical_gradient_restored],
    "02-chain-rule": [chain_rule_closed, chain_rule_numpy,
                      lambda x: [math.exp(math.sin(x * x)),
                                 2 * x * math.cos(x * x) * math.exp(math.sin(x * x))]],
    "02-sigmoid-prime": [sigmoid_prime_two_tails, sigmoid_prime_even,
                         lambda z: expit(z) - expit(z) ** 2,
                         lambda z: sigmoid_loop(z) * (1 - sigmoid_loop(z))],
    "02-hidden-delta": [hidden_delta_einsum, hidden_delta_loop, hidden_delta_whole],
    "02-backprop": [backprop_from_activations, backprop_loop, backprop_einsum],
    "02-suspects": [suspects_not_within, suspects_isclose, suspects_loop, suspects_divided],
    "02-repair": [backprop_from_activations, backprop_loop, backprop_einsum],
    "02-train": [train_arrays, train_in_place_on_copies],
}

