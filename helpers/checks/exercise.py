"""What an exercise is: one declarative row, which is also the check that students call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from helpers.checks.catalogue import Mistake, mistakes
from helpers.checks.judge import Verdict, judge
from helpers.checks.show import show
from helpers.checks.store import remember

RECORD: dict[str, str] = {}  # exercise id -> outcome, in this kernel
LISTENERS: list[Callable[[str, str], None]] = []  # are told of each: the line with the status


class CheckFailed(Exception):  # noqa: N818  (the name that students read)
    """An answer is not right yet; the card above says why."""

    def __init__(self, exercise: str, mistake: str | None = None, text: str = "",
                 line: int | None = None):
        super().__init__(text or f"{exercise}: the card above says what to look at")
        self.exercise, self.mistake, self.line = exercise, mistake, line

    def _render_traceback_(self) -> list[str]:
        return []


class NotAttempted(CheckFailed):
    """An exercise is still a stub."""


def _first_length(*args) -> dict[str, int]:
    arrays = [a for a in args if isinstance(a, np.ndarray) and a.ndim]
    return {"N": len(arrays[0])} if arrays else {}


class _Check:
    """What an exercise of one function and one of several have in common: `id` and `parts`."""

    @property
    def attribute(self) -> str:
        """The name of the check in its lesson module."""
        return self.id.split("-", 1)[1].replace("-", "_")

    @property
    def names(self) -> str:
        """The functions that the student writes, as they stand in a line of code."""
        return ", ".join(part.name for part in self.parts)

    def __repr__(self) -> str:
        return f"the check of {self.id}: call it as check.{self.attribute}({self.names})"

    def __call__(self, *functions: Any) -> None:
        """Check the student's functions: show a card; raise where one is not right.

        Raises
        ------
        NotAttempted, CheckFailed
        """
        report(self.id, self.judge(*functions), functions, self.parts)


@dataclass(frozen=True, repr=False)
class Exercise(_Check):
    """An exercise of one function, and its check.

    Attributes
    ----------
    id : such as ``"02-backprop"``; its part after the number is the check's name
    name : the function that the student writes
    truth : the right answer, found in another way than the student's; its signature is the
        exercise's. It returns a number, an array, a list (any sequence will do), a dict or a tuple
    cases : returns the list of argument tuples on which the answer is judged
    returns : the names of what is returned
    more : known mistakes that no edit of the reference can say; the others stand on the lesson's
        page in the folder `mistakes`
    sizes : takes the arguments, returns the sizes that wrong factors are made of
    data : names of the notebook's data, which the function must not read
    uses : exercises whose functions the student may call in this one
    hint : what to try when the mistake is not known
    checker : which checker of their own students run first, where a value is wrong without a name
    unlocks : one sentence shown when the answer is right
    tolerance, rounding : relative to the largest entry: how far a right answer may be off, and how
        close an answer must be to a mistake's to be called that mistake
    integers : names of the arguments that may come as integers, as the text says, and must then
        give what the same floats give
    view : where several results are right (an order of nodes) or a result is hard to compare: takes
        the arguments as the call left them and what came back, returns what is compared, of right
        and wrong answers alike; a `Count` in it says a fault in a sentence of its own. What it
        cannot make sense of, it hands on or raises on: the result is then compared as it came
    memory : what the known mistakes have come to so far
    """

    id: str
    name: str
    truth: Callable
    cases: Callable[[], list[tuple]]
    returns: tuple[str, ...] = ("result",)
    more: tuple[Mistake, ...] = ()
    sizes: Callable[..., dict[str, int]] = _first_length
    data: frozenset[str] = frozenset()
    uses: tuple[Exercise, ...] = ()
    hint: str = ""
    checker: str = ""
    unlocks: str = ""
    tolerance: float = 1e-8
    rounding: float = 1e-9
    integers: tuple[str, ...] = ()
    view: Callable | None = None
    memory: dict = field(default_factory=dict, init=False, compare=False)

    @property
    def parts(self) -> tuple[Exercise, ...]:
        """The exercise itself: it has one part."""
        return (self,)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The known mistakes; those that come to the same output share one id."""
        return (*mistakes(self.id, self.name), *self.more)

    def judge(self, *functions: Any) -> Verdict:
        """Return the verdict on one function, without showing it."""
        return _wrong_number(self, functions) or judge(self, functions[0])


@dataclass(frozen=True, repr=False)
class Group(_Check):
    """Several small functions that share one cell, one check and one id.

    Attributes
    ----------
    id : such as ``"03-patterns"``
    parts : an `Exercise` for each function, all with the id of the group
    unlocks : one sentence shown when all are right
    """

    id: str
    parts: tuple[Exercise, ...]
    unlocks: str = ""

    def judge(self, *functions: Any) -> Verdict:
        """Return the verdict on all functions: the first that is not right decides."""
        wrong = _wrong_number(self, functions)
        if wrong:
            return wrong
        skipped = None
        for part, function in zip(self.parts, functions, strict=True):
            verdict = judge(part, function)
            if verdict.outcome == "not attempted":
                return Verdict("not attempted", [
                    f"`{part.name}` still holds its `raise NotImplementedError`: put your code "
                    f'there. To move on without: `{self.names} = skip("{self.id}")`.'])
            if verdict.outcome == "not yet":
                first, *others = verdict.lines
                return replace(verdict, lines=[f"`{part.name}` · {first}", *others])
            skipped = verdict if verdict.outcome == "skipped" else skipped
        return skipped or Verdict("correct", [self.unlocks] if self.unlocks else [])


def _wrong_number(check, functions):
    """Return a verdict where a check did not get as many functions as it has parts."""
    if len(functions) == len(check.parts):
        return None
    return Verdict("not yet", [f"The check got {len(functions)} functions; hand over "
                               f"{len(check.parts)}: `check.{check.attribute}({check.names})`."],
                   "wrong-number-of-functions")


def note(exercise: str, outcome: str) -> None:
    """Record an outcome; skipping takes nothing away."""
    before = RECORD.pop(exercise, None)  # the last one checked stands last
    RECORD[exercise] = before if outcome == "skipped" and before == "correct" else outcome


def report(exercise: str, verdict: Verdict, functions: tuple = (), parts: tuple = ()) -> None:
    """Record and show a verdict; raise `CheckFailed` or `NotAttempted` where it asks for it.

    Where it is the verdict of a check, its `functions` are kept, by the names of the `parts`.
    """
    note(exercise, verdict.outcome)
    if parts:
        verdict.lines += remember(exercise, verdict, {
            part.name: f for part, f in zip(parts, functions, strict=False)})
    for listener in LISTENERS:
        listener(exercise, verdict.outcome)
    show(verdict.outcome, exercise, verdict.lines, verdict.place)
    if verdict.outcome == "not attempted":
        raise NotAttempted(exercise, None, f"{exercise} is waiting for your code")
    if verdict.outcome == "not yet":
        mistake = f" [{verdict.mistake}]" if verdict.mistake else ""
        raise CheckFailed(exercise, verdict.mistake, f"{exercise}: the card above says what to "
                          f"look at. {verdict.summary}{mistake}", verdict.line)


def exercises(module: Any) -> list[Exercise | Group]:
    """Return the exercises of a lesson module, in the order in which they are written."""
    found = [value for value in vars(module).values()
             if isinstance(value, _Check) and value.id[:2] == module.__name__[-2:]]
    inside = [part for check in found if isinstance(check, Group) for part in check.parts]
    return [check for check in found if not any(check is part for part in inside)]
