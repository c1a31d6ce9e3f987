"""What may stand in one place of a function instead: a value of another, or a small edit."""

from __future__ import annotations

import copy
import functools
import itertools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from helpers.checks.instrument import Spot, snapshot

SWAPS = {"Add": "sub mul", "Sub": "add", "Mult": "matmul truediv add pow", "MatMult": "mul",
         "Div": "mul floordiv", "Pow": "mul", "BitAnd": "or_", "BitOr": "and_",
         "FloorDiv": "truediv mod", "Mod": "floordiv", "BitXor": "pow", "Lt": "le gt",
         "LtE": "lt ge", "Gt": "ge lt", "GtE": "gt le", "Eq": "ne", "NotEq": "eq"}
ONE_WAY = ("Sub", "Div", "MatMult", "Pow", "FloorDiv", "Mod")
DONE = ("BinOp", "UnaryOp", "Attribute", "Call", "AugAssign", "Subscript")  # what may be too much
SHARED = ("It changes later, in a line that works in place or under another name: a copy is wanted "
          "there.")
LOST = "What was there before is lost: each time, something is to be added to it, or taken away."
WHOLE = "Its type holds whole numbers only, which are cut off or wrap round: floats are wanted."


@dataclass
class Change:
    """What is done at a spot in place of what stands there.

    `make` returns it for a case: a function from the one that returns the spot's value; `said`
    tells of it what values do not show.
    """

    spot: Spot
    make: Callable
    said: str = ""


def form(value):
    return (value.shape, value.dtype == bool) if isinstance(value, np.ndarray) else type(value)


def equal(a, b):
    """Whether two snapshots, or series of them, agree to rounding."""
    if isinstance(a, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if a is None or not isinstance(b, np.ndarray) or form(a) != form(b):
        return False
    near = np.abs(a.astype(float) - b) <= 1e-9 * np.abs(b).max(initial=1e-300)
    return bool(near.all()) or bool(np.isnan(b).any()) and np.array_equal(a, b, equal_nan=True)


def edits(spot: Spot, texts: list[str]) -> Iterator[Change]:
    """Yield small edits of what is done in a spot; `texts` may stand in place of another text."""
    value = spot.values[0] if spot.values else None
    for other in _others(spot):
        yield Change(spot, lambda case, other=other: lambda value_of: value_of(
            functools.partial(other, value_of.__defaults__[0])))
    if spot.kind in DONE:
        for part in spot.inputs:
            if part.kind != "Constant" and part.values and not equal(part.values[0], value):
                yield Change(spot, lambda case, part=part: _taken(part, None))
    if spot.kind == "Assign":
        for add in (operator.add, operator.sub):
            yield Change(spot, lambda case, add=add: lambda value_of: add(
                value_of.__defaults__[0](), value_of()), LOST)
    if spot.kind == "Constant":
        for new in _constants(texts, spot.node.value):
            yield Change(spot, lambda case, new=new: lambda value_of: new)
    if not isinstance(value, np.ndarray) or not value.ndim:
        return
    if value.dtype.kind in "iu":
        yield Change(spot, lambda case: lambda value_of: value_of().astype(float), WHOLE)
    for part in spot.inputs:
        like = part.values[0] if part.values else None
        if isinstance(like, np.ndarray) and like.size == value.size > 1 and equal(
                np.sort(like, None), np.sort(value, None)) and spot.kind == "Call":
            for turn in (np.asarray, np.transpose):
                yield Change(spot, lambda case, part=part, turn=turn: _taken(part, turn))


def copies(spot: Spot) -> Iterator[Change]:
    """Yield a copy of what is no longer what it was when the spot came to it."""
    if spot.values and spot.values[0] is not None and not equal(
            spot.values[0], snapshot(spot.last)):
        yield Change(spot, lambda case: lambda value_of: _apart(value_of()), SHARED)


# What stands in the place of a spot: it takes the function that returns the spot's own value.

def _ran(value_of):
    try:
        return value_of()
    except Exception:
        return None


def _taken(part, turn):
    """Return a change that takes the value of a part as it is, in the form of the whole."""
    def change(value_of):
        shape, value = np.shape(_ran(value_of)), part.last
        return value if turn is None else np.reshape(turn(value), shape)
    return change


def graft(values):
    """Return a change that puts values of the reference's in the place of a spot's, in turn."""
    left = itertools.repeat(values[0]) if len(values) == 1 else iter(values)
    return lambda value_of: _given_back(next(left, None), _ran(value_of))


def _given_back(want, like):
    """Return what a snapshot shows, as the kind of thing that stands there."""
    if isinstance(want, tuple):
        return (list if isinstance(like, list) else tuple)(_given_back(w, None) for w in want)
    if isinstance(want, dict):
        return {key: _given_back(item, None) for key, item in want.items()}
    if want is None:
        return like
    if hasattr(like, "detach"):
        import torch
        return torch.as_tensor(want.copy())
    return want.copy() if want.ndim or isinstance(like, np.ndarray) else want.item()


def _apart(value):
    """Return a copy in which no two things are one."""
    if isinstance(value, dict):
        return {key: _apart(item) for key, item in value.items()}
    return type(value)(map(_apart, value)) if type(value) in (list, tuple) else copy.copy(value)


def _power(a, b):
    return operator.pow(a if isinstance(a, np.ndarray) else float(a), b)  # no endless integers


def _others(spot) -> Iterator[Callable]:
    """Yield what may be done in place of a call or an operation; it takes that as well."""
    op = getattr(spot.node, "op", None) or getattr(spot.node, "ops", [None])[0]
    operation, count = type(op).__name__, len(getattr(spot.node, "args", ()))
    for name in SWAPS.get(operation, "").split() if spot.kind != "UnaryOp" else ():
        other = _power if name == "pow" else getattr(operator, name)
        yield lambda function, a, b, other=other: other(a, b)
    if operation in ONE_WAY:
        yield lambda function, a, b: function(b, a)
    inner = spot.inputs[0] if spot.kind == "Call" and len(spot.inputs) == 1 else spot
    method = getattr(getattr(inner.node, "func", None), "attr", "")
    if inner.kind == "Call" and inner is not spot and len(inner.inputs) == 1 and method:
        yield lambda function, _, **named: getattr(function(inner.inputs[0].last), method)()
    for i, j in itertools.combinations(range(count), 2) if spot.kind == "Call" else ():
        yield functools.partial(_exchanged, i, j)


def _exchanged(i, j, function, *args, **named):
    args = list(args)
    args[i], args[j] = args[j], args[i]
    return function(*args, **named)


def _constants(texts, value):
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        half = value // 2 if isinstance(value, int) else value / 2
        return [value - 1, value + 1, half, 2 * value]
    return texts
