"""Lesson 11: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax
from scipy.special import softmax as shares


def look_up_softmax(q, K, V):
    a = shares(np.array([k @ q for k in K]))
    return sum(weight * v for weight, v in zip(a, V, strict=True)), a


def look_up_einsum(q, K, V):
    a = np.exp(log_softmax(np.einsum("td,d->t", K, q)))
    return np.einsum("t,tv->v", a, V), a


def look_up_columns(q, K, V):
    E = np.exp(q @ K.T - np.max(q @ K.T))
    return (E[:, None] * V).sum(0) / E.sum(), E / E.sum()


def softmax_back_two_terms(dA, A):
    P = dA * A
    return P - A * np.sum(P, -1)[..., None]


def softmax_back_jacobians(dA, A):
    J = A[..., :, None] * (np.eye(A.shape[-1]) - A[..., None, :])
    return np.einsum("...k,...kj->...j", dA, J)


def softmax_back_rows(dA, A):
    dS = np.zeros(A.shape)
    for at in np.ndindex(A.shape[:-1]):
        a = A[at]
        dS[at] = (np.diag(a) - np.outer(a, a)) @ dA[at]
    return dS


def attention_einsum(Q, K, V):
    A = shares(np.einsum("...td,...sd->...ts", Q, K) * Q.shape[-1] ** -0.5, axis=-1)
    return np.einsum("...ts,...sv->...tv", A, V), A


def attention_scaled_first(Q, K, V):
    S = (Q / K.shape[-1] ** 0.5) @ np.moveaxis(K, -1, -2)
    S = S - S.max(-1, keepdims=True)
    A = np.exp(S) / np.exp(S).sum(-1)[..., None]
    return np.matmul(A, V), A


def attention_recursive(Q, K, V):
    if Q.ndim > 2:
        both = [attention_recursive(*three) for three in zip(Q, K, V, strict=True)]
        return tuple(np.stack(part) for part in zip(*both, strict=True))
    A = np.array([shares(K @ q / np.sqrt(q.size)) for q in Q])
    return A @ V, A


def attention_back_einsum(dO, Q, K, V, A):
    dS = softmax_back_jacobians(np.einsum("...tv,...sv->...ts", dO, V), A)
    dS = dS / K.shape[-1] ** 0.5
    return (np.einsum("...ts,...sd->...td", dS, K), np.einsum("...ts,...td->...sd", dS, Q),
            np.einsum("...ts,...tv->...sv", A, dO))


def attention_back_delta(dO, Q, K, V, A):
    """Use that the mean of dA with weights A is the product of dO with O."""
    scale, found = 1 / np.sqrt(Q.shape[-1]), A @ V
    dS = A * (dO @ V.swapaxes(-1, -2) - (dO * found).sum(axis=-1, keepdims=True))
    return scale * dS @ K, scale * (Q.swapaxes(-1, -2) @ dS).swapaxes(-1, -2), np.matmul(
        np.moveaxis(A, -1, -2), dO)


def attention_back_recursive(dO, Q, K, V, A):
    if Q.ndim > 2:
        parts = zip(*map(attention_back_recursive, dO, Q, K, V, A), strict=True)
        return tuple(np.stack(part) for part in parts)
    dQ, dK, dV = np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    for t in range(len(Q)):
        ds = A[t] * (V @ dO[t] - A[t] @ (V @ dO[t])) / np.sqrt(Q.shape[1])
        dQ[t] = ds @ K
        dK += np.outer(ds, Q[t])
        dV += np.outer(A[t], dO[t])
    return dQ, dK, dV


def embed_take(ids, E, P):
    return np.take(E, ids, axis=0) + P[np.arange(ids.shape[-1])]


def embed_one_hot(ids, E, P):
    return np.eye(len(E))[ids] @ E + P[None, :ids.shape[1]]


def embed_loops(ids, E, P):
    X = np.empty((*ids.shape, P.shape[1]))
    for t, column in enumerate(ids.T):
        X[:, t] = E[column] + P[t]
    return X


def embed_back_one_hot(dX, ids, E, P):
    dE = np.tensordot(np.eye(len(E))[ids], dX, axes=([0, 1], [0, 1]))
    return dE, np.vstack([dX.sum(0), np.zeros((len(P) - ids.shape[1], P.shape[1]))])


def embed_back_loops(dX, ids, E, P):
    dE, dP = E * 0, P * 0
    for row, d in zip(ids, dX, strict=True):
        for t, token in enumerate(row):
            dE[token] += d[t]
            dP[t] += d[t]
    return dE, dP


def embed_back_by_token(dX, ids, E, P):
    dP = np.zeros(P.shape)
    np.add.at(dP, np.broadcast_to(np.arange(ids.shape[1]), ids.shape), dX)
    return np.array([dX[ids == token].sum(axis=0) for token in range(len(E))]), dP


def split_transpose(X, h):
    return np.transpose(X.reshape(len(X), -1, h, X.shape[2] // h), (0, 2, 1, 3))


def split_stack(X, h):
    return np.stack(np.split(X, h, axis=-1), axis=1)


def split_slices(X, h):
    width = X.shape[-1] // h
    return np.array([[row[:, i * width:(i + 1) * width] for i in range(h)] for row in X])


def merge_transpose(X):
    return np.transpose(X, (0, 2, 1, 3)).reshape(len(X), X.shape[2], -1)


def merge_concatenate(X):
    return np.concatenate([X[:, i] for i in range(X.shape[1])], axis=-1)


def merge_rows(X):
    return np.stack([np.hstack(list(heads)) for heads in X])


def run(ids, params, h):
    """Return what the way back needs: X, Q, K, V, A, R, H and the probabilities."""
    X = embed_take(ids, params["E"], params["P"])
    Q, K, V = (split_stack(X @ params[W], h) for W in ("Wq", "Wk", "Wv"))
    found, A = attention_einsum(Q, K, V)
    R = X + merge_concatenate(found)
    H = np.maximum(R @ params["W1"] + params["b1"], 0)
    return X, Q, K, V, A, R, H, shares(H @ params["W2"] + params["b2"], axis=-1)


def backward_einsum(ids, y, params, h):
    X, Q, K, V, A, R, H, Y_hat = run(ids, params, h)
    dZ2 = (Y_hat - np.eye(Y_hat.shape[-1])[y]) / y.size
    dZ1 = np.where(H > 0, dZ2 @ params["W2"].T, 0)
    dR = dZ1 @ params["W1"].T
    three = map(merge_concatenate, attention_back_einsum(split_stack(dR, h), Q, K, V, A))
    outer = "nti,nto->io"
    grads = {"W2": np.einsum(outer, H, dZ2), "b2": dZ2.sum((0, 1)),
             "W1": np.einsum(outer, R, dZ1), "b1": dZ1.sum((0, 1))}
    dX = dR.copy()
    for W, d in zip(["Wq", "Wk", "Wv"], three, strict=True):
        grads[W] = np.einsum(outer, X, d)
        dX += d @ params[W].T
    grads["E"], grads["P"] = embed_back_one_hot(dX, ids, params["E"], params["P"])
    return grads


def backward_flat(ids, y, params, h):
    """Work on the rows of all tokens, below each other."""
    *first, A, R, H, Y_hat = run(ids, params, h)
    X, Q, K, V = first
    d = Y_hat.reshape(-1, Y_hat.shape[-1]).copy()
    d[np.arange(d.shape[0]), y.reshape(-1)] -= 1.0
    d /= d.shape[0]
    rows, X_rows, H_rows = (B.reshape(len(d), -1) for B in (R, X, H))
    g = dict(W2=H_rows.T @ d, b2=d.sum(0))
    d = d @ params["W2"].T * np.sign(H_rows)
    g |= dict(W1=rows.T @ d, b1=d.sum(0))
    d = d @ params["W1"].T
    dQ, dK, dV = attention_back_delta(split_slices(d.reshape(X.shape), h), Q, K, V, A)
    all_three = np.concatenate([merge_rows(B) for B in (dQ, dK, dV)], axis=-1)
    weights = np.hstack([params["Wq"], params["Wk"], params["Wv"]])
    g["Wq"], g["Wk"], g["Wv"] = np.split(X_rows.T @ all_three.reshape(len(d), -1), 3, axis=1)
    dX = d.reshape(X.shape) + all_three @ weights.T
    g["E"], g["P"] = embed_back_loops(dX, ids, params["E"], params["P"])
    return g


def backward_by_sequences(ids, y, params, h):
    """Add up the gradients of one sequence after the other."""
    grads = {name: np.zeros_like(W) for name, W in params.items()}
    for n in range(len(ids)):
        for name, g in backward_einsum(ids[n:n + 1], y[n:n + 1], params, h).items():
            grads[name] += g / len(ids)
    return grads


def max_rule_where(upstream, x, output, axis=None, keepdims=False):
    top = x.max(axis=axis, keepdims=True)
    ties = np.count_nonzero(x == top, axis=axis, keepdims=True)
    return np.where(x == top, upstream.reshape(top.shape) / ties, 0.0)


def max_rule_moved(upstream, x, output, axis=None, keepdims=False):
    if axis is None:
        is_max = x == np.max(x)
        return np.asarray(upstream).ravel()[0] * is_max / is_max.sum()
    lanes = np.moveaxis(x, axis, 0)
    arrives = np.squeeze(upstream, axis) if keepdims else upstream
    is_max = lanes == lanes.max(axis=0)
    return np.moveaxis(arrives * is_max / is_max.sum(axis=0), 0, axis)


def max_rule_loops(upstream, x, output, axis=None, keepdims=False):
    dx = np.zeros(x.shape)
    up = np.broadcast_to(np.reshape(upstream, x.max(axis=axis, keepdims=True).shape), x.shape)
    top = np.broadcast_to(x.max(axis=axis, keepdims=True), x.shape)
    number = np.broadcast_to((x == top).sum(axis=axis, keepdims=True), x.shape)
    for at in np.ndindex(x.shape):
        if x[at] == top[at]:
            dx[at] = up[at] / number[at]
    return dx


RIGHT = {
    "11-look-up": [look_up_softmax, look_up_einsum, look_up_columns],
    "11-softmax-back": [softmax_back_two_terms, softmax_back_jacobians, softmax_back_rows],
    "11-attention": [attention_einsum, attention_scaled_first, attention_recursive],
    "11-attention-back": [attention_back_einsum, attention_back_delta, attention_back_recursive],
    "11-embed/embed": [embed_take, embed_one_hot, embed_loops],
    "11-embed/embed_back": [embed_back_one_hot, embed_back_loops, embed_back_by_token],
    "11-heads/split_heads": [split_transpose, split_stack, split_slices],
    "11-heads/merge_heads": [merge_transpose, merge_concatenate, merge_rows],
    "11-backward": [backward_einsum, backward_flat, backward_by_sequences],
    "11-max-rule": [max_rule_where, max_rule_moved, max_rule_loops],
}


def embed_back_plus_equals(dX, ids, E, P):
    dE, dP = np.zeros(E.shape), np.zeros(P.shape)
    for t in range(ids.shape[1]):
        dE[ids[:, t]] += dX[:, t]
        dP[t] = dX[:, t].sum(axis=0)
    return dE, dP


def attention_back_wrong_dq(dO, Q, K, V, A):
    _, dK, dV = attention_back_einsum(dO, Q, K, V, A)
    dS = softmax_back_rows(np.einsum("...tv,...sv->...ts", dO, V), A) / np.sqrt(Q.shape[-1])
    return np.einsum("...st,...sd->...td", dS, K), dK, dV


def backward_no_path_around(ids, y, params, h):
    grads = backward_flat(ids, y, params, h)
    X, Q, K, V, A, R, H, Y_hat = run(ids, params, h)
    dZ1 = (H > 0) * (((Y_hat - np.eye(Y_hat.shape[-1])[y]) / y.size) @ params["W2"].T)
    dO = split_stack(dZ1 @ params["W1"].T, h)
    dX = sum(merge_rows(d) @ params[W].T for W, d in zip(
        ("Wq", "Wk", "Wv"), attention_back_einsum(dO, Q, K, V, A), strict=True))
    grads["E"], grads["P"] = embed_back_loops(dX, ids, params["E"], params["P"])
    return grads


WRONG = [
    ("11-look-up", lambda q, K, V: (V[(K @ q).argmax()], look_up_softmax(q, K, V)[1]),
     "the-best-only"),
    ("11-softmax-back", lambda dA, A: dA * A * (1 - A), "own-entry-only"),
    ("11-attention", lambda Q, K, V: attention_einsum(K, Q, V), "keys-ask"),
    ("11-attention-back", attention_back_wrong_dq, "dq-transposed"),
    ("11-embed/embed", lambda ids, E, P: E[ids] + 0 * P[:ids.shape[1]], "positions-missing"),
    ("11-embed/embed_back", embed_back_plus_equals, None),
    ("11-heads/split_heads", lambda X, h: np.reshape(X, (len(X), h, X.shape[1], -1)),
     "reshape-only"),
    ("11-heads/merge_heads", lambda X: X.reshape(len(X), X.shape[2], -1), "reshape-only"),
    ("11-backward", backward_no_path_around, "path-around-missing"),
    ("11-max-rule", lambda upstream, x, output, axis=None, keepdims=False: (
        max_rule_where(upstream, x, output, axis, keepdims)
        * (x == x.max(axis=axis, keepdims=True)).sum(axis=axis, keepdims=True)),
     "draw-not-shared"),
]

SAME = "the same two axes, named in the other order"
EQUIVALENT = {
    "11-attention": {"line 3: K.swapaxes(-1, -2) → K.swapaxes(-2, -1)": SAME},
    "11-attention-back": {
        "line 3: A.swapaxes(-1, -2) → A.swapaxes(-2, -1)": SAME,
        "line 4: V.swapaxes(-1, -2) → V.swapaxes(-2, -1)": SAME,
        "line 5: dS.swapaxes(-1, -2) → dS.swapaxes(-2, -1)": SAME},
    "11-heads/split_heads": {
        "line 4: X.reshape(N, T, h, d // h).swapaxes(1, 2) → "
        "X.reshape(N, T, h, d // h).swapaxes(2, 1)": SAME},
    "11-heads/merge_heads": {"line 4: X.swapaxes(1, 2) → X.swapaxes(2, 1)": SAME},
}
