"""Lesson 10: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_softmax
from scipy.special import softmax as shares


def deep_forward_where(X, params):
    A = [X]
    for i in range(len(params) // 2):
        Z = np.dot(A[i], params[f"W{i + 1}"]) + params[f"b{i + 1}"]
        A.append(np.where(Z > 0, Z, 0.0))
    return [*A[:-1], shares(Z, axis=1)]


def deep_forward_recursive(X, params, layer=1):
    Z = X @ params[f"W{layer}"] + params[f"b{layer}"]
    if f"W{layer + 1}" not in params:
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        return [X, E / E.sum(axis=1, keepdims=True)]
    return [X, *deep_forward_recursive(np.maximum(0, Z), params, layer + 1)]


def deep_forward_names(X, params):
    A, names = (X,), [name for name in params if name.startswith("W")]
    for name in names:
        Z = A[-1] @ params[name] + params["b" + name[1:]]
        A += (np.exp(log_softmax(Z, axis=1)) if name == names[-1] else Z.clip(min=0),)
    return A


def deep_backprop_reversed(X, y, params, reg):
    A, grads = deep_forward_where(X, params), {}
    dZ = (A[-1] - np.eye(A[-1].shape[1])[y]) / len(y)
    for i in reversed(range(1, len(A))):
        grads |= {f"W{i}": A[i - 1].T.dot(dZ) + reg * params[f"W{i}"], f"b{i}": np.sum(dZ, 0)}
        if i > 1:
            dZ = np.where(A[i - 1] > 0, dZ.dot(params[f"W{i}"].T), 0)
    return grads


def deep_backprop_recursive(X, y, params, reg, layer=1):
    """Return the gradients of this layer and those above it; the error comes back as "X"."""
    W, b = params[f"W{layer}"], params[f"b{layer}"]
    Z, last = X @ W + b, f"W{layer + 1}" not in params
    if last:
        grads, dZ = {}, shares(Z, axis=1) / len(y)
        dZ[np.arange(len(y)), y] -= 1 / len(y)
    else:
        grads = deep_backprop_recursive(np.maximum(Z, 0), y, params, reg, layer + 1)
        dZ = grads.pop("X") * (Z > 0)
    grads[f"W{layer}"] = np.einsum("ni,no->io", X, dZ) + reg * W
    grads[f"b{layer}"] = dZ.sum(axis=0)
    if layer > 1:
        grads["X"] = dZ @ W.T
    return grads


def deep_backprop_ones(X, y, params, reg):
    """Take the biases as weights of a column of ones."""
    A = deep_forward_recursive(X, params)
    d = A[-1] * 1.0
    d[range(len(y)), y] -= 1
    grads = {}
    for i in range(len(A) - 1, 0, -1):
        both = np.column_stack([np.ones(len(X)), A[i - 1]]).T @ d / len(X)
        grads[f"b{i}"], grads[f"W{i}"] = both[0], both[1:] + reg * params[f"W{i}"]
        d = d @ params[f"W{i}"].T * np.sign(A[i - 1]).clip(0)
    return grads


def initialise_scale(sizes, kind, rng):
    params = {}
    for i in range(len(sizes) - 1):
        n, m = sizes[i], sizes[i + 1]
        scale = {"he": math.sqrt(2 / n), "xavier": math.sqrt(2 / (n + m))}.get(kind, kind)
        params[f"W{i + 1}"] = rng.normal(0, scale, (n, m))
        params["b" + str(i + 1)] = np.zeros(m)
    return params


def initialise_standard(sizes, kind, rng):
    pairs = list(zip(sizes[:-1], sizes[1:], strict=True))
    weights = {f"W{i}": rng.standard_normal((a, b)) for i, (a, b) in enumerate(pairs, 1)}
    for i, (a, b) in enumerate(pairs, 1):
        if isinstance(kind, str):
            weights[f"W{i}"] /= np.sqrt(a / 2 if kind == "he" else (a + b) / 2)
        else:
            weights[f"W{i}"] *= kind
    return weights | {f"b{i}": np.zeros(b) for i, (_, b) in enumerate(pairs, 1)}


def initialise_rows(sizes, kind, rng):
    params = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False), 1):
        fan = {"he": a, "xavier": (a + b)}.get(kind)
        params[f"b{i}"] = np.full(b, 0.0)
        params[f"W{i}"] = np.array([rng.normal(size=b) for _ in range(a)]) * (
            kind if fan is None else (2 / fan) ** 0.5)
    return params


def initialise_flat(sizes, kind, rng):
    """Draw all numbers of a layer in a row."""
    params = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False), 1):
        W = rng.normal(size=a * b).reshape(a, b)
        W *= np.sqrt(2 / a) if kind == "he" else np.sqrt(2 / (a + b)) if kind == "xavier" else kind
        params[f"W{i}"], params[f"b{i}"] = W, W[0] * 0
    return params


def norms_of_two_moments(A, grads):
    def rms(a):
        return np.sqrt(a.var() + a.mean() ** 2)

    return (np.array([rms(a) for a in A[1:-1]]),
            np.array([rms(grads[f"W{i}"]) for i in range(1, len(A))]))


def norms_by_norm(A, grads):
    def rms(a):
        return np.linalg.norm(a) / math.sqrt(a.size)

    return (np.array([rms(a) for a in A[1:-1]]),
            np.array([rms(grads[f"W{i + 1}"]) for i in range(len(A) - 1)]))


def norms_squares(A, grads):
    activations, slopes = np.zeros(len(A) - 2), np.zeros(len(A) - 1)
    for i in range(len(slopes)):
        slopes[i] = np.square(grads["W" + str(i + 1)]).mean() ** 0.5
        if i:
            activations[i - 1] = np.square(A[i]).mean() ** 0.5
    return activations, slopes


def norms_names(A, grads):
    matrices = sorted((name for name in grads if name[0] == "W"), key=lambda name: int(name[1:]))
    both = [[float((a * a).sum() / a.size) for a in arrays]
            for arrays in (list(A)[1:len(A) - 1], [grads[name] for name in matrices])]
    return np.sqrt(both[0]), np.sqrt(both[1])


def batch_norm_by_units(Z, g, t, eps=1e-5):
    N, n = Z.shape
    Y, cache = np.zeros((N, n)), {"H": np.zeros((N, n)), "s": [], "mu": [], "var": []}
    for j in range(n):
        mu = sum(Z[:, j]) / N
        var = sum((z - mu) ** 2 for z in Z[:, j]) / N
        cache["H"][:, j] = (Z[:, j] - mu) / math.sqrt(var + eps)
        Y[:, j] = cache["H"][:, j] * g[j] + t[j]
        for name, value in (("s", math.sqrt(var + eps)), ("mu", mu), ("var", var)):
            cache[name].append(value)
    return Y, {name: np.array(value) for name, value in cache.items()}


def batch_norm_one_step(Z, g, t, eps=1e-5):
    mu, var = np.mean(Z, 0), np.mean((Z - np.mean(Z, 0)) ** 2, 0)
    scale = g * (var + eps) ** -0.5
    kept = dict(mu=mu, var=var, s=(var + eps) ** 0.5, H=(Z - mu) * (var + eps) ** -0.5)
    return Z * scale + (t - mu * scale), kept


def batch_norm_keepdims(Z, g, t, eps=1e-5):
    mu = Z.mean(axis=0, keepdims=True)
    s = np.sqrt(np.var(Z, axis=0, keepdims=True) + eps)
    H = np.divide(np.subtract(Z, mu), s)
    return np.add(np.multiply(g, H), t), {"H": H, "s": s[0], "mu": mu[0],
                                          "var": Z.var(axis=0)}


def batch_back_graph(dY, g, cache):
    """Walk the graph back, one node after the other."""
    H, s, N = cache["H"], cache["s"], len(dY)
    dH = dY * g
    ds = -(dH * H).sum(axis=0) / s
    dvar = ds / (2 * s)
    centred = H * s
    dmu = -(dH / s).sum(axis=0) - dvar * 2 * centred.mean(axis=0)
    dZ = dH / s + dvar * 2 * centred / N + dmu / N
    return dZ, np.einsum("ni,ni->i", dY, H), np.sum(dY, axis=0)


def batch_back_compact(dY, g, cache):
    H, N = cache["H"], len(dY)
    dg, dt = (dY * H).sum(0), dY.sum(0)
    return g / (N * cache["s"]) * (N * dY - dt - H * dg), dg, dt


def batch_back_projected(dY, g, cache):
    """Take the part along the ones and the part along H away, by matrices."""
    H, N = cache["H"], len(dY)
    dH = dY * g
    dZ = (np.eye(N) - np.full((N, N), 1 / N)) @ dH - H * np.diag(H.T @ dH) / N
    return [dZ / cache["s"], np.diag(H.T @ dY), dY.sum(axis=0)]


def batch_back_jacobian(dY, g, cache):
    """Multiply each column by the whole Jacobian of its unit."""
    H, N = cache["H"], len(dY)
    dZ = np.stack([(np.eye(N) - 1 / N - np.outer(h, h) / N) @ (d * a) / s
                   for h, d, a, s in zip(H.T, dY.T, g, cache["s"], strict=True)], axis=1)
    return dZ, (dY * H).sum(0), dY.sum(0)


def running_lerp(stats, mu, var, N, rate=0.1):
    var = var * (N / (N - 1))
    return {"mu": stats["mu"] + rate * (mu - stats["mu"]),
            "var": stats["var"] + rate * (var - stats["var"])}


def running_dict(stats, mu, var, N, rate=0.1):
    new = dict(mu=mu, var=N * var / (N - 1))
    return {name: np.average([old, new[name]], axis=0, weights=[1 - rate, rate])
            for name, old in stats.items()}


def running_copy(stats, mu, var, N, rate=0.1):
    stats = {name: value.copy() for name, value in stats.items()}
    for name, value in (("mu", mu), ("var", var * N / (N - 1))):
        stats[name] *= 1 - rate
        stats[name] += rate * value
    return stats


def test_mode_scaled(Z, g, t, stats, eps=1e-5):
    scale = g / np.sqrt(stats["var"] + eps)
    return Z * scale + (t - stats["mu"] * scale)


def test_mode_power(Z, g, t, stats, eps=1e-5):
    return (Z - stats["mu"]) * (stats["var"] + eps) ** -0.5 * g + t


def test_mode_rows(Z, g, t, stats, eps=1e-5):
    return np.array([g * (row - stats["mu"]) / np.sqrt(eps + stats["var"]) + t for row in Z])


def layer_back_compact(dY, g, cache):
    H, n = cache["H"], dY.shape[1]
    d = dY * g
    dZ = (n * d - d.sum(1, keepdims=True) - H * (d * H).sum(1, keepdims=True)) / (n * cache["s"])
    return dZ, (dY * H).sum(0), dY.sum(0)


def layer_back_rows(dY, g, cache):
    dZ = np.empty_like(dY)
    for i, (d, h, s) in enumerate(zip(dY * g, cache["H"], cache["s"], strict=True)):
        dZ[i] = (d - np.mean(d) - h * np.mean(d * h)) / s
    return dZ, np.einsum("ni,ni->i", dY, cache["H"]), np.add.reduce(dY)


def layer_back_turned(dY, g, cache):
    """Batch norm's own way back, of everything transposed."""
    H, s = cache["H"].T, cache["s"].ravel()
    d = (dY * g).T
    return (((d - d.mean(0) - H * (d * H).mean(0)) / s).T, (dY * cache["H"]).sum(axis=0),
            dY.sum(axis=0))


