"""Lesson 09: the formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(9)
N, SIZES, LAMBDA = 7, (3, 6, 5, 4), 0.3
Y = np.eye(SIZES[-1])[RNG.integers(SIZES[-1], size=N)]
A = [RNG.normal(size=(N, SIZES[0]))]
W = [None, *(RNG.normal(size=pair) for pair in zip(SIZES, SIZES[1:], strict=False))]
B = [None, *(RNG.normal(size=n) for n in SIZES[1:])]


def onwards(Z, layer, weights):
    """The loss from the weighted sums of a layer on, its penalty on all weights."""
    for i in range(layer + 1, 4):
        Z = np.maximum(Z, 0) @ weights[i] + B[i]
    fit = np.log(np.exp(Z).sum(axis=1)) - (Z * Y).sum(axis=1)
    return fit.mean() + LAMBDA / 2 * sum((w**2).sum() for w in weights[1:])


def any_number_of_layers():
    Z = [None]
    for i in range(1, 4):
        Z.append(A[-1] @ W[i] + B[i])
        A.append(np.maximum(Z[i], 0))
    Y_hat = np.exp(Z[3]) / np.exp(Z[3]).sum(axis=1, keepdims=True)
    delta = [None, None, None, (Y_hat - Y) / N]
    for i in (3, 2):
        delta[i - 1] = (delta[i] @ W[i].T) * (Z[i - 1] > 0)
    computed, measured = [], []
    for i in (1, 2, 3):
        computed += [delta[i], A[i - 1].T @ delta[i] + LAMBDA * W[i]]
        measured += [
            differences(lambda Z_i, i=i: onwards(Z_i, i, W), Z[i]),
            differences(lambda W_i, i=i: onwards(
                A[i - 1] @ W_i + B[i], i, [*W[:i], W_i, *W[i + 1:]]), W[i])]
    return (np.concatenate([g.ravel() for g in computed]),
            np.concatenate([g.ravel() for g in measured]))


FORMULAS = {
    r"\delta_L = \frac1N (\hat Y - Y), \qquad \delta_{l-1} = \frac{\partial J}{\partial Z_{l-1}} "
    r"= \left(\delta_l W_l^{\top}\right) \odot [Z_{l-1} > 0], \qquad \frac{\partial J}"
    r"{\partial W_l} = A_{l-1}^{\top} \delta_l + \lambda W_l": any_number_of_layers,
}
