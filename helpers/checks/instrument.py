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

from helpers.checks.sandbox import CHANGEABLE

NAMES = ("add sub mult:mul matMult:matmul div:truediv floorDiv:floordiv mod pow bitAnd:and_ "
         "bitOr:or_ bitXor:xor lShift:lshift rShift:rshift uSub:neg uAdd:pos invert not:not_ "
         "eq notEq:ne lt ltE:le gt gtE:ge is:is_ isNot:is_not")
OPERATORS = {getattr(ast, name[0].upper() + name[1:]): getattr(operator, function or name)
             for name, _, function in (pair.partition(":") for pair in NAMES.split())}
OPERATORS |= {ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b}
APART = {"super", "locals", "globals", "vars", "eval", "exec"}  # they look at where they stand
FOLLOWED = "<followed>"
RECORDED = 4000  # steps of a call whose values are kept
LEFT_ALONE = (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.ClassDef, ast.Match)
WHOLE = (ast.Name, ast.Constant, ast.BoolOp, ast.IfExp, ast.Compare, ast.Dict, ast.List, ast.Set,
         ast.Tuple, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp)
LOAD, STORE = ast.Load(), ast.Store()


class Cut(BaseException):
    """A call has taken more steps than it may."""


@dataclass(eq=False)
class Spot:
    """One expression of a function, or one name that is given a value."""

    number: int
    kind: str  # the name of its type in a syntax tree; "Given" where several names get values
    node: ast.AST
    statement: int  # the number of the innermost statement that it stands in
    function: Callable  # from the values that go into it to its own
    name: str | None  # of the variable that it reads or sets
    inputs: list[Spot]  # the spots directly inside it
    values: list = field(default_factory=list)  # copies of what it came to in a recorded call


class Program:
    """A function in which every expression is a call of `_step`.

    Attributes
    ----------
    spots : its expressions, by number
    reached : those that a recorded call has come to, in this order, and last the one that raised
    failed : the spot that raised, if one did
    """

    def __init__(self, function: Callable):
        code, node = function.__code__, _definition(function)
        self.file = code.co_filename
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        self.space = {**function.__globals__, **{n: cell.cell_contents for n, cell in cells}}
        for name, value in self.space.items():
            if isinstance(value, CHANGEABLE) and name in (*code.co_names, *code.co_freevars):
                self.space[name] = copy.deepcopy(value)
        maker = _Instrument({name for name, value in self.space.items()
                             if isinstance(value, types.ModuleType)})
        module = ast.fix_missing_locations(ast.Module([maker.visit(node)], type_ignores=[]))
        self.spots = maker.spots
        own = {**self.space, "__step": self._step, "__slice": slice}
        exec(compile(module, FOLLOWED, "exec", dont_inherit=True), own)
        self.function = own[node.name]
        self.function.__defaults__ = function.__defaults__
        self.function.__kwdefaults__ = function.__kwdefaults__

    def call(self, args: tuple, changes: dict, limit: int, record: bool = False) -> Any:
        """Return what the function comes to, in at most `limit` steps.

        `changes` says by the number of a spot what is called in place of its function, with that
        function, the values that go into it, and those that do so by keyword.
        """
        self.changes, self.limit, self.record, self.steps, self.failed = (
            changes, limit, record, 0, None)
        if record:
            self.reached = []
            for spot in self.spots:
                spot.values = []
        return self.function(*args)

    def _step(self, number, /, *operands, **named):
        self.steps += 1
        if self.steps > self.limit:
            raise Cut
        spot = self.spots[number]
        try:
            value = (self.changes[number](spot.function, operands, named)
                     if number in self.changes else spot.function(*operands, **named))
        except Exception:
            if self.failed is None:
                self.failed = spot
                self._note(spot)
            raise
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


def _definition(function):
    """Return the syntax tree of a function, as a `def` without decorators and defaults."""
    code, first = function.__code__, function.__code__.co_firstlineno
    tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    starts = {(position[0], position[2]) for position in code.co_positions()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda) and (code.co_name, first) == ("<lambda>", node.lineno) and (
                (node.body.lineno, node.body.col_offset) in starts):
            body = [ast.copy_location(ast.Return(node.body), node.body)]
            node = ast.copy_location(ast.FunctionDef("answer", node.args, body, [], None), node)
            break
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name and (
                first in (node.lineno, *(line.lineno for line in node.decorator_list))):
            break
    else:
        raise OSError("a function without source")
    node.decorator_list, node.returns = [], None
    node.args.defaults = [ast.Constant(None) for _ in node.args.defaults]
    node.args.kw_defaults = [default and ast.Constant(None) for default in node.args.kw_defaults]
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return node


def _same(value, *_):
    return value


def _call(function, *args, **named):
    return function(*args, **named)


