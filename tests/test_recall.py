"""Recall: one small question about one's own mistakes of earlier lessons, or a fixed one."""

from __future__ import annotations

import json

import pytest
from test_answers import SIGMOID, notebook
from test_store import check_sigmoid

from helpers.checks import CheckFailed, recall
from helpers.memory import store
from helpers.memory.recall import FIXED, make_case

WRONG = {"mirrored": SIGMOID.replace("-z", "z"), "precedence": SIGMOID.replace("(1 +", "1 + (")}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def students(folder):
    """Return a folder in which the course remembers."""
    notebook(folder / "02_backpropagation.ipynb", [])
    return folder


def caught(*mistakes):
    """Make mistakes and mend them."""
    for source in [WRONG[mistake] for mistake in mistakes] + [SIGMOID]:
        try:
            check_sigmoid(source)
        except CheckFailed:
            pass


def click(question, choice):
    question.view.widget.controls = {"choice": choice, "sure": None}
    return question.view.widget.data


@pytest.mark.parametrize("lesson", sorted(FIXED))
def test_where_nothing_is_remembered_it_is_plain_text_always_the_same(folder, lesson):
    bundle = recall(lesson)._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "text/html"} and bundle == recall(
        lesson)._repr_mimebundle_()
    case = make_case(*FIXED[lesson])
    assert bundle["text/plain"].count("○") == len(case["options"]) >= 3
    assert f"The answer: {case['truth']}\n" in bundle["text/plain"]
    assert case["truth"] in case["options"] and FIXED[lesson][0][:2] < lesson
    assert not (folder / ".course").exists()


def test_only_the_wrong_code_is_left_out_of_what_a_check_says():
    question = make_case("05-loss", "penalty-factor")["question"]
    assert "has the factor …. It should have reg and a ½" in question


def test_a_question_is_made_of_the_students_own_mistake_and_answered_by_the_click(students):
    caught("mirrored")
    caught("mirrored")
    question = recall("02")
    truth = question.case["truth"]
    assert question.view.widget.data["truth"] is None and "exp(z)" in truth
    wrong = next(option for option in question.options if option != truth)
    data = click(question, wrong)
    assert data["truth"] == truth and data["choice"] == wrong
    assert "exercise 01-sigmoid. You made it there 2 times and mended it." in data["line"]
    assert click(question, truth)["choice"] == wrong  # who clicks on has seen the answer
    row = json.loads((students / ".course/recall/02.json").read_text(encoding="utf-8"))
    assert row["choice"] == wrong and row["asked"] == ["01-sigmoid/mirrored"]
    assert recall("02").case["key"] == "/".join(FIXED["02"])  # rather than the same again


def test_it_does_not_ask_the_same_again(students):
    caught("mirrored", "precedence")
    asked = []
    for _ in range(6):
        question = recall("02")
        assert recall("02").case == question.case  # until it has been answered
        asked.append(question.case["key"])
        click(question, question.options[0])
    assert all(one != other for one, other in zip(asked, asked[1:], strict=False))
    assert set(asked) == {"01-sigmoid/mirrored", "01-sigmoid/precedence", "/".join(FIXED["02"])}
    assert asked[2] == "/".join(FIXED["02"])  # after one's own


def test_what_is_not_mended_or_of_a_later_lesson_is_not_asked(students):
    with pytest.raises(CheckFailed):
        check_sigmoid(WRONG["mirrored"])
    assert recall("02").case["key"] == "/".join(FIXED["02"])
    caught()
    assert recall("01").case["key"] == "/".join(FIXED["01"])


def test_it_never_stops_a_notebook(students, monkeypatch):
    assert recall("00") is None and recall("no lesson") is None
    caught("mirrored")
    (students / ".course/recall").write_text("a file in the way")
    question = recall("02")
    click(question, question.options[0])
    monkeypatch.setattr(store, "records", lambda *kind: 1 / 0)
    assert recall("02") is None
