"""Lesson 07: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(11)
A, B, G = RNG.normal(size=(5, 3)), RNG.normal(size=(3, 4)), RNG.normal(size=(5, 4))


def toy():
    x, y = 1.3, -0.7
    b_bar = 2 * (x * y + x)
    a_bar = b_bar
    return a_bar * y + b_bar * 1, differences(lambda x: (x * y + x) ** 2, np.asarray(x))


def all_uses():
    """A value u with three uses: in v1 = sin u, and twice in v2 = u · u."""
    u = 0.8
    v1_bar, v2_bar = 2 * np.sin(u) * u**2, np.sin(u) ** 2  # J = v1² v2
    total = v1_bar * np.cos(u) + v2_bar * u + v2_bar * u
    return total, differences(lambda u: np.sin(u) ** 2 * u**2, np.asarray(u))


def left_factor():
    computed = np.array([[sum(G[n, k] * B[d, k] for k in range(4)) for d in range(3)]
                         for n in range(5)])
    return computed, differences(lambda A: np.sum(G * (A @ B)), A)


def right_factor():
    computed = np.array([[sum(A[n, d] * G[n, k] for n in range(5)) for k in range(4)]
                         for d in range(3)])
    return computed, differences(lambda B: np.sum(G * (A @ B)), B)


def broadcast_bias():
    b = RNG.normal(size=4)
    computed = np.array([sum(G[n, h] for n in range(5)) for h in range(4)])
    return computed, differences(lambda b: np.sum(G * (A @ B + b)), b)


FORMULAS = {
    r"\bar x = \frac{\partial c}{\partial x} = \bar a \cdot y + \bar b \cdot 1": toy,
    r"\bar u = \frac{\partial J}{\partial u} = \sum_{v \text{ uses } u} \bar v \cdot "
    r"\frac{\partial v}{\partial u}": all_uses,
    r"\bar A_{nd} = \sum_k \bar C_{nk} \frac{\partial C_{nk}}{\partial A_{nd}} = "
    r"\sum_k \bar C_{nk} B_{dk}": left_factor,
    r"\bar B_{dk} = \sum_n \bar C_{nk} \frac{\partial C_{nk}}{\partial B_{dk}} = "
    r"\sum_n A_{nd} \bar C_{nk}": right_factor,
    r"\frac{\partial J}{\partial b_h} = \sum_n \bar Z_{nh}": broadcast_bias,
}
