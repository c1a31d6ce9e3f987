"""The morning after, the line with the status, a solution on demand, a new start, the glossary."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from test_answers import notebook
from test_overview import new_kernel
from test_store import Kernel, check_sigmoid

from helpers.checks import (
    CheckFailed,
    advise,
    lesson_00,
    predict,
    progress,
    reset,
    reveal,
    solution,
)
from helpers.checks.exercise import RECORD
from helpers.memory import overview, predictions, siblings, status, store
from helpers.memory.terms import glossary_page

SOLUTIONS = Path(__file__).parents[1] / "solutions"
LOAD = ("import os\nos.environ['JPY_SESSION_NAME'] = '00_welcome.ipynb'\n"
        "%load_ext helpers.memory.morning")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in (SOLUTIONS.parent / "notebooks").glob("0[012]_*.ipynb"):
        shutil.copy(path, tmp_path)
    new_kernel()
    return tmp_path


def in_a_kernel(folder, *cells):
    """Return what the cells show, run one after another in a new kernel with the extension."""
    document = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (LOAD, *cells)])
    NotebookClient(document, kernel_name="python3", allow_errors=True).execute(cwd=str(folder))
    return [[output.get("data", {}).get("text/plain", "") or "\n".join(output.get("traceback", []))
             for output in cell.outputs] for cell in document.cells[1:]]


def test_a_cell_alone_in_a_new_kernel_says_which_to_run_first(tmp_path):
    shutil.copy(SOLUTIONS.parent / "notebooks/00_welcome.ipynb", tmp_path)
    alone, own, inside = in_a_kernel(
        tmp_path, "check.square(square)", "not_in_any_cell",
        "def f():\n    return check\nf()")
    (tmp_path / "00_welcome.ipynb").rename(tmp_path / "renamed while it was open.ipynb")
    again, *_ = in_a_kernel(tmp_path, "check.square(square)")
    assert again[0] == alone[0]
    card, rest = alone
    assert card.startswith("check is not there yet\nIt is made in cell 3 of this notebook")
    assert "Run › Run All Above Selected Cell" in card and "Traceback" not in rest
    assert all("not_in_any_cell" in re.sub(r"\x1b\[[\d;]*m", "", one) for one in own)
    assert "Traceback" in inside[0]


def test_a_cell_that_has_run_and_made_nothing_is_not_to_be_run_again(tmp_path):
    shutil.copy(SOLUTIONS.parent / "notebooks/00_welcome.ipynb", tmp_path)
    *_, (card, _) = in_a_kernel(
        tmp_path, "from helpers.checks import lesson_00 as check",
        "get_ipython().run_cell('def square(x):\\n    return x *', cell_id='00-square')",
        "check.square(square)")
    assert "That cell has run, and has not made it: look for an error under it" in card


def test_the_line_under_the_import_cell_follows_the_checks(tmp_path):
    shutil.copy(SOLUTIONS.parent / "notebooks/00_welcome.ipynb", tmp_path)
    line, wrong, right = in_a_kernel(
        tmp_path, "from helpers.checks import lesson_00 as check",
        "def square(x):\n    return x * 2\ncheck.square(square)",
        "def square(x):\n    return x ** 2\ncheck.square(square)")
    assert line == ["Lesson 00: 1 of 1 exercises correct\nAll is done."]
    assert "Not yet" in wrong[0] and "Correct" in right[0]


def test_a_line_that_tells_of_a_cell_that_failed_is_right_again_when_one_goes_well(
        folder, monkeypatch):
    shown = []
    monkeypatch.setattr(status, "HANDLES", {"01": SimpleNamespace(
        update=lambda bundle, raw: shown.append(bundle["text/html"]))})
    monkeypatch.setenv("JPY_SESSION_NAME", str(folder / "01_forward_pass.ipynb"))
    status.cell_ended("c 1", None)
    status.cell_ended("c 1", CheckFailed("01-sigmoid"))
    assert shown == []
    for error in (SyntaxError(), CheckFailed("00-square")):
        status.cell_ended("c 1", error)
        status.cell_ended("c 2", None)
    where = 'href="01_forward_pass.ipynb#cell-id=c%201">a cell</a>: '
    assert where + "SyntaxError." in shown[0] and "Next: " in shown[1]
    assert where + "it needs <a" in shown[2] and ">00-square</a>." in shown[2]
    assert len(shown) == 4 and "Next: " in shown[3]


def test_a_kernel_that_is_older_than_the_course_says_so_once_and_where_a_cell_fails(tmp_path):
    before, at_once, later, wrong = in_a_kernel(
        tmp_path, "from helpers.memory import morning\nmorning._files()",
        "morning._files = lambda: {'new.py': 1}", "1 + 1", "1 / 0")
    said = "The course was updated\nThis kernel was started before"
    assert "The course was updated" not in str((before, later))
    assert at_once[0].startswith(said) and wrong[-1].startswith(said)


def test_functions_under_other_names_are_tried_and_nobodys_answer(folder):
    demonstration = next(cell["source"] for cell in siblings.cells_of(Path("00_welcome.ipynb"))
                         if "def doubled" in cell["source"])
    Kernel(check=lesson_00, CheckFailed=CheckFailed).run(demonstration)
    assert store.records() == {} and RECORD == {}
    with pytest.raises(CheckFailed):
        lesson_00.square(Kernel().run("def square(x):\n    return x * 2")["square"])
    assert store.records()["00-square"]["mistakes"] == {"doubled": 1}


def test_at_the_end_of_a_lesson_a_link_leads_on(folder, capsys):
    lesson_00.square(Kernel().run("def square(x):\n    return x * x")["square"])
    progress("00")
    assert "All is done: on to 01 forward pass." in capsys.readouterr().out
    assert overview.onward("00") == "All is done: on to [01 forward pass](01_forward_pass.ipynb)."
    assert overview.onward(overview.LESSONS[-1]) == "All is done."


def test_where_nothing_is_remembered_there_is_no_line(tmp_path):
    (tmp_path / "solutions").mkdir()
    notebook(tmp_path / "solutions/00_welcome.ipynb", [])
    line, = in_a_kernel(tmp_path / "solutions", "from helpers.checks import lesson_00 as check")
    assert line == []


def test_a_solution_is_shown_after_a_question(folder, capsys):
    solution("01-sigmoid")
    out = capsys.readouterr().out
    assert "are you sure?" in out and 'solution("01-sigmoid", sure=True)' in out
    assert "def " not in out
    solution("01-sigmoid", sure=True)
    out = capsys.readouterr().out
    space = {"np": np}
    exec(out.partition("\n\n")[2], space)
    assert space["sigmoid"](np.zeros(1)).tolist() == [0.5] and "SOLUTION" not in out
    with pytest.raises(ValueError, match="there is no exercise"):
        solution("01-sigmod")


def test_one_exercise_begins_anew_and_the_others_stay(folder, capsys):
    check_sigmoid()
    store.write_record("progress", "01-forward", lambda row: {"outcome": "correct"})
    reset("01-sigmoid")
    assert 'raise NotImplementedError("01-sigmoid")' in capsys.readouterr().out
    assert store.records().keys() == {"01-forward"} and not store.answer_source("01-sigmoid")
    progress("01")
    out = capsys.readouterr().out
    assert "· `01-sigmoid` waiting" in out and "✓ `01-forward` correct" in out


def test_what_was_missed_is_advised(folder, capsys):
    predictions.ASKED.clear()
    missed = {"00-a": "Read on.", "00-b": "Read more."}
    advise(missed, "Go on.")
    assert "Read on.\nRead more." in capsys.readouterr().out
    for name in missed:
        predict(name, "?", ["yes", "no"]).view.widget.controls = {"choice": "yes", "sure": None}
    reveal("00-a", "yes", "")
    reveal("00-b", "no", "")
    capsys.readouterr()
    advise(missed, "Go on.")
    assert capsys.readouterr().out == "What to read before you go on\nRead more.\n"
    reveal("00-b", "yes", "")
    capsys.readouterr()
    advise(missed, "Go on.")
    assert capsys.readouterr().out == "What to read before you go on\nGo on.\n"


def test_the_glossary_is_made_of_the_lessons_tables_and_terms(folder):
    page = glossary_page()
    assert "| `dZ2` | $\\delta_2 = \\partial J / \\partial Z_2$ |" in page
    assert "**epoch**. ([02](02_backpropagation.ipynb))" in page and "**Predict" not in page
    rows = re.findall(r"^\|.*\|$", page, re.M)
    assert len(rows) > 40 and all(len(re.split(r"(?<!\\)\|", row)) == 7 for row in rows)
    assert "momentum" in glossary_page("moment") and "epoch" not in glossary_page("moment")
    assert glossary_page("xyz").startswith("Neither a symbol nor a term")
