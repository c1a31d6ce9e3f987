"""Symbols and terms of all lessons on one page, read from the lessons' own tables and texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from helpers import folder
from helpers.memory import siblings

TERM = re.compile(r"\*\*([A-Za-z][A-Za-z -]{2,30})\*\*")
# In bold for another reason than that a term is explained there.
STRESSED = {
    "a sum", "all", "check", "find out", "first", "go on", "how small should eps be", "linear",
    "mean", "new", "one", "order", "picking", "plane", "predict", "pytorch", "second",
    "second sanity check", "settings", "shrinks", "state", "stays", "strip", "sum", "summed over",
    "tell", "test", "the matrix product", "third", "third sanity check", "time", "to read next",
    "training", "turn", "two groups", "validation", "you need"}


def glossary(word: str = "") -> None:
    """Show the symbols and terms of the course, with the lesson in which each is explained.

    Parameters
    ----------
    word : only what contains it, such as ``"dZ2"`` or ``"epoch"``; by default all
    """
    text = glossary_page(word)
    from IPython import get_ipython
    from IPython.display import Markdown, display

    if get_ipython() is None:
        print(text)
    else:
        display(Markdown(text))


def glossary_page(word: str = "") -> str:
    """Return the page as Markdown: a table of symbols, then the terms in their own sentences."""
    found = [row for row in _symbols() if word.lower() in " ".join(row).lower()]
    lines = ["| code | maths | meaning | shape | lesson |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in found]
    terms = {}
    for term, sentence, lesson in _terms():
        if word.lower() in term.lower() and term.lower() not in terms:
            terms[term.lower()] = f"- {sentence} ({lesson})"
    parts = ["\n".join(lines)] if found else []
    parts += ["\n".join(terms[name] for name in sorted(terms))] if terms else []
    return "\n\n".join(parts) or f"Neither a symbol nor a term of the course contains “{word}”."


def _texts() -> Iterator[tuple[str, str]]:
    """Yield a link to each lesson, and the text of each of its cells."""
    for path in sorted(folder("solutions").glob("[0-9][0-9]_*.ipynb")):
        there = (Path.cwd() / path.name).exists()
        link = f"[{path.name[:2]}]({quote(path.name)})" if there else path.name[:2]
        for cell in siblings.cells_of(path):
            if cell["cell_type"] == "markdown":
                yield link, cell["source"]


def _symbols() -> Iterator[tuple[str, ...]]:
    seen = set()
    for link, text in _texts():
        for table in re.findall(r"^\| code \| maths \|.*\n\|[- |]+\n((?:\|.*\n?)+)", text, re.M):
            for line in table.splitlines():
                code, maths, meaning, shape = (
                    cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:5])
                if (code, meaning) not in seen:
                    seen.add((code, meaning))
                    yield code, maths, meaning, shape, link


def _terms() -> Iterator[tuple[str, str, str]]:
    for link, text in _texts():
        for paragraph in text.split("\n\n"):
            if paragraph.lstrip().startswith(("- ", "|", "#", "<", "1.", "$$", "```")):
                continue
            for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z*])", paragraph.replace("\n", " ")):
                for found in TERM.finditer(sentence):
                    if found[1].lower().strip() not in STRESSED:
                        yield found[1], sentence.strip(), link
