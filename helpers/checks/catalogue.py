"""The catalogue of mistakes: a Markdown page a lesson, which people read and the checks use.

A page has for each function a reference answer, and its mistakes: an id, a message, and edits that
turn the reference into what a student with that mistake has written (see CONTRIBUTING.md).
"""

from __future__ import annotations

import base64
import contextlib
import functools
import re
import textwrap
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).with_name("mistakes")
CODE = re.compile(r"^( *)```python\n(.*?)^\1```$", re.M | re.S)
SECTION = re.compile(r"^## (\S+): `(\w+)`$(.*?)(?=^## |\Z)", re.M | re.S)
ROW = re.compile(r"^- \*\*([\w-]+)\*\*: (.*?)(?=^- \*\*|\Z)", re.M | re.S)
PIECE = re.compile(r"^  (?:- (?=`)|(?=```python))|\s+or\s+(?=`[^`]+`\s+→)", re.M)  # edits, bodies
CHANGE = re.compile(r"`([^`]+)` → (nothing|`[^`]+`(?:, `[^`]+`)*)")
SHARED = re.compile(
    r"^The mistakes ((?:`[\w-]+`(?:,|\sand)?\s)*)of `([\w-]+)` count here too\.$", re.M)
ENCODED = "Encoded, so that no answer is read by chance; that is no protection."


class PageError(ValueError):
    """A page does not fit its reference; says where."""


@dataclass(frozen=True)
class Mistake:
    """A known mistake: its id, a wrong implementation that makes it, what to tell the student."""

    id: str
    wrong: Callable
    message: str
    source: str = ""
    edit: tuple = ()  # of (old, new), which belong together; empty where it is a whole body
    new: str = ""  # what stands in the place of something right, where an edit puts it there


def text_of(path: Path) -> str:
    """Return the text of a page, also where an edition without solutions has encoded it."""
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("\n")
    return zlib.decompress(base64.b64decode(rest)).decode("utf-8") if head == ENCODED else text


@functools.cache
def page(lesson: str) -> tuple[dict, dict]:
    """Return {(exercise, function): (reference, rows)} and the names that references use."""
    sections, space = {}, {"mine": answer}
    for path in PAGES.glob(f"{lesson}_*.md"):
        text, space["__name__"] = text_of(path), path.stem
        exec("".join(code for _, code in CODE.findall(text[:text.index("\n## ")])), space)
        for found in SECTION.finditer(text):
            exercise, name, body = found.groups()
            source = CODE.search(body)[2]
            exec(source, space)
            rows = [(f"{path.name}, line {1 + text.count(chr(10), 0, row.start())}", row[1],
                     *PIECE.split(row[2])) for row in ROW.finditer(text, *found.span(3))]
            own = [row[3:] for row in rows]
            rows += [row for row in _shared(body, source, sections) if row[3:] not in own]
            sections[exercise, name] = source, rows
    return sections, space


def _shared(body, source, sections) -> Iterator[tuple]:
    """Yield the rows of another function that count here too, with those edits that fit."""
    for named, other in SHARED.findall(body):
        ids = set(re.findall(r"[\w-]+(?=`)", named))
        known = sections if any(other in key for key in sections) else page(other[:2])[0]
        for row in [row for key, (_, more) in known.items() if other in key for row in more]:
            fit = [piece for piece in row[3:] if all(
                old in source for edit in _edits(piece, source, "") for old, _ in edit)]
            if fit and (row[1] in ids or not named):
                ids.discard(row[1])
                yield *row[:3], *fit
        if ids:
            raise PageError(f"`{other}` has no edits of {', '.join(sorted(ids))} that fit here")


def _edits(piece, source, where) -> list[tuple]:
    """Return the alternatives of an edit, each a tuple of (old, new); a whole body is one."""
    if piece.startswith("```"):
        code = textwrap.dedent(piece[piece.index("\n") + 1:piece.rindex("  ```")])
        whole, head = re.match("def |class |@", code), source[:source.find(":\n") + 2]
        return [((source, code if whole else head + textwrap.indent(code, " " * 4)),)]
    edit = re.sub(r"\s*\n\s*", " ", piece.strip())
    changes = [CHANGE.fullmatch(part) for part in re.split(r"; (?=`)", edit)]
    if None in changes:
        raise PageError(f"{where}: an edit is written as `old` → `new`, not as {edit}")
    news = [re.findall("`([^`]+)`", change[2]) or [""] for change in changes]
    return [tuple((change[1], new[i % len(new)]) for change, new in zip(changes, news, strict=True))
            for i in range(max(map(len, news)))]


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
    sections, space = page(exercise[:2])
    return (sections[exercise, name][0], space) if (exercise, name) in sections else None


def answer(exercise: str) -> Callable | tuple[Callable, ...]:
    """Return an exercise's reference, a tuple if it has several; pages call this ``mine``."""
    sections, space = page(exercise[:2])
    found = tuple(space[name] for key, name in sections if key == exercise)
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
        for edit in [edit for piece in pieces for edit in _edits(piece, source, where)]:
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
