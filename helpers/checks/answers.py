"""Carry functions from notebook to notebook: `mine` the student's own, `skip` the solution's."""

from __future__ import annotations

import ast
import importlib
import json
import linecache
import math
import re
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

from helpers import folder
from helpers.checks.exercise import CheckFailed, Exercise, Group, exercises, report
from helpers.checks.judge import Verdict
from helpers.checks.sandbox import Guard

SOLUTIONS = folder("solutions")
MAKERS = ("float", "int", "list", "tuple", "dict", "set", "range", "partial", "vectorize")
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
        why = (f"it did not end within {SECONDS} s" if call.endless else
               f"{type(call.error).__name__}: {' '.join(str(call.error).split())[:200]}")
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
        missing = re.search(r"NameError.*name '(\w+)' is not defined", " ".join(verdict.lines))
        if missing:
            verdict.lines.insert(-1, (
                f"`mine` carries functions, imports and simple constants that stand above the "
                f"exercise, and no data: `{missing[1]}` was not among them."))
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


def _load(exercise: Exercise | Group, folder: Path, within: tuple = ()) -> tuple[Callable, ...]:
    """Run the definitions of the exercise's functions, what they depend on, and nothing else.

    `within` holds the (id, folder) of the exercises that are being loaded already.
    """
    if (exercise.id, folder) in within:
        raise LookupError(f"the notebook of {exercise.id} takes it from itself with `mine`")
    within = (*within, (exercise.id, folder))
    path = _notebook_with(exercise.id, folder)
    if path is None:
        raise LookupError(f"no notebook with the exercise {exercise.id}")
    names = [part.name for part in exercise.parts]
    space: dict[str, Any] = {"__name__": f"notebook {path.stem}"}
    for statement in _needed(names, _bindings(path, exercise.id)):
        _run(statement, space, folder, within)
    missing = [name for name in names if name not in space]
    if missing:
        raise LookupError(f"it has no function `{missing[0]}` in its exercise cell or above")
    return tuple(space[name] for name in names)


def _run(statement: ast.stmt, space: dict[str, Any], folder: Path, within: tuple = ()) -> None:
    """Execute one statement in `space`; a `mine` or `skip` line is followed to its notebook."""
    carried = _carried(statement)
    if not carried:
        module = ast.Module([statement], type_ignores=[])
        exec(compile(module, statement.source_name, "exec", dont_inherit=True), space)
        return
    functions = _load(find_exercise(carried[1]), folder if carried[0] == "mine" else SOLUTIONS,
                      within)
    for function in functions if carried[0] == "skip" else ():
        function.skipped_exercise = carried[1]
    targets = _targets(statement)
    whole = len(targets) == 1 and len(functions) > 1  # one name for all of them
    if len(targets) != len(functions) and not whole:
        raise LookupError(f"{carried[1]} has {len(functions)} functions, and {len(targets)} names "
                          "are waiting for them")
    space.update(zip(targets, (functions,) if whole else functions, strict=True))


def _bindings(path: Path, exercise_id: str) -> dict[str, list[tuple[ast.stmt, ...]]]:
    """Return name -> what binds it, each with the changes after it, down to the exercise's cell.

    A name that is given data later on, or deleted, is bound by nothing.
    """
    bound: dict[str, list[tuple[ast.stmt, ...]]] = {}
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
            names = _names_bound(statement, bound)
            for target in names:
                if _changes(statement):
                    bound[target][-1] += (statement,)
                else:
                    bound.setdefault(target, []).append((statement,))
            for target in _names_stored(statement) - set(names):
                bound.pop(target, None)
        if here:
            break
    return bound


