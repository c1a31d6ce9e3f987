"""Lesson 06: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(6)
N, D, H, K = 7, 2, 5, 3


def sigma(Z):
    return 1 / (1 + np.exp(-Z))


def soft(Z):
    E = np.exp(Z)
    return E / E.sum(axis=1, keepdims=True)


X, Y = RNG.normal(size=(N, D)), np.eye(K)[RNG.integers(K, size=N)]
W1, B1 = RNG.normal(size=(D, H)), RNG.normal(size=H)
W2, B2 = RNG.normal(size=(H, K)), RNG.normal(size=K)
Z1 = X @ W1 + B1
A1 = sigma(Z1)
Z2 = A1 @ W2 + B2
Y_HAT = soft(Z2)
DELTA_2 = (Y_HAT - Y) / N
DELTA_1 = (DELTA_2 @ W2.T) * A1 * (1 - A1)


def mean_loss(Z2):
    return -np.mean(np.sum(Y * np.log(soft(Z2)), axis=1))


def joined(*arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def output_error():
    return DELTA_2, differences(mean_loss, Z2)


def chain_of_three():
    """f = exp, g = sin, h = x²: one local derivative a step."""
    x = RNG.normal(size=5)
    h = x**2
    return (np.exp(np.sin(h)) * np.cos(h) * 2 * x,
            differences(lambda v: np.exp(np.sin(v**2)).sum(), x))


def one_hidden_unit():
    """The error of unit j of one sample, from those of all the units that it feeds."""
    def J(z):
        return -np.log(soft(sigma(z)[np.newaxis] @ W2 + B2))[0] @ Y[0]

    z = Z1[0]
    delta_k = differences(lambda Z: -np.log(soft(Z[np.newaxis]))[0] @ Y[0], Z2[0])
    return [sigma(z[j]) * (1 - sigma(z[j])) * sum(W2[j, k] * delta_k[k] for k in range(K))
            for j in range(H)], differences(J, z)


def hidden_error_by_entries():
    entries = np.array([[sum(DELTA_2[n, k] * W2[h, k] * A1[n, h] * (1 - A1[n, h])
                             for k in range(K)) for h in range(H)] for n in range(N)])
    assert np.allclose(entries, DELTA_1, rtol=1e-12)
    return entries, hidden_error()[1]


def bias_of_an_output():
    """Through the probabilities: loss, Jacobian of the softmax, 1."""
    by_probability = -Y / Y_HAT / N
    jacobians = [np.diag(p) - np.outer(p, p) for p in Y_HAT]
    sums = [sum(by_probability[n, j] * jacobians[n][j, k] * 1 for n in range(N) for j in range(K))
            for k in range(K)]
    assert np.allclose(sums, DELTA_2.sum(axis=0), rtol=1e-12)
    return sums, differences(lambda b: mean_loss(A1 @ W2 + b), B2)


def weights():
    return tuple(np.concatenate(pair)
                 for pair in zip(output_layer(), hidden_layer(), strict=True))


def series():
    """The first four terms, at both signs."""
    return taylor(lambda eps: np.exp(0.4 + eps), lambda eps: np.exp(0.4) * (
        1 + eps + eps**2 / 2 + eps**3 / 6), [-0.01, 0.01])


def one_sided():
    return taylor(lambda eps: (np.exp(0.4 + eps) - np.exp(0.4)) / eps,
                  lambda eps: np.exp(0.4) * (1 + eps / 2), [1e-4])


def two_sided():
    return taylor(lambda eps: (np.exp(0.4 + eps) - np.exp(0.4 - eps)) / (2 * eps),
                  lambda eps: np.exp(0.4) * (1 + eps**2 / 6), [0.02])


def taylor(left, right, steps):
    """Return the right side and the left side, at steps so small that the dots are rounding."""
    return [right(eps) for eps in steps], [left(eps) for eps in steps]


def output_layer():
    sums = [sum(DELTA_2[n, k] for n in range(N)) for k in range(K)]
    return joined(A1.T @ DELTA_2, sums), joined(
        differences(lambda W: mean_loss(A1 @ W + B2), W2),
        differences(lambda b: mean_loss(A1 @ W2 + b), B2))


def hidden_error():
    return DELTA_1, differences(lambda Z: mean_loss(sigma(Z) @ W2 + B2), Z1)


def hidden_layer():
    sums = [sum(DELTA_1[n, h] for n in range(N)) for h in range(H)]
    return joined(X.T @ DELTA_1, sums), joined(
        differences(lambda W: mean_loss(sigma(X @ W + B1) @ W2 + B2), W1),
        differences(lambda b: mean_loss(sigma(X @ W1 + b) @ W2 + B2), B1))


FORMULAS = {
    r"\frac{df}{dx} = \frac{df}{dg} \cdot \frac{dg}{dh} \cdot \frac{dh}{dx}": chain_of_three,
    r"\delta_2 = \frac{\partial J}{\partial Z_2} = \frac{1}{N} \left(\hat Y - Y\right)":
        output_error,
    r"\delta_j = \frac{\partial J}{\partial z_j} = \sum_k \frac{\partial J}{\partial z_k}\, "
    r"\frac{\partial z_k}{\partial u_j}\, \frac{\partial u_j}{\partial z_j} = \varphi'(z_j) "
    r"\sum_k w_{jk}\, \delta_k": one_hidden_unit,
    r"\delta_{1,nj} = \sum_k \frac{\partial J}{\partial z_{2,nk}}\, \frac{\partial z_{2,nk}}"
    r"{\partial a_{nj}}\, \frac{\partial a_{nj}}{\partial z_{1,nj}} = \sum_k \delta_{2,nk}\, "
    r"w_{jk}\, a_{nj} (1 - a_{nj})": hidden_error_by_entries,
    r"\delta_1 = \frac{\partial J}{\partial Z_1} = \left(\delta_2 W_2^{\top}\right) \odot A_1 "
    r"\odot (1 - A_1)": hidden_error,
    r"\frac{\partial J}{\partial b_{2,k}} = \sum_n \sum_l \frac{\partial J}{\partial \hat "
    r"y_{nl}}\, \frac{\partial \hat y_{nl}}{\partial z_{2,nk}}\, \frac{\partial z_{2,nk}}"
    r"{\partial b_{2,k}} = \sum_n \delta_{2,nk} \cdot 1": bias_of_an_output,
    r"\frac{\partial J}{\partial W_2} = A_1^{\top} \delta_2, \qquad \frac{\partial J}{\partial "
    r"b_2} = \sum_{n=1}^{N} \delta_{2,n}, \qquad \frac{\partial J}{\partial W_1} = X^{\top} "
    r"\delta_1, \qquad \frac{\partial J}{\partial b_1} = \sum_{n=1}^{N} \delta_{1,n}": weights,
    r"f(w \pm \varepsilon) = f(w) \pm \varepsilon f'(w) + \frac{\varepsilon^2}{2} f''(w) \pm "
    r"\frac{\varepsilon^3}{6} f'''(w) + \dots": series,
    r"\frac{f(w + \varepsilon) - f(w)}{\varepsilon} = f'(w) + \frac{\varepsilon}{2} f''(w) + "
    r"\dots": one_sided,
    r"\frac{f(w + \varepsilon) - f(w - \varepsilon)}{2 \varepsilon} = f'(w) + "
    r"\frac{\varepsilon^2}{6} f'''(w) + \dots": two_sided,
}
