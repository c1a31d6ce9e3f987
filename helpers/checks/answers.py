"""Carry functions from notebook to notebook: `mine` the student's own, `skip` the solution's."""

from __future__ import annotations

import ast
import contextlib
import importlib
import linecache
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import folder
from helpers.checks import siblings, store
from helpers.checks.exercise import (
    GRADING,
    CheckFailed,
    Exercise,
    Group,
    NotAttempted,
    exercises,
    note,
    report,
)
from helpers.checks.judge import Verdict
from helpers.checks.sandbox import Guard
from helpers.checks.show import SIGNS, show_card

SOLUTIONS = folder("solutions")
KEPT, SKIPPED = "kept_exercise", "skipped_exercise"  # what a function that was carried is called by
KEPT_AS = "<{}, kept>"  # what the source of a kept answer is called
AGAIN = "Fixed it already? Save lesson {} (Ctrl + S) and run this cell again."
SECONDS = 30  # for the definitions of a notebook; importing PyTorch may be among them


def skip(*exercise_ids: str) -> Any:
    """Return the solution's own function and mark the exercise as skipped.

    An exercise of several functions returns them all, in the order of its check. Several exercises
    return one entry each.

    Parameters
    ----------
    *exercise_ids : such as ``"01-forward"``

    Raises
    ------
    ValueError
        Where there is no such exercise.
    CheckFailed
        Where the solutions are not there.
    """
    rows = []
    for exercise in [find_exercise(name) for name in exercise_ids]:
        functions, verdict = _lent(exercise)
        store.remember(exercise.id, verdict, {}, checked=False)
        rows.append((exercise, functions, verdict))
    return _hand_over(rows)


def mine(*exercise_ids: str) -> Any:
    """Return your own function, kept when its check passed, or read from its saved notebook.

    It is checked again. Under a grader, the solution's stands in for one that is not there or not
    right. An exercise of several functions returns them all, in the order of its check. Several
    exercises return one entry each: ``a, b = mine("01-sigmoid", "01-forward")``.

    Parameters
    ----------
    *exercise_ids : such as ``"01-numerical-gradient"``

    Raises
    ------
    ValueError
        Where there is no such exercise.
    NotAttempted, CheckFailed
        Where there is none, or your function is not right yet.
    """
    rows = []
    for exercise in [find_exercise(name) for name in exercise_ids]:
        functions, verdict = _kept(exercise) or _read(exercise)
        if GRADING in os.environ and verdict.outcome in ("not yet", "not attempted"):
            functions, verdict = _lent(exercise)
        rows.append((exercise, functions, verdict))
    return _hand_over(rows)


def _lent(exercise):
    """Return the solution's functions, marked as skipped, and the verdict on them."""
    try:
        functions = Loader().functions(exercise, SOLUTIONS, SKIPPED)
    except (siblings.Unreadable, OSError):
        raise CheckFailed(exercise.id, "no-solutions", f"{exercise.id} cannot be skipped: the "
                          "folder with the solutions is not here") from None
    return functions, exercise.judge(*functions)


def own(exercise_id: str) -> tuple[tuple[Callable, ...] | None, Verdict]:
    """Return your own functions as `mine` finds them, right or wrong, and the verdict on them.

    It shows nothing. Where nothing can be read, the functions are None.

    Raises
    ------
    ValueError
        Where there is no such exercise.
    """
    exercise = find_exercise(exercise_id)
    return _kept(exercise) or _read(exercise)


def kept(exercise_id: str, name: str) -> Callable:
    """Return one function of an answer without checking it: kept answers are built of this."""
    return _one(exercise_id, name, Path.cwd(), KEPT)


def borrowed(exercise_id: str, name: str) -> Callable:
    """Return one function of a solution, marked as skipped: as `kept` does for answers."""
    return _one(exercise_id, name, SOLUTIONS, SKIPPED)


def _one(exercise_id, name, place, tag):
    exercise = find_exercise(exercise_id)
    return Loader().functions(exercise, place, tag)[_parts(exercise).index(name)]


def find_exercise(exercise_id: str) -> Exercise | Group:
    """Return the exercise with this id.

    Raises
    ------
    ValueError
        Where there is none, with the ids that there are.
    """
    lesson = str(exercise_id)[:2]
    try:
        rows = exercises(importlib.import_module(f"helpers.checks.lesson_{lesson}"))
    except ModuleNotFoundError:
        rows = []
    for row in rows:
        if row.id == exercise_id:
            return row
    known = "; lesson " + lesson + " has " + ", ".join(r.id for r in rows) if rows else ""
    raise ValueError(f"there is no exercise {exercise_id!r}{known}")


