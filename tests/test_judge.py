"""How the checks judge: form before value, deserved names, lines of the student's own."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import types

import numpy as np
import pytest

from helpers.checks import (
    CheckFailed,
    Exercise,
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    place,
)
from helpers.checks.compare import differ
from helpers.checks.judge import PLACING
from helpers.checks.show import as_html, as_text

GRADS = {"W1": np.arange(30.0).reshape(5, 6), "b1": np.arange(6.0), "b2": np.ones(2)}


def made(source, name="f", **space):
    """Return a function of a notebook whose cell holds `source`."""
    import linecache
    space = {"np": np, **space}
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(keepends=True), "<cell>")
    exec(compile(source, "<cell>", "exec"), space)
    return space[name]


def wanting(want, **fields):
    return Exercise(id="02-f", name="f", truth=lambda x: want, cases=lambda: [(1.0,), (2.0,)],
                    **fields)


# Form before value.

def test_a_wrong_shape_is_told_even_where_another_part_has_wrong_values():
    got = {"W1": -GRADS["W1"], "b1": GRADS["b1"][None], "b2": GRADS["b2"]}
    difference = differ(got, GRADS, "grads")
    assert difference.stage == "shape"
    assert difference.text == '`grads["b1"]` has shape (1, 6); wanted (6,).'


def test_all_wrong_shapes_are_told_at_once():
    got = {"W1": GRADS["W1"], "b1": GRADS["b1"][None], "b2": GRADS["b2"][None]}
    assert differ(got, GRADS).text == (
        "`b1` has shape (1, 6); wanted (6,). `b2` has shape (1, 2); wanted (2,).")


@pytest.mark.parametrize("part, mistake", [
    (None, "part-is-none"), ([1.0] * 6, "returns-list"), (GRADS["b1"].astype(int), "wrong-dtype"),
    (GRADS["b1"] + 0j, "complex"), (np.float32(GRADS["b1"] + 0.1), "float32")])
def test_types_of_all_parts_come_before_any_value(part, mistake):
    want = {**GRADS, "b1": GRADS["b1"] + 0.1}
    assert differ({"W1": -GRADS["W1"], "b1": part, "b2": GRADS["b2"]}, want).mistake == mistake


@pytest.mark.parametrize("other", [np.matrix, np.ma.masked_array])
def test_a_matrix_or_masked_array_is_told_by_its_type(other):
    text = differ(other(GRADS["W1"]), GRADS["W1"]).text
    assert "of shape (5, 6); wanted a plain array of that shape: `np.asarray`" in text
    assert ("a matrix" in text) == (other is np.matrix) and "is one array" not in text


# Right answers in other clothes.

@pytest.mark.parametrize("step", [1e-3, 1e-10, 1e-15])
def test_two_numbers_that_differ_are_shown_with_digits_that_differ(step):
    text = differ(0.2 + step, 0.2, tolerance=1e-16).text
    shown, wanted = re.fullmatch(r"`result` is (\S+); wanted (\S+)\.", text).groups()
    assert float(shown) > float(wanted)


@pytest.mark.parametrize("dtype", [">f8", np.longdouble])
def test_numbers_with_other_bytes_are_the_same_numbers(dtype):
    assert differ(GRADS["W1"].astype(dtype), GRADS["W1"]) is None
    assert differ((GRADS["W1"] + 1).astype(dtype), GRADS["W1"]).stage == "value"
    assert lesson_02.backprop.judge(lambda *args: tuple(
        g.astype(dtype) for g in lesson_02.backprop.truth(*args))).outcome == "correct"


def test_lists_of_right_numbers_are_told_as_lists_and_not_as_measured():
    verdict = lesson_02.backprop.judge(
        lambda *args: tuple(g.tolist() for g in lesson_02.backprop.truth(*args)))
    assert verdict.mistake == "returns-list"


def test_two_numbers_in_an_array_are_two_numbers():
    right = lesson_02.chain_rule.truth
    assert lesson_02.chain_rule.judge(lambda x: np.array(right(x))).outcome == "correct"
    turned = lesson_02.chain_rule.judge(lambda x: np.array(right(x)[::-1]))
    assert turned.mistake == "order-of-results"
    assert lesson_02.chain_rule.judge(lambda x: np.array([*right(x), 1.0])).mistake == (
        "wrong-number-of-values")


def test_float32_will_do_for_ones_and_zeros_and_for_nothing_else():
    ones = np.eye(3)
    assert wanting(ones).judge(lambda x: ones.astype(np.float32)).outcome == "correct"
    assert wanting(ones).judge(lambda x: np.ones((3, 3), dtype=np.float32)).mistake is None
    assert wanting(ones / 3).judge(lambda x: np.float32(ones / 3)).mistake == "float32"
    assert wanting(ones).judge(lambda x: ones.astype(int)).mistake == "wrong-dtype"


# Lines of the student's own.

def test_an_error_has_its_line_in_the_cell_and_the_line_is_quoted():
    f = made("# a cell\n\ndef f(z):\n    a = 1\n    return z @ np.ones(9)\n")
    verdict = lesson_01.sigmoid.judge(f)
    assert verdict.line == 5 and "(in the line `return z @ np.ones(9)`)" in verdict.lines[1]

    def in_a_file(z):
        return z.nonsense

    assert lesson_01.sigmoid.judge(in_a_file).line == 2  # counted from its first line


def test_arguments_in_a_wrong_order_are_shown_at_the_call_and_not_inside_a_right_function():
    backprop = made("""
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))
def hidden_delta(dZ2, W2, Z1):
    return (dZ2 @ W2[1:].T) * sigmoid_prime(Z1)
