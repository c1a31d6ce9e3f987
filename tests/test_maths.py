"""Every gradient formula that a notebook displays is held against numerical differences.

A displayed formula with a derivative in it must stand in `FORMULAS`, word for word, beside code
that computes its right-hand side; a formula that is new or has changed fails here until it does.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

SOLUTIONS = Path(__file__).parents[1] / "solutions"
RNG = np.random.default_rng(7)
N, D, H, K = 7, 3, 5, 2


def sigma(z):
    return 1 / (1 + np.exp(-z))


def ones_before(A):
    return np.column_stack([np.ones(len(A)), A])


X_b, Y = ones_before(RNG.normal(size=(N, D))), RNG.normal(size=(N, K))
W1, W2 = RNG.normal(size=(D + 1, H)), RNG.normal(size=(H + 1, K))
Z1 = X_b @ W1
A1 = sigma(Z1)
Y_HAT = ones_before(A1) @ W2
DELTA_2 = Y_HAT - Y
SIGMA_PRIME = np.exp(-Z1) / (1 + np.exp(-Z1)) ** 2
DELTA_1 = (DELTA_2 @ W2[1:].T) * SIGMA_PRIME


def differences(f, at, eps=1e-6):
    """Central differences of a number-valued f at an array."""
    gradient = np.zeros(np.shape(at))
    for i in np.ndindex(np.shape(at)):
        step = np.zeros(np.shape(at))
        step[i] = eps
        gradient[i] = (f(at + step) - f(at - step)) / (2 * eps)
    return gradient


def half_squares(Y_hat):
    return np.sum((Y - Y_hat) ** 2) / 2


def one_path():
    """One sample, one output: the weight from input 2 to hidden unit 3."""
    i, j, x, y, v = 2, 3, X_b[0], Y[0, 0], W2[1:, 0]

    def loss(w):
        weights = W1.copy()
        weights[i, j] = w
        return (y - W2[0, 0] - sigma(x @ weights) @ v) ** 2 / 2

    z = x @ W1
    y_hat = W2[0, 0] + sigma(z) @ v
    return ((y_hat - y) * v[j] * sigma(z[j]) * (1 - sigma(z[j])) * x[i],
            differences(loss, np.asarray(W1[i, j])))


def central_difference():
    return (np.cos(0.7), differences(np.sin, np.asarray(0.7)))


def chain():
    x = 1.3
    a = x**2
    b = np.sin(a)
    return np.exp(b) * np.cos(a) * 2 * x, differences(
        lambda x: np.exp(np.sin(x**2)), np.asarray(x))


def output_weight():
    """One sample, one output: the weight from hidden unit 3 to the output."""
    a, y = sigma(X_b[0] @ W1), Y[0, 0]

    def loss(v):
        weights = W2[1:, 0].copy()
        weights[3] = v
        return (y - W2[0, 0] - a @ weights) ** 2 / 2

    y_hat = W2[0, 0] + a @ W2[1:, 0]
    return (y_hat - y) * a[3], differences(loss, np.asarray(W2[4, 0]))


def sigmoid_three_ways():
    s = sigma(Z1)
    chain = -((1 + np.exp(-Z1)) ** -2) * -np.exp(-Z1)
    split = 1 / (1 + np.exp(-Z1)) * np.exp(-Z1) / (1 + np.exp(-Z1))
    assert np.allclose(s * (1 - s), chain, rtol=1e-12) and np.allclose(split, chain, rtol=1e-12)
    return SIGMA_PRIME, differences(lambda Z: np.sum(sigma(Z)), Z1)


def output_error():
    return DELTA_2, differences(half_squares, Y_HAT)


def hidden_error():
    return DELTA_1, differences(lambda Z: half_squares(ones_before(sigma(Z)) @ W2), Z1)


def hidden_error_of_one_unit():
    computed = np.array([[SIGMA_PRIME[n, j] * sum(W2[j + 1, k] * DELTA_2[n, k] for k in range(K))
                          for j in range(H)] for n in range(N)])
    return computed, hidden_error()[1]


def weights():
    def loss(W1, W2):
        return half_squares(ones_before(sigma(X_b @ W1)) @ W2)

    formula = [X_b.T @ DELTA_1, ones_before(A1).T @ DELTA_2]
    measured = [differences(lambda W: loss(W, W2), W1), differences(lambda W: loss(W1, W), W2)]
    return np.concatenate([g.ravel() for g in formula]), np.concatenate(
        [g.ravel() for g in measured])


FORMULAS = {
    r"\frac{\partial J}{\partial w} \approx \frac{J(w + \varepsilon) - J(w - \varepsilon)}"
    r"{2\,\varepsilon}": central_difference,
    r"\frac{dc}{dx} = \frac{dc}{db} \cdot \frac{db}{da} \cdot \frac{da}{dx}": chain,
    r"\frac{\partial J}{\partial w} = \underbrace{(\hat y - y)}_{\partial J / \partial \hat y} "
    r"\cdot \underbrace{v_j}_{\partial \hat y / \partial a_j} \cdot \underbrace{\sigma'(z_j)}"
    r"_{\partial a_j / \partial z_j} \cdot \underbrace{x_i}_{\partial z_j / \partial w}": one_path,
    r"\frac{\partial J}{\partial v_j} = (\hat y - y) \cdot a_j": output_weight,
    r"\sigma'(z) = -(1 + e^{-z})^{-2} \cdot (-e^{-z}) = \frac{1}{1 + e^{-z}} \cdot "
    r"\frac{e^{-z}}{1 + e^{-z}} = s\,(1 - s)": sigmoid_three_ways,
    r"\delta_{1,j} = \frac{\partial J}{\partial z_j} = \sigma'(z_j) \sum_{k} w_{j,k}\, "
    r"\delta_{2,k}": hidden_error_of_one_unit,
    r"\delta_2 = \frac{\partial J}{\partial Z_2} = \hat Y - Y": output_error,
    r"\delta_1 = \frac{\partial J}{\partial Z_1} = \left(\delta_2\, \tilde W_2^{\top}\right) "
    r"\odot \sigma'(Z_1)": hidden_error,
    r"\frac{\partial J}{\partial W_1} = X_b^{\top}\, \delta_1, \qquad \frac{\partial J}"
    r"{\partial W_2} = [\,\mathbf 1,\; A_1\,]^{\top}\, \delta_2": weights,
}


def displayed():
    """Return (notebook, formula) of every displayed formula that holds a derivative."""
    found = []
    for path in sorted(SOLUTIONS.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                for formula in re.findall(r"\$\$(.+?)\$\$", cell.source, re.DOTALL):
                    if re.search(r"\\partial|\\frac\{d|'\(", formula):
                        found.append((path.name, " ".join(formula.split())))
    return found


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_displayed_gradient_is_what_differences_measure(formula):
    computed, measured = FORMULAS[formula]()
    assert np.allclose(computed, measured, rtol=1e-6, atol=1e-7)


def test_every_displayed_derivative_is_held_against_differences():
    shown = displayed()
    assert shown
    new = [row for row in shown if row[1] not in FORMULAS]
    assert not new, f"add to FORMULAS, with code for the right-hand side: {new}"
    assert set(FORMULAS) == {formula for _, formula in shown}
