"""How long the lessons are, as a table: `.venv/bin/python tests/measure_notebooks.py`."""

import re
from pathlib import Path

import nbformat

SOLUTIONS = Path(__file__).parents[1] / "solutions"
ACTION = re.compile(r"\b(predict|recall|hunt|views\.\w+)\(")
FOLDED = re.compile(r"<details>.*?</details>", re.S)  # hints and model answers
NO_WORDS = re.compile(r"```.*?```|\$\$.*?\$\$|<[^>]+>|[#*|●○·-]{2,}|[#*|●○·]", re.S)
WORDS_A_MINUTE = 80


def main_path(cells):
    """Return the cells outside all sections whose headings are marked as optional."""
    found, below = [], 0  # the level of the optional heading that a cell stands below
    for cell in cells:
        heading = cell.cell_type == "markdown" and re.match("(#+) (.*)", cell.source)
        if heading and (not below or len(heading[1]) <= below):
            below = len(heading[1]) if "(optional)" in heading[2].lower() else 0
        found += [] if below else [cell]
    return found


def effort(cell):
    """Return a cell's words, a formula counting as one, and its lines of given code."""
    if cell.cell_type == "markdown":
        prose = NO_WORDS.sub(" ", FOLDED.sub(" ", cell.source))
        return len(re.sub(r"\$[^$\n]+\$|`[^`\n]+`", "x", prose).split()), 0
    return 0, 0 if "nbgrader" in cell.metadata else len(re.findall(r"^.*\S", cell.source, re.M))


def stretches(cells):
    """Return [words, lines, id of the last cell] of each stretch between two actions."""
    found = [[0, 0, ""]]
    for cell in cells:
        written = cell.metadata.get("nbgrader", {}).get("solution")
        action = cell.cell_type == "code" and (written or ACTION.search(cell.source))
        more = (0, 0) if action else effort(cell)
        found[-1] = [found[-1][0] + more[0], found[-1][1] + more[1], cell.id]
        found += [[0, 0, ""]] if action else []
    return found


def pictures(cells):
    """Return the cells that show a picture."""
    return [cell for cell in cells
            if any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))]


def measure(cells):
    """Return words, pictures, minutes of exercises, hours in all."""
    words, shown = sum(effort(cell)[0] for cell in cells), len(pictures(cells))
    exercises = sum(int(found) for cell in cells for found in re.findall(
        r"^### Exercise .*· (\d+) minutes", cell.source, re.M))
    return words, shown, exercises, (words / WORDS_A_MINUTE + shown + exercises) / 60


if __name__ == "__main__":
    print("lesson               cells  words  pictures  exercises  hours  longest stretch, its end")
    for path in sorted(SOLUTIONS.glob("[0-9]*.ipynb")):
        cells = main_path(nbformat.read(path, as_version=4).cells)
        text, code = (max(stretches(cells), key=lambda row: row[i]) for i in (0, 1))  # noqa: B023
        print("{:20}{:6}{:7}{:10}{:7} min{:7.1f}".format(path.stem, len(cells), *measure(cells)),
              f" {text[0]} words, {text[2]}; {code[1]} lines, {code[2]}")
