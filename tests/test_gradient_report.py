"""The doctor that students call on a gradient of their own."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from helpers.checks import Diagnosis, diagnose
from helpers.checks.gradient_report import looks_like

RNG = np.random.default_rng(3)
N, D, H, K = 13, 3, 5, 4
X, Y = RNG.normal(size=(N, D)), np.eye(K)[RNG.integers(K, size=N)]
PARAMS = {"W1": RNG.normal(size=(D, H)), "b1": RNG.normal(size=H),
          "W2": RNG.normal(size=(H, K)), "b2": RNG.normal(size=K)}


def forward(params):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    E = np.exp(A1 @ params["W2"] + params["b2"])
    return A1, E / E.sum(axis=1, keepdims=True)


def loss(params):
    return float(-np.log((forward(params)[1] * Y).sum(axis=1)).mean())


def gradient(params):
    A1, Y_hat = forward(params)
    dZ2 = (Y_hat - Y) / N
    dZ1 = dZ2 @ params["W2"].T * (1 - A1 ** 2)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}


GRADS = gradient(PARAMS)


def with_wrong(name, value):
    return {**GRADS, name: value}


def test_a_right_gradient_is_right_in_every_row():
    report = diagnose(loss, PARAMS, GRADS)
    assert isinstance(report, Diagnosis) and report
    assert [f.name for f in report.findings] == list(PARAMS)
    assert all(f.text == "right" and f.error < 1e-6 for f in report.findings)
    lines = repr(report).splitlines()
    assert lines[0].split()[:4] == ["shape", "error", "cosine", "length"]
    assert "W1  3 × 5  < 1e-06  1.000   1       right" in lines
    assert "e-1" not in repr(report)  # no rounding is shown, it differs between machines


@pytest.mark.parametrize("name, wrong, text", [
    ("W1", -GRADS["W1"], "−1 times the right one"),
    ("W2", GRADS["W2"] * N, f"N times the right one (N = {N})"),
    ("b2", GRADS["b2"] / N, f"the right one divided by N (N = {N})"),
    ("W1", GRADS["W1"] * 2, "2 times the right one"),
    ("b1", GRADS["b1"] * 0, "zero everywhere"),
    ("W2", GRADS["W2"][[1, 2, 3, 4, 0]], "rows in another order"),
    ("W1", GRADS["W1"] * 0.37, "0.37 times the right one"),
    ("W2", GRADS["W2"] + 0.05 * PARAMS["W2"], "the right one plus 0.05 times the parameter"),
    ("W2", GRADS["W2"] - 0.05 * PARAMS["W2"], "the right one minus 0.05 times the parameter"),
    ("b1", np.full(H, np.nan), "not finite: entry [0] is nan"),
    ("b1", np.where(np.arange(H) == 2, 0.3, GRADS["b1"]), "wrong in 1 of 5 entries; worst at "
                                                          "[2]: 0.3, measured"),
    ("W1", GRADS["W1"] ** 2, "no mistake I know; worst at ["),
    ("W1", np.round(GRADS["W1"], 4), "right to 4 decimals: is it rounded?"),
])
def test_a_planted_bug_is_named_in_its_own_row_only(name, wrong, text):
    report = diagnose(loss, PARAMS, with_wrong(name, wrong), sizes={"N": N})
    assert not report and not report[name].right and text in report[name].text
    assert all(f.right for f in report.findings if f.name != name)
    assert text in repr(report)


def test_cosine_and_length_are_those_of_the_two_arrows():
    turned = diagnose(loss, PARAMS, with_wrong("W1", -3 * GRADS["W1"]))["W1"]
    assert turned.cosine == pytest.approx(-1) and turned.length == pytest.approx(3)
    empty = diagnose(loss, PARAMS, with_wrong("W1", 0 * GRADS["W1"]))["W1"]
    assert np.isnan(empty.cosine) and empty.error == 1 and empty.length == 0
    assert np.isnan(diagnose(loss, PARAMS, with_wrong("b1", np.full(H, np.nan)))["b1"].error)


def test_two_entries_are_called_a_factor_only_where_it_has_a_name():
    params, two = {"b2": np.array([0.3, -0.4])}, np.array([1.0, -1.0])

    def value(params):
        return float(np.log1p(np.exp(two @ params["b2"])))

    right = two / (1 + np.exp(-two @ params["b2"]))
    report = diagnose(value, params, {"b2": 0.37 * right})
    assert "wrong; with so few entries every error looks like a factor" in report["b2"].text
    assert "2 times" in diagnose(value, params, {"b2": 2 * right})["b2"].text
    assert "N times" in diagnose(value, params, {"b2": 7 * right}, sizes={"N": 7})["b2"].text


def test_nothing_is_changed_even_by_a_loss_that_changes_what_it_gets():
    def careless(params):
        value = loss(params)
        for array in params.values():
            array += 1
        return value

    params, grads = copy.deepcopy(PARAMS), copy.deepcopy(GRADS)
    assert diagnose(careless, params, grads)
    for name in PARAMS:
        np.testing.assert_array_equal(params[name], PARAMS[name])
        np.testing.assert_array_equal(grads[name], GRADS[name])


def test_entries_too_small_to_measure_are_not_called_wrong():
    params = {"W1": PARAMS["W1"], "far": np.array([40.0, -40.0])}

    def value(params):  # saturated: its slope is about 1e-17
        return float((params["W1"] ** 2).sum() + np.tanh(params["far"]).sum())

    assert diagnose(value, params, {"W1": 2 * params["W1"], "far": np.array([4e-35, 4e-35])})
    assert diagnose(value, params, {"W1": 2 * params["W1"], "far": np.zeros(2)})


def test_a_small_gradient_is_still_recognised():
    params, c = {"w": np.array([0.3, -0.7, 0.2])}, 1e-4

    def value(params):
        return 0.7 + c * float(np.sin(params["w"]).sum())

    report = diagnose(value, params, {"w": -c * np.cos(params["w"])})
    assert "−1 times the right one" in report["w"].text


def test_a_loss_that_ignores_its_argument_is_noticed():
    report = diagnose(lambda params: 0.5, PARAMS, GRADS)
    assert "does it use the dict" in repr(report) and not report
    assert "the loss does not change with this parameter" in report["W2"].text


def test_integers_numbers_and_float32_are_taken_as_floats():
    def value(params):
        return float((params["a"] ** 2).sum() + 3 * params["c"])

    assert diagnose(value, {"a": np.array([1, 2]), "c": 5.0}, {"a": np.array([2, 4]), "c": 3})
    assert diagnose(value, {"a": np.array([1, 2], dtype=np.float32), "c": 1},
                    {"a": np.array([2, 4], dtype=np.float32), "c": 3.0})


def nan_near(params):
    return float("nan") if params["b2"][0] > PARAMS["b2"][0] else 1.0


@pytest.mark.parametrize("args, error, text", [
    ((3, PARAMS, GRADS), TypeError, "loss: int came, a function"),
    ((loss, [1], GRADS), TypeError, "params: list came, a dict"),
    ((loss, {}, GRADS), TypeError, "params: an empty dict came"),
    ((loss, PARAMS, None), TypeError, "grads: NoneType came, a dict"),
    ((loss, PARAMS, {"W1": GRADS["W1"]}), ValueError, r"no entry for \['b1', 'W2', 'b2'\]"),
    ((loss, PARAMS, {**GRADS, "c": 1.0}), ValueError, r"\['c'\] belong to no parameter"),
    ((loss, PARAMS, with_wrong("W1", GRADS["W1"].T)), ValueError,
     r"grads\['W1'\]: shape \(5, 3\) came, \(3, 5\) was wanted"),
    ((loss, PARAMS, with_wrong("W1", "W1")), TypeError, r"grads\['W1'\]: str came"),
    ((loss, PARAMS, with_wrong("b1", [[1], [1, 2]])), TypeError, r"grads\['b1'\]: list came"),
    ((loss, PARAMS, with_wrong("b1", None)), TypeError, r"grads\['b1'\]: NoneType came"),
    ((loss, {**PARAMS, "b1": np.full(H, np.inf)}, GRADS), ValueError, r"params\['b1'\]: it holds"),
    ((lambda p: p["b1"], PARAMS, GRADS), TypeError, r"an array of shape \(5,\); one real number"),
    ((lambda p: None, PARAMS, GRADS), TypeError, "it returned NoneType"),
    ((lambda p: np.nan, PARAMS, GRADS), ValueError, "loss: it is nan; a finite number"),
    ((nan_near, PARAMS, GRADS), ValueError, r"nan where entry \[0\] of 'b2' is moved by 1e-05"),
    ((lambda p: float(RNG.normal()), PARAMS, GRADS), ValueError, "two calls with the same"),
    ((lambda p: np.float32(loss(p)), PARAMS, GRADS), ValueError, "the 7 digits of float32"),
    ((lambda p: float(np.float32(loss(p))), PARAMS, GRADS), ValueError, "7 digits of float32"),
], ids=range(18))
def test_what_cannot_be_examined_is_refused_in_clear_words(args, error, text):
    with pytest.raises(error, match=text):
        diagnose(*args)


@pytest.mark.parametrize("sizes", [500, [500], {"N": "500"}, {"N": 0}])
def test_sizes_are_a_dict_of_numbers(sizes):
    with pytest.raises(TypeError, match="sizes"):
        diagnose(loss, PARAMS, GRADS, sizes=sizes)


def test_an_error_of_the_loss_itself_comes_through():
    with pytest.raises(KeyError, match="V"):
        diagnose(lambda params: params["V"], PARAMS, GRADS)


def relu(params):
    return float(np.maximum(params["b"], 0).sum() + (params["W"] ** 2).sum())


@pytest.mark.parametrize("there", [0.0, 1.0])
def test_at_a_kink_nothing_is_judged_and_the_rest_is(there):
    params = {"b": np.array([0.0, 2.0, -1.0]), "W": np.array([1.0, 3.0])}
    right = {"b": np.array([there, 1.0, 0.0]), "W": 2 * params["W"]}
    report = diagnose(relu, params, right)
    assert report and "kink" in report.remark
    assert report["b"].right and report["b"].text == (
        "right; kink: not judged here (1 of 3 entries)")
    assert report["W"].text == "right"
    wrong = diagnose(relu, params, {**right, "b": np.array([there, 1.0, 0.7])})
    assert not wrong and not wrong["b"].right
    flipped = diagnose(relu, params, {**right, "b": np.array([there, -1.0, 0.0])})
    assert "−1 times the right one" in flipped["b"].text


def test_a_kink_everywhere_and_a_bend_that_is_none():
    params = {"b": np.zeros(3), "W": np.ones(2)}
    assert diagnose(relu, params, {"b": np.zeros(3), "W": 2 * np.ones(2)})
    steep = {"w": np.array([1e-6, 0.0])}  # near a minimum slopes differ much, and it is smooth

    def value(params):
        return float((params["w"] ** 2).sum())

    report = diagnose(value, steep, {"w": np.array([2e-2, 3e-2])})
    assert not report and not report.remark


@pytest.mark.parametrize("factor, text", [
    (2 / N, f"2/N times the right one (N = {N})"),
    (2 / (N * 3), f"2/(NK) times the right one (NK = {N * 3})"),
    (1 / (N * 3), f"the right one divided by NK (NK = {N * 3})"),
    (0.5 / N, f"the right one divided by 2N (N = {N})"),
    (-2 / N, f"2/N times the right one (N = {N}), with the sign flipped")])
def test_factors_of_other_means_are_named(factor, text):
    report = diagnose(loss, PARAMS, with_wrong("W1", factor * GRADS["W1"]), sizes={"N": N, "K": 3})
    assert report["W1"].text == text or f"{text}: " in report["W1"].text


def test_all_shapes_that_do_not_fit_are_told_at_once():
    wrong = {**GRADS, "b1": GRADS["b1"][None], "W2": GRADS["W2"].T}
    with pytest.raises(ValueError, match=r"grads\['b1'\]: shape \(1, 5\) came, \(5,\) was wanted; "
                                         r"grads\['W2'\]: shape \(4, 5\) came"):
        diagnose(loss, PARAMS, wrong)


def test_what_is_nothing_but_round_off_is_zero():
    want = np.arange(6.0).reshape(2, 3)
    assert looks_like(1e-16 * (want - 2), want, {}) == (
        "all-zero", "zero everywhere but for round-off")
