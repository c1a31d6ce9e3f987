"""Read an exercise's functions from a saved notebook, and nothing else of it."""

from __future__ import annotations

import ast
import contextlib
import functools
import json
import linecache
import re
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

MAKERS = ("float", "int", "list", "tuple", "dict", "set", "range", "partial", "vectorize", "array",
          "mine", "skip")  # calls that make a constant, or bring a function along
GROWERS = ("append", "extend", "insert", "update", "add")  # calls that change one
RUN = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass, ast.If, ast.Try,
       ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr)
INNER = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.ExceptHandler, ast.comprehension)
MADE = "it comes from a call or a loop, which is not run again"
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # of what is no Python at all


class Unreadable(Exception):  # noqa: N818  (it is told to the student, as part of a card)
    """A notebook, or the exercise in it, cannot be read; says why."""


class Space(dict):
    """The names of a notebook, and why some of them are missing."""

    def __init__(self, name: str):
        super().__init__({"__name__": f"notebook {name}", "In": []})
        self.missing: dict[str, str] = {}


def notebooks(lesson: str, folder: Path) -> list[Path]:
    """Return the notebooks that may be a lesson's, the likeliest first.

    Those with the lesson's number in their names, the shortest first, in this folder and in a
    folder of that number beside it; then all others of this folder, which may be renamed.
    """
    number = re.compile(rf"(?<!\d){lesson}(?!\d)")
    beside = [path for path in _listed(folder.parent)
              if folder.name != "solutions" and path != folder and number.search(path.name)]
    found = [path for place in (folder, *beside) for path in _listed(place)
             if path.suffix.lower() == ".ipynb"]
    return sorted(found, key=lambda path: not number.search(path.name))


def _listed(folder: Path) -> list[Path]:
    """Return what is in a folder, the shortest names first; nothing where that is not told."""
    with contextlib.suppress(OSError):  # on a hub, the folder above is others' too
        return sorted(folder.iterdir(), key=lambda path: (len(path.name), path.name))
    return []


def cells_of(path: Path) -> list[dict]:
    """Return the cells of a notebook; raise as `cells_in` does."""
    return cells_in(path.read_bytes())


@functools.lru_cache(maxsize=4)
def cells_in(raw: bytes) -> list[dict]:
    """Return the cells of a notebook's file, each source in one piece.

    Raises
    ------
    Unreadable
        Where it is no notebook; says what is wrong, and in which line.
    """
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeError as error:
        line = raw[:getattr(error, "start", 0)].count(b"\n") + 1
        raise Unreadable(f"line {line} is not in UTF-8: another program has saved it in an "
                         "encoding of its own") from None
    try:
        cells = json.loads(text)["cells"]
        return [{**cell, "source": "".join(cell["source"])} for cell in cells]
    except json.JSONDecodeError as error:
        raise Unreadable(_damage(text, error.lineno)) from None
    except (KeyError, TypeError, RecursionError):
        raise Unreadable("it holds no cells") from None


def _damage(text: str, line: int) -> str:
    """Return why a text is no notebook, by the line in which that shows."""
    conflict = re.match("<<<<<<<|>>>>>>>", text.split("\n")[line - 1])
    if conflict:
        return f"a merge has left its marks in line {line} (`{conflict[0]}`)"
    if text.lstrip()[:1] == "<":
        return "it is a web page, no notebook: download the file itself"
    return f"it is cut off or damaged in line {line}" if text.strip() else "it is empty"


def mark(cell: dict) -> str | None:
    """Return the id that a cell carries: an exercise's, or its check's."""
    grading = (cell.get("metadata") or {}).get("nbgrader")
    return grading.get("grade_id") if isinstance(grading, dict) and (
        cell.get("cell_type") == "code") else None


def find(exercise: str, names: list[str], folder: Path) -> tuple[Path, list[Path]]:
    """Return the notebook with an exercise, and those that have it too but are not read.

    Raises
    ------
    Unreadable
        Where there is none, with what was found instead.
    """
    found, damaged, unmarked = [], [], []
    stub = re.compile("|".join(rf"^def {name}\(" for name in names), re.M)
    for path in notebooks(exercise[:2], folder):
        likely = re.search(rf"(?<!\d){exercise[:2]}(?!\d)", path.name)
        if found and not likely:
            break
        try:
            cells = cells_of(path)
        except (Unreadable, OSError) as reason:
            damaged += [f"`{path.name}` cannot be read: {reason}"] if likely else []
            continue
        if any(mark(cell) == exercise for cell in cells):
            found.append(path)
        elif likely:
            unmarked += [f"`{path.name}` has `def {names[0]}` in cell {number + 1}, but the cell "
                         f"has lost the mark of {exercise}: it was pasted, or turned into text. "
                         "Put your code into the exercise's cell of a fresh copy"
                         for number, cell in enumerate(cells) if stub.search(cell["source"])][:1]
    if not found:
        raise Unreadable("; ".join(damaged + unmarked) or (
            f"No notebook in this folder (`{folder.name}`) has the exercise {exercise}"))
    return found[0], found[1:]


