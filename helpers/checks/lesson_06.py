"""Lesson 06: one-hot labels, the gradient in pieces, a gradient checker, momentum, mini-batches."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from scipy.special import softmax as softmax_of

from helpers.checks.exercise import Exercise, Group, no_sizes
from helpers.checks.lesson_01 import numerical_gradient, sigmoid
from helpers.checks.lesson_05 import cross_entropy, softmax
from helpers.checks.truth import complex_step


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


def gradients(X, Y, params):
    """Return the gradient of J by complex steps, a dict."""
    return {k: complex_step(lambda W, k=k: cross_entropy_of(X, Y, {**params, k: W}), params[k])
            for k in params}


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


def _one_hot(y, K):
    return np.array([[1.0 if k == label else 0.0 for k in range(K)] for label in y])


def _any_floats(args, result):
    """Return a result of any floats as float64: how precise a 0 or a 1 is plays no part."""
    floats = type(result) is np.ndarray and result.dtype.kind == "f"
    return result.astype(float) if floats else result


one_hot = Exercise(
    "06-one-hot", "one_hot", truth=_one_hot, returns=("Y",),
    sizes=lambda y, K: {"N": len(y), "K": K}, view=_any_floats,
    cases=lambda: [(np.array([2, 0, 1, 2, 2]), 3), (np.array([1, 0, 0, 3, 1, 0, 1]), 5),
                   (np.array([1, 0, 1, 1], dtype=np.uint8), 3)],
    hint="N rows of K zeros, then a 1.0 in each row, at the column that the label names.",
    unlocks="Labels and probabilities now have the same shape.")


def _hidden_layer(X, W1, b1):
    return np.array([[expit(float(sum(x * w for x, w in zip(row, W1[:, h], strict=True))) + b1[h])
                      for h in range(W1.shape[1])] for row in X])


def _output_layer(A1, W2, b2):
    Z2 = np.array([[sum(a * w for a, w in zip(row, W2[:, k], strict=True)) + b2[k]
                    for k in range(W2.shape[1])] for row in A1])
    return softmax_of(Z2, axis=1)


def _layer_cases(*names):
    """Return inputs, weights and biases; in the last case the weights are very large."""
    (inputs, W, b), = _passes(*names, sizes=((4, 9, 2, 5, 3),))
    return [*_passes(*names), (inputs, 1000 * W, b)]


hidden_layer = Exercise(
    "06-layers", "hidden_layer", truth=_hidden_layer, returns=("A1",), uses=(sigmoid,),
    cases=lambda: _layer_cases("X", "W1", "b1"),
    hint="weighted sums of each row of `X`, plus the bias, through the sigmoid.")

output_layer = Exercise(
    "06-layers", "output_layer", truth=_output_layer, returns=("Y_hat",), uses=(softmax,),
    tolerance=1e-10, cases=lambda: _layer_cases("A1", "W2", "b2"),
    hint="weighted sums of each row of `A1`, plus the bias, through the softmax.")

layers = Group("06-layers", (hidden_layer, output_layer),
               unlocks="Two layers, seventeen numbers: this is the whole network.")


def _loss_gradient(Y, Y_hat):
    def mean_loss(Z2):
        return (np.log(np.exp(Z2).sum(axis=1)) - (Z2 * Y).sum(axis=1)).mean()

    return complex_step(mean_loss, np.log(Y_hat))


def _weight_gradient(A, dZ):
    return complex_step(lambda W: (dZ * (A @ W)).sum(), np.zeros((A.shape[1], dZ.shape[1])))


def _bias_gradient(dZ):
    return np.array([float(sum(column)) for column in dZ.T])


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
    "06-gradient-pieces", "output_bias_gradient", truth=lambda dZ2: _bias_gradient(dZ2),
    returns=("db2",), rounding=1e-11, cases=lambda: _passes("dZ2"),
    hint="the errors of all samples, added up unit by unit.")

hidden_layer_gradient = Exercise(
    "06-gradient-pieces", "hidden_layer_gradient", truth=_hidden_layer_gradient, returns=("dZ1",),
    sizes=lambda dZ2, W2, A1: {"N": len(A1), "K": W2.shape[1]}, rounding=1e-11,
    cases=lambda: _passes("dZ2", "W2", "A1"),
    hint="send `dZ2` back through `W2`, then through the sigmoid, entry by entry.")

hidden_weight_gradient = Exercise(
    "06-gradient-pieces", "hidden_weight_gradient", truth=lambda X, dZ1: _weight_gradient(X, dZ1),
    returns=("dW1",), rounding=1e-11, cases=lambda: _passes("X", "dZ1"),
    hint="what went into the layer, transposed, times the error at its outputs.")

hidden_bias_gradient = Exercise(
    "06-gradient-pieces", "hidden_bias_gradient", truth=lambda dZ1: _bias_gradient(dZ1),
    returns=("db1",), rounding=1e-11, cases=lambda: _passes("dZ1"),
    hint="the errors of all samples, added up unit by unit.")

compute_gradients = Exercise(
    "06-gradient-pieces", "compute_gradients", truth=gradients, returns=("grads",),
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
    return {k: max((relative(float(a), float(b)) for a, b in zip(
        grads[k].flat, measured[k].flat, strict=True)), key=lambda e: (e != e, e))
        for k in params}


def _check_cases():
    cases = []
    for seed, shapes, eps in ((1, {"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}, 1e-5),
                              (2, {"U": (2, 5), "c": (5,)}, 0.1),
                              (3, {"W1": (2, 3), "b1": (3,), "V": (2, 2)}, 1e-4)):
        rng = np.random.default_rng(seed)
        params = {k: rng.normal(size=s) for k, s in shapes.items()}
        C = {k: rng.uniform(0.5, 1.5, size=s) for k, s in shapes.items()}
        d = {k: rng.uniform(0.5, 1.5, size=s) for k, s in shapes.items()}
        if seed == 3:  # nothing depends on b1
            C["b1"], d["b1"] = np.zeros(3), np.zeros(3)
        loss = _cubes(C, d)
        grads = loss.slope(params, 0)
        for n, k in enumerate(shapes):  # a bug of another size in each, in its last entries
            grads[k].flat[-1] *= 1 + 0.1 / (n + 1)
            grads[k].flat[-2] *= 1 - 0.02 / (n + 1)
        if seed == 1:
            grads["b1"] = -grads["b1"]
            grads["W2"] = grads["W2"] * 100.0
        if seed == 3:
            grads["V"][0, 1] = np.nan
        cases.append((loss, params, grads, eps))
    return [*cases, _case_with_zeros(), _case_with_tiny_slopes()]


def _case_with_zeros():
    """Single entries whose slopes are zero: both, the given one alone, the measured one alone."""
    rng = np.random.default_rng(4)
    shapes = {"both": (2, 4), "given": (3,), "measured": (4,)}
    params = {k: rng.normal(size=s) for k, s in shapes.items()}
    C, d = ({k: rng.uniform(0.5, 1.5, size=s) for k, s in shapes.items()} for _ in range(2))
    C["both"][0, 1] = d["both"][0, 1] = C["measured"][2] = d["measured"][2] = 0
    loss = _cubes(C, d)
    grads = loss.slope(params, 0)
    grads["both"][1, 2] *= 1.04
    grads["given"][int(np.argmax(grads["given"]))] = 0
    grads["measured"][2] = 0.3
    return loss, params, grads, 1e-2


def _case_with_tiny_slopes():
    rng = np.random.default_rng(5)
    params = {"W1": rng.normal(size=(2, 3)), "b1": rng.normal(size=3)}
    loss = _cubes({k: 1e-9 * rng.uniform(0.5, 1.5, size=w.shape) for k, w in params.items()},
                  {k: 3e-5 * rng.uniform(0.5, 1.5, size=w.shape) for k, w in params.items()})
    grads = loss.slope(params, 0)
    grads["W1"][1, 1] *= 1.07
    grads["b1"][0] *= 0.97
    return loss, params, grads, 1e-2


check_gradients = Exercise(
    "06-check-gradients", "check_gradients", truth=_check_gradients, returns=("errors",),
    uses=(numerical_gradient,), sizes=no_sizes, tolerance=1e-6, cases=_check_cases,
    hint="for each name, `numerical_gradient` of the loss as a function of that array alone; then "
         "the differences, each divided by the larger of the two sizes; then the largest.",
    unlocks="An error in a single entry now shows.")


def _velocity_case(seed, shapes, rate, mu):
    rng = np.random.default_rng(seed)
    return ({k: rng.normal(size=s) for k, s in shapes.items()},
            {k: rng.normal(size=s) for k, s in shapes.items()}, rate, mu)


SHAPES = ({"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}, {"U": (2, 5), "c": (5,)},
          {"W1": (4, 3), "b1": (3,), "W2": (3, 5), "b2": (5,)})


def _update_momentum(velocity, grads, learning_rate, mu):
    return {k: -(learning_rate * grads[k] - mu * velocity[k]) for k in grads}


update_momentum = Exercise(
    "06-momentum", "update_momentum", truth=_update_momentum, returns=("velocity",), sizes=no_sizes,
    cases=lambda: [_velocity_case(1, SHAPES[0], 0.3, 0.9), _velocity_case(2, SHAPES[1], 0.05, 0.4),
                   _velocity_case(3, SHAPES[2], 2.0, 0.0)],
    hint="for each key: mu times the old velocity, minus the learning rate times the gradient.")


def _update_params(params, velocity):
    return {k: np.array([w + v for w, v in zip(params[k], velocity[k], strict=True)])
            for k in params}


update_params = Exercise(
    "06-momentum", "update_params", truth=_update_params, returns=("params",), sizes=no_sizes,
    cases=lambda: [_velocity_case(4, SHAPES[0], 0, 0)[:2], _velocity_case(5, SHAPES[1], 0, 0)[:2],
                   _velocity_case(6, SHAPES[2], 0, 0)[:2]],
    hint="for each key, the parameter plus its velocity, in a new dict.")

momentum = Group("06-momentum", (update_momentum, update_params),
                 unlocks="A step now remembers the steps before it.")


def _minibatches(N, batch_size, rng):
    left, batches = list(rng.permutation(N)), []
    while left:
        batches.append(np.array(left[:batch_size]))
        left = left[batch_size:]
    return batches


minibatches = Exercise(
    "06-minibatches", "minibatches", truth=_minibatches, returns=("batches",), sizes=no_sizes,
    cases=lambda: [(17, 5, np.random.default_rng(1)), (11, 4, np.random.default_rng(2)),
                   (7, 9, np.random.default_rng(3)), (13, 2, np.random.default_rng(4)),
                   (15, 5, np.random.default_rng(5))],
    hint="one `permutation(N)` of the given `rng` (`np.random` is another), then "
         "slices of it that begin at 0, batch_size, 2·batch_size.",
    unlocks="Each sample is seen once in an epoch, and in new company in the next.")


def _train_network(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    velocity = {k: np.zeros(w.shape) for k, w in params.items()}
    losses = [float(cross_entropy_of(X, Y, params))]
    for _ in range(epochs):
        for batch in _minibatches(len(X), batch_size, rng):
            slopes = gradients(X[batch], Y[batch], params)
            for k in params:
                velocity = {**velocity, k: mu * velocity[k] - learning_rate * slopes[k]}
            params = {k: params[k] + velocity[k] for k in params}
        losses.append(float(cross_entropy_of(X, Y, params)))
    return params, {"loss": losses}


def _train_cases():
    cases = []
    for seed, sizes, rate, mu, batch_size, epochs in (
            (1, (13, 3, 5, 4), 0.7, 0.8, 5, 3), (2, (17, 4, 6, 3), 1.3, 0.5, 7, 4)):
        X, Y, params = network(seed, *sizes)
        cases.append((X, Y, params, rate, mu, batch_size, epochs, np.random.default_rng(seed)))
    return cases


train = Exercise(
    "06-train", "train_network", truth=_train_network, returns=("params", "history"),
    uses=(hidden_layer, output_layer, cross_entropy, compute_gradients, update_momentum,
          update_params, minibatches),
    cases=_train_cases,
    hint="velocity of zeros once; in each epoch fresh `minibatches`; for each batch gradients, "
         "velocity, parameters; after each epoch the loss on everything.",
    unlocks="This loop, with other layers and another loss, trains other networks too.")


