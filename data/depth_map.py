"""Compute `depth_map.csv`: what deep networks of lesson 10 reach after five epochs.

Takes some ten minutes, which is why the lesson reads the file:

    python data/depth_map.py
"""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
from scipy.special import expit, softmax
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

WIDTH, EPOCHS, BATCH, MOMENTUM, EPS, SEEDS = 48, 5, 64, 0.9, 1e-5, 5
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
ACTIVATIONS = {"sigmoid": (expit, lambda A: A * (1 - A)), "tanh": (np.tanh, lambda A: 1 - A * A),
               "ReLU": (lambda Z: np.maximum(Z, 0), lambda A: A > 0)}
STARTS = (("sigmoid", "xavier"), ("tanh", "1"), ("tanh", "xavier"), ("ReLU", "0.01"),
          ("ReLU", "xavier"), ("ReLU", "he"))
COLUMNS = "activation,start,layers,norm,residual,rate,seed,accuracy,dead"


def settings():
    """Yield (activation, start, layers, norm, residual, rate) of every training."""
    for (act, start), layers, rate in itertools.product(STARTS, (3, 5, 10, 20), RATES[2:5]):
        yield act, start, layers, "none", 0, rate
    for norm, rate in itertools.product(("none", "batch", "layer"), RATES):
        yield "ReLU", "he", 10, norm, 0, rate
        yield "sigmoid", "xavier", 20, norm, 0, rate
    blocks = (("ReLU", "0.01", "none"), ("ReLU", "he", "none"), ("ReLU", "he", "layer"),
              ("ReLU", "he", "batch"), ("tanh", "xavier", "none"), ("sigmoid", "xavier", "none"))
    for (act, start, norm), layers, residual, rate in itertools.product(
            blocks, (20, 40), (0, 1), RATES[1:5]):
        yield act, start, layers, norm, residual, rate


def digits():
    """Return training and test digits, standardised as in the lesson."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))
    test, train = order[:360], order[360:]
    mean, spread = X[train].mean(axis=0), np.maximum(X[train].std(axis=0), 1)
    return (X[train] - mean) / spread, y[train], (X[test] - mean) / spread, y[test]


def initialise(layers, start, norm, rng):
    """Return params of a network with this many weight matrices."""
    params, widths = {}, (64, *(WIDTH,) * (layers - 1), 10)
    for i, (n, m) in enumerate(itertools.pairwise(widths), 1):
        spread = {"xavier": np.sqrt(2 / (n + m)), "he": np.sqrt(2 / n)}.get(start)
        params[f"W{i}"] = (float(start) if spread is None else spread) * rng.normal(size=(n, m))
        params[f"b{i}"] = np.zeros(m)
        if norm != "none" and i < layers:
            params[f"g{i}"], params[f"t{i}"] = np.ones(m), np.zeros(m)
    return params


def forward(X, params, layers, act, norm, residual, stats=None):
    """Return activations, and of each hidden layer its output, H, s, mean and variance."""
    A, kept, axis = [X], [None], 0 if norm == "batch" else 1
    for i in range(1, layers):
        Z, H, s, mu, var = A[-1] @ params[f"W{i}"] + params[f"b{i}"], None, None, None, None
        if norm != "none":
            mu, var = ((Z.mean(axis, keepdims=True), Z.var(axis, keepdims=True))
                       if stats is None else stats[i])
            s = np.sqrt(var + EPS)
            H = (Z - mu) / s
            Z = H * params[f"g{i}"] + params[f"t{i}"]
        out = ACTIVATIONS[act][0](Z)
        A.append(A[-1] + out if residual and i > 1 else out)
        kept.append((out, H, s, mu, var))
    return [*A, A[-1] @ params[f"W{layers}"] + params[f"b{layers}"]], kept


def backward(A, kept, y, params, act, norm, residual):
    """Return the gradients of the mean cross-entropy."""
    layers, grads, around, axis = len(A) - 1, {}, 0, 0 if norm == "batch" else 1
    dZ = softmax(A[-1], axis=1)
    dZ[np.arange(len(y)), y] -= 1
    dZ /= len(y)
    for i in range(layers, 0, -1):
        grads[f"W{i}"], grads[f"b{i}"] = A[i - 1].T @ dZ, dZ.sum(axis=0)
        if i == 1:
            return grads
        dA = dZ @ params[f"W{i}"].T + around
        around = dA if residual else 0
        out, H, s, _, _ = kept[i - 1]
        dZ = dA * ACTIVATIONS[act][1](out)
        if norm != "none":
            grads[f"g{i - 1}"], grads[f"t{i - 1}"] = (dZ * H).sum(axis=0), dZ.sum(axis=0)
            dH = dZ * params[f"g{i - 1}"]
            dZ = (dH - dH.mean(axis, keepdims=True)
                  - H * (dH * H).mean(axis, keepdims=True)) / s
    return grads


def noted(stats, kept, n):
    """Return the running means and variances after one more batch of n samples."""
    return {i: (0.9 * mu + 0.1 * kept[i][3], 0.9 * var + 0.1 * kept[i][4] * n / (n - 1))
            for i, (mu, var) in stats.items()}


def run(data, act, start, layers, norm, residual, rate, seed):
    """Return the accuracy on the test digits and the share of units that are never on."""
    X, y, X_test, y_test = data
    rng = np.random.default_rng(seed)
    params = initialise(layers, start, norm, rng)
    velocity = {name: 0 * W for name, W in params.items()}
    stats = {i: (0.0, 1.0) for i in range(1, layers)} if norm == "batch" else None
    for _ in range(EPOCHS):
        order = rng.permutation(len(X))
        for i in range(0, len(X), BATCH):
            rows = order[i:i + BATCH]
            A, kept = forward(X[rows], params, layers, act, norm, residual)
            grads = backward(A, kept, y[rows], params, act, norm, residual)
            stats = stats and noted(stats, kept, len(rows))
            velocity = {k: MOMENTUM * velocity[k] - rate * grads[k] for k in params}
            params = {k: params[k] + velocity[k] for k in params}
    Z = forward(X_test, params, layers, act, norm, residual, stats)[0][-1]
    kept = forward(X, params, layers, act, norm, residual, stats)[1]
    dead = np.mean([(layer[0] <= 0).all(axis=0).mean() for layer in kept[1:]])
    return (Z.argmax(axis=1) == y_test).mean() if np.isfinite(Z).all() else 0.1, dead


def main() -> None:
    """Write the file beside this one."""
    threadpool_limits(1)
    data, lines = digits(), [COLUMNS]
    with np.errstate(all="ignore"):
        for setting, seed in itertools.product(dict.fromkeys(settings()), range(SEEDS)):
            accuracy, dead = run(data, *setting, seed)
            lines.append(",".join(map(str, (*setting, seed, f"{accuracy:.3f}", f"{dead:.3f}"))))
    path = Path(__file__).with_suffix(".csv")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
