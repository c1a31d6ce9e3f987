"""Make the exercise notebooks in notebooks/ from the executed solutions in solutions/."""

import argparse
import copy
import os
import re
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from course import NOTEBOOKS, ROOT, CourseError
from helpers.views.base import renewed
from work_folder import find_lesson, hash_sources, is_untouched, lessons

SOLUTIONS = os.path.join(ROOT, "solutions")
MARKER = re.compile("(BEGIN|END) SOLUTION")
BLOCK = re.compile(r"(?m)^( *)# BEGIN SOLUTION\n((?!.*(BEGIN|END) SOLU).*\n)* *# END SOLUTION$")
STUB = '{0}# Your code goes here, in place of the next line.\n{0}raise NotImplementedError("{1}")'
STOPPED = """\
# Nothing below after Run All? A check has stopped it: the line under the first
# code cell says at which exercise, and leads there.
"""
APART = "</details>\n" + "\n" * 24 + "<details>"  # an opened source shows one hint at a time
WIDGET = "application/vnd.jupyter.widget-view+json"  # means nothing without its kernel
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
EXERCISE = {"schema_version": 3, "grade": False, "solution": True, "locked": False, "task": False}
CHECK = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False}
KEPT = ("nbgrader", "tags", "deletable", "alt",  # of a cell's metadata
        "jp-MarkdownHeadingCollapsed")
WORKED_IN = "somebody has worked in it (or it is none of ours): rename or delete it"


def read(folder, name):
    """Return a notebook as it stands in its file, with every source in one piece."""
    with open(os.path.join(folder, name), encoding="utf-8") as stream:
        return nbformat.v4.reads(stream.read())


def tidy(notebook):
    """Leave of a notebook's metadata and outputs what the course needs, in place.

    Recorded views get the JavaScript of today.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        kept = {key: cell.metadata[key] for key in KEPT if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = renewed(output.data["text/html"])


def clear(cell):
    """Return the source of a code cell with a stub in place of each solution."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    return BLOCK.sub(lambda block: STUB.format(block[1], name), cell.source)


def exercises(solution):
    """Return the exercise notebook of a solution: stubs, no outputs, a record of its sources."""
    notebook = copy.deepcopy(solution)
    tidy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.update(source=clear(cell), outputs=[], execution_count=None)
        else:
            cell.source = cell.source.replace("</details>\n<details>", APART)
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata["deletable"] = False  # `d d` in Lab leaves the check where it is
    if notebook.cells and notebook.cells[-1].source == "progress()":
        notebook.cells[-1].source = STOPPED + "progress()"
    notebook.metadata["course"] = {"sources": hash_sources(notebook)}
    return notebook


def problems(notebook, executed):
    """Return all that is wrong with a solution notebook; `executed`: it should have been run."""
    found, seen, cells = [], set(), notebook.cells
    graded = [cell.metadata.get("nbgrader", {}) for cell in cells] + [{}]
    for number, (cell, have) in enumerate(zip(cells, graded[:-1], strict=True)):
        code, name, solution = cell.cell_type == "code", have.get("grade_id"), have.get("solution")
        cleared = clear(cell) if code else cell.source
        kind = EXERCISE if solution else {**CHECK, "points": have.get("points")}
        wanted = {**kind, "grade_id": name}
        valid = code and have == wanted and None not in wanted.values()
        paired = not solution or graded[number + 1].get("grade_id") == f"{name}-check"
        orphan = have.get("grade") and name != f"{graded[number - 1].get('grade_id')}-check"
        unrun = code and cell.source.strip() and not cell.get("execution_count")
        for wrong, text in (
            (code and MARKER.search(cleared), "a marker without partner, nested or not on its own"),
            (cleared != cell.source and not solution, "a solution in a cell that is no exercise"),
            (solution and cleared == cell.source, "an exercise without BEGIN and END SOLUTION"),
            (not paired, f"its check '{name}-check' does not follow right after it"),
            (orphan, "a check that does not follow right after its exercise"),
            (have and not valid, f"nbgrader metadata: wanted {wanted}, no None, got {dict(have)}"),
            ({("id", cell.get("id")), ("name", name)} & seen, "its id or grade_id is taken"),
            (executed and unrun, "this cell has not been executed"),
        ):
            found += [f"cell {number} ({name or cell.get('id')}): {text}"] if wrong else []
        seen |= {("id", cell.get("id")), ("name", name or number)}
    return found


def execute(notebook):
    """Run a solution notebook in place; the error names the cell that it stops at."""
    at = ["the start"]
    client = NotebookClient(notebook, kernel_name="python3", timeout=120, record_timing=False)
    client.store_widget_state = False
    client.on_cell_start = lambda cell, cell_index: at.append(f"cell {cell_index} ({cell.id})")
    try:
        client.execute(cwd=SOLUTIONS, env={**os.environ, "TQDM_DISABLE": "1"})
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise CourseError(f"{at[-1]}: {error}") from error


def differences(wanted, name):
    """Return how a notebook in notebooks/ differs from the wanted one."""
    if name not in lessons(NOTEBOOKS):
        return ["it is not in notebooks/ yet"]
    if not is_untouched(os.path.join(NOTEBOOKS, name)):
        return [WORKED_IN]
    there = read(NOTEBOOKS, name)
    tidy(there)
    old, new = (
        [(cell.get("id"), cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
        for notebook in (there, wanted)
    )
    changed = [str(cell[0]) for cell in new + old if cell not in new or cell not in old]
    found = "notebooks/ differs in " + (", ".join(dict.fromkeys(changed)) or "the order of cells")
    return [] if old == new else [found]


def release(name, run=True, check=False):
    """Make, or only check, one exercise notebook; return what is wrong."""
    solution = read(SOLUTIONS, name)
    found = problems(solution, executed=check or not run)
    wanted = exercises(solution)
    changes = differences(wanted, name)
    if found or check or WORKED_IN in changes:
        return found or changes
    if run:
        execute(solution)
    tidy(solution)
    for notebook, folder in ((solution, SOLUTIONS), (wanted, NOTEBOOKS)):
        nbformat.validate(notebook)
        nbformat.write(notebook, os.path.join(folder, name))
    return []


def main(arguments):
    """Make or check the exercise notebooks and return the exit code."""
    parser = argparse.ArgumentParser(prog="course.py release", description=__doc__)
    parser.add_argument("lesson", nargs="?", help="only this one, for instance 02")
    parser.add_argument("--no-run", action="store_true", help="do not execute the solutions")
    parser.add_argument("--check", action="store_true", help="write nothing, list what differs")
    given = parser.parse_args(arguments)
    stale = sorted(set(lessons(NOTEBOOKS)) - set(lessons(SOLUTIONS)))
    found, name = [f"notebooks/{extra}: it has no solution" for extra in stale], given.lesson
    try:
        for name in [find_lesson(name, SOLUTIONS)] if name else lessons(SOLUTIONS):  # noqa: B020
            found += [f"{name}: {text}" for text in release(name, not given.no_run, given.check)]
    except (CourseError, OSError, ValueError, nbformat.ValidationError) as error:
        found.append(f"{name}: {error}")
    print("\n".join(found) or ("Nothing differs." if given.check else "Made: run the tests now."))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
