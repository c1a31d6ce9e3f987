"""Lesson 11: the gradient formulas that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences

RNG = np.random.default_rng(11)
T, D, D_V, VOCABULARY = 4, 5, 3, 6
Q, K, V = RNG.normal(size=(T, D)), RNG.normal(size=(T, D)), RNG.normal(size=(T, D_V))
UP = RNG.normal(size=(T, D_V))  # what arrives at O


def softmax(S):
    E = np.exp(S)
    return E / E.sum(axis=-1, keepdims=True)


def weights(Q=Q, K=K):
    return softmax(Q @ K.T / np.sqrt(D))


def loss(Q=Q, K=K, V=V):
    return (UP * (weights(Q, K) @ V)).sum()


def one_row():
    s, arrives = Q[0, :T], UP[:, 0]
    a = softmax(s)
    delta = np.eye(T)
    jacobian = [[a[k] * (delta[k, j] - a[j]) for j in range(T)] for k in range(T)]
    terms = [sum(arrives[k] * jacobian[k][j] for k in range(T)) for j in range(T)]
    compact = a * (arrives - (a * arrives).sum())
    assert np.allclose(terms, compact)
    return compact, differences(lambda s: (arrives * softmax(s)).sum(), s)


def values_and_weights():
    A = weights()
    return np.concatenate([(UP @ V.T).ravel(), (A.T @ UP).ravel()]), np.concatenate([
        differences(lambda A: (UP * (A @ V)).sum(), A).ravel(),
        differences(lambda V: loss(V=V), V).ravel()])


def scores():
    A = weights()
    A_bar = UP @ V.T
    S_bar = A * (A_bar - (A * A_bar).sum(axis=1, keepdims=True))
    return S_bar, A, A_bar


def one_query_and_key():
    S_bar, *_ = scores()
    q = [[sum(S_bar[t, s] * K[s, j] / np.sqrt(D) for s in range(T)) for j in range(D)]
         for t in range(T)]
    k = [[sum(S_bar[t, s] * Q[t, j] / np.sqrt(D) for t in range(T)) for j in range(D)]
         for s in range(T)]
    return np.concatenate([q, k]), np.concatenate([
        differences(lambda Q: loss(Q=Q), Q), differences(lambda K: loss(K=K), K)])


def embedding():
    ids, up = RNG.integers(VOCABULARY, size=(3, T)), RNG.normal(size=(3, T, D))
    E, P = RNG.normal(size=(VOCABULARY, D)), RNG.normal(size=(T, D))

    def total(E=E, P=P):
        return (up * np.sin(E[ids] + P)).sum()  # a loss with another slope everywhere

    X_bar = up * np.cos(E[ids] + P)
    E_bar = [sum((X_bar[n, t] for n in range(3) for t in range(T) if ids[n, t] == v),
                 np.zeros(D)) for v in range(VOCABULARY)]
    P_bar = [sum(X_bar[n, t] for n in range(3)) for t in range(T)]
    return np.concatenate([E_bar, P_bar]), np.concatenate([
        differences(lambda E: total(E=E), E), differences(lambda P: total(P=P), P)])


def four_paths():
    R_bar = RNG.normal(size=(T, D))
    W = dict(zip("qkv", RNG.normal(size=(3, D, D)), strict=True))
    X = RNG.normal(size=(T, D))

    def total(X, q=None, k=None, v=None):
        q, k, v = (X @ W[name] if given is None else given
                   for name, given in (("q", q), ("k", k), ("v", v)))
        return (R_bar * (X + softmax(q @ k.T / np.sqrt(D)) @ v)).sum()

    bars = {name: differences(lambda given, name=name: total(X, **{name: given}), X @ W[name])
            for name in W}
    return (R_bar + sum(bars[name] @ W[name].T for name in W), differences(total, X))


def around_and_query():
    """The errors of O and of Wq in R = X + O; as in the loss above, one sequence is flat."""
    R_bar, X, W = RNG.normal(size=(T, D_V)), RNG.normal(size=(T, D_V)), RNG.normal(size=(D_V, D))

    def total(W=W, O=None):  # noqa: E741  (the lesson's name)
        O = weights(X @ W) @ V if O is None else O  # noqa: E741
        return (R_bar * (X + O)).sum()

    Q_bar = differences(lambda Q: (R_bar * (X + weights(Q) @ V)).sum(), X @ W)
    return np.concatenate([R_bar.ravel(), (X.T @ Q_bar).ravel()]), np.concatenate([
        differences(lambda O: total(O=O), weights(X @ W) @ V).ravel(),  # noqa: E741
        differences(lambda W: total(W), W).ravel()])


FORMULAS = {
    r"\bar s_j = \frac{\partial J}{\partial s_j} = \sum_k \bar a_k\, a_k (\delta_{kj} - a_j) = "
    r"a_j \left( \bar a_j - \sum_k a_k \bar a_k \right)": one_row,
    r"\bar A = \frac{\partial J}{\partial A} = \bar O\, V^{\top}, \qquad \bar V = "
    r"\frac{\partial J}{\partial V} = A^{\top} \bar O": values_and_weights,
    r"\frac{\partial J}{\partial q_{tj}} = \frac{1}{\sqrt d} \sum_s \bar s_{ts}\, k_{sj}, \qquad "
    r"\frac{\partial J}{\partial k_{sj}} = \frac{1}{\sqrt d} \sum_t \bar s_{ts}\, q_{tj}":
        one_query_and_key,
    r"\frac{\partial J}{\partial e_v} = \sum_{n, t\,:\, \text{id}_{nt} = v} \bar x_{nt}, \qquad "
    r"\frac{\partial J}{\partial p_t} = \sum_n \bar x_{nt}": embedding,
    r"\bar O = \bar R, \qquad \frac{\partial J}{\partial W_q} = X^{\top} \bar Q": around_and_query,
    r"\bar X = \frac{\partial J}{\partial X} = \bar R + \bar Q\, W_q^{\top} + \bar K\, W_k^{\top} "
    r"+ \bar V\, W_v^{\top}": four_paths,
}
