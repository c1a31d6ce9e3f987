"""Read an exercise's functions from a saved notebook, and run nothing else of it."""

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

CHANGED = re.compile(r"^ *(\w+)(?:(?:\[.*\]|\.\w+)? \S{0,3}= |"
                     r"\.(?:append|extend|insert|update|add)\()", re.M)  # what is changed in place
ALWAYS = "*"  # is made by what may make more than it says: a star import, a decorator
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # of what is no Python at all


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
        except (Unreadable, OSError) as why:
            instead += [f"`{path.name}` cannot be read: {why}"] if likely else []
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


def definitions(cells: Iterable[tuple[int, str]], path: Path, wanted: Iterable[str],
                follow: dict[str, Callable]) -> tuple[dict[str, Any], dict[str, str]]:
    """Run what some names of a notebook need, and nothing else.

    It is each statement that makes one of the names, or one that such a statement reads. Returned
    is all that this binds, and of each name that is lacking, why.

    Parameters
    ----------
    cells : the number and the source of each
    path : of their notebook, which need not be there
    wanted : the names
    follow : what `mine` and `skip` in the cells are to do
    """
    space, missing = {"__name__": f"notebook {path.stem}", "In": []}, {}
    rows = [row for cell in cells for row in _statements(*cell, path, space["In"])]
    needed, before = {*wanted, ALWAYS}, set()
    while needed != before:
        before = needed
        needed = before.union(*(reads for made, reads, _ in rows if made & before))
    for made, _, run in rows:
        if made & needed:
            space.update(follow)
            try:
                run(space)
            except Exception as error:
                for name in made:  # an older value is not the one that is meant
                    space.pop(name, None)
                    missing[name] = reason(error)
    return space, {name: missing.get(name, "it is made neither in its exercise cell nor above")
                   for name in (*missing, *wanted) if name in needed - space.keys()}


def _statements(number: int, source: str, path: Path, sources: list[str]) -> Iterator[tuple]:
    """Yield of each statement of a cell the names that it makes and reads, and what runs it."""
    file = f"<{path.name}, code cell {number}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sources.append(source)
    try:
        nodes = ast.parse(source, file).body
        codes = [compile(ast.Module([node], []), file, "exec", dont_inherit=True) for node in nodes]
    except UNPARSABLE:
        yield bound(source), set(), lambda _: ast.parse(source, file)  # which says what is wrong
        return
    for text, code in zip(map(ast.unparse, nodes), codes, strict=True):
        made = bound(text)
        if not text.startswith(("def ", "class ")):
            made.update(CHANGED.findall(text))
        if text.startswith("@") or text.endswith("import *"):
            made.add(ALWAYS)
        yield made, {name for _, name in names_read(text)}, functools.partial(exec, code)


@functools.lru_cache(maxsize=512)
def names_read(text: str) -> frozenset[tuple[bool, str]]:
    """Return the names that code reads, each with whether it does so at once or when called."""
    return frozenset(row for row in _references(symtable.symtable(text, "cell", "exec"))
                     if not row[1].startswith("__"))


def _references(table: symtable.SymbolTable) -> Iterator[tuple[bool, str]]:
    kind = str(table.get_type())
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (kind == "module" or symbol.is_global()):
            yield "function" not in kind, symbol.get_name()
    for inner in table.get_children():
        yield from _references(inner)


def reason(error: BaseException) -> str:
    """Return in a line what has gone wrong in a notebook."""
    text = " ".join(str(error).split())[:200]
    return text if isinstance(error, Unreadable) else f"{type(error).__name__}: {text}".rstrip(": ")


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
