"""Judge a function: is it right, and if not, which mistake is it?

One way down: the evidence is gathered, the detectors look at it one after the other, and the first
finding is put into words.
"""

from __future__ import annotations

import inspect
import linecache
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from helpers.checks import place, two
from helpers.checks.compare import listed, right_values, same_values, type_of
from helpers.checks.evidence import Evidence, is_stub
from helpers.checks.explain import describe, says, unread_version
from helpers.checks.gradient_report import likeness
from helpers.checks.page import PageError
from helpers.checks.sandbox import CHANGEABLE, Call, Guard, fresh, muted, restored, seen

OTHER_WORDS = " (Yours is written in another way, and comes to the same.)"
PLACING = 0.5  # seconds for finding the place of a mistake, at most


@dataclass
class Verdict:
    """The outcome of a check."""

    outcome: str  # "correct", "not yet", "not attempted" or "skipped"
    lines: list[str] = field(default_factory=list)  # the sentences of the card
    mistake: str | None = None  # its id, if it has one
    line: int | None = None  # of the student's cell, from 1, if that is known
    place: list[str] = field(default_factory=list)  # what is to be said of that line, if anything
    summary: str = ""  # the sentence that says best what is wrong; by default the first
    sure: bool = True  # that it is this mistake: not by an error or a likeness alone

    def __post_init__(self):
        self.summary = self.summary or next(iter(self.lines), "")


def judge(exercise: Any, function: Any) -> Verdict:
    """Return the verdict on `function` as an answer to `exercise`; raise and show nothing."""
    evidence = Evidence(exercise, function, exercise.cases())
    with restored(randomness=True), muted():
        try:
            with suppress(Exception):  # broken off in a call, it could not be imported again
                if any(name.startswith("torch") for name in function.__code__.co_names):
                    import torch  # noqa: F401
            verdict = _first(BEFORE, evidence)
            if not verdict and evidence.wrong:
                verdict = _with_call(evidence, _first(WRONG, evidence))
            verdict = verdict or _first(RIGHT, evidence)
            verdict.lines += unread_version(function)
            return verdict
        except (KeyboardInterrupt, PageError):
            raise
        except BaseException as error:  # an object whose own methods fail, or leave
            return _general(evidence, "cannot-be-compared", error=type(error).__name__)


def _first(detectors, evidence):
    return next(filter(None, (look(evidence) for look in detectors)), None)


def _with_call(evidence, verdict):
    """Return a verdict with the call and its difference, a hint, and the place if it is found."""
    exercise, wrong = evidence.exercise, evidence.wrong
    if not verdict.mistake or wrong.stage == "fact" and not verdict.sure:
        both = two.find(evidence, known_call)
        verdict = Verdict("not yet", *both) if both else verdict
    seconds = 0 if evidence.calls[-1].endless else min(PLACING, evidence.guard.seconds)
    found = None if verdict.sure or seconds < 0.05 else place.find(
        exercise, evidence.function, seconds, evidence.at)
    verdict.lines[:0] = [f"Called with {describe(exercise, evidence.cases[evidence.at])}.",
                         wrong.text]
    if exercise.hint and not verdict.sure:
        verdict.lines.append(f"Next: {exercise.hint}")
    verdict.line = wrong.line or found and found.line
    verdict.place = list(found.lines) if found else []
    return verdict


def _general(evidence, mistake, **values):
    """Return the verdict that an answer has a mistake of the page of general ones."""
    return Verdict("not yet", [says(mistake, evidence.exercise, **values)], mistake)


# What cannot be called, or has not been written.

def skipped(evidence: Evidence) -> Verdict | None:
    """Find the solution's own function."""
    return Verdict("skipped", [says("skipped", evidence.exercise)]) if getattr(
        evidence.function, "skipped_exercise", None) else None


def not_a_function(evidence: Evidence) -> Verdict | None:
    """Find what cannot be called."""
    return None if callable(evidence.function) else _general(
        evidence, "not-a-function", kind=type_of(evidence.function))


def wrong_signature(evidence: Evidence) -> Verdict | None:
    """Find a function that does not take the exercise's arguments."""
    with suppress(Exception):  # a built-in without a signature: try it
        signature = inspect.signature(evidence.function)
        try:
            for args in evidence.cases:
                signature.bind(*args)
        except TypeError:
            return _general(evidence, "wrong-signature", yours=", ".join(signature.parameters)[:99])
    return None


