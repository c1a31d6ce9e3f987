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


SUMS, UP, GAIN, SHIFT, EPS = RNG.normal(size=N) * 2 + 1, RNG.normal(size=N), 1.7, -0.4, 0.3


def spread(z):
    return np.sqrt(((z - z.mean()) ** 2).mean() + EPS)


def one_norm(z, mu=None, s=None):
    """The loss of one unit behind batch norm, with either statistic held if it is given."""
    mu, s = z.mean() if mu is None else mu, spread(z) if s is None else s
    return (UP * (GAIN * (z - mu) / s + SHIFT)).sum()


def statistics():
    h = (SUMS - SUMS.mean()) / spread(SUMS)
    assert np.allclose((SUMS - SUMS.mean()) / (N * spread(SUMS)), h / N)
    return (np.concatenate([np.full(N, 1 / N), h / N]),
            np.concatenate([differences(np.mean, SUMS), differences(spread, SUMS)]))


def into_the_statistics():
    mu, s = SUMS.mean(), spread(SUMS)
    h, h_bar = (SUMS - mu) / s, GAIN * UP
    return [-h_bar.sum() / s, -(h_bar * h).sum() / s], [
        differences(lambda m: one_norm(SUMS, m, s), mu),
        differences(lambda v: one_norm(SUMS, mu, v), s)]


def three_paths():
    mu, s = SUMS.mean(), spread(SUMS)
    h, h_bar = (SUMS - mu) / s, GAIN * UP
    mu_bar, s_bar = into_the_statistics()[0]
    compact = (h_bar - h_bar.mean() - h * (h_bar * h).mean()) / s
    assert np.allclose(h_bar / s + mu_bar / N + s_bar * h / N, compact)
    return compact, differences(one_norm, SUMS)


def residual():
    A, V = RNG.normal(size=(N, 4)), RNG.normal(size=(4, 4))
    up = RNG.normal(size=(N, 4))
    delta = up * (1 - np.tanh(A @ V) ** 2)

    def loss(A, Z=None):
        return (up * (A + np.tanh(A @ V if Z is None else Z))).sum()

    return np.concatenate([up + delta @ V.T, delta]), np.concatenate([
        differences(loss, A), differences(lambda Z: loss(A, Z), A @ V)])


FORMULAS = {
    r"\frac{\partial \mu}{\partial z_n} = \frac1N, \qquad \frac{\partial s}{\partial z_n} = "
    r"\frac{z_n - \mu}{N s} = \frac{h_n}{N}": statistics,
    r"\bar\mu = \frac{\partial J}{\partial \mu} = -\frac1s \sum_m \bar h_m, \qquad \bar s = "
    r"\frac{\partial J}{\partial s} = -\frac1s \sum_m \bar h_m h_m": into_the_statistics,
    r"\frac{\partial J}{\partial z_n} = \frac{\bar h_n}{s} + \frac{\bar\mu}{N} + \bar s\,"
    r"\frac{h_n}{N} = \frac1s \left( \bar h_n - \operatorname{mean}(\bar h) - h_n "
    r"\operatorname{mean}(\bar h\, h) \right)": three_paths,
    r"\frac{\partial J}{\partial A_{l-1}} = \frac{\partial J}{\partial A_l} + \delta_l W_l^{\top}, "
    r"\qquad \delta_l = \frac{\partial J}{\partial A_l} \odot f'(Z_l)": residual,
    r"\frac{\partial J}{\partial z_{nj}} = \sum_k \delta_{l+1,nk} \cdot w_{jk} \cdot f'(z_{nj})":
        one_unit,
    r"\frac{\partial J}{\partial w_{ij}} = \sum_n a_{l-1,ni} \cdot \delta_{l,nj}, \qquad "
    r"\frac{\partial J}{\partial b_j} = \sum_n \delta_{l,nj}": one_weight,
    r"\begin{aligned} \delta_L &= \tfrac1N (\hat Y - Y) \\ \delta_l &= \left(\delta_{l+1} "
    r"W_{l+1}^{\top}\right) \odot f'(Z_l) \\ \partial J / \partial W_l &= A_{l-1}^{\top} \delta_l "
    r"\\ \partial J / \partial b_l &= \mathbf 1^{\top} \delta_l \end{aligned}": four_equations,
}
