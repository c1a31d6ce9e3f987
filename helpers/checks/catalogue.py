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
ALSO = " (also beside others)"  # an edit that is made together with every other one as well


class PageError(ValueError):
    """A page does not fit its reference; says where."""


@dataclass(frozen=True)
class Mistake:
    """A known mistake: its id, a wrong implementation that makes it, what to tell the student.

    `edit` is the edit of its page, and what that puts in; empty where no single edit makes it.
    """

    id: str
    wrong: Callable
    message: str
    source: str = ""
    edit: tuple = ()


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
            fit = [piece for piece in row[3:] if _fitting(piece, source, "")]
            if fit and (row[1] in ids or not named):
                ids.discard(row[1])
                yield *row[:3], *fit
        if ids:
            raise PageError(f"`{other}` has no edits of {', '.join(sorted(ids))} that fit here")


def _outcomes(piece, source, where) -> Iterator[tuple[str, str]]:
    """Yield (what is put in, the whole function) for each alternative of an edit, or for a body."""
    if piece.startswith("```"):
        code = textwrap.dedent(piece[piece.index("\n") + 1:piece.rindex("  ```")])
        whole, head = re.match("def |class |@", code), source[:source.find(":\n") + 2]
        yield "", code if whole else head + textwrap.indent(code, " " * 4)
        return
    edit = re.sub(r"\s*\n\s*", " ", piece.replace(ALSO, "").strip())
    changes = [CHANGE.fullmatch(part) for part in re.split(r"; (?=`)", edit)]
    if None in changes:
        raise PageError(f"{where}: an edit is written as `old` → `new`, not as {edit}")
    news = [re.findall("`([^`]+)`", change[2]) or [""] for change in changes]
    for i in range(max(map(len, news))):
        changed = source
        for (old, _), new in zip((change.groups() for change in changes), news, strict=True):
            if old not in changed:
                raise PageError(f"{where}: the reference has no `{old}`")
            changed = changed.replace(old, new[i % len(new)])
        yield news[0][i % len(news[0])].strip(), changed


def _fitting(edit, source, where):
    """Return what an edit makes of a function, or nothing where it does not fit."""
    with contextlib.suppress(PageError):
        return [changed for _, changed in _outcomes(edit, source, where)]
    return []


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
    sections, space = page(exercise[:2])
    source, rows = sections.get((exercise, name), ("", []))
    beside, found = [piece for row in rows for piece in row[3:] if ALSO in piece], []
    for where, mistake, message, *pieces in rows:
        wrong = [(piece, *one) for piece in pieces for one in _outcomes(piece, source, where)]
        wrong += [("```", new, both) for piece, new, changed in wrong for other in beside
                  if other != piece for both in _fitting(other, changed, where)]
        for piece, new, changed in wrong:
            own, message = dict(space), " ".join(message.split())
            try:
                exec(compile(changed, f"<{where}>", "exec"), own)
            except SyntaxError as error:
                raise PageError(f"{where}: no Python: {error.text}") from None
            found.append(Mistake(mistake, own[name], message.replace("{wrong}", new), changed,
                                 () if piece.startswith("```") else (piece, new)))
    return tuple(found)


@functools.cache
def both(exercise: str, name: str, one: Mistake, other: Mistake) -> Callable | None:
    """Return the function that makes two known mistakes, or None where they do not go together."""
    for a, b in ((one, other), (other, one)):
        with contextlib.suppress(PageError, SyntaxError):
            for new, changed in _outcomes(b.edit[0], a.source, "") if b.edit else ():
                if new == b.edit[1]:
                    own = dict(page(exercise[:2])[1])
                    exec(compile(changed, "<two mistakes>", "exec"), own)
                    return own[name]
    return None
