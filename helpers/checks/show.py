"""How a verdict is shown: a coloured card in a notebook, plain lines elsewhere."""

from __future__ import annotations

import html
import re

from helpers.palette import OUTCOMES

SIGNS = {"correct": "✓", "not yet": "✗", "not attempted": "○", "skipped": "↷"}


def headline(outcome: str, exercise: str) -> str:
    """Return the first line of a card, such as ``✓ Correct · 01-sigmoid``."""
    return f"{SIGNS[outcome]} {outcome.capitalize()} · {exercise}"


def as_text(outcome: str, exercise: str, lines: list[str]) -> str:
    """Return the card as plain text, one line a sentence."""
    return "\n".join([headline(outcome, exercise), *lines])


def as_html(outcome: str, exercise: str, lines: list[str]) -> str:
    """Return the card as HTML: sign, word and colour of the outcome, text in the theme's colour."""
    colour = OUTCOMES[outcome]
    body = "".join(f"<div>{_code(html.escape(line, quote=False))}</div>" for line in lines)
    return (f'<div style="border-left: 5px solid {colour}; background: {colour}1f; '
            f'padding: 6px 12px; line-height: 1.5; max-width: 52em">'
            f'<div style="font-weight: 600">{html.escape(headline(outcome, exercise))}</div>'
            f"{body}</div>")


def show(outcome: str, exercise: str, lines: list[str]) -> None:
    """Show a card where the reader is: in the notebook, or on the terminal."""
    text = as_text(outcome, exercise, lines)
    if not _in_notebook():
        print(text)
        return
    from IPython.display import display
    display({"text/html": as_html(outcome, exercise, lines), "text/plain": text}, raw=True)


def show_table(title: str, rows: list[tuple[str, str]]) -> None:
    """Show a list of exercises, each with its outcome (or ``waiting``)."""
    lines = [f"{SIGNS.get(outcome, '·')} {exercise} {outcome}" for exercise, outcome in rows]
    if not _in_notebook():
        print("\n".join([title, *lines]))
        return
    from IPython.display import display
    cells = "".join(
        f'<tr><td style="text-align: left; border-left: 5px solid '
        f'{OUTCOMES.get(outcome, "transparent")}"><code>{exercise}</code></td>'
        f'<td style="text-align: left">{SIGNS.get(outcome, "·")} {outcome}</td></tr>'
        for exercise, outcome in rows)
    display({"text/html": f"<div><b>{html.escape(title)}</b></div><table>{cells}</table>",
             "text/plain": "\n".join([title, *lines])}, raw=True)


def _code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return get_ipython() is not None