def not_attempted(evidence: Evidence) -> Verdict | None:
    """Find the stub."""
    return Verdict("not attempted", [says("not-attempted", evidence.exercise)]) if is_stub(
        evidence.calls[-1].error, evidence.function) else None


# What is wrong.

def earlier_function(evidence: Evidence) -> Verdict | None:
    """Find an earlier function of the student's that is wrong and decides a wrong answer."""
    for used in evidence.exercise.uses if evidence.wrong else ():
        for other in evidence.reached(used.name):
            verdict = used.judge(other)
            if verdict.outcome in ("not yet", "not attempted") and _matters(evidence, used, other):
                row = "uses-…" if other is evidence.space.get(used.name) else "uses-an-older-…"
                said = says(row, evidence.exercise, used=used.name, its=used.id)
                return Verdict("not yet", [said, *verdict.lines[:3]], f"uses-{used.id}")
    return None


def _matters(evidence, used, other):
    """Whether a wrong answer changes once `other` is replaced by a right function."""
    space = evidence.space
    tables = [space, *(value for value in space.values() if type(value) is dict)]
    places = [(table, key) for table in tables for key, value in table.items() if value is other]
    try:
        for table, key in places:
            table[key] = used.truth
        call = evidence.call(evidence.cases[evidence.at])
        return not call.endless and not evidence.same(
            evidence.at, call, evidence.calls[evidence.at])
    finally:
        for table, key in places:
            table[key] = other


def notebook_data(evidence: Evidence) -> Verdict | None:
    """Find a function, right or wrong, that reads the notebook's data."""
    space = evidence.space
    data = {name for name in evidence.exercise.data & space.keys()
            if isinstance(space[name], (np.ndarray, dict))
            or type(space[name]).__module__ == space.get("__name__")}
    name = evidence.reads(evidence.cases[0], data)
    return _general(evidence, "uses-notebook-data", data=name) if name else None


def known_mistake(evidence: Evidence) -> Verdict | None:
    """Find the mistake of the exercise's page that comes to the same in every case."""
    exercise, calls = evidence.exercise, evidence.calls
    if len(calls) < len(evidence.cases):
        return None
    for mistake in exercise.mistakes:
        if all(evidence.same(i, calls[i], known_call(exercise, mistake, i, args))
               for i, args in enumerate(evidence.cases)):
            # an error says less than values do: others come to the same one
            sure = evidence.wrong.stage != "raised"
            said = (f"{'Likely mistake' if sure else 'Perhaps'}: {mistake.message}"
                    f"{_in_other_words(mistake, evidence.function)}")
            return Verdict("not yet", [said], mistake.id, sure=sure)
    return None


def _in_other_words(mistake, function):
    """Return what to add where a message quotes code that is not the student's own."""
    file = getattr(getattr(function, "__code__", None), "co_filename", "")
    source = "".join(linecache.getlines(file))
    own = "".join(mistake.new.split()) in "".join(source.split())
    return "" if own or not source or f"`{mistake.new}`" not in mistake.message else OTHER_WORDS


def known_call(exercise: Any, mistake: Any, index: int, args: tuple) -> Call:
    """Return what a known mistake comes to in a case: worked out once, it is always the same."""
    key = mistake, index
    if key not in exercise.memory:
        call = Guard().call(mistake.wrong, args, exercise.view)
        if call.endless:  # the machine was busy: it may be worked out another time
            return call
        exercise.memory[key] = Call(call.value, call.error and call.error.with_traceback(None))
    return exercise.memory[key]


def told_by_itself(evidence: Evidence) -> Verdict | None:
    """Find an error or a wrong form that has a name."""
    wrong = evidence.wrong
    return Verdict("not yet", [], wrong.mistake, summary=wrong.text,
                   sure=wrong.stage not in ("raised", "fact")) if wrong.mistake else None


def general_mistake(evidence: Evidence) -> Verdict | None:
    """Find what all wrong parts look like beside the right ones, the same in every case."""
    rows = [[] if call.error else evidence.parts(i) for i, call in enumerate(evidence.calls)]
    found = evidence.wrong.stage == "value" and two.alike(evidence, rows)
    return found and Verdict("not yet", [f"What it looks like: {found[1]}"], found[0], sure=False)