def _without_magics(source: str) -> str:
    first, _, rest = source.partition("\n")
    if first.split()[:1] in (["%%time"], ["%%timeit"], ["%%capture"], ["%%prun"]):
        source = f"\n{rest}"
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
        if isinstance(statement, ast.If) and not _is_plain(statement.test, {*before, "__name__"}):
            return []
        names = [_names_bound(part, before) for part in inner if not isinstance(part, ast.Pass)]
        return [name for found in names for name in found] if all(names) else []
    if _changes(statement):
        target = _changes(statement)
        parts = [statement.value] if not isinstance(statement, ast.Expr) else statement.value.args
        known = target in before and all(_is_plain(part, before) for part in parts)
        return [target] if known else []
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


def _changes(statement: ast.stmt) -> str | None:
    """Return the name of what `a += 1`, `a["x"] = 1`, `a.x = 1` or `a.append(1)` changes."""
    target = getattr(statement, "target", None) if isinstance(statement, ast.AugAssign) else None
    target = target.value if isinstance(target, (ast.Subscript, ast.Attribute)) else target
    if isinstance(statement, ast.Assign) and isinstance(
            statement.targets[0], (ast.Subscript, ast.Attribute)):
        target = statement.targets[0].value
    call = getattr(statement, "value", None)
    if isinstance(statement, ast.Expr) and isinstance(call, ast.Call) and (
            getattr(call.func, "attr", "") in ("append", "extend", "insert", "update", "add")):
        target = call.func.value
    return target.id if isinstance(target, ast.Name) else None


def _names_stored(statement: ast.stmt) -> set[str]:
    """Return the names that a statement gives a value, changes or deletes, not those in defs."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    target = getattr(statement, "targets", [getattr(statement, "target", None)])[0]
    changed = None if isinstance(target, ast.Attribute) else _changes(statement)
    names = {changed} if changed else set()  # a class with another attribute is still that class
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            names |= _names_stored(node)
        elif not isinstance(node, (ast.Lambda, ast.GeneratorExp, ast.ListComp)):
            names |= {part.id for part in ast.walk(node) if isinstance(part, ast.Name)
                      and isinstance(part.ctx, (ast.Store, ast.Del))}
    return names


def _is_plain(node: ast.expr | None, before: Container[str]) -> bool:
    """Whether it is made of lambdas, literals and what is bound `before` only.

    That is: of operators, comparisons, entries, attributes, and calls of a few types (`MAKERS`).
    """
    if isinstance(node, (ast.Dict, ast.List, ast.Tuple, ast.Set, ast.BinOp, ast.UnaryOp, ast.IfExp,
                         ast.Compare, ast.BoolOp, ast.Subscript, ast.Slice, ast.JoinedStr,
                         ast.FormattedValue)):
        return all(_is_plain(part, before) for part in ast.iter_child_nodes(node)
                   if isinstance(part, ast.expr))
    if isinstance(node, ast.Call):
        made = getattr(node.func, "attr", getattr(node.func, "id", None)) in MAKERS
        known = isinstance(node.func, ast.Name) or _is_plain(node.func, before)
        return made and known and all(_is_plain(part, before) for part in [
            *node.args, *(keyword.value for keyword in node.keywords)])
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


def _needed(names: list[str], bound: dict[str, list[tuple[ast.stmt, ...]]]) -> list[ast.stmt]:
    """Return the statements that `names` depend on, in the order of the notebook.

    Of a name that is bound several times, the last counts; where a statement above that uses the
    name, so does the one that it finds. Star imports (the name `*`) are always needed.
    """
    ever = (math.inf, 0)
    waiting, needed = [(name, ever) for name in [*names, "*"]], set()
    while waiting:
        name, place = waiting.pop()
        chains = bound.get(name, [])
        earlier = [chain for chain in chains if chain[0].place < place]
        for statement in [part for chain in (chains[-1:] + earlier[-1:]) for part in chain]:
            if statement not in needed:
                needed.add(statement)
                waiting += [(n.id, statement.place) for n in ast.walk(statement)
                            if isinstance(n, ast.Name)]
    return sorted(needed, key=lambda statement: statement.place)
