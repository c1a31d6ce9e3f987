"""The student's folder work: what is copied into it, and where the student stopped.

Nobody's work is ever overwritten: a copy is replaced only where it is as it was delivered, and a
notebook that cannot be read is set aside under another name. Needs the standard library only.
"""

import hashlib
import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote  # noqa: F401  (`course.py` quotes the names of notebooks)

from helpers.notebook import Unreadable, document_in

PathLike = str | Path
RESTORE = "'git checkout notebooks/{0}' or unzipping the course again brings the original back."
DAMAGED = "notebooks/{0} is damaged ({1}) and was not copied.\n" + RESTORE
WORKED_IN = """\
notebooks/{0} has been worked in, and an update may replace it: move your version to the
folder work. """ + RESTORE
BROUGHT = (
    "Your version of notebooks/{0} is in work too, where no update replaces it.\n" + RESTORE)
NOT_FRESH = "notebooks/{0} {1}, so there is nothing untouched to copy.\n" + RESTORE
SET_ASIDE = """\
work/{0} could not be read ({1}).
It is kept as work/{2}, and an untouched copy stands in its place."""
RENAMED = (
    "work/{0} is lesson {1} under another name: no other copy was made. "
    "'course.py fresh {1}' puts one beside it."
)
HOLDS_WORK = (
    "work/{0} holds your work on an older version of this lesson and stays as it is; "
    "'course.py fresh {1}' puts the new one beside it."
)


class State(NamedTuple):
    """What a notebook's file says of itself; all None where it cannot be opened."""

    damage: str | None = None  # why Jupyter cannot read it
    released: str | None = None  # the hash of its sources when it was released
    sources: str | None = None  # the hash of its sources now

    @property
    def untouched(self) -> bool:
        """Whether it is as it was released; where that is uncertain, it is not."""
        return self.released is not None and self.released == self.sources

    @property
    def worked_in(self) -> bool:
        """Whether it is sure that somebody has worked in it."""
        return self.released is not None and self.released != self.sources


# ---- lessons