def load(exercise: str, names: list[str], path: Path, follow: dict[str, Callable]) -> list[Any]:
    """Run the definitions of a notebook down to an exercise, and return its functions.

    Run are imports, definitions and constants: from the first cell to the exercise's last, and on
    to its check, since an answer may stand below the stub. Data, pictures and loops are not.

    Parameters
    ----------
    follow : what `mine` and `skip` in the notebook are to do

    Raises
    ------
    Unreadable
    """
    space = definitions(_cells_to(exercise, path), path, follow)
    for name in names:
        if name not in space:
            raise Unreadable(space.missing.get(
                name, f"it has no function `{name}` in its exercise cell or above"))
    return [space[name] for name in names]


def definitions(cells: Iterable[tuple[int, str]], path: Path, follow: dict[str, Callable]) -> Space:
    """Run the imports, definitions and constants of code cells, and return the names they bind.

    Parameters
    ----------
    cells : the number and the source of each
    path : of their notebook, which need not be there
    follow : what `mine` and `skip` in them are to do
    """
    space = Space(path.stem)
    for place, source in cells:
        name = f"<{path.name}, code cell {place}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        space["In"].append(source)
        try:
            statements = ast.parse(source).body
        except UNPARSABLE as error:
            why = str(getattr(error, "msg", error)) or "it is nested too deeply"
            _forget(bound(source), space,
                    f"its cell has a syntax error: {why}")
            statements = []
        for statement in statements:
            _run(statement, name, space, follow)
    return space


def without_magics(source: str) -> str:
    """Return a cell as Python: what `%matplotlib` and `%%time` stand in front of stays."""
    from IPython.core.inputtransformer2 import TransformerManager

    first, _, rest = source.partition("\n")
    if first.split()[:1] in (["%%time"], ["%%timeit"], ["%%capture"], ["%%prun"]):
        source = f"\n{rest}"
    return source if parsed(source).body else TransformerManager().transform_cell(source)


@functools.lru_cache(maxsize=64)
def parsed(source: str) -> ast.Module:
    """Return the syntax tree of a cell, an empty one where it is no Python."""
    try:
        return ast.parse(source)
    except UNPARSABLE:
        return ast.Module([], [])


def _cells_to(exercise: str, path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and source of the code cells down to the exercise, those below its stub too."""
    cells = [cell for cell in cells_of(path) if cell.get("cell_type") == "code"]
    marks = [mark(cell) for cell in cells]
    last = max(number for number, grade in enumerate(marks) if grade == exercise)
    check = f"{exercise}-check"
    end = marks.index(check, last) if check in marks[last:] else last + 1
    for number, cell in enumerate(cells[:end]):
        yield number + 1, without_magics(cell["source"])


def _run(statement: ast.stmt, name: str, space: Space, follow: dict[str, Callable]) -> None:
    """Execute a definition, an import or a constant; forget the names that anything else binds."""
    names = stored(statement)
    if not _is_definition(statement, space):
        _forget(names, space)
        return
    space.update(follow)
    try:
        code = compile(ast.Module([statement], type_ignores=[]), name, "exec", dont_inherit=True)
        exec(code, space)
        for bound in names:
            space.missing.pop(bound, None)
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        why = text if isinstance(error, Unreadable) else f"{type(error).__name__}: {text}"
        _forget(names, space, space.missing.get(getattr(error, "name", None), why))


def _forget(names: Iterable[str], space: Space, why: str = MADE) -> None:
    for name in names:
        space.pop(name, None)
        space.missing[name] = why


def _is_definition(statement: ast.stmt, space: Space) -> bool:
    """Whether a statement defines, imports, or binds or changes what it makes by `MAKERS` alone.

    Whether all that it reads is known shows when it runs.
    """
    return all(_may_run(node, space) for node in _outer(statement))


def _may_run(node: ast.AST, space: Space) -> bool:
    owner = _changed(node)
    if owner is not None and (not isinstance(owner, ast.Name)
                              or isinstance(space.get(owner.id), types.ModuleType)):
        return False  # of a module, or of what may be one's
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", None))
        return called in MAKERS + GROWERS
    return isinstance(node, RUN) or not isinstance(node, (ast.stmt, ast.comprehension))


def _changed(node: ast.AST) -> ast.expr | None:
    """Return what is changed where a node binds an entry or an attribute, or makes a list grow."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in GROWERS:
        return node.func.value
    bound = isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load)
    return node.value if bound else None


def _outer(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is in it, but for the inside of what is `INNER`."""
    yield node
    for part in () if isinstance(node, INNER) else ast.iter_child_nodes(node):
        yield from _outer(part)


def bound(source: str) -> set[str]:
    """Return the names that a cell binds; of one with a syntax error, what seems to be bound."""
    return stored(parsed(source)) or {*re.findall(r"^(?:def|class) (\w+)", source, re.M)}


def stored(statement: ast.AST) -> set[str]:
    """Return the names that a statement binds, changes or deletes, not those inside functions."""
    names = set()
    for node in _outer(statement):
        owner = _changed(node)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(owner, ast.Name) and not isinstance(node, ast.Attribute):
            names.add(owner.id)
    return names
