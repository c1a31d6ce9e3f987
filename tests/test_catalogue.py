"""The pages of mistakes: every one fits its exercises, and a fault in one is told."""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import keyword
import linecache
import re

import numpy as np
import pytest

from helpers.checks import catalogue, lesson_00
from helpers.checks.exercise import exercises
from helpers.checks.page import SHARED

PAGES = sorted(p for p in catalogue.PAGES.glob("[0-9]*.md"))
PAGE = """# A page

```python
import math
```

## 77-area: `area`

```python
def area(r):
    square = r * r
    return math.pi * square
```

- **radius-for-diameter**: the message
  goes on here, and quotes `{wrong}`.
  - `r * r` → `2 * r`, `r + r`
- **pi-missing**: pi is missing.
  - `math.pi * ` → nothing
  - `math.pi` → `1`; `square = r * r` → `square = r *
    r * 1`
- **other-body**: something else.
  ```python
  return 0
  ```
"""


@pytest.fixture
def page(tmp_path, monkeypatch):
    def write(text):
        catalogue.page.cache_clear()
        catalogue.mistakes.cache_clear()
        (tmp_path / "77_area.md").write_text(text, encoding="utf-8")

    monkeypatch.setattr(catalogue, "PAGES", tmp_path)
    yield write
    catalogue.page.cache_clear()
    catalogue.mistakes.cache_clear()


def parts_of(lesson):
    module = importlib.import_module(f"helpers.checks.lesson_{lesson}")
    return {(e.id, part.name): part for e in exercises(module) for part in e.parts}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_has_the_functions_of_its_lesson_and_right_references(path):
    sections = catalogue.page(path.name[:2])[0]
    assert sections.keys() == parts_of(path.name[:2]).keys(), "headings and rows differ"
    for key, part in parts_of(path.name[:2]).items():
        source, space = catalogue.reference(*key)
        verdict = part.judge(space[part.name])
        assert verdict.outcome == "correct", (key, verdict.lines)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_has_lines_of_110_characters_at_most(path):
    long = [number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
            if len(line) > 110]
    assert not long, f"{path.name}: lines {long}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_line_of_a_page_is_passed_over(path):
    text, sections = path.read_text(encoding="utf-8"), catalogue.page(path.name[:2])[0]
    lost = [f"{path.name}, line {n}: {line}" for n, line in enumerate(text.splitlines(), 1)
            if re.match(r" ? ?[-*+] |#+ \d\d-", line)
            and not re.match(r"- \*\*[\w-]+\*\*: |  - `|## \S+: `\w+`$", line)]
    lost += [f"{row[0]}: no edit" for _, rows in sections.values() for row in rows if len(row) < 4]
    own = [[row for row in rows if row[0].startswith(path.name)] for _, rows in sections.values()]
    lost += [f"{row[0]}: its id stands twice" for rows in own for row in rows
             if [other[1] for other in rows].count(row[1]) > 1]
    lost += [path.name] * (text.count("\nThe mistakes ") != len(SHARED.findall(text)))
    assert not lost, "not read:\n" + "\n".join(lost)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_no_message_quotes_what_an_edit_takes_away(path):
    for key in parts_of(path.name[:2]):
        for mistake in catalogue.mistakes(*key):
            assert "``" not in mistake.message, (key, mistake.id, mistake.edit)


def words_shown(exercise):
    """Return what a student has read before an exercise: names, symbols, and its own words."""
    def cells(number):
        path, = (catalogue.PAGES.parents[2] / "notebooks").glob(f"{number:02}_*.ipynb")
        return json.loads(path.read_text(encoding="utf-8"))["cells"]

    def words(text):
        return set(re.findall(r"[A-Za-z_]\w*", text))

    lesson, shown = int(exercise[:2]), set()
    for number in range(lesson + 1):
        for cell in cells(number):
            text = "".join(cell["source"])
            shown |= words(" ".join(re.findall(r"^\| (`[^|]*) \|", text, re.M)))  # its symbols
            shown |= words(" ".join(re.findall(r"^def (\w+)", text, re.M)))
            if number == lesson:
                maths = re.sub(r"\\\w+", " ", " ".join(re.findall(r"\$([^$]+)\$", text)))
                code = " ".join(re.findall(r"```.*?```|`[^`]+`", text, re.S))
                shown |= words(text if cell["cell_type"] == "code" else maths + " " + code)
    texts = ["".join(cell["source"]) for cell in cells(lesson)]
    at = next(i for i, cell in enumerate(cells(lesson))
              if cell["metadata"].get("nbgrader", {}).get("grade_id") == exercise)
    return shown | words(texts[at - 1].lower()) | words(texts[at])


