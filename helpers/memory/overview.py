"""Where you are: the outcomes of a lesson and of the course, and a page to keep at the end."""

from __future__ import annotations

import html
import importlib
import os
import re
from collections import Counter
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import quote

from helpers.checks.catalogue import mistakes
from helpers.checks.exercise import RECORD, exercises
from helpers.checks.explain import general_mistakes
from helpers.checks.show import SIGNS, show_card, show_progress
from helpers.memory import siblings, store

LESSONS = sorted(path.stem[-2:] for path in
                 Path(__file__).parents[1].glob("checks/lesson_*.py"))
PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>What I built</title>
<style>
body {{ font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em }}
td {{ padding: 0 1.5em 0 0 }} pre {{ background: #f4f4f4; padding: 0.7em; overflow: auto }}
</style>
<h1>What I built</h1>
{body}
</html>
"""


def progress(lesson: str | None = None) -> None:
    """Show which exercises are done: those of this kernel, and those that are remembered.

    Parameters
    ----------
    lesson : such as ``"02"``, or ``"all"`` for the whole course; by default the lesson of this
        notebook, or of the check that ran last
    """
    lesson = lesson or _lesson_here()
    if lesson == "all":
        _show_course()
    elif lesson is None:
        print("No check has run yet.")
    else:
        rows = outcomes(lesson)
        waiting = waiting_in(rows)
        more = f"Continue here: {link_to(waiting[0])}" if waiting else onward(lesson)
        show_progress(lesson, rows, [more] if store.records() else [])


def summary(name: str = "what-i-built.html") -> None:
    """Write a page that shows what you built: to keep, to print, or to save as PDF in a browser.

    Parameters
    ----------
    name : of the file, beside the notebooks
    """
    try:
        if Path(name).suffix.lower() != ".html":
            raise OSError(0, f"its name must end with .html, and is {name}")
        Path(name).write_text(PAGE.format(body=_summary()), encoding="utf-8")
    except OSError as error:
        show_card("not yet", f"The page was not written: {error.strerror}", [])
        return
    show_card("correct", "What you built", [
        f"The page is in `{name}`, beside this notebook: a double click in the file browser on the "
        "left opens it. In a browser, Print makes a PDF of it."])


def caught() -> list[tuple[str, str, int, str]]:
    """Return the mistakes made and mended: id, exercise, how often, and what its page says."""
    found = []
    for exercise, row in store.records().items():
        if row.get("outcome") == "correct" and exercise[:2] in LESSONS:
            texts = _messages(exercise)
            found += [(mistake, exercise, count, _text_for(mistake, texts))
                      for mistake, count in row.get("mistakes", {}).items()]
    return found


def _lesson_here() -> str | None:
    """Return the lesson of the open notebook, of the last check, or of the last one kept."""
    found = sorted(_lessons_in(_open_notebook()))
    if found:
        return found[0]
    times = {row.get("time", ""): exercise for exercise, row in store.records().items()}
    last = next(reversed(RECORD), None) or (times[max(times)] if times else None)
    return last[:2] if last else None


def outcomes(lesson: str) -> list[tuple[str, str]]:
    """Return the exercises of a lesson with their outcomes; what was correct once stays so."""
    kept, rows = store.records(), []
    for exercise in exercises(importlib.import_module(f"helpers.checks.lesson_{lesson}")):
        before = kept.get(exercise.id, {}).get("outcome")
        now = before if before == "correct" else RECORD.get(exercise.id, before)
        rows.append((exercise.id, now if now in SIGNS else "waiting"))
    return rows


def waiting_in(rows: list[tuple[str, str]]) -> list[str]:
    """Return the exercises, of those with their outcomes, that are still to be done."""
    return [name for name, outcome in rows if outcome not in ("correct", "skipped")]


def _show_course() -> None:
    rows = {lesson: outcomes(lesson) for lesson in LESSONS}
    first = {lesson: waiting_in(own)[0] for lesson, own in rows.items() if waiting_in(own)}
    lines = [_standing(lesson, own) for lesson, own in rows.items()]
    if first:
        here = _lesson_here() or LESSONS[0]
        ahead = first.get(here) or next(
            (name for lesson, name in first.items() if lesson > here), min(first.values()))
        lines.append(f"Continue here: {link_to(ahead)}")
    lines += [f"Caught: {line}" for line in map(_told, caught()[-5:])]
    done = [outcome == "correct" for own in rows.values() for _, outcome in own]
    show_card("not attempted" if first else "correct",
              f"The course: {sum(done)} of {len(done)} exercises correct", lines)


def _standing(lesson: str, rows: list[tuple[str, str]]) -> str:
    """Return the line of a lesson: its link, and how many exercises are done, skipped, open."""
    number, waiting = Counter(outcome for _, outcome in rows), len(waiting_in(rows))
    sign = SIGNS["waiting" if waiting else "skipped" if number["skipped"] else "correct"]
    path = _notebook(lesson)
    return (f"{sign} {_link(_title(path) if path else lesson, path)}: "
            f"{number['correct']} of {len(rows)} correct"
            + (f", {number['skipped']} skipped" if number["skipped"] else "")
            + (f", {waiting} open" if 0 < waiting < len(rows) else ""))


def _told(row: tuple[str, str, int, str]) -> str:
    mistake, exercise, count, text = row
    often = f", {count} times" if count > 1 else ""
    return f"`{mistake}` ({exercise}{often})" + (f": {text}" if text else "")


def _messages(exercise: str) -> dict[str, str]:
    """Return the sentences about mistakes that the lesson's page and the general one hold."""
    texts = {name: re.sub(r"`?{\w+}`?", "…", advice) for names, (advice, _) in
             general_mistakes().items() for name in names.split(", ")}
    module = importlib.import_module(f"helpers.checks.lesson_{exercise[:2]}")
    own = [m for row in exercises(module) if row.id == exercise for part in row.parts
           for m in mistakes(row.id, part.name)]
    for one in reversed(own):  # the line of the page is hardly the student's
        text = one.message.replace(f"`{one.new}`", "…") if one.edit else one.message
        texts[one.id] = text[:1].upper() + text[1:]
    return texts


def _text_for(mistake: str, texts: dict[str, str]) -> str:
    """Return what is said of a mistake, by its name or by one such as ``times-…``."""
    names = [name for name in texts if fnmatch(mistake, name.replace("…", "*"))]
    return texts[min(names, key=lambda name: "…" in name)] if names else ""


def _open_notebook() -> Path:
    """Return the notebook of this kernel, or the folder where it is not known."""
    return Path.cwd() / Path(os.environ.get("JPY_SESSION_NAME", "")).name


def _lessons_in(path: Path) -> set[str]:
    """Return the lessons whose exercises a notebook holds."""
    try:
        return {(siblings.mark(cell) or "")[:2] for cell in siblings.cells_of(path)} & {*LESSONS}
    except (siblings.Unreadable, OSError):
        return set()


def _notebook(lesson: str) -> Path | None:
    """Return a lesson's notebook in this folder: the open one, one of its name, or renamed."""
    here = Path.cwd()
    paths = [path for path in siblings.notebooks(lesson, here) if path.parent == here]
    named = [path for path in paths if path.name.startswith(lesson)]
    return next((path for path in (_open_notebook(), *named, *paths)
                 if lesson in _lessons_in(path)), None)


def onward(lesson: str) -> str:
    """Return a line for the end of a lesson, with a link to the next one."""
    path = next(filter(None, (_notebook(number) for number in LESSONS if number > lesson)), None)
    return f"All is done: on to {_link(_title(path), path)}." if path else "All is done."


def _title(path: Path) -> str:
    return path.stem.replace("_", " ")


def link_to_cell(cell: str | None) -> str:
    """Return a link to a cell of the open notebook."""
    path = _open_notebook()
    return _link("a cell", path if cell and path.is_file() else None, cell)


def link_to(exercise: str) -> str:
    """Return a link to an exercise's cell in its notebook, or its id where there is none."""
    path = _notebook(exercise[:2])
    cells = siblings.cells_of(path) if path else []
    cell = next((c["id"] for c in cells if siblings.mark(c) == exercise and "id" in c), None)
    return _link(exercise, path if cell else None, cell)


def _link(text: str, path: Path | None, cell: str | None = None) -> str:
    """Return a link to a notebook, and a cell in it; the text alone where there is none."""
    place = f"#cell-id={quote(cell)}" if cell else ""
    return f"[{text}]({quote(path.name)}{place})" if path else text


def _summary() -> str:
    """Return the page's body: lessons, mistakes, predictions, and the functions themselves."""
    rows = {lesson: outcomes(lesson) for lesson in LESSONS}
    kept = store.records()
    days = sorted({row["time"][:10] for row in kept.values() if row.get("time")})
    parts = [f"<p>{sum(o == 'correct' for r in rows.values() for _, o in r)} exercises, "
             f"{sum(row.get('checks', 0) for row in kept.values())} checks"
             + (f", last on {days[-1]}" if days else "") + ".</p><table>"]
    for lesson, own in rows.items():
        parts.append(f"<tr><td>Lesson {lesson}<td>" + " ".join(
            f'<span title="{name}: {outcome}">{SIGNS[outcome]}</span>' for name, outcome in own))
    predicted = [row for row in store.records("predictions").values()
                 if row.keys() >= {"question", "choice", "truth"}]
    parts.append("</table>")
    for title, items in (
        ("Mistakes I caught", [_told(row) for row in caught()]),
        ("What I predicted", [f"{row['question']} I said {row['choice']}; it was {row['truth']}."
                              for row in predicted]),
    ):
        if items:
            rows = "".join(f"<li>{_code(item)}</li>" for item in items)
            parts.append(f"<h2>{title}</h2><ul>{rows}</ul>")
    parts.append("<h2>My functions</h2>")
    for exercise in kept:
        source = store.answer_source(exercise)
        if source:
            parts.append(f"<details><summary>{exercise}</summary><pre>{html.escape(source)}</pre>"
                         "</details>")
    return "\n".join(parts)


def _code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(str(text), quote=False))
