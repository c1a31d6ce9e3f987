"""Lesson 02: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

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


def chain():
    x = 1.3
    a = x**2
    b = np.sin(a)
    return np.exp(b) * np.cos(a) * 2 * x, differences(
        lambda x: np.exp(np.sin(x**2)), np.asarray(x))


def two_paths():
    x = 1.3
    a, b = x**2, np.sin(x)
    return b * 2 * x + a * np.cos(x), differences(lambda x: x**2 * np.sin(x), np.asarray(x))


def one_weight():
    """Each entry of W1, as a sum over the samples."""
    formula = np.array([[sum(DELTA_1[n, j] * X_b[n, i] for n in range(N)) for j in range(H)]
                        for i in range(D + 1)])
    return formula, differences(
        lambda W: half_squares(ones_before(sigma(X_b @ W)) @ W2), W1)


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
    paths = np.array([[sum(DELTA_2[n, k] * W2[j + 1, k] * SIGMA_PRIME[n, j] for k in range(K))
                       for j in range(H)] for n in range(N)])
    assert np.allclose(computed, paths, rtol=1e-12)
    return computed, hidden_error()[1]


def weights():
    def loss(W1, W2):
        return half_squares(ones_before(sigma(X_b @ W1)) @ W2)

    formula = [X_b.T @ DELTA_1, ones_before(A1).T @ DELTA_2]
    measured = [differences(lambda W: loss(W, W2), W1), differences(lambda W: loss(W1, W), W2)]
    return np.concatenate([g.ravel() for g in formula]), np.concatenate(
        [g.ravel() for g in measured])


FORMULAS = {
    r"\frac{dc}{dx} = \frac{dc}{db} \cdot \frac{db}{da} \cdot \frac{da}{dx} = f'(b) \cdot g'(a) "
    r"\cdot h'(x)": chain,
    r"\frac{dc}{dx} = \underbrace{\frac{\partial c}{\partial a} \cdot \frac{da}{dx}}_"
    r"{\text{through } a} + \underbrace{\frac{\partial c}{\partial b} \cdot \frac{db}{dx}}"
    r"_{\text{through } b} = b "
    r"\cdot 2x + a \cdot \cos x": two_paths,
    r"\frac{\partial J}{\partial w} = \underbrace{(\hat y - y)}_{\partial J / \partial \hat y} "
    r"\cdot \underbrace{v_j}_{\partial \hat y / \partial a_j} \cdot \underbrace{\sigma'(z_j)}"
    r"_{\partial a_j / \partial z_j} \cdot \underbrace{x_i}_{\partial z_j / \partial w}": one_path,
    r"\frac{\partial J}{\partial v_j} = (\hat y - y) \cdot a_j": output_weight,
    r"\sigma'(z) = -(1 + e^{-z})^{-2} \cdot (-e^{-z}) = \frac{1}{1 + e^{-z}} \cdot "
    r"\frac{e^{-z}}{1 + e^{-z}} = s\,(1 - s)": sigmoid_three_ways,
    r"\begin{aligned} \delta_{1,j} = \frac{\partial J}{\partial z_j} &= \sum_{k} \frac{\partial J}"
    r"{\partial z_k} \cdot \frac{\partial z_k}{\partial a_j} \cdot \frac{\partial a_j}"
    r"{\partial z_j} && \text{along each path, over all paths} \\ &= \sum_{k} "
    r"\delta_{2,k} \cdot w_{j,k} \cdot "
    r"\sigma'(z_j) && \text{because } z_k = \dots + w_{j,k}\, a_j + \dots \\ &= \sigma'(z_j) "
    r"\sum_{k} w_{j,k}\, \delta_{2,k} && \text{the last factor has no } k \end{aligned}":
        hidden_error_of_one_unit,
    r"\frac{\partial J}{\partial w_{i,j}} = \sum_{n} \frac{\partial J}{\partial z_{n,j}} \cdot "
    r"\frac{\partial z_{n,j}}{\partial w_{i,j}} = \sum_{n} \delta_{n,j} \cdot x_{n,i}": one_weight,
    r"\delta_2 = \frac{\partial J}{\partial Z_2} = \hat Y - y": output_error,
    r"\delta_1 = \frac{\partial J}{\partial Z_1} = \left(\delta_2\, \tilde W_2^{\top}\right) "
    r"\odot \sigma'(Z_1)": hidden_error,
    r"\frac{\partial J}{\partial W_1} = X_b^{\top}\, \delta_1, \qquad \frac{\partial J}"
    r"{\partial W_2} = [\,\mathbf 1,\; A_1\,]^{\top}\, \delta_2": weights,
}
