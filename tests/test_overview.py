"""Progress over all lessons and the page at the end: from what is remembered by the notebooks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_answers import SIGMOID
from test_store import check_sigmoid

from helpers.checks import CheckFailed, mine, progress, skip, summary
from helpers.checks.exercise import RECORD
from helpers.memory import overview, store
from work_folder import last_lesson

SOLUTIONS = Path(__file__).parents[1] / "solutions"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a student's folder with all notebooks, and a new kernel."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    for path in (SOLUTIONS.parent / "notebooks").glob("*.ipynb"):
        shutil.copy(path, tmp_path)
    new_kernel()
    return tmp_path


def new_kernel():
    RECORD.clear()
    store.SAID.clear()


def test_progress_outlives_the_kernel_and_says_where_to_continue(folder, capsys):
    check_sigmoid()
    new_kernel()
    capsys.readouterr()
    progress()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Lesson 01: 1 of 5 exercises correct" and "✓ `01-sigmoid` correct" in lines
    assert lines[-1] == "Continue here: 01-add-bias"


def test_what_was_correct_stays_so_when_a_stub_or_an_unsaved_notebook_is_met(folder, capsys):
    check_sigmoid()
    shutil.rmtree(folder / ".course/answers")
    with pytest.raises(CheckFailed):
        mine("01-sigmoid")
    skip("01-sigmoid", "01-forward")
    capsys.readouterr()
    progress("01")
    out = capsys.readouterr().out
    assert "✓ `01-sigmoid` correct" in out and "↷ `01-forward` skipped" in out


def test_the_lesson_of_the_open_notebook_is_shown_even_before_a_check(folder, capsys, monkeypatch):
    check_sigmoid()
    capsys.readouterr()
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/me/course-2026/work/02_backpropagation.ipynb")
    progress()
    assert capsys.readouterr().out.startswith("Lesson 02: 0 of 7")


def test_the_name_of_a_folder_is_no_lesson(folder, monkeypatch):
    (folder / "week 04").mkdir()
    monkeypatch.chdir(folder / "week 04")
    check_sigmoid()
    assert overview._lesson_here() == "01"


def test_a_renamed_notebook_is_where_the_lesson_goes_on(folder, monkeypatch):
    Path("02_backpropagation.ipynb").rename("my backprop.ipynb")
    link = "[02-backprop](my%20backprop.ipynb#cell-id=02-backprop)"
    assert overview.link_to("02-backprop") == link
    shutil.copy(SOLUTIONS.parent / "notebooks/02_backpropagation.ipynb", folder)  # by `lab`
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "my backprop.ipynb"))
    assert overview.link_to("02-backprop") == link and overview._lesson_here() == "02"


def test_skipping_in_an_earlier_lesson_is_not_where_one_stopped(folder, capsys):
    check_sigmoid()
    skip("00-square")
    skip("02-chain-rule", "02-backprop")
    new_kernel()
    capsys.readouterr()
    progress()
    assert capsys.readouterr().out.startswith("Lesson 01: 1 of ")
    assert last_lesson(folder, folder)[:2] == "01"
    check_sigmoid()
    mine("01-sigmoid")
    skip("00-square")
    assert overview._lesson_here() == "01"


def test_without_anything_remembered_it_says_so(folder, capsys):
    progress()
    assert capsys.readouterr().out == "No check has run yet.\n"
    progress("all")
    out = capsys.readouterr().out
    assert out.startswith("○ The course: 0 of ") and "Continue here: 00-square" in out


def test_the_whole_course_in_one_card_with_mistakes_that_were_caught(folder, capsys, monkeypatch):
    for source in 2 * (SIGMOID.replace("-z", "z"), SIGMOID):
        try:
            check_sigmoid(source)
        except CheckFailed:
            pass
    skip("01-forward")
    capsys.readouterr()
    shown = []
    monkeypatch.setattr(overview, "show_card", lambda *card: shown.append(card))
    progress("all")
    (_, title, lines), = shown
    assert title.startswith("The course: 1 of ")
    assert ("· [01 forward pass](01_forward_pass.ipynb): 1 of 5 correct, 1 skipped, 3 open"
            in lines)
    assert "Continue here: [01-add-bias](01_forward_pass.ipynb#cell-id=01-add-bias)" in lines
    assert any(line.startswith("Caught: `mirrored` (01-sigmoid, 2 times): ") for line in lines)


def test_a_mistake_that_was_caught_has_its_sentence_without_what_it_was_about(folder):
    store.write_record("progress", "03-patterns", lambda row: {"outcome": "correct", "mistakes": {
        "times-N": 1, "endless": 1, "uses-notebook-data": 1, "not-point-by-point": 1, "gone": 1}})
    times, endless, data, points, gone = (text for *_, text in overview.caught())
    assert times == "times or divided by a size" and endless.startswith("… did not come to an end")
    assert "other data" in data and points.startswith("… mixes points;") and gone == ""


def test_the_page_at_the_end_holds_functions_and_mistakes(folder, capsys):
    check_sigmoid("def sigmoid(z):\n    '<b>'\n    return 1 / (1 + np.exp(-z))")
    store.write_record("predictions", "02-angle", lambda row: {
        "question": "At which angle?", "choice": "45°", "truth": "90°"})
    summary()
    page = (folder / "what-i-built.html").read_text(encoding="utf-8")
    assert "def sigmoid(z):" in page and "&lt;b&gt;" in page and "# Exercise" not in page
    assert "I said 45°; it was 90°" in page and "://" not in page
    assert "`what-i-built.html`" in capsys.readouterr().out
