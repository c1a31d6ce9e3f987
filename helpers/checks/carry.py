"""Carry functions from notebook to notebook: `mine` the student's own, `skip` the solution's."""

from __future__ import annotations

import ast
import importlib
import json
import linecache
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

from helpers.checks.exercise import CheckFailed, Exercise, Group, exercises, report
from helpers.checks.guard import Guard
from helpers.checks.judge import Verdict

SOLUTIONS = Path(__file__).parents[2] / "solutions"
SECONDS = 30  # for the definitions of a notebook; importing PyTorch may be among them


def skip(exercise_id: str) -> Callable | tuple[Callable, ...]:
    """Return the solution's own function and mark the exercise as skipped.

    An exercise of several functions returns them all, in the order of its check.

    Parameters
    ----------
    exercise_id : such as ``"01-forward"``

    Raises
    ------
    ValueError
        Where there is no such exercise.
    CheckFailed
        Where the solutions are not there.
    """
    exercise = find_exercise(exercise_id)
    if _notebook_with(exercise_id, SOLUTIONS) is None:
        raise CheckFailed(exercise_id, "no-solutions", f"{exercise_id} cannot be skipped: the "
                          "folder with the solutions is not here")
    functions = _load(exercise, SOLUTIONS)
    for function in functions:
        function.skipped_exercise = exercise_id
    report(exercise_id, exercise.judge(*functions))
    return functions if len(functions) > 1 else functions[0]


def mine(exercise_id: str) -> Callable | tuple[Callable, ...]:
    """Return your own function from the notebook in this folder, after checking it again.

    An exercise of several functions returns them all, in the order of its check.

    Parameters
    ----------
    exercise_id : such as ``"01-numerical-gradient"``

    Raises
    ------
    ValueError
        Where there is no such exercise.
    NotAttempted, CheckFailed
        Where the notebook is missing, or your function is not right yet.
    """
    exercise = find_exercise(exercise_id)
    path = _notebook_with(exercise_id, Path.cwd())
    otherwise = f'`{exercise.names} = skip("{exercise_id}")` hands you the solution\'s instead.'
    if path is None:
        report(exercise_id, Verdict("not yet", [
            f"No notebook in this folder (`{Path.cwd().name}`) has the exercise {exercise_id}.",
            otherwise], "no-notebook"))
    call = Guard(SECONDS).call(_load, (exercise, Path.cwd()))  # the student's code runs here
    if call.error is not None:
        why = f"it did not end within {SECONDS} s" if call.endless else call.error
        report(exercise_id, Verdict("not yet", [
            f"`{exercise.names}` cannot be read from `{path.name}`: {why}.",
            "Mend it there, save that notebook and run this cell again.", otherwise],
            "cannot-be-read"))
    functions = call.value
    verdict = exercise.judge(*functions)
    if verdict.outcome == "correct":
        verdict.lines = [f"Your own `{exercise.names}`, read from `{path.name}`."]
    elif verdict.outcome == "not attempted":
        verdict.lines = [f"In `{path.name}`, as last saved, `{exercise.names}` is still a stub; "
                         f"{otherwise}"]
    elif verdict.outcome == "not yet":
        verdict.lines = [f"This is your `{exercise.names}` from `{path.name}`, as last saved.",
                         *verdict.lines[:4], otherwise]
        if "NameError" in " ".join(verdict.lines):
            verdict.lines.insert(-1, "`mine` carries functions, imports and constants over, and no "
                                     "data: let the function take that from its arguments.")
    report(exercise_id, verdict)
    return functions if len(functions) > 1 else functions[0]


def find_exercise(exercise_id: str) -> Exercise | Group:
    """Return the exercise with this id.

    Raises
    ------
    ValueError
        Where there is none, with the ids that there are.
    """
    lesson = str(exercise_id)[:2]
    try:
        rows = exercises(importlib.import_module(f"helpers.checks.lesson_{lesson}"))
    except ModuleNotFoundError:
        rows = []
    for row in rows:
        if row.id == exercise_id:
            return row
    known = "; lesson " + lesson + " has " + ", ".join(r.id for r in rows) if rows else ""
    raise ValueError(f"there is no exercise {exercise_id!r}{known}")


def _notebook_with(exercise_id: str, folder: Path) -> Path | None:
    """Return the notebook of the exercise: of several copies, the one with the shortest name."""
    paths = sorted(folder.glob(f"{exercise_id[:2]}_*.ipynb"), key=lambda p: (len(p.name), p.name))
    for path in paths:
        if any(_grade_id(cell) == exercise_id for cell in _code_cells(path)):
            return path
    return None


def _code_cells(path: Path) -> list[dict]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, OSError):
        return []


def _grade_id(cell: dict) -> str | None:
    grading = (cell.get("metadata") or {}).get("nbgrader")
    return grading.get("grade_id") if isinstance(grading, dict) else None


