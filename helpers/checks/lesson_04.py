"""Lesson 04: from scalars to matrices, tanh, a stable loss, and an update that leaves alone."""

from __future__ import annotations

import numpy as np

from helpers.checks.exercise import Exercise, Mistake
from helpers.checks.lesson_01 import DATA

PARAMS = DATA | {"params", "grads", "cache", "params_start", "params_end", "b1", "b2"}


def params_case(seed, *shapes):
    """Return a dict W1, b1, W2, b2, … of generic numbers for layers of these (in, out) shapes."""
    rng = np.random.default_rng(seed)
    params = {}
    for layer, (before, after) in enumerate(shapes, 1):
        params[f"W{layer}"] = rng.normal(size=(before, after))
        params[f"b{layer}"] = rng.normal(size=after)
    return params


# 04-sgd-step

def _sgd_step(params, grads, learning_rate):
    new = {}
    for key, W in params.items():
        new[key] = np.empty(W.shape)
        for at in np.ndindex(W.shape):
            new[key][at] = W[at] - learning_rate * grads[key][at]
    return new


def wrong_step(update=lambda W, dW, rate: W - rate * dW, keys=list, others=False):
    """Return an update with one part exchanged; `others`: keys left out keep their old values."""
    def sgd_step(params, grads, learning_rate):
        new = dict(params) if others else {}
        for key in keys(params):
            new[key] = update(params[key], grads[key], learning_rate)
        return new
    return sgd_step


def _weights(params):
    return [key for key in params if key.startswith("W")]


def _biases(params):
    return [key for key in params if key.startswith("b")]


sgd_step = Exercise(
    id="04-sgd-step",
    name="sgd_step",
    truth=_sgd_step,
    cases=lambda: [
        (params_case(1, (2, 5), (5, 3)), params_case(11, (2, 5), (5, 3)), 0.3),
        (params_case(2, (4, 3), (3, 1)), params_case(12, (4, 3), (3, 1)), 1.7),
        (params_case(3, (3, 4), (4, 6), (6, 2)), params_case(13, (3, 4), (4, 6), (6, 2)), 0.07)],
    returns=("params",),
    data=PARAMS,
    tolerance=1e-12,
    integers=(),
    mistakes=(
        Mistake("uphill", wrong_step(lambda W, dW, rate: W + rate * dW),
                "the parameters move with the gradient, uphill. It points to where the loss rises: "
                "subtract the step."),
        Mistake("learning-rate-missing", wrong_step(lambda W, dW, rate: W - dW),
                "the whole gradient is subtracted; the step is the learning rate times the "
                "gradient."),
        Mistake("learning-rate-ignored", wrong_step(lambda W, dW, rate: W - 0.1 * dW),
                "the rate is the same number in every call, whatever `learning_rate` says: use "
                "the argument."),
        Mistake("learning-rate-ignored", wrong_step(lambda W, dW, rate: W - 0.01 * dW),
                "the rate is the same number in every call, whatever `learning_rate` says: use "
                "the argument."),
        Mistake("learning-rate-squared", wrong_step(lambda W, dW, rate: W - rate ** 2 * dW),
                "the step has been multiplied by the learning rate twice; once is enough."),
        Mistake("learning-rate-divides", wrong_step(lambda W, dW, rate: W - dW / rate),
                "the gradient is divided by the learning rate: a smaller rate would take larger "
                "steps. Multiply."),
        Mistake("precedence", wrong_step(lambda W, dW, rate: (W - rate) * dW),
                "the rate is subtracted first and the result multiplied by the gradient: leave "
                "the parentheses out, so that the product comes first."),
        Mistake("sum-for-product", wrong_step(lambda W, dW, rate: W - (rate + dW)),
                "rate and gradient have been added; the step is their product."),
        Mistake("weight-for-gradient", wrong_step(lambda W, dW, rate: W - rate * W),
                "the step is made of the parameter itself; it is made of its gradient, from "
                "`grads`."),
        Mistake("gradient-for-weight", wrong_step(lambda W, dW, rate: dW - rate * W),
                "`params` and `grads` have changed places: the step is subtracted from the "
                "parameter."),
        Mistake("step-only", wrong_step(lambda W, dW, rate: rate * dW),
                "this is the step alone; return what the parameters are after it."),
        Mistake("step-only", wrong_step(lambda W, dW, rate: -rate * dW),
                "this is the step alone; return what the parameters are after it."),
        Mistake("stepped-twice", wrong_step(lambda W, dW, rate: W - 2 * rate * dW),
                "the step has been taken twice; one call takes one step."),
        Mistake("never-updated", wrong_step(lambda W, dW, rate: W),
                "the parameters come back as they went in. A new array has to be stored under "
                "its key: `W = W - ...` in a loop only gives a new meaning to the name `W`."),
        Mistake("gradients-returned", wrong_step(lambda W, dW, rate: dW),
                "these are the gradients; return the parameters after the step."),
        Mistake("biases-not-updated", wrong_step(keys=_weights, others=True),
                "the weights move and the biases stay: every key takes the step."),
        Mistake("weights-not-updated", wrong_step(keys=_biases, others=True),
                "the biases move and the weights stay: every key takes the step."),
        Mistake("biases-forgotten", wrong_step(keys=_weights),
                "the new dict holds the weights only: every key of `params` belongs into it."),
        Mistake("first-key-only", wrong_step(keys=lambda params: list(params)[:1]),
                "the new dict holds the first key only. Is the `return` indented too far, inside "
                "the loop?"),
        Mistake("first-key-only", wrong_step(
            keys=lambda params: list(params)[:1], others=True),
                "only the first parameter has been updated. Is the `return` indented too far, "
                "inside the loop?"),
        Mistake("last-key-only", wrong_step(keys=lambda params: list(params)[-1:]),
                "the new dict holds the last key only: make it once, before the loop, and add a "
                "key in every round."),
        Mistake("hard-coded-keys",
                wrong_step(keys=lambda params: ("W1", "b1", "W2", "b2")),
                "only `W1`, `b1`, `W2` and `b2` are there. Another network has other keys: go "
                "through those that `params` has."),
        Mistake("hard-coded-keys", wrong_step(
            keys=lambda params: ("W1", "b1", "W2", "b2"), others=True),
                "only `W1`, `b1`, `W2` and `b2` are updated. Another network has other keys: go "
                "through those that `params` has."),
        Mistake("arithmetic-with-dicts",
                lambda params, grads, learning_rate: params - learning_rate * grads,
                "a dict cannot be multiplied or subtracted; the arrays in it can. Go through "
                "the keys."),
        Mistake("keys-lost", lambda params, grads, learning_rate: [
            params[key] - learning_rate * grads[key] for key in params],
                "these are the right arrays without their keys: return a dict, "
                "`{key: ... for key in params}`."),
    ),
    sizes=lambda params, grads, learning_rate: {},
    hint="for every key of `params`: old array minus learning rate times gradient, stored in a new "
         "dict.",
    unlocks="Whoever holds the old parameters still has them.",
)