class Loader:
    """Loads the functions of exercises, and of those that they are built of, once each."""

    def __init__(self):
        self.within, self.done = [], {}

    def functions(self, exercise: Exercise | Group, folder: Path, tag: str = KEPT) -> tuple:
        """Return the functions, unchecked: from the store, else from the notebook in the folder.

        Raises
        ------
        siblings.Unreadable
        """
        key = exercise.id, folder
        if key in self.within:
            raise siblings.Unreadable(
                f"the notebook of {exercise.id} takes it from itself with `mine`")
        if key not in self.done:
            self.within.append(key)
            try:
                self.done[key] = (folder != SOLUTIONS and self.from_store(exercise)) or self.read(
                    exercise, siblings.find(exercise.id, _parts(exercise), folder)[0])
            finally:
                self.within.remove(key)
        return _tagged(self.done[key], exercise, tag)

    def from_store(self, exercise: Exercise | Group) -> tuple | None:
        """Return the functions of a kept answer, or None where none is kept or it is damaged."""
        with contextlib.suppress(Exception):  # deleted, of another version, edited by hand
            file = store.answer_file(exercise.id, store.folder())
            source, name = file.read_text(encoding="utf-8"), KEPT_AS.format(exercise.id)
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            space = {"__name__": f"kept {exercise.id}"}
            exec(compile(source, name, "exec", dont_inherit=True), space)
            return tuple(space[name] for name in _parts(exercise))
        return None

    def read(self, exercise: Exercise | Group, path: Path) -> tuple:
        """Return the functions as they stand in a saved notebook."""
        folder = SOLUTIONS if path.parent == SOLUTIONS else Path.cwd()
        return tuple(siblings.load(exercise.id, _parts(exercise), path, {
            "mine": lambda *names: self._follow(names, folder, KEPT),
            "skip": lambda *names: self._follow(names, SOLUTIONS, SKIPPED)}))

    def _follow(self, names, folder, tag):
        return _as_given([self.functions(find_exercise(name), folder, tag) for name in names])


def _parts(exercise):
    return [part.name for part in exercise.parts]


def _as_given(found):
    """Return a function for an exercise of one, a tuple for one of several; a list of them all."""
    given = [functions if len(functions) > 1 else functions[0] for functions in found]
    return given if len(given) > 1 else given[0]


def _tagged(functions, exercise, tag):
    """Note in functions where they come from: kept answers then say so instead of holding them."""
    for function, name in zip(functions, _parts(exercise), strict=True):
        with contextlib.suppress(AttributeError):  # what is built in takes no notes
            if not hasattr(function, SKIPPED):
                setattr(function, tag, exercise.id)
                function.kept_name = name
    return functions


def _kept(exercise):
    """Return a kept answer and its verdict, or None where none passes its check."""
    functions = Guard(SECONDS).call(Loader().from_store, (exercise,)).value
    verdict = functions and exercise.judge(*functions)
    if not functions or verdict.outcome != "correct":
        return None
    verdict.lines = [f"Your own `{exercise.names}`, as it passed its check."]
    with contextlib.suppress(siblings.Unreadable, OSError):
        path, _ = siblings.find(exercise.id, _parts(exercise), Path.cwd())
        if _has_changed(exercise, path):
            newer = _read(exercise)
            if newer[1].outcome == "correct":
                return newer
            verdict.lines.append(f"`{path.name}`, as last saved, holds another version, which does "
                                 "not pass: the one that passed comes along.")
    return _tagged(functions, exercise, KEPT), verdict


def _has_changed(exercise, path):
    """Whether a notebook was saved after an answer was kept, with other functions in it."""
    file = store.answer_file(exercise.id, store.folder())
    if path.stat().st_mtime <= file.stat().st_mtime:
        return False
    saved = "\n".join(cell["source"] for cell in siblings.cells_of(path)
                      if siblings.mark(cell) == exercise.id)
    kept, now = ({node.name: ast.dump(node) for node in siblings.parsed(source).body
                  if isinstance(node, ast.FunctionDef) and node.name in _parts(exercise)}
                 for source in (file.read_text(encoding="utf-8"), saved))
    return any(kept.get(name, dump) != dump for name, dump in now.items())


