"""An extension of IPython for the first cell of a new day.

A cell that is run alone in a new kernel ends in a bare NameError. Where the name is made in a cell
above it, a card says so. It also shows where you are, under the cell that imports the checks.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

from helpers.checks.show import show_note
from helpers.memory import siblings, status, store

FILES: dict[Path, int] = {}  # the course's modules and when they were written, as at the start
RAN: set[str] = set()  # the cells that have run in this kernel, by their ids
UPDATED = ("The course was updated", [
    "This kernel was started before, and what is old and new in it may not fit together.",
    "Choose Kernel › Restart Kernel…, then Run › Run All Above Selected Cell."])
IMPORT = re.compile(r"^from helpers\.checks import (?:.*\b)?lesson_(\d\d)\b", re.M)


def load_ipython_extension(shell: Any) -> None:
    """Begin to look at cells that have ended."""
    shell.set_custom_exc((NameError,), _explain)
    FILES.update(_files())
    shell.events.register("post_run_cell", _after)


def unload_ipython_extension(shell: Any) -> None:
    """Stop looking."""
    shell.set_custom_exc((), None)
    shell.events.unregister("post_run_cell", _after)


def _explain(shell: Any, kind: type, error: NameError, trace: Any, tb_offset: int | None = None):
    """Show an error as it is, or as a card where the cell that makes the name has not run."""
    last = trace
    while last.tb_next is not None:
        last = last.tb_next
    place = None
    if last.tb_frame.f_code.co_name == "<module>" and error.name:
        place = _made_in(error.name, shell.history_manager.input_hist_raw[-1])
    if place is not None:
        error._render_traceback_ = lambda: []
        number, cell = place
        show_note(f"{error.name} is not there yet", [
            f"As last saved, it is made in cell {number} of this notebook, above this one. That "
            "cell has run, and has not made it: look for an error under it, or another name in it."
        ] if cell in RAN else [
            f"It is made in cell {number} of this notebook, above this one, and that cell has "
            "not run since the kernel was started.",
            "Run the cells above first: Run › Run All Above Selected Cell. Where a check stops "
            "that, go on there."])
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _made_in(name: str, cell: str) -> tuple[int, str | None] | None:
    """Return the number and the id of the saved cell, above the one that ran, that binds a name."""
    here = Path.cwd()
    for path in (here / Path(os.environ.get("JPY_SESSION_NAME", "")).name,
                 *sorted(here.glob("*.ipynb"))):  # it may have been renamed
        with contextlib.suppress(siblings.Unreadable, OSError):
            cells = siblings.cells_of(path)
            sources = [one["source"].strip() for one in cells]
            if cell.strip() in sources:
                return next(((number + 1, one.get("id")) for number, one in enumerate(
                    cells[:sources.index(cell.strip())])
                    if one.get("cell_type") == "code" and name in siblings.bound(
                        siblings.without_magics(one["source"]))), None)
    return None


def _files() -> dict[Path, int]:
    """Return when each module of the helpers was written."""
    return {path: path.stat().st_mtime_ns for path in Path(__file__).parents[1].glob("*/*.py")}


def _after(result: Any) -> None:
    """Say that the course was updated, or where the student is under the cell that imports checks.

    An update is told of once, and under every cell that fails.
    """
    found = IMPORT.search(result.info.raw_cell or "")
    try:
        RAN.add(result.info.cell_id or "unknown")
        if _files() != FILES and (FILES or not result.success):
            FILES.clear()
            show_note(*UPDATED)
        if found and result.success and store.folder() is not None:
            status.show_status(found[1])
        status.cell_ended(result.info.cell_id, result.error_before_exec or result.error_in_exec)
    except Exception:  # of another version, or nothing can be read: no line, and no harm
        return
