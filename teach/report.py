"""Write a report on a class: judge every hand-in in a process of its own, then a page and tables.

The code of students runs here, with limits but without a sandbox: `teach/README.md` says how to
contain it.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tqdm import tqdm

from helpers.memory.overview import LESSONS
from teach import page
from teach.handins import HandIn, checks_of, find, notebook_of
from teach.student import row_of, work

ROOT = Path(__file__).resolve().parents[1]
STARTING = 120  # seconds until a process has loaded the checks
LARGEST_ROW = 2**20  # bytes
DEATHS = 4  # after so many, a hand-in is given up
LOADED = ("teach.student", "helpers.plots3d", "pandas", "sklearn.model_selection")
ENDED = {
    "endless": "It did not come to an end, and its process was ended.",
    "process-ended": "It ended the process that judged it: by os._exit, a crash, or for want of "
                     "memory."}
WARNING = """\
This runs the code that students have handed in, on this computer and as you, with limits on time,
memory, files and processes. It is no sandbox: teach/README.md has the recipe of a container."""


class Worker:
    """Judges students, each in a process of its own.

    Attributes
    ----------
    kept : the folder with the results there are, by what they depend on
    seconds : for one exercise, where no limit inside the process stops it
    """

    def __init__(self, kept: Path, seconds: float, torch: bool):
        self.kept, self.seconds, self.running, self.over = kept, seconds, set(), False
        self.course = _hash_of_course()
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = "1"
        os.environ["PYTHONPATH"] = str(ROOT)
        forks = "forkserver" in multiprocessing.get_all_start_methods()
        self.context = multiprocessing.get_context("forkserver" if forks else "spawn")
        if forks:  # what every process needs is loaded once
            self.context.set_forkserver_preload([*LOADED, *(["torch"] if torch else [])])

    def results(self, student: list[HandIn]) -> list[dict]:
        """Return a row for each exercise of a student's hand-ins, judged now or before."""
        lessons = {one.lesson: {"name": Path(one.path).name, "cells": one.cells}
                   for one in student if not one.problem}
        depends = json.dumps([self.course, self.seconds, lessons])
        key = hashlib.sha256(depends.encode()).hexdigest()[:32]
        file = self.kept / f"{key}.json"
        with contextlib.suppress(OSError, ValueError):
            return json.loads(file.read_text(encoding="utf-8"))
        rows = self.judge(lessons)
        if not self.over:
            half = self.kept / f"{key}-{threading.get_ident()}.half"
            half.write_text(json.dumps(rows), encoding="utf-8")
            half.replace(file)
        return rows

    def judge(self, lessons: dict) -> list[dict]:
        """Judge all exercises; where one ends the process, another one goes on after it."""
        todo = [check.id for lesson in sorted(lessons) for check in checks_of(lesson)]
        done: dict[str, dict] = {}
        stuck: list[str] = []
        for _ in range(DEATHS):
            left = [name for name in todo if name not in done]
            if not left or self.over:
                break
            wrong = [n for n, row in done.items() if row["outcome"] not in ("correct", "follows")]
            at, why = self.run({"lessons": lessons, "todo": left, "stuck": stuck, "wrong": wrong},
                               done)
            if at:
                stuck.append(at)
                done[at] = row_of(at, "not yet", why, ENDED[why])
        return [done.get(name) or row_of(name, "not judged", "", "Other exercises have ended too "
                                         "many processes.") for name in todo]

    def run(self, job: dict, done: dict[str, dict]) -> tuple[str, str]:
        """Run one process, note its rows; return the exercise that ended it, if any, and why."""
        ours, theirs = self.context.Pipe()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            process = self.context.Process(target=work, args=(json.dumps(job), scratch, theirs))
            process.start()
            self.running.add(process)
            theirs.close()
            at, why = "", "process-ended"
            try:
                answer(ours, STARTING)
                for at in job["todo"]:
                    row = answer(ours, self.seconds)
                    if not is_row(row, at):
                        raise ValueError("a student has written it")
                    done[at] = row
                at = ""
            except TimeoutError:
                why = "endless"
            except (EOFError, OSError, ValueError, RecursionError):
                pass
            end(process)
            self.running.discard(process)
        return at, why

    def stop(self) -> None:
        """End all processes."""
        self.over = True
        for process in list(self.running):
            end(process)


