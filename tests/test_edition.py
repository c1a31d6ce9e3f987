"""The edition without solutions, and what grading does to `mine` and to skipped answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import course
from helpers.checks.catalogue import mistakes
from helpers.memory.overview import LESSONS
from teach.edition import ENCODED, IN_VAIN, main, make, without_offers
from teach.handins import checks_of, notebook_of

ROOT = Path(__file__).parents[1]
IDS = """
import json
from helpers.checks.catalogue import mistakes
from helpers.memory.overview import LESSONS
import importlib
from helpers.checks.exercise import exercises
print(json.dumps({part.id + part.name: [[m.id, m.message] for m in mistakes(part.id, part.name)]
    for lesson in LESSONS for check in exercises(importlib.import_module(
        f"helpers.checks.lesson_{lesson}")) for part in check.parts}))
"""


def python(code: str, where: Path, course: Path, **variables: str) -> str:
    """Run code as a notebook in a folder does, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=where, text=True, capture_output=True, check=True,
        env={**os.environ, "PYTHONPATH": str(course), **variables})
    return done.stdout


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    out = tmp_path_factory.mktemp("edition") / "course"
    make(out)
    (out / "work").mkdir()
    return out


def test_no_answer_can_be_read_and_nothing_is_offered_in_vain(edition):
    assert not [*edition.rglob("solutions"), *edition.rglob("teach"), *edition.rglob("answers"),
                *edition.glob("data/*.py")]
    for page in (edition / "helpers" / "checks" / "mistakes").glob("[0-9]*.md"):
        assert page.read_text(encoding="utf-8").startswith(ENCODED) and "protection" in ENCODED
    texts = [edition / "README.md", edition / "helpers" / "checks" / "mistakes" / "general.md"]
    for path in texts + sorted((edition / "notebooks").glob("*.ipynb")):
        assert not IN_VAIN.search(path.read_text(encoding="utf-8")), path.name
    readme = texts[0].read_text(encoding="utf-8")
    assert "protects nothing" in readme and "solutions/" not in readme
    links = re.findall(r"\]\(([^)#:]+)\)", readme)
    assert len(links) > 10 and all((edition / link).exists() for link in links)


def test_every_name_of_a_mistake_survives(edition):
    found = json.loads(python(IDS, edition / "work", edition))
    parts = [part for lesson in LESSONS for check in checks_of(lesson) for part in check.parts]
    assert found == {part.id + part.name: [[m.id, m.message] for m in mistakes(
        part.id, part.name)] for part in parts}


def test_checks_and_mine_work_there(edition):
    name = notebook_of("01").name
    notebook = json.loads((edition / "notebooks" / name).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "01-sigmoid":
            cell["source"] = "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))"
    (edition / "work" / name).write_text(json.dumps(notebook))
    wrong = mistakes("01-sigmoid", "sigmoid")[0]
    said = python(f"""
import numpy as np
from helpers.checks import CheckFailed, lesson_01, mine, solution
for ids in (["01-sigmoid"], ["01-forward"], ["01-sigmoid", "01-forward"], ["03-forward"]):
    try:
        mine(*ids)
    except CheckFailed as error:
        print(error)
{wrong.source}
try:
    lesson_01.sigmoid(sigmoid)
except CheckFailed as error:
    print(error.mistake)
solution("01-forward")
""", edition / "work", edition)
    assert "Your own `sigmoid`" in said and wrong.message in said and f"\n{wrong.id}\n" in said
    assert "skip" not in said and "not here" in said


def test_a_notebook_with_answers_is_not_handed_out(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("teach.edition.is_untouched", lambda path: "02" not in path.name)
    with pytest.raises(SystemExit):
        main(["--without-solutions", str(tmp_path / "out")])
    assert "may hold answers" in capsys.readouterr().err and not (tmp_path / "out").exists()
    with pytest.raises(SystemExit):
        main(["--without-solutions", str(ROOT / "data" / "out")])


def test_a_command_that_is_not_there_installs_nothing(edition):
    for command in ("release", "report"):
        done = subprocess.run([sys.executable, "course.py", command], cwd=edition, text=True,
                              capture_output=True, timeout=120)
        assert "which that needs" in done.stderr and not (edition / ".venv").exists()


def test_the_tests_pass_there(edition):
    python("import pytest, sys; sys.exit(pytest.main(['-q', '-n0', '-p', 'no:cacheprovider', "
           "'tests/test_work_folder.py']))", edition, edition)
    assert "helpers.solutions" not in (edition / "pyproject.toml").read_text(encoding="utf-8")


def test_only_sentences_that_offer_a_solution_are_left_out():
    text = 'One. Or `skip("01-a")`.\nTwo.\n\n- Three (for the lazy: `skip`).\n- Four.\n'
    assert re.sub(r"\s+", " ", without_offers(text)).strip() == "One. Two. - Four."


# ---- grading mode


GRADED = """
from helpers.checks import CheckFailed, lesson_01, mine, skip
forward, sigmoid = mine("01-forward", "01-sigmoid")
print(forward.skipped_exercise)
try:
    lesson_01.forward(forward)
    print("passed")
except CheckFailed as error:
    print(error.mistake)
lesson_01.squared_error(lambda y, Y_hat: ((y - Y_hat) ** 2).sum() / 2)
"""


def settings() -> dict[str, str]:
    """Return the variables that the configuration for nbgrader sets, without nbgrader."""
    code = (ROOT / "teach" / "nbgrader_config.py").read_text(encoding="utf-8")
    seen = python("import sys\nfrom unittest.mock import MagicMock as get_config\n"
                  "sys.modules.update({'nbgrader': get_config(), 'nbgrader.preprocessors': "
                  f"get_config(DeduplicateIds=object)}})\nexec({code!r})\n"
                  "import json\nprint(json.dumps(dict(os.environ)))", ROOT, ROOT)
    return {k: v for k, v in json.loads(seen).items() if k.startswith("COURSE_")}


def test_a_grader_hands_over_earlier_functions_and_gives_nothing_for_them(tmp_path):
    (tmp_path / "a.ipynb").write_text('{"cells": []}')
    said = python(GRADED, tmp_path, ROOT, **settings())
    assert "2 exercises come along" in said and "\nskipped\n" in said and "passed" not in said
    assert "Skipped · 01-forward" in said


def test_a_grader_hands_over_the_solution_for_a_wrong_earlier_function(tmp_path):
    shutil.copy(ROOT / "notebooks" / notebook_of("01").name, tmp_path)
    assert "\nskipped\n" in python(GRADED, tmp_path, ROOT, **settings())


def test_without_a_grader_nothing_is_handed_over(tmp_path):
    (tmp_path / "a.ipynb").write_text('{"cells": []}')
    with pytest.raises(subprocess.CalledProcessError):
        python(GRADED, tmp_path, ROOT)


def test_the_launcher_only_dispatches(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(course.installer, "set_up", lambda *parts: None)
    monkeypatch.setattr(course, "hand_over", lambda command: called.append(command) or 0)
    monkeypatch.setenv("COURSE_CALLED_FROM", "")
    monkeypatch.chdir(tmp_path)
    assert [course.main([name, "x"]) for name in ("report", "edition")] == [0, 0]
    assert called == [[course.PYTHON, "-m", "teach", name, "x"] for name in ("report", "edition")]
    assert os.environ["COURSE_CALLED_FROM"] == str(tmp_path)
