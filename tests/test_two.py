"""Two mistakes at once: known ones are named together, where they explain every case."""

from __future__ import annotations

import numpy as np
import pytest
from answers.lesson_03 import forward_einsum as forward_03
from answers.lesson_04 import forward_einsum as forward_04
from scipy.special import expit
from test_mutants import PARTS

from helpers.checks import judge, two


def twice_activated_and_not_divided(X_b, y, params):
    cache = forward_03(X_b, params)
    dZ2, s = cache["Y_hat"] - y, expit(cache["A1"])
    return {"W1": X_b.T @ (dZ2 @ params["W2"].T * s * (1 - s)), "W2": cache["A1"].T @ dZ2}


def derivative_missing_and_bias_mean(X, y, params):
    cache = forward_04(X, params)
    dZ2 = (cache["Y_hat"] - y) / len(X)
    dZ1 = dZ2 @ params["W2"].T
    return {"W1": X.T @ dZ1, "b1": dZ1.mean(axis=0), "W2": cache["A1"].T @ dZ2,
            "b2": dZ2.mean(axis=0)}


def fan_out_and_second_layer_first(D, H, K, rng):
    W2 = rng.normal(size=(H, K)) / np.sqrt(K)
    W1 = rng.normal(size=(D, H)) / np.sqrt(H)
    return {"W1": W1, "b1": np.zeros(H), "W2": W2, "b2": np.zeros(K)}


def exchanged_names(X_b, params):
    cache = forward_03(X_b, params)
    return {**cache, "Z1": cache["A1"], "A1": cache["Z1"]}


def minus_and_exchanged(x):
    a = x**2
    value = np.exp(np.sin(a))
    return -value * np.cos(a) * 2 * x, value


def derivative_missing_and_sum_over_n(X, y, params):
    cache = forward_04(X, params)
    dZ2 = (cache["Y_hat"] - y) / len(X)
    dZ1 = dZ2 @ params["W2"].T
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": cache["A1"].T @ dZ2 / len(X),
            "b2": dZ2.sum(axis=0) / len(X)}


TWO = [("03-backprop", twice_activated_and_not_divided),
       ("04-backprop", derivative_missing_and_bias_mean),
       ("05-initialise", fan_out_and_second_layer_first)]


def found(key, function):
    part = PARTS[key]
    return two.find(judge.Evidence(part, function, part.cases()), judge.known_call)


@pytest.mark.parametrize("key, function", TWO)
def test_two_known_mistakes_are_named_together(key, function):
    lines, mistake = found(key, function)
    assert mistake == "two-mistakes" and len(lines) == 2
    assert lines[0].startswith("Two things at once, it seems: ")
    assert lines[1].startswith("And apart from that: ")


@pytest.mark.parametrize("key, function, said", [
    ("02-chain-rule", minus_and_exchanged, "`value` is −1 times what that gives: "),
    ("04-backprop", derivative_missing_and_sum_over_n,
     "are each what that gives divided by N (N = 7)."),
])
def test_a_known_mistake_and_a_sign_or_a_factor_are_named_together(key, function, said):
    lines, mistake = found(key, function)
    assert mistake == "two-mistakes" and lines[0].startswith("Two things at once, it seems: ")
    assert lines[1].startswith("And on top of that: ") and said in lines[1]


def test_a_factor_that_has_no_name_is_no_second_mistake():
    def divided_by_entries(X, y, params):
        grads = PARTS["04-backprop"].truth(X, y, params)
        return {name: grad / X.shape[1] for name, grad in grads.items()}

    assert found("04-backprop", divided_by_entries) is None


def test_right_parts_are_not_explained_by_two_mistakes():
    part = PARTS["10-deep-backprop/deep_backprop"]

    def weights_divided_again(X, y, params, reg):
        grads = part.truth(X, y, params, reg)
        return {k: grad - (1 - 1 / len(X)) * (grad - reg * params[k]) * (k[0] == "W")
                for k, grad in grads.items()}

    verdict = part.judge(weights_divided_again)
    assert verdict.outcome == "not yet" and verdict.mistake != "two-mistakes"


def test_parts_in_each_others_places_are_told():
    lines, mistake = found("03-forward", exchanged_names)
    assert mistake == "parts-exchanged" and "`cache[\"Z1\"]` holds" in lines[0]


def test_what_is_neither_of_them_has_no_two_names():
    def strange(X, y, params):
        return {name: 1.3 * W + 0.1 for name, W in params.items()}

    def fails(X, y, params):
        return params["W9"]

    assert found("04-backprop", strange) is None
    assert found("04-backprop", fails) is None
