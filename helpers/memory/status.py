"""A line under the import cell that says where you are; each check brings it up to date.

It is shown by the extension `morning`, in a student's own kernel only.
"""

from __future__ import annotations

import contextlib
from typing import Any

from helpers.checks.exercise import LISTENERS, CheckFailed
from helpers.checks.show import SIGNS, card
from helpers.memory import overview

HANDLES: dict[str, Any] = {}  # lesson -> where its line stands
FAILED: set[str] = set()  # the lessons whose line tells of a cell that failed


def show_status(lesson: str) -> None:
    """Show the line of a lesson."""
    from IPython.display import display

    if update_status not in LISTENERS:
        LISTENERS.append(update_status)
    HANDLES[lesson] = display(card(*_line(lesson)), display_id=True, raw=True)


def update_status(exercise: str, outcome: str) -> None:
    """Say in the line what a check has come to; where there is no line, nothing happens."""
    handle = HANDLES.get(exercise[:2])
    if handle is not None:
        with contextlib.suppress(Exception):  # the check itself goes on
            handle.update(card(*_line(exercise[:2], exercise, outcome)), raw=True)


def cell_ended(cell: str | None, error: BaseException | None) -> None:
    """Say in the line that a cell has failed, until another goes well.

    A check of the lesson says it itself; `mine` of an earlier lesson's exercise does not.

    Parameters
    ----------
    cell : its id
    error : what it has raised, or None where it went well
    """
    wanted = error.exercise if isinstance(error, CheckFailed) else ""
    for lesson, handle in HANDLES.items():
        if error is None and lesson in FAILED:
            FAILED.discard(lesson)
            handle.update(card(*_line(lesson)), raw=True)
        elif error is not None and wanted[:2] != lesson:
            FAILED.add(lesson)
            why = f"it needs {overview.link_to(wanted)}" if wanted else type(error).__name__
            handle.update(card(_line(lesson)[0], [
                f"{SIGNS['not yet']} Stopped at {overview.link_to_cell(cell)}: {why}. What was to "
                "run below it has not run."], "not yet"), raw=True)


def _line(lesson: str, exercise: str = "", outcome: str = "") -> tuple[str, list[str], str]:
    """Return the title, the lines and the outcome of the card."""
    rows = overview.outcomes(lesson)
    done = sum(one == "correct" for _, one in rows)
    waiting = overview.waiting_in(rows)
    title = f"Lesson {lesson}: {done} of {len(rows)} exercises correct"
    if outcome in ("not yet", "not attempted"):
        return title, [f"{SIGNS[outcome]} Stopped at {overview.link_to(exercise)}: {outcome}. What "
                       "was to run below it has not run."], outcome
    if not waiting:
        return title, [overview.onward(lesson)], "correct"
    return title, [f"Next: {overview.link_to(waiting[0])}"], "not attempted"
