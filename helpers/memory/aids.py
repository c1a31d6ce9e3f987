"""For one exercise: see its solution, or begin it anew."""

from __future__ import annotations

import contextlib
import re

from helpers.checks.exercise import RECORD
from helpers.checks.show import show_note
from helpers.memory import siblings, store
from helpers.memory.answers import SOLUTIONS, find_exercise
from helpers.memory.keep import NotKept

BLOCK = re.compile(r"^( *)# BEGIN SOLUTION\n.*?# END SOLUTION$", re.M | re.S)


def solution(exercise_id: str, sure: bool = False) -> None:
    """Show the solution of an exercise, once you are sure that you want to see it.

    Parameters
    ----------
    exercise_id : such as ``"02-backprop"``
    sure : that it is to be shown; without it you are asked

    Raises
    ------
    ValueError
        Where there is no such exercise.
    """
    find_exercise(exercise_id)
    source = _cell(exercise_id)
    if source is None:
        show_note(f"Solution of {exercise_id}", ["The folder with the solutions is not here."])
    elif not sure:
        tries = store.records().get(exercise_id, {}).get("checks", 0)
        show_note(f"Solution of {exercise_id}: are you sure?", [
            "Have you tried the hints?" if tries < 2 else f"You checked it {tries} times.",
            f'`skip("{exercise_id}")` lets you go on without having seen it.',
            f'To see it: `solution("{exercise_id}", sure=True)`.'])
    else:
        _show_code(f"Solution of {exercise_id}", re.sub(
            r"^ *# (BEGIN|END) SOLUTION\n?", "", source, flags=re.M).rstrip())


def reset(exercise_id: str) -> None:
    """Forget your answer to one exercise and its outcome, and show its stub to begin anew.

    Your notebook stays as it is.

    Parameters
    ----------
    exercise_id : such as ``"02-backprop"``

    Raises
    ------
    ValueError
        Where there is no such exercise.
    """
    find_exercise(exercise_id)
    RECORD.pop(exercise_id, None)
    with contextlib.suppress(OSError, NotKept):
        here = store.folder()
        if here is not None:
            for path in (store.answer_file(exercise_id, here),
                         here / "progress" / f"{exercise_id}.json"):
                path.unlink(missing_ok=True)
    source = _cell(exercise_id)
    stub = source and BLOCK.sub(
        rf'\1# Your code goes here, in place of the next line.\n'
        rf'\1raise NotImplementedError("{exercise_id}")', source)
    _show_code(f"{exercise_id} is as new. Its stub, to copy into the cell:", stub or "")


def _cell(exercise_id: str) -> str | None:
    """Return the source of an exercise's cell in the solutions, or None."""
    try:
        path, *_ = siblings.find(find_exercise(exercise_id), SOLUTIONS)
        return next(cell["source"] for cell in siblings.cells_of(path)
                    if siblings.mark(cell) == exercise_id)
    except (siblings.Unreadable, OSError):
        return None


def _show_code(title: str, source: str) -> None:
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(f"{title}\n\n{source}")
        return
    display({"text/markdown": f"**{title}**\n\n```python\n{source}\n```",
             "text/plain": f"{title}\n\n{source}"}, raw=True)
