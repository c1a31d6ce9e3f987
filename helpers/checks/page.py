"""The text of a page of mistakes, taken apart: what people read and the checks use.

A page has for each function a reference answer, and its mistakes: an id, a message, and edits that
turn the reference into what a student with that mistake has written (see CONTRIBUTING.md).
"""

from __future__ import annotations

import base64
import re
import textwrap
import zlib
from collections.abc import Iterator
from pathlib import Path

PAGES = Path(__file__).with_name("mistakes")
CODE = re.compile(r"^( *)```python\n(.*?)^\1```$", re.M | re.S)
SECTION = re.compile(r"^## (\S+): `(\w+)`$(.*?)(?=^## |\Z)", re.M | re.S)
ROW = re.compile(r"^- \*\*([\w-]+)\*\*: (.*?)(?=^- \*\*|\Z)", re.M | re.S)
PIECE = re.compile(r"^  (?:- (?=`)|(?=```python))|\s+or\s+(?=`[^`]+`\s+→)", re.M)  # edits, bodies
CHANGE = re.compile(r"`([^`]+)` → (nothing|`[^`]+`(?:, `[^`]+`)*)")
SHARED = re.compile(
    r"^The mistakes ((?:`[\w-]+`(?:,|\sand)?\s)*)of\s`([\w-]+)` count here too\.$", re.M)
ENCODED = "Encoded, so that no answer is read by chance; that is no protection."


class PageError(ValueError):
    """A page does not fit its reference; says where."""


def text_of(path: Path) -> str:
    """Return the text of a page, also where an edition without solutions has encoded it."""
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("\n")
    return zlib.decompress(base64.b64decode(rest)).decode("utf-8") if head == ENCODED else text


def code_before(text: str) -> str:
    """Return the code that stands on a page before its first exercise."""
    return "".join(code for _, code in CODE.findall(text[:text.index("\n## ")]))


def sections(path: Path, text: str) -> Iterator[tuple]:
    """Yield (where, exercise, function, its reference's source, rows, shared) of each section.

    A row is (where it stands, id, message, edit or body, ...). `shared` are pairs: an exercise
    whose mistakes count here too, and their ids, or no ids for all of them.
    """
    def where(found):
        return f"{path.name}, line {1 + text.count(chr(10), 0, found.start())}"

    for found in SECTION.finditer(text):
        exercise, name, body = found.groups()
        rows = [(where(row), row[1], *PIECE.split(row[2]))
                for row in ROW.finditer(text, *found.span(3))]
        shared = [(other, set(re.findall(r"[\w-]+(?=`)", named)))
                  for named, other in SHARED.findall(body)]
        source = CODE.search(body)
        if not source or f"def {name}(" not in source[2]:
            raise PageError(f"{where(found)}: no reference answer `{name}`")
        yield where(found), exercise, name, source[2], rows, shared


def edits(piece: str, source: str, where: str = "") -> list[tuple]:
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
