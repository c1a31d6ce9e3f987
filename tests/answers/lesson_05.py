"""Lesson 05: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp


def softmax_loop(Z):
    out = np.zeros(Z.shape)
    for n, row in enumerate(Z):
        powers = [math.exp(z - max(row)) for z in row]
        out[n] = [p / sum(powers) for p in powers]
    return out


def softmax_from_log(Z):
    return np.exp(Z - logsumexp(Z, axis=1)[:, np.newaxis])


def softmax_transposed(Z):
    E = np.exp((Z.T - np.max(Z, axis=-1)).T)
    return (E.T / E.sum(axis=-1)).T


def softmax_differences(Z):
    """Each share is one over the sum of exp(other − own)."""
    with np.errstate(over="ignore"):
        return 1 / np.exp(Z[:, np.newaxis, :] - Z[:, :, np.newaxis]).sum(axis=2)


def softmax_published(Z):
    exp_scores = np.exp(Z)
    return exp_scores / np.sum(exp_scores, axis=1, keepdims=True)


def cross_entropy_loop(y, Y_hat):
    total = 0.0
    for n in range(len(y)):
        total -= math.log(max(Y_hat[n, y[n]], 1e-300))
    return total / len(y)


def cross_entropy_one_hot(y, Y_hat):
    table = y.reshape(-1, 1) == np.arange(Y_hat.shape[1])
    return -np.sum(table * np.log(np.clip(Y_hat, 1e-300, 1))) / len(y)


def cross_entropy_take(y, Y_hat):
    p = np.take_along_axis(Y_hat, y[:, np.newaxis].astype(int), axis=1)
    return float(np.mean(-np.log(p + 1e-300)))


RIGHT = {
    "05-softmax": [softmax_loop, softmax_from_log, softmax_transposed, softmax_differences],
    "05-cross-entropy": [cross_entropy_loop, cross_entropy_one_hot, cross_entropy_take],
}

WRONG = [
    ("05-softmax", softmax_published, "overflow"),
    ("05-softmax", lambda Z: np.exp(Z - Z.max()) / np.exp(Z - Z.max()).sum(axis=1)[:, None],
     "global-max"),
    ("05-softmax", lambda Z: [row / row.sum() for row in np.exp(Z - Z.max(axis=1)[:, None])],
     "returns-list"),
    ("05-cross-entropy", lambda y, Y_hat: -np.mean(np.log(Y_hat[range(len(y)), y] + 1e-12)),
     "floor-too-high"),
    ("05-cross-entropy", lambda y, Y_hat: -np.log(Y_hat[range(len(y)), y]).sum() / len(y),
     "log-of-zero"),
]
