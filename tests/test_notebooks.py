"""The notebooks as a student meets them: untouched, filled in, skipped through."""

from __future__ import annotations

import ast
import copy
import importlib
import importlib.util
import math
import re
from pathlib import Path

import measure_notebooks as measure
import nbformat
import pytest
from answers.cited import CITED
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import release
from helpers.checks.exercise import exercises
from helpers.memory.siblings import bound

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.name for path in (ROOT / "solutions").glob("[0-9]*.ipynb"))
NO_PICTURES = "%config InlineBackend.figure_formats = set()"  # nbval makes them
needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None,
                                 reason="PyTorch is not installed: the last section needs it")
every = pytest.mark.parametrize("name", NAMES)
HINTS = {"00": 3, "01": 3, "02": 3, "03": 3, "04": 2, "05": 2, "06": 1, "07": 1, "08": 1,
         "10": 1, "11": 1, "12": 1}
NUMBER = re.compile(r"(?<![\w.,])(\d*\.\d+(?:e[+-]?\d+)?|\d+(?= ?%))(?!\w|\.\d)( ?%)?")


def read(folder, name):
    """Return a solution, or its exercise notebook as release makes it.

    Not the file in notebooks/: a student may have worked there. test_release.py holds the files
    against what release makes.
    """
    solution = nbformat.read(ROOT / "solutions" / name, as_version=4)
    return solution if folder == "solutions" else release.exercises(solution)


def rows(name):
    return exercises(importlib.import_module(f"helpers.checks.lesson_{name[:2]}"))


def grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def by_grade_id(notebook):
    return {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}


def run(notebook, folder):
    """Run a notebook in `folder`; return the error it stops with, or None."""
    client = NotebookClient(notebook, timeout=120, kernel_name="python3",
                            resources={"metadata": {"path": str(folder)}})
    try:
        client.execute()
    except CellExecutionError as error:
        return error
    return None


def said(notebook):
    """Return the plain text of all cards that a notebook shows."""
    return [output["data"]["text/plain"] for cell in notebook.cells if cell.cell_type == "code"
            for output in cell.outputs if output["output_type"] == "display_data"
            and "text/plain" in output["data"]]


@every
def test_groups_are_unpacked_in_the_line_that_takes_them_up(name):
    """So that a line with `skip`, as the card of `mine` writes it, can stand in its place."""
    for cell in read("solutions", name).cells:
        tree = ast.parse(cell.source if cell.cell_type == "code" and " = mine(" in cell.source
                         else "")
        for line in tree.body:
            if not (isinstance(line, ast.Assign) and isinstance(line.value, ast.Call)
                    and getattr(line.value.func, "id", "") == "mine"):
                continue
            wanted, taken = [arg.value for arg in line.value.args], line.targets[0]
            for one, exercise in zip(taken.elts if len(wanted) > 1 else [taken], wanted,
                                     strict=True):
                parts = next(check.parts for check in rows(exercise) if check.id == exercise)
                assert isinstance(one, ast.Tuple) == (len(parts) > 1), f"unpack {exercise}"


@every
def test_a_solution_is_executed_without_errors_and_ends_with_the_progress(name):
    code = [c for c in read("solutions", name).cells if c.cell_type == "code"]
    assert all(c.execution_count for c in code)
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    assert not [o for c in code for o in c.outputs if o["output_type"] == "error"]
    number = len(rows(name))
    assert f"{number} of {number} exercises correct" in str(code[-1].outputs)


