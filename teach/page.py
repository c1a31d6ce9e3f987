"""The report's page and tables, from the results."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from html import escape
from itertools import combinations
from pathlib import Path

from helpers.palette import OUTCOMES
from teach.handins import HandIn, checks_of

SIGNS = {"correct": "✓", "follows": "↳", "not yet": "✗", "not attempted": "○", "skipped": "↷",
         "borrowed": "⚑", "missing": "–", "not judged": "?", "not handed in": "·"}
MEANS = {"correct": "right", "follows": "right with the solution's earlier functions, wrong only "
         "with the student's own", "not yet": "wrong", "not attempted": "still the stub",
         "skipped": "the solution's, by skip", "borrowed": "taken from the course's checks",
         "missing": "no such function in the notebook", "not judged": "could not be judged",
         "not handed in": "lesson not handed in, or its file cannot be read"}
COLOURS = {"correct": OUTCOMES["correct"], "follows": OUTCOMES["correct"],
           "not yet": OUTCOMES["not yet"], "not attempted": OUTCOMES["not attempted"]}
TRIED = ("correct", "follows", "not yet")
LONG = 40  # nodes of the syntax tree: shorter answers are equal by themselves
COMMON, FEW = 0.2, 5  # of a class, and students: an answer that more have written is nobody's
ANY_TEXT = {"encoding": "utf-8", "errors": "backslashreplace"}  # names of files may be no text
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes for the start of one
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Class report</title>
<meta name="viewport" content="width=device-width">
<style>
:root {{ color-scheme: light dark; --ink: #222; --back: #fff; --soft: #f1f1f1; --line: #ccc }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6e6e6; --back: #1b1b1b; --soft: #2b2b2b; --line: #555 }} }}
body {{ font: 15px/1.45 sans-serif; margin: 2em; color: var(--ink); background: var(--back) }}
table {{ border-collapse: collapse }} th, td {{ padding: 2px 7px; text-align: left;
  border-bottom: 1px solid var(--line); vertical-align: top }}
.grid {{ overflow: auto; max-height: 80vh }} .grid td {{ text-align: center }}
.grid thead th {{ position: sticky; top: 0; background: var(--back); vertical-align: bottom }}
.grid thead th span {{ writing-mode: vertical-rl; font-weight: normal }}
.grid tbody th {{ position: sticky; left: 0; background: var(--back) }}
td.n {{ text-align: right }} td.n, td.id, td summary {{ white-space: nowrap }}
code, pre {{ background: var(--soft); border-radius: 3px }}
pre {{ padding: 0.6em; overflow: auto; margin: 0 }} .pair {{ display: grid; gap: 1em;
  grid-template-columns: 1fr 1fr }} summary {{ cursor: pointer }} p {{ max-width: 50em }}
{colours}
</style></head><body>
{body}
</body></html>
"""


def write(out: Path, students: list[list[HandIn]], results: dict[str, list[dict]],
          aside: list[tuple[str, str]], points: dict[str, int]) -> None:
    """Write report.html, exercises.csv and students.csv."""
    lessons = sorted({one.lesson for own in students for one in own})
    columns = [check.id for lesson in lessons for check in checks_of(lesson)]
    table = {own[0].student: _complete(own, results[own[0].student], columns, points)
             for own in students}
    _csv(out / "exercises.csv", ["student", "exercise", "outcome", "mistake", "points", "out_of",
                                 "own_mistake", "message"],
         [[name, row["exercise"], row["outcome"], row["mistake"], row["points"],
           points[row["exercise"]], row["own"], row["message"]]
          for name, rows in table.items() for row in rows])
    _csv(out / "students.csv", ["student", "points", "out_of", "correct", "exercises",
                                *(f"points_{lesson}" for lesson in lessons), "files", "problems"],
         [_student(own, table[own[0].student], lessons, points) for own in students])
    parts = [_head(table, columns), _mistakes(table), _follows(table),
             _grid(table, columns, points), _borrowed(table), _equal(table),
             _aside(students, aside)]
    colours = "\n".join(f"td.{_class(k)} {{ background: {c}{'20' if k == 'follows' else '45'} }}"
                        for k, c in COLOURS.items())
    page = PAGE.format(colours=colours, body="\n".join(filter(None, parts)))
    (out / "report.html").write_text(page, newline="\n", **ANY_TEXT)


def _complete(own, rows, columns, points):
    """Return a row for each exercise of the class, with its points."""
    found = {row["exercise"]: row for row in rows}
    problems = {one.lesson: one.problem for one in own if one.problem}
    empty = {"outcome": "not handed in", "mistake": "", "own": "", "code": "", "shape": ""}
    rows = [found.get(name) or {"exercise": name, "message": problems.get(name[:2], ""), **empty}
            for name in columns]
    return [{**row, "points": points[row["exercise"]] * (row["outcome"] in ("correct", "follows"))}
            for row in rows]


def _student(own, rows, lessons, points):
    return [own[0].student, sum(r["points"] for r in rows),
            sum(points[r["exercise"]] for r in rows),
            sum(r["outcome"] in ("correct", "follows") for r in rows), len(rows),
            *(sum(r["points"] for r in rows if r["exercise"][:2] == lesson) for lesson in lessons),
            "; ".join(one.path for one in own),
            "; ".join(f"{one.path}: {one.problem}" for one in own if one.problem)]


def _csv(path, head, rows):
    """Write a table; what a spreadsheet would take for a formula is marked as text."""
    with path.open("w", newline="", **ANY_TEXT) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        writer.writerows([f"'{c}" if str(c).startswith(FORMULA) else c for c in row]
                         for row in rows)


