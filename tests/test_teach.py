"""The report on a class: every outcome and mistake, whatever has been handed in, in any layout."""

from __future__ import annotations

import copy
import csv
import functools
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers import folder
from helpers.checks import catalogue
from helpers.memory.overview import LESSONS
from teach import page
from teach.handins import checks_of, find, notebook_of
from teach.report import points

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "tests" / "fixtures" / "notebooks"
SIZE = 40


def solution(lesson: str) -> dict:
    """Return a lesson's solution, without outputs."""
    notebook = json.loads(notebook_of(lesson).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        cell |= {"outputs": []} if cell["cell_type"] == "code" else {}
    return notebook


def index(notebook: dict, mark: str) -> int:
    return next(n for n, cell in enumerate(notebook["cells"])
                if cell["metadata"].get("nbgrader", {}).get("grade_id") == mark)


def answered(lesson: str, **answers: str) -> dict:
    """Return a solution with other answers, by the exercises' attributes."""
    notebook = solution(lesson)
    for name, source in answers.items():
        mark = f"{lesson}-{name.replace('_', '-')}"
        notebook["cells"][index(notebook, mark)]["source"] = f"import math\n{source}"
    return notebook


def run(where: Path, out: Path, *options: str) -> dict[tuple[str, str], dict]:
    """Make a report as an instructor does, and return its rows by student and exercise."""
    subprocess.run([sys.executable, "-m", "teach", "report", str(where), "--out", str(out),
                    *options], cwd=ROOT, check=True, env=os.environ | {
                       "TQDM_DISABLE": "1", "PYTHONWARNINGS": ""})
    with (out / "exercises.csv").open(encoding="utf-8") as stream:
        return {(row["student"], row["exercise"]): row for row in csv.DictReader(stream)}


# ---- a class of 40 with known mistakes


def known_mistakes() -> list[dict[str, catalogue.Mistake]]:
    """Return the mistakes of each student: none, one, or an early and a late one."""
    checks = checks_of("01")
    lists = {check.attribute: list({m.id: m for m in catalogue.mistakes(
        check.id, check.parts[0].name)}.values()) for check in checks}
    makes: list[dict] = [{} for _ in range(4)]
    for number in range(SIZE - 4):
        check = checks[number % len(checks)].attribute
        own = {check: lists[check][3 * number % len(lists[check])]}
        if number % 4 == 0:
            own |= {"sigmoid": lists["sigmoid"][0]}
        makes.append(own)
    return makes


def hand_in(where: Path) -> None:
    """Write what the class hands in, in three layouts."""
    for number, own in enumerate(known_mistakes()):
        notebook = json.dumps(answered("01", **{name: m.source for name, m in own.items()}))
        name = f"student{number:02}"
        if number % 3 == 0:
            (where / f"{name}_4711_01_forward_pass.ipynb").write_text(notebook)
        elif number % 3 == 1:
            (where / name).mkdir()
            (where / name / "01_forward_pass.ipynb").write_text(notebook)
        else:
            with zipfile.ZipFile(where / f"{name}.zip", "w") as archive:
                archive.writestr("work/01_forward_pass.ipynb", notebook)


def test_every_outcome_and_mistake_of_a_class_is_right(tmp_path):
    where, out = tmp_path / "in", tmp_path / "out"
    where.mkdir()
    hand_in(where)
    rows = run(where, out)
    assert len(rows) == SIZE * len(checks_of("01"))
    for number, own in enumerate(known_mistakes()):
        name = f"student{number:02}" + ("_4711" if number % 3 == 0 else "")
        for check in checks_of("01"):
            row, mistake = rows[name, check.id], own.get(check.attribute)
            told = row["outcome"], row["mistake"]
            if mistake:
                assert told == ("not yet", mistake.id), (name, row)
            else:
                assert row["outcome"] in ("correct", "follows"), (name, row)
                assert row["outcome"] == "correct" or row["own_mistake"].startswith("uses-")
            assert row["points"] == ("0" if mistake else row["out_of"])
    look_at_page(out, rows)
    go_on(where, out)


def look_at_page(out, rows):
    """The page ranks the mistakes, and needs no network."""
    page = (out / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|https?:|@import|url\(", page)
    assert "prefers-color-scheme: dark" in page
    wrong = [(row["exercise"], row["mistake"]) for row in rows.values()
             if row["outcome"] == "not yet"]
    ranked = re.findall(r"<td class=n>(\d+)<td class=n>\d+ %<td class=id>(\S+?)"
                        r"<td class=id><code>([^<]+)</code>", page)
    assert {(exercise, mistake): int(n) for n, exercise, mistake in ranked} == {
        key: wrong.count(key) for key in wrong}
    assert [int(n) for n, *_ in ranked] == sorted((int(n) for n, *_ in ranked), reverse=True)
    assert any(row["outcome"] == "follows" for row in rows.values())
    assert "What followed from what" in page and "Equal code" in page


def go_on(where, out):
    """A report goes on where it stopped, and comes to the same."""
    before = {path: path.read_bytes() for path in out.glob("*.*") if path.is_file()}
    kept = sorted((out / ".results").glob("*.json"))
    times = [path.stat().st_mtime_ns for path in kept[1:]]
    kept[0].unlink()
    run(where, out)
    assert [path.stat().st_mtime_ns for path in kept[1:]] == times and kept[0].exists()
    assert before == {path: path.read_bytes() for path in before}


# ---- what has been damaged

STUB = 'def {0}(*args):\n    raise NotImplementedError("01-{1}")'
SIGMOID = "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))"
ALL = tuple(check.id for check in checks_of("01"))


def without(notebook, mark):
    del notebook["cells"][index(notebook, mark)]
    return notebook


def changed(notebook, mark, **cell):
    notebook["cells"][index(notebook, mark)].update(cell)
    return notebook


def with_more(notebook, before, *sources, metadata=None):
    at = index(notebook, before)
    notebook["cells"][at:at] = [{"cell_type": "code", "metadata": metadata or {}, "outputs": [],
                                 "source": source, "execution_count": None} for source in sources]
    return notebook


def without_metadata(notebook, value):
    for cell in notebook["cells"]:
        cell["metadata"] = value
    return notebook


def doing(line):
    return answered("01", sigmoid=f"import os, time, subprocess\ndef sigmoid(z):\n    {line}\n"
                    "    return 1 / (1 + np.exp(-z))")


FORGED = """
import gc, json
from multiprocessing.connection import Connection
def sigmoid(z):
    for pipe in gc.get_objects():
        if isinstance(pipe, Connection):
            pipe.send_bytes(json.dumps({"exercise": "01-sigmoid", "outcome": "<b>"}).encode())
    return 1 / (1 + np.exp(-z))
"""


def as_bytes(encoding):
    return json.dumps(solution("01"), ensure_ascii=False).encode(encoding)


def sigmoid_is(outcome, mistake=""):
    """Return what is expected where only the sigmoid is not right."""
    return {"01-sigmoid": (outcome, mistake)}


@functools.cache
def damaged() -> dict[str, tuple]:
    """Return name -> (notebook or bytes, exercise -> (outcome, mistake) where not correct)."""
    unread = dict.fromkeys(ALL, ("not handed in", ""))
    text = json.dumps(solution("01"))
    twice = copy.deepcopy(solution("01")["cells"][index(solution("01"), "01-sigmoid")])
    stub = STUB.format("sigmoid", "sigmoid")
    return {
        "empty": (b"", unread), "text": (b"see my mail", unread),
        "half": (text[:len(text) // 2].encode(), unread),
        "page": (b"<!DOCTYPE html><p>log in", unread),
        "merge": (b"{\n<<<<<<< HEAD\n}", unread), "latin": (as_bytes("utf-8") + b"\xe4", unread),
        "list": (b"[1, 2]", unread), "no-cells": (b'{"cells": 3}', unread),
        "deep": (b"[" * 100_000, unread),
        "utf16": (as_bytes("utf-16"), {}), "bom": (as_bytes("utf-8-sig"), {}),
        "cell-deleted": (without(solution("01"), "01-sigmoid"), sigmoid_is("missing")),
        "check-deleted": (without(solution("01"), "01-sigmoid-check"), {}),
        "cell-twice": (with_more(solution("01"), "01-sigmoid-check", twice["source"],
                                 metadata=twice["metadata"]), {}),
        "stub-below": (with_more(solution("01"), "01-sigmoid-check", stub,
                                 metadata=twice["metadata"]), {}),
        "answer-below": (with_more(answered("01", sigmoid=stub), "01-forward", SIGMOID), {}),
        "split": (with_more(answered("01", sigmoid=SIGMOID.replace("np.exp(-z)", "half(z)")),
                            "01-sigmoid", "def half(z):\n    return np.exp(-z)"), {}),
        "retyped": (changed(solution("01"), "01-sigmoid", cell_type="markdown"), {}),
        "retyped-raw": (changed(solution("01"), "01-sigmoid", cell_type="raw",
                                metadata={}), {}),
        "unmarked": (without_metadata(solution("01"), {}), {}),
        "marks-are-lists": (without_metadata(solution("01"), [1]), {}),
        "renamed": (answered("01", sigmoid=SIGMOID.replace("sigmoid", "sigmoide")),
                    sigmoid_is("missing")),
        "syntax": (answered("01", sigmoid=SIGMOID.replace(":", "")),
                   sigmoid_is("not yet", "cannot-be-read")),
        "syntax-inside": (answered("01", sigmoid=SIGMOID + "\n    )"),
                          sigmoid_is("not yet", "cannot-be-read")),
        "none": (answered("01", sigmoid="sigmoid = None"),
                 sigmoid_is("not yet", "not-a-function")),
        "stubs": (answered("01", sigmoid=stub, forward=STUB.format("forward", "forward")),
                  {"01-sigmoid": ("not attempted", ""), "01-forward": ("not attempted", "")}),
        "skip": (answered("01", sigmoid='sigmoid = skip("01-sigmoid")'), sigmoid_is("skipped")),
        "truth": (answered("01", sigmoid="sigmoid = check.sigmoid.truth"),
                  sigmoid_is("borrowed")),
        "truth-called": (answered("01", sigmoid="def sigmoid(z):\n    return "
                                  "check.sigmoid.truth(z)"), sigmoid_is("borrowed")),
        "data": (answered("01", sigmoid="def sigmoid(z):\n    return 1 / (1 + np.exp(-z + 0 * X))"),
                 sigmoid_is("not yet", "uses-notebook-data")),
        "endless": (doing("while True: pass"), sigmoid_is("not yet", "endless")),
        "endless-native": (doing("sum(iter(int, 1))"), sigmoid_is("not yet", "endless")),
        "endless-default": (answered("01", sigmoid="def sigmoid(z, b=sum(iter(int, 1))):\n"
                                     "    return z"),
                            sigmoid_is("not yet", "endless")),
        "exit": (doing("os._exit(0)"), sigmoid_is("not yet", "process-ended")),
        "killed": (doing("os.kill(os.getpid(), 9)"), sigmoid_is("not yet", "process-ended")),
        "memory": (doing("[bytearray(2**26) for _ in range(99)]"), sigmoid_is("not yet", None)),
        "recursion": (doing("return sigmoid(z)"), sigmoid_is("not yet", None)),
        "forks": (doing("os.fork(); os.fork()"), {}),
        "raises": (doing("raise SystemExit"), sigmoid_is("not yet", None)),
        "large-file": (doing("open('a', 'w').write('x' * 2**22)"), sigmoid_is("not yet", None)),
        "prints": (doing("os.write(1, b'x' * 9999); os.write(2, b'y')"), {}),
        "no-folder": (doing("os.rmdir(os.getcwd())"), sigmoid_is("not yet", None)),
        "forged": (answered("01", sigmoid=FORGED), sigmoid_is("not yet", "process-ended")),
        "no-text": (doing(r"raise ValueError('<b>\ud83d' * 10**6)"), sigmoid_is("not yet", None)),
        "too-deep": (answered("01", sigmoid=SIGMOID + " + " + "-" * 99_999 + "z"),
                     sigmoid_is("not yet", "cannot-be-read")),
        "no-unicode": (answered("01", sigmoid=SIGMOID + "  # \ud83d"),
                       sigmoid_is("not yet", "cannot-be-read")),
        "=1+1": (solution("01"), {}), "<i>": (solution("01"), {}),
    }


def put_damaged(where: Path, names) -> None:
    for name in names:
        notebook = damaged()[name][0]
        raw = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        (where / name).mkdir(parents=True)
        (where / name / "01_forward_pass.ipynb").write_bytes(raw)


def test_a_damaged_hand_in_costs_one_exercise_and_never_the_batch(tmp_path):
    where = tmp_path / "in"
    put_damaged(where, damaged())
    (where / "not-a.zip").write_bytes(b"PK nothing")
    (where / "notes.txt").write_text("ignored")
    before = {path: path.stat().st_mtime_ns for path in where.rglob("*")}
    rows = run(where, tmp_path / "out", "--seconds", "8")
    rows = {(name.removeprefix("'"), exercise): row for (name, exercise), row in rows.items()}
    assert before == {path: path.stat().st_mtime_ns for path in where.rglob("*")}
    wrong = []
    for name, (_, expected) in damaged().items():
        for exercise in ALL:
            outcome, mistake = expected.get(exercise, ("correct", ""))
            row = rows[name, exercise]
            follows = outcome == "correct" and row["outcome"] == "follows"
            if not follows and (row["outcome"] != outcome or mistake not in (None, row["mistake"])):
                wrong.append(row)
    assert not wrong and len(damaged()) >= 20
    assert "MemoryError" in rows["too-deep", "01-sigmoid"]["message"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "not-a" in page and "half/01_forward_pass.ipynb" in page and "notes" not in page
    assert "<b>" not in page and "&lt;b&gt;" in page and "<i>" not in page and len(page) < 2**20
    table = (tmp_path / "out" / "students.csv").read_text(encoding="utf-8")
    assert "\n'=1+1," in table and "\n=" not in table


def test_a_second_report_has_the_same_bytes(tmp_path):
    put_damaged(tmp_path / "in", ("skip", "endless", "exit", "half"))
    run(tmp_path / "in", tmp_path / "one", "--jobs", "1")
    run(tmp_path / "in", tmp_path / "two", "--jobs", "3")
    for name in ("report.html", "exercises.csv", "students.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


# ---- right answers, and layouts


def test_solutions_have_all_points_and_stubs_none(tmp_path):
    pytest.importorskip("torch", reason="lesson 08 needs PyTorch")
    for name, there in (("ada", folder("solutions")), ("bob", ROOT / "notebooks")):
        (tmp_path / "in" / name).mkdir(parents=True)
        for path in there.glob("[0-9][0-9]_*.ipynb"):
            (tmp_path / "in" / name / path.name).write_bytes(path.read_bytes())
    rows = run(tmp_path / "in", tmp_path / "out")
    assert len(rows) > 100
    for (name, _), row in rows.items():
        assert row["outcome"] == ("correct" if name == "ada" else "not attempted"), row


def put(where: Path, name: str) -> None:
    """Write a small notebook of the lesson that a path names."""
    lesson = re.findall(r"(\d\d)_", name)[-1]
    mark = {"nbgrader": {"grade_id": checks_of(lesson)[0].id}}
    raw = json.dumps({"cells": [{"cell_type": "code", "source": "", "metadata": mark}]})
    outer, _, inner = name.partition(".zip/")
    path = where / (f"{outer}.zip" if inner else outer)
    path.parent.mkdir(parents=True, exist_ok=True)
    if inner:
        deep, _, within = inner.partition(".zip/")
        if within:
            stream = io.BytesIO()
            with zipfile.ZipFile(stream, "w") as archive:
                archive.writestr(within, raw)
            raw, inner = stream.getvalue(), f"{deep}.zip"
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(inner, raw)
    else:
        path.write_text(raw)


@pytest.mark.parametrize("names", [
    ("smith_4711_02_backpropagation.ipynb", "smith_4711_05_moons.ipynb",
     "jones_12_02_backpropagation.ipynb"),
    ("submitted/smith_4711/02_backpropagation/02_backpropagation.ipynb",
     "submitted/jones_12/02_backpropagation/02_backpropagation.ipynb",
     "release/02_backpropagation/02_backpropagation.ipynb"),
    ("smith_4711/work/02_backpropagation.ipynb", "jones_12/02_backpropagation-fresh.ipynb",
     "jones_12/.ipynb_checkpoints/02_backpropagation-checkpoint.ipynb"),
    ("smith_4711.zip/work/02_backpropagation.ipynb", "jones_12.zip/02_backpropagation.ipynb"),
    ("The Moons.zip/smith_4711_8_assignsubmission_file/05_moons.ipynb",
     "Backprop, late.zip/smith_4711_3_assignsubmission_file/02_b.ipynb",
     "Backprop, late.zip/jones_12_9_assignsubmission_file/02_b.ipynb"),
    ("smith_4711/02_backpropagation.ipynb.txt", "jones_12/02_backpropagation.IPYNB.json"),
    ("smith_4711/mine/05_moons.ipynb", "smith_4711/mine/02_b.ipynb", "jones_12/mine/02_b.ipynb",
     "jones_12/again/02_b.ipynb"),
    ("all.zip/..\\smith_4711\\02_backpropagation.ipynb",
     "all.zip/jones_12\\work\\02_backpropagation.ipynb"),
    ("all.zip/smith_4711_02_backpropagation.ipynb", "all.zip/jones_12_02_backpropagation.ipynb"),
    ("all.zip/smith_4711.zip/02_backpropagation.ipynb",
     "all.zip/jones_12.zip/02_backpropagation.ipynb"),
    ("smith_4711_88_assignsubmission_file/02_backpropagation.ipynb",
     "jones_12_99_assignsubmission_file_/02_backpropagation.ipynb"),
    ("smith_4711_900001_02_backpropagation-1.ipynb",
     "jones_LATE_12_900002_02_backpropagation.ipynb"),
    ("02_backpropagation/smith_4711/02_backpropagation.ipynb",
     "02_backpropagation/jones_12/02_backpropagation.ipynb"),
    ("02_backpropagation_smith_4711.ipynb", "02_backpropagation_jones_12.ipynb"),
], ids=["lms", "nbgrader", "folders", "zips", "zip-a-lesson", "browser", "versions",
        "zip-of-windows", "zip-of-names", "zip-of-zips", "moodle", "canvas", "by-lesson",
        "name-last"])
def test_students_are_told_in_any_layout(names, tmp_path):
    for name in names:
        put(tmp_path, name)
    found, _ = find(tmp_path, ["02", "05"])
    assert {one.student for one in found} == {"smith_4711", "jones_12"}
    assert not any(one.problem for one in found)


def test_of_a_whole_course_the_notebook_with_most_work_counts(tmp_path):
    half = answered("01", forward=STUB.format("forward", "forward"))
    name = notebook_of("01").name
    for place, text in {
            "solutions": json.dumps(solution("01")), "work": json.dumps(half),
            "notebooks": (ROOT / "notebooks" / name).read_text(encoding="utf-8"),
            "n": (FIXTURES / "02_toy.ipynb").read_text(encoding="utf-8")}.items():
        (tmp_path / "ada" / place).mkdir(parents=True)
        (tmp_path / "ada" / place / name).write_text(text, encoding="utf-8")
    found, aside = find(tmp_path, ["01"])
    assert [one.path for one in found] == [f"ada/work/{name}"] and len(aside) == 3


def test_a_name_that_was_zipped_on_a_mac_is_the_same_name(tmp_path):
    for name in ("Zoe\u0308.zip/02_backpropagation.ipynb", "Zo\u00eb/05_moons.ipynb"):
        put(tmp_path, name)
    assert {one.student for one in find(tmp_path, ["02", "05"])[0]} == {"Zo\u00eb"}


def test_two_students_of_one_name_stay_two(tmp_path):
    for number in (1, 2):
        put(tmp_path, f"Jo Smith_{number}_assignsubmission_file/02_backpropagation.ipynb")
    assert len(find(tmp_path, ["02"])[0]) == 2


def test_what_cannot_be_read_is_told_and_costs_nobody_else(tmp_path):
    put(tmp_path, "all.zip/bob/01_b.ipynb")
    deep = b""
    for name in ("deepest.zip", "deeper.zip", "deep.zip"):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(name, deep)
        deep = stream.getvalue()
    with zipfile.ZipFile(tmp_path / "all.zip", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.zip", deep)
        archive.writestr("ann/01_a.ipynb", b"a" * 9999)
        archive.writestr("ann.rar", b"")
    raw = (tmp_path / "all.zip").read_bytes()
    at = raw.index(b"ann/01_a.ipynb") + len("ann/01_a.ipynb")
    (tmp_path / "all.zip").write_bytes(raw[:at] + b"\xff" * 9 + raw[at + 9:])
    (tmp_path / "link.ipynb").symlink_to(Path(__file__))
    (tmp_path / "eva.7z").touch()
    found, aside = find(tmp_path, ["01"])
    assert [one.path for one in found] == ["all/bob/01_b.ipynb"]
    assert {path: why.partition(":")[0] for path, why in aside} == {
        "all/a/deep/deeper.zip": "it lies in too many zip files",
        "all/ann.rar": "it is no zip file",
        "all/ann/01_a.ipynb": "it cannot be read from its zip file",
        "eva.7z": "it is no zip file", "link.ipynb": "it is a link to another file"}


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
def test_names_that_are_no_text_are_written_as_bytes(tmp_path):
    (tmp_path / "in" / os.fsdecode(b"ada\xe4")).mkdir(parents=True)
    put(tmp_path / "in" / os.fsdecode(b"ada\xe4"), "01_forward_pass.ipynb")
    found, aside = find(tmp_path / "in", ["01"])
    page.write(tmp_path, [found], {found[0].student: []}, aside, points())
    assert r"ada\udce4" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_report_is_not_written_into_what_was_handed_in(tmp_path):
    put(tmp_path, "smith_4711_02_backpropagation.ipynb")
    done = subprocess.run([sys.executable, "-m", "teach", "report", str(tmp_path), "--out",
                           str(tmp_path / "report")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode and "choose another" in done.stderr and len([*tmp_path.iterdir()]) == 1


def test_the_weeks_in_the_readme_have_the_points_of_the_checks():
    known = points()
    rows = re.findall(r"^\| \S+ \| [–\d, ]+ \| ([^|]+) \| [\d.]+ \| ([\d +]+) \| \*\*(\S+)\*\* \|$",
                      (ROOT / "teach" / "README.md").read_text(encoding="utf-8"), re.M)
    said = {lesson: int(number) for lessons, numbers, _ in rows for lesson, number in zip(
        re.findall(r"\d\d", lessons), numbers.split(" + "), strict=True)}
    assert said == {lesson: sum(number for name, number in known.items() if name[:2] == lesson)
                    for lesson in LESSONS}
    assert {one for _, _, one in rows} <= set(known)