@every
def test_every_exercise_stands_in_its_notebook_with_time_and_check(name):
    notebook = read("solutions", name)
    ids = [grade_id(c) for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution")]
    assert ids == [e.id for e in rows(name)], (
        f"the exercises of {name} and the rows of its module differ, or their order does")
    for exercise in rows(name):
        at = next(i for i, c in enumerate(notebook.cells) if grade_id(c) == exercise.id)
        text, answer, check = notebook.cells[at - 1:at + 2]
        assert re.search(rf"### Exercise {exercise.id} · \d+ minutes · [●○]{{3}}\n", text.source), (
            f"the cell before {exercise.id} needs '### Exercise {exercise.id} · 10 minutes · ●○○'")
        for part in exercise.parts:
            assert re.search(rf'def {part.name}\([^)]*\).*:\n    """', answer.source)
        others = "\n".join(
            c.source for c in notebook.cells if c.cell_type == "code" and c is not answer)
        lost = bound(answer.source) - {part.name for part in exercise.parts}
        assert not [n for n in lost if re.search(rf"\b{n}\b", others)], f"skip brings no {lost}"
        wanted = f"check.{exercise.attribute}({exercise.names})"
        assert "".join(check.source.split()) == "".join(wanted.split())  # on one line or several


@every
def test_help_fades_from_three_hints_to_none(name):
    wanted, wrong = HINTS.get(name[:2], 0), []
    for cell in read("solutions", name).cells:
        exercise = re.search(r"^### Exercise (\S+)", cell.source, re.M)
        hints = re.findall(r"<details><summary>Hint ?(\d?)[^<]*</summary>(.*?)</details>",
                           cell.source, re.S) if exercise else []
        numbers = [number for number, _ in hints]
        if exercise and numbers not in (list("123"[:wanted]), [""] * wanted):
            wrong.append(exercise[1])
        wrong += [f"{exercise[1]}: a hint that says nothing" for _, hint in hints
                  if len(hint.strip()) <= 20 or "as above" in hint]
    assert not wrong, f"an exercise of this lesson has {wanted} hints: {', '.join(wrong)}"


@every
def test_who_opens_the_source_of_a_text_sees_one_hint_at_a_time(name):
    for cell in read("notebooks", name).cells:
        for between in re.findall(r"</details>(\s*)<details>", cell.source):
            assert between.count("\n") > 20, cell.id


@every
def test_every_picture_has_a_text_alternative(name):
    without = [cell.id for cell in measure.pictures(read("solutions", name).cells)
               if len(cell.metadata.get("alt", "")) < 20]
    assert not without, f"say in the metadata, as `alt`, what is to be seen: {', '.join(without)}"


@every
def test_a_number_in_the_text_was_computed_in_the_notebook_or_is_cited(name):
    cells = read("solutions", name).cells
    computed = [value for cell in cells for value in values(printed(cell))]
    cited = CITED.get(name[:2], {})
    unknown = [f"{cell.id}: {found[0]}" for cell in cells if cell.cell_type == "markdown"
               for found in NUMBER.finditer(prose(cell.source))
               if found[0] not in cited and not any(agree(found, value) for value in computed)]
    assert not unknown, f"compute, or cite in tests/answers/cited.py: {', '.join(unknown)}"
    text = "\n".join(cell.source for cell in cells)
    assert not [number for number in cited if number not in text], "cited, and not in the text"


def prose(text):
    """Return a text without what is folded, code, formulas, and tables of symbols."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$", " ", measure.FOLDED.sub(" ", text), flags=re.S)
    text = re.sub(r"^\|[^\n]*symbol.*?(?=\n\n|\Z)", " ", text, flags=re.S | re.M | re.I)
    return re.sub(r"\$[^$\n]+\$|`[^`\n]+`|\]\([^)]*\)|<[^>\n]+>|[\d.]+ hours?", " ", text)


def printed(cell):
    """Return a code cell's source and the text that it has put out."""
    outputs = [output.get("text") or output.get("data", {}).get("text/plain", "")
               for output in cell.get("outputs", [])]
    return "\n".join([cell.source, *outputs]) if cell.cell_type == "code" else ""


def values(text):
    """Return the numbers in a text, a percentage as it stands and as a share."""
    found = []
    for number, percent in re.findall(
            r"(?<![\w.])(\d[\d,]*\.?\d*(?:e[+-]?\d+)?|\.\d+)( ?%)?", text):
        value = float(number.replace(",", ""))
        found += [value, value / 100] if percent else [value]
    return found


def agree(found, value):
    """Return whether a number of the text is a rounded value, or the percentage of one."""
    digits, _, power = found[1].partition("e")
    written, half = float(found[1]), 0.5 * 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    scales = (1, 100) if found[2] else (1,)
    return any(abs(value * scale - written) <= half * (1 + 1e-9) for scale in scales)


@every
def test_nobody_reads_for_long_without_doing_something(name):
    path = measure.main_path(read("solutions", name).cells)
    number, (words, _, _, hours) = len(path), measure.measure(path)
    long = [f"{row[0]} words and {row[1]} lines before the end of {row[2]}"
            for row in measure.stretches(path) if row[0] > 300 or row[1] > 40]
    assert not long, f"300 and 40 at most: {'; '.join(long)}"
    assert number <= 55 and words <= 2600
    stops = sum("A good place to stop" in cell.source for cell in path)
    assert hours < 1.5 or stops > 0, "no good place to stop in a long lesson"


@every
def test_an_exercise_notebook_holds_no_answer_and_no_output(name):
    stubs, answers = by_grade_id(read("notebooks", name)), by_grade_id(read("solutions", name))
    assert stubs.keys() == answers.keys()
    for exercise in rows(name):
        blocks = re.findall(r"# BEGIN SOLUTION\n(.*?)# END SOLUTION",
                            answers[exercise.id].source, re.DOTALL)
        stub = stubs[exercise.id].source
        assert len(blocks) == len(exercise.parts)
        assert stub.count(f'raise NotImplementedError("{exercise.id}")') == len(blocks)
        whole = "\n".join(c.source for c in read("notebooks", name).cells)
        for block in blocks:
            assert not [line for line in block.splitlines() if line.strip() and line in stub]
            assert block.strip() not in whole and "SOLUTION" not in whole
    for cell in read("notebooks", name).cells:
        assert cell.cell_type != "code" or (cell.outputs == [] and cell.execution_count is None)


@every
def test_a_notebook_has_a_size_that_one_can_work_through(name):
    cells = read("notebooks", name).cells
    code = [c for c in cells if c.cell_type == "code"]
    assert 15 <= len(cells) <= 70, f"{name} has {len(cells)} cells: merge or split, 15 to 70 fit"
    for cell in code:  # an exercise of several functions has room for each of them
        room = 25 * (cell.source.count("\n\n\ndef ") + 1 if grade_id(cell) else 1)
        assert len(cell.source.splitlines()) <= room, (
            f"a cell of {name} is too long: {cell.source[:80]}…")


@every
def test_a_lesson_has_its_row_in_the_readme_with_its_hours(name):
    row = re.search(rf"^.*\]\(notebooks/{name}\).*$",
                    (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert row, f"add {name} to the table of lessons in README.md"
    hours = measure.measure(measure.main_path(read("solutions", name).cells))[3]
    assert f"| {math.ceil(2 * hours) / 2:g} |" in row[0], f"{name} takes {hours:.1f} hours"


def test_without_the_lesson_before_it_a_notebook_stops_at_mine(tmp_path):
    nbformat.write(read("notebooks", "01_forward_pass.ipynb"), tmp_path / "01_forward_pass.ipynb")
    notebook = read("notebooks", "02_backpropagation.ipynb")
    assert run(notebook, tmp_path).ename == "NotAttempted"
    assert "01_forward_pass.ipynb" in said(notebook)[-1]
    assert 'squared_error, numerical_gradient = skip("01-add-bias", ' in said(notebook)[-1]


@every
def test_a_notebook_with_every_stub_filled_in_is_the_solution_that_nbval_runs(name):
    """In a folder of such notebooks (conftest.py), down to "5 of 5 exercises correct"."""
    notebook, solution = read("notebooks", name), read("solutions", name)
    answers = by_grade_id(solution)
    for key, cell in by_grade_id(notebook).items():
        cell.source = answers[key].source
    notebook.cells[-1].source = notebook.cells[-1].source.removeprefix(release.STOPPED)
    assert [(c.cell_type, c.source.replace(release.APART, "</details>\n<details>"))
            for c in notebook.cells] == [(c.cell_type, c.source) for c in solution.cells]


def skip_all(notebook, name):
    """Put a `skip` in the place of every exercise; the first one is tried as a stub before."""
    cells = by_grade_id(notebook)
    notebook.cells[0:0] = [nbformat.v4.new_code_cell(NO_PICTURES)]
    first = rows(name)[0].id
    tried = copy.deepcopy([cells[first], cells[f"{first}-check"]])
    for exercise in rows(name):
        cells[exercise.id].source = f'{exercise.names} = skip("{exercise.id}")'
    for cell in tried:
        cell.id, cell.metadata = f"{cell.id}-tried", {"tags": ["raises-exception"]}
    at = notebook.cells.index(cells[first])
    notebook.cells[at:at] = tried


@pytest.fixture(scope="session")
def skipped(tmp_path_factory):
    """A folder with all notebooks, their exercises skipped."""
    folder = tmp_path_factory.mktemp("skipped")
    for name in NAMES:
        notebook = read("notebooks", name)
        skip_all(notebook, name)
        nbformat.write(notebook, folder / name)
    return folder


def leave_out_what_only_trains(notebook):
    """Take out the cells below the last check, but for playgrounds on what was skipped.

    Below it stand the long experiments, on functions that have all been called above, and that
    are the solution's own: nbval runs them.
    """
    below = 1 + max(i for i, cell in enumerate(notebook.cells)
                    if cell.metadata.get("nbgrader", {}).get("grade"))
    notebook.cells[below:-1] = [c for c in notebook.cells[below:-1] if "playground(" in c.source]


@needs_torch
@every
def test_a_notebook_stops_kindly_at_its_first_stub_and_goes_on_with_all_skipped(name, skipped):
    notebook = nbformat.read(skipped / name, as_version=4)
    leave_out_what_only_trains(notebook)
    assert run(notebook, skipped) is None
    stub, check = (cell for cell in notebook.cells if cell.id.endswith("-tried"))
    card, error = check.outputs
    assert not stub.outputs and error.output_type == "error" and error.traceback == []
    assert error.ename == "NotAttempted" and rows(name)[0].id in error.evalue
    assert card.data["text/plain"].startswith(f"○ Not attempted · {rows(name)[0].id}")
    assert len(card.data["text/plain"].splitlines()) == 2
    last = said(notebook)[-1]
    assert f"0 of {len(rows(name))} exercises correct" in last
    assert last.count("skipped") == len(rows(name))


def test_run_all_of_an_untouched_notebook_stops_at_its_first_exercise(tmp_path):
    notebook = read("notebooks", "00_welcome.ipynb")
    assert run(notebook, tmp_path).ename == "NotAttempted"
    assert said(notebook)[-1].startswith("○ Not attempted · 00-square")


def test_a_failed_check_stops_run_all_with_its_card_and_one_line(tmp_path):
    notebook = read("notebooks", "00_welcome.ipynb")
    by_grade_id(notebook)["00-square"].source = "def square(x):\n    return x * 2"
    error = run(notebook, tmp_path)
    assert error.ename == "CheckFailed"
    assert "Likely mistake: this is `x * 2`" in said(notebook)[-1]


def test_an_endless_answer_is_stopped_in_a_real_kernel_and_the_variables_stay(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (
        "from helpers.checks import CheckFailed, lesson_00 as check\nkept = 42",
        "def square(x):\n    while True:\n        try:\n            x = x + 0\n"
        "        except:\n            pass",
        "try:\n    check.square(square)\nexcept CheckFailed as error:\n"
        "    print(error.mistake, kept)")])
    assert run(notebook, tmp_path) is None
    assert "endless 42" in str(notebook.cells[2].outputs)


def test_what_an_answer_prints_shows_and_draws_stays_out_of_the_notebook(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (
        "import sys\nimport warnings\nimport matplotlib.pyplot as plt\n"
        "from IPython.display import display\nfrom helpers.checks import lesson_00 as check",
        "def square(x):\n    print('printed')\n    print('to stderr', file=sys.stderr)\n"
        "    display('displayed')\n    warnings.warn('warned')\n    plt.plot(x.ravel())\n"
        "    return x ** 2",
        "check.square(square)", "display('still works')")])
    assert run(notebook, tmp_path) is None
    card, = notebook.cells[2].outputs
    assert card["data"]["text/plain"].startswith("✓ Correct · 00-square")
    assert "still works" in str(notebook.cells[3].outputs)