def backprop(X_b, y, W1, W2):
    Z1 = X_b @ W1
    A1_b = np.insert(sigmoid(Z1), 0, 1, axis=1)
    dZ2 = A1_b @ W2 - y
    dZ1 = hidden_delta(W2, dZ2, Z1)
    return X_b.T @ dZ1, A1_b.T @ dZ2
""", "backprop")
    verdict = lesson_02.backprop.judge(backprop)
    assert verdict.line == 12 and "in a call of `hidden_delta`" in verdict.lines[1]
    assert "(in the line `dZ1 = hidden_delta(W2, dZ2, Z1)`)" in verdict.lines[1]
    assert "and in its order, `hidden_delta(dZ2, W2, Z1)`?" in verdict.lines[1]
    assert "W2[1:].T" not in verdict.lines[1]


def test_an_error_in_a_helper_shows_both_lines_and_counts_in_the_cell_of_the_exercise():
    verdict = lesson_01.sigmoid.judge(made(
        "def helper(z):\n    return z.nonsense\ndef f(z):\n    return helper(z) + 1\n"))
    assert "inside your `helper`, which it calls" in verdict.lines[1]
    assert "(in the line `return z.nonsense`, called in `return helper(z) + 1`)" in (
        verdict.lines[1])
    assert verdict.line == 2  # it stands in the same cell


@pytest.mark.parametrize("line, mistake", [
    ("return z[:, None] * np.ones(7) @ np.ones((3, 2))", "product-order"),
    ("return np.concatenate([np.ones(3), z[:, None]], axis=1)", "column-of-one-dimension"),
    ("return np.concatenate([z, z], axis=1)", "column-of-one-dimension"),
    ("return [z[i, 0] for i in range(3)]", "matrix-of-one-dimension"),
    ("return z.shape[1]", "matrix-of-one-dimension"),
    ("import math; return math.exp(z)", "math-of-an-array"),
    ("return np.ones((3, 2)) @ np.ones((3, 2)) * z", None),
    ("return helper(z)", "name-not-there")])
def test_what_numpy_and_python_say_gets_a_sentence_that_helps(line, mistake):
    f = made(f"def f(z):\n    {line}\n")
    exercise = dataclasses.replace(wanting(0.0), truth=lambda z: 0.0,
                                   cases=lambda: [(np.arange(3.0),)])
    verdict = exercise.judge(f)
    assert verdict.mistake == mistake and verdict.line == 2, verdict.lines


def test_an_earlier_function_whose_cell_has_not_run_is_told_so():
    verdict = lesson_02.backprop.judge(made(
        "def f(X_b, y, W1, W2):\n    return hidden_delta(y, W2, X_b)\n"))
    assert verdict.mistake == "cell-not-run"
    assert "The cell of `hidden_delta` has not run in this kernel" in verdict.lines[1]
    assert "Run All Above Selected Cell" in verdict.lines[1]


# The place, the card and the exception.

@pytest.fixture
def places(monkeypatch):
    """Return a stand-in for what finds a place, which notes its calls."""
    stand_in = types.SimpleNamespace(calls=[])

    def find(exercise, function, seconds, first):
        stand_in.calls.append((exercise.id, seconds))
        return types.SimpleNamespace(line=7, lines=["`dZ1 = 3`", "is 3."])

    monkeypatch.setattr(place, "find", find)
    return stand_in


def test_a_place_is_looked_for_where_there_is_no_name_or_an_unsure_one(places):
    unnamed = lesson_01.sigmoid.judge(lambda z: z + 0.1 * z ** 3)
    assert (unnamed.line, unnamed.place) == (7, ["`dZ1 = 3`", "is 3."]) and not unnamed.mistake
    raised = lesson_01.sigmoid.judge(made("def f(z):\n    return z.nonsense\n"))
    assert raised.line == 2 and raised.place
    assert [exercise for exercise, _ in places.calls] == ["01-sigmoid"] * 2
    assert all(0 < seconds <= PLACING for _, seconds in places.calls)


def test_no_place_is_looked_for_where_there_is_a_name_or_nothing_wrong(places):
    def endless(z):
        while True:
            pass

    for function in (lambda z: 1 / (1 + np.exp(z)), lambda z: 1 / (1 + np.exp(-z)),
                     lambda z: None, endless, 3):
        assert lesson_01.sigmoid.judge(function).place == []
    assert places.calls == []


def test_a_place_that_cannot_be_found_is_silence(monkeypatch):
    def fails(first):
        raise RuntimeError

    def endless(first):
        while True:
            pass

    for found in (fails, endless, lambda first: None):
        search = types.SimpleNamespace(place=found)
        monkeypatch.setattr(place, "_Search", lambda *args, search=search: search)
        verdict = lesson_01.sigmoid.judge(lambda z: z + 0.1 * z ** 3)
        assert verdict.outcome == "not yet" and verdict.place == [] and verdict.line is None


def test_the_place_is_folded_in_the_notebook_and_open_in_text():
    card = as_html("01-f", ["It is wrong."], "#123456", ["`dZ1 = <3>`"])
    assert card.index("It is wrong.") < card.index("<details><summary>Where in your code?")
    assert "<code>dZ1 = &lt;3&gt;</code>" in card
    assert as_text("01-f", ["It is wrong."], ["`dZ1 = 3`"]).splitlines() == [
        "01-f", "It is wrong.", "Where in your code?", "  `dZ1 = 3`"]
    assert "details" not in as_html("01-f", ["It is wrong."], "#123456")


def test_the_exception_alone_says_what_is_wrong_and_has_the_id_and_the_line(capsys):
    with pytest.raises(CheckFailed) as failed:
        lesson_01.sigmoid(lambda z: 1 / (1 + np.exp(z)))
    text = str(failed.value)
    assert text.startswith("01-sigmoid: the card above says what to look at. Likely mistake: ")
    assert text.endswith("[mirrored]") and failed.value.line is None
    with pytest.raises(CheckFailed) as failed:
        lesson_01.sigmoid(made("def f(z):\n    return z.nonsense\n"))
    assert "It raised AttributeError" in str(failed.value) and failed.value.line == 2
    assert (failed.value.exercise, failed.value.mistake) == ("01-sigmoid", None)
    capsys.readouterr()


def test_a_group_hands_on_line_and_place(places):
    verdict = lesson_03.patterns.judge(*[lambda X: X.nonsense] * len(lesson_03.patterns.parts))
    assert verdict.line == 1 and verdict.place and verdict.lines[0].startswith("`")


def test_a_checker_of_the_students_own_comes_first_where_a_value_has_no_name():
    exercise = wanting(np.arange(4.0), checker="Run your `check_gradients` first.")
    verdict = exercise.judge(lambda x: np.arange(4.0) ** 3)
    assert verdict.lines[2] == "Run your `check_gradients` first."
    assert exercise.checker not in exercise.judge(lambda x: -np.arange(4.0)).lines
    assert exercise.checker not in exercise.judge(lambda x: np.arange(5.0)).lines


@pytest.mark.parametrize("exercise", [lesson_03.forward, lesson_04.backprop, lesson_05.backprop])
def test_what_a_dict_holds_beyond_what_is_wanted_takes_no_name_away(exercise):
    def with_more(*args):
        return {**mistake.wrong(*args), "dA1": np.ones(3)}

    for mistake in exercise.mistakes:
        assert exercise.judge(with_more).mistake == exercise.judge(mistake.wrong).mistake


def test_a_loss_that_loses_its_digits_where_it_is_tiny_is_right_and_told_so():
    check, a, b = lesson_04.logistic_cross_entropy, *(
        lambda y, z, log=log: float(np.mean(np.maximum(z, 0) - y * z + log(np.exp(-np.abs(z)))))
        for log in (np.log1p, lambda s: np.log(1 + s)))
    assert check.judge(a).lines == [check.unlocks]
    verdict = check.judge(b)
    assert verdict.outcome == "correct" and "it says 0 in place of" in verdict.lines[0]


def test_where_a_later_case_raises_the_values_of_the_others_are_looked_at():
    def lists(x):
        return -np.arange(4.0) if x == 1 else [][0]

    assert wanting(np.arange(4.0)).judge(lists).mistake == "sign-flipped"


def test_what_imports_torch_by_itself_is_not_stopped_on_the_way():
    pytest.importorskip("torch")
    code = """
import time
from helpers.checks import judge, lesson_01
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            time.sleep(2.5)
import sys
sys.meta_path.insert(0, Slow())
def sigmoid(z):
    import torch
    return torch.sigmoid(torch.tensor(z)).numpy()
print(lesson_01.sigmoid.judge(sigmoid).outcome)"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "correct"
