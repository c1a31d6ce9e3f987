"""What may stand in one place of a function instead: a value of another, or a small edit.

A change takes the function that returns the value of a spot, and returns another value.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import operator
from collections.abc import Callable, Iterator

import numpy as np

from helpers.checks.instrument import Spot

SWAPS = {"Add": "sub mul", "Sub": "add", "Mult": "matmul truediv add", "MatMult": "mul",
         "Div": "mul"}
ONE_WAY = ("Sub", "Div", "MatMult")
PAIRS = [("sum", "mean"), ("max", "min"), ("maximum", "minimum"), ("sin", "cos"),
         ("zeros", "ones"), ("zeros_like", "ones_like")]
TAKEN_FOR = dict(PAIRS) | {b: a for a, b in PAIRS}


def equal(a, b):
    """Whether two snapshots, or series of them, agree to rounding."""
    if isinstance(a, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if a is None or not isinstance(b, np.ndarray) or a.shape != b.shape or (
            (a.dtype == bool) != (b.dtype == bool)):
        return False
    near = np.abs(a.astype(float) - b) <= 1e-9 * np.abs(b).max(initial=1e-300)
    return bool(near.all()) or bool(np.isnan(b).any()) and np.array_equal(a, b, equal_nan=True)


def edits(spot: Spot) -> Iterator[Callable]:
    """Yield small edits of what is done in a spot: another operation, a part alone, a number."""
    for other in _operations(spot):
        yield lambda value_of, other=other: value_of(
            functools.partial(other, value_of.__defaults__[0]))
    for part in spot.inputs:
        if part.kind != "Constant" and part.values and not equal(part.values, spot.values):
            yield functools.partial(_alone, part)
    number = getattr(spot.node, "value", None)
    if isinstance(number, (bool, int, float)):
        for new in [not number] if isinstance(number, bool) else [number - 1, number + 1]:
            yield lambda value_of, new=new: new


def _operations(spot) -> Iterator[Callable]:
    """Yield what may be done in place of a call or an operation; it takes that as well."""
    operation = type(getattr(spot.node, "op", None)).__name__
    for name in SWAPS.get(operation, "").split():
        other = getattr(operator, name)
        yield lambda function, a, b, other=other: other(a, b)
    if operation in ONE_WAY:
        yield lambda function, a, b: function(b, a)
    if spot.kind == "Call" and (name := getattr(spot.node.func, "attr", "")) in TAKEN_FOR:
        yield functools.partial(_called, TAKEN_FOR[name])
    if spot.kind == "Call" and getattr(spot.node.func, "id", "") != "range":  # turned, it is empty
        for i, j in itertools.combinations(range(len(spot.node.args)), 2):
            yield functools.partial(_exchanged, i, j)


def _exchanged(i, j, function, *args, **named):
    args = list(args)
    args[i], args[j] = args[j], args[i]
    return function(*args, **named)


def _called(name, function, *args, **named):
    owner = getattr(function, "__self__", np)
    return getattr(owner if hasattr(owner, name) else np, name)(*args, **named)


def _alone(part, value_of):
    _ran(value_of)
    return part.last


def _ran(value_of):
    with contextlib.suppress(Exception):
        return value_of()


def graft(values: list) -> Callable:
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
