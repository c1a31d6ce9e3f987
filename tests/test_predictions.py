"""A guess, kept with the progress; the truth under it; plain text where nothing is remembered."""

from __future__ import annotations

import json
import shutil

import pytest
from test_answers import notebook

from helpers.checks import predict, reveal
from helpers.memory import predictions

ASK = "02-angle", "At which angle?", ["45°", "90°", "180°"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predictions.ASKED.clear()
    return tmp_path


@pytest.fixture
def students(folder):
    """Return a folder in which the course remembers."""
    notebook(folder / "02_backpropagation.ipynb", [])
    return folder


def kept(folder):
    return json.loads((folder / ".course/predictions/02-angle.json").read_text(encoding="utf-8"))


def test_where_nothing_is_remembered_it_is_plain_text_always_the_same(folder, capsys):
    for _ in range(2):
        bundle = predict(*ASK)._repr_mimebundle_()
        assert bundle.keys() == {"text/plain", "text/html"}
        assert bundle["text/plain"] == "Predict: At which angle?\n  ○ 45°\n  ○ 90°\n  ○ 180°"
    reveal("02-angle", "90°", "The slope is the cosine.")
    assert capsys.readouterr().out == (
        "Your prediction · 02-angle\nThe truth: 90°. The slope is the cosine.\n")
    assert not (folder / ".course").exists()


@pytest.mark.parametrize("choice, said", [
    ("45°", "You said 45° and were sure. The truth: 90°.\nWhat was overlooked? Cosine."),
    ("90°", "You said 90° and were sure, and so it is. Cosine.")])
def test_a_click_is_kept_and_the_truth_appears_under_it(students, capsys, choice, said):
    view = predict(*ASK).view
    view.widget.controls = {"choice": choice, "sure": None}
    view.widget.controls = {"choice": choice, "sure": True}
    assert kept(students)["choice"] == choice and kept(students)["truth"] is None
    reveal("02-angle", "90°", "Cosine.")
    assert said in capsys.readouterr().out
    assert view.widget.data["truth"] == "90°" and kept(students)["truth"] == "90°"
    view.widget.controls = {"choice": "180°", "sure": True}  # who clicks on has seen the truth
    assert kept(students)["choice"] == choice


def test_a_guess_outlives_the_kernel_and_run_all_is_never_stopped(students, capsys):
    predict(*ASK).view.widget.controls = {"choice": "45°", "sure": False}
    predictions.ASKED.clear()
    reveal("02-angle", "90°", "Cosine.")  # its question has not run
    assert predict(*ASK).choice == "45°"
    reveal("02-angle", "90°", "Cosine.")
    assert "You said 45° and were unsure." in capsys.readouterr().out
    shutil.rmtree(students / ".course")
    assert predict(*ASK).choice is None
    reveal("02-angle", "90°", "Cosine.")
    assert not (students / ".course/predictions").exists()


def test_without_widgets_it_is_text(students, monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    bundle = predict(*ASK)._repr_mimebundle_()
    assert bundle.keys() == {"text/plain", "text/html"}


@pytest.mark.parametrize("options", [["one"], "text", ["a", "a"], []])
def test_options_that_are_none_are_a_clear_error(options):
    with pytest.raises(ValueError, match="at least two different"):
        predict("x", "?", options)


def test_a_truth_that_was_no_option_is_shown_as_it_is(folder, capsys):
    predict(*ASK)
    reveal("02-angle", "91°", "")
    assert "The truth: 91°." in capsys.readouterr().out
