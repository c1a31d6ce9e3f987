"""How a verdict is shown: a coloured card in a notebook, plain lines elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from helpers.palette import OUTCOMES

SIGNS = {"correct": "✓", "not yet": "✗", "not attempted": "○", "skipped": "↷", "waiting": "·"}
LINK = re.compile(r"\[([^\]]+)\]\(([^\s)\"]+\.ipynb[^\s)\"]*)\)")  # to a notebook, in a line
WHERE = "Where in your code?"


def show(outcome: str, exercise: str, lines: list[str], place: Sequence[str] = ()) -> None:
    """Show a verdict: the outcome by its sign, word and colour, its lines, the folded place."""
    show_card(outcome, f"{outcome.capitalize()} · {exercise}", lines, place)


def show_card(outcome: str, title: str, lines: list[str], place: Sequence[str] = ()) -> None:
    """Show a card under a title of its own, with the sign and the colour of an outcome."""
    _show(f"{SIGNS[outcome]} {title}", lines, outcome, place)


def show_note(title: str, lines: list[str]) -> None:
    """Show a card that judges nothing."""
    _show(title, lines, "skipped")


def show_progress(lesson: str, rows: list[tuple[str, str]], more: Sequence[str] = ()) -> None:
    """Show the exercises of a lesson, each with its outcome (or ``waiting``), and lines below."""
    done = sum(outcome == "correct" for _, outcome in rows)
    _show(f"Lesson {lesson}: {done} of {len(rows)} exercises correct",
          [*(f"{SIGNS[outcome]} `{exercise}` {outcome}" for exercise, outcome in rows), *more],
          "correct" if done == len(rows) else "skipped")


def _show(title, lines, outcome, place=()):
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(as_text(title, lines, place))
    else:
        display(card(title, lines, outcome, place), raw=True)


def card(title: str, lines: list[str], outcome: str, place: Sequence[str] = ()) -> dict[str, str]:
    """Return a card as Jupyter displays it."""
    return {"text/html": as_html(title, lines, OUTCOMES[outcome], place),
            "text/plain": as_text(title, lines, place)}


def as_text(title: str, lines: list[str], place: Sequence[str] = ()) -> str:
    """Return a card as plain text, one line a sentence; the place stands open."""
    lines = [LINK.sub(r"\1", line) for line in lines]
    return "\n".join([title, *lines, *([WHERE] if place else []), *(f"  {p}" for p in place)])


def as_html(title: str, lines: list[str], colour: str, place: Sequence[str] = ()) -> str:
    """Return a card as HTML, its text in the colour of the reader's theme."""
    body, where = ("".join(f"<div>{with_code(line)}</div>" for line in some)
                   for some in (lines, place))
    folded = f"<details><summary>{WHERE}</summary>{where}</details>" if where else ""
    return (f'<div style="border-left: 5px solid {colour}; background: {colour}1f; '
            f'padding: 6px 12px; line-height: 1.5; max-width: 52em; overflow-wrap: anywhere">'
            f'<div style="font-weight: 600">{html.escape(title)}</div>{body}{folded}</div>')


def with_code(line: str) -> str:
    """Return a line as HTML: what stands in backticks as code, links to notebooks as links."""
    linked = LINK.sub(r'<a href="\2">\1</a>', html.escape(line, quote=False))
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", linked)