def not_repeatable(evidence: Evidence) -> Verdict | None:
    """Find an answer that is another one in a second call.

    Not asked of a wrong one where a view makes the result comparable: an order by `id`, say, may
    change, and the mistake is another one.
    """
    wrong = evidence.wrong
    asked = not wrong or wrong.stage == "value" and not evidence.exercise.view
    return _general(evidence, "not-repeatable") if asked and not evidence.repeats() else None


def unknown(evidence: Evidence) -> Verdict:
    """Find what else can be said of a wrong answer that has no name."""
    wrong, index = evidence.wrong, evidence.at
    facts = _facts_of_values(evidence) if wrong.stage == "value" else []
    arrays = {name for name, value in evidence.space.items() if isinstance(value, np.ndarray)}
    if read := wrong.stage != "raised" and evidence.reads(evidence.cases[index], arrays):
        facts.append(f"It also reads the array `{read}` of the notebook, which is no argument.")
    if changed := evidence.changed(index):
        facts.append(f"It also changes its argument `{changed}`.")
    return Verdict("not yet", facts, summary=wrong.text, sure=False)


def _facts_of_values(evidence):
    exercise, index = evidence.exercise, evidence.at
    sizes = exercise.sizes(*evidence.cases[index])
    found = evidence.parts(index)
    wrong = [part for part in found if not right_values(*part[1:], exercise.tolerance)]
    alike = [(name, likeness(got, want, sizes)) for name, got, want in wrong
             if want.dtype != bool and got.shape == want.shape]
    off = "; ".join([f"`{name}` {text}" for name, text in alike if text][:3])
    facts = [exercise.checker, f"It is not one of the mistakes I know{': ' * bool(off)}{off}.",
             _right_parts([part[0] for part in found], [part[0] for part in wrong])]
    return list(filter(None, facts))


def _right_parts(names, wrong):
    """Return which of several parts of a result are right: the mistake is in the others."""
    right = [name for name in names if name not in wrong]
    if len(names) < 2 or len(names) > 8:
        return ""
    if not right:
        return "No part of it is right: begin with what is computed first."
    other = f"`{wrong[0]}` uses" if len(wrong) == 1 else "the others use"
    return (f"{listed(right)} {'is' if len(right) == 1 else 'are'} right in this call: look at "
            f"what only {other}.")


# Side effects of a right answer.

def changed_argument(evidence: Evidence) -> Verdict | None:
    """Find a right answer that changes what it has been handed."""
    for index, call in enumerate(evidence.calls):
        changed = evidence.changed(index)
        if changed:
            given = dict(zip(evidence.exercise.parameters, call.args, strict=False))[changed]
            row = "changes-a-dict" if isinstance(given, dict) else "changes-arguments"
            return replace(_general(evidence, row, argument=changed), mistake="changes-arguments")
    return None


def leaves_marks(evidence: Evidence) -> Verdict | None:
    """Find a right answer that leaves something behind in the objects it gets."""
    exercise, args = evidence.exercise, fresh(evidence.cases[0])
    if evidence.repeats(evidence.calls[0].args):
        return None
    first, second = (seen(exercise.view, args, exercise.truth(*args)) for _ in range(2))
    if not same_values(first, second, exercise.rounding):  # as is right of training, say
        return None
    return _general(evidence, "leaves-marks", objects=listed(
        name for name, arg in zip(exercise.parameters, args, strict=False)
        if not isinstance(arg, CHANGEABLE)))


def lacks_something(evidence: Evidence) -> Verdict | None:
    """Find a right answer that lacks what its exercise asks for, or of which there is a remark."""
    look = evidence.exercise.besides
    found = look and evidence.guard.call(lambda: look(evidence.function), ()).value
    return found and (Verdict("correct", [found]) if isinstance(found, str) else _general(
        evidence, found[0], **found[1]))


def correct(evidence: Evidence) -> Verdict:
    """Find nothing wrong."""
    return Verdict("correct", list(filter(None, [evidence.exercise.unlocks])))


# The detectors in their order: of any answer, then of a wrong or of a right one.
BEFORE = skipped, not_a_function, wrong_signature, not_attempted, earlier_function, notebook_data
WRONG = known_mistake, told_by_itself, general_mistake, not_repeatable, unknown
RIGHT = (changed_argument, not_repeatable, leaves_marks, lacks_something, correct)
