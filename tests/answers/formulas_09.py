"""Lesson 09: the formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(9)
N, LAMBDA = 7, 0.3
X, Y = RNG.normal(size=(N, 3)), np.eye(4)[RNG.integers(4, size=N)]
W1, b1, W2, b2 = (RNG.normal(size=shape) for shape in ((3, 6), 6, (6, 4), 4))
Z1 = X @ W1 + b1
A1 = np.maximum(Z1, 0)
Z2 = A1 @ W2 + b2
Y_hat = np.exp(Z2) / np.exp(Z2).sum(axis=1, keepdims=True)
DELTA_2 = (Y_hat - Y) / N
DELTA_1 = DELTA_2 @ W2.T * (Z1 > 0)


def after(Z2):
    """The mean cross-entropy, from the logits on."""
    return (np.log(np.exp(Z2).sum(axis=1)) - (Z2 * Y).sum(axis=1)).mean()


def through(Z1, W2=W2, b2=b2):
    """The same, from the hidden sums on."""
    return after(np.maximum(Z1, 0) @ W2 + b2)


def both(*pairs):
    return [np.concatenate([np.ravel(pair[i]) for pair in pairs]) for i in (0, 1)]


def errors():
    return both((DELTA_2, differences(after, Z2)), (DELTA_1, differences(through, Z1)))


def parameters():
    return both(
        (X.T @ DELTA_1 + LAMBDA * W1, differences(
            lambda W: through(X @ W + b1) + LAMBDA / 2 * (W**2).sum(), W1)),
        (A1.T @ DELTA_2 + LAMBDA * W2, differences(
            lambda W: through(Z1, W) + LAMBDA / 2 * (W**2).sum(), W2)),
        (DELTA_1.sum(axis=0), differences(lambda b: through(X @ W1 + b), b1)),
        (DELTA_2.sum(axis=0), differences(lambda b: through(Z1, W2, b), b2)))


FORMULAS = {
    r"\delta_2 = \frac{\partial J}{\partial Z_2} = \frac1N (\hat Y - Y), \qquad "
    r"\delta_1 = \frac{\partial J}{\partial Z_1} = \left(\delta_2 W_2^{\top}\right) "
    r"\odot [Z_1 > 0]": errors,
    r"\frac{\partial J}{\partial W_l} = A_{l-1}^{\top} \delta_l + \text{reg} \cdot W_l, \qquad "
    r"\frac{\partial J}{\partial b_l} = \sum_n \delta_{l,n}, \qquad A_0 = X": parameters,
}