@pytest.mark.parametrize("body, own", [("x ** 3", True), ("x * x * x", False)])
def test_a_quotation_says_so_where_it_is_not_the_students_own(body, own):
    source, space = f"def square(x):\n    return {body}\n", {}
    linecache.cache[body] = len(source), None, source.splitlines(keepends=True), body
    exec(compile(source, body, "exec"), space)
    text = "\n".join(lesson_00.square.judge(space["square"]).lines)
    assert "`x ** 3`" in text and ("another way" in text) is not own


LIBRARIES = {*dir(builtins), *keyword.kwlist, *dir(np), *dir(np.ndarray), *dir(np.linalg),
             *dir(np.random.Generator), *dir(dict), *dir(list), "math", "keepdims", "ddof",
             "detach", "unsqueeze", "softmax", "nll_loss", "set_grad_enabled", "dataset"}
LIKE = re.compile(r"d(\w+)|(\w+)_(?:bar|hat|plus|minus|in|out)")  # dX, a_bar, W_minus: like X, a, W


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_cards_speak_names_that_the_lesson_shows(path):
    for key in parts_of(path.name[:2]):
        shown = words_shown(key[0])
        tree = ast.parse(catalogue.reference(*key)[0])
        own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
               and isinstance(node.ctx, ast.Store)}
        said = {word for mistake in catalogue.mistakes(*key)
                for code in re.findall("`([^`]+)`", mistake.message)
                for word in re.findall(r"[A-Za-z_]\w+", re.sub(r"'[^']*'|\"[^\"]*\"", "", code))}
        unknown = {word for word in own | said - LIBRARIES
                   if not shown & {word, *(LIKE.fullmatch(word) or LIKE.fullmatch("d_")).groups()}}
        assert not unknown, f"{key}: no student has read {unknown}; use the notebook's names"


def test_edits_alternatives_deletions_and_whole_bodies_make_wrong_functions(page):
    page(PAGE)
    found = catalogue.mistakes("77-area", "area")
    assert [m.id for m in found] == [
        "radius-for-diameter", "radius-for-diameter", "pi-missing", "pi-missing", "other-body"]
    assert [m.wrong(3.0) for m in found[:2]] == pytest.approx([18.84955592, 18.84955592])
    assert [m.wrong(3.0) for m in found[2:]] == [9, 9, 0]
    assert found[1].message == "the message goes on here, and quotes `r + r`."
    assert "2 * r" in found[0].source and catalogue.answer("77-area")(0) == 0


def test_a_page_can_count_the_mistakes_of_an_earlier_exercise(page):
    again = ("\n## 77-again: `area`\n\n```python\ndef area(r):\n    square = r * r\n"
             "    return math.pi * square\n```\n\nThe mistakes of `77-area` count here too.\n\n"
             "- **first**: of its own.\n  - `r * r` → `r`\n")
    page(PAGE + again)
    assert [m.id for m in catalogue.mistakes("77-again", "area")] == ["first"] + [
        m.id for m in catalogue.mistakes("77-area", "area")]
    page(PAGE + again.replace("mistakes of", "mistakes `pi-missing` of"))
    assert {m.id for m in catalogue.mistakes("77-again", "area")} == {"first", "pi-missing"}
    page(PAGE + again.replace("mistakes of", "mistakes `pi-missing` and `lost` of"))
    with pytest.raises(catalogue.PageError, match="no edits of lost"):
        catalogue.mistakes("77-again", "area")


@pytest.mark.parametrize("old, new, text", [
    ("`r * r` → `2 * r`", "`r * s` → `2 * r`",
     r"77_area.md, line 15: the reference has no `r \* s`"),
    ("`r * r` → `2 * r`", "`r * r` -> `2 * r`", "77_area.md, line 15: an edit is written as"),
    ("  return 0", "  return (", "77_area.md, line 22: no Python"),
])
def test_a_page_that_does_not_fit_says_where(page, old, new, text):
    page(PAGE.replace(old, new))
    with pytest.raises(catalogue.PageError, match="(?s)" + text):
        catalogue.mistakes("77-area", "area")


def test_a_lesson_without_a_page_has_no_mistakes():
    assert catalogue.mistakes("98-none", "nothing") == ()
    assert catalogue.reference("98-none", "nothing") is None
