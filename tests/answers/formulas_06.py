"""Lesson 06: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(6)
N, D, H, K = 7, 2, 5, 3


def sigma(Z):
    return 1 / (1 + np.exp(-Z))


def soft(Z):
    E = np.exp(Z)
    return E / E.sum(axis=1, keepdims=True)


X, Y = RNG.normal(size=(N, D)), np.eye(K)[RNG.integers(K, size=N)]
W1, B1 = RNG.normal(size=(D, H)), RNG.normal(size=H)
W2, B2 = RNG.normal(size=(H, K)), RNG.normal(size=K)
Z1 = X @ W1 + B1
A1 = sigma(Z1)
Z2 = A1 @ W2 + B2
Y_HAT = soft(Z2)
DELTA_2 = (Y_HAT - Y) / N
DELTA_1 = (DELTA_2 @ W2.T) * A1 * (1 - A1)


def mean_loss(Z2):
    return -np.mean(np.sum(Y * np.log(soft(Z2)), axis=1))


def joined(*arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def output_error():
    return DELTA_2, differences(mean_loss, Z2)


def output_layer():
    sums = [sum(DELTA_2[n, k] for n in range(N)) for k in range(K)]
    return joined(A1.T @ DELTA_2, sums), joined(
        differences(lambda W: mean_loss(A1 @ W + B2), W2),
        differences(lambda b: mean_loss(A1 @ W2 + b), B2))


def hidden_error():
    return DELTA_1, differences(lambda Z: mean_loss(sigma(Z) @ W2 + B2), Z1)


def hidden_layer():
    sums = [sum(DELTA_1[n, h] for n in range(N)) for h in range(H)]
    return joined(X.T @ DELTA_1, sums), joined(
        differences(lambda W: mean_loss(sigma(X @ W + B1) @ W2 + B2), W1),
        differences(lambda b: mean_loss(sigma(X @ W1 + b) @ W2 + B2), B1))


FORMULAS = {
    r"\delta_2 = \frac{\partial J}{\partial Z_2} = \frac{1}{N} \left(\hat Y - Y\right)":
        output_error,
    r"\frac{\partial J}{\partial W_2} = A_1^{\top} \delta_2, \qquad \frac{\partial J}{\partial "
    r"b_2} = \sum_{n=1}^{N} \delta_{2,n}": output_layer,
    r"\delta_1 = \frac{\partial J}{\partial Z_2} \frac{\partial Z_2}{\partial A_1} \frac{\partial "
    r"A_1}{\partial Z_1} = \left(\delta_2 W_2^{\top}\right) \odot A_1 \odot (1 - A_1)":
        hidden_error,
    r"\frac{\partial J}{\partial W_1} = X^{\top} \delta_1, \qquad \frac{\partial J}{\partial b_1} "
    r"= \sum_{n=1}^{N} \delta_{1,n}": hidden_layer,
}
