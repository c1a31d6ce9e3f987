"""Write a live function down with all that it needs, as a module that runs by itself."""

from __future__ import annotations

import ast
import functools
import graphlib
import inspect
import linecache
import math
import re
import sys
import textwrap
import types
from typing import Any

import numpy as np

from helpers.memory.siblings import names_read, parsed

LONGEST = 20_000  # characters of a constant; what is longer is data
MOST = 100  # entries of an array that is a constant
HOMES = ("builtins", "math", "numpy", "scipy.special")  # of functions that do not say theirs
TAKEN = {f"_{name}": (f"from helpers.memory.answers import {name} as _{name}", set(), set())
         for name in ("kept", "borrowed")}
PASSING = re.compile(r"_+\d*|_i+\d*")  # IPython's own names for what was shown and typed


class NotKept(Exception):  # noqa: N818  (it is no error of anybody's)
    """An answer cannot be written down; says why."""


def source_of(functions: dict[str, Any]) -> str:
    """Return a module's source: imports, constants, helpers, and the functions at the end.

    Followed are the names that each definition reads from its notebook. A function that came from
    `mine` or `skip` is a line that takes it from there.

    Parameters
    ----------
    functions : by the names under which the module is to have them

    Raises
    ------
    NotKept
        Where one of them is no function of a notebook, or depends on data.
    """
    space = getattr(inspect.unwrap(next(iter(functions.values()))), "__globals__", None)
    if space is None:
        raise NotKept("it is no function written in this notebook")
    pieces: dict[str, tuple[str, set, set]] = {}  # name -> text, names read at once, later
    waiting = list(functions.items())
    while waiting:
        name, value = waiting.pop(0)
        if name not in pieces:
            pieces[name] = text, now, later = _piece(name, value, space)
            waiting += [(other, space[other]) for other in sorted(now | later) if other in space]
    used = set().union(*(at_once for _, at_once, _ in pieces.values()))
    return _in_order({name: row for name, row in TAKEN.items() if name in used} | pieces)


def _in_order(pieces: dict[str, tuple[str, set, set]]) -> str:
    """Return the pieces, imports first, each after what it reads at once."""
    names = [*(name for name in sorted(pieces) if pieces[name][0].startswith(("import ", "from "))),
             *reversed(pieces)]
    reads = {name: sorted(pieces[name][1] & pieces.keys()) for name in names}
    texts = [pieces[name][0] for name in graphlib.TopologicalSorter(reads).static_order()]
    texts = [f"\n\n{text}\n\n" if text.startswith(("def ", "class ", "@")) else text
             for text in texts]
    return re.sub("\n{4,}", "\n\n\n", "\n".join(texts)).strip() + "\n"


def _piece(name: str, value: Any, space: dict) -> tuple[str, set, set]:
    """Return what binds a name to its value, the names that it reads at once, and later."""
    own = getattr(value, "__dict__", {}) if callable(value) else {}
    for tag, take in (("skipped_exercise", "_borrowed"), ("kept_exercise", "_kept")):
        if tag in own:
            text = f'{name} = {take}("{own[tag]}", "{own.get("kept_name", name)}")'
            return text, {take}, set()
    home = None if _is_from(space, value) else _home(value)
    if home or isinstance(value, types.ModuleType):
        text = f"from {home} import {value.__name__}" if home else f"import {value.__name__}"
        return text + ("" if value.__name__ == name else f" as {name}"), set(), set()
    if not _is_from(space, value):
        text = f"{name} = {_expression(name, value, space)}"
    elif isinstance(value, type):
        text = _class(value, space)
    else:
        text = _function(name, value)
    own = getattr(inspect.unwrap(value) if callable(value) else None, "__name__", None)
    reads = names_read(text)
    return (text, {read for at_once, read in reads if at_once and read != own},
            {read for at_once, read in reads if not at_once})


def _is_from(space: dict, value: Any) -> bool:
    """Whether it is a function or a class that was written in the notebook."""
    if isinstance(value, type):
        return value.__module__ == space.get("__name__")
    return getattr(inspect.unwrap(value) if callable(value) else None,
                   "__globals__", None) is space


def _home(value: Any) -> str | None:
    """Return the module from which a function or a class can be imported by its name."""
    name = getattr(value, "__name__", None)
    if isinstance(name, str) and callable(value):
        for home in (getattr(value, "__module__", None), *HOMES):
            if getattr(sys.modules.get(home), name, None) is value and home != "__main__":
                return home
    return None


