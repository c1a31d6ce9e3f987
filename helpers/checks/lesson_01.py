"""Lesson 01: the forward pass, the loss and a numerical gradient."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from helpers.checks.exercise import Exercise, no_sizes
from helpers.checks.truth import income_network


def ones_first(A):
    """Return `A` (N, M) with a column of ones before it, (N, M + 1)."""
    return np.column_stack([np.ones(len(A)), A])


def network_case(seed, N, D, H, K):
    """Return X_b (N, D+1), y (N, K), W1 (D+1, H), W2 (H+1, K): all sizes different."""
    rng = np.random.default_rng(seed)
    return (ones_first(rng.normal(size=(N, D))), rng.normal(size=(N, K)),
            rng.normal(size=(D + 1, H)), rng.normal(size=(H + 1, K)))


def _add_bias(X):
    return np.array([[1.0, *row] for row in X])


add_bias = Exercise(
    "01-add-bias", "add_bias", truth=_add_bias,
    cases=lambda: [(np.random.default_rng(seed).normal(size=shape),)
                   for seed, shape in ((1, (3, 2)), (2, (7, 4)))],
    hint="make a column of `X.shape[0]` ones and put it to the left of `X`.",
    unlocks="A bias is now a weight like any other.")


sigmoid = Exercise(
    "01-sigmoid", "sigmoid", truth=lambda z: expit(np.asarray(z, dtype=float)), sizes=no_sizes,
    cases=lambda: [(np.array([-2.0, 0.0, 2.0]),),
                   (np.random.default_rng(1).normal(size=(4, 3)) * 3,),
                   (np.array([-800.0, -10.0, 10.0, 800.0]),)],
    hint="the formula is 1 / (1 + exp(−z)), entry by entry, with `np.exp`.",
    unlocks="Any number goes in; a number between 0 and 1 comes out.")


forward = Exercise(
    "01-forward", "forward", truth=income_network, returns=("Z1", "A1", "Y_hat"),
    uses=(add_bias, sigmoid),
    cases=lambda: [(X_b, W1, W2) for X_b, _, W1, W2 in
                   (network_case(1, 11, 4, 6, 3), network_case(2, 13, 3, 5, 1),
                    network_case(3, 7, 2, 9, 4))],
    hint="compute `Z1`, `A1` and `Y_hat` one after the other and look at each shape.",
    unlocks="This is the whole network, for any number of samples.")


def _squared_error(y, Y_hat):
    return float(sum((a - b) ** 2 for a, b in zip(y.ravel(), Y_hat.ravel(), strict=True)) / 2)


squared_error = Exercise(
    "01-squared-error", "squared_error", truth=_squared_error,
    sizes=lambda y, Y_hat: {"N": len(y), "K": y.shape[1]},
    cases=lambda: [tuple(np.random.default_rng(seed).normal(size=(2, *shape)))
                   for seed, shape in ((1, (5, 1)), (2, (11, 3)), (3, (7, 1)))],
    hint="difference, square, sum, half, in this order.",
    unlocks="One number now says how wrong the network is.")


def _x_squared():
    def f(W):
        """x²"""
        return float(np.sum(W ** 2))
    f.slope = lambda W, eps: 2 * W
    return f


def _toy():
    def f(W):
        """w₀² + 3·w₀·w₁"""
        return float(W[0] ** 2 + 3 * W[0] * W[1])
    f.slope = lambda W, eps: np.array([2 * W[0] + 3 * W[1], 3 * W[0]])
    return f


def _waves(C):
    def f(W):
        """Σ sin(c·w)"""
        return float(np.sum(np.sin(C * W)))
    f.slope = lambda W, eps: np.cos(C * W) * np.sin(C * eps) / eps
    return f


def _fifth_power():
    def f(W):
        """x⁵"""
        return float(np.sum(W ** 5))
    f.slope = lambda W, eps: 5 * W ** 4 + 10 * W ** 2 * eps ** 2 + eps ** 4
    return f


def _numerical_gradient(f, W, eps=1e-5):
    return f.slope(W, eps)  # what central differences come to, in closed form


def _gradient_cases():
    rng = np.random.default_rng(1)
    return [(_x_squared(), np.array([-3.0])), (_toy(), np.array([1.0, -2.0])),
            (_waves(rng.uniform(0.5, 2, size=(4, 3))), rng.normal(size=(4, 3))),
            (_waves(rng.uniform(0.5, 2, size=(2, 5))), rng.normal(size=(2, 5))),
            (_fifth_power(), np.array([2.0, -1.0]), 0.1)]


numerical_gradient = Exercise(
    "01-numerical-gradient", "numerical_gradient", truth=_numerical_gradient, returns=("gradient",),
    sizes=no_sizes, tolerance=1e-7, cases=_gradient_cases,
    hint="for one entry: copy `W`, add eps there, call `f`; copy again, subtract eps, call `f`; "
         "the difference divided by 2·eps goes to the same place of the gradient.",
    unlocks="From now on you can check any gradient of this course yourself.")

