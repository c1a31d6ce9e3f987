"""Lesson 10: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(10)
N, SIZES = 5, (3, 6, 4, 5)
Y = np.eye(SIZES[-1])[RNG.integers(SIZES[-1], size=N)]
W = [None, *(RNG.normal(size=pair) for pair in zip(SIZES, SIZES[1:], strict=False))]
B = [None, *(RNG.normal(size=n) for n in SIZES[1:])]
L = len(W) - 1


def onwards(Z, layer):
    """The loss from the weighted sums of a layer on; its hidden layers are tanh."""
    for i in range(layer + 1, L + 1):
        Z = np.tanh(Z) @ W[i] + B[i]
    return (np.log(np.exp(Z).sum(axis=1)) - (Z * Y).sum(axis=1)).mean()


def network():
    """Return A_l, Z_l and δ_l, the errors as the lesson's equations have them."""
    A, Z = [RNG.normal(size=(N, SIZES[0]))], [None]
    for i in range(1, L + 1):
        Z.append(A[-1] @ W[i] + B[i])
        A.append(np.tanh(Z[i]))
    delta = [None] * L + [(np.exp(Z[L]) / np.exp(Z[L]).sum(axis=1, keepdims=True) - Y) / N]
    for i in range(L - 1, 0, -1):
        delta[i] = (delta[i + 1] @ W[i + 1].T) * (1 - A[i] ** 2)
    return A, Z, delta


def one_unit():
    _, Z, delta = network()
    computed = [[sum(delta[3][n, k] * W[3][j, k] * (1 - np.tanh(Z[2][n, j]) ** 2)
                     for k in range(SIZES[3])) for j in range(SIZES[2])] for n in range(N)]
    return computed, differences(lambda Z2: onwards(Z2, 2), Z[2])


def one_weight():
    A, _, delta = network()
    weights = [[sum(A[1][n, i] * delta[2][n, j] for n in range(N)) for j in range(SIZES[2])]
               for i in range(SIZES[1])]
    biases = [sum(delta[2][n, j] for n in range(N)) for j in range(SIZES[2])]
    return np.vstack([weights, biases]), np.vstack([
        differences(lambda V: onwards(A[1] @ V + B[2], 2), W[2]),
        differences(lambda b: onwards(A[1] @ W[2] + b, 2), B[2])])


def four_equations():
    A, Z, delta = network()
    computed, measured = [], []
    for i in range(1, L + 1):
        computed += [delta[i], A[i - 1].T @ delta[i], np.ones(N) @ delta[i]]
        measured += [differences(lambda V, i=i: onwards(V, i), Z[i]),
                     differences(lambda V, i=i: onwards(A[i - 1] @ V + B[i], i), W[i]),
                     differences(lambda b, i=i: onwards(A[i - 1] @ W[i] + b, i), B[i])]
    return (np.concatenate([g.ravel() for g in computed]),
            np.concatenate([g.ravel() for g in measured]))


FORMULAS = {
    r"\frac{\partial J}{\partial z_{nj}} = \sum_k \delta_{l+1,nk} \cdot w_{jk} \cdot f'(z_{nj})":
        one_unit,
    r"\frac{\partial J}{\partial w_{ij}} = \sum_n a_{l-1,ni} \cdot \delta_{l,nj}, \qquad "
    r"\frac{\partial J}{\partial b_j} = \sum_n \delta_{l,nj}": one_weight,
    r"\begin{aligned} \delta_L &= \tfrac1N (\hat Y - Y) \\ \delta_l &= \left(\delta_{l+1} "
    r"W_{l+1}^{\top}\right) \odot f'(Z_l) \\ \partial J / \partial W_l &= A_{l-1}^{\top} \delta_l "
    r"\\ \partial J / \partial b_l &= \mathbf 1^{\top} \delta_l \end{aligned}": four_equations,
}