def _function(name: str, function: Any) -> str:
    plain = inspect.unwrap(function)
    if not isinstance(plain, types.FunctionType) or plain.__closure__:
        raise NotKept(f"`{name}` was made inside another function")
    if plain.__name__ == "<lambda>":
        return f"{name} = {_lambda(name, plain)}"
    text = _source(plain.__code__) or _newest(plain.__name__, plain.__globals__.get("In", []))
    return text if plain.__name__ == name else f"{text}\n\n\n{name} = {plain.__name__}"


@functools.lru_cache(maxsize=512)
def _source(code: types.CodeType) -> str:
    """Return the source of a function, where the cell it was compiled from is at hand."""
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1:]
    return textwrap.dedent("".join(inspect.getblock(lines))).rstrip()


def _class(value: type, space: dict) -> str:
    """Return the definition of a class: in the cell of its methods, or the newest run."""
    methods = [f for f in vars(value).values() if isinstance(f, types.FunctionType)]
    cells = ["".join(linecache.getlines(f.__code__.co_filename)) for f in reversed(methods)]
    return _newest(value.__name__, [*space.get("In", []), *cells])


def _newest(name: str, cells: list[str]) -> str:
    """Return the newest definition of a function or a class in the cells."""
    for source in reversed(cells):
        for node in reversed(parsed(source).body):
            if getattr(node, "name", None) == name:
                first = min([node, *node.decorator_list], key=lambda part: part.lineno).lineno
                return "\n".join(source.splitlines()[first - 1:node.end_lineno])
    raise NotKept(f"the source of `{name}` is not at hand")


def _lambda(name: str, function: types.FunctionType) -> str:
    """Return the source of a lambda: the one in its cell that stands where its code was made."""
    source = "".join(linecache.getlines(function.__code__.co_filename))
    places = set(function.__code__.co_positions())
    for node in ast.walk(parsed(source)) if not function.__closure__ else ():
        if isinstance(node, ast.Lambda) and (node.body.lineno, node.body.end_lineno,
                                             node.body.col_offset,
                                             node.body.end_col_offset) in places:
            return f"({ast.unparse(node)})"
    raise NotKept(f"the source of `{name}` is not at hand")


def _expression(name: str, value: Any, space: dict) -> str:
    """Return a constant as it is written: numbers, text, containers and tables of functions."""
    text = _written(name, value, space)
    if len(text) > LONGEST:
        raise NotKept(f"it depends on `{name}`, which is data of this notebook")
    return text


def _written(name: str, value: Any, space: dict) -> str:
    if isinstance(value, (np.bool_, np.number)):
        value = value.item()
    if value is None or type(value) in (bool, int, str, bytes, complex):
        return repr(value)
    if type(value) is float:
        return repr(value) if math.isfinite(value) else f"float('{value}')"
    if type(value) is np.ndarray and 0 < value.size <= MOST and value.dtype.kind in "biufc":
        text = _written(name, value.tolist(), space)
        return f"{_name_of(name, np.array, space)}({text}, dtype='{value.dtype}')"
    if type(value) in (list, tuple, set, dict) and len(value) <= LONGEST:
        rows = value.items() if type(value) is dict else [(item,) for item in value]
        items = [": ".join(_written(name, part, space) for part in row) for row in rows]
        if type(value) is tuple:
            return f"({', '.join(items)}{',' * (len(items) == 1)})"
        start, end = {list: "[]", dict: "{}", set: "{}"}[type(value)]
        line = f"{start}{', '.join(items)}{end}"
        long = len(line) > 90 and type(value) is dict
        return "set()" if line == "{}" and type(value) is set else (
            "\n    ".join([start, *(f"{item}," for item in items)]) + f"\n{end}" if long else line)
    return _name_of(name, value, space)


def _name_of(name: str, value: Any, space: dict) -> str:
    """Return how the notebook can write a function that stands in a table."""
    if callable(value):
        if getattr(value, "__name__", "") == "<lambda>" and _is_from(space, value):
            return _lambda(name, value)
        for other, bound in list(space.items()):
            if bound is value and other != name and not PASSING.fullmatch(other):
                return other
            if isinstance(bound, types.ModuleType) and (
                    vars(bound).get(getattr(value, "__name__", None)) is value):
                return f"{other}.{value.__name__}"
    raise NotKept(f"it depends on `{name}`, which is data of this notebook")