def answer(pipe: Connection, seconds: float) -> Any:
    """Return what a process says next, which is never unpickled: it may be a student's."""
    if not pipe.poll(seconds):
        raise TimeoutError
    return json.loads(pipe.recv_bytes(LARGEST_ROW))


def is_row(row: Any, exercise: str) -> bool:
    """Whether it has all that a row of this exercise has, and nothing of another type."""
    blank = row_of(exercise, "", "", "")
    return isinstance(row, dict) and row.keys() == blank.keys() and (
        row["exercise"] == exercise and row["outcome"] in [*page.SIGNS]
        and all(type(row[key]) is type(value) for key, value in blank.items()))


def end(process: multiprocessing.Process) -> None:
    """End a process and those that it has started."""
    with contextlib.suppress(OSError, AttributeError):  # it is no leader yet; on Windows
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _hash_of_course() -> str:
    """Return a hash of all that a result depends on beside the hand-in."""
    whole = hashlib.sha256(sys.version.encode())
    for path in sorted([*ROOT.glob("helpers/**/*.py"), *ROOT.glob("helpers/checks/mistakes/*.md"),
                        *ROOT.glob("solutions/*.ipynb"), *ROOT.glob("teach/*.py")]):
        if path.name != "page.py":
            whole.update(path.read_bytes())
    return whole.hexdigest()


def points() -> dict[str, int]:
    """Return the points of each exercise, as they stand in the solutions."""
    found = {}
    for lesson in LESSONS:
        cells = json.loads(notebook_of(lesson).read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            grading = cell["metadata"].get("nbgrader", {})
            if grading.get("grade"):
                found[grading["grade_id"].removesuffix("-check")] = grading["points"]
    return found


def report(root: Path, out: Path, lessons: list[str], jobs: int, seconds: float) -> int:
    """Write the report on all hand-ins in a folder; return how many students there are."""
    hand_ins, aside = find(root, lessons)
    students = [list(own) for _, own in groupby(hand_ins, key=lambda one: one.student)]
    kept = out / ".results"
    kept.mkdir(parents=True, exist_ok=True)
    worker = Worker(kept, seconds, any(one.lesson >= "08" for one in hand_ins))
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(worker.results, own): own[0].student for own in students}
        results = {}
        try:
            for future in tqdm(as_completed(waiting), total=len(waiting), unit="student"):
                results[waiting[future]] = future.result()
        except BaseException:
            worker.stop()
            pool.shutdown(cancel_futures=True)
            raise
    page.write(out, students, results, aside, points())
    return len(students)


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="course.py report", description=__doc__)
    parser.add_argument("folder", type=Path, help="with what was handed in, or a zip file")
    parser.add_argument("--out", type=Path, default=Path("class-report"),
                        help="folder for the report (class-report in this one)")
    parser.add_argument("--lesson", action="append", choices=LESSONS, help="only this one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1,
                        help="students at a time (as many as there are cores)")
    parser.add_argument("--seconds", type=float, default=40,
                        help="after which the process of an endless answer is ended (40)")
    given = parser.parse_args(arguments)
    root, out = given.folder.resolve(), given.out.resolve()
    if not root.exists():
        parser.error(f"there is no {given.folder}")
    if root == out or root in out.parents:
        parser.error("the report must not be written into what was handed in: choose another --out")
    if not (ROOT / "solutions").is_dir():
        parser.error("the report needs the folder solutions")
    print(WARNING, file=sys.stderr)
    number = report(root, out, given.lesson or LESSONS, max(1, given.jobs), given.seconds)
    print(f"{number} students: {out / 'report.html'}")
    return 0 if number else 1
