"""Read an exercise's functions from a saved notebook, and nothing else of it."""

from __future__ import annotations

import ast
import functools
import linecache
import re
import symtable
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from helpers.notebook import Unreadable, cells_of

CALLS = ("float", "int", "list", "tuple", "dict", "set", "range", "partial", "vectorize", "array",
         "append", "extend", "insert", "update", "add",  # which change a list or a table
         "mine", "skip")  # those that are run; any other may take long, read a file, draw
NEVER = (ast.For, ast.While, ast.With, ast.Raise, ast.comprehension)
INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ExceptHandler,
         ast.comprehension)  # what is in them is run later, if at all
MADE = "it comes from a call or a loop, which is not run again"
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # of what is no Python at all


class Names(dict):
    """What a notebook defines, and why it does not define other names."""

    def __init__(self, notebook: str):
        super().__init__({"__name__": f"notebook {notebook}", "In": []})
        self.missing: dict[str, str] = {}

    def forget(self, names: Iterable[str], why: str) -> None:
        """Take names out, so that none has a value which the notebook has replaced."""
        for name in names:
            self.pop(name, None)
            self.missing[name] = why


def notebooks(lesson: str, folder: Path) -> list[Path]:
    """Return the notebooks that may be a lesson's: first those with its number in their names.

    They are those of this folder, where any may be renamed, and of folders beside it that are
    called by the number, as ``01``, ``ps01`` or ``week 01 smith``; the shortest names first.
    """
    called = re.compile(rf"([^\W\d_]+[ _.-]?)?{lesson}(?!\d)")
    beside = [path for path in _listed(folder.parent)
              if called.match(path.name) and path != folder and folder.name != "solutions"]
    found = [path for place in (folder, *beside) for path in _listed(place)
             if path.suffix.lower() == ".ipynb"]
    return sorted(found, key=lambda path: not _has_number(path, lesson))


def _has_number(path: Path, lesson: str) -> bool:
    return re.search(rf"(?<!\d){lesson}(?!\d)", path.name) is not None


def _listed(folder: Path) -> list[Path]:
    """Return what is in a folder, if one may know; on a hub, the folder above is others' too."""
    return sorted(folder.glob("*"), key=lambda path: (len(path.name), path.name))


def mark(cell: dict) -> str | None:
    """Return the id that a cell carries: an exercise's, or its check's."""
    grading = (cell.get("metadata") or {}).get("nbgrader")
    return grading.get("grade_id") if isinstance(grading, dict) and (
        cell.get("cell_type") == "code") else None


def find(exercise: Any, folder: Path) -> list[Path]:
    """Return the notebooks with an exercise: the first is read, others have it too.

    Raises
    ------
    Unreadable
        Where there is none, with what was found instead.
    """
    found, instead = [], []
    for path in notebooks(exercise.id[:2], folder):
        likely = _has_number(path, exercise.id[:2])
        if found and not likely:
            break
        try:
            cells = cells_of(path)
        except (Unreadable, OSError) as reason:
            instead += [f"`{path.name}` cannot be read: {reason}"] if likely else []
            continue
        if exercise.id in map(mark, cells):
            found.append(path)
        elif likely:
            instead += _unmarked(cells, exercise, path)[:1]
    if not found:
        raise Unreadable("; ".join(instead) or (
            f"No notebook in this folder (`{folder.name}`) has the exercise {exercise.id}"))
    return found


def _unmarked(cells: list[dict], exercise: Any, path: Path) -> list[str]:
    """Return what is to be said of cells that hold an exercise and have lost its mark."""
    stub = f"def {exercise.parts[0].name}"
    return [f"`{path.name}` has `{stub}` in cell {number}, but the cell has lost the mark of "
            f"{exercise.id}: it was pasted, or turned into text. Put your code into the "
            "exercise's cell of a fresh copy"
            for number, cell in enumerate(cells, 1) if f"{stub}(" in cell["source"]]


def cells_to(exercise: str, path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and source of the code cells down to an exercise.

    That is down to its last cell, and on to its check: an answer may stand below the stub.
    """
    cells = [cell for cell in cells_of(path) if cell.get("cell_type") == "code"]
    marks = [mark(cell) for cell in cells]
    end = len(marks) - marks[::-1].index(exercise)
    if f"{exercise}-check" in marks[end:]:
        end = marks.index(f"{exercise}-check", end)
    for number, cell in enumerate(cells[:end], 1):
        yield number, without_magics(cell["source"])


def definitions(cells: Iterable[tuple[int, str]], path: Path, follow: dict[str, Callable]) -> Names:
    """Run the imports, definitions and constants of code cells, and return the names they bind.

    Data, pictures and loops are not run.

    Parameters
    ----------
    cells : the number and the source of each
    path : of their notebook, which need not be there
    follow : what `mine` and `skip` in them are to do
    """
    names = Names(path.stem)
    for place, source in cells:
        file = f"<{path.name}, code cell {place}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        names["In"].append(source)
        try:
            statements = ast.parse(source).body
        except UNPARSABLE as error:
            why = str(getattr(error, "msg", error)) or "it is nested too deeply"
            names.forget(bound(source), f"its cell has a syntax error: {why}")
            statements = []
        for statement in statements:
            _run(statement, file, names, follow)
    return names


def _run(statement: ast.stmt, file: str, names: Names, follow: dict[str, Callable]) -> None:
    """Execute a definition, an import or a constant; forget the names that anything else binds."""
    why = MADE
    if all(map(_may_run, _outer(statement))):
        names.update(follow)
        try:
            code = compile(ast.Module([statement], []), file, "exec", dont_inherit=True)
            exec(code, names)
            return
        except Exception as error:
            why = names.missing.get(getattr(error, "name", None), reason(error))
    names.forget(bound(ast.unparse(statement)), why)


def reason(error: BaseException) -> str:
    """Return in a line what has gone wrong in a notebook."""
    text = " ".join(str(error).split())[:200]
    return text if isinstance(error, Unreadable) else f"{type(error).__name__}: {text}"


def _may_run(node: ast.AST) -> bool:
    """Whether it is no loop, no call but of `CALLS`, and changes nothing deep inside a module."""
    if isinstance(node, ast.Call):
        owner = getattr(node.func, "value", node.func)  # not that of plt.rcParams.update(…)
        called = getattr(node.func, "attr", getattr(node.func, "id", None))
        return called in CALLS and isinstance(owner, ast.Name)
    if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
        return isinstance(node.value, ast.Name)
    return not isinstance(node, NEVER)


def _outer(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, but for the inside of what is `INNER`."""
    yield node
    for part in () if isinstance(node, INNER) else ast.iter_child_nodes(node):
        yield from _outer(part)


def without_magics(source: str) -> str:
    """Return a cell as Python: what magics such as `%%time` stand in front of stays."""
    from IPython.core.inputtransformer2 import TransformerManager

    source = re.sub(r"\A(\s*)%%.*", r"\1", source)
    return source if parsed(source).body else TransformerManager().transform_cell(source)


@functools.lru_cache(maxsize=64)
def parsed(source: str) -> ast.Module:
    """Return the syntax tree of a cell, an empty one where it is no Python."""
    try:
        return ast.parse(source)
    except UNPARSABLE:
        return ast.Module([], [])


def bound(source: str) -> set[str]:
    """Return the names that code binds; of a cell with a syntax error, what seems to be bound."""
    try:
        symbols = symtable.symtable(source, "cell", "exec").get_symbols()
    except UNPARSABLE:
        return {*re.findall(r"^(?:def|class) (\w+)", source, re.M)}
    return {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}
