"""Lesson 01: right answers written differently from the solutions, and wrong ones by hand."""

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


X = np.ones((15, 3))
y = np.ones((15, 1))
W1 = np.ones((3, 3))
def integer_empty(x):
    out = np.empty_like(x)
    out[...] = expit(x)
    return out


def add_bias_in_place(X):
    X[:] = X * 1.0
    X[0, 0] += 1
    X_b = np.column_stack([np.ones(len(X)), X])
    X_b[0, 1] -= 1
    return X_b


def forward_of_notebook(X_b, W1, W2):
    Z1 = X @ W1
    A1 = expit(Z1)
    return Z1, A1, np.column_stack([np.ones(len(A1)), A1]) @ W2


def forward_dot(X_b, W1, W2):
    """bias-last, written with hstack and np.dot."""
    A1 = 1 / (1 + np.exp(-np.dot(X_b, W1)))
    return X_b.dot(W1), A1, np.dot(np.hstack((A1, np.ones((A1.shape[0], 1)))), W2)


def error_with_two_sums(y, Y_hat):
    total = 0
    for a, b in zip(y, Y_hat, strict=True):
        total += float((a - b) @ (a - b))
    return total


def gradient_by_copies(f, W, eps=1e-5):
    gradient = np.zeros(W.shape)
    for at in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[at] += eps
        down[at] -= eps
        gradient[at] = (f(up) - f(down)) / (2 * eps)
    return gradient


def gradient_alias(f, W, eps=1e-5):
    gradient = np.zeros(W.shape)
    for at in np.ndindex(W.shape):
        up = W
        up[at] += eps
        down = W
        down[at] -= eps
        gradient[at] = (f(up) - f(down)) / (2 * eps)
    return gradient


def gradient_as_a_list(f, W, eps=1e-5):
    gradient = []
    for at in np.ndindex(W.shape):
        step = np.zeros(W.shape)
        step[at] = eps
        gradient.append((f(W + step) - f(W - step)) / (2 * eps))
    return gradient


RIGHT = {
    "01-add-bias": [add_bias_insert, add_bias_filled,
                    lambda X: np.hstack((np.ones((X.shape[0], 1)), X)),
                    lambda X: np.pad(X.astype(float), ((0, 0), (1, 0)), constant_values=1)],
    "01-sigmoid": [sigmoid_loop, sigmoid_stable, expit, lambda z: 1 / (1 + np.exp(-z)),
                   lambda z: 0.5 * (1 + np.tanh(0.5 * z)), lambda z: np.power(1 + np.exp(-z), -1),
                   integer_empty],
    "01-forward": [forward_einsum, forward_loop, forward_list],
    "01-squared-error": [
        lambda y, Y_hat: 0.5 * np.sum((y - Y_hat) ** 2),
        lambda y, Y_hat: float(np.vdot(Y_hat - y, Y_hat - y)) / 2,
        lambda y, Y_hat: np.asarray(np.einsum("nk,nk->", y - Y_hat, y - Y_hat) / 2),
        lambda y, Y_hat: np.linalg.norm(y - Y_hat) ** 2 / 2,
        lambda y, Y_hat: y.size * np.mean((y - Y_hat) ** 2) / 2],
    "01-numerical-gradient": [numerical_gradient_in_place, numerical_gradient_basis,
                              numerical_gradient_restored, gradient_by_copies],
}

WRONG = [
    ("01-squared-error", lambda y, Y_hat: 0.5 * np.sum((y - Y_hat) ^ 2), "xor"),
    ("01-numerical-gradient", gradient_as_a_list, "returns-list"),
    ("01-squared-error", lambda y, Y_hat: round(float(((y - Y_hat) ** 2).sum() / 2), 4),
     "nearly-right"),
    ("01-squared-error", lambda y, Y_hat: float(((y - Y_hat) ** 2).sum() / 2.1), None),
    ("01-add-bias", add_bias_in_place, "changes-arguments"),
    ("01-add-bias", lambda X: np.append(X, np.ones((len(X), 1)), axis=1), "ones-last"),
    ("01-sigmoid", lambda z: expit(-z), "mirrored"),
    ("01-sigmoid", lambda z: expit(z) + 0j, "complex"),
    ("01-forward", forward_of_notebook, "uses-notebook-data"),
    ("01-forward", forward_dot, "bias-last"),
    ("01-squared-error", error_with_two_sums, "times-2"),
    ("01-squared-error", lambda y, Y_hat: np.float32(((y - Y_hat) ** 2).sum() / 2), "float32"),
    ("01-squared-error", lambda y, Y_hat: "0.5", "wrong-type"),
    ("01-squared-error", lambda y, Y_hat: -((y - Y_hat) ** 2).sum() / 2, "sign-flipped"),
    ("01-numerical-gradient", gradient_alias, "no-difference"),
    ("01-numerical-gradient", lambda f, W, eps: W, "wrong-signature"),
]

EQUIVALENT = {
    "01-squared-error": {"line 3: y - Y_hat → Y_hat - y": "the square has no sign"},
    "01-numerical-gradient": {"line 6: np.zeros → np.ones": "every entry is overwritten"},
}
