"""Judge one student's notebooks, in a process of its own with limits: started by `report`.

It says when it is ready and tells each row; whoever started it ends it where it is silent for too
long.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np

from helpers.checks import judge
from helpers.checks.evidence import names_in, reachable
from helpers.checks.judge import Verdict
from helpers.checks.sandbox import Guard
from helpers.memory import siblings
from helpers.memory.answers import SKIPPED, SOLUTIONS, Loader, as_given, find_exercise
from teach.handins import STUB, bound, checks_of

try:
    import resource
except ImportError:  # Windows
    resource = None

MEMORY = 2**30  # bytes that a student's code may take
FILE = 2**20  # bytes that a file may have
LONGEST = 20_000  # characters of an answer or a message that are shown
FILES = 64  # that may be open at a time
OURS = ("helpers.checks", "helpers.memory")  # the modules of whatever answers are borrowed from
SECONDS = 20  # for the definitions of a notebook


class Student:
    """The notebooks of a student, and what has been judged of them.

    Attributes
    ----------
    lessons : lesson -> {"name", "cells"}
    stuck : exercises, by their ids, that have ended the process or came to no end
    wrong : those that are not right
    own : exercise id -> the student's functions, for `mine` in later lessons
    """

    def __init__(self, lessons: dict[str, dict], stuck: list[str], wrong: list[str]):
        self.lessons, self.stuck, self.wrong = lessons, list(stuck), {*stuck, *wrong}
        self.own: dict[str, tuple | None] = {}
        self.truths, self.skips = Loader(), Loader()

    def row(self, exercise: Any) -> dict:
        """Return the outcome of an exercise, its mistake and what is shown of it."""
        row = {"exercise": exercise.id, **_code(exercise, self.answer_cells(exercise))}
        if not row["code"]:
            self.wrong.add(exercise.id)
            return {**row, "outcome": "missing", "mistake": "", "message": "", "own": ""}
        verdict, alone = self.judged(exercise, own=True), None
        if verdict.outcome == "not yet" and self.wrong:
            alone = self.judged(exercise, own=False)
        outcome, own = verdict.outcome, verdict.mistake or ""
        if alone and alone.outcome == "correct":
            outcome = "follows"
        elif alone:
            verdict, outcome = alone, alone.outcome
        if outcome not in ("correct", "follows"):
            self.wrong.add(exercise.id)
        if verdict.mistake == "endless":
            self.stuck.append(exercise.id)
        return {**row, "outcome": outcome, "mistake": verdict.mistake or "",
                "message": "" if outcome == "correct" else verdict.summary, "own": own}

    def judged(self, exercise: Any, own: bool) -> Verdict:
        """Return the verdict with the student's own earlier functions or with the solution's."""
        call = Guard(SECONDS).call(lambda: self.functions(exercise, own), ())
        if call.error is not None:
            ended = call.endless and "endless"
            why = call.error if isinstance(call.error, siblings.Unreadable) else repr(call.error)
            return Verdict("not yet", [f"It cannot be read: {why}."], ended or "cannot-be-read")
        functions = call.value
        others = {part.name for check in (*checks_of(exercise.id[:2]), *(
            used for part in exercise.parts for used in part.uses))
            for part in check.parts} - {part.name for part in exercise.parts}
        if any(_is_borrowed(function, others) for function in functions):
            return Verdict("borrowed", ["It is taken from the course's own checks."])
        called = set().union(*(names_in(thing.__code__) for function in functions
                               for thing in reachable(function) if hasattr(thing, "__code__")))
        for name in self.stuck if own else ():
            if name != exercise.id and called & {part.name for part in find_exercise(name).parts}:
                return Verdict("not yet", [f"It calls the answer to {name}."], f"uses-{name}")
        return exercise.judge(*functions)

    def functions(self, exercise: Any, own: bool) -> tuple:
        """Return the functions of an answer.

        Raises
        ------
        siblings.Unreadable
        """
        lesson = self.lessons[exercise.id[:2]]
        names = [part.name for part in exercise.parts]
        space, lacking = siblings.definitions(
            self.cells_to(exercise), Path(lesson["name"]), names,
            {"mine": lambda *ids: self.handed(ids, self.mine if own else self.solution),
             "skip": lambda *ids: self.handed(ids, self.skipped)})
        for name in lacking.keys() & {*names}:
            raise siblings.Unreadable(lacking[name])
        for data in {name for part in exercise.parts for name in part.data} - space.keys():
            space[data] = np.zeros(1)  # whoever reads it reads the notebook's data
        if not own:
            self.put_right(exercise, names, space)
        return tuple(space[name] for name in names)

    def put_right(self, exercise: Any, names: list[str], space: dict) -> None:
        """Put the solution's functions in the places of the lesson's earlier ones."""
        others = list(takewhile(lambda check: check.id != exercise.id, checks_of(exercise.id[:2])))
        others += [find_exercise(used.id) for part in exercise.parts for used in part.uses]
        for check in others:
            for part, function in zip(check.parts, self.solution(check.id), strict=True):
                if part.name in names:
                    continue
                old = space.get(part.name)
                for table in (space, *(t for t in space.values() if type(t) is dict)):
                    for key in [k for k, value in table.items() if value is old is not None]:
                        table[key] = function
                space[part.name] = function

    def mine(self, name: str) -> tuple:
        """Return the student's own functions, or the solution's where none were handed in."""
        if name not in self.own:
            self.own[name] = None  # for a notebook that takes an exercise from itself
            if name[:2] in self.lessons and name not in self.stuck:
                with contextlib.suppress(siblings.Unreadable):
                    self.own[name] = self.functions(find_exercise(name), own=True)
        return self.own[name] or self.solution(name)

    def solution(self, name: str) -> tuple:
        """Return the solution's functions."""
        return self.truths.functions(find_exercise(name), SOLUTIONS)

    def skipped(self, name: str) -> tuple:
        """Return the solution's functions, marked as borrowed."""
        return self.skips.functions(find_exercise(name), SOLUTIONS, SKIPPED)

    def handed(self, ids: tuple[str, ...], find: Callable) -> Any:
        """Return what `mine` and `skip` of these exercises give to a notebook."""
        return as_given(list(map(find, ids)))

    def answer_cells(self, exercise: Any) -> list[tuple[int, str]]:
        """Return number and source of the cells that bind an exercise's functions, in order.

        Those before its check count, without stubs where there are better ones; else all others.
        """
        cells = self.lessons[exercise.id[:2]]["cells"]
        names = {part.name for part in exercise.parts}
        marks = [cell["mark"] for cell in cells]
        end = marks.index(f"{exercise.id}-check") if f"{exercise.id}-check" in marks else None
        first = marks.index(exercise.id) if exercise.id in marks else -1
        if end is None:  # its check is gone
            end = next((n for n, mark in enumerate(marks) if n > first >= 0 and mark
                        and mark != exercise.id), len(cells))
        rows = [(n, cell["source"]) for n, cell in enumerate(cells)
                if cell["code"] and bound(cell["source"]) & names
                and (cell["mark"] or "= mine(" not in cell["source"])]  # of another lesson
        for some in ([row for row in rows if row[0] < end], rows):
            real = [row for row in some if STUB not in row[1]]
            if names <= set().union(*(bound(source) for _, source in real)):
                return real
        return [row for row in rows if row[0] < end] or rows

    def cells_to(self, exercise: Any) -> list[tuple[int, str]]:
        """Return number and source of the cells to be run: down to the answer, without stubs."""
        left_out, cells = set(), self.lessons[exercise.id[:2]]["cells"]
        for check in checks_of(exercise.id[:2]):
            answer = {number for number, _ in self.answer_cells(check)}
            if check.id == exercise.id:
                last = max(answer, default=-1)
            elif check.id in self.stuck:
                left_out |= answer
            names = {part.name for part in check.parts}
            left_out |= {number for number, cell in enumerate(cells) if number not in answer
                         and STUB in cell["source"] and bound(cell["source"]) & names}
        return [(number, cell["source"]) for number, cell in enumerate(cells[:last + 1])
                if cell["code"] and number not in left_out]


