"""Small training problems in which a gradient shows what it is worth: the lessons' own, for hunts.

Losses and networks are the references of the lessons' pages.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from helpers import datasets
from helpers.checks.catalogue import answer


@dataclass(frozen=True)
class Trial:
    """A small training problem, in which a gradient shows what it is worth.

    Attributes
    ----------
    params : where the training starts
    loss : of a dict of parameters
    gradient : takes the hunted function and a dict of parameters, returns the gradient as a dict
    rate, steps : of plain gradient descent
    """

    params: dict[str, np.ndarray]
    loss: Callable[[dict], float]
    gradient: Callable[[Callable, dict], dict]
    rate: float
    steps: int = 120

    def losses(self, function: Callable) -> list[float]:
        """Return the loss before each step of a training with this function."""
        params, noted = self.params, []
        for _ in range(self.steps):
            noted.append(float(self.loss(params)))
            grads = self.gradient(function, params)
            params = {name: W - self.rate * grads[name] for name, W in params.items()}
        return noted

    def wrong_parts(self, function: Callable, right: Callable) -> set[str] | None:
        """Return the names of the parts that are wrong; None where they are no gradient at all."""
        rng, wrong = np.random.default_rng(0), set()
        moved = {k: W + 0.3 * rng.normal(size=np.shape(W)) for k, W in self.params.items()}
        for params in (self.params, moved):
            got, want = self.gradient(function, params), self.gradient(right, params)
            if any(np.shape(got[k]) != np.shape(W) or not np.isfinite(got[k]).all()
                   for k, W in params.items()):
                return None
            wrong |= {k for k in params if not np.allclose(
                got[k], want[k], rtol=0, atol=1e-4 * np.abs(want[k]).max())}
        return wrong


def _weights(seed: int, **shapes: tuple) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) / np.sqrt(shape[0]) for name, shape in shapes.items()}


@functools.cache
def income() -> Trial:
    """Lesson 02: thirty incomes, 2-3-1, half the summed squared error."""
    X, y = datasets.income()
    X_b, y = answer("01-add-bias")(X / X.max(axis=0)), y / y.max()
    forward, squared_error = answer("01-forward"), answer("01-squared-error")
    return Trial(_weights(1, W1=(3, 3), W2=(4, 1)),
                 lambda p: squared_error(y, forward(X_b, p["W1"], p["W2"])[2]),
                 lambda f, p: dict(zip(p, f(X_b, y, p["W1"], p["W2"]), strict=True)), rate=0.01)


@functools.cache
def patterns() -> Trial:
    """Lesson 03: a disc in the square, 2-4-1, log loss."""
    X = np.random.default_rng(0).uniform(-1, 1, size=(200, 2))
    y = answer("03-patterns")[1](X).reshape(-1, 1).astype(float)
    X_b, forward, log_loss = answer("01-add-bias")(X), answer("03-forward"), answer("03-log-loss")
    return Trial(_weights(2, W1=(3, 4), W2=(4, 1)),
                 lambda p: log_loss(y, forward(X_b, p)["Y_hat"]), lambda f, p: f(X_b, y, p), rate=2)


@functools.cache
def rings() -> Trial:
    """Lesson 04: a disc in a ring, 2-3-1, logistic cross-entropy."""
    X, y = datasets.rings(200)
    forward, loss = answer("04-forward"), answer("04-logistic-cross-entropy")
    return Trial(_weights(0, W1=(2, 3), b1=(3,), W2=(3, 1), b2=(1,)),
                 lambda p: loss(y, forward(X, p)["Z2"]), lambda f, p: f(X, y, p), rate=1)


@functools.cache
def moons() -> Trial:
    """Lesson 05: two moons, 2-5-2, softmax and a penalty."""
    X, y = datasets.moons()
    loss, reg = answer("05-loss"), 1e-3
    return Trial(_weights(1, W1=(2, 5), b1=(5,), W2=(5, 2), b2=(2,)),
                 lambda p: loss(X, y, p, reg), lambda f, p: f(X, y, p, reg), rate=0.5)


@functools.cache
def circles() -> Trial:
    """Lesson 06: circles, 2-3-2, sigmoid and softmax."""
    X, y = datasets.make_circles(500)
    Y = answer("06-one-hot")(y, 2)
    (hidden, output), loss = answer("06-layers"), answer("05-cross-entropy")
    return Trial(_weights(0, W1=(2, 3), b1=(3,), W2=(3, 2), b2=(2,)),
                 lambda p: loss(y, output(hidden(X, p["W1"], p["b1"]), p["W2"], p["b2"])),
                 lambda f, p: f(X, Y, p), rate=2)


@functools.cache
def digits() -> Trial:
    """Lesson 09: a hundred digits, 64-8-10, ReLU and a penalty."""
    from sklearn.datasets import load_digits
    X, y = load_digits(return_X_y=True)
    X, y, loss, reg = X[:100] / 16 - 0.3, y[:100], answer("09-network")[1], 1e-3
    return Trial(_weights(0, W1=(64, 8), b1=(8,), W2=(8, 10), b2=(10,)),
                 lambda p: loss(X, y, p, reg), lambda f, p: f(X, y, p, reg), rate=0.3)


@functools.cache
def depth() -> Trial:
    """Lesson 10: a hundred digits, 64-12-11-9-10, ReLU and a penalty."""
    from sklearn.datasets import load_digits
    X, y = load_digits(return_X_y=True)
    X, y, reg = X[:100] / 16 - 0.3, y[:100], 1e-3
    (forward, _), loss = answer("10-deep-backprop"), answer("05-cross-entropy")

    def total(p):
        squares = sum((W**2).sum() for W in p.values() if W.ndim == 2)
        return loss(y, forward(X, p)[-1]) + reg / 2 * squares

    widths = (64, 12, 11, 9, 10)
    shapes = {f"{kind}{i}": (n, m) if kind == "W" else (m,)
              for i, (n, m) in enumerate(pairwise(widths), 1) for kind in "Wb"}
    return Trial(_weights(0, **shapes), total, lambda f, p: f(X, y, p, reg), rate=0.3)


@functools.cache
def backwards() -> Trial:
    """Lesson 12: one attention layer that is to write three digits backwards, as in `153=351`."""
    embed, embed_back = answer("11-embed")
    layer, loss = answer("12-attention-layer")[0], answer("12-answer-loss")
    digits = np.random.default_rng(0).integers(10, size=(60, 3))
    ids = np.hstack([digits, np.full((60, 1), 10), digits[:, ::-1]])
    x, y, w = ids[:, :-1], ids[:, 1:], np.tile(np.arange(6) > 2, (60, 1)) * 1.0

    def forward(p):
        X, cache = layer(embed(x, p["E"], p["P"]), p, 2)
        return X, cache, loss(X @ p["W3"] + p["b3"], y, w)

    def gradient(function, p):
        X, cache, (_, dlogits) = forward(p)
        dX, grads = function(dlogits @ p["W3"].T, p, cache)
        dE, dP = embed_back(dX, x, p["E"], p["P"])
        return {"E": dE, "P": dP, **grads, "W3": np.einsum("ntd,ntv->dv", X, dlogits),
                "b3": dlogits.sum(axis=(0, 1))}

    square = dict.fromkeys(("Wq", "Wk", "Wv", "Wo"), (8, 8))
    params = _weights(8, **square, g1=(8,), t1=(8,), E=(11, 8), P=(6, 8), W3=(8, 11), b3=(11,))
    return Trial(params | {"g1": params["g1"] + 1}, lambda p: forward(p)[2][0], gradient, rate=0.3)


def _by_rules(matmul_rule: Callable, tanh_rule: Callable) -> Trial:
    """Lesson 07: the moons through an autograd's rules for products and tanh."""
    X, y = datasets.moons()
    error, loss = answer("05-softmax-delta"), answer("05-cross-entropy")
    softmax = answer("05-softmax")

    def forward(p):
        A1 = np.tanh(X @ p["W1"] + p["b1"])
        return A1, softmax(A1 @ p["W2"] + p["b2"])

    def gradient(rule, p):
        matmul, tanh = matmul_rule or rule, tanh_rule or rule
        A1, Y_hat = forward(p)
        dZ2 = error(y, Y_hat)
        dA1, dW2 = matmul(dZ2, A1, p["W2"], A1 @ p["W2"])
        dZ1 = tanh(dA1, X @ p["W1"] + p["b1"], A1)
        _, dW1 = matmul(dZ1, X, p["W1"], X @ p["W1"])
        return {"W1": dW1, "b1": dZ1.sum(axis=0), "W2": dW2, "b2": dZ2.sum(axis=0)}

    return Trial(_weights(1, W1=(2, 5), b1=(5,), W2=(5, 2), b2=(2,)),
                 lambda p: loss(y, forward(p)[1]), gradient, rate=0.5)


def products() -> Trial:
    """The trial of a rule for matrix products."""
    return _by_rules(None, lambda upstream, x, output: upstream * (1 - output**2))


def activations() -> Trial:
    """The trial of a rule for tanh."""
    return _by_rules(lambda upstream, a, b, output: (upstream @ b.T, a.T @ upstream), None)


TRIALS = {
    "02-backprop": income, "03-backprop": patterns, "04-backprop": rings, "05-backprop": moons,
    "06-gradient-pieces": circles, "07-array-rules": products, "07-unary-rules": activations,
    "09-backprop": digits, "10-deep-backprop": depth,
    "12-attention-layer": backwards,
}
TARGETS = {  # the function that is handed over, where it is not `backprop`
    "06-gradient-pieces": "compute_gradients", "07-array-rules": "matmul_rule",
    "07-unary-rules": "tanh_rule", "10-deep-backprop": "deep_backprop",
    "12-attention-layer": "attention_layer_back",
}
