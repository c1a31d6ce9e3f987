"""What the course remembers: answers that passed, outcomes and predictions, beside the notebooks.

All of it is plain text in a folder `.course`, one small file for each thing, written whole or not
at all. Nothing is kept for the solutions, for the notebooks that are handed out, or under a grader.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from helpers.memory.keep import NotKept, source_of

FORMAT = 1
FOLDER = ".course"
ABOUT = f"""format {FORMAT}

What the course remembers of your work in the notebooks beside this folder: answers that passed,
outcomes, predictions. It stays on this computer, and takes part in nothing when it is deleted: the
course then begins to remember anew. Copy it along when you move your notebooks.
"""
HEADER = """# Exercise {id}: your answer, as it passed its check on {day} at {hour}.
# A copy in format {format}, read by `mine("{id}")`; the course writes it anew when a check passes.

"""
BACK = ("Your answer that passed is kept. To have it back: "
        '`from helpers.checks import mine; {names} = mine("{id}")`')
OLD_HOME = "from helpers.checks.answers import"  # as answers say that were kept before it moved
STALE = 60  # seconds after which a file that was never finished is swept away
WAITS = 100  # of 2 ms, for another notebook that is writing
SAID: set[str] = set()  # what is told once in a kernel


def folder() -> Path | None:
    """Return the store beside the notebooks, or None where nothing is remembered."""
    here = Path.cwd()
    if here.name.lower() in ("solutions", "notebooks") or "NBGRADER_EXECUTION" in os.environ:
        return None
    if not any(path.suffix.lower() == ".ipynb" for path in here.iterdir()):
        return None
    store = here / FOLDER
    version = _version(store)
    if version and version != f"format {FORMAT}":
        raise NotKept(f"the folder `{FOLDER}` is of another version of the course ({version}): "
                      "it is left alone, and nothing is remembered")
    return store


def remember(exercise: str, verdict: Any, functions: dict[str, Any], *,
             checked: bool = True) -> list[str]:
    """Keep the outcome of a check and an answer that passed; return what is to be told of that.

    Parameters
    ----------
    exercise : such as ``"02-backprop"``
    verdict : with its `outcome` and `mistake`
    functions : the student's, by the names of the exercise
    checked : whether the student's own check ran, and not `mine` or `skip`: that is where one works
    """
    try:
        store = folder()
        if store is None:
            return []
        update(store, "progress", exercise, lambda row: _counted(row, exercise, verdict, checked))
        if verdict.outcome == "correct":
            keep(exercise, functions, store)
        elif verdict.outcome == "not attempted" and answer_file(exercise, store).exists():
            return [BACK.format(names=", ".join(functions), id=exercise)]
        return []
    except NotKept as reason:
        return _once(f"Not kept for later lessons: {reason}.")
    except OSError as error:
        return _once(f"Nothing can be kept in `{FOLDER}`: {error.strerror or error}.")
    except Exception as error:  # of an object that the answer reads
        return _once(f"Not kept for later lessons: {type(error).__name__} while it was written.")


def keep(exercise: str, functions: dict[str, Any], store: Path) -> None:
    """Write an answer into the store, but for one that was taken from there or borrowed.

    Raises
    ------
    NotKept, OSError
    """
    if any(vars(f).get("kept_exercise") or vars(f).get("skipped_exercise")
           for f in functions.values() if hasattr(f, "__dict__")):
        return
    now = datetime.now()
    head = HEADER.format(id=exercise, format=FORMAT, day=now.date(), hour=f"{now:%H:%M}")
    write(answer_file(exercise, store), head + source_of(functions))


def answer_file(exercise: str, store: Path) -> Path:
    """Return the file of a kept answer, whether it is there or not."""
    return store / "answers" / f"{exercise}.py"


def answer_source(exercise: str) -> str:
    """Return a kept answer without its header, or nothing where none is kept."""
    try:
        text = answer_file(exercise, folder()).read_text(encoding="utf-8")
    except (OSError, NotKept, TypeError, ValueError):
        return ""
    return text.partition("\n\n")[2].replace(OLD_HOME, "from helpers.memory.answers import")


def records(kind: str = "progress") -> dict[str, dict]:
    """Return what is remembered, by id: of checks, or of ``"predictions"``.

    What cannot be read is left out.
    """
    found = {}
    with contextlib.suppress(OSError, NotKept):
        for path in sorted(((folder() or Path(os.devnull)) / kind).glob("*.json")):
            found[path.stem] = _read(path)
    return {name: row for name, row in found.items() if row}


def write_record(kind: str, name: str, change: Callable[[dict], dict]) -> None:
    """Remember one thing, such as a prediction; where that cannot be, nothing happens.

    Parameters
    ----------
    kind, name : the folder and the file
    change : makes the new record of the one before, which is empty at first
    """
    with contextlib.suppress(OSError, NotKept):
        store = folder()
        if store is not None:
            update(store, kind, name, lambda row: {**change(row), "time": _now()})


def update(store: Path, kind: str, name: str, change: Callable[[dict], dict]) -> None:
    """Make a record of the one before, while no other notebook changes it.

    Raises
    ------
    OSError
    """
    path = store / kind / f"{name}.json"
    with _alone(path):
        write(path, json.dumps(change(_read(path)), ensure_ascii=False, indent=1) + "\n")


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all: others see the old one or the new one.

    Raises
    ------
    OSError
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    about = path.parents[1] / "about.txt"
    if not about.exists():
        _put(about, ABOUT)
    _put(path, text)


def _put(path: Path, text: str) -> None:
    for left in path.parent.glob("*.tmp"):
        with contextlib.suppress(OSError):  # another notebook sweeps too
            if time.time() - left.stat().st_mtime > STALE:
                left.unlink()
    number, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".tmp")
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            if path.suffix == ".py":  # a computer that is switched off forgets no answer
                stream.flush()
                os.fsync(number)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _counted(row: dict, exercise: str, verdict: Any, checked: bool) -> dict:
    """Count a check, and a mistake where the check before had another outcome.

    What was correct once stays correct: its answer is kept.
    """
    mistake, caught = verdict.mistake, row.get("mistakes", {})
    if mistake and mistake != row.get("mistake"):
        caught = {**caught, mistake: caught.get(mistake, 0) + 1}
    done = row.get("outcome") == "correct"
    return {"exercise": exercise, "outcome": "correct" if done else verdict.outcome,
            "last": verdict.outcome, "mistake": mistake,
            "time": _now() if checked else row.get("time", ""),
            "checks": row.get("checks", 0) + checked, "mistakes": caught}


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let no other notebook change a file meanwhile; one that was killed is not waited for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.stem}.lock")
    for _ in range(WAITS):
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except (FileExistsError, PermissionError):  # Windows: it is just being removed
            time.sleep(0.002)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _read(path: Path) -> dict:
    """Return what a file remembers; nothing where it is not there or damaged."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        row = None
    return row if isinstance(row, dict) else {}


def _version(store: Path) -> str:
    try:
        return (store / "about.txt").read_text(encoding="utf-8").partition("\n")[0][:40]
    except (OSError, ValueError):
        return ""


def _now() -> str:
    return datetime.now().isoformat(timespec="seconds")


def _once(line: str) -> list[str]:
    fresh = line not in SAID
    SAID.add(line)
    return [line] if fresh else []