def _is_borrowed(function: Any, others: set[str]) -> bool:
    """Whether a function is one of the course's own, or reaches for its checks.

    The functions of `others` are not followed: they are judged by themselves.
    """
    waiting, seen = [getattr(function, "func", function)], set()  # of a partial
    while waiting:
        thing = waiting.pop()
        if _home(thing).startswith(OURS):
            return True
        if hasattr(thing, "__code__") and thing not in seen and not hasattr(thing, "kept_exercise"):
            seen.add(thing)
            names, space = names_in(thing.__code__), thing.__globals__
            if any(name.startswith(OURS) for name in names):  # imported inside
                return True
            waiting += [space[name] for name in names - others if name in space]
    return False


def _home(value: Any) -> str:
    """Return the module that a value comes from, or is."""
    home = getattr(value, "__module__", None) or getattr(value, "__name__", None)
    return home if isinstance(home, str) else ""


def _code(exercise: Any, cells: list[tuple[int, str]]) -> dict:
    """Return an answer's code as it was handed in, a hash of its syntax tree, and its size."""
    names, found, kept = {part.name for part in exercise.parts}, {}, []
    for _, source in cells:
        with contextlib.suppress(*siblings.UNPARSABLE):
            kept += [(source, node, key) for node in ast.parse(source).body
                     if (key := tuple(sorted(bound(ast.unparse(node)) & names)))]
    for source, node, key in kept:
        text = ast.get_source_segment(source, node) or ""
        for part in ast.walk(node):
            if ast.get_docstring(part) if isinstance(part, ast.FunctionDef) else False:
                part.body = part.body[1:] or [ast.Pass()]
        found[key] = text, ast.dump(node), len(list(ast.walk(node)))
    rows = [found[key] for key in sorted(found)]
    whole = "\n".join(dump for _, dump, _ in rows)
    return {"code": "\n\n".join(row[0] for row in rows) or "\n\n".join(s for _, s in cells),
            "shape": hashlib.sha256(whole.encode()).hexdigest()[:16] if rows else "",
            "size": sum(row[2] for row in rows)}


