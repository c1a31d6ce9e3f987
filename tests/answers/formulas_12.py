"""Lesson 12: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(12)
N, T, D, M, V = 2, 3, 4, 5, 6
UP = RNG.normal(size=(N, T, D))
X, Y = RNG.normal(size=(2, N, T, D))
W1, B1, W2, B2 = (RNG.normal(size=shape) for shape in ((D, M), M, (M, D), D))


def causal_shares(S):
    E = np.exp(S) * np.tri(T)
    return E / E.sum(axis=-1, keepdims=True)


def masked_softmax():
    S, values = RNG.normal(size=(T, T)), RNG.normal(size=(T, T))
    A, A_bar = causal_shares(S), values * np.cos(causal_shares(S))
    computed = [[A[t, i] * (A_bar[t, i] - sum(A_bar[t, j] * A[t, j] for j in range(T)))
                 for i in range(T)] for t in range(T)]
    return computed, differences(lambda S: (values * np.sin(causal_shares(S))).sum(), S)


def hidden(Y):
    return np.maximum(Y @ W1 + B1, 0)


def mlp_errors():
    R_bar = UP @ W2.T
    Y_bar = (R_bar * (hidden(Y) > 0)) @ W1.T
    measured = [differences(lambda R: (UP * (X + R @ W2 + B2)).sum(), hidden(Y)),
                differences(lambda Y: (UP * (X + hidden(Y) @ W2 + B2)).sum(), Y)]
    return (np.concatenate([R_bar.ravel(), Y_bar.ravel()]),
            np.concatenate([g.ravel() for g in measured]))


def mlp_parameters():
    R = hidden(Y)
    dW2 = sum(np.outer(R[n, t], UP[n, t]) for n in range(N) for t in range(T))
    db2 = sum(UP[n, t] for n in range(N) for t in range(T))
    return np.vstack([dW2, db2]), np.vstack([
        differences(lambda W: (UP * (X + R @ W + B2)).sum(), W2),
        differences(lambda b: (UP * (X + R @ W2 + b)).sum(), B2)])


WQ, WK, WV, WO = RNG.normal(size=(4, D, D)) / 3


def heads(Q, K, V):
    """What one head finds, before Wo."""
    A = np.exp(Q @ K.swapaxes(1, 2)) * np.tri(T)
    return A / A.sum(axis=-1, keepdims=True) @ V


def attended(Q, K, V, W=WO):
    return (UP * (X + heads(Q, K, V) @ W)).sum()


def three_uses():
    Q, K, V = Y @ WQ, Y @ WK, Y @ WV
    bars = (differences(lambda Q: attended(Q, K, V), Q),
            differences(lambda K: attended(Q, K, V), K),
            differences(lambda V: attended(Q, K, V), V))
    computed = sum(bar @ W.T for bar, W in zip(bars, (WQ, WK, WV), strict=True))
    return computed, differences(lambda Y: attended(Y @ WQ, Y @ WK, Y @ WV), Y)


def out_and_query():
    Q, K, V = Y @ WQ, Y @ WK, Y @ WV
    M = heads(Q, K, V)
    Q_bar = differences(lambda Q: attended(Q, K, V), Q)

    def over_rows(left, right):
        return sum(np.outer(left[n, t], right[n, t]) for n in range(N) for t in range(T))

    return (np.concatenate([np.ravel(g) for g in (UP @ WO.T, over_rows(M, UP),
                                                  over_rows(Y, Q_bar))]),
            np.concatenate([g.ravel() for g in (
                differences(lambda M: (UP * (X + M @ WO)).sum(), M),
                differences(lambda W: attended(Q, K, V, W), WO),
                differences(lambda W: attended(Y @ W, K, V), WQ))]))


def answer_only():
    Z, c = RNG.normal(size=(N, T, V)), RNG.integers(V, size=(N, T))
    w = np.array([[0, 1, 1], [0, 0, 1]])

    def J(Z):
        shares = np.exp(Z) / np.exp(Z).sum(axis=-1, keepdims=True)
        return -sum(w[n, t] * np.log(shares[n, t, c[n, t]])
                    for n in range(N) for t in range(T)) / w.sum()

    shares = np.exp(Z) / np.exp(Z).sum(axis=-1, keepdims=True)
    computed = [[[w[n, t] / w.sum() * (shares[n, t, k] - (k == c[n, t])) for k in range(V)]
                 for t in range(T)] for n in range(N)]
    return computed, differences(J, Z)


FORMULAS = {
    r"\frac{\partial J}{\partial s_{ti}} = a_{ti} \left( \frac{\partial J}{\partial a_{ti}} - "
    r"\sum_j \frac{\partial J}{\partial a_{tj}}\, a_{tj} \right)": masked_softmax,
    r"\frac{\partial J}{\partial R} = \bar X_{\text{out}} W_2^{\top}, \qquad "
    r"\frac{\partial J}{\partial Y} = \left( \bar R \odot \mathbb 1(R > 0) \right) W_1^{\top}":
        mlp_errors,
    r"\frac{\partial J}{\partial W_2} = \sum_{n,t} r_{nt}^{\top}\, \bar x_{\text{out},nt}, \qquad "
    r"\frac{\partial J}{\partial b_2} = \sum_{n,t} \bar x_{\text{out},nt}": mlp_parameters,
    r"\bar M = \bar X_{\text{out}} W_o^{\top}, \qquad \frac{\partial J}{\partial W_o} = "
    r"\sum_{n,t} m_{nt}^{\top}\, \bar x_{\text{out},nt}, \qquad \frac{\partial J}{\partial W_q} = "
    r"\sum_{n,t} y_{nt}^{\top}\, \bar q_{nt}": out_and_query,
    r"\frac{\partial J}{\partial Y} = \bar Q\, W_q^{\top} + \bar K\, W_k^{\top} + "
    r"\bar V\, W_v^{\top}": three_uses,
    r"J = -\frac1{\sum w} \sum_{n,t} w_{nt} \log \hat y_{nt,c_{nt}}, \qquad \frac{\partial J}"
    r"{\partial z_{ntk}} = \frac{w_{nt}}{\sum w} "
    r"\left( \hat y_{ntk} - \mathbb 1(k = c_{nt}) \right)":
        answer_only,
}