class _Instrument(ast.NodeTransformer):
    """Puts a call of `__step` in the place of every expression that is read."""

    def __init__(self, modules):
        self.modules, self.spots, self.statement, self.statements = modules, [], 0, 0

    def visit(self, node):
        if isinstance(node, LEFT_ALONE) or self._is_of_a_module(node):
            return node
        before = self.statement
        if isinstance(node, ast.stmt):
            self.statements += 1
            self.statement = self.statements
        new = super().visit(node)
        self.statement = before
        parts = _parts(node) if new is node else None
        return self._spot(node, *parts) if parts else new

    def _is_of_a_module(self, node):
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.modules

    def _spot(self, node, function, *operands, name=None, kind=None):
        """Return the call that stands for an expression whose parts have been visited."""
        keywords = node.keywords if isinstance(node, ast.Call) else []
        inputs = [spot for whole in [*operands, *keywords] for spot in _topmost(whole)]
        spot = Spot(len(self.spots), kind or type(node).__name__, node, self.statement, function,
                    name or getattr(node, "id", None), inputs)
        self.spots.append(spot)
        call = ast.Call(ast.Name("__step", LOAD), [ast.Constant(spot.number), *operands], keywords)
        call.spot = spot
        return ast.copy_location(call, node)

    def visit_Slice(self, node):
        node = self.generic_visit(node)
        parts = [part or ast.Constant(None) for part in (node.lower, node.upper, node.step)]
        return ast.copy_location(ast.Call(ast.Name("__slice", LOAD), parts, []), node)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Attribute):
            node.func.value = self.visit(node.func.value)
        elif not isinstance(node.func, ast.Name):
            node.func = self.visit(node.func)
        node.args, node.keywords = ([*map(self.visit, node.args)],
                                    [*map(self.visit, node.keywords)])
        return node

    def visit_Expr(self, node):
        return node if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_For(self, node):
        node = self.generic_visit(node)
        node.body = [*self._given(node.target, node.iter), *node.body]
        return node

    def _given(self, target, value):
        """Return statements that give the names of a target their values, each through a spot."""
        made, inputs = [], [*_topmost(value)]
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                call = self._spot(part, _same, ast.Name(part.id, LOAD), kind="Given")
                call.spot.inputs = inputs
                made.append(ast.copy_location(ast.Assign([ast.Name(part.id, STORE)], call), part))
        return made

    def visit_Assign(self, node):
        target, node.value = node.targets[0], self.visit(node.value)
        if len(node.targets) > 1 or isinstance(target, (ast.Tuple, ast.List)):
            node.targets = [*map(self.visit, node.targets)]
            return [node, *(part for t in node.targets for part in self._given(t, node.value))]
        old = ast.Lambda(ast.arguments([], [], None, [], [], None, []), _loaded(target))
        node.value = self._spot(node, _same, node.value, old, name=_name_of(target))
        node.targets = [self.visit(target)]
        return node

    def visit_AugAssign(self, node):
        before, target, function = [], node.target, OPERATORS[type(node.op)]
        for part in () if isinstance(target, ast.Name) else ("value", "slice"):
            if hasattr(target, part):  # evaluated once
                name = f"__{part}{len(self.spots)}"
                before.append(ast.Assign([ast.Name(name, STORE)],
                                         self.visit(getattr(target, part))))
                setattr(target, part, ast.Name(name, LOAD))
        in_place = getattr(operator, f"i{function.__name__.strip('_')}")
        value = self._spot(node, in_place, _loaded(target), self.visit(node.value),
                           name=_name_of(target))
        return [ast.copy_location(part, node) for part in [*before, ast.Assign([target], value)]]


def _parts(node):
    """Return how the value of an expression is made, and of what; None of what is no such thing."""
    if not isinstance(getattr(node, "ctx", LOAD), ast.Load):
        return None
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)], node.left, node.right
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)], node.operand
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return OPERATORS[type(node.ops[0])], node.left, *node.comparators
    if isinstance(node, ast.Attribute):
        return operator.attrgetter(node.attr), node.value
    if isinstance(node, ast.Subscript):
        return operator.getitem, node.value, node.slice
    if isinstance(node, ast.Call):
        return None if getattr(node.func, "id", "") in APART else (_call, node.func, *node.args)
    plain = not isinstance(node, ast.Constant) or isinstance(node.value, (int, float, str))
    return (_same, node) if isinstance(node, WHOLE) and plain else None


def _topmost(node):
    """Yield the spots of a tree that stand in no other one."""
    if hasattr(node, "spot"):
        yield node.spot
    else:
        for part in ast.iter_child_nodes(node):
            yield from _topmost(part)


def _name_of(target):
    """Return what a value that is stored is called: a variable, or the text key of an entry."""
    key = getattr(getattr(target, "slice", None), "value", None)
    return getattr(target, "id", key if isinstance(key, str) else None)


def _loaded(target):
    """Return the expression that reads what an assignment stores."""
    parts = {name: getattr(target, name) for name in target._fields}
    return ast.copy_location(type(target)(**{**parts, "ctx": LOAD}), target)
