"""`mine` and `skip`: functions carried from notebook to notebook, and nothing else with them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from helpers.checks import CheckFailed, NotAttempted, mine, skip
from helpers.checks.exercise import RECORD
from helpers.memory import answers

SOLUTIONS = Path(__file__).parents[1] / "solutions"


def notebook(path, cells):
    """Write a notebook of code cells: sources, or (exercise id, source)."""
    rows = []
    for number, cell in enumerate(cells):
        grade, source = cell if isinstance(cell, tuple) else (None, cell)
        metadata = {"nbgrader": {"grade_id": grade}} if grade else {}
        rows.append({"cell_type": "code", "id": f"c{number}", "metadata": metadata, "outputs": [],
                     "execution_count": None, "source": source.splitlines(keepends=True)})
    path.write_text(json.dumps({"cells": rows, "metadata": {}, "nbformat": 4,
                                "nbformat_minor": 5}), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RECORD.clear()
    return tmp_path


STUB = "def sigmoid(z):\n    raise NotImplementedError('01-sigmoid')"
SIGMOID = "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n"


def test_mine_hands_back_a_students_own_function(folder, capsys):
    notebook(folder / "01_forward_pass.ipynb", ["import numpy as np", ("01-sigmoid", SIGMOID)])
    function = mine("01-sigmoid")
    assert function(np.zeros(2)).tolist() == [0.5, 0.5]
    out = capsys.readouterr().out
    assert "✓ Correct · 01-sigmoid" in out and "01_forward_pass.ipynb" in out
    assert RECORD == {"01-sigmoid": "correct"}


def test_mine_loads_what_the_function_needs_and_nothing_else(folder):
    notebook(folder / "01_forward_pass.ipynb", [
        "import numpy as np\nimport this_module_does_not_exist",
        "%matplotlib inline\nONE = 1",
        "open('touched', 'w').write('no')\nraise SystemExit",
        "def grow(z):\n    return ONE + np.exp(-z)",
        "this is no Python",
        ("01-sigmoid", "def sigmoid(z):\n    return ONE / grow(z)\nprint(sigmoid(np.ones(1)))"),
        "def sigmoid(z):\n    return z"])
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]
    assert not (folder / "touched").exists()


def test_mine_loads_what_is_bound_in_other_ways(folder):
    notebook(folder / "01_forward_pass.ipynb", [
        "try:\n    import numpy as np\nexcept ImportError:\n    np = None",
        "A, (B, *rest) = 1, (2, 0)\nA += 1\nC = D = -np.pi / 2\nexp = np.exp\nE: float = A * 0.5",
        "if A == 2:\n    def grow(z):\n        return exp(-z)\nelse:\n    grow = None",
        "data = np.ones(3)\nif A:\n    def sum_up(z):\n        return data\n    data = open('no')",
        ("01-sigmoid", "def sigmoid(z):\n    return E / (A - 1 + grow(z)) + (B - A) * (C - D)")])
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]


@pytest.mark.parametrize("cells", [
    ["from dataclasses import dataclass\n@dataclass\nclass P:\n    k: float = 1.0",
     "def sigmoid(z):\n    return P().k / (1 + np.exp(-z))"],
    ["def sigmoid(z):\n    return np.exp(-z)\nold = sigmoid\n"
     "def sigmoid(z):\n    return 1 / (1 + old(z))"],
    ["from numpy import *", "def sigmoid(z):\n    return 1 / (1 + exp(-z))"],
    ["%%time\ndef grow(z):\n    return np.exp(-z)",
     "%%time\ndef sigmoid(z):\n    return 1 / (1 + grow(z))"],
    ["from functools import partial\nplus = partial(np.add, 1)\nONE = float(1)\nSH = (1, 2)",
     "FAST = 1 < 2\nE = ONE if FAST else SH[1]\nT = {}\nT['e'] = np.exp\nL = []\nL.append(E)",
     "L[0] += 1\nL[0] -= 1\nT['one'] = 0\nT['one'] += 1",
     "def sigmoid(z):\n    return T['one'] * L[0] / plus(T['e'](-z))"],
    ["T = {}\ndef put(f):\n    T['e'] = f\n    return f",
     "@put\ndef grow(z):\n    return np.exp(-z)",
     "def sigmoid(z):\n    return 1 / (1 + T['e'](z))"],
    ["try:\n    from numpy import exp\nexcept ImportError:\n    print('no')\n    raise",
     "def sigmoid(z):\n    return 1 / (1 + exp(-z))"],
])
def test_mine_loads_what_students_write(folder, cells):
    notebook(folder / "01_forward_pass.ipynb",
             ["import numpy as np", *cells[:-1], ("01-sigmoid", cells[-1])])
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]


@pytest.mark.parametrize("cell", [
    "ONE = len([1, 1])", "ONE += len([1])", "for ONE in range(3):\n    pass",
    "T[0] += 1\nONE = T[0]", "ONE, B = divmod(6, 3)", "if np.ones(3).all():\n    ONE += 1",
    "L.append(ONE)\nONE = len(L)"])
def test_mine_runs_what_a_function_needs_as_the_kernel_has_run_it(folder, cell):
    notebook(folder / "01_forward_pass.ipynb", [
        "import numpy as np\nONE, T, L = 1, {0: 1}, [0]", cell,
        ("01-sigmoid", "def sigmoid(z):\n    return ONE / (2 + 2 * np.exp(-z))")])
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]


@pytest.mark.parametrize("source, said", [
    ('sigmoid = mine("01-sigmoid")', "takes it from itself"),
    ('a, b = mine("01-sigmoid")\nsigmoid = a', "takes it from itself"),
    ("def f(g):\n    assert False\n@f\n" + SIGMOID, "AssertionError"),
    ("import nothing_of_this_name\n" + SIGMOID.replace("1 +", "nothing_of_this_name.f +"),
     "No module named 'nothing_of_this_name'"),
    ("D = {}\nD = D['x']\n" + SIGMOID.replace("1 +", "D +"), "`D`: KeyError: 'x'"),
    ("D = 1\ndel D\n" + SIGMOID.replace("1 +", "D +"), "name 'D' is not defined"),
    ("D = (\n" + SIGMOID, "'(' was never closed (<01_forward_pass.ipynb, code cell 2>, line 1)"),
])
def test_mine_says_why_a_notebook_cannot_be_read(folder, capsys, source, said):
    notebook(folder / "01_forward_pass.ipynb", ["import numpy as np", ("01-sigmoid", source)])
    with pytest.raises(CheckFailed):
        mine("01-sigmoid")
    out = capsys.readouterr().out
    assert said in out and len(out.splitlines()) <= 10


def test_mine_of_definitions_that_never_end_is_stopped(folder, capsys, monkeypatch):
    monkeypatch.setattr(answers, "SECONDS", 0.2)
    notebook(folder / "01_forward_pass.ipynb", [
        "import numpy as np\ndef wait(f):\n    while True:\n        pass",
        ("01-sigmoid", "@wait\n" + SIGMOID)])
    with pytest.raises(CheckFailed) as failed:
        mine("01-sigmoid")
    assert failed.value.mistake == "cannot-be-read"
    assert "did not end within 0.2 s" in capsys.readouterr().out


def test_mine_follows_functions_carried_from_an_earlier_notebook(folder):
    notebook(folder / "01_forward_pass.ipynb", ["import numpy as np", ("01-sigmoid", SIGMOID)])
    notebook(folder / "02_backpropagation.ipynb", [
        "from helpers.checks import mine", 'sigmoid = mine("01-sigmoid")',
        ("02-sigmoid-prime", "def sigmoid_prime(z):\n    s = sigmoid(z)\n    return s * (1 - s)")])
    assert mine("02-sigmoid-prime")(np.zeros(1)).tolist() == [0.25]


def test_mine_of_a_skipped_exercise_counts_as_skipped(folder, capsys):
    notebook(folder / "01_forward_pass.ipynb", [
        ("01-sigmoid", 'sigmoid = skip("01-sigmoid")')])
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]
    assert RECORD == {"01-sigmoid": "skipped"}


def test_mine_of_a_stub_is_two_lines_and_says_how_to_go_on(folder, capsys):
    notebook(folder / "01_forward_pass.ipynb", [
        ("01-sigmoid", "def sigmoid(z):\n    raise NotImplementedError('01-sigmoid')")])
    with pytest.raises(NotAttempted):
        mine("01-sigmoid")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and 'skip("01-sigmoid")' in lines[1]


def test_mine_of_a_wrong_function_names_the_mistake(folder, capsys):
    notebook(folder / "01_forward_pass.ipynb", [
        "import numpy as np", ("01-sigmoid", SIGMOID.replace("-z", "z"))])
    with pytest.raises(CheckFailed) as failed:
        mine("01-sigmoid")
    assert failed.value.mistake == "mirrored"
    assert len(capsys.readouterr().out.splitlines()) <= 10


@pytest.mark.parametrize("cells, mistake", [
    ([], "no-notebook"),
    ([("01-sigmoid", "def sigmoid(z:\n")], "cannot-be-read"),
    ([("01-sigmoid", "# I deleted it\n")], "cannot-be-read"),
])
def test_mine_says_what_is_missing(folder, cells, mistake, capsys):
    notebook(folder / "01_forward_pass.ipynb", cells)
    with pytest.raises(CheckFailed) as failed:
        mine("01-sigmoid")
    assert failed.value.mistake == mistake
    assert 'skip("01-sigmoid")' in capsys.readouterr().out


def test_of_several_copies_the_one_with_the_plain_name_is_read_and_the_others_are_named(
        folder, capsys):
    bodies = {"01_forward_pass-fresh.ipynb": SIGMOID, "01_forward_pass.ipynb": STUB,
              "01_forward_pass-Copy1.ipynb": SIGMOID}
    for name, body in bodies.items():
        notebook(folder / name, ["import numpy as np", ("01-sigmoid", body)])
    (folder / "01_broken.ipynb").write_text("{not json", encoding="utf-8")
    with pytest.raises(NotAttempted):
        mine("01-sigmoid")
    out = capsys.readouterr().out
    assert "In `01_forward_pass.ipynb`" in out
    assert "`01_forward_pass-fresh.ipynb` has the exercise too and is not read" in out


@pytest.mark.parametrize("name", [
    "Copy of 01_forward_pass.ipynb", "01_forward_pass.IPYNB", "smith_4711_01_forward_pass.ipynb",
    "11_01_forward_pass (2).ipynb", "mine.ipynb", "../01/forward.ipynb",
    "../ps01 smith/01_forward_pass.ipynb"])
def test_a_notebook_is_found_by_its_mark_whatever_its_name(folder, monkeypatch, name):
    (folder / "02").mkdir()
    monkeypatch.chdir(folder / "02")
    path = folder / "02" / name
    path.parent.mkdir(exist_ok=True)
    notebook(path, ["import numpy as np", ("01-sigmoid", SIGMOID)])
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]


@pytest.mark.parametrize("name", ["exam-2001", "2001 photos", "photos 2026-01", "2026-01", "001",
                                  "a smith 01", "012", "notes"])
def test_other_folders_are_left_alone(folder, monkeypatch, name):
    (folder / "02").mkdir()
    monkeypatch.chdir(folder / "02")
    (folder / name).mkdir()
    notebook(folder / name / "01_forward_pass.ipynb", [
        "import numpy as np", ("01-sigmoid", SIGMOID)])
    with pytest.raises(CheckFailed):
        mine("01-sigmoid")


def test_the_folder_above_may_be_closed_to_the_student(folder, monkeypatch):
    def iterdir(path, listed=Path.iterdir):
        if path == folder.parent:
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    notebook(folder / "01_forward_pass.ipynb", ["import numpy as np", ("01-sigmoid", SIGMOID)])
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]


def test_no_answer_is_taken_from_the_solutions_beside_a_students_folder(folder, monkeypatch):
    for name in ("solutions", "work"):
        (folder / name).mkdir()
    notebook(folder / "solutions/01_forward_pass.ipynb", [
        "import numpy as np", ("01-sigmoid", SIGMOID)])
    monkeypatch.chdir(folder / "work")
    with pytest.raises(CheckFailed, match="01-sigmoid"):
        mine("01-sigmoid")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_notebook_may_begin_with_a_byte_order_mark(folder, encoding):
    path = folder / "01_forward_pass.ipynb"
    notebook(path, ["import numpy as np  # ä", ("01-sigmoid", SIGMOID)])
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]


@pytest.mark.parametrize("raw, said", [
    (b"", "it is empty"),
    (b"<!DOCTYPE html>\n<html></html>", "it is a web page"),
    (b'{\n "cells": [\n', "cut off or damaged in line 3"),
    (b'{\n "cells": [\n<<<<<<< HEAD\n', "a merge has left its marks in line 3"),
    (b'{\n "cells": "\xe4"}', "line 2 is not in UTF-8"),
    (b'{"worksheets": []}', "it holds no cells"), (b"[" * 99_999, "it holds no cells")])
def test_a_file_that_cannot_be_read_is_named_with_the_reason_and_the_line(
        folder, capsys, raw, said):
    (folder / "01_forward_pass.ipynb").write_bytes(raw)
    with pytest.raises(CheckFailed):
        mine("01-sigmoid")
    out = capsys.readouterr().out
    assert "`01_forward_pass.ipynb` cannot be read" in out and said in out


@pytest.mark.parametrize("cells", [
    [("01-sigmoid", "ONE = 1"), ("01-sigmoid", SIGMOID)],  # split
    [("01-sigmoid", "def sigmoid(z):\n    return z"), ("01-sigmoid-check", ""),
     ("01-sigmoid", SIGMOID)],  # a copy below is better
    [("01-sigmoid", "STUB"), SIGMOID, ("01-sigmoid-check", "")]])  # an answer below the stub
def test_the_last_definition_down_to_the_check_counts_as_in_the_kernel(folder, cells):
    cells = [STUB if cell == ("01-sigmoid", "STUB") else cell for cell in cells]
    notebook(folder / "01_forward_pass.ipynb", ["import numpy as np", *(
        ("01-sigmoid", cell) if cell is STUB else cell for cell in cells)])
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]


def test_an_answer_without_the_mark_of_its_exercise_is_said(folder, capsys):
    notebook(folder / "01_forward_pass.ipynb", ["import numpy as np", SIGMOID])
    with pytest.raises(CheckFailed):
        mine("01-sigmoid")
    assert "in cell 2, but the cell has lost the mark" in capsys.readouterr().out


def test_a_wrong_answer_may_be_mended_already_and_unsaved(folder, capsys):
    notebook(folder / "01_forward_pass.ipynb", [
        "import numpy as np", ("01-sigmoid", SIGMOID.replace("-z", "z"))])
    with pytest.raises(CheckFailed):
        mine("01-sigmoid")
    assert "Fixed it already? Save lesson 01 (Ctrl + S)" in capsys.readouterr().out


def test_several_exercises_come_along_in_one_card(folder, capsys):
    shutil.copy(SOLUTIONS / "01_forward_pass.ipynb", folder)
    sigmoid, add_bias = mine("01-sigmoid", "01-add-bias")
    assert sigmoid(np.zeros(1)).tolist() == [0.5] and add_bias(np.zeros((2, 1))).shape == (2, 2)
    out = capsys.readouterr().out
    assert out.startswith("✓ 2 exercises come along") and len(out.splitlines()) == 3
    assert "✓ 01-sigmoid: Your own `sigmoid`, read from `01_forward_pass.ipynb`.\n" in out
    assert RECORD == {"01-sigmoid": "correct", "01-add-bias": "correct"}


def test_what_is_lacking_is_offered_once_with_the_lines_to_paste(folder, capsys):
    notebook(folder / "01_forward_pass.ipynb", [
        "import numpy as np", ("01-sigmoid", SIGMOID.replace("-z", "z")),
        ("01-add-bias", "def add_bias(A):\n    raise NotImplementedError('01-add-bias')"),
        ("01-squared-error", "def squared_error(y, Y_hat):\n"
                             "    return 0.5 * float(np.sum((y - Y_hat) ** 2))")])
    with pytest.raises(CheckFailed) as failed:
        mine("01-sigmoid", "01-add-bias", "01-squared-error")
    assert failed.value.exercise == "01-sigmoid" and failed.value.mistake == "mirrored"
    out = capsys.readouterr().out
    assert out.startswith("✗ 1 of 3 exercises come along")
    assert '`squared_error = mine("01-squared-error")`' in out
    assert '`sigmoid, add_bias = skip("01-sigmoid", "01-add-bias")`' in out
    sigmoid, add_bias = skip("01-sigmoid", "01-add-bias")
    assert sigmoid.skipped_exercise == "01-sigmoid" and RECORD["01-add-bias"] == "skipped"


def test_skip_hands_back_the_solution_and_earns_nothing(folder, capsys):
    function = skip("02-backprop")
    assert [d.shape for d in function(np.ones((5, 3)), np.ones((5, 1)), np.ones((3, 4)),
                                      np.ones((5, 1)))] == [(3, 4), (5, 1)]
    assert RECORD == {"02-backprop": "skipped"}
    assert capsys.readouterr().out.startswith("↷ Skipped · 02-backprop")


def test_skip_without_the_solutions_says_so(folder, monkeypatch):
    monkeypatch.setattr(answers, "SOLUTIONS", folder / "nowhere")
    with pytest.raises(CheckFailed, match="solutions is not here"):
        skip("01-sigmoid")


@pytest.mark.parametrize("name", ["01-sigmod", "42-x", "", "backprop"])
def test_an_unknown_exercise_is_a_clear_error(name):
    with pytest.raises(ValueError, match="there is no exercise"):
        skip(name)


def test_the_solutions_themselves_can_be_read_by_mine(folder):
    for path in SOLUTIONS.glob("*.ipynb"):
        shutil.copy(path, folder)
    W1, W2, history = mine("02-train")(np.ones((4, 3)), np.ones((4, 1)), np.ones((2, 3)),
                                       np.ones((2, 1)), np.ones((3, 2)), np.ones((3, 1)), 0.01, 5)
    assert W1.shape == (3, 2) and len(history["train_loss"]) == 5


def test_an_exercise_of_several_functions_is_carried_whole(folder, capsys):
    shutil.copy(SOLUTIONS / "03_patterns.ipynb", folder)
    diamond, *_, thin_angle = mine("03-patterns")
    assert diamond(np.array([[0.9, 0.9], [0.1, 0.1]])).tolist() == [False, True]
    assert "Your own `diamond, circle, centred_square, thick_angle, thin_angle`" in (
        capsys.readouterr().out)
    skipped = skip("03-patterns")
    assert {function.skipped_exercise for function in skipped} == {"03-patterns"}
    assert "the solution's own `diamond, circle, centred_square" in capsys.readouterr().out
    assert RECORD["03-patterns"] == "correct"  # skipping takes nothing away


def test_an_autograd_is_carried_with_all_that_it_stands_on(folder):
    for path in SOLUTIONS.glob("*.ipynb"):
        shutil.copy(path, folder)
    value, grads = mine("07-value-and-grad")(
        lambda p: ((np.ones((2, 3)) @ p["W"]).tanh() ** 2).sum(), {"W": np.full((3, 1), 0.1)})
    assert type(value) is float and grads["W"].shape == (3, 1)
