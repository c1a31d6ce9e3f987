"""What an exercise is: one declarative row, which is also the check that students call."""

from __future__ import annotations

import inspect
import os
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.checks.catalogue import Mistake, mistakes
from helpers.checks.explain import says
from helpers.checks.judge import Verdict, judge
from helpers.checks.show import show
from helpers.memory.store import remember

GRADING = "COURSE_GRADING"  # in the environment where marks are given: what is skipped earns none
RECORD: dict[str, str] = {}  # exercise id -> outcome, in this kernel
LISTENERS: list[Callable[[str, str], None]] = []  # are told of each: the line with the status
# Names of the notebooks' data, which no function reads but as an argument.
DATA = frozenset("""
    A a A1 all_zero answers b b1 b2 batch_size before c cache D dA dA1 data dO dW1 dW1_num dW2
    dW2_num dZ1 dZ2 E epochs errors exact few floor for_checking grads H h history ids iterations
    K k keys labels learning_rate legacy logits losses maps mu N order P params params_end
    params_start parts patience penalty Q query rates record reg right rng rows settings sizes small
    start starts state steps targets test_ids test_rows three train_ids train_rows trained upstream
    V val_rows values velocity w W1 W2 W_1 W_2 wrong X x X_all X_b X_b_test X_b_train X_few X_first
    x_mat X_small X_test X_train X_val Y y y_all y_few y_first Y_hat Y_small y_small y_test y_train
    y_val Z1 Z2""".split())


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
    return next(({"N": len(a)} for a in args if isinstance(a, np.ndarray) and a.ndim), {})


def no_sizes(*args) -> dict[str, int]:
    """Return that no size plays a part."""
    return {}


class _Check:
    """What an exercise of one function and one of several have in common: `id` and `parts`."""

    @property
    def attribute(self) -> str:
        """The name of the check in its lesson module."""
        return self.id[3:].replace("-", "_")

    @property
    def names(self) -> str:
        """The functions that the student writes, as they stand in a line of code."""
        return ", ".join(part.name for part in self.parts)

    def __repr__(self) -> str:
        return f"the check of {self.id}: call it as check.{self.attribute}({self.names})"

    def judge(self, *functions: Any) -> Verdict:
        """Return the verdict on the functions, without showing it: the first wrong one decides."""
        if len(functions) != len(self.parts):
            mistake = "wrong-number-of-functions"
            return Verdict("not yet", [says(mistake, self, number=len(functions),
                                            wanted=len(self.parts))], mistake)
        whole = Verdict("correct", [self.unlocks] if self.unlocks else [])
        for part, function in zip(self.parts, functions, strict=True):
            verdict = judge(part, function)
            if verdict.outcome == "not attempted":
                verdict.lines[:1] = [says("not-attempted", self, name=part.name)]
            elif verdict.outcome == "not yet" and len(self.parts) > 1:
                verdict.lines[0] = f"`{part.name}` · {verdict.lines[0]}"
            if verdict.outcome.startswith("not"):
                return verdict
            whole = verdict if verdict.outcome == "skipped" or len(self.parts) == 1 else whole
        return whole

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

    A `view` takes the arguments as the call left them and what came back, and returns what is
    compared; a `Count` in it says a fault in a sentence of its own. Where it hands on or raises on
    what it cannot make sense of, the result is compared as it came.
    """

    id: str  # such as "02-backprop"; its part after the number is the check's name
    name: str  # the function that the student writes
    truth: Callable  # the right answer, found in another way; its signature is the exercise's
    cases: Callable[[], list[tuple]]  # returns the arguments on which the answer is judged
    returns: tuple[str, ...] = ("result",)  # the names of what is returned
    more: tuple[Mistake, ...] = ()  # known mistakes that no edit of the reference can say
    sizes: Callable[..., dict[str, int]] = _first_length  # that wrong factors are made of
    uses: tuple[Exercise, ...] = ()  # exercises whose functions the student may call in this one
    hint: str = ""  # what to try when the mistake is not known
    checker: str = ""  # of the student's own, to be run first where a value is wrong without a name
    unlocks: str = ""  # one sentence shown when the answer is right
    tolerance: float = 1e-11  # how far a right answer may be off, relative to the largest entry
    rounding: float = 1e-7  # how close an answer must be to a mistake's to be called that mistake
    view: Callable | None = None  # where several results are right, or one is hard to compare
    besides: Callable | None = None  # of a right answer: what it lacks, or a remark, or None
    data = DATA
    memory: dict = field(default_factory=dict, init=False, compare=False)  # of known mistakes

    @property
    def parts(self) -> tuple[Exercise, ...]:
        """The exercise itself: it has one part."""
        return (self,)

    @property
    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """The arguments of the function, by their names."""
        return inspect.signature(self.truth).parameters

    @property
    def call(self) -> str:
        """A call of the function, with the names of its arguments."""
        plain = (p.replace(annotation=p.empty) for p in self.parameters.values())
        return f"{self.name}({', '.join(map(str, plain))})"

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The known mistakes; those that come to the same output share one id."""
        return (*mistakes(self.id, self.name), *self.more)


@dataclass(frozen=True, repr=False)
class Group(_Check):
    """Several small functions that share one cell, one check and one id."""

    id: str
    parts: tuple[Exercise, ...]  # one for each function, all with the id of the group
    unlocks: str = ""  # one sentence shown when all are right


def note(exercise: str, outcome: str, *, checked: bool = True) -> None:
    """Record an outcome; skipping takes nothing away. The last one that was checked stands last."""
    before, others = RECORD.pop(exercise, None), dict(RECORD)
    row = {exercise: before if outcome == "skipped" and before == "correct" else outcome}
    RECORD.clear()
    RECORD.update(others | row if checked else row | others)


def report(exercise: str, verdict: Verdict, functions: tuple = (), parts: tuple = ()) -> None:
    """Record and show a verdict; raise `CheckFailed` or `NotAttempted` where it asks for it.

    The `functions` of a check are kept, by the names of its `parts`. Of what is wrong and stands
    under another name nothing is recorded: it was only tried.
    """
    named, outcome = dict(zip((p.name for p in parts), functions, strict=False)), verdict.outcome
    if not (outcome == "not yet" and any(_is_another(*item) for item in named.items())):
        note(exercise, outcome, checked=bool(parts))
        verdict.lines += remember(exercise, verdict, named) if parts else []
        for listener in LISTENERS:
            listener(exercise, outcome)
    show(outcome, exercise, verdict.lines, verdict.place)
    if outcome == "skipped" and parts and GRADING in os.environ:
        raise CheckFailed(exercise, "skipped", f"{exercise}: the solution's own earns nothing")
    if outcome == "not attempted":
        raise NotAttempted(exercise, None, f"{exercise} is waiting for your code")
    if outcome == "not yet":
        mistake = f" [{verdict.mistake}]" if verdict.mistake else ""
        raise CheckFailed(exercise, verdict.mistake, f"{exercise}: the card above says what to "
                          f"look at. {verdict.summary}{mistake}", verdict.line)


def _is_another(name: str, function: Any) -> bool:
    """Whether a function is not the one that its notebook calls by a name."""
    return isinstance(function, types.FunctionType) and function.__name__ != name and (
        function.__globals__.get(name) is not function)


def exercises(module: Any) -> list[Exercise | Group]:
    """Return the exercises of a lesson module, in the order in which they are written."""
    found = [value for value in vars(module).values()
             if isinstance(value, _Check) and value.id[:2] == module.__name__[-2:]]
    inside = {id(part) for check in found if isinstance(check, Group) for part in check.parts}
    return [check for check in found if id(check) not in inside]
