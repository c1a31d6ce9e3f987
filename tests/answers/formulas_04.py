"""Lesson 04: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(8)
N, D, H = 7, 3, 5
X, T = RNG.normal(size=(N, D)), (RNG.permutation(N) % 2).astype(float)
W, B, V, C = RNG.normal(size=(D, H)), RNG.normal(size=H), RNG.normal(size=H), np.asarray(0.3)
G = X @ W + B
A = np.tanh(G)
Z = A @ V + C


def losses(z, t):
    """The loss of each point as the text first has it, from its probability."""
    y_hat = 1 / (1 + np.exp(-z))
    return -t * np.log(y_hat) - (1 - t) * np.log(1 - y_hat)


def cost(z):
    return losses(z, T).sum() / N


Z_BAR = np.array([(1 / (1 + np.exp(-z)) - t) / N for z, t in zip(Z, T, strict=True)])
H_BAR = np.array([[Z_BAR[n] * V[j] for j in range(H)] for n in range(N)])
G_BAR = H_BAR * (1 - A ** 2)


def flat(*arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def tanh_prime():
    computed = 1 - np.tanh(G) ** 2
    assert np.allclose(computed, 1 - A ** 2, rtol=1e-12)
    assert np.allclose(np.tanh(G), 2 / (1 + np.exp(-2 * G)) - 1, rtol=0, atol=1e-12)
    return computed, differences(lambda G: np.tanh(G).sum(), G)


def seed():
    return np.asarray(1.0), differences(lambda J: float(J), np.asarray(cost(Z)))


def loss_of_one_point():
    y_hat = 1 / (1 + np.exp(-Z))
    chain = -T * np.exp(-Z) / (1 + np.exp(-Z)) + (1 - T) * np.exp(Z) / (1 + np.exp(Z))
    middle = -T * (1 - y_hat) + (1 - T) * y_hat
    assert np.allclose(chain, middle, rtol=1e-10) and np.allclose(middle, y_hat - T, rtol=1e-10)
    logit_form = T * np.log(1 + np.exp(-Z)) + (1 - T) * np.log(1 + np.exp(Z))
    assert np.allclose(logit_form, losses(Z, T), rtol=1e-10)
    return chain, differences(lambda z: losses(z, T).sum(), Z)


def logit():
    return 1.0 * Z_BAR, differences(cost, Z)


def output_layer():
    v_bar = [sum(Z_BAR[n] * A[n, j] for n in range(N)) for j in range(H)]
    return flat(v_bar, H_BAR), flat(
        differences(lambda V: cost(A @ V + C), V), differences(lambda A: cost(A @ V + C), A))


def hidden_layer():
    w_bar = [[sum(G_BAR[n, j] * X[n, d] for n in range(N)) for j in range(H)] for d in range(D)]
    return flat(G_BAR, w_bar), flat(
        differences(lambda G: cost(np.tanh(G) @ V + C), G),
        differences(lambda W: cost(np.tanh(X @ W + B) @ V + C), W))


def biases():
    dz_dc, dg_db = np.ones(N), np.ones((N, H))  # the last factors of both chains
    y_hat = 1 / (1 + np.exp(-Z))
    dJ_dy, dy_dz = (y_hat - T) / (y_hat * (1 - y_hat)) / N, y_hat * (1 - y_hat)
    c_bar = sum(dJ_dy[n] * dy_dz[n] * dz_dc[n] for n in range(N))
    b_bar = [sum(G_BAR[n, j] * dg_db[n, j] for n in range(N)) for j in range(H)]
    assert np.allclose([c_bar, *b_bar], [sum(Z_BAR), *G_BAR.sum(axis=0)], rtol=1e-12)
    return flat(c_bar, b_bar), flat(
        differences(lambda C: cost(A @ V + C), C),
        differences(lambda B: cost(np.tanh(X @ W + B) @ V + C), B))


def output_weights():
    return A.T @ Z_BAR[:, None], differences(lambda W2: cost((A @ W2)[:, 0] + C), V[:, None])


FORMULAS = {
    r"\tanh'(z) = 1 - \tanh^2 z = 1 - a^2": tanh_prime,
    r"\bar J = \frac{\partial J}{\partial J} = 1": seed,
    r"\frac{\partial \ell}{\partial z} = -t\,\frac{e^{-z}}{1 + e^{-z}} + (1 - t)\,\frac{e^{z}}"
    r"{1 + e^{z}} = -t\,(1 - \hat y) + (1 - t)\,\hat y = \hat y - t": loss_of_one_point,
    r"\bar z_n = \frac{\partial J}{\partial z_n} = \bar J \cdot \frac{1}{N}\,(\hat y_n - t_n)":
        logit,
    r"\bar v_j = \frac{\partial J}{\partial v_j} = \sum_n \bar z_n\, h_{nj}, \qquad \bar h_{nj} = "
    r"\frac{\partial J}{\partial h_{nj}} = \bar z_n\, v_j": output_layer,
    r"\bar g_{nj} = \frac{\partial J}{\partial g_{nj}} = \bar h_{nj}\,(1 - h_{nj}^2), \qquad "
    r"\bar w_{dj} = \frac{\partial J}{\partial w_{dj}} = \sum_n \bar g_{nj}\, x_{nd}": hidden_layer,
    r"\bar c = \frac{\partial J}{\partial c} = \sum_n \frac{\partial J}{\partial \hat y_n} \cdot "
    r"\frac{\partial \hat y_n}{\partial z_n} \cdot \frac{\partial z_n}{\partial c} = "
    r"\sum_n \bar z_n \cdot 1, \qquad \bar b_j = \frac{\partial J}{\partial b_j} = \sum_n "
    r"\frac{\partial J}{\partial g_{nj}} \cdot \frac{\partial g_{nj}}{\partial b_j} = "
    r"\sum_n \bar g_{nj} \cdot 1": biases,
    r"\frac{\partial J}{\partial W_2} = A_1^{\top}\, \overline{Z_2} \qquad (H, 1) = (H, N)\,"
    r"(N, 1)": output_weights,
}
