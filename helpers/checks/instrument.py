"""Run a function so that each value its lines come to can be seen, and any one of them changed."""

from __future__ import annotations

import ast
import copy
import linecache
import operator
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.checks.evidence import reachable
from helpers.checks.sandbox import CHANGEABLE

RECORDED = 4000  # steps of a call whose values are kept
NOT_FOLLOWED = (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await)
LEFT_ALONE = (ast.JoinedStr, ast.ClassDef, ast.Match, ast.arguments)
NO_VALUES = (ast.Starred, ast.Slice, ast.Lambda)  # what is no value of its own
OPERATORS = {"Mult": "mul", "MatMult": "matmul", "Div": "truediv", "BitAnd": "and_",
             "BitOr": "or_", "BitXor": "xor"}  # the others are called as they are in a syntax tree
LOAD = ast.Load()


class Cut(BaseException):
    """A call has taken more steps than it may."""


@dataclass(eq=False)
class Spot:
    """One expression of a function."""

    number: int
    kind: str  # the name of its type in a syntax tree
    node: ast.AST
    name: str | None  # of the variable that it reads
    inputs: list[Spot]  # the spots directly inside it
    values: list = field(default_factory=list)  # copies of what it came to in a recorded call
    last: Any = None  # what it came to last, itself


class Program:
    """A function, with those of its cell that it calls, in which expressions are calls of `_step`.

    `spots` are the expressions by number, `reached` those that a recorded call has come to, in this
    order, last the one that raised, `failed`; `names` are the functions.
    """

    def __init__(self, function: Callable):
        code, nodes = function.__code__, _definitions(function)
        self.file = code.co_filename
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        self.space = {**function.__globals__, **{n: cell.cell_contents for n, cell in cells}}
        self.space |= {name: copy.deepcopy(self.space[name]) for name in self.space.keys() & {
            *code.co_names, *code.co_freevars} if isinstance(self.space[name], CHANGEABLE)}
        maker = _Instrument({name for name, value in self.space.items()
                             if isinstance(value, types.ModuleType)})
        module = ast.fix_missing_locations(ast.Module([*map(maker.visit, nodes)], type_ignores=[]))
        self.spots = maker.spots
        own = {**self.space, "__step": self._step, "__operator": operator}
        exec(compile(module, "<followed>", "exec", dont_inherit=True), own)
        self.names, self.function = {node.name for node in nodes}, own[nodes[-1].name]

    def call(self, args: tuple, changes: dict, limit: int, record: bool = False) -> Any:
        """Return what the function comes to, in at most `limit` steps.

        `changes` are by numbers of spots: each is called with what returns the value there.
        """
        self.changes, self.limit, self.record, self.steps, self.failed = (
            changes, limit, record, 0, None)
        if record:
            self.reached = []
            for spot in self.spots:
                spot.values, spot.last = [], None
        return self.function(*args)

    def _step(self, number, value_of):
        self.steps += 1
        if self.steps > self.limit:
            raise Cut
        spot = self.spots[number]
        try:
            value = self.changes[number](value_of) if number in self.changes else value_of()
        except Exception:
            if self.failed is None:
                self.failed = spot
                self._note(spot)
            raise
        spot.last = value
        if self.record:
            self._note(spot)
            spot.values.append(snapshot(value) if self.steps < RECORDED else None)
        return value

    def _note(self, spot):
        if self.record and not spot.values and spot not in self.reached[-1:]:
            self.reached.append(spot)

    def text(self, spot: Spot) -> str:
        """Return an expression as it stands in the student's cell."""
        source = "".join(linecache.getlines(self.file))
        return " ".join((ast.get_source_segment(source, spot.node) or "").split())


def snapshot(value: Any, depth: int = 3) -> Any:
    """Return a copy of numbers and arrays, in tuples and dicts too; None of all else."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.dtype.kind in "biuf" and value.size < 50000 else None
    if isinstance(value, (bool, int, float, np.generic)):
        return np.asarray(value) if not isinstance(value, int) or abs(value) < 2**63 else None
    if hasattr(value, "detach") and hasattr(value, "numpy"):
        return value.detach().numpy().copy()
    if isinstance(value, (tuple, list)) and depth and len(value) <= 200:
        return tuple(snapshot(item, depth - 1) for item in value)
    if isinstance(value, dict) and depth and len(value) <= 50:
        return {key: snapshot(item, depth - 1) for key, item in value.items()}
    return None


def _definitions(function):
    """Return the syntax trees of the functions of its cell that a function calls; last its own."""
    file, nodes = function.__code__.co_filename, []
    defs = {(node.name, node.lineno): node for node in ast.walk(
        ast.parse("".join(linecache.getlines(file)))) if isinstance(node, ast.FunctionDef)}
    for thing in reachable(function):
        code = getattr(thing, "__code__", None)
        if not code or thing not in (function, function.__globals__.get(code.co_name)):
            continue
        node = code.co_filename == file and defs.get((code.co_name, code.co_firstlineno))
        if node and not any(isinstance(part, NOT_FOLLOWED) for part in ast.walk(node)):
            node.returns = None
            nodes.insert(0, node)
        elif not nodes:
            raise OSError("a function without source, or one that cannot be followed")
    return nodes


class _Instrument(ast.NodeTransformer):
    """Puts a call of `__step` in the place of every expression that is read."""

    def __init__(self, modules):
        self.modules, self.spots = modules, []

    def visit(self, node):
        if isinstance(node, LEFT_ALONE) or self._is_of_a_module(node):
            return node
        new = super().visit(node)
        value = isinstance(node, ast.expr) and not isinstance(node, NO_VALUES) and isinstance(
            getattr(node, "ctx", LOAD), ast.Load) and isinstance(
            getattr(node, "value", 0), (ast.AST, int, float))
        return self._spot(node, _as_call(node)) if value else new

    def _is_of_a_module(self, node):
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.modules

    def _spot(self, node, value):
        """Return the call that stands for an expression; what it calls itself may be exchanged."""
        spot = Spot(len(self.spots), type(node).__name__, node, getattr(node, "id", None),
                    [spot for part in ast.iter_child_nodes(value) for spot in _topmost(part)])
        self.spots.append(spot)
        own = ast.Lambda(ast.arguments([], [], None, [], [], None, []), value)
        if isinstance(value, ast.Call):
            own.args.args, own.args.defaults = [ast.arg("__function")], [value.func]
            own.body = ast.Call(ast.Name("__function", LOAD), value.args, value.keywords)
        call = ast.Call(ast.Name("__step", LOAD), [ast.Constant(spot.number), own], [])
        call.spot = spot
        return ast.copy_location(call, node)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        node.args = [self.visit(part) for part in node.args]
        node.keywords = [self.visit(part) for part in node.keywords]
        return node

    def visit_Subscript(self, node):
        if isinstance(node.ctx, ast.Store):  # the array or dict is changed here, not read
            node.slice = self.visit(node.slice)
            return node
        return self.generic_visit(node)


def _as_call(node):
    """Return an expression, or the call of a function that an operator stands for."""
    if not isinstance(node, ast.BinOp):
        return node
    name = type(node.op).__name__
    function = ast.Attribute(ast.Name("__operator", LOAD), OPERATORS.get(name, name.lower()), LOAD)
    return ast.Call(function, [node.left, node.right], [])


def _topmost(node):
    """Yield the spots of a tree that stand in no other one."""
    if hasattr(node, "spot"):
        yield node.spot
    else:
        for part in ast.iter_child_nodes(node):
            yield from _topmost(part)
