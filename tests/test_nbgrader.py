"""A lesson graded by nbgrader itself, with the settings in `teach`; only where it is installed."""

from __future__ import annotations

import copy
import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_teach import index, solution, without

from helpers.checks.catalogue import mistakes
from teach.handins import notebook_of

pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install .[teach]")
ROOT = Path(__file__).parents[1]
NAME = notebook_of("02").stem
PRIME, REPAIR = "02-sigmoid-prime", "02-repair"


def nbgrader(where: Path, *command: str) -> int:
    """Run nbgrader in the folder of the class, and return its exit code."""
    return subprocess.run([sys.executable, "-m", "nbgrader", *command], cwd=where,
                          env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": ""}
                          ).returncode


def submissions(released: dict) -> dict[str, tuple[dict, float]]:
    """Return what is handed in, by its kind, and the points it gets of 14."""
    right = {cell["metadata"]["nbgrader"]["grade_id"]: cell["source"]
             for cell in solution("02")["cells"] if cell["metadata"].get("nbgrader")}

    def handed(**answers):
        notebook = copy.deepcopy(released)
        for cell in notebook["cells"]:
            mark = cell["metadata"].get("nbgrader", {})
            if mark.get("solution"):
                name = mark["grade_id"]
                cell["source"] = answers.get(name[3:].replace("-", "_"), right[name])
        return notebook

    twice, retyped = handed(), handed()
    at = index(twice, PRIME)
    twice["cells"].insert(at, {**copy.deepcopy(twice["cells"][at]), "id": "copied"})
    cell = retyped["cells"][index(retyped, PRIME)]
    retyped["cells"][index(retyped, PRIME)] = {
        key: value for key, value in cell.items() if key not in ("outputs", "execution_count")
    } | {"cell_type": "markdown"}

    def repaired(line):
        return handed(repair=f"import os\ndef repaired_backprop(*args):\n    {line}")

    points = next(cell["metadata"]["nbgrader"]["points"] for cell in released["cells"]
                  if cell["metadata"].get("nbgrader", {}).get("grade_id") == f"{REPAIR}-check")
    return {
        "full": (handed(), 14), "empty": (released, 0),
        "half": (handed(repair=mistakes(REPAIR, "repaired_backprop")[0].source), 14 - points),
        "deleted": (without(handed(), f"{PRIME}-check"), 13),
        "duplicated": (twice, 14), "retyped": (retyped, 14),
        "endless": (repaired("while True: pass"), 14 - points),
        "dead": (repaired("os._exit(1)"), 0),
        "memory": (repaired("return [bytearray(2**28) for _ in range(99)]"), 14 - points),
        "skipped": (handed(repair="from helpers.checks import skip\n"
                           f'repaired_backprop = skip("{REPAIR}")'), 14 - points),
    }


def test_every_submission_gets_its_points_and_none_costs_the_batch(tmp_path):
    shutil.copy(ROOT / "teach" / "nbgrader_config.py", tmp_path)
    (tmp_path / "source" / NAME).mkdir(parents=True)
    shutil.copy(notebook_of("02"), tmp_path / "source" / NAME)
    assert nbgrader(tmp_path, "generate_assignment", NAME) == 0
    file = f"{NAME}/{NAME}.ipynb"
    released = json.loads((tmp_path / "release" / file).read_text(encoding="utf-8"))
    for cell in released["cells"]:
        cell["source"] = "".join(cell["source"])
    kinds = submissions(released)
    for kind, (notebook, _) in kinds.items():
        (tmp_path / "submitted" / kind / NAME).mkdir(parents=True)
        (tmp_path / "submitted" / kind / file).write_text(json.dumps(notebook))
    nbgrader(tmp_path, "autograde", NAME)  # says with its exit code that one kernel has died
    assert nbgrader(tmp_path, "generate_feedback", NAME) == 0
    assert nbgrader(tmp_path, "export") == 0
    with (tmp_path / "grades.csv").open(encoding="utf-8") as stream:
        found = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)}
    assert found == {kind: points for kind, (_, points) in kinds.items()}
    feedback = {path.parents[1].name for path in (tmp_path / "feedback").rglob("*.html")}
    assert feedback == kinds.keys() - {"dead"}