def _head(table, columns):
    rows = [row for own in table.values() for row in own]
    total = Counter(row["outcome"] for row in rows)
    legend = "; ".join(f"{SIGNS[k]} {k} ({total[k]}): {MEANS[k]}" for k in SIGNS if total[k])
    return (f"<h1>Class report</h1><p>{len(table)} students, {len(columns)} exercises.</p>"
            f"<p>{escape(legend)}.</p>")


def _mistakes(table):
    """Return the mistakes of the class, the most frequent first, and what the card said."""
    who, said, tried = defaultdict(set), defaultdict(Counter), Counter()
    for name, rows in table.items():
        for row in rows:
            tried[row["exercise"]] += row["outcome"] in TRIED
            if row["outcome"] == "not yet":
                key = row["exercise"], row["mistake"]
                who[key].add(name)
                said[key][row["message"]] += 1
    lines = []
    for key in sorted(who, key=lambda key: (-len(who[key]), key)):
        text = min(said[key].items(), key=lambda item: (-item[1], item[0]))[0]
        share = f"{100 * len(who[key]) / tried[key[0]]:.0f} %"
        lines.append(f"<tr><td class=n>{len(who[key])}<td class=n>{share}<td class=id>{key[0]}"
                     f"<td class=id><code>{escape(key[1] or '(no known mistake)')}</code>"
                     f"<td>{_text(text)}<td><details><summary>who</summary>{_names(who[key])}</details>")
    return ("<h2>The mistakes of the class</h2><p>Of those who tried the exercise; judged with the "
            "solution's earlier functions in place of wrong ones.</p><table><tr><th>students<th>"
            "share<th>exercise<th>mistake<th>what the card said<th>" + "".join(lines) + "</table>"
            if lines else "<h2>The mistakes of the class</h2><p>None.</p>")


def _follows(table):
    """Return which exercises went wrong only because earlier ones had."""
    causes = Counter((row["own"] or "(an earlier one)", row["exercise"]) for rows in table.values()
                     for row in rows if row["outcome"] == "follows")
    lines = "".join(f"<tr><td class=n>{number}<td>{exercise}<td><code>{escape(cause)}</code>"
                    for (cause, exercise), number in sorted(
                        causes.items(), key=lambda item: (-item[1], item[0])))
    return ("<h2>What followed from what</h2><p>Right by themselves, wrong with the student's own "
            "earlier functions: they have their points.</p><table><tr><th>students<th>exercise"
            f"<th>what its card says{lines}</table>" if lines else "")


def _grid(table, columns, points):
    head = "".join(f"<th><span>{name}</span>" for name in columns)
    whole = sum(points[name] for name in columns)
    lines = []
    for name, rows in table.items():
        cells = "".join(
            f'<td class="{_class(row["outcome"])}" title="{escape(_title(name, row))}">'
            f'{SIGNS[row["outcome"]]}' for row in rows)
        lines.append(f"<tr><th>{escape(name)}<td>{sum(r['points'] for r in rows)}{cells}")
    return (f"<h2>Every student, every exercise</h2><div class=grid><table><thead><tr><th>student"
            f"<th>of {whole}{head}</thead><tbody>{''.join(lines)}</tbody></table></div>")


def _title(name, row):
    parts = (row["exercise"], name, row["outcome"], row["mistake"], row["message"])
    return " · ".join(filter(None, parts))


def _borrowed(table):
    lines = "".join(f"<li>{escape(name)}: {row['exercise']}, {MEANS[row['outcome']]}"
                    for name, rows in table.items() for row in rows
                    if row["outcome"] in ("skipped", "borrowed"))
    return f"<h2>Borrowed answers</h2><ul>{lines}</ul>" if lines else ""


def _equal(table):
    """Return pairs of students with equal code that few others have, side by side."""
    same = defaultdict(list)
    for name, rows in table.items():
        for row in rows:
            if row["shape"] and row["size"] >= LONG and row["outcome"] in TRIED:
                same[row["exercise"], row["shape"]].append((name, row))
    pairs = defaultdict(list)
    for (exercise, _), found in sorted(same.items()):
        if 2 <= len(found) <= max(2, min(FEW, COMMON * len(table))):
            for (one, a), (other, b) in combinations(found, 2):
                pairs[one, other].append((exercise, a, b))
    lines = []
    for (one, other), rows in sorted(pairs.items(), key=lambda item: (-len(item[1]), item[0])):
        code = "".join(
            f"<p>{exercise}, {a['outcome']} <code>{escape(a['mistake'])}</code></p><div class=pair>"
            f"<pre>{escape(a['code'])}</pre><pre>{escape(b['code'])}</pre></div>"
            for exercise, a, b in rows)
        lines.append(f"<details><summary>{escape(one)} and {escape(other)}: {len(rows)} of "
                     f"{len(table[one])}</summary>{code}</details>")
    return ("<h2>Equal code</h2><p>Equal but for comments, docstrings and spaces, and in few "
            "hand-ins. It is a reason to ask, no proof: short answers are alike, and solutions are "
            "at hand.</p>" + "".join(lines) if lines else "")


def _aside(students, aside):
    rows = [(one.path, one.problem) for own in students for one in own if one.problem] + aside
    lines = "".join(f"<li><code>{escape(path)}</code>: {escape(why)}" for path, why in sorted(rows))
    return f"<h2>Files that do not count</h2><ul>{lines}</ul>" if lines else ""


def _names(names):
    return escape(", ".join(sorted(names)))


def _text(line):
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(line))


def _class(outcome):
    return outcome.replace(" ", "-")
