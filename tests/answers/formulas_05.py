"""Lesson 05: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

Z = np.random.default_rng(5).normal(size=4) * 1.5  # the logits of one sample
POWERS = np.exp(Z)
S = POWERS.sum()
P = POWERS / S
CLASS = 2
REG = 0.3


def softmax(z):
    return np.exp(z) / np.exp(z).sum()


def measured_jacobian():
    """Row k: the derivatives of probability k by every logit."""
    return np.array([differences(lambda z, k=k: softmax(z)[k], Z) for k in range(len(Z))])


def by_its_own_logit():
    quotient = (POWERS * S - POWERS * POWERS) / S**2
    assert np.allclose(quotient, P * (1 - P), rtol=1e-12)
    return P * (1 - P), np.diag(measured_jacobian())


def by_another_logit():
    away = ~np.eye(len(Z), dtype=bool)
    quotient = (0 * S - np.outer(POWERS, POWERS)) / S**2
    assert np.allclose(quotient, -np.outer(P, P), rtol=1e-12)
    return -np.outer(P, P)[away], measured_jacobian()[away]


def jacobian():
    return np.diag(P) - np.outer(P, P), measured_jacobian()


def through_the_softmax():
    by_probability = differences(lambda p: -np.log(p[CLASS]), P)
    full_sum = by_probability @ (np.diag(P) - np.outer(P, P))
    one_term = -1 / P[CLASS] * (np.diag(P) - np.outer(P, P))[CLASS]
    assert np.allclose(full_sum, one_term, rtol=1e-6)
    return one_term, differences(lambda z: -np.log(softmax(z)[CLASS]), Z)


def at_the_true_class():
    assert np.isclose(-1 / P[CLASS] * P[CLASS] * (1 - P[CLASS]), P[CLASS] - 1, rtol=1e-12)
    return P[CLASS] - 1, differences(lambda z: -np.log(softmax(z)[CLASS]), Z)[CLASS]


def at_another_class():
    others = np.arange(len(Z)) != CLASS
    assert np.allclose(-1 / P[CLASS] * (-P[CLASS] * P[others]), P[others], rtol=1e-12)
    return P[others], differences(lambda z: -np.log(softmax(z)[CLASS]), Z)[others]


def for_one_sample():
    return P - np.eye(len(Z))[CLASS], differences(lambda z: -np.log(softmax(z)[CLASS]), Z)


def for_a_batch():
    logits = np.random.default_rng(6).normal(size=(7, 4)) * 1.5
    Y = np.eye(4)[np.random.default_rng(7).integers(4, size=7)]
    Y_hat = np.array([softmax(row) for row in logits])

    def J(Z2):
        return -np.mean([y @ np.log(softmax(row)) for y, row in zip(Y, Z2, strict=True)])

    return (Y_hat - Y) / 7, differences(J, logits)


def penalty():
    return REG * Z, differences(lambda w: REG / 2 * np.sum(w**2), Z)


FORMULAS = {
    r"\frac{\partial \hat y_k}{\partial z_k} = \frac{e^{z_k} S - e^{z_k} e^{z_k}}{S^2} = "
    r"\hat y_k\,(1 - \hat y_k)": by_its_own_logit,
    r"\frac{\partial \hat y_k}{\partial z_j} = \frac{0 \cdot S - e^{z_k} e^{z_j}}{S^2} = "
    r"-\hat y_k\, \hat y_j \qquad (j \ne k)": by_another_logit,
    r"\frac{\partial \hat y}{\partial z} = \operatorname{diag}(\hat y) - "
    r"\hat y\, \hat y^{\top}": jacobian,
    r"\frac{\partial \ell}{\partial z_j} = \sum_k \frac{\partial \ell}{\partial \hat y_k}\, "
    r"\frac{\partial \hat y_k}{\partial z_j} = -\frac{1}{\hat y_c}\, "
    r"\frac{\partial \hat y_c}{\partial z_j}": through_the_softmax,
    r"\frac{\partial \ell}{\partial z_c} = -\frac{1}{\hat y_c}\, \hat y_c\,(1 - \hat y_c) = "
    r"\hat y_c - 1": at_the_true_class,
    r"\frac{\partial \ell}{\partial z_j} = -\frac{1}{\hat y_c} \left(-\hat y_c\, "
    r"\hat y_j\right) = \hat y_j \qquad (j \ne c)": at_another_class,
    r"\frac{\partial \ell}{\partial z} = \hat y - y": for_one_sample,
    r"\delta_2 = \frac{\partial J}{\partial Z_2} = \frac1N \left(\hat Y - Y\right) "
    r"\qquad (N, K)": for_a_batch,
    r"\frac{\partial}{\partial w} \left( \frac{\text{reg}}{2}\, w^2 \right) = "
    r"\text{reg} \cdot w": penalty,
}
