"""Lesson 04: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import copy

import numpy as np


def sgd_step_loop(params, grads, learning_rate):
    new = {}
    for key in params:
        new[key] = params[key] - learning_rate * grads[key]
    return new


def sgd_step_deep_copy(params, grads, learning_rate):
    """In place, on arrays of its own."""
    params = copy.deepcopy(params)
    for key in params:
        params[key] -= learning_rate * grads[key]
    return params


def sgd_step_zip(params, grads, learning_rate):
    return dict(zip(params, [np.subtract(params[k], np.multiply(grads[k], learning_rate))
                             for k in params], strict=True))


def sgd_step_shallow_copy(params, grads, learning_rate):
    """A copy of the dict, new arrays put into it."""
    params = params.copy()
    for key, gradient in grads.items():
        params[key] = params[key] + -learning_rate * gradient
    return params


def sgd_step_in_place(params, grads, learning_rate):
    for key in params:
        params[key] -= learning_rate * grads[key]
    return params


def sgd_step_shared_arrays(params, grads, learning_rate):
    new = params.copy()
    for key in new:
        new[key] -= learning_rate * grads[key]
    return new


def sgd_step_lost(params, grads, learning_rate):
    for key, W in params.items():
        W = W - learning_rate * grads[key]
    return params


RIGHT = {
    "04-sgd-step": [sgd_step_loop, sgd_step_deep_copy, sgd_step_zip, sgd_step_shallow_copy],
}

WRONG = [
    ("04-sgd-step", sgd_step_in_place, "changes-arguments"),
    ("04-sgd-step", sgd_step_shared_arrays, "changes-arguments"),
    ("04-sgd-step", sgd_step_lost, "never-updated"),
]
