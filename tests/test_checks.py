"""The checks, checked: every mistake by its name, every right answer accepted, garbage survived."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import signal
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from answers import RIGHT, WRONG
from answers.garbage import ENDLESS, GARBAGE
from scoreboard import SCORE

from helpers.checks import (
    CheckFailed,
    Exercise,
    Group,
    Mistake,
    NotAttempted,
    catalogue,
    graph_fixtures,
    judge,
    lesson_00,
    lesson_01,
    lesson_02,
    lesson_07,
    sandbox,
)
from helpers.checks.compare import differ, same_values
from helpers.checks.exercise import RECORD, exercises
from helpers.checks.explain import general_mistakes, same_error
from helpers.checks.gradient_report import likeness, looks_like
from helpers.checks.sandbox import Guard
from helpers.checks.show import as_html, as_text
from helpers.memory import answers as loader
from helpers.memory.overview import progress

LESSONS = sorted(path.stem[-2:] for path in Path(lesson_01.__file__).parent.glob("lesson_*.py"))
ALL = [e for n in LESSONS for e in exercises(importlib.import_module(f"helpers.checks.lesson_{n}"))]
PARTS = {e.id if len(e.parts) == 1 else f"{e.id}/{part.name}": part
         for e in ALL for part in e.parts}
every = pytest.mark.parametrize("key, exercise", PARTS.items(), ids=PARTS)
RAISED = (ValueError, TypeError, IndexError, KeyError, AttributeError,
          RuntimeError)  # PyTorch: RuntimeError


@every
def test_every_known_mistake_is_called_by_its_own_name(key, exercise):
    SCORE.exercises.add(key)
    wrong = [f"{key}: the mistake '{mistake.id}' {fault}" for mistake in exercise.mistakes
             for fault in faults(key, exercise, mistake)]
    assert not wrong, "\n".join(wrong)


def faults(key, exercise, mistake):
    """Yield what is wrong with a row of a page, or with what is told of it."""
    SCORE.mistakes += 1
    verdict = SCORE.timed(key, exercise, mistake.wrong)
    SCORE.caught += verdict.outcome == "not yet"
    SCORE.named += verdict.mistake == mistake.id
    if verdict.outcome != "not yet":
        yield "passes as right: add a case on which it differs"
    elif verdict.mistake != mistake.id:
        yield (f"is told as '{verdict.mistake}' ({' '.join(verdict.lines[1:2])}). If that is a "
               "row too, give both one id and one message, or choose cases that tell them apart; "
               "if not, look at what the row returns in each case")
    elif mistake.message not in "\n".join(verdict.lines):
        yield ("has two rows that come to the same output but have different messages; only the "
               "first would ever be read")
    if len(as_text(exercise.id, verdict.lines).splitlines()) > 10:
        yield "has a card of more than 10 lines"
    for case in enumerate(exercise.cases()):
        error = judge.known_call(exercise, mistake, *case).error
        if error is not None and (not isinstance(error, RAISED) or "module '" in str(error)):
            yield f"itself has a fault: {error!r}"


@pytest.mark.parametrize("key, function, mistake", [
    pytest.param(*row, id=f"{row[0]}:{row[2]}:{i}") for i, row in enumerate(WRONG)])
def test_mistakes_in_a_students_own_hand_are_named(key, function, mistake):
    SCORE.mistakes += 1
    verdict = PARTS[key].judge(function)
    SCORE.caught += verdict.outcome == "not yet"
    SCORE.named += verdict.mistake == mistake
    assert (verdict.outcome, verdict.mistake) == ("not yet", mistake), (
        f"{key}: told as '{verdict.mistake}' ({verdict.lines}); a row is told only where it does "
        "the same in every case")


@every
def test_right_answers_in_any_style_pass(key, exercise):
    assert len(RIGHT.get(key, [])) >= 3, (
        f"add three right answers for {key} to tests/answers/lesson_{key[:2]}.py")
    assert key in [row[0] for row in WRONG], (
        f"add a student's wrong answer for {key} to tests/answers/lesson_{key[:2]}.py")
    for answer in [*RIGHT[key], exercise.truth]:
        verdict = SCORE.timed(key, exercise, answer)
        SCORE.right += verdict.outcome == "correct"
        SCORE.false_accusations += verdict.outcome != "correct"
        assert verdict.outcome == "correct", verdict.lines
    assert not tracemalloc.is_tracing()  # what a check begins ends, also where the time is up


@every
def test_a_stub_is_not_attempted(key, exercise):
    def stub(*args):
        raise NotImplementedError(exercise.id)

    verdict = exercise.judge(stub)
    assert verdict.outcome == "not attempted"
    assert f'skip("{exercise.id}")' in verdict.lines[-1]
    assert len(as_text(exercise.id, verdict.lines).splitlines()) == 2


@every
def test_garbage_gets_a_short_answer_and_never_passes(key, exercise, names_only):
    """In a loop over all of it: as tests of their own, they would take longer than the checks."""
    for name, function in GARBAGE.items():
        verdict = exercise.judge(function)
        SCORE.garbage += 1
        text = as_text(exercise.id, verdict.lines)
        assert verdict.outcome == "not yet", name
        assert verdict.mistake is None or isinstance(verdict.mistake, str), name
        assert 2 <= len(text.splitlines()) <= 10 and "0x" not in text, name


@every
@pytest.mark.parametrize("fill", ["zeros", "ones", "nan", "random", "shifted"])
def test_arrays_of_the_right_shape_and_wrong_content_never_pass(key, exercise, fill, names_only):
    rng = np.random.default_rng(0)

    def content(value):
        if isinstance(value, (tuple, list)):
            return type(value)(content(v) for v in value)
        if isinstance(value, dict):
            return {k: content(v) for k, v in value.items()}
        value = np.asarray(value)
        new = {"zeros": np.zeros(value.shape), "ones": np.ones(value.shape),
               "nan": np.full(value.shape, np.nan), "random": rng.normal(size=value.shape),
               "shifted": value + 0.001}[fill]
        return new.astype(value.dtype) if value.dtype == bool else new if value.ndim else new[()]

    verdict = exercise.judge(lambda *args: content(RIGHT[key][0](*args)))
    SCORE.garbage += 1
    assert verdict.outcome == "not yet"
    assert len(verdict.lines) <= 8


@pytest.mark.parametrize("function", ENDLESS, ids=lambda f: f.__name__)
def test_functions_that_never_end_are_stopped(function):
    kept = {"data": np.ones(3)}
    verdict = lesson_01.sigmoid.judge(function)
    SCORE.garbage += 1
    assert verdict.mistake == "endless"
    assert kept["data"].sum() == 3 and not sandbox.WATCHED
    if hasattr(signal, "getitimer"):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)  # nothing is left armed


def test_the_guard_hands_copies_over():
    given = np.ones(2)

    def change(a):
        a += 1
        return a

    call = Guard().call(change, (given,))
    assert given.tolist() == [1, 1] and call.args[0].tolist() == [2, 2]


def test_a_group_is_judged_function_by_function():
    def stub(z):
        raise NotImplementedError("01-pair")

    pair = Group("01-pair", (lesson_00.square, lesson_01.sigmoid), unlocks="Both are right.")
    square, sigmoid = RIGHT["00-square"][0], RIGHT["01-sigmoid"][0]
    assert pair.judge(square, sigmoid).lines == ["Both are right."]
    verdict = pair.judge(square, stub)
    assert verdict.outcome == "not attempted" and "`sigmoid` still" in verdict.lines[0]
    assert 'square, sigmoid = skip("01-pair")' in verdict.lines[0]
    verdict = pair.judge(square, lambda z: 1 / (1 + np.exp(z)))
    assert verdict.mistake == "mirrored" and verdict.lines[0].startswith("`sigmoid` · Called")
    assert pair.judge(square).mistake == "wrong-number-of-functions"
    assert lesson_01.sigmoid.judge().mistake == "wrong-number-of-functions"
    assert "check.pair(square, sigmoid)" in repr(pair)


def test_random_generators_and_dicts_are_handed_over_fresh():
    rng, params = np.random.default_rng(5), {"W": np.ones(2)}

    def change(rng, params):
        params["W"] += rng.normal()
        return params

    first, second = (Guard().call(change, (rng, params)).value["W"] for _ in range(2))
    assert first.tolist() == second.tolist() and params["W"].tolist() == [1, 1]


def test_what_copies_itself_is_handed_over_fresh():
    output = lesson_07.long_chain(3000)  # deeper than any recursion

    def change(node):
        node.value, node.parents = node.value + 1, ()
        return node

    copy = Guard().call(change, (output,)).value
    assert copy is not output and len(output.parents) == 1 and copy.value == output.value + 1


def test_a_view_compares_what_a_result_is_worth_and_lets_odd_ones_through():
    last_digit = Exercise(
        id="07-digit", name="f", truth=lambda x: x, cases=lambda: [(13.0,), (25.0,)],
        view=lambda args, value: value % 10, more=(
            Mistake("one-more", lambda x: x + 1, "it is one more."),))
    assert last_digit.judge(lambda x: x + 20).outcome == "correct"
    assert last_digit.judge(lambda x: x + 31).mistake == "one-more"
    assert last_digit.judge(lambda x: None).mistake == "returns-none"
    assert last_digit.judge(lambda x: {"a": 1}).mistake == "wrong-type"
    assert last_digit.judge(lambda x: iter(int, 1)).mistake == "wrong-type"


def test_a_fault_in_a_table_of_functions_is_told_as_that_functions(monkeypatch):
    function, = loader.Loader().functions(lesson_07.value_and_grad, loader.SOLUTIONS)
    table = function.__globals__
    monkeypatch.setitem(table, "tanh_rule", lambda upstream, x, output: upstream * (1 - x**2))
    monkeypatch.setitem(table["RULES"], "tanh", table["tanh_rule"])
    verdict = lesson_07.value_and_grad.judge(function)
    assert verdict.mistake == "uses-07-unary-rules" and "`tanh_rule`" in verdict.lines[0]


def test_an_older_function_in_a_table_is_told_as_such(monkeypatch):
    function, = loader.Loader().functions(lesson_07.value_and_grad, loader.SOLUTIONS)
    space = function.__globals__
    older = {}
    exec("def tanh_rule(upstream, x, output):\n    return upstream * (1 - x**2)", space, older)
    monkeypatch.setitem(space["RULES"], "tanh", older["tanh_rule"])
    verdict = lesson_07.value_and_grad.judge(function)
    assert verdict.mistake == "uses-07-unary-rules"
    assert "still calls an older `tanh_rule`" in verdict.lines[0]
    assert space["RULES"]["tanh"] is older["tanh_rule"]  # and it is still the student's own


@pytest.mark.parametrize("wrong", [False, True])
def test_functions_that_are_right_or_came_from_skip_are_never_accused(monkeypatch, wrong):
    function, = loader.Loader().functions(lesson_07.value_and_grad, loader.SOLUTIONS)
    space = function.__globals__
    for name, rule in space["RULES"].items():
        part = next(p for p in lesson_07.RULES if p.name == f"{name}_rule")

        def handed(*args, rule=rule):
            return rule(*args)

        handed.skipped_exercise = part.id
        monkeypatch.setitem(space["RULES"], name, handed)
        monkeypatch.setitem(space, f"{name}_rule", handed)
    if wrong:
        monkeypatch.setitem(space, "backward", lambda output: {})
    verdict = lesson_07.value_and_grad.judge(function)
    assert verdict.mistake == ("uses-07-backward" if wrong else None)


def test_a_table_whose_cell_has_not_run_is_told(monkeypatch):
    function, = loader.Loader().functions(lesson_07.value_and_grad, loader.SOLUTIONS)
    monkeypatch.delitem(function.__globals__, "RULES")
    verdict = lesson_07.value_and_grad.judge(function)
    assert verdict.mistake == "name-not-there" and "has not run in this kernel" in verdict.lines[1]


def test_a_part_that_is_none_is_named():
    verdict = lesson_02.backprop.judge(lambda X_b, y, W1, W2: (None, None))
    assert verdict.mistake == "part-is-none" and "is `None`; wanted an array of shape" in (
        verdict.lines[1])
    grads = {"a": np.ones(2), "b": None}
    assert differ(grads, {"a": np.ones(2), "b": np.ones((2, 2))}, "grads").text == (
        '`grads["b"]` is `None`; wanted an array of shape (2, 2).')
    assert differ(None, {"a": 1.0}).mistake == "returns-none"


def test_a_general_match_keeps_the_hint_and_a_known_mistake_does_not():
    zeros = lesson_01.sigmoid.judge(np.zeros_like)
    assert zeros.mistake == "all-zero" and zeros.lines[-1].startswith("Next: ")
    known = lesson_01.sigmoid.judge(lambda z: 1 / (1 + np.exp(z)))
    assert known.mistake == "mirrored" and not known.lines[-1].startswith("Next: ")


def test_a_recursion_that_would_end_is_not_called_endless():
    def visit(n):
        return visit(n - 1) + 1 if n else 0

    count = Exercise(id="07-count", name="f", truth=lambda n: n,
                     cases=lambda: [(3,), (100_000,)])
    verdict = count.judge(lambda n: visit(n))
    assert verdict.mistake == "too-deep" and "`visit` calls itself too deep" in verdict.lines[1]
    assert count.judge(lambda n: visit(-1)).mistake == "endless"


def test_a_view_tells_a_fault_in_a_sentence_of_its_own():
    output = lesson_07.graph(*lesson_07.GRAPHS[4])
    missing = graph_fixtures.named_gradients((output,), {output: 1.0})
    text = differ(missing,
        graph_fixtures.named_gradients((output,), graph_fixtures.gradients(output))).text
    assert text == "The gradient of `a`, `b` and `x` is missing."
    order = graph_fixtures.in_order(output)
    for wrong, text in ((order[::-1], "3 nodes stand before one of their parents."),
                        (order[1:], "1 of 4 nodes is missing from the list."),
                        (order + order[:1], "nodes are listed more than once."),
                        ([(node, True) for node in order], "The list holds tuples"),
                        (set(order), "It returned a set; wanted a list of nodes."),
                        ([], "it is empty."), ([3.0], "that is no node: a float."),
                        (graph_fixtures.in_order(lesson_07.graph(*lesson_07.GRAPHS[4])),
                         "made anew in each call?")):
        facts = graph_fixtures.order_facts((output,), wrong)
        assert text in differ(facts, graph_fixtures.order_facts((output,), order)).text


def test_what_a_function_of_the_notebook_reads_of_its_objects_is_notebook_data():
    space = {"__name__": "notebook"}
    exec("class Node:\n    value = 2.0\nb = Node()\n"
         "def by_hand(x, y):\n    return (x * y + x) ** 2, b.value, b.value\n", space)
    verdict = lesson_07.by_hand.judge(space["by_hand"])
    assert verdict.mistake == "uses-notebook-data" and "`b`" in verdict.lines[0]


def test_graphs_for_the_checks_are_what_they_say():
    for output, in lesson_07.backward.cases():
        order = graph_fixtures.in_order(output)
        assert not any(graph_fixtures.order_facts((output,), order).values())
        if len(order) > 50:
            continue
        truth = graph_fixtures.gradients(output)
        swept = catalogue.answer("07-backward")(output)
        assert {n.name for n in truth} == {n.name for n in order}
        for node, gradient in truth.items():
            assert np.allclose(swept[node], gradient, rtol=1e-12)


def test_a_failing_check_raises_once_with_its_ids(capsys):
    with pytest.raises(CheckFailed) as failed:
        lesson_01.sigmoid(lambda z: 1 / (1 + np.exp(z)))
    assert (failed.value.exercise, failed.value.mistake) == ("01-sigmoid", "mirrored")
    assert failed.value._render_traceback_() == []
    assert "✗ Not yet · 01-sigmoid" in capsys.readouterr().out

    def stub(z):
        raise NotImplementedError

    with pytest.raises(NotAttempted) as waiting:
        lesson_01.sigmoid(stub)
    assert waiting.value.exercise == "01-sigmoid"


def test_correct_prints_one_line_and_progress_counts_it(capsys):
    RECORD.clear()
    lesson_01.sigmoid(RIGHT["01-sigmoid"][0])
    assert capsys.readouterr().out.splitlines()[0] == "✓ Correct · 01-sigmoid"
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Lesson 01: 1 of 5 exercises correct"
    assert "✓ `01-sigmoid` correct" in lines and "· `01-forward` waiting" in lines


def test_an_error_in_a_function_of_the_students_own_is_told_as_that_ones():
    space = {"np": np}
    exec("def sigmoid(z):\n    return 1 / (1 + np.exp(z))\n"
         "def forward(X_b, W1, W2):\n    A1 = sigmoid(X_b @ W1)\n"
         "    return X_b @ W1, A1, np.insert(A1, 0, 1, axis=1) @ W2\n", space)
    verdict = lesson_01.forward.judge(space["forward"])
    assert verdict.mistake == "uses-01-sigmoid"
    assert "mirrored" not in verdict.mistake and "sigmoid" in verdict.lines[0]


def test_an_earlier_function_that_plays_no_part_is_not_blamed():
    space = {"np": np}
    exec("def sigmoid(z):\n    return 1 / (1 + np.exp(z))\n"
         "def forward(X_b, W1, W2):\n    unused = sigmoid(np.zeros(2))\n"
         "    A1 = np.tanh(X_b @ W1)\n"
         "    return X_b @ W1, A1, np.insert(A1, 0, 1, axis=1) @ W2\n", space)
    assert lesson_01.forward.judge(space["forward"]).mistake == "tanh"
    assert space["sigmoid"](np.zeros(1)) == 0.5  # and it is still the student's own


def test_what_is_right_to_some_digits_is_told_so():
    def backprop(X_b, y, W1, W2):
        grads = lesson_02.backprop.truth(X_b.astype(np.float32), y, W1, W2)
        return tuple(g.astype(np.float32).astype(float) for g in grads)

    verdict = lesson_02.backprop.judge(backprop)
    assert verdict.mistake == "nearly-right" and "float32" in "\n".join(verdict.lines)


def test_an_exception_inside_another_function_names_that_function():
    space = {"np": np}
    exec("def hidden(z):\n    return z.nonsense\n"
         "def backprop(X_b, y, W1, W2):\n    return hidden(X_b)\n", space)
    verdict = lesson_02.backprop.judge(space["backprop"])
    assert "inside your `hidden`" in verdict.lines[1] and "AttributeError" in verdict.lines[1]


def test_an_object_that_cannot_be_looked_at_is_no_crash():
    class Evil(dict):
        def __getitem__(self, key):
            raise RuntimeError("no")

    verdict = lesson_02.train.judge(lambda *args: (args[4], args[5], Evil(
        train_loss=[], test_loss=[], predictions=[])))
    assert (verdict.outcome, verdict.mistake) == ("not yet", "cannot-be-compared")
    for exercise in PARTS.values():  # and nothing of ours ends there by itself
        assert exercise.judge(lambda *args: object()).mistake != "cannot-be-compared"


def test_two_ordinary_mistakes_in_different_cases_are_told_as_the_first_one():
    def forward(X_b, W1, W2):  # a wrong sign, and the size of the first case written in
        A1 = 1 / (1 + np.exp(X_b @ W1))
        return X_b @ W1, A1, np.hstack([np.ones((11, 1)), A1]) @ W2

    verdict = lesson_01.forward.judge(forward)
    assert verdict.mistake is None and "`A1[0, 0]` is" in verdict.lines[1]
    nested = []
    nested.append(nested)
    verdict = lesson_02.train.judge(lambda *args: (
        args[4], args[5], {"train_loss": [1.0], "test_loss": nested, "predictions": nested}))
    assert verdict.outcome == "not yet" and verdict.mistake != "cannot-be-compared"


def test_a_check_shown_without_its_parentheses_gives_no_message_away():
    assert repr(lesson_01.sigmoid) == (
        "the check of 01-sigmoid: call it as check.sigmoid(sigmoid)")


def test_a_decorated_stub_is_a_stub():
    @functools.lru_cache
    def stub(z):
        raise NotImplementedError

    assert lesson_01.sigmoid.judge(stub).outcome == "not yet"  # an array cannot be hashed

    @functools.wraps(stub)
    def wrapped(z):
        return stub.__wrapped__(z)

    assert lesson_01.sigmoid.judge(wrapped).outcome == "not attempted"


def test_a_shadowed_name_is_named():
    space = {"np": np, "sum": 3.0}
    exec("def squared_error(y, Y_hat):\n    return sum((y - Y_hat) ** 2) / 2\n", space)
    verdict = lesson_01.squared_error.judge(space["squared_error"])
    assert verdict.mistake == "shadowed-name" and "`sum`" in verdict.lines[1]


def test_a_constant_or_function_of_the_notebook_is_no_notebook_data():
    space = {"np": np, "X": np.ones(3), "EPS": 0.0}
    exec("def helper(z):\n    return -z\n"
         "def sigmoid(z):\n    return 1 / (1 + np.exp(helper(z))) + EPS\n", space)
    assert lesson_01.sigmoid.judge(space["sigmoid"]).outcome == "correct"


def test_two_mistakes_together_are_both_named():
    one, two = (next(m for m in lesson_02.backprop.mistakes if m.id == i)
                for i in ("bias-last", "activation-derivative-missing"))

    def both(X_b, y, W1, W2):
        return two.wrong(X_b, y, W1, W2)[0], one.wrong(X_b, y, W1, W2)[1]

    verdict = lesson_02.backprop.judge(both)
    assert (verdict.outcome, verdict.mistake) == ("not yet", "two-mistakes")
    assert all(mistake.message in "\n".join(verdict.lines) for mistake in (one, two))


@every
def test_a_row_is_complete(key, exercise):
    whole = next(e for e in ALL if exercise in e.parts)
    assert all([exercise.hint, whole.unlocks, exercise.mistakes]), (
        f"{key} needs a hint, a sentence for unlocks, and mistakes")
    assert exercise.id == whole.id and whole.id.split("-")[0] in LESSONS
    assert len(exercise.cases()) >= 2
    module = importlib.import_module(f"helpers.checks.lesson_{exercise.id[:2]}")
    assert getattr(module, whole.attribute) is whole


def test_network_cases_have_sizes_that_differ():
    for X_b, y, W1, W2 in lesson_02.backprop.cases():
        sizes = [len(X_b), X_b.shape[1], W1.shape[1], len(W2), y.shape[1]]
        assert len(set(sizes)) == len(sizes) and (X_b[:, 0] == 1).all()


def test_what_a_wrong_array_looks_like():
    want = np.random.default_rng(1).normal(size=(4, 4))
    sizes = {"N": 11, "K": 3}
    assert looks_like(-want, want, sizes)[0] == "sign-flipped"
    assert looks_like(11 * want, want, sizes)[0] == "times-N"
    assert looks_like(want / 3, want, sizes)[0] == "divided-by-K"
    assert looks_like(-2 * want, want, sizes)[0] == "minus-times-2"
    assert looks_like(want.T, want, sizes)[0] == "transposed"
    assert looks_like(want[[1, 2, 3, 0]], want, sizes)[0] == "rows-permuted"
    assert looks_like(want[:, [1, 0, 2, 3]], want, sizes)[0] == "columns-permuted"
    assert looks_like(0 * want, want, sizes)[0] == "all-zero"
    assert looks_like(np.where(np.arange(4)[:, None] == 2, want, 0), want, sizes)[0] == (
        "one-row-only")
    assert looks_like(want + 0.1, want, sizes) is None
    assert looks_like(want * (1 + 1e-3 * want), want, sizes) is None


def test_rows_that_stand_in_their_order_are_not_in_another_one():
    right = np.eye(3) + 1.0
    for off in (3e-8, 3e-7, 3e-6, 3e-5):
        found = looks_like(right + off, right, {})
        assert found is None or found[0] == "nearly-right"


def test_a_list_of_arrays_of_different_lengths_is_compared_array_by_array():
    want = [np.array([2, 0, 1]), np.array([4, 3])]
    assert differ([a.copy() for a in want], want) is None and differ(tuple(want), want) is None
    assert "`b[1][0]` is 3; wanted 4" in differ([want[0], np.array([3, 4])], want, "b").text
    assert differ(want[:1], want).mistake == "wrong-number-of-arrays"
    assert differ((a for a in want), want).mistake == "not-a-list"
    assert differ([want[0], [4, 3]], want).mistake == "returns-list"
    assert "shape (3,); wanted (2,)" in differ([want[0], want[0]], want).text


def test_same_values():
    assert same_values((1.0, [np.nan]), [1.0, (np.nan,)], 1e-9)
    assert same_values({"a": [1.0, 2.0]}, {"a": np.array([1.0, 2.0])}, 1e-9)
    assert not same_values(True, 1.0, 1e-9) and not same_values(None, 0.0, 1e-9)
    assert not same_values({"a": 1}, {"b": 1}, 1e-9) and not same_values("a", "b", 1e-9)


def test_sums_that_cancel_agree_beside_larger_numbers_only():
    here, there = np.array([3e-17, -5e-17]), np.array([-2e-17, 4e-17])
    big = np.array([0.2, -0.7])
    assert same_values({"W": big, "b": here}, {"W": big, "b": there}, 1e-9)
    assert not same_values({"W": big, "b": here}, {"W": big, "b": there}, 0.0)
    assert not same_values(here, there, 1e-9)
    assert not same_values({"W": big, "b": here * 1e4}, {"W": big, "b": there * 1e4}, 1e-9)


def test_what_stands_in_the_way_of_a_call_is_told():
    def said(exercise, function):
        verdict = exercise.judge(function)
        return verdict.mistake, "\n".join(verdict.lines)

    key = said(PARTS["03-forward"], lambda X_b, params: X_b @ params["w_1"])
    assert key[0] == "key-spelt" and "There is a key 'W1'" in key[1]
    assert said(PARTS["03-forward"], lambda X_b, params: X_b @ params["V"])[0] is None
    assert said(PARTS["01-sigmoid"], lambda z: np.zeros(2, 3))[0] == "shape-in-two"
    assert said(PARTS["01-sigmoid"], lambda z: len(z)[0])[0] == "not-subscriptable"
    assert said(PARTS["01-sigmoid"], lambda z: np.exp.shape)[0] is None
    assert said(PARTS["01-sigmoid"], lambda z: said.shape)[0] == "function-for-array"

    def loss(z):
        loss = loss(z)  # noqa: F823
        return loss

    assert said(PARTS["01-sigmoid"], loss)[0] == "local-name"


@pytest.mark.parametrize("one, other, same", [
    (lambda a, b: a @ b, np.dot, True), (lambda a, b: a @ b, lambda a, b: b.T @ a.T, False),
    (lambda a, b: a + b, lambda a, b: b * a, True), (lambda a, b: a @ b, np.add, False),
    (lambda a, b: a + b, lambda a, b: a.T + b, False)])
def test_errors_are_the_same_in_other_words(one, other, same):
    args = np.ones((4, 3)), np.ones((5, 2))
    assert same_error(Guard().call(one, args).error, Guard().call(other, args).error) is same


def test_what_is_returned_beside_the_answer_plays_no_part():
    forward = RIGHT["04-forward"][0]
    for extra in ("text", np.tanh, {1, 2}, range(3), 1j, np.array([None])):
        judged = PARTS["04-forward"].judge(
            lambda X, params, extra=extra: {**forward(X, params), "more": extra})
        assert judged.outcome == "correct"
    calls = []

    def changing(X, params):
        calls.append(X)
        return {**forward(X, params), "Z1": forward(X, params)["Z1"] + len(calls)}

    assert PARTS["04-forward"].judge(changing).mistake == "not-repeatable"


def test_counts_may_be_integers_of_any_size():
    confusion = PARTS["09-confusion"]
    assert confusion.judge(lambda *args: confusion.truth(*args).astype(np.int32)).outcome == (
        "correct")


def test_a_key_of_another_dict_is_told_as_that_ones():
    def step(params, grads, learning_rate):
        new = {}
        for name in params:
            new[name] -= learning_rate * grads[name]
        return new

    verdict = PARTS["04-sgd-step"].judge(step)
    assert "`params` has that key; the dict in this line does not" in "\n".join(verdict.lines)


def test_a_dict_that_the_function_has_made_itself_is_not_told_to_have_a_key():
    def step(params, grads, learning_rate):
        made = {f"{name} new": W for name, W in params.items()}
        return params[next(iter(made))]

    assert PARTS["04-sgd-step"].judge(step).mistake is None


def test_a_slow_moment_is_not_remembered(monkeypatch):
    sigmoid = dataclasses.replace(lesson_01.sigmoid)
    times = iter([0.0])
    monkeypatch.setattr(judge, "Guard", lambda: Guard(next(times, 60)))
    mirrored = next(m for m in sigmoid.mistakes if m.id == "mirrored")
    slow = dataclasses.replace(mirrored, wrong=lambda z: time.sleep(0.2) or mirrored.wrong(z))
    assert judge.known_call(sigmoid, slow, 0, sigmoid.cases()[0]).endless
    assert not judge.known_call(sigmoid, slow, 0, sigmoid.cases()[0]).endless


def test_a_line_in_a_comprehension_is_told_with_the_function_it_stands_in():
    space = {"np": np}
    exec("def forward(X_b, params):\n    return {name: W[99] for name, W in params.items()}\n"
         "def outer(X_b, params):\n    return forward(X_b, params)", space)
    text = "\n".join(PARTS["03-forward"].judge(space["outer"]).lines)
    assert "inside your `forward`, which it calls" in text


def test_a_wrong_answer_is_told_that_it_reads_an_array_of_the_notebook():
    space = {"np": np, "Zs": np.ones(3), "halves": np.array([0.5])}
    exec("def sigmoid(z):\n    return 1 / (1 + np.exp(-Zs))\n"
         "def right(z):\n    return 2 * halves[0] / (1 + np.exp(-z))", space)
    verdict = lesson_01.sigmoid.judge(space["sigmoid"])
    assert verdict.mistake is None and (
        "It also reads the array `Zs` of the notebook, which is no argument." in verdict.lines)
    assert lesson_01.sigmoid.judge(space["right"]).outcome == "correct"


def test_an_unknown_mistake_is_told_with_the_parts_that_are_right():
    def scaled(*factors):
        return "\n".join(lesson_02.backprop.judge(lambda *args: tuple(
            (1 + factor * np.arange(grad.size).reshape(grad.shape)) * grad for factor, grad in zip(
                factors, lesson_02.backprop.truth(*args), strict=True))).lines)

    assert "`dW1` is right in this call: look at what only `dW2` uses." in scaled(0, 0.1)
    assert "No part of it is right" in scaled(0.1, 0.1)
    two = lesson_02.backprop.judge(lambda *args: tuple(
        a * b for a, b in zip(lesson_02.backprop.truth(*args), (-1, 2), strict=True)))
    said = "\n".join(two.lines)
    assert "`dW1` is −1 times the right one: a sign is flipped" in said
    assert "`dW2` is 2 times the right one" in said and "both gradients" not in said
    facts = "\n".join(PARTS["07-backward"].judge(
        lambda output: {node: 1.01 * g for node, g in PARTS["07-backward"].truth(output).items()}
    ).lines)
    assert "right in this call" not in facts and "missing" not in facts
    assert "right in this call" not in "\n".join(lesson_01.sigmoid.judge(lambda z: z**3).lines)


def test_how_far_off_an_unknown_array_is():
    want = np.arange(1.0, 7.0).reshape(2, 3)
    assert likeness(28 * want[::-1], want) == (
        "is off by 2731 % of its size (cosine 0.703, 28 times as long)")


def test_random_numbers_of_the_students_own_are_noticed_in_a_wrong_answer():
    verdict = lesson_00.square.judge(lambda x: x ** 2 + np.random.default_rng().normal())
    assert verdict.mistake == "not-repeatable" and "random numbers" in "\n".join(verdict.lines)


def test_a_card_escapes_what_a_student_wrote():
    card = as_html("01-sigmoid", ["`<b>` & <script>"], "#123456")
    assert "<script>" not in card and "<code>&lt;b&gt;</code>" in card


def test_every_id_is_on_a_page_or_general():
    general = {name for names in general_mistakes() for name in names.split(", ")}
    for key, _, mistake in WRONG:
        known = {m.id for m in PARTS[key].mistakes} | general | {None}
        starts = tuple(name.rstrip("…") for name in general if name.endswith("…"))
        assert mistake in known or mistake.startswith(starts), (
            f"add {mistake} to helpers/checks/mistakes/general.md")


def test_many_arguments_are_told_by_name_and_number():
    lesson_09 = importlib.import_module("helpers.checks.lesson_09")
    text = judge.describe(lesson_09.train, lesson_09.train.cases()[0])
    assert text == ("`loss`, `backprop`, `X`, `y`, `X_val`, `y_val`, `params`, `rng`, "
                    "`learning_rate` = 0.3, `mu` = 0.6, `reg` = 0.03, `batch_size` = 5, "
                    "`epochs` = 12, `patience` = 3")
