"""Carry functions from notebook to notebook: `mine` the student's own, `skip` the solution's."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import folder
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
from helpers.memory import overview, siblings, store

SOLUTIONS = folder("solutions")
KEPT, SKIPPED = "kept_exercise", "skipped_exercise"  # what a function that was carried is called by
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
    rows = [(exercise, *_lent(exercise)) for exercise in map(find_exercise, exercise_ids)]
    for exercise, _, verdict in rows:
        store.remember(exercise.id, verdict, {}, checked=False)
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
    rows = [(find_exercise(name), *own(name)) for name in exercise_ids]
    if GRADING in os.environ:
        rows = [(exercise, *(_lent(exercise) if verdict.outcome.startswith("not") else
                             (functions, verdict))) for exercise, functions, verdict in rows]
    return _hand_over(rows)


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


def kept(exercise_id: str, name: str, place: Path | None = None, tag: str = KEPT) -> Callable:
    """Return one function of an answer without checking it: kept answers are built of this."""
    exercise = find_exercise(exercise_id)
    functions = Loader().functions(exercise, place or Path.cwd(), tag)
    return functions[[part.name for part in exercise.parts].index(name)]


def borrowed(exercise_id: str, name: str) -> Callable:
    """Return one function of a solution, marked as skipped: as `kept` does for answers."""
    return kept(exercise_id, name, SOLUTIONS, SKIPPED)


def find_exercise(exercise_id: str) -> Exercise | Group:
    """Return the exercise with this id.

    Raises
    ------
    ValueError
        Where there is none, with the ids that there are.
    """
    lesson, rows = str(exercise_id)[:2], []
    with contextlib.suppress(ModuleNotFoundError):
        rows = exercises(importlib.import_module(f"helpers.checks.lesson_{lesson}"))
    for row in rows:
        if row.id == exercise_id:
            return row
    known = f"; lesson {lesson} has {', '.join(row.id for row in rows)}" if rows else ""
    raise ValueError(f"there is no exercise {exercise_id!r}{known}")


class Loader:
    """Loads the functions of exercises, and of those that they are built of, once each."""

    def __init__(self):
        self.found: dict[tuple, tuple | None] = {}  # None for what is being read

    def functions(self, exercise: Exercise | Group, folder: Path, tag: str = KEPT) -> tuple:
        """Return the functions, unchecked: from the store, else from the notebook in the folder.

        Raises
        ------
        siblings.Unreadable
        """
        key = exercise.id, folder
        if key not in self.found:
            self.found[key] = None
            try:
                self.found[key] = (folder != SOLUTIONS and self.from_store(exercise)) or self.read(
                    exercise, siblings.find(exercise, folder)[0])
            except BaseException:
                del self.found[key]
                raise
        if self.found[key] is None:
            raise siblings.Unreadable(
                f"the notebook of {exercise.id} takes it from itself with `mine`")
        return _tagged(self.found[key], exercise, tag)

    def from_store(self, exercise: Exercise | Group) -> tuple | None:
        """Return the functions of a kept answer, or None where none is kept or it is damaged."""
        cells = [(1, store.answer_source(exercise.id))]
        with contextlib.suppress(siblings.Unreadable):  # edited by hand
            return self._made(exercise, cells, Path(f"{exercise.id}, kept"), Path.cwd())
        return None

    def read(self, exercise: Exercise | Group, path: Path) -> tuple:
        """Return the functions as they stand in a saved notebook.

        Raises
        ------
        siblings.Unreadable
        """
        place = SOLUTIONS if path.parent == SOLUTIONS else Path.cwd()
        return self._made(exercise, siblings.cells_to(exercise.id, path), path, place)

    def _made(self, exercise, cells, path, place):
        names = [part.name for part in exercise.parts]
        space, lacking = siblings.definitions(cells, path, names, {
            "mine": lambda *ids: self._follow(ids, place, KEPT),
            "skip": lambda *ids: self._follow(ids, SOLUTIONS, SKIPPED)})
        for name in lacking:
            raise siblings.Unreadable(f"`{name}`: {lacking[name]}")
        return tuple(space[name] for name in names)

    def _follow(self, ids, folder, tag):
        return as_given([self.functions(find_exercise(name), folder, tag) for name in ids])


def as_given(found: list[tuple]) -> Any:
    """Return a function for an exercise of one, a tuple for one of several; a list of them all."""
    given = [functions if len(functions) > 1 else functions[0] for functions in found]
    return given if len(given) > 1 else given[0]


def _tagged(functions, exercise, tag):
    """Note in functions where they come from: kept answers then say so instead of holding them."""
    for function, part in zip(functions, exercise.parts, strict=True):
        with contextlib.suppress(AttributeError):  # what is built in takes no notes
            if not hasattr(function, SKIPPED):
                setattr(function, tag, exercise.id)
                function.kept_name = part.name
    return functions


def _lent(exercise):
    """Return the solution's functions, marked as skipped, and the verdict on them."""
    try:
        functions = Loader().functions(exercise, SOLUTIONS, SKIPPED)
    except (siblings.Unreadable, OSError):
        raise CheckFailed(exercise.id, "no-solutions", f"{exercise.id} cannot be skipped: the "
                          "folder with the solutions is not here") from None
    verdict = exercise.judge(*functions)
    verdict.lines[0] = verdict.lines[0].replace(f"`{exercise.parts[-1].name}`",
                                                f"`{exercise.names}`")
    return functions, verdict


