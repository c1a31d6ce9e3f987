"""The generator release.py, on the notebooks in fixtures/, and what it has made for the course."""

import copy
import json
import os
import shutil
from pathlib import Path

import nbformat
import pytest

import release
import work_folder

FIXTURES = Path(__file__).parent / "fixtures"
NAME = "02_toy.ipynb"
DOUBLE, DOUBLE_CHECK, GAPS = 2, 3, 5  # cells of the fixture


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A course with one solution and no exercise notebook yet; release.py works on it."""
    shutil.copytree(FIXTURES / "solutions", tmp_path / "solutions")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setattr(release, "SOLUTIONS", str(tmp_path / "solutions"))
    monkeypatch.setattr(release, "NOTEBOOKS", str(tmp_path / "notebooks"))
    return tmp_path


@pytest.fixture
def released(folder):
    """The same course with its exercise notebook."""
    shutil.copy(FIXTURES / "notebooks" / NAME, folder / "notebooks" / NAME)
    return folder


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def save(notebook, path):
    path.write_text(json.dumps(notebook), encoding="utf-8")


def change(path, number, **values):
    """Change one cell of a notebook file."""
    notebook = load(path)
    notebook["cells"][number].update(values)
    save(notebook, path)


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- what it makes


def test_exercise_notebook_is_the_expected_one(folder):
    assert release.main(["--no-run"]) == 0
    made = (folder / "notebooks" / NAME).read_text(encoding="utf-8")
    assert made == (FIXTURES / "notebooks" / NAME).read_text(encoding="utf-8")


def test_no_answer_is_left(folder):
    assert "secret" in (folder / "solutions" / NAME).read_text(encoding="utf-8")
    release.main(["--no-run"])
    made = load(folder / "notebooks" / NAME)
    code = "".join("".join(c["source"]) for c in made["cells"] if c["cell_type"] == "code")
    assert code.count("secret") == 1  # the check names it
    assert "SOLUTION" not in code
    assert all(not c.get("outputs") and not c.get("execution_count") for c in made["cells"])


def test_record_is_the_hash_of_its_sources(folder):
    release.main(["--no-run"])
    made = load(folder / "notebooks" / NAME)
    assert made["metadata"]["course"] == {"sources": work_folder.hash_sources(made)}


def test_solution_is_executed_in_its_folder_and_tidied(folder):
    path = folder / "solutions" / NAME
    notebook = load(path)
    notebook["metadata"] = {"widgets": {"broken": 1}, "kernelspec": {"name": "my-env"}}
    for cell in notebook["cells"]:
        cell["metadata"].update(collapsed=True, execution={"shell.execute_reply": "now"})
        if cell["cell_type"] == "code":
            cell.update(execution_count=None, outputs=[])
    notebook["cells"][1]["source"] = "import math, os\nprint(os.path.basename(os.getcwd()))"
    save(notebook, path)
    assert release.main([]) == 0
    made = load(path)
    assert made["metadata"] == release.METADATA
    assert made["cells"][1]["outputs"][0]["text"] == ["solutions\n"]
    assert [c.get("execution_count") for c in made["cells"] if c["cell_type"] == "code"] == [
        1, 2, 3, 4, 5, 6, None
    ]  # fmt: skip
    assert {key for c in made["cells"] for key in c["metadata"]} == {"nbgrader", "tags"}
    assert [c["id"] for c in made["cells"]] == [c["id"] for c in notebook["cells"]]


def test_of_a_widget_its_still_twin_stays():
    data = {release.WIDGET: {"model_id": "1"}, "text/html": "<img>", "text/plain": "a view"}
    cell = nbformat.v4.new_code_cell("view", outputs=[
        nbformat.v4.new_output("execute_result", data=data, execution_count=1)])
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": {}})
    release.tidy(notebook)
    assert set(notebook.cells[0].outputs[0].data) == {"text/html", "text/plain"}
    assert "widgets" not in notebook.metadata


def test_what_a_picture_shows_and_what_is_folded_stays_in_both(folder):
    notebook = load(folder / "solutions" / NAME)
    kept = {"alt": "A curve that falls.", "jp-MarkdownHeadingCollapsed": True}
    notebook["cells"][1]["metadata"].update(kept)
    save(notebook, folder / "solutions" / NAME)
    assert release.main([]) == 0
    for made in ("solutions", "notebooks"):
        assert load(folder / made / NAME)["cells"][1]["metadata"].items() >= kept.items()


def test_files_are_written_as_nbformat_writes_them(folder):
    release.main(["--no-run"])
    for path in (folder / "solutions" / NAME, folder / "notebooks" / NAME):
        text = path.read_text(encoding="utf-8")
        written = json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True)
        assert text == written + "\n"
        nbformat.validate(nbformat.read(path, as_version=4))


def test_second_time_changes_nothing(folder):
    release.main(["--no-run"])
    before = snapshot(folder)
    assert release.main(["--no-run"]) == 0
    assert snapshot(folder) == before


def test_one_lesson_only(folder, capsys):
    shutil.copy(folder / "solutions" / NAME, folder / "solutions" / "03_other.ipynb")
    assert release.main(["--no-run", "3"]) == 0
    assert os.listdir(folder / "notebooks") == ["03_other.ipynb"]
    assert release.main(["--no-run", "07"]) == 1
    assert "no lesson '07'" in capsys.readouterr().out


# ---- what it refuses


def nbgrader(cell, **values):
    cell["metadata"]["nbgrader"].update(values)


def source(cell, old, new):
    text = "".join(cell["source"])
    assert old in text
    cell["source"] = text.replace(old, new, 1)


BROKEN = {
    "end missing": (lambda c: source(c[GAPS], "        # END SOLUTION\n", ""), "a marker with"),
    "last end missing": (lambda c: source(c[DOUBLE], "    # END SOLUTION", ""), "a marker with"),
    "begin missing": (lambda c: source(c[DOUBLE], "    # BEGIN SOLUTION\n", ""), "a marker with"),
    "nested": (
        lambda c: source(
            c[DOUBLE],
            "    secret = 2 * x\n",
            "    # BEGIN SOLUTION\n    secret = 2 * x\n    # END SOLUTION\n",
        ),
        "a marker with",
    ),
    "marker behind code": (
        lambda c: source(c[DOUBLE], "secret = 2 * x", "secret = 2 * x  # END SOLUTION"),
        "a marker with",
    ),
    "other marker": (lambda c: source(c[DOUBLE], "# BEGIN", "### BEGIN"), "a marker with"),
    "no markers": (lambda c: c[DOUBLE].update(source="def double(x): ..."), "an exercise without"),
    "no metadata": (lambda c: c[DOUBLE].update(metadata={}), "a solution in a cell that is no"),
    "no grade_id": (lambda c: c[DOUBLE]["metadata"]["nbgrader"].pop("grade_id"), "grader metadata"),
    "one key more": (lambda c: nbgrader(c[DOUBLE], points=1), "nbgrader metadata"),
    "old schema": (lambda c: nbgrader(c[DOUBLE], schema_version=2), "nbgrader metadata"),
    "no points": (lambda c: c[DOUBLE_CHECK]["metadata"]["nbgrader"].pop("points"), "grader meta"),
    "check unlocked": (lambda c: nbgrader(c[DOUBLE_CHECK], locked=False), "nbgrader metadata"),
    "check is text": (lambda c: c[DOUBLE_CHECK].update(cell_type="markdown"), "nbgrader metadata"),
    "check missing": (lambda c: c.pop(DOUBLE_CHECK), "does not follow right after it"),
    "check further down": (
        lambda c: c.insert(DOUBLE_CHECK + 1, c.pop(DOUBLE_CHECK)) or c.insert(3, c.pop(4 + 1)),
        "does not follow right after it",
    ),
    "exercise missing": (lambda c: c.pop(DOUBLE), "a check that does not follow"),
    "same grade_id": (
        lambda c: (
            nbgrader(c[GAPS], grade_id="02-double")
            or nbgrader(c[GAPS + 1], grade_id="02-double-check")
        ),
        "its id or grade_id is taken",
    ),
    "same id": (lambda c: c[4].update(id="title"), "its id or grade_id is taken"),
    "not executed": (lambda c: c[1].update(execution_count=None), "has not been executed"),
}


@pytest.mark.parametrize("flag", ["--no-run", "--check"])
@pytest.mark.parametrize("case", BROKEN)
def test_broken_solution_is_named_and_nothing_written(released, capsys, case, flag):
    path = released / "solutions" / NAME
    notebook = load(path)
    damage, message = BROKEN[case]
    damage(notebook["cells"])
    save(notebook, path)
    before = snapshot(released)
    assert release.main([flag]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"{NAME}: cell ") and message in line for line in lines), lines
    assert snapshot(released) == before


def test_failing_cell_is_named_and_nothing_written(released, capsys):
    path = released / "solutions" / NAME
    change(path, DOUBLE_CHECK, source="assert double(3) == 7, 'seven'")
    before = snapshot(released)
    assert release.main([]) == 1
    out = capsys.readouterr().out
    assert f"{NAME}: cell {DOUBLE_CHECK} (02-double-check)" in out and "seven" in out
    assert snapshot(released) == before


def test_unreadable_solution_is_named(released, capsys):
    (released / "solutions" / NAME).write_text("<<<<<<< HEAD\n", encoding="utf-8")
    assert release.main(["--no-run"]) == 1
    assert NAME in capsys.readouterr().out


@pytest.mark.parametrize("flag", ["--no-run", "--check"])
def test_notebook_with_somebodys_work_is_left_alone(released, capsys, flag):
    path = released / "notebooks" / NAME
    change(path, DOUBLE, source="def double(x):\n    return x + x")
    before = snapshot(released)
    assert release.main([flag]) == 1
    assert "has worked in it" in capsys.readouterr().out
    assert snapshot(released) == before


@pytest.mark.parametrize("text", ["", "<<<<<<< HEAD", "[]", '{"cells": [], "metadata": {}}'])
def test_notebook_that_tells_nothing_is_left_alone(released, text):
    (released / "notebooks" / NAME).write_text(text, encoding="utf-8")
    assert release.main(["--no-run"]) == 1
    assert (released / "notebooks" / NAME).read_text(encoding="utf-8") == text


# ---- the check mode


def test_check_passes_on_what_was_released(released, capsys):
    before = snapshot(released)
    assert release.main(["--check"]) == 0
    assert "Nothing differs" in capsys.readouterr().out
    assert snapshot(released) == before


def test_check_passes_on_a_notebook_that_was_only_run_and_saved(released):
    path = released / "notebooks" / NAME
    notebook = load(path)
    notebook["metadata"]["language_info"]["version"] = "3.14.1"
    notebook["cells"][1].update(execution_count=7, metadata={"collapsed": True})
    save(notebook, path)
    assert release.main(["--check"]) == 0


DIFFERENT = {
    "source": (lambda c: c[4].update(source="New text."), "text"),
    "id": (lambda c: c[4].update(id="renamed"), "renamed, text"),
    "type": (lambda c: c[4].update(cell_type="raw"), "text"),
    "points": (lambda c: nbgrader(c[DOUBLE_CHECK], points=5), "02-double-check"),
    "tag": (lambda c: c[7]["metadata"].pop("tags"), "tagged"),
    "fewer": (lambda c: c.pop(4), "text"),
    "order": (lambda c: c.insert(7, c.pop(4)), "the order of cells"),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_check_lists_the_cells_that_differ(released, capsys, case):
    path = released / "solutions" / NAME
    notebook = load(path)
    alter, cells = DIFFERENT[case]
    alter(notebook["cells"])
    save(notebook, path)
    before = snapshot(released)
    assert release.main(["--check"]) == 1
    assert f"{NAME}: notebooks/ differs in {cells}\n" in capsys.readouterr().out
    assert snapshot(released) == before


def test_check_reports_a_notebook_not_made_yet(folder, capsys):
    assert release.main(["--check"]) == 1
    assert f"{NAME}: it is not in notebooks/ yet" in capsys.readouterr().out
    assert not (folder / "notebooks" / NAME).exists()


@pytest.mark.parametrize("flag", ["--no-run", "--check"])
def test_notebook_without_solution_is_reported(released, capsys, flag):
    shutil.copy(released / "notebooks" / NAME, released / "notebooks" / "09_gone.ipynb")
    assert release.main([flag]) == 1
    assert "notebooks/09_gone.ipynb: it has no solution" in capsys.readouterr().out
    assert (released / "notebooks" / "09_gone.ipynb").exists()


# ---- the hash that tells whether somebody worked in a notebook


def test_hash_ignores_all_but_sources_and_types():
    notebook = load(FIXTURES / "notebooks" / NAME)
    other = copy.deepcopy(notebook)
    other["metadata"]["more"] = 1
    for cell in other["cells"]:
        cell["metadata"]["more"] = 1
        cell["source"] = "".join(cell["source"])
        cell["id"] += "-x"
    other["cells"].append({"cell_type": "code", "source": "\n", "metadata": {}})
    assert work_folder.hash_sources(other) == work_folder.hash_sources(notebook)


@pytest.mark.parametrize(
    "alter",
    [
        lambda c: c[1].update(source="import math "),
        lambda c: c[1].update(cell_type="raw"),
        lambda c: c.pop(),
        lambda c: c.insert(0, c.pop()),
        lambda c: c.append({"cell_type": "markdown", "source": "a note"}),
    ],
)
def test_hash_sees_work(alter):
    notebook = load(FIXTURES / "notebooks" / NAME)
    notebook["cells"].pop()  # the blank one
    other = copy.deepcopy(notebook)
    alter(other["cells"])
    assert work_folder.hash_sources(other) != work_folder.hash_sources(notebook)


# ---- the course itself


@pytest.mark.parametrize("name", work_folder.lessons(release.SOLUTIONS))
def test_committed_notebook_is_what_release_makes(name):
    solution = release.read(release.SOLUTIONS, name)
    assert release.problems(solution, executed=True) == []
    found = release.differences(release.exercises(solution), name)
    if found == [release.WORKED_IN] and not os.environ.get("CI"):
        pytest.skip(f"somebody has worked in notebooks/{name}")
    assert found == [], "run: python3 course.py release"


def test_every_committed_notebook_has_a_solution():
    lessons = work_folder.lessons
    extra = set(lessons(release.NOTEBOOKS)) - set(lessons(release.SOLUTIONS))
    assert extra == set()


@pytest.mark.parametrize("name", work_folder.lessons(release.SOLUTIONS))
def test_committed_solutions_hold_no_widgets(name):
    text = Path(release.SOLUTIONS, name).read_text(encoding="utf-8")
    assert release.WIDGET not in text and '"widgets"' not in text


@pytest.mark.parametrize("name", work_folder.lessons(release.NOTEBOOKS)[:-1])
def test_where_run_all_ends_it_is_said_how_to_find_the_place_where_it_stopped(name):
    last = release.read(release.NOTEBOOKS, name).cells[-1]
    assert last.source == release.STOPPED + "progress()"
