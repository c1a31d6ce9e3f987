"""Read the cells of a notebook's file, or say what is wrong with it. Standard library only."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path


class Unreadable(Exception):  # noqa: N818  (it is told to the student, as part of a card)
    """A notebook, or the exercise in it, cannot be read; says why."""


def cells_of(path: Path) -> list[dict]:
    """Return the cells of a notebook, each source in one piece; raise as `document_in` does."""
    return document_in(path.read_bytes())["cells"]


@functools.lru_cache(maxsize=4)
def document_in(raw: bytes) -> dict:
    """Return what a notebook's file holds, the source of each cell in one piece.

    Raises
    ------
    Unreadable
        Where it is no notebook; says what is wrong, and in which line.
    """
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
        notebook = json.loads(text)
        cells = [{**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]]
        return {**notebook, "cells": cells}
    except UnicodeError as error:
        line = raw[:getattr(error, "start", 0)].count(b"\n") + 1
        raise Unreadable(f"line {line} is not in UTF-8: another program has saved it in an "
                         "encoding of its own") from None
    except json.JSONDecodeError as error:
        raise Unreadable(_damage(text, error.lineno)) from None
    except (KeyError, TypeError, RecursionError):
        raise Unreadable("it holds no cells") from None


def _damage(text: str, line: int) -> str:
    """Return why a text is no notebook, by the line in which that shows."""
    conflict = re.match("<<<<<<<|>>>>>>>", text.split("\n")[line - 1])
    if conflict:
        return f"a merge has left its marks in line {line} (`{conflict[0]}`)"
    if text.lstrip()[:1] == "<":
        return "it is a web page, no notebook: download the file itself"
    return f"it is cut off or damaged in line {line}" if text.strip() else "it is empty"
