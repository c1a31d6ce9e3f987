"""What there is to judge an answer by, gathered once, each piece when it is first asked for."""

from __future__ import annotations

import inspect
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from helpers.checks.compare import Difference, differ, leaves, same_values
from helpers.checks.explain import explain, same_error
from helpers.checks.sandbox import Call, Guard, fresh, restored, seen


@dataclass
class Evidence:
    """A student's answer to an exercise, and what comes of it."""

    exercise: Any
    function: Any
    cases: list[tuple]  # the arguments of the calls
    guard: Guard = field(default_factory=Guard)  # has the time that is left

    @property
    def space(self) -> dict[str, Any]:
        """The names of the notebook, where the function has been written in one."""
        return getattr(self.function, "__globals__", {})

    def call(self, args: tuple, function: Callable | None = None, left: tuple | None = None,
             viewed: bool = True) -> Call:
        """Return what comes of a call of the function, or of another in its place."""
        with restored():
            return self.guard.call(function or self.function, args,
                                   self.exercise.view if viewed else None, left)

    @cached_property
    def calls(self) -> list[Call]:
        """What comes of each case, up to the first that does not end or finds a stub."""
        calls = []
        for args in self.cases:
            call = self.call(args)
            calls.append(call)
            if call.endless or is_stub(call.error, self.function):
                break
        return calls

    def wanted(self, index: int) -> Any:
        """Return the right answer to a case, seen as the student's is."""
        return right_answer(self.exercise, index, self.cases[index])

    @cached_property
    def differences(self) -> list[Difference | None]:
        """How each call differs from what was wanted, up to the first that does."""
        exercise, found = self.exercise, []
        for index, call in enumerate(self.calls):
            found.append(explain(exercise, self.function, call.error, index > 0) if call.error
                         is not None else differ(call.value, self.wanted(index),
                                                 exercise.returns[0], exercise.returns,
                                                 exercise.tolerance))
            if found[-1]:
                break
        return found

    @property
    def wrong(self) -> Difference | None:
        """How the first wrong call is wrong; None where all are right."""
        return self.differences[-1]

    @property
    def at(self) -> int:
        """The number of the last call that has been looked at: the wrong one, if one is wrong."""
        return len(self.differences) - 1

    def repeats(self, left: tuple | None = None) -> bool:
        """Whether a second call, on the objects that `left` gives, comes to the same, or no end."""
        again = self.call(self.cases[0], left=left)
        return again.endless or self.alike(again, self.calls[0], self.wanted(0))

    def parts(self, index: int, call: Call | None = None) -> list[tuple]:
        """Return (name, got, wanted) of each part of what a call has returned, as arrays."""
        returns, call = self.exercise.returns, call or self.calls[index]
        return list(leaves(call.value, self.wanted(index), returns[0], returns,
                           counts=False))

    def alike(self, one: Call, other: Call, want: Any, rounding: float | None = None) -> bool:
        """Whether two calls came to the same, in what is wanted of them."""
        if one.error is not None or other.error is not None:
            return same_error(one.error, other.error)
        rounding = self.exercise.rounding if rounding is None else rounding
        a, b = ([got for _, got, _ in leaves(call.value, want)] for call in (one, other))
        return all(same_values(x, y, rounding) or (  # text, objects: nothing can be said of them
            x.dtype == y.dtype and x.shape == y.shape and x.dtype.kind not in "biuf")
            for x, y in zip(a, b, strict=True))

    def same(self, index: int, call: Call, other: Call) -> bool:
        """Whether a call of a case came to what another did: the same error, or the same values.

        What a dict holds beyond what is wanted plays no part. Nor does what errors say, where the
        first case that is wrong came to values.
        """
        if call.error is not None and other.error is not None and self.wrong.stage != "raised":
            return True
        if call.error is not None or other.error is not None:
            return same_error(call.error, other.error)
        a, b = (_without_more(c.value, self.wanted(index)) for c in (call, other))
        listed = isinstance(a, (list, tuple)) and isinstance(b, np.ndarray)
        return not listed and same_values(a, b, self.exercise.rounding)

    def reads(self, args: tuple, names: set[str]) -> str | None:
        """Return which of some names of the notebook a call reads, by a copy that has none."""
        function = self.function
        if not isinstance(function, types.FunctionType) or not names:
            return None
        blind = types.FunctionType(
            function.__code__, {k: v for k, v in self.space.items() if k not in names},
            function.__name__, function.__defaults__, function.__closure__)
        blind.__kwdefaults__ = function.__kwdefaults__
        error = self.call(args, blind, viewed=False).error
        return error.name if isinstance(error, NameError) and error.name in names else None

    def changed(self, index: int) -> str | None:
        """Return the name of an argument that a call has changed."""
        return next((name for name, old, new in zip(
            self.exercise.parameters, self.cases[index], self.calls[index].args, strict=False)
            if isinstance(old, (np.ndarray, dict)) and not same_values(old, new, 0.0)), None)

    def reached(self, name: str) -> list[Any]:
        """Return the functions called `name` that the answer comes to: now, or an older one."""
        now = self.space.get(name)
        return [thing for thing in reachable(self.function) if callable(thing) and (
            thing is now or getattr(thing, "__name__", None) == name
            and getattr(thing, "__globals__", None) is self.space)
            and thing is not self.function]


def _without_more(value, want):
    """Return a result without the keys that nobody has asked for."""
    if isinstance(value, dict) and isinstance(want, dict):
        return {key: _without_more(value[key], want[key]) for key in value if key in want}
    if isinstance(value, (tuple, list)) and isinstance(want, tuple) and len(value) == len(want):
        return tuple(map(_without_more, value, want))
    return value


def right_answer(exercise: Any, index: int, args: tuple) -> Any:
    """Return the right answer to a case, seen as the student's is: worked out once, and kept."""
    if index not in exercise.memory:
        args = fresh(args)
        exercise.memory[index] = seen(exercise.view, args, exercise.truth(*args))
    return exercise.memory[index]


def is_stub(error: BaseException | None, function: Any) -> bool:
    """Whether it is the function's own NotImplementedError (not one of a function it calls)."""
    if not isinstance(error, NotImplementedError) or "not implemented for" in str(error):
        return False  # PyTorch says so of dtypes
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and frames[-1][0].f_code is getattr(
        inspect.unwrap(function), "__code__", None)


def reachable(function: Any) -> list[Any]:
    """Return what a function uses of its notebook, directly or by way of what it uses."""
    waiting, found = [function], {}
    while waiting:
        thing = waiting.pop()
        if id(thing) in found:
            continue
        found[id(thing)] = thing
        if isinstance(thing, types.FunctionType) and (
                thing.__globals__ is getattr(function, "__globals__", None)
                or str(thing.__globals__.get("__name__")).startswith("notebook ")):
            waiting += [thing.__globals__[name] for name in names_in(thing.__code__)
                        if name in thing.__globals__]
        elif isinstance(thing, type):
            waiting += [*thing.__bases__, *vars(thing).values()]
        elif type(thing) is dict:  # a table of functions
            waiting += thing.values()
    return list(found.values())


def names_in(code: types.CodeType) -> set[str]:
    """Return the names that a piece of code uses, those in its inner functions included."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*map(names_in, inner))
