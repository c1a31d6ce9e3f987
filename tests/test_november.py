"""A student in the middle of the course updates: notebooks of November 2026 go on working.

`fixtures/november/` holds what the ten notebooks, filled in, handed to the checks on 26 November
2026: imports, definitions, exercises and checks. Its `ids.json` says for the mistakes that had
another id then what most of their 2,339 wrong functions are called now.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from test_mutants import PARTS

from helpers.checks.explain import general_mistakes

FOLDER = Path(__file__).parent / "fixtures" / "november"
LESSONS = sorted(path.stem for path in FOLDER.glob("*.py"))


def notebook(path):
    cells = []
    for part in re.split(r"^# %%", path.read_text(encoding="utf-8"), flags=re.M)[1:]:
        mark, _, source = part.partition("\n")
        cell = nbformat.v4.new_code_cell(source.strip())
        if mark.strip():
            cell.metadata["nbgrader"] = {"grade_id": mark.strip()}
        cells.append(cell)
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return made


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    for path in FOLDER.glob("*.py"):
        nbformat.write(notebook(path), folder / f"{path.stem}.ipynb")
    return folder


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_of_november_passes_all_its_checks(lesson, work):
    made = nbformat.read(work / f"{lesson}.ipynb", as_version=4)
    NotebookClient(made, timeout=120, resources={"metadata": {"path": str(work)}}).execute()
    said = "\n".join(output.data.get("text/plain", "") for cell in made.cells
                     for output in cell.outputs if output.output_type == "display_data")
    checks = [cell.metadata["nbgrader"]["grade_id"].removesuffix("-check") for cell in made.cells
              if cell.source.startswith("check.")]
    assert checks
    assert [name for name in checks if f"✓ Correct · {name}" not in said] == []


def test_an_id_of_november_leads_to_one_that_the_checks_can_say_today():
    general = {name for names in general_mistakes() for name in names.split(", ")}
    starts = tuple(name.rstrip("…") for name in general if name.endswith("…"))
    ids = {}
    for part in PARTS.values():
        ids.setdefault(part.id, set(general)).update(mistake.id for mistake in part.mistakes)
    table = json.loads((FOLDER / "ids.json").read_text(encoding="utf-8"))
    assert [(exercise, old, new) for exercise, row in table.items() for old, new in row.items()
            if new not in ids[exercise] and not new.startswith(starts)] == []
