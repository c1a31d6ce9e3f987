"""Read an exercise's functions from a saved notebook, and nothing else of it."""

from __future__ import annotations

import ast
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
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # of what is no Python at all
GROWERS = ("append", "extend", "insert", "update", "add")
PLAIN = (ast.Constant, ast.Dict, ast.List, ast.Tuple, ast.Set, ast.BinOp, ast.UnaryOp, ast.IfExp,
         ast.Compare, ast.BoolOp, ast.Subscript, ast.Slice, ast.JoinedStr, ast.FormattedValue,
         ast.Attribute, ast.Call, ast.keyword, ast.operator, ast.unaryop, ast.cmpop, ast.boolop,
         ast.expr_context)


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
    beside = [] if folder.name == "solutions" else [
        path for path in sorted(folder.parent.iterdir())
        if path != folder and number.search(path.name) and path.is_dir()]
    found = [path for place in (folder, *beside) for path in sorted(
        place.iterdir(), key=lambda path: (len(path.name), path.name))
        if path.suffix.lower() == ".ipynb"]
    return sorted(found, key=lambda path: not number.search(path.name))


def cells_of(path: Path) -> list[dict]:
    """Return the cells of a notebook.

    Raises
    ------
    Unreadable
        Where the file is no notebook; says what is wrong, and in which line.
    """
    seen = path.stat()
    return _cells(path, seen.st_mtime_ns, seen.st_size)


@functools.lru_cache(maxsize=32)
def _cells(path: Path, changed: int, size: int) -> list[dict]:
    return cells_in(path.read_bytes())


def cells_in(raw: bytes) -> list[dict]:
    """Return the cells of a notebook's file, each source in one piece.

    Raises
    ------
    Unreadable
        Where it is no notebook.
    """
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeError as error:
        line = raw[:getattr(error, "start", 0)].count(b"\n") + 1
        raise Unreadable(f"line {line} is not in UTF-8: another program has saved it in an "
                         "encoding of its own") from None
    if not text.strip():
        raise Unreadable("it is empty")
    if text.lstrip().startswith("<!") or text.lstrip()[:5].lower() == "<html":
        raise Unreadable("it is a web page, no notebook: download the file itself")
    conflict = ("<<<<<<< " in text or ">>>>>>> " in text) and re.search(
        r"^(<<<<<<<|>>>>>>>) ", text, re.M)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        raise Unreadable(f"a merge has left its marks in line {line} (`{conflict[1]}`)")
    try:
        cells = json.loads(text)["cells"]
        return [{**cell, "source": "".join(cell["source"])} for cell in cells]
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is cut off or damaged in line {error.lineno}") from None
    except (KeyError, TypeError, RecursionError):
        raise Unreadable("it holds no cells") from None


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
            _forget(re.findall(r"^(?:def|class) (\w+)", source, re.M), space,
                    f"its cell has a syntax error: {why}")
            statements = []
        for statement in statements:
            _run(statement, name, space, follow)
    return space


def without_magics(source: str) -> str:
    """Return a cell as Python: what `%matplotlib` and `%%time` stand in front of stays."""
    first, _, rest = source.partition("\n")
    if first.split()[:1] in (["%%time"], ["%%timeit"], ["%%capture"], ["%%prun"]):
        source = f"\n{rest}"
    try:
        ast.parse(source)
        return source
    except SyntaxError:
        pass
    except UNPARSABLE:
        return source
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        return source
    return TransformerManager().transform_cell(source)


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
        read = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        _forget(names, space, next(iter(space.missing[n] for n in read & {*space.missing}), ""))
        return
    space.update(follow)
    try:
        code = compile(ast.Module([statement], type_ignores=[]), name, "exec", dont_inherit=True)
        exec(code, space)
        for bound in names:
            space.missing.pop(bound, None)
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        _forget(names, space, text if isinstance(error, Unreadable) else
                f"{type(error).__name__}: {text}")


def _forget(names: Iterable[str], space: Space, why: str = "") -> None:
    for name in names:
        space.pop(name, None)
        if why:
            space.missing[name] = why


def _is_definition(statement: ast.stmt, space: Space) -> bool:
    """Whether a statement does nothing but define, import, or bind or change a constant."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass)):
        return True
    if isinstance(statement, (ast.If, ast.Try)):
        inner = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.stmt)]
        return all(_is_definition(part, space) for part in inner) and (
            isinstance(statement, ast.Try) or _is_plain(statement.test, space))
    if isinstance(statement, ast.Expr):
        call = statement.value
        return isinstance(call, ast.Call) and getattr(call.func, "attr", "") in GROWERS and all(
            _is_plain(part, space) for part in (call.func.value, *call.args))
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        return all(_is_changeable(target, space) for target in targets) and (
            _is_plain(statement.value, space)) and (
            not isinstance(statement, ast.AugAssign) or _is_plain(targets[0], space))
    return False


def _is_changeable(target: ast.expr, space: Space) -> bool:
    """Whether it is a name, or an entry or an attribute of something known that is no module."""
    if isinstance(target, ast.Name):
        return True
    if isinstance(target, (ast.Tuple, ast.List, ast.Starred)):
        return all(_is_changeable(part, space) for part in ast.iter_child_nodes(target)
                   if isinstance(part, ast.expr))
    owner = getattr(target, "value", None)
    return isinstance(owner, ast.Name) and owner.id in space and not isinstance(
        space[owner.id], types.ModuleType) and _is_plain(target, space)


def _is_plain(node: ast.AST | None, space: Space) -> bool:
    """Whether it is made of literals, lambdas, what is known and calls of `MAKERS` only."""
    if isinstance(node, ast.Lambda):
        return True
    if isinstance(node, ast.Name):
        return node.id in space or node.id in MAKERS or node.id in ("__name__", "True")
    if isinstance(node, ast.Call) and (
            getattr(node.func, "attr", getattr(node.func, "id", None)) not in MAKERS):
        return False
    return isinstance(node, PLAIN) and all(
        _is_plain(part, space) for part in ast.iter_child_nodes(node))


def stored(statement: ast.AST) -> set[str]:
    """Return the names that a statement binds, changes or deletes, not those inside functions."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, ast.alias):
        return {(statement.asname or statement.name).split(".")[0]}
    if isinstance(statement, (ast.Lambda, ast.GeneratorExp, ast.ListComp)):
        return set()
    names = set()
    if isinstance(statement, ast.Name) and not isinstance(statement.ctx, ast.Load):
        names.add(statement.id)
    if isinstance(statement, ast.Subscript) and not isinstance(statement.ctx, ast.Load) and (
            isinstance(statement.value, ast.Name)):
        names.add(statement.value.id)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and (
            getattr(statement.value.func, "attr", "") in GROWERS):
        names |= {n.id for n in [statement.value.func.value] if isinstance(n, ast.Name)}
    return names.union(*map(stored, ast.iter_child_nodes(statement)))
