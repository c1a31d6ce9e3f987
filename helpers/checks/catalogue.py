"""The catalogue of mistakes: a Markdown page a lesson, which people read and the checks use.

A page has for each function a reference answer, and its mistakes: an id, a message, and edits that
turn the reference into what a student with that mistake has written (see CONTRIBUTING.md).
"""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PAGES = Path(__file__).with_name("mistakes")
CODE = re.compile(r"^( *)```python\n(.*?)^\1```$", re.M | re.S)
SECTION = re.compile(r"^## (\S+): `(\w+)`$(.*?)(?=^## |\Z)", re.M | re.S)
ROW = re.compile(r"^- \*\*([\w-]+)\*\*: (.*?)(?=^- \*\*|\Z)", re.M | re.S)
CHANGE = re.compile(r"`([^`]+)` → (nothing|`[^`]+`(?:, `[^`]+`)*)")
ALSO = " (also beside others)"  # an edit that is made together with every other one as well


class PageError(ValueError):
    """A page does not fit its reference; says where."""


@dataclass(frozen=True)
class Mistake:
    """A known mistake: its id, a wrong implementation that makes it, what to tell the student."""

    id: str
    wrong: Callable
    message: str
    source: str = ""


@functools.cache
def _page(lesson: str) -> tuple[dict, dict]:
    """Return {(exercise, function): (reference, mistakes)} and the names that references use."""
    path = next(iter(PAGES.glob(f"{lesson}_*.md")), None)
    if path is None:
        return {}, {}
    page = path.read_text(encoding="utf-8")
    sections, space = {}, {"__name__": path.stem, "mine": answer}
    exec("".join(code for _, code in CODE.findall(page[:page.index("\n## ")])), space)
    for found in SECTION.finditer(page):
        exercise, name, body = found.groups()
        source = CODE.search(body)[2]
        exec(source, space)
        rows = [_mistake(row, f"{path.name}, line {page.count(chr(10), 0, found.start(3)) + 1 + n}")
                for row in ROW.finditer(body) for n in [body.count("\n", 0, row.start())]]
        for other in re.findall(r"^The mistakes of `(\S+)` count here too\.$", body, re.M):
            rows += [row for key, (_, more) in sections.items() if key[0] == other
                     for row in more if row[3:] not in [mine[3:] for mine in rows]]
        sections[exercise, name] = source, rows
    return sections, space


def _mistake(found, where):
    """Return where, id, message, edits (pairs of old and new, whether beside others), answers."""
    message, *edits = re.split(r"^  - (?=`)", CODE.sub("", found[2]), flags=re.M)
    answers = [textwrap.dedent(code) for _, code in CODE.findall(found[2])]
    return where, found[1], " ".join(message.split()), [
        (pairs, ALSO in edit) for edit in edits for pairs in _alternatives(edit, where)], answers


def _alternatives(edit, where):
    parts = re.split(r"; (?=`)", re.sub(r"\s*\n\s*", " ", edit.replace(ALSO, "").strip()))
    changes = [CHANGE.fullmatch(part) for part in parts]
    if None in changes:
        raise PageError(f"{where}: an edit is written as `old` → `new`, not as {edit}")
    news = [[""] if c[2] == "nothing" else re.findall("`([^`]+)`", c[2]) for c in changes]
    return [[(c[1], new[i % len(new)]) for c, new in zip(changes, news, strict=True)]
            for i in range(max(map(len, news)))]


def _edited(source, pairs, where):
    for old, new in pairs:
        if old not in source:
            raise PageError(f"{where}: the reference has no `{old}`")
        source = source.replace(old, new)
    return source


def reference(exercise: str, name: str) -> tuple[str, dict] | None:
    """Return the source of a reference answer and the names that it uses, or None."""
    sections, space = _page(exercise[:2])
    return (sections[exercise, name][0], space) if (exercise, name) in sections else None


def answer(exercise: str) -> Callable | tuple[Callable, ...]:
    """Return an exercise's reference, a tuple if it has several; pages call this ``mine``."""
    sections, space = _page(exercise[:2])
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
    sections, space = _page(exercise[:2])
    source, rows = sections.get((exercise, name), ("", []))
    head = source[:source.find(":\n") + 2]
    beside = [pairs for row in rows for pairs, also in row[3] if also]
    found = []
    for where, mistake, message, edits, answers in rows:
        wrong = [(pairs[0][1], _edited(source, pairs, where)) for pairs, _ in edits]
        wrong += [(pairs[0][1], _edited(source, pairs + more, where)) for pairs, _ in edits
                  for more in beside if more != pairs and all(
                      old in _edited(source, pairs, where) for old, _ in more)]
        wrong += [("", code if re.match("def |class |@", code) else
                   head + textwrap.indent(code, " " * 4)) for code in answers]
        for new, changed in wrong:
            own = dict(space)
            try:
                exec(compile(changed, f"<{where}>", "exec"), own)
            except SyntaxError as error:
                raise PageError(f"{where}: no Python: {error.text}") from None
            found.append(Mistake(mistake, own[name], message.replace("{wrong}", new.strip()),
                                 changed))
    return tuple(found)
