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


RIGHT = {
    "10-deep-backprop/deep_forward": [deep_forward_where, deep_forward_recursive,
                                      deep_forward_names],
    "10-deep-backprop/deep_backprop": [deep_backprop_reversed, deep_backprop_recursive,
                                       deep_backprop_ones],
    "10-initialise": [initialise_scale, initialise_standard, initialise_rows],
    "10-norms-per-layer": [norms_by_norm, norms_squares, norms_names],
}


def deep_backprop_output(X, y, params, reg):
    A, grads = deep_forward_where(X, params), {}
    d = (A[-1] - np.eye(A[-1].shape[1])[y]) / len(y)
    for i in range(len(A) - 1, 0, -1):
        grads[f"W{i}"], grads[f"b{i}"] = A[i - 1].T @ d + reg * params[f"W{i}"], d.sum(0)
        d = d @ params[f"W{i}"].T * A[i - 1]
    return grads


def deep_backprop_mask(X, y, params, reg):
    A, grads = deep_forward_where(X, params), {}
    d = (A[-1] - np.eye(A[-1].shape[1])[y]) / len(y)
    for i in range(len(A) - 1, 0, -1):
        grads[f"W{i}"], grads[f"b{i}"] = A[i - 1].T @ d + reg * params[f"W{i}"], d.sum(0)
        if i > 1:
            d = (d @ params[f"W{i}"].T) * (A[i] > 0)
    return grads


def deep_forward_counted(X, params):
    A = [X]
    for i in range(1, len(params) + 1):
        A.append(np.maximum(A[-1] @ params[f"W{i}"] + params[f"b{i}"], 0))
    return [*A[:-1], shares(A[-1], axis=1)]


def deep_forward_sorted(X, params):
    A, names = [X], sorted(name for name in params if name[0] == "W")
    for name in names:
        Z = A[-1] @ params[name] + params["b" + name[1:]]
        A.append(shares(Z, axis=1) if name == names[-1] else np.maximum(Z, 0))
    return A


def deep_backprop_sorted(X, y, params, reg):
    A, grads = deep_forward_where(X, params), {}
    d = (A[-1] - np.eye(A[-1].shape[1])[y]) / len(y)
    for name in sorted((name for name in params if name[0] == "W"), reverse=True):
        i = int(name[1:])
        grads[name], grads[f"b{i}"] = A[i - 1].T @ d + reg * params[name], d.sum(0)
        d = d @ params[name].T * (A[i - 1] > 0)
    return grads


def initialise_return_inside(sizes, kind, rng):
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), 1):
        spread = {"he": np.sqrt(2 / a), "xavier": np.sqrt(2 / (a + b))}.get(kind, kind)
        return {f"W{i}": spread * rng.normal(size=(a, b)), f"b{i}": np.zeros(b)}


def norms_of_names(A, grads):
    return (np.array([np.sqrt((a**2).mean()) for a in A[1:-1]]),
            np.array([np.sqrt((g**2).mean()) for name, g in sorted(grads.items())
                      if name[0] == "W"]))


WRONG = [
    ("10-deep-backprop/deep_forward", deep_forward_counted, "number-of-layers"),
    ("10-deep-backprop/deep_backprop", deep_backprop_mask, "another-mask"),
    ("10-deep-backprop/deep_forward", deep_forward_sorted, "names-sorted"),
    ("10-deep-backprop/deep_backprop", deep_backprop_sorted, "names-sorted"),
    ("10-deep-backprop/deep_forward", lambda X, params: deep_forward_where(X, params)[1:],
     "another-list"),
    ("10-deep-backprop/deep_backprop", deep_backprop_output, "another-mask"),
    ("10-initialise", initialise_return_inside, "layers-missing"),
    ("10-norms-per-layer", norms_of_names, "names-sorted"),
    ("10-norms-per-layer", lambda A, grads: ([a.std() for a in A[1:-1]],
                                             [grads[f"W{i}"].std() for i in range(1, len(A))]),
     "mean-taken-away"),
]

EQUIVALENT = {}