def _kept(exercise):
    """Return a kept answer and its verdict, or None where none passes its check."""
    functions = Guard(SECONDS).call(lambda: Loader().from_store(exercise), ()).value
    verdict = functions and exercise.judge(*functions)
    if not functions or verdict.outcome != "correct":
        return None
    verdict.lines = [f"Your own `{exercise.names}`, as it passed its check."]
    if _has_changed(exercise, functions):
        verdict.lines.append("Your notebook, as last saved, holds another version: run its check, "
                             "and that one comes along.")
    return _tagged(functions, exercise, KEPT), verdict


def _has_changed(exercise, functions):
    """Whether a notebook was saved after these were kept, and does not hold them any more."""
    try:
        path, *_ = siblings.find(exercise, Path.cwd())
        file = store.answer_file(exercise.id, store.folder())
        saved = "\n".join(cell["source"] for cell in siblings.cells_of(path))
        return path.stat().st_mtime > file.stat().st_mtime and not all(
            inspect.getsource(function).strip() in saved for function in functions)
    except (siblings.Unreadable, OSError, TypeError):  # TypeError: of a partial
        return False


def _read(exercise):
    """Return what stands in the saved notebook, or None, and the verdict on it."""
    try:
        path, *others = siblings.find(exercise, Path.cwd())
    except siblings.Unreadable as reason:
        return None, Verdict("not yet", [f"{reason}."], "no-notebook")
    call = Guard(SECONDS).call(lambda: Loader().read(exercise, path), ())  # runs the student's code
    functions, names, where = call.value, f"`{exercise.names}`", f"`{path.name}`"
    if call.error is not None:
        why = f"it did not end within {SECONDS} s" if call.endless else siblings.reason(call.error)
        verdict = Verdict("not yet", [f"{names} cannot be read from {where}: {why}."],
                          "cannot-be-read")
    else:
        verdict = exercise.judge(*functions)
        if verdict.outcome == "correct":
            store.remember(exercise.id, verdict, checked=False, functions={
                part.name: f for part, f in zip(exercise.parts, functions, strict=True)})
        verdict.lines = {
            "correct": [f"Your own {names}, read from {where}."],
            "not attempted": [f"In {where}, as last saved, {names} is still a stub."],
            "not yet": [f"This is your {names} from {where}, as last saved.", *verdict.lines[:4]],
        }.get(verdict.outcome, verdict.lines)
    if verdict.outcome.startswith("not"):
        verdict.lines += [f"`{other.name}` has the exercise too and is not read: its name is the "
                          "longer one." for other in others[:2]]
    return functions and _tagged(functions, exercise, KEPT), verdict


def _hand_over(rows):
    """Show the verdict on one exercise, or a table of several; return what is asked for.

    `rows` are (exercise, functions, verdict).
    """
    lacking = [row for row in rows if row[2].outcome.startswith("not")]
    again = [AGAIN.format(lesson) for lesson in sorted(
        {exercise.id[:2] for exercise, _, verdict in lacking if verdict.mistake != "no-notebook"})]
    if len(rows) > 1:
        _show_table(rows, lacking, again)
    else:
        exercise, _, verdict = rows[0]
        if lacking:
            instead = (f"`{_line(rows, 'skip')}` hands you the solution's instead."
                       if SOLUTIONS.is_dir() else "Write that one first.")
            verdict.lines[0] = " ".join([verdict.lines[0], *again, instead])
        report(exercise.id, verdict)
    return as_given([row[1] for row in rows])


def _show_table(rows, lacking, again):
    """Show where several exercises come from; raise for the worst of those that are lacking."""
    lines, having = [], [row for row in rows if row not in lacking]
    for row in rows:
        exercise, _, verdict = row
        note(exercise.id, verdict.outcome, checked=False)
        first, more = verdict.lines[0], verdict.summary if verdict.outcome == "not yet" else ""
        name = overview.link_to(exercise.id) if row in lacking else exercise.id
        lines.append(f"{SIGNS[verdict.outcome]} {name}: {first}"
                     + (f" {more}" if more not in first else ""))
    if not lacking:
        skipped = any(row[2].outcome == "skipped" for row in rows)
        show_card("skipped" if skipped else "correct", f"{len(rows)} exercises come along", lines)
        return
    lines += again
    if SOLUTIONS.is_dir():
        lines.append("To borrow what you lack and go on, put this in place of the line:")
        lines += [f"`{_line(part, word)}`" for part, word in ((having, "mine"), (lacking, "skip"))
                  if part]
    exercise, _, worst = min(lacking, key=lambda row: row[2].outcome != "not yet")
    show_card(worst.outcome, f"{len(having)} of {len(rows)} exercises come along", lines)
    kind = CheckFailed if worst.outcome == "not yet" else NotAttempted
    raise kind(exercise.id, worst.mistake)


def _line(rows, word):
    names = ", ".join(row[0].names if len(row[0].parts) == 1 or len(rows) == 1
                      else f"({row[0].names})" for row in rows)
    ids = ", ".join(f'"{row[0].id}"' for row in rows)
    return f"{names} = {word}({ids})"
