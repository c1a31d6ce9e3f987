"""Lesson 03: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(3)
N, D, H = 7, 2, 4
X_b = np.column_stack([np.ones(N), RNG.normal(size=(N, D))])
Y = (RNG.uniform(size=(N, 1)) < 0.5).astype(float)
W1, W2 = RNG.normal(size=(D + 1, H)), RNG.normal(size=(H, 1))


def sigma(z):
    return 1 / (1 + np.exp(-z))


def ell(y, p):
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


def mean_loss(Z2):
    return ell(Y, sigma(Z2)).mean()


A1 = sigma(X_b @ W1)
DELTA_2 = (sigma(A1 @ W2) - Y) / N
DELTA_1 = (DELTA_2 @ W2.T) * A1 * (1 - A1)


def by_probability():
    p = sigma(RNG.normal(size=(N, 1)))
    two_terms, one_fraction = -Y / p + (1 - Y) / (1 - p), (p - Y) / (p * (1 - p))
    assert np.allclose(two_terms, one_fraction, rtol=1e-12)
    return one_fraction, differences(lambda p: ell(Y, p).sum(), p)


def by_logit():
    z = RNG.normal(size=(N, 1))
    p = sigma(z)
    assert np.allclose((p - Y) / (p * (1 - p)) * p * (1 - p), p - Y, rtol=1e-12)
    return p - Y, differences(lambda z: ell(Y, sigma(z)).sum(), z)


def output_error():
    return DELTA_2, differences(mean_loss, A1 @ W2)


def hidden_error():
    return DELTA_1, differences(lambda Z: mean_loss(sigma(Z) @ W2), X_b @ W1)


def weights():
    formula = [X_b.T @ DELTA_1, A1.T @ DELTA_2]
    measured = [differences(lambda W: mean_loss(sigma(X_b @ W) @ W2), W1),
                differences(lambda W: mean_loss(A1 @ W), W2)]
    return np.concatenate([g.ravel() for g in formula]), np.concatenate(
        [g.ravel() for g in measured])


FORMULAS = {
    r"\frac{\partial \ell}{\partial p} = -\frac{y}{p} + \frac{1 - y}{1 - p} = "
    r"\frac{p - y}{p\,(1 - p)}": by_probability,
    r"\frac{\partial \ell}{\partial z} = \frac{p - y}{p\,(1 - p)} \cdot p\,(1 - p) = p - y":
        by_logit,
    r"\delta_2 = \frac{\partial J}{\partial Z_2} = \frac{1}{N} \left(\hat Y - y\right)":
        output_error,
    r"\delta_1 = \frac{\partial J}{\partial Z_1} = \left(\delta_2\, W_2^{\top}\right) \odot A_1 "
    r"\odot (1 - A_1)": hidden_error,
    r"\frac{\partial J}{\partial W_1} = X_b^{\top}\, \delta_1, \qquad \frac{\partial J}"
    r"{\partial W_2} = A_1^{\top}\, \delta_2": weights,
}
