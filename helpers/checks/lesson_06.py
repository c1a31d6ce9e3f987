"""Lesson 06: one-hot labels, the gradient in pieces, a gradient checker, momentum, mini-batches."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from scipy.special import softmax as softmax_of

from helpers.checks.catalogue import answer
from helpers.checks.exercise import Exercise, Group, no_sizes
from helpers.checks.lesson_01 import numerical_gradient, sigmoid
from helpers.checks.lesson_05 import cross_entropy, softmax
from helpers.checks.truth import complex_gradients, complex_step, dense


def network(seed, N, D, H, K):
    """Return X (N, D), Y (N, K) one-hot, params of a D-H-K network: generic numbers."""
    rng = np.random.default_rng(seed)
    X, classes = rng.normal(size=(N, D)), rng.integers(K, size=N)
    return X, np.eye(K)[classes], {
        "W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H),
        "W2": rng.normal(size=(H, K)), "b2": rng.normal(size=K)}


def cross_entropy_of(X, Y, params):
    """Return J, the mean cross-entropy; the parameters may be complex."""
    A1 = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    Z2 = A1 @ params["W2"] + params["b2"]
    Z2 = Z2 - Z2.real.max(axis=1, keepdims=True)
    return (np.log(np.exp(Z2).sum(axis=1)) - (Z2 * Y).sum(axis=1)).mean()


SIZES = ((1, 11, 4, 6, 3), (2, 13, 3, 7, 5), (3, 17, 6, 9, 7))


def _passes(*names, sizes=SIZES):
    """Return the named values of some passes forward and back, a tuple for each pass."""
    cases = []
    for case in sizes:
        X, Y, params = network(*case)
        W1, b1, W2, b2 = params.values()
        A1 = expit(X @ W1 + b1)
        Y_hat = softmax_of(A1 @ W2 + b2, axis=1)
        dZ2 = (Y_hat - Y) / len(X)
        values = {"X": X, "Y": Y, "A1": A1, "Y_hat": Y_hat, "dZ2": dZ2,
                  "dZ1": dZ2 @ W2.T * A1 * (1 - A1), **params}
        cases.append(tuple(values[name] for name in names))
    return cases


def _any_floats(args, result):
    """Return a result of any floats as float64: how precise a 0 or a 1 is plays no part."""
    floats = type(result) is np.ndarray and result.dtype.kind == "f"
    return result.astype(float) if floats else result


one_hot = Exercise(
    "06-one-hot", "one_hot", returns=("Y",),
    truth=lambda y, K: (y[:, None] == np.arange(K)).astype(float),
    sizes=lambda y, K: {"N": len(y), "K": K}, view=_any_floats,
    cases=lambda: [(np.array([2, 0, 1, 2, 2]), 3), (np.array([1, 0, 0, 3, 1, 0, 1]), 5),
                   (np.array([1, 0, 1, 1], dtype=np.uint8), 3)],
    hint="N rows of K zeros, then a 1.0 in each row, at the column that the label names.",
    unlocks="Labels and probabilities now have the same shape.")


def _layer_cases(*names):
    """Return inputs, weights and biases; in the last case the weights are very large."""
    (inputs, W, b), = _passes(*names, sizes=((4, 9, 2, 5, 3),))
    return [*_passes(*names), (inputs, 1000 * W, b)]


hidden_layer = Exercise(
    "06-layers", "hidden_layer", returns=("A1",), uses=(sigmoid,),
    truth=lambda X, W1, b1: expit(dense(X, W1) + b1),
    cases=lambda: _layer_cases("X", "W1", "b1"),
    hint="weighted sums of each row of `X`, plus the bias, through the sigmoid.")

output_layer = Exercise(
    "06-layers", "output_layer", returns=("Y_hat",), uses=(softmax,), tolerance=1e-10,
    truth=lambda A1, W2, b2: softmax_of(dense(A1, W2) + b2, axis=1),
    cases=lambda: _layer_cases("A1", "W2", "b2"),
    hint="weighted sums of each row of `A1`, plus the bias, through the softmax.")

layers = Group("06-layers", (hidden_layer, output_layer),
               unlocks="Two layers, seventeen numbers: this is the whole network.")


def _loss_gradient(Y, Y_hat):
    def mean_loss(Z2):
        return (np.log(np.exp(Z2).sum(axis=1)) - (Z2 * Y).sum(axis=1)).mean()

    return complex_step(mean_loss, np.log(Y_hat))


def _weight_gradient(A, dZ):
    return complex_step(lambda W: (dZ * (A @ W)).sum(), np.zeros((A.shape[1], dZ.shape[1])))


def _hidden_layer_gradient(dZ2, W2, A1):
    return complex_step(lambda Z1: (dZ2 * (1 / (1 + np.exp(-Z1)) @ W2)).sum(),
                        np.log(A1) - np.log1p(-A1))


loss_gradient = Exercise(
    "06-gradient-pieces", "loss_gradient", truth=_loss_gradient, returns=("dZ2",),
    sizes=lambda Y, Y_hat: {"N": len(Y), "K": Y.shape[1]}, rounding=1e-11,
    cases=lambda: _passes("Y", "Y_hat"),
    hint="prediction minus label, divided by what turns the sum into a mean.")

output_weight_gradient = Exercise(
    "06-gradient-pieces", "output_weight_gradient", truth=lambda A1, dZ2: _weight_gradient(A1, dZ2),
    returns=("dW2",), rounding=1e-11, cases=lambda: _passes("A1", "dZ2"),
    hint="what went into the layer, transposed, times the error at its outputs.")

output_bias_gradient = Exercise(
    "06-gradient-pieces", "output_bias_gradient", truth=lambda dZ2: dZ2.T @ np.ones(len(dZ2)),
    returns=("db2",), rounding=1e-11, cases=lambda: _passes("dZ2"),
    hint="the errors of all samples, added up unit by unit.")

hidden_layer_gradient = Exercise(
    "06-gradient-pieces", "hidden_layer_gradient", truth=_hidden_layer_gradient, returns=("dZ1",),
    sizes=lambda dZ2, W2, A1: {"N": len(A1), "K": W2.shape[1]}, rounding=1e-11,
    cases=lambda: [(dZ2 + 0.01, *more) for dZ2, *more in _passes("dZ2", "W2", "A1")],  # no sum is 0
    hint="send `dZ2` back through `W2`, then through the sigmoid, entry by entry.")

hidden_weight_gradient = Exercise(
    "06-gradient-pieces", "hidden_weight_gradient", truth=lambda X, dZ1: _weight_gradient(X, dZ1),
    returns=("dW1",), rounding=1e-11, cases=lambda: _passes("X", "dZ1"),
    hint="what went into the layer, transposed, times the error at its outputs.")

hidden_bias_gradient = Exercise(
    "06-gradient-pieces", "hidden_bias_gradient", truth=lambda dZ1: dZ1.T @ np.ones(len(dZ1)),
    returns=("db1",), rounding=1e-11, cases=lambda: _passes("dZ1"),
    hint="the errors of all samples, added up unit by unit.")

compute_gradients = Exercise(
    "06-gradient-pieces", "compute_gradients", returns=("grads",),
    truth=lambda X, Y, params: complex_gradients(lambda p: cross_entropy_of(X, Y, p), params),
    uses=(hidden_layer, output_layer, loss_gradient, output_weight_gradient, output_bias_gradient,
          hidden_layer_gradient, hidden_weight_gradient, hidden_bias_gradient),
    sizes=lambda X, Y, params: {"N": len(X), "K": Y.shape[1]}, rounding=1e-11,
    cases=lambda: [network(*sizes) for sizes in SIZES],
    hint="forward through both layers, then the six pieces in the order of the text.")

gradient_pieces = Group(
    "06-gradient-pieces",
    (loss_gradient, output_weight_gradient, output_bias_gradient, hidden_layer_gradient,
     hidden_weight_gradient, hidden_bias_gradient, compute_gradients),
    unlocks="Six pieces of the chain rule, and seventeen slopes from one pass forward and back.")


def _cubes(C, d):
    """Return Σ c·w³ + (Σ d·w)² over the dict, with the two-sided slope of each entry."""
    def total(params):
        return sum((d[k] * params[k]).sum() for k in d)

    def loss(params):
        """Σ c·w³ + (Σ d·w)²"""
        return float(sum((C[k] * params[k] ** 3).sum() for k in C) + total(params) ** 2)

    loss.slope = lambda params, eps: {
        k: C[k] * (3 * params[k] ** 2 + eps ** 2) + 2 * total(params) * d[k] for k in C}
    return loss


def relative(a, b):
    """Return |a − b| / max(|a|, |b|) of two numbers; 0 where both are 0."""
    return 0.0 if a == b == 0 else abs(a - b) / max(abs(a), abs(b))


def _check_gradients(loss, params, grads, eps=1e-5):
    measured = loss.slope(params, eps)
    return {k: float(np.max([relative(a, b) for a, b in zip(
        grads[k].flat, measured[k].flat, strict=True)])) for k in params}


def _drawn(seed, shapes, of_C=1, of_d=1):
    """Return parameters, their loss, and its gradient."""
    rng = np.random.default_rng(seed)
    params = {k: rng.normal(size=s) for k, s in shapes.items()}
    C, d = ({k: size * rng.uniform(0.5, 1.5, size=s) for k, s in shapes.items()}
            for size in (of_C, of_d))
    for name, entries in NO_SLOPE.get(seed, ()):
        C[name][entries] = d[name][entries] = 0
    loss = _cubes(C, d)
    return loss, params, loss.slope(params, 0)


SHAPES = ({"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}, {"U": (2, 5), "c": (5,)},
          {"W1": (4, 3), "b1": (3,), "W2": (3, 5), "b2": (5,)})
NO_SLOPE = {3: [("b1", ...)], 4: [("both", (0, 1)), ("measured", 2)]}  # on these nothing depends


def _check_cases():
    cases = []
    for seed, shapes, eps in ((1, SHAPES[0], 1e-5), (2, SHAPES[1], 0.1),
                              (3, {"W1": (2, 3), "b1": (3,), "V": (2, 2)}, 1e-4)):
        loss, params, grads = _drawn(seed, shapes)
        for n, k in enumerate(shapes):  # a bug of another size in each, in its last entries
            grads[k].flat[-1] *= 1 + 0.1 / (n + 1)
            grads[k].flat[-2] *= 1 - 0.02 / (n + 1)
        cases.append((loss, params, grads, eps))
    cases[0][2]["b1"] *= -1
    cases[0][2]["W2"] *= 100
    cases[2][2]["V"][0, 1] = np.nan
    # single entries whose slopes are zero: both, the given one alone, the measured one alone
    loss, params, grads = _drawn(4, {"both": (2, 4), "given": (3,), "measured": (4,)})
    grads["both"][1, 2] *= 1.04
    grads["given"][int(np.argmax(grads["given"]))] = 0
    grads["measured"][2] = 0.3
    cases.append((loss, params, grads, 1e-2))
    loss, params, grads = _drawn(5, {"W1": (2, 3), "b1": (3,)}, 1e-9, 3e-5)  # tiny slopes
    grads["W1"][1, 1] *= 1.07
    grads["b1"][0] *= 0.97
    return [*cases, (loss, params, dict(reversed(grads.items())), 1e-2)]


check_gradients = Exercise(
    "06-check-gradients", "check_gradients", truth=_check_gradients, returns=("errors",),
    uses=(numerical_gradient,), sizes=no_sizes, tolerance=1e-6, cases=_check_cases,
    hint="for each name, `numerical_gradient` of the loss as a function of that array alone; then "
         "the differences, each divided by the larger of the two sizes; then the largest.",
    unlocks="An error in a single entry now shows.")


def _two(seed, shapes):
    """Return two dicts of drawn arrays, in opposite orders."""
    rng = np.random.default_rng(seed)
    one, other = ({k: rng.normal(size=s) for k, s in shapes.items()} for _ in range(2))
    return one, dict(reversed(other.items()))


update_momentum = Exercise(
    "06-momentum", "update_momentum", returns=("velocity",),
    truth=lambda velocity, grads, learning_rate, mu: {
        k: np.tensordot((mu, -learning_rate), (V, grads[k]), 1) for k, V in velocity.items()},
    sizes=no_sizes, cases=lambda: [(*_two(seed, shapes), *rates) for seed, shapes, rates in zip(
        (1, 2, 3), SHAPES, ((0.3, 0.9), (0.05, 0.4), (2.0, 0.0)), strict=True)],
    hint="for each key: mu times the old velocity, minus the learning rate times the gradient.")

update_params = Exercise(
    "06-momentum", "update_params", truth=answer("06-momentum")[1], returns=("params",),
    sizes=no_sizes, cases=lambda: [_two(*case) for case in enumerate(SHAPES, start=4)],
    hint="for each key, the parameter plus its velocity, in a new dict.")

momentum = Group("06-momentum", (update_momentum, update_params),
                 unlocks="A step now remembers the steps before it.")

minibatches = Exercise(
    "06-minibatches", "minibatches", truth=answer("06-minibatches"), returns=("batches",),
    sizes=no_sizes, cases=lambda: [(N, size, np.random.default_rng(seed)) for seed, N, size in (
        (1, 17, 5), (2, 11, 4), (3, 7, 9), (4, 13, 2), (5, 15, 5))],
    hint="one `permutation(N)` of the given `rng` (`np.random` is another), then "
         "slices of it that begin at 0, batch_size, 2·batch_size.",
    unlocks="Each sample is seen once in an epoch, and in new company in the next.")

train = Exercise(
    "06-train", "train_network", truth=answer("06-train"), returns=("params", "history"),
    uses=(hidden_layer, output_layer, cross_entropy, compute_gradients, update_momentum,
          update_params, minibatches),
    cases=lambda: [(*network(seed, *sizes), *settings, np.random.default_rng(seed))
                   for seed, sizes, *settings in ((1, (13, 3, 5, 4), 0.7, 0.8, 5, 3),
                                                  (2, (17, 4, 6, 3), 1.3, 0.5, 7, 4))],
    hint="velocity of zeros once; in each epoch fresh `minibatches`; for each batch gradients, "
         "velocity, parameters; after each epoch the loss on everything.",
    unlocks="This loop, with other layers and another loss, trains other networks too.")
