"""Lesson 10: any number of layers, first weights, normalisation, residuals, checkpoints."""

from __future__ import annotations

import math
import tracemalloc
from itertools import pairwise

import numpy as np
from scipy.special import logsumexp

from helpers.checks.catalogue import answer
from helpers.checks.exercise import Exercise, Group
from helpers.checks.lesson_05 import softmax, softmax_delta
from helpers.checks.lesson_09 import gradients, sample
from helpers.checks.truth import complex_gradients, dense

DEEP = ((1, 11, (4, 6, 5, 3)), (2, 13, (3, 6, 7, 4, 5)), (3, 9, (5, 4)), (4, 17, (6, 8, 7)),
        (98, 7, (2, 3, 2, 3, 2, 3, 2, 3, 2, 4, 3)))  # ten layers: W10 is not the second


def _forward(X, params):
    A = [X]
    for i in range(1, len(params) // 2 + 1):
        Z = dense(A[-1], params[f"W{i}"]) + params[f"b{i}"]
        A.append(np.where(Z > 0, Z, 0.0))
    return [*A[:-1], np.exp(Z - logsumexp(Z, axis=1, keepdims=True))]


def _forward_cases():
    X, _, far = sample(5, 9, (2, 5, 4, 3))
    return [*(sample(*sizes)[::2] for sizes in DEEP), (X, {**far, "W3": 1000 * far["W3"]})]


deep_forward = Exercise(
    "10-deep-backprop", "deep_forward", truth=_forward, returns=("A",), uses=(softmax,),
    tolerance=1e-10, cases=_forward_cases,
    hint="start the list with `X`; each layer reads the last entry and appends its own.")


def _odd_cases(last):
    """Return a case in which some sums are exactly 0, and one in which the last class is missing.

    The first has blank inputs and units without a bias; the other is as a small batch may be.
    """
    X, y, params = sample(5, 9, (4, 7, 5, 3))
    X[:4] = 0
    params["b1"][[0, 3, 6]] = 0
    others, classes, more = sample(6, 11, (4, 7, 6, 5))
    return (X, y, params, last), (others, np.minimum(classes, 3), more, last)


deep_gradients = Exercise(
    "10-deep-backprop", "deep_backprop", truth=gradients, returns=("grads",),
    uses=(softmax, softmax_delta, deep_forward),
    cases=lambda: [*((*sample(*sizes), reg) for sizes, reg in zip(
        DEEP, (0.3, 0.07, 0.0, 0.2, 0.1), strict=True)), *_odd_cases(0.02)],
    checker="Run your `check_gradients` on three layers first: it says where the fault begins.",
    hint="from the last layer to the first: gradient of its weights, of its biases, then the "
         "error one layer back. `diagnose` names the first layer that is wrong.")

deep_backprop = Group("10-deep-backprop", (deep_forward, deep_gradients),
                      unlocks="This is what every deep network does, and you wrote it.")


def _initialise(sizes, kind, rng):
    params = {}
    for i, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        variances = {"xavier": 2 / (n_in + n_out), "he": 2 / n_in}
        spread = math.sqrt(variances[kind]) if kind in variances else kind
        params |= {f"W{i}": rng.normal(0, spread, (n_in, n_out)), f"b{i}": np.zeros(n_out)}
    return params


initialise = Exercise(
    "10-initialise", "initialise", truth=_initialise, returns=("params",),
    cases=lambda: [(sizes, kind, np.random.default_rng(seed)) for seed, (sizes, kind) in enumerate((
        ((5, 7, 3), "he"), ((9, 4, 6, 11), "xavier"), ((3, 8), 0.3), ((4, 11, 5), "he"),
        ((7, 3, 10), "xavier"), ((6, 9, 4), 2.5)), start=1)],
    hint="for each layer the spread by `kind`, then `rng.normal(size=(n_in, n_out))` times it, and "
         "zeros for the biases.",
    unlocks="Now you decide how loud a network is at its first word.")


def _norms_cases():
    forward, backprop = answer("10-deep-backprop")
    as_many = 6, 10, (3, 4, 4)  # classes as hidden units
    return [(forward(X, params), backprop(X, y, params, 0.1)) for X, y, params in (
        sample(*sizes) for sizes in (DEEP[0], DEEP[1], DEEP[4], as_many))]


def _norms_per_layer(A, grads):
    return tuple(np.array([math.hypot(*a.flat) / math.sqrt(a.size) for a in arrays])
                 for arrays in (A[1:-1], [grads[f"W{i}"] for i in range(1, len(A))]))


norms_per_layer = Exercise(
    "10-norms-per-layer", "norms_per_layer", truth=_norms_per_layer,
    returns=("activations", "gradients"), cases=_norms_cases,
    hint="the root of the mean of the squares, for each array between the first and the last of "
         "`A`, and for each weight matrix of `grads`, in the order of the layers.",
    unlocks="You can now see at which layer a signal is lost.")


EPS = 1e-5


def normalise(Z, g, t, eps, axis):
    """Return Y, H, s, mean and variance along an axis, which is kept; Z may be complex."""
    mu = Z.sum(axis=axis, keepdims=True) / Z.shape[axis]
    var = ((Z - mu) ** 2).sum(axis=axis, keepdims=True) / Z.shape[axis]
    s = np.sqrt(var + eps)
    return g * (Z - mu) / s + t, (Z - mu) / s, s, mu, var


def _batch_norm(Z, g, t, eps=EPS):
    Y, H, s, mu, var = normalise(Z, g, t, eps, 0)
    return Y, {"H": H, "s": s[0], "mu": mu[0], "var": var[0]}


def _sums(seed, N, n):
    """Return Z (N, n), g, t: units of different sizes, the first two almost or quite still."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(N, n)) * rng.uniform(0.5, 3, size=n) + 2 * rng.normal(size=n)
    Z[:, 0] = 0.7 + 0.004 * rng.normal(size=N)
    Z[:, 1] = 0.25
    return Z, rng.normal(size=n) + 0.3, rng.normal(size=n)


NORM_SIZES = ((1, 11, 5), (2, 7, 9), (3, 13, 4))

batch_forward = Exercise(
    "10-batch-norm", "batch_norm", truth=_batch_norm, returns=("Y", "cache"), tolerance=1e-9,
    cases=lambda: [*(_sums(*sizes) for sizes in NORM_SIZES), (*_sums(4, 9, 3), 0.01)],
    hint="four numbers for each unit, all over the samples of the batch: mean, variance, s, and "
         "then H and Y entry by entry.")


def _norm_back(dY, g, cache, axis):
    """Return dZ, dg, dt by complex steps of the sum of dY · Y; Z is found from the cache."""
    centred = cache["H"] * cache["s"]
    eps = np.mean(cache["s"] ** 2 - (centred ** 2).mean(axis=axis, keepdims=True))

    return tuple(complex_gradients(
        lambda p: (dY * normalise(*p.values(), eps, axis)[0]).sum(),
        {"Z": centred, "g": g, "t": np.zeros(dY.shape[1])}).values())


def _back_cases(kept):
    """Return cases of a way back: dY, g and the cache that is `kept` of Z, g, t and eps."""
    cases = []
    for (seed, N, n), eps in zip(NORM_SIZES, (EPS, 0.01, EPS), strict=True):
        Z, g, t = _sums(seed, N, n)
        Z[:, :2] += np.random.default_rng(seed).normal(size=(N, 2))
        dY = np.random.default_rng(seed + 20).normal(size=Z.shape) + 0.2
        cases.append((dY, g, kept(Z, g, t, eps)))
    return cases


batch_back = Exercise(
    "10-batch-norm", "batch_norm_back", truth=lambda dY, g, cache: _norm_back(dY, g, cache, 0),
    returns=("dZ", "dg", "dt"), tolerance=1e-9,
    cases=lambda: _back_cases(lambda *sums: _batch_norm(*sums)[1]),
    hint="`dH` first; then what arrives at a sum directly, less two means over the batch, all "
         "divided by s.")

batch_norm = Group("10-batch-norm", (batch_forward, batch_back),
                   unlocks="You have derived what made twenty layers trainable in 2015.")


def _running_cases():
    rng = np.random.default_rng(1)
    return [({"mu": rng.normal(size=n), "var": rng.uniform(0.5, 2, size=n)}, rng.normal(size=n),
             rng.uniform(0.5, 4, size=n), N, *rate)
            for n, N, rate in ((5, 3, (0.1,)), (4, 7, (0.3,)), (6, 11, ()))]


running_part = Exercise(
    "10-test-mode", "running", returns=("stats",), cases=_running_cases,
    truth=lambda stats, mu, var, N, rate=0.1: {
        "mu": stats["mu"] + rate * (mu - stats["mu"]),
        "var": stats["var"] + rate * (var / (1 - 1 / N) - stats["var"])},
    sizes=lambda stats, mu, var, N, rate=0.1: {"N": N},
    hint="both are (1 − rate) of what was noted and rate of what is new; only the variance is "
         "multiplied by N/(N − 1) before.")


def _batch_norm_test(Z, g, t, stats, eps=EPS):
    return np.array([[g[j] * (row[j] - stats["mu"][j]) / math.sqrt(stats["var"][j] + eps) + t[j]
                      for j in range(len(g))] for row in Z])


def _test_cases():
    cases = []
    for (seed, _, n), N, eps in zip(NORM_SIZES, (1, 6, 10), ((), (0.01,), ()), strict=True):
        Z, g, t = _sums(seed, N, n)
        rng = np.random.default_rng(seed + 30)
        var = rng.uniform(0.3, 4, size=n)
        var[-1] = 1e-5
        cases.append((Z, g, t, {"mu": rng.normal(size=n), "var": var}, *eps))
    return cases


test_part = Exercise(
    "10-test-mode", "batch_norm_test", truth=_batch_norm_test, returns=("Y",), tolerance=1e-9,
    cases=_test_cases,
    hint="the formula of `batch_norm`, with the statistics that are handed over in the place of "
         "those of `Z`.")

test_mode = Group("10-test-mode", (running_part, test_part),
                  unlocks="A digit gets the same answer alone and in company.")


layer_norm = Exercise(
    "10-layer-norm", "layer_norm_back", truth=lambda dY, g, cache: _norm_back(dY, g, cache, 1),
    returns=("dZ", "dg", "dt"), tolerance=1e-9, cases=lambda: _back_cases(
        lambda *sums: dict(zip("Hs", normalise(*sums, 1)[1:3], strict=True))),
    hint="`dH` first, since the gain differs from unit to unit; the two means run along a row; "
         "`dg` and `dt` still add up over the samples.",
    unlocks="One derivation, two layers: only the axis differs.")


def _residual_back(dA_out, A, W, b):
    def total(p):
        Z = dense(p["A"], p["W"]) + p["b"]
        return (dA_out * (p["A"] + np.where(Z.real > 0, Z, 0))).sum()

    return tuple(complex_gradients(total, {"A": A, "W": W, "b": b}).values())


def _residual_cases():
    cases = []
    for seed, N, n in ((1, 11, 5), (2, 7, 4), (3, 5, 8)):
        rng = np.random.default_rng(seed)
        A, b = rng.normal(size=(N, n)), rng.normal(size=n)
        A[0], b[:2] = 0, 0  # two sums of the first sample are exactly 0
        cases.append((rng.normal(size=(N, n)) + 0.1, A, rng.normal(size=(n, n)), b))
    return cases


residual = Exercise(
    "10-residual", "residual_back", truth=_residual_back, returns=("dA", "dW", "db"),
    cases=_residual_cases,
    hint="`A` is used twice: what comes back through the layer and what comes back around it are "
         "added.",
    unlocks="There is now a road down that no layer can block.")


def _keeps_too_much(function):
    """Say so where far more is in use at once than every k-th activation and one stretch.

    Bytes are counted, never seconds. Beside the checkpoints and the stretch stand some arrays of
    the way back, and perhaps the stretch before: that many more are let through.
    """
    L, k, N, n = 36, 6, 512, 16
    X, y, params = sample(7, N, (n,) * (L + 1))
    begun = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        function(X, y, params, k)
        most = (tracemalloc.get_traced_memory()[1] - before) / X.nbytes
    finally:
        if not begun:
            tracemalloc.stop()
    wanted = L // k + k
    return ("keeps-every-activation", {"layers": L, "k": k, "most": round(most),
                                       "wanted": wanted}) if most > 2.5 * wanted else None


checkpoints = Exercise(
    "10-checkpoints", "checkpointed_backprop",
    truth=lambda X, y, params, k: gradients(X, y, params, 0.0), returns=("grads",),
    uses=(softmax, softmax_delta, deep_forward), besides=_keeps_too_much,
    cases=lambda: [*((*sample(*sizes), k) for sizes, k in zip(
        (*DEEP, (6, 13, (3, 6, 7, 4, 9, 5))), (2, 3, 2, 5, 4, 1), strict=True)), *_odd_cases(2)],
    checker="Compare with your `deep_backprop`, which keeps everything: which layer differs first?",
    hint="forward, keeping every k-th; then, from the last stretch to the first: compute its "
         "activations once more, and walk back over it.",
    unlocks="Memory bought with arithmetic, and not a digit of the gradient has changed.")
