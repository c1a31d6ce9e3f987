"""Hunts: what is handed over trains, one in three is innocent, and the answers fit the case."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers.checks import diagnose, hunt
from helpers.checks.trials import TRIALS

CASES = (2, 3, 4, 6, 13, 17)  # each exercise has an innocent one among them


def said(capsys):
    return capsys.readouterr().out


def innocent(case):
    return bool(diagnose(case.loss, case.params, case.gradient(case.params)))


def one(exercise, guilty):
    return next(case for n in range(40) for case in [hunt(exercise, n)] if innocent(case) != guilty)


@pytest.mark.parametrize("exercise", TRIALS)
def test_a_case_trains_and_the_same_number_is_the_same_case(exercise):
    sources, free = set(), 0
    for number in CASES:
        case, again = hunt(exercise, number), hunt(exercise, number)
        sources.add(case.source)
        free += innocent(case)
        assert case.source == again.source and f"case {number}" in repr(case)
        assert set(case.gradient(case.params)) == set(case.params)
    assert len(sources) > 2 and 0 < free < len(CASES)


@pytest.mark.parametrize("exercise", ["05-backprop", "09-backprop"])
def test_signing_what_is_innocent_is_right_and_refusing_it_is_not(exercise, capsys):
    case = one(exercise, guilty=False)
    case.sign()
    assert "✓ Correct" in said(capsys)
    case.refuse("W1")
    assert "✗ Not yet" in (text := said(capsys)) and "innocent" in text


@pytest.mark.parametrize("exercise", ["05-backprop", "09-backprop"])
def test_who_signs_what_is_wrong_is_told_and_who_names_the_parts_may_mend(exercise, capsys):
    case = one(exercise, guilty=True)
    report = diagnose(case.loss, case.params, case.gradient(case.params))
    wrong = [finding.name for finding in report.findings if not finding.right]
    right = [name for name in case.params if name not in wrong]
    case.sign()
    assert "✗ Not yet" in said(capsys)
    if right:
        case.refuse(*wrong, right[0])
        assert f"`{right[0]}` agrees" in said(capsys)
    if len(wrong) > 1:
        case.refuse(wrong[0])
        assert "not all that is wrong" in said(capsys)
    case.refuse(*wrong)
    assert "✓ Correct" in said(capsys)


def test_a_mended_function_is_judged_and_shown_with_what_the_mistake_would_have_cost(capsys):
    from helpers.checks.catalogue import answer
    case = one("05-backprop", guilty=True)
    case.mend(lambda X, y, params, reg: {name: np.zeros_like(W) for name, W in params.items()})
    assert "✗ Not yet" in said(capsys) and not plt.get_fignums()
    case.mend(answer("05-backprop"))
    assert "✓ Correct" in (text := said(capsys)) and "Mended. It was" in text
    assert [line.get_label() for line in plt.gca().lines] == ["mended", "as it came"]
    plt.close("all")


def test_no_mistake_is_drawn_twice_in_a_row_and_innocence_says_nothing_of_the_next(monkeypatch):
    guilty, innocent_one = (one("05-backprop", guilty=g) for g in (True, False))
    numbers = [case.number for case in (guilty, guilty, innocent_one, innocent_one, guilty)]
    drawn = iter([number - 1000 for number in numbers])
    monkeypatch.setattr("helpers.checks.hunts.LAST", {})
    monkeypatch.setattr("secrets.randbelow", lambda n: next(drawn))
    assert [hunt("05-backprop").number for _ in range(4)] == [numbers[0], *numbers[2:]]


def test_the_source_is_folded_away():
    html = hunt("05-backprop", 4)._repr_html_()
    assert "<details><summary>" in html and "def backprop" in html
    assert "def backprop" not in repr(hunt("05-backprop", 4))


def test_what_there_is_no_hunt_for_is_told():
    with pytest.raises(ValueError, match="there are hunts for"):
        hunt("01-forward")
    with pytest.raises(ValueError, match="names from"):
        hunt("05-backprop", 1).refuse("W9")