def _read(exercise):
    """Return what stands in the saved notebook, or None, and the verdict on it."""
    otherwise = (f'`{exercise.names} = skip("{exercise.id}")` hands you the solution\'s instead.'
                 if SOLUTIONS.is_dir() else "Write that one first.")
    try:
        path, others = siblings.find(exercise.id, _parts(exercise), Path.cwd())
    except siblings.Unreadable as reason:
        return None, Verdict("not yet", [f"{reason}.", otherwise], "no-notebook")
    again = AGAIN.format(exercise.id[:2])
    more = [f"`{other.name}` has the exercise too and is not read: its name is the longer one."
            for other in others[:2]]
    call = Guard(SECONDS).call(Loader().read, (exercise, path))  # the student's code runs here
    if call.error is not None:
        why = (f"it did not end within {SECONDS} s" if call.endless else str(call.error)
               if isinstance(call.error, siblings.Unreadable) else
               f"{type(call.error).__name__}: {' '.join(str(call.error).split())[:200]}")
        return None, Verdict("not yet", [
            f"`{exercise.names}` cannot be read from `{path.name}`: {why}.", *more, again,
            otherwise], "cannot-be-read")
    verdict = exercise.judge(*call.value)
    if verdict.outcome == "correct":
        verdict.lines = [f"Your own `{exercise.names}`, read from `{path.name}`."]
        store.remember(exercise.id, verdict, dict(zip(_parts(exercise), call.value, strict=True)),
                       checked=False)
    elif verdict.outcome == "not attempted":
        verdict.lines = [f"In `{path.name}`, as last saved, `{exercise.names}` is still a stub. "
                         f"{again} {otherwise}", *more]
    elif verdict.outcome == "not yet":
        _explain(verdict, exercise, path, call.value, [*more, f"{again} {otherwise}"])
    return _tagged(call.value, exercise, KEPT), verdict


def _explain(verdict, exercise, path, functions, more):
    """Say that a wrong answer stands in another notebook, and of a missing name why it is."""
    lines = verdict.lines[:4]
    missing = re.search(r"NameError.*name '(\w+)' is not defined", " ".join(lines))
    if missing:
        verdict.place = []  # it is not there that something is missing
        space = getattr(functions[0], "__globals__", {})
        why = getattr(space, "missing", {}).get(missing[1])
        lines.append(f"`mine` carries functions, imports and simple constants that stand above the "
                     f"exercise, and no data: `{missing[1]}` was not among them"
                     + (f" ({why})." if why else "."))
    verdict.lines = [f"This is your `{exercise.names}` from `{path.name}`, as last saved.", *lines,
                     *more]


def _hand_over(rows):
    """Show the verdict on one exercise, or a table of several; return what is asked for.

    `rows` are (exercise, functions, verdict).
    """
    if len(rows) == 1:
        report(rows[0][0].id, rows[0][2])
        return _as_given([rows[0][1]])
    lacking = [row for row in rows if row[2].outcome in ("not yet", "not attempted")]
    lines = []
    for exercise, _, verdict in rows:
        note(exercise.id, verdict.outcome, checked=False)
        lines.append(f"{SIGNS[verdict.outcome]} {exercise.id}: {_brief(verdict)}")
    if not lacking:
        every = {row[2].outcome for row in rows}
        outcome = every.pop() if len(every) == 1 else "skipped"
        show_card(outcome, f"{len(rows)} exercises come along", lines)
        return _as_given([row[1] for row in rows])
    having = [row for row in rows if row not in lacking]
    lessons = sorted({exercise.id[:2] for exercise, functions, _ in lacking if functions})
    lines += map(AGAIN.format, lessons)
    if SOLUTIONS.is_dir():
        lines.append("To borrow what you lack and go on, put this in place of the line:")
        lines += [f"`{_line(part, word)}`" for part, word in ((having, "mine"), (lacking, "skip"))
                  if part]
    worst = next((row for row in lacking if row[2].outcome == "not yet"), lacking[0])
    show_card(worst[2].outcome, f"{len(having)} of {len(rows)} exercises come along", lines)
    kind = CheckFailed if worst[2].outcome == "not yet" else NotAttempted
    raise kind(worst[0].id, worst[2].mistake)


def _brief(verdict):
    """Return a verdict in a line: where it comes from, or the mistake where one is known."""
    first = verdict.lines[0].partition(f" {AGAIN.partition('{}')[0]}")[0]
    return first if verdict.summary in verdict.lines[0] else f"{first} {verdict.summary}"


def _line(rows, word):
    names = ", ".join(row[0].names if len(row[0].parts) == 1 else f"({row[0].names})"
                      for row in rows)
    return f"{names} = {word}({', '.join(chr(34) + row[0].id + chr(34) for row in rows)})"
