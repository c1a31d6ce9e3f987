"""The catalogue of mistakes: the functions that the pages of mistakes describe."""

from __future__ import annotations

import contextlib
import functools
import linecache
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from helpers.checks.page import PAGES, PageError, code_before, edits, sections, text_of


@dataclass(frozen=True)
class Mistake:
    """A known mistake: its id, a wrong implementation that makes it, what to tell the student."""

    id: str
    wrong: Callable
    message: str
    source: str = ""
    edit: tuple = ()  # of (old, new), which belong together; empty where it is a whole body
    new: str = ""  # what stands in the place of something right, where an edit puts it there


@functools.cache
def page(lesson: str) -> tuple[dict, dict]:
    """Return {(exercise, function): (reference, rows)} and the names that references use."""
    known, space = {}, {"mine": answer}
    for path in PAGES.glob(f"{lesson}_*.md"):
        text, space["__name__"] = text_of(path), path.stem
        exec(code_before(text), space)
        for where, exercise, name, source, rows, shared in sections(path, text):
            exec(compile(source, where, "exec"), space)
            linecache.cache[where] = len(source), None, source.splitlines(keepends=True), where
            own = [row[3:] for row in rows]
            rows += [row for row in _shared(shared, source, known, where) if row[3:] not in own]
            known[exercise, name] = source, rows
    return known, space


def _shared(shared, source, known, where) -> Iterator[tuple]:
    """Yield the rows of other functions that count here too, with those edits that fit."""
    for other, ids in shared:
        earlier, missing = other[:2].isdigit() and other[:2] < where[:2], set(ids)
        its = page(other[:2])[0] if earlier else known
        rows = [row for key, (_, more) in its.items() if other in key for row in more]
        for row in rows:
            fit = [piece for piece in row[3:] if all(
                old in source for edit in edits(piece, source) for old, _ in edit)]
            if fit and (row[1] in missing or not ids):
                missing.discard(row[1])
                yield *row[:3], *fit
        if missing or not rows:
            raise PageError(f"{where}: `{other}` has no edits of {', '.join(sorted(missing))} that "
                            "fit here")


def _made(exercise, name, source, edit, where) -> tuple[str, Callable]:
    """Return the source of a function after an edit, and the function."""
    for old, new in edit:
        if old not in source:
            raise PageError(f"{where}: the reference has no `{old}`")
        source = source.replace(old, new)
    space = dict(page(exercise[:2])[1])
    try:
        exec(compile(source, f"<{where}>", "exec"), space)
    except SyntaxError as error:
        raise PageError(f"{where}: no Python: {error.text}") from None
    return source, space[name]


def reference(exercise: str, name: str) -> tuple[str, dict] | None:
    """Return the source of a reference answer and the names that it uses, or None."""
    known, space = page(exercise[:2])
    return (known[exercise, name][0], space) if (exercise, name) in known else None


def answer(exercise: str) -> Callable | tuple[Callable, ...]:
    """Return an exercise's reference, a tuple if it has several; pages call this ``mine``."""
    known, space = page(exercise[:2])
    found = tuple(space[name] for key, name in known if key == exercise)
    return found[0] if len(found) == 1 else found


@functools.cache
def mistakes(exercise: str, name: str) -> tuple[Mistake, ...]:
    """Return the known mistakes of an exercise's function, in the order of its page.

    Raises
    ------
    PageError
        Where an edit cannot be read or does not fit the reference, or its outcome is no Python.
    """
    source, rows = page(exercise[:2])[0].get((exercise, name), ("", []))
    found = []
    for where, mistake, message, *pieces in rows:
        for edit in [edit for piece in pieces for edit in edits(piece, source, where)]:
            changed, wrong = _made(exercise, name, source, edit, where)
            edit = () if edit[0][0] == source else edit
            new = edit[0][1].strip() if edit else ""
            said = " ".join(message.split()).replace("{wrong}", new)
            found.append(Mistake(mistake, wrong, said, changed, edit, new))
    return tuple(found)


@functools.cache
def both(exercise: str, name: str, one: Mistake, other: Mistake) -> Callable | None:
    """Return the function that makes two known mistakes, or None where they do not go together."""
    for a, b in ((one, other), (other, one)):
        if b.edit:
            with contextlib.suppress(PageError):
                return _made(exercise, name, a.source, b.edit, "two mistakes")[1]
    return None
