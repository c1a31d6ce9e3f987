"""Lesson 12: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_softmax
from scipy.special import softmax as shares


def norm(X, g, t, eps=1e-5):
    mean = np.mean(X, axis=-1, keepdims=True)
    s = np.sqrt(np.mean((X - mean) ** 2, axis=-1, keepdims=True) + eps)
    return g * (X - mean) / s + t, (X - mean) / s, s


def norm_back(dY, g, H, s):
    d, n = dY * g, dY.shape[-1]
    both = d.sum(-1, keepdims=True) + H * (d * H).sum(-1, keepdims=True)
    return (d - both / n) / s, np.einsum("ntd,ntd->d", dY, H), dY.sum(axis=(0, 1))


def outer(X, D):
    return np.tensordot(X, D, axes=((0, 1), (0, 1)))


def causal_bias(Q, K, V):
    """Add a large negative number above the diagonal."""
    T = Q.shape[-2]
    S = np.einsum("...td,...sd->...ts", Q, K) * Q.shape[-1] ** -0.5
    A = shares(S + np.triu(np.full((T, T), -1e12), k=1), axis=-1)
    return np.matmul(A, V), A


def causal_renormalised(Q, K, V):
    """Take powers of all scores, less the largest that is seen, and forget those of the future."""
    S = Q @ np.swapaxes(K, -1, -2) / math.sqrt(Q.shape[-1])
    seen = np.tri(S.shape[-1], dtype=bool)
    top = np.max(np.where(seen, S, -np.inf), axis=-1, keepdims=True)
    A = np.exp(np.minimum(S - top, 0)) * seen
    A /= A.sum(axis=-1, keepdims=True)
    return A @ V, A


def causal_growing(Q, K, V):
    """Let each position read a longer and longer beginning."""
    T, d = Q.shape[-2:]
    O, A = np.zeros(V.shape), np.zeros((*Q.shape[:-1], T))
    for t in range(T):
        scores = (K[..., :t + 1, :] * Q[..., t:t + 1, :]).sum(axis=-1) / np.sqrt(d)
        A[..., t, :t + 1] = shares(scores, axis=-1)
        O[..., t, :] = (A[..., t, :t + 1, None] * V[..., :t + 1, :]).sum(axis=-2)
    return O, A


def mlp_einsum(X, params):
    Y, H, s = norm(X, params["g2"], params["t2"])
    R = np.einsum("ntd,dm->ntm", Y, params["W1"]) + params["b1"]
    R[R < 0] = 0
    return np.dot(R, params["W2"]) + params["b2"] + X, {"Y": Y, "H": H, "s": s, "R": R}


def mlp_flat(X, params):
    Y, H, s = norm(X, params["g2"], params["t2"])
    Z = Y.reshape(-1, Y.shape[-1]) @ params["W1"] + params["b1"]
    R = np.where(Z > 0, Z, 0.0)
    out = (R @ params["W2"] + params["b2"]).reshape(X.shape)
    return X + out, {"H": H, "s": s, "Y": Y, "R": R.reshape(*X.shape[:2], -1)}


def mlp_by_position(X, params):
    """Do one position after the other: none hears of another."""
    parts = [mlp_flat(X[:, t:t + 1], params) for t in range(X.shape[1])]
    return np.concatenate([out for out, _ in parts], axis=1), {
        name: np.concatenate([cache[name] for _, cache in parts], axis=1) for name in parts[0][1]}


def mlp_back_tensordot(dX_out, params, cache):
    grads = {"b2": dX_out.sum(axis=(0, 1)), "W2": outer(cache["R"], dX_out)}
    dZ = np.where(cache["R"] > 0, np.dot(dX_out, params["W2"].T), 0.0)
    grads |= {"b1": dZ.sum(axis=(0, 1)), "W1": outer(cache["Y"], dZ)}
    dX, grads["g2"], grads["t2"] = norm_back(dZ @ params["W1"].T, params["g2"], cache["H"],
                                             cache["s"])
    return np.add(dX, dX_out), grads


def mlp_back_einsum(dX_out, params, cache):
    dZ = np.einsum("ntd,md->ntm", dX_out, params["W2"]) * np.sign(cache["R"])
    dY = np.einsum("ntm,dm->ntd", dZ, params["W1"])
    dX, dg, dt = norm_back(dY, params["g2"], cache["H"], cache["s"])
    return dX_out + dX, {
        "W1": np.einsum("ntd,ntm->dm", cache["Y"], dZ), "b1": np.einsum("ntm->m", dZ),
        "W2": np.einsum("ntm,ntd->md", cache["R"], dX_out), "b2": np.einsum("ntd->d", dX_out),
        "g2": dg, "t2": dt}


def mlp_back_by_sequences(dX_out, params, cache):
    """Add up what each sequence says."""
    dX, grads = np.zeros_like(dX_out), {}
    for n in range(len(dX_out)):
        one = {name: value[n:n + 1] for name, value in cache.items()}
        dX[n:n + 1], more = mlp_back_tensordot(dX_out[n:n + 1], params, one)
        grads = {name: grads.get(name, 0) + g for name, g in more.items()}
    return dX, grads


def attention_moveaxis(X, params, h):
    N, T, d = X.shape
    Y, H, s = norm(X, params["g1"], params["t1"])
    Q, K, V = (np.moveaxis((Y @ params[f"W{c}"]).reshape(N, T, h, d // h), 2, 1) for c in "qkv")
    O, A = causal_bias(Q, K, V)
    M = np.moveaxis(O, 1, 2).reshape(N, T, d)
    return X + np.dot(M, params["Wo"]), dict(H=H, s=s, Y=Y, Q=Q, K=K, V=V, A=A, M=M)


def attention_by_heads(X, params, h):
    """Let each head have its columns of the matrices."""
    Y, H, s = norm(X, params["g1"], params["t1"])
    kept, k = {"Q": [], "K": [], "V": [], "A": [], "M": []}, X.shape[-1] // h
    for i in range(h):
        q, key, v = (Y @ params[name][:, i * k:(i + 1) * k] for name in ("Wq", "Wk", "Wv"))
        O, A = causal_growing(q, key, v)
        for name, value in zip(kept, (q, key, v, A, O), strict=True):
            kept[name].append(value)
    M = np.concatenate(kept.pop("M"), axis=-1)
    cache = {name: np.stack(values, axis=1) for name, values in kept.items()}
    return X + M @ params["Wo"], cache | {"H": H, "s": s, "Y": Y, "M": M}


def attention_one_product(X, params, h):
    """Multiply by all three matrices at once."""
    N, T, d = X.shape
    Y, H, s = norm(X, params["g1"], params["t1"])
    all_three = Y @ np.hstack([params["Wq"], params["Wk"], params["Wv"]])
    Q, K, V = all_three.reshape(N, T, 3, h, d // h).transpose(2, 0, 3, 1, 4)
    O, A = causal_renormalised(Q, K, V)
    M = O.transpose(0, 2, 1, 3).reshape(N, T, d)
    return M @ params["Wo"] + X, {"H": H, "s": s, "Y": Y, "Q": Q, "K": K, "V": V, "A": A, "M": M}


def scores_back(dO, cache):
    dA, A = np.einsum("nhti,nhsi->nhts", dO, cache["V"]), cache["A"]
    return A * (dA - np.einsum("nhts,nhts->nht", dA, A)[..., None]) / math.sqrt(dO.shape[-1])


def attention_back_moveaxis(dX_out, params, cache):
    N, h, T, k = cache["Q"].shape
    dO = np.moveaxis(np.dot(dX_out, params["Wo"].T).reshape(N, T, h, k), 2, 1)
    dS, grads = scores_back(dO, cache), {"Wo": outer(cache["M"], dX_out)}
    flat = {"Wq": dS @ cache["K"], "Wk": np.swapaxes(dS, 2, 3) @ cache["Q"],
            "Wv": np.swapaxes(cache["A"], 2, 3) @ dO}
    flat = {name: np.moveaxis(d, 1, 2).reshape(N, T, h * k) for name, d in flat.items()}
    grads |= {name: outer(cache["Y"], d) for name, d in flat.items()}
    dY = sum(d @ params[name].T for name, d in flat.items())
    dX, grads["g1"], grads["t1"] = norm_back(dY, params["g1"], cache["H"], cache["s"])
    return dX_out + dX, grads


def attention_back_by_heads(dX_out, params, cache):
    h, k = cache["Q"].shape[1], cache["Q"].shape[-1]
    dM, dY = dX_out @ params["Wo"].T, np.zeros_like(dX_out)
    grads = {name: np.zeros_like(params[name]) for name in ("Wq", "Wk", "Wv")}
    for i in range(h):
        columns = slice(i * k, (i + 1) * k)
        dO = dM[:, None, :, columns]
        own = {name: cache[name][:, i:i + 1] for name in "QKVA"}
        dS = scores_back(dO, own)[:, 0]
        for name, d in (("Wq", dS @ own["K"][:, 0]), ("Wk", dS.swapaxes(1, 2) @ own["Q"][:, 0]),
                        ("Wv", own["A"][:, 0].swapaxes(1, 2) @ dO[:, 0])):
            grads[name][:, columns] = outer(cache["Y"], d)
            dY += d @ params[name][:, columns].T
    grads["Wo"] = np.einsum("nti,ntj->ij", cache["M"], dX_out)
    dX, grads["g1"], grads["t1"] = norm_back(dY, params["g1"], cache["H"], cache["s"])
    return dX + dX_out, grads


def attention_back_one_product(dX_out, params, cache):
    """Go back through all three matrices at once."""
    N, h, T, k = cache["Q"].shape
    dO = (dX_out @ params["Wo"].T).reshape(N, T, h, k).transpose(0, 2, 1, 3)
    dS = scores_back(dO, cache)
    three = np.stack([np.einsum("nhts,nhsi->nthi", dS, cache["K"]),
                      np.einsum("nhts,nhti->nshi", dS, cache["Q"]),
                      np.einsum("nhts,nhti->nshi", cache["A"], dO)], axis=2)
    flat = three.reshape(N, T, 3 * h * k)
    matrix = np.concatenate([params[name] for name in ("Wq", "Wk", "Wv")], axis=1)
    dX, dg, dt = norm_back(flat @ matrix.T, params["g1"], cache["H"], cache["s"])
    dWq, dWk, dWv = np.split(outer(cache["Y"], flat), 3, axis=1)
    return dX_out + dX, {"g1": dg, "t1": dt, "Wq": dWq, "Wk": dWk, "Wv": dWv,
                         "Wo": outer(cache["M"], dX_out)}


def loss_scipy(logits, y, w):
    log_p = log_softmax(logits, axis=-1)
    true = np.take_along_axis(log_p, y[..., None], axis=-1)[..., 0]
    D = np.exp(log_p)
    np.put_along_axis(D, y[..., None], np.exp(true[..., None]) - 1, axis=-1)
    return float(-(w * true).sum() / w.sum()), D * w[..., None] / w.sum()


def loss_of_the_chosen(logits, y, w):
    """Take the rows that count, and nothing else."""
    chosen, M = w > 0, int(w.sum())
    Z, k = logits[chosen] - logits[chosen].max(axis=1, keepdims=True), y[chosen]
    total = np.exp(Z).sum(axis=1)
    P = np.exp(Z) / total[:, None]
    P[np.arange(M), k] -= 1
    D = np.zeros(logits.shape)
    D[chosen] = P / M
    return float(np.mean(np.log(total) - Z[np.arange(M), k])), D


def loss_by_positions(logits, y, w):
    J, D = 0.0, np.zeros_like(logits)
    for n, t in np.argwhere(w):
        z = logits[n, t]
        total = z.max() + math.log(sum(math.exp(v - z.max()) for v in z))
        J += total - z[y[n, t]]
        D[n, t] = np.exp(z - total) - np.eye(len(z))[y[n, t]]
    return J / np.count_nonzero(w), D / np.count_nonzero(w)


def forward_einsum(ids, params, h):
    X = np.take(params["E"], ids, axis=0) + params["P"][None, :ids.shape[1]]
    X, attention = attention_moveaxis(X, params, h)
    X, mlp = mlp_einsum(X, params)
    Y, H, s = norm(X, params["g3"], params["t3"])
    return np.einsum("ntd,dv->ntv", Y, params["W3"]) + params["b3"], {
        "attention": attention, "mlp": mlp, "norm": {"H": H, "s": s}, "Y": Y}


def forward_one_hot(ids, params, h):
    X = np.eye(len(params["E"]))[ids] @ params["E"]
    for t in range(ids.shape[1]):
        X[:, t] += params["P"][t]
    cache = {}
    X, cache["attention"] = attention_by_heads(X, params, h)
    X, cache["mlp"] = mlp_flat(X, params)
    cache["Y"], H, s = norm(X, params["g3"], params["t3"])
    return cache["Y"].dot(params["W3"]) + params["b3"], cache | {"norm": {"H": H, "s": s}}


def forward_one_by_one(ids, params, h):
    """Do one sequence after the other."""
    whole = [forward_einsum(row[None], params, h) for row in ids]

    def joined(values):
        return ({name: joined([value[name] for value in values]) for name in values[0]}
                if isinstance(values[0], dict) else np.concatenate(values))

    return np.concatenate([logits for logits, _ in whole]), joined([kept for _, kept in whole])


def embedding_back(dX, ids, params):
    hot = np.eye(len(params["E"]))[ids]
    dP = np.zeros_like(params["P"])
    dP[:ids.shape[1]] = dX.sum(axis=0)
    return {"E": np.einsum("ntv,ntd->vd", hot, dX), "P": dP}


def backward_tensordot(ids, dlogits, params, cache):
    grads = {"W3": outer(cache["Y"], dlogits), "b3": dlogits.sum(axis=(0, 1))}
    dX, grads["g3"], grads["t3"] = norm_back(
        dlogits @ params["W3"].T, params["g3"], *cache["norm"].values())
    dX, more = mlp_back_tensordot(dX, params, cache["mlp"])
    dX, others = attention_back_moveaxis(dX, params, cache["attention"])
    return grads | more | others | embedding_back(dX, ids, params)


def backward_loops(ids, dlogits, params, cache):
    grads = {name: np.zeros_like(W) for name, W in params.items()}
    dY = np.einsum("ntv,dv->ntd", dlogits, params["W3"])
    dX, grads["g3"], grads["t3"] = norm_back(
        dY, params["g3"], cache["norm"]["H"], cache["norm"]["s"])
    dX, more = mlp_back_einsum(dX, params, cache["mlp"])
    dX, others = attention_back_one_product(dX, params, cache["attention"])
    for n, t in np.ndindex(ids.shape):
        grads["E"][ids[n, t]] += dX[n, t]
        grads["P"][t] += dX[n, t]
        grads["W3"] += np.outer(cache["Y"][n, t], dlogits[n, t])
        grads["b3"] += dlogits[n, t]
    grads.update(more, **others)
    return grads


def backward_ones(ids, dlogits, params, cache):
    """Take the bias as a weight of ones."""
    Y = np.concatenate([cache["Y"], np.ones((*ids.shape, 1))], axis=-1)
    both = outer(Y, dlogits)
    dX, dg, dt = norm_back(dlogits @ params["W3"].T,
                           params["g3"], cache["norm"]["H"], cache["norm"]["s"])
    dX, more = mlp_back_by_sequences(dX, params, cache["mlp"])
    dX, others = attention_back_by_heads(dX, params, cache["attention"])
    return {"W3": both[:-1], "b3": both[-1], "g3": dg, "t3": dt, **more, **others,
            **embedding_back(dX, ids, params)}


def generate_recursive(ids, n, params, h):
    if n == 0:
        return ids
    best = np.argmax(forward_einsum(ids, params, h)[0][:, -1, :], axis=1)
    return generate_recursive(np.column_stack([ids, best]), n - 1, params, h)


def generate_filled(ids, n, params, h):
    """Fill in a table that is long enough; what is not there yet is not read."""
    N, T = ids.shape
    whole = np.zeros((N, T + n), dtype=int)
    whole[:, :T] = ids
    for t in range(T, T + n):
        whole[:, t] = forward_one_hot(whole[:, :t], params, h)[0][:, t - 1].argmax(1)
    return whole


def generate_row_by_row(ids, n, params, h):
    done = []
    for row in ids:
        row = list(row)
        for _ in range(n):
            z = forward_einsum(np.array([row]), params, h)[0][0, -1]
            row.append(int(np.flatnonzero(z == z.max())[0]))
        done.append(row)
    return np.array(done)


def adam_loop(params, grads, state, rate, b1=0.9, b2=0.99, eps=1e-8):
    t, new, m, v = state["step"] + 1, {}, {}, {}
    for name, g in grads.items():
        m[name] = state["m"][name] + (1 - b1) * (g - state["m"][name])
        v[name] = state["v"][name] * b2 + np.square(g) * (1 - b2)
        new[name] = params[name] - rate * (m[name] / (1 - b1**t)) / (
            (v[name] / (1 - b2**t)) ** 0.5 + eps)
    return new, dict(step=t, m=m, v=v)


def adam_one_factor(params, grads, state, rate, b1=0.9, b2=0.99, eps=1e-8):
    """Put both corrections into the rate and into eps."""
    t = 1 + state["step"]
    m = {k: np.average([state["m"][k], grads[k]], axis=0, weights=[b1, 1 - b1]) for k in grads}
    v = {k: np.average([state["v"][k], grads[k] ** 2], axis=0, weights=[b2, 1 - b2]) for k in grads}
    root = math.sqrt(1 - b2**t)
    return ({k: params[k] - rate * root / (1 - b1**t) * m[k] / (np.sqrt(v[k]) + eps * root)
             for k in params}, {"m": m, "v": v, "step": t})


def adam_copies(params, grads, state, rate, b1=0.9, b2=0.99, eps=1e-8):
    """Change copies in place."""
    params = {name: W.copy() for name, W in params.items()}
    state = {"step": state["step"] + 1, "m": {k: a.copy() for k, a in state["m"].items()},
             "v": {k: a.copy() for k, a in state["v"].items()}}
    for name, W in params.items():
        m, v, g = state["m"][name], state["v"][name], grads[name]
        m *= b1
        m += (1 - b1) * g
        v *= b2
        v += (1 - b2) * g * g
        W -= rate * m / (1 - b1 ** state["step"]) / (np.sqrt(v / (1 - b2 ** state["step"])) + eps)
    return params, state


RIGHT = {
    "12-causal-attention": [causal_bias, causal_renormalised, causal_growing],
    "12-mlp-layer/mlp_layer": [mlp_einsum, mlp_flat, mlp_by_position],
    "12-mlp-layer/mlp_layer_back": [mlp_back_tensordot, mlp_back_einsum, mlp_back_by_sequences],
    "12-attention-layer/attention_layer": [attention_moveaxis, attention_by_heads,
                                           attention_one_product],
    "12-attention-layer/attention_layer_back": [
        attention_back_moveaxis, attention_back_by_heads, attention_back_one_product],
    "12-answer-loss": [loss_scipy, loss_of_the_chosen, loss_by_positions],
    "12-model/forward": [forward_einsum, forward_one_hot, forward_one_by_one],
    "12-model/backward": [backward_tensordot, backward_loops, backward_ones],
    "12-generate": [generate_recursive, generate_filled, generate_row_by_row],
    "12-adam": [adam_loop, adam_one_factor, adam_copies],
}


def causal_times_mask(Q, K, V):
    S = np.einsum("...td,...sd->...ts", Q, K) / np.sqrt(Q.shape[-1])
    A = shares(S * np.tri(S.shape[-1]), axis=-1)
    return A @ V, A


def causal_shared_out_again(Q, K, V):
    S = np.einsum("...td,...sd->...ts", Q, K) / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True)) * np.tri(S.shape[-1])
    A = E / E.sum(axis=-1, keepdims=True)
    return A @ V, A


def mlp_back_no_norm(dX_out, params, cache):
    dX, grads = mlp_back_tensordot(dX_out, params, cache)
    dZ = (dX_out @ params["W2"].T) * (cache["R"] > 0)
    return dX_out + dZ @ params["W1"].T, grads


def attention_back_last_path(dX_out, params, cache):
    """Forget that Y is read three times."""
    _, grads = attention_back_moveaxis(dX_out, params, cache)
    dO = np.moveaxis((dX_out @ params["Wo"].T).reshape(*np.moveaxis(cache["Q"], 1, 2).shape), 2, 1)
    dV = np.moveaxis(cache["A"].swapaxes(2, 3) @ dO, 1, 2).reshape(dX_out.shape)
    dX, grads["g1"], grads["t1"] = norm_back(dV @ params["Wv"].T, params["g1"], cache["H"],
                                             cache["s"])
    return dX + dX_out, grads


def loss_below_one_maximum(logits, y, w):
    E = np.exp(logits - logits.max())
    D = E / E.sum(axis=-1, keepdims=True)
    true = np.take_along_axis(logits - logits.max(), y[..., None], axis=-1)[..., 0]
    np.put_along_axis(D, y[..., None], np.take_along_axis(D, y[..., None], axis=-1) - 1, axis=-1)
    J = np.sum(w * (np.log(E.sum(axis=-1)) - true)) / w.sum()
    return J, D * w[..., None] / w.sum()


def loss_of_everything(logits, y, w):
    return loss_scipy(logits, y, np.ones(y.shape))


def backward_embedding_assigned(ids, dlogits, params, cache):
    grads = backward_tensordot(ids, dlogits, params, cache)
    dX, _, _ = norm_back(dlogits @ params["W3"].T, params["g3"], *cache["norm"].values())
    dX, _ = mlp_back_tensordot(dX, params, cache["mlp"])
    dX, _ = attention_back_moveaxis(dX, params, cache["attention"])
    grads["E"] = np.zeros_like(params["E"])
    grads["E"][ids] += dX
    return grads


def generate_first(ids, n, params, h):
    for _ in range(n):
        best = forward_einsum(ids, params, h)[0].argmax(axis=-1)[:, 0]
        ids = np.column_stack([ids, best])
    return ids


WRONG = [
    ("12-causal-attention", causal_times_mask, "zero-for-minus-infinity"),
    ("12-causal-attention", causal_shared_out_again, "shared-out-again"),
    ("12-mlp-layer/mlp_layer", lambda X, params: (
        mlp_flat(X, params)[0] - X, mlp_flat(X, params)[1]), "path-around-missing"),
    ("12-mlp-layer/mlp_layer_back", mlp_back_no_norm, "norm-bypassed"),
    ("12-attention-layer/attention_layer", lambda X, params, h: attention_moveaxis(X, params, 1),
     "one-head"),
    ("12-attention-layer/attention_layer_back", attention_back_last_path, "a-path-missing"),
    ("12-answer-loss", loss_of_everything, "all-positions"),
    ("12-answer-loss", loss_below_one_maximum, "overflow"),
    ("12-model/forward", lambda ids, params, h: (
        shares(forward_einsum(ids, params, h)[0], axis=-1), forward_einsum(ids, params, h)[1]),
     "probabilities-for-logits"),
    ("12-model/backward", backward_embedding_assigned, "embedding-assigned"),
    ("12-generate", generate_first, "first-position"),
    ("12-adam", lambda params, grads, state, rate, *more: (params, state), None),
]

NUMBER = "a NumPy number is a number: `float` makes it a plain one for the eye"
EQUIVALENT = {
    "12-causal-attention": {
        "line 4: K.swapaxes(-1, -2) → K.swapaxes(-2, -1)": "the same two axes are exchanged",
        "line 5: np.tri(T, dtype=bool) → np.tri(T)": "where 1 counts as true and 0 as false"},
    "12-answer-loss": {
        "line 6: float((w * surprise).sum() / w.sum()) → (w * surprise).sum() / w.sum()": NUMBER},
}