def lessons(folder: PathLike) -> list[str]:
    """Return the file names of the lessons in a folder, in order; the playground comes last."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name for name in names if re.match(r"(\d\d_\w+|playground)\.ipynb$", name))


def find_lesson(text: str, folder: PathLike) -> str:
    """Return the file name of a lesson given by its number (02 or 2) or its name.

    Raises
    ------
    FileNotFoundError
        Where there is none; the message lists those that there are.
    """
    wanted = re.sub(r"\.ipynb$", "", os.path.basename(text))
    wanted = wanted.zfill(2) if wanted.isdigit() else wanted
    for name in lessons(folder):
        if wanted in (name[:2], name[3:-6], name[:-6]):
            return name
    there = ", ".join(name[:-6] for name in lessons(folder)) or "none yet"
    raise FileNotFoundError(f"There is no lesson '{text}'. The lessons are: {there}.")


# ---- the state of a notebook


def hash_sources(notebook: dict) -> str | None:
    """Return a hash of type and source of the cells that are not blank; None if all are."""
    cells = [[cell.get("cell_type"), "".join(cell["source"])] for cell in notebook["cells"]]
    cells = [cell for cell in cells if cell[1].strip()]
    return hashlib.sha256(json.dumps(cells).encode("ascii")).hexdigest() if cells else None


def state_of(path: PathLike) -> State:
    """Read a notebook and tell its state, whatever Jupyter added to it on saving."""
    try:
        notebook = document_in(Path(path).read_bytes())
        return State(None, notebook["metadata"]["course"]["sources"], hash_sources(notebook))
    except Unreadable as why:
        return State(damage=str(why))
    except (OSError, KeyError, TypeError):
        return State()


def is_untouched(path: PathLike) -> bool:
    """Tell whether a notebook is as it was released; where that is uncertain, it is not."""
    return state_of(path).untouched


# ---- copies


def copy(source: str, target: str, replace: bool = False) -> bool:
    """Copy a file in one step; unless replacing, False and nothing done where target exists."""
    temporary = f"{target}.{os.getpid()}.tmp"
    try:
        shutil.copyfile(source, temporary)
        copied = replace or not os.path.lexists(target)
        if copied:
            os.replace(temporary, target)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return copied


def update_work(notebooks: PathLike, work: PathLike) -> Iterator[str]:
    """Bring work up to date, leaving alone all that was worked in; yield what is to be said."""
    os.makedirs(work, exist_ok=True)
    for name in lessons(notebooks):
        source, target = os.path.join(notebooks, name), os.path.join(work, name)
        new, there = state_of(source), state_of(target)
        if new.damage:
            yield DAMAGED.format(name, new.damage)
            continue
        if new.worked_in and there.untouched:
            copy(source, target, replace=True)
            yield BROUGHT.format(name)
        elif new.worked_in:
            yield (BROUGHT if new.sources == there.sources else WORKED_IN).format(name)
        half_saved = os.path.exists(os.path.join(work, ".~" + name))  # Jupyter mends that itself
        if there.damage and new.untouched and not half_saved:
            aside = _free(work, name + ".damaged")  # Jupyter shows it as text
            os.rename(target, os.path.join(work, aside))
            yield SET_ASIDE.format(name, there.damage, aside)
        renamed = find_renamed(name, notebooks, work)
        if renamed:
            yield RENAMED.format(renamed, name[:-6])
        elif not os.path.lexists(target):
            if copy(source, target):
                yield f"New: work/{name}"
        elif new.untouched and there.released not in (None, new.released):
            if there.untouched:
                copy(source, target, replace=True)
                yield f"Updated: work/{name}"
            else:
                yield HOLDS_WORK.format(name, name[:-6])


def find_renamed(name: str, notebooks: PathLike, work: PathLike) -> str | None:
    """Return the notebook that holds a lesson's exercises where none has the lesson's name."""
    if os.path.lexists(os.path.join(work, name)):
        return None
    mark = re.compile(rb'"grade_id":\s*"' + re.escape(name[:2].encode()) + b"-")
    return next((path.name for path in sorted(Path(work).glob("*.ipynb"))
                 if path.name not in lessons(notebooks) and mark.search(path.read_bytes())), None)


def _free(folder: PathLike, stem: str, end: str = "") -> str:
    """Return the first of the names ``stem``, ``stem-2``, ``stem-3`` … that is still free."""
    names = (f"{stem}-{n}{end}" if n > 1 else stem + end for n in itertools.count(1))
    return next(name for name in names if not os.path.lexists(os.path.join(folder, name)))


def copy_fresh(name: str, notebooks: PathLike, work: PathLike) -> str:
    """Put an untouched copy of a lesson into work under a new name, and return that.

    Raises
    ------
    OSError
        Where the delivered notebook is not untouched.
    """
    source, state = os.path.join(notebooks, name), state_of(os.path.join(notebooks, name))
    if not state.untouched:
        why = f"is damaged ({state.damage})" if state.damage else "has itself been worked in"
        raise OSError(NOT_FRESH.format(name, why))
    os.makedirs(work, exist_ok=True)
    new = _free(work, f"{name[:-6]}-fresh", ".ipynb")
    copy(source, os.path.join(work, new))
    return new


# ---- where the student stopped


def last_lesson(notebooks: PathLike, work: PathLike) -> str | None:
    """Return the lesson in which something was checked, predicted or recalled last, or None."""
    by_number, found = {name[:2]: name for name in lessons(notebooks)}, []
    for path in Path(work, ".course").glob("*/??*.json"):
        try:
            time = json.loads(path.read_bytes())["time"]
            found.append((datetime.fromisoformat(time).timestamp(), by_number[path.name[:2]]))
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            continue  # half written, of another version, or of a lesson that is gone
    return max(found)[1] if found else None