def _load(exercise: Exercise | Group, folder: Path) -> tuple[Callable, ...]:
    """Run the definitions of the exercise's functions, what they depend on, and nothing else."""
    path = _notebook_with(exercise.id, folder)
    if path is None:
        raise LookupError(f"no notebook with the exercise {exercise.id}")
    names = [part.name for part in exercise.parts]
    space: dict[str, Any] = {"__name__": f"notebook {path.stem}"}
    for statement in _needed(names, _bindings(path, exercise.id)):
        _run(statement, space, folder)
    missing = [name for name in names if name not in space]
    if missing:
        raise LookupError(f"it has no function `{missing[0]}` in its exercise cell or above")
    return tuple(space[name] for name in names)


def _run(statement: ast.stmt, space: dict[str, Any], folder: Path) -> None:
    """Execute one statement in `space`; a `mine` or `skip` line is followed to its notebook."""
    carried = _carried(statement)
    if not carried:
        module = ast.Module([statement], type_ignores=[])
        exec(compile(module, statement.source_name, "exec"), space)
        return
    functions = _load(find_exercise(carried[1]), folder if carried[0] == "mine" else SOLUTIONS)
    for function in functions if carried[0] == "skip" else ():
        function.skipped_exercise = carried[1]
    targets = _targets(statement)
    whole = len(targets) == 1 and len(functions) > 1  # one name for all of them
    space.update(zip(targets, (functions,) if whole else functions, strict=True))


def _bindings(path: Path, exercise_id: str) -> dict[str, tuple[ast.stmt, ...]]:
    """Return name -> what binds it last and the `+=` after it, down to the exercise's cell."""
    bound: dict[str, tuple[ast.stmt, ...]] = {}
    for number, cell in enumerate(_code_cells(path)):
        source, here = "".join(cell["source"]), _grade_id(cell) == exercise_id
        name = f"<{path.name}, code cell {number + 1}>"
        try:
            statements = ast.parse(_without_magics(source)).body
        except SyntaxError as error:
            if here:
                raise SyntaxError(f"its cell has a syntax error: {error.msg}") from None
            statements = []
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        for place, statement in enumerate(statements):
            statement.source_name, statement.place = name, (number, place)
            for target in _names_bound(statement, bound):
                before = bound[target] if isinstance(statement, ast.AugAssign) else ()
                bound[target] = (*before, statement)
        if here:
            break
    return bound


def _without_magics(source: str) -> str:
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        return source
    return TransformerManager().transform_cell(source)


def _names_bound(statement: ast.stmt, before: Container[str]) -> list[str]:
    """Return the names that a definition, an import, a constant or a `mine` / `skip` line binds.

    What is made of constants and things bound `before` (`2 * np.pi`, a table of functions) counts
    as a constant. An `if` or `try` binds names where it does nothing but bind names.
    """
    if isinstance(statement, (ast.If, ast.Try)):
        inner = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.stmt)]
        for handler in getattr(statement, "handlers", []):
            inner += handler.body
        names = [_names_bound(part, before) for part in inner if not isinstance(part, ast.Pass)]
        return [name for found in names for name in found] if all(names) else []
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        known = statement.target.id in before and _is_plain(statement.value, before)
        return [statement.target.id] if known else []
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id] if _is_plain(statement.value, before) else []
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).split(".")[0] for alias in statement.names]
    if isinstance(statement, ast.Assign) and (
            _is_plain(statement.value, before) or _carried(statement)):
        return _targets(statement)
    return []


def _targets(statement: ast.Assign) -> list[str]:
    """Return the names that an assignment binds: `a = ...`, `a, b = ...` or `a = b = ...`."""
    return [node.id for target in statement.targets
            for node in getattr(target, "elts", [target]) if isinstance(node, ast.Name)]


def _is_plain(node: ast.expr | None, before: Container[str]) -> bool:
    """Whether it is made of lambdas, literals, names bound `before` and their attributes only."""
    if isinstance(node, ast.Dict):
        return all(_is_plain(item, before) for item in [*node.keys, *node.values])
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return all(_is_plain(item, before) for item in node.elts)
    if isinstance(node, ast.BinOp):
        return _is_plain(node.left, before) and _is_plain(node.right, before)
    if isinstance(node, ast.UnaryOp):
        return _is_plain(node.operand, before)
    if isinstance(node, ast.Attribute):
        return _is_plain(node.value, before) and not isinstance(node.value, ast.Lambda)
    if isinstance(node, ast.Name):
        return node.id in before
    return isinstance(node, ast.Lambda) or (node is not None and _is_literal(node))


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True


def _carried(statement: ast.stmt) -> tuple[str, str] | None:
    """Return ("mine" or "skip", id) of a line such as ``forward = mine("01-forward")``."""
    call = getattr(statement, "value", None)
    if (isinstance(statement, ast.Assign) and isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name) and call.func.id in ("mine", "skip")
            and len(call.args) == 1 and isinstance(call.args[0], ast.Constant)):
        return call.func.id, call.args[0].value
    return None


def _needed(names: list[str], bound: dict[str, tuple[ast.stmt, ...]]) -> list[ast.stmt]:
    """Return the statements that `names` depend on, in the order of the notebook."""
    waiting, needed = list(names), set()
    while waiting:
        for statement in bound.get(waiting.pop(), ()):
            if statement not in needed:
                needed.add(statement)
                waiting += [n.id for n in ast.walk(statement) if isinstance(n, ast.Name)]
    return sorted(needed, key=lambda statement: statement.place)