def residual_where(dA_out, A, W, b):
    on = np.dot(A, W) + b > 0
    dZ = np.where(on, dA_out, 0.0)
    return dZ.dot(W.T) + dA_out, A.T.dot(dZ), np.sum(dZ, 0)


def residual_in_steps(dA_out, A, W, b):
    out = np.maximum(A @ W + b, 0)
    dA = dA_out.copy()
    dZ = dA_out * np.sign(out)
    dA += np.einsum("nk,jk->nj", dZ, W)
    return dA, np.einsum("nj,nk->jk", A, dZ), np.ones(len(A)) @ dZ


def residual_by_samples(dA_out, A, W, b):
    dA, dW, db = np.zeros_like(A), np.zeros_like(W), np.zeros_like(b)
    for n, (d, a) in enumerate(zip(dA_out, A, strict=True)):
        dz = d * (a @ W + b > 0)
        dA[n], dW, db = d + W @ dz, dW + np.outer(a, dz), db + dz
    return dA, dW, db


def layers(A, params, first, last):
    """Return the activations of layers first to last, A first."""
    part = [A]
    for i in range(first + 1, last + 1):
        Z = part[-1] @ params[f"W{i}"] + params[f"b{i}"]
        part.append(np.maximum(Z, 0) if i < len(params) // 2 else shares(Z, axis=1))
    return part


def checkpoints_while(X, y, params, k):
    """Delete nothing, and compute the end of each stretch again, though it is kept."""
    L, grads = len(params) // 2, {}
    starts, kept = list(range(0, L, k)), [X]
    for first in starts[:-1]:
        kept.append(layers(kept[-1], params, first, first + k)[-1])
    delta = None
    while starts:
        first = starts.pop()
        part = layers(kept[first // k], params, first, min(first + k, L))
        if delta is None:
            delta = (part[-1] - np.eye(part[-1].shape[1])[y]) / len(y)
        for i in range(first + len(part) - 1, first, -1):
            below = part[i - 1 - first]
            grads[f"b{i}"], grads[f"W{i}"] = delta.sum(0), below.T @ delta
            delta = delta @ params[f"W{i}"].T * (below > 0)
    return grads


def checkpoints_recursive(X, y, params, k, first=0):
    """Return the gradients of this stretch and all above it; the error comes back as "A"."""
    L = len(params) // 2
    part = layers(X, params, first, min(first + k, L))
    if first + k >= L:
        grads, delta = {}, part[-1] / len(y)
        delta[np.arange(len(y)), y] -= 1 / len(y)
    else:
        grads = checkpoints_recursive(part[-1], y, params, k, first + k)
        delta = grads.pop("A")
    for i in range(min(first + k, L), first, -1):
        below = part[i - first - 1]
        grads |= {f"W{i}": below.T.dot(delta), f"b{i}": delta.sum(axis=0)}
        delta = np.where(below > 0, delta @ params[f"W{i}"].T, 0)
    return grads | ({"A": delta} if first else {})


def checkpoints_unwound(X, y, params, k, first=0, grads=None):
    """Return the gradients; each stretch is computed once more after those above it."""
    L, grads = len(params) // 2, {} if grads is None else grads
    last = min(first + k, L)
    above = layers(X, params, first, last)[-1]
    if last == L:
        delta = (above - np.eye(above.shape[1])[y]) / len(y)
    else:
        delta = checkpoints_unwound(above, y, params, k, last, grads)
    for i, below in zip(range(last, first, -1), reversed(layers(X, params, first, last)[:-1]),
                        strict=True):
        grads |= {f"W{i}": below.T @ delta, f"b{i}": np.sum(delta, axis=0)}
        delta = delta @ params[f"W{i}"].T * (below > 0)
    return delta if first else grads


def checkpoints_layer_by_layer(X, y, params, k):
    """Climb again from the last checkpoint for each layer, and keep nothing of a stretch."""
    L, kept, grads = len(params) // 2, [X], {}
    for first in range(0, L - k, k):
        kept.append(layers(kept[-1], params, first, first + k)[-1])
    Y_hat = layers(kept[-1], params, (len(kept) - 1) * k, L)[-1]
    delta = (Y_hat - np.eye(Y_hat.shape[1])[y]) / len(y)
    for i in range(L, 0, -1):
        below = layers(kept[(i - 1) // k], params, (i - 1) // k * k, i - 1)[-1]
        grads[f"W{i}"], grads[f"b{i}"] = below.T @ delta, delta.sum(0)
        delta = np.where(below > 0, delta @ params[f"W{i}"].T, 0)
    return grads


def checkpoints_all_kept(X, y, params, k):
    return deep_backprop_reversed(X, y, params, 0.0)


def checkpoints_stretches_kept(X, y, params, k):
    """Keep every k-th activation, and then every stretch that was computed once more."""
    L, A, again = len(params) // 2, {0: X}, {}
    for first in range(0, L - k, k):
        A[first + k] = layers(A[first], params, first, first + k)[-1]
    for first in reversed(A):
        again |= dict(enumerate(layers(A[first], params, first, min(first + k, L)), first))
    return {name: grad for i in range(L, 0, -1) for name, grad in _one_back(
        again, y, params, i, L).items()}


def _one_back(A, y, params, i, L):
    if i == L:
        A["delta"] = (A[L] - np.eye(A[L].shape[1])[y]) / len(y)
    else:
        A["delta"] = A["delta"] @ params[f"W{i + 1}"].T * (A[i] > 0)
    return {f"W{i}": A[i - 1].T @ A["delta"], f"b{i}": A["delta"].sum(0)}


RIGHT = {
    "10-deep-backprop/deep_forward": [deep_forward_where, deep_forward_recursive,
                                      deep_forward_names],
    "10-deep-backprop/deep_backprop": [deep_backprop_reversed, deep_backprop_recursive,
                                       deep_backprop_ones],
    "10-initialise": [initialise_scale, initialise_standard, initialise_rows, initialise_flat],
    "10-norms-per-layer": [norms_by_norm, norms_squares, norms_names, norms_of_two_moments],
    "10-batch-norm/batch_norm": [batch_norm_by_units, batch_norm_one_step, batch_norm_keepdims],
    "10-batch-norm/batch_norm_back": [batch_back_graph, batch_back_compact, batch_back_jacobian,
                                      batch_back_projected],
    "10-test-mode/running": [running_lerp, running_dict, running_copy],
    "10-test-mode/batch_norm_test": [test_mode_scaled, test_mode_power, test_mode_rows],
    "10-layer-norm": [layer_back_compact, layer_back_rows, layer_back_turned],
    "10-residual": [residual_where, residual_in_steps, residual_by_samples],
    "10-checkpoints": [checkpoints_while, checkpoints_unwound, checkpoints_layer_by_layer],
}


def deep_backprop_output(X, y, params, reg):
    A, grads = deep_forward_where(X, params), {}
    d = (A[-1] - np.eye(A[-1].shape[1])[y]) / len(y)
    for i in range(len(A) - 1, 0, -1):
        grads[f"W{i}"], grads[f"b{i}"] = A[i - 1].T @ d + reg * params[f"W{i}"], d.sum(0)
        d = d @ params[f"W{i}"].T * A[i - 1]
    return grads


def initialise_return_inside(sizes, kind, rng):
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), 1):
        spread = {"he": np.sqrt(2 / a), "xavier": np.sqrt(2 / (a + b))}.get(kind, kind)
        return {f"W{i}": spread * rng.normal(size=(a, b)), f"b{i}": np.zeros(b)}


def layer_back_as_batch(dY, g, cache):
    dg, dt = (dY * cache["H"]).sum(0), dY.sum(0)
    n = dY.shape[1]
    both = dY.sum(1, keepdims=True) + cache["H"] * (dY * cache["H"]).sum(1, keepdims=True)
    return g / cache["s"] * (dY - both / n), dg, dt


WRONG = [
    ("10-norms-per-layer", lambda A, grads: tuple(
        sizes / sizes[0] for sizes in norms_by_norm(A, grads)), "divided-by-the-first"),
    ("10-test-mode/running", lambda stats, mu, var, N, rate=0.1: {
        **running_lerp(stats, mu, var, N, rate), "mu": stats["mu"]}, "one-not-noted"),
    ("10-checkpoints", checkpoints_all_kept, "keeps-every-activation"),
    ("10-checkpoints", checkpoints_recursive, "keeps-every-activation"),
    ("10-checkpoints", checkpoints_stretches_kept, "keeps-every-activation"),
    ("10-deep-backprop/deep_forward", lambda X, params: deep_forward_where(X, params)[1:],
     "another-list"),
    ("10-deep-backprop/deep_backprop", deep_backprop_output, "another-mask"),
    ("10-initialise", initialise_return_inside, "layers-missing"),
    ("10-batch-norm/batch_norm", lambda Z, g, t, eps=1e-5: batch_norm_one_step(Z.T, 1, 0), None),
    ("10-batch-norm/batch_norm_back", lambda dY, g, cache: (
        dY * g / cache["s"], (dY * cache["H"]).sum(0), dY.sum(0)), "statistics-constant"),
    ("10-test-mode/batch_norm_test", lambda Z, g, t, stats, eps=1e-5: (
        batch_norm_one_step(Z, g, t, eps)[0]), "batch-statistics"),
    ("10-layer-norm", layer_back_as_batch, "gain-outside"),
    ("10-residual", lambda dA_out, A, W, b: (
        residual_where(dA_out, A, W, b)[0] - dA_out, *residual_where(dA_out, A, W, b)[1:]),
     "path-around-missing"),
]

EQUIVALENT = {
    "10-checkpoints": {"line 9: min(first + k, L) → min(L, first + k)":
                       "the smaller of two, in the other order"},
}
