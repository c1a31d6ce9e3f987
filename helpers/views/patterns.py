"""The short playground of lesson 03: its patterns, its network and the mistakes of its backprop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from helpers.checks.catalogue import mistakes
from helpers.views.base import Live, Still, begun, live, twin
from helpers.views.play import BEGIN, NO_STILL, Playground
from helpers.views.training import Team, usable_mistakes

CODE = """\
X = np.random.default_rng({seed}).uniform(-1, 1, size=({points}, 2))
y = labels_of(patterns["{data}"], X)
params, history = train(add_bias(X), y, start({seed}, H={units}), {rate}, {steps})
print(f"loss {{log_loss(y, forward(add_bias(X), params)['Y_hat']):.4f}}")
"""


def pattern_playground(
    patterns: Mapping[str, Callable], forward: Callable, backprop: Callable, log_loss: Callable,
    **begin: Any,
) -> Live | Still:
    """Return a playground with few controls on the functions of lesson 03.

    Parameters
    ----------
    patterns : name -> function, from points (N, 2) to N truth values
    forward, backprop, log_loss : as lesson 03 defines them
    begin : settings at first, such as ``data="circle"``
    """
    state = begun(lambda: PatternPlayground(patterns, forward, backprop, log_loss, **begin))
    alt, figure = twin(state.still, NO_STILL)
    return live("play", state.respond, state.controls(), alt, still=figure, work=state.work)


class PatternPlayground(Playground):
    """The playground on five patterns, without noise, with one output and sigmoids."""

    exercise = "03-backprop"

    def __init__(self, patterns, forward, backprop, log_loss, **begin):
        self.patterns = list(patterns)
        functions = in_the_form_of_05(forward, backprop, log_loss)
        functions["data_set"] = _drawing(patterns)
        settings = {**BEGIN, "data": self.patterns[0], "noise": 0.0, "points": 500,
                    "penalty": 0.0, **begin}
        super().__init__(Team(functions), settings, short=True)

    def _mistakes(self, units):
        known = [dataclasses.replace(one, wrong=_gradient(one.wrong))
                 for one in mistakes(self.exercise, "backprop")]
        return usable_mistakes(self.right, units, known)

    def _code(self):
        return CODE.format(**self.training.settings, steps=self.training.steps)

    def _values(self, name):
        return self.patterns if name == "data" else super()._values(name)

    def _whose(self):
        return "On your patterns, forward, backprop and log_loss."


def in_the_form_of_05(
    forward: Callable, backprop: Callable, log_loss: Callable,
) -> dict[str, Callable]:
    """Return functions of lesson 03 as the playground calls them: biases apart, two outputs.

    The first output's weights are zero, so that the second one's sum is the logit.
    """
    def passes(X, params):
        cache = forward(_with_ones(X), _together(params))
        p = cache["Y_hat"]
        return {**cache, "A1": 2 * cache["A1"] - 1, "Y_hat": np.hstack([1 - p, p])}

    def loss(X, y, params, reg):
        return log_loss(_column(y), forward(_with_ones(X), _together(params))["Y_hat"])

    def initialise(D, H, K, rng):
        W1 = rng.uniform(-1, 1, size=(D + 1, H))
        return _apart({"W1": W1, "W2": rng.uniform(-1, 1, size=(H, 1))})

    def sgd_step(params, grads, learning_rate):
        return {key: params[key] - learning_rate * grads[key] for key in params}

    return {"forward": passes, "backprop": _gradient(backprop), "loss": loss,
            "initialise": initialise, "sgd_step": sgd_step}


def _gradient(backprop):
    def gradient(X, y, params, reg):
        return _apart(backprop(_with_ones(X), _column(y), _together(params)))

    return gradient


def _together(params):
    return {"W1": np.vstack([params["b1"], params["W1"]]), "W2": params["W2"][:, 1:]}


def _apart(params):
    W1, W2 = np.asarray(params["W1"]), np.asarray(params["W2"])
    return {"W1": W1[1:], "b1": W1[0], "W2": np.hstack([np.zeros_like(W2), W2]), "b2": np.zeros(2)}


def _with_ones(X):
    return np.hstack([np.ones((len(X), 1)), X])


def _column(y):
    return np.asarray(y, dtype=float).reshape(-1, 1)


def _drawing(patterns):
    def data_set(name, points, noise, seed):
        X = np.random.default_rng(seed).uniform(-1, 1, size=(points, 2))
        return X, patterns[name](X).astype(int)

    return data_set