def _limit() -> None:
    """Limit what the student's code may take, from here on, where the system can do that."""
    Guard().call(int, ())  # starts the thread that looks after endless calls
    if resource is None:
        return
    with open(f"/proc/{os.getpid()}/statm", encoding="ascii") if os.path.exists(
            "/proc/self/statm") else contextlib.nullcontext() as sizes:
        used = int(sizes.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") if sizes else 0
    limits = {"RLIMIT_FSIZE": FILE, "RLIMIT_NOFILE": FILES, "RLIMIT_CORE": 0, "RLIMIT_NPROC": 0}
    for name, most in limits.items() | ({("RLIMIT_AS", used + MEMORY)} if used else set()):
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (most, most))


def row_of(exercise: str, outcome: str, mistake: str, message: str) -> dict:
    """Return the row of an exercise of which no code is known."""
    return {"exercise": exercise, "outcome": outcome, "mistake": mistake, "message": message,
            "own": "", "code": "", "shape": "", "size": 0}


def work(job: str, scratch: str, out: Any) -> None:
    """Judge the exercises of a job, one after the other, in a process that ends with it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):  # what the student prints goes nowhere
        os.dup2(nothing, stream)
    if hasattr(os, "fork"):
        os.setsid()  # so that what the student starts can be ended with it
        os.register_at_fork(after_in_child=lambda: os._exit(1))
    os.environ.update(HOME=scratch, TMPDIR=scratch)
    job = json.loads(job)
    judge.PLACING = 0  # seconds: the place of a mistake is for the student
    student = Student(job["lessons"], job["stuck"], job["wrong"])
    checks = [find_exercise(name) for name in job["todo"]]
    _limit()
    out.send_bytes(b"{}")  # from here on the time counts
    for exercise in checks:
        os.makedirs(scratch, exist_ok=True)  # the last answer may have deleted it
        os.chdir(scratch)
        try:
            row = student.row(exercise)
        except Exception as error:  # a hole in the checks costs this exercise
            row = row_of(exercise.id, "not judged", "", f"{type(error).__name__}: {error}"[:200])
        row = {key: v[:LONGEST] if isinstance(v, str) else v for key, v in row.items()}
        out.send_bytes(json.dumps(row).encode())
    os._exit(0)  # whatever the student has left to be done at the end is not done
