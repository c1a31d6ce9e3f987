"""Small training problems in which a gradient shows what it is worth: the lessons' own, for hunts.

Losses and networks are the references of the lessons' pages.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from helpers import datasets
from helpers.checks.catalogue import answer


@dataclass(frozen=True)
class Trial:
    """A small training problem, in which a gradient shows what it is worth."""

    params: dict[str, np.ndarray]  # where the training starts
    loss: Callable[[dict], float]
    gradient: Callable[[Callable, dict], dict]  # of the hunted function and a dict of parameters
    rate: float  # of plain gradient descent
    name: str = "backprop"  # of the function that is handed over
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


def _layers(seed: int, *widths: int) -> dict[str, np.ndarray]:
    """Return W1, b1, W2, ... of a network with so many units in each layer."""
    return _weights(seed, **{f"{kind}{i}": (n, m) if kind == "W" else (m,) for i, (n, m)
                             in enumerate(pairwise(widths), 1) for kind in "Wb"})


def _penalised(data: tuple, loss: Callable, params: dict, **more: Any) -> Trial:
    """Return the trial of a loss and a gradient that take X, y, the parameters and a penalty."""
    return Trial(params, lambda p: loss(*data, p, 1e-3), lambda f, p: f(*data, p, 1e-3), **more)


@functools.cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits
    X, y = load_digits(return_X_y=True)
    return X[:100] / 16 - 0.3, y[:100]


def moons() -> Trial:
    """Lesson 05: two moons, 2-5-2, softmax and a penalty."""
    return _penalised(datasets.moons(), answer("05-loss"), _layers(1, 2, 5, 2), rate=0.5)


def digits() -> Trial:
    """Lesson 09: a hundred digits, 64-8-10, ReLU and a penalty."""
    return _penalised(_digits(), answer("09-network")[1], _layers(0, 64, 8, 10), rate=0.3)


def depth() -> Trial:
    """Lesson 10: a hundred digits, 64-12-11-9-10, ReLU and a penalty."""
    (forward, _), loss = answer("10-deep-backprop"), answer("05-cross-entropy")

    def total(X, y, p, reg):
        squares = sum((W**2).sum() for W in p.values() if W.ndim == 2)
        return loss(y, forward(X, p)[-1]) + reg / 2 * squares

    return _penalised(_digits(), total, _layers(0, 64, 12, 11, 9, 10), rate=0.3,
                      name="deep_backprop")


def circles() -> Trial:
    """Lesson 06: circles, 2-3-2, sigmoid and softmax."""
    X, y = datasets.make_circles(500)
    Y = answer("06-one-hot")(y, 2)
    (hidden, output), loss = answer("06-layers"), answer("05-cross-entropy")
    return Trial(_layers(0, 2, 3, 2),
                 lambda p: loss(y, output(hidden(X, p["W1"], p["b1"]), p["W2"], p["b2"])),
                 lambda f, p: f(X, Y, p), rate=2, name="compute_gradients")


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
    return Trial(params | {"g1": params["g1"] + 1}, lambda p: forward(p)[2][0], gradient, rate=0.3,
                 name="attention_layer_back")


def activations() -> Trial:
    """Lesson 07: the moons, through the rule of an autograd for tanh."""
    X, y = datasets.moons()
    error, loss, softmax = map(
        answer, ("05-softmax-delta", "05-cross-entropy", "05-softmax"))

    def forward(p):
        A1 = np.tanh(X @ p["W1"] + p["b1"])
        return A1, softmax(A1 @ p["W2"] + p["b2"])

    def gradient(tanh_rule, p):
        A1, Y_hat = forward(p)
        dZ2 = error(y, Y_hat)
        dZ1 = tanh_rule(dZ2 @ p["W2"].T, X @ p["W1"] + p["b1"], A1)
        return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}

    return Trial(_layers(1, 2, 5, 2), lambda p: loss(y, forward(p)[1]), gradient, rate=0.5,
                 name="tanh_rule")


TRIALS = {"05-backprop": moons, "06-gradient-pieces": circles,
          "07-unary-rules": activations, "09-backprop": digits, "10-deep-backprop": depth,
          "12-attention-layer": backwards}
