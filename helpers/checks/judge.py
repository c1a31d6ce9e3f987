"""Judge a function: is it right, and if not, which mistake is it?

One way down: the evidence is gathered, the detectors look at it one after the other, and the first
finding is put into words.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.checks import place
from helpers.checks.compare import differ, named_counts, right_values, same_values, type_of
from helpers.checks.evidence import Evidence, is_stub
from helpers.checks.explain import call_of, describe, unread_version
from helpers.checks.gradient_report import likeness, looks_like
from helpers.checks.sandbox import CHANGEABLE, Call, Guard, fresh, muted, restored, seen

KNOWN = "Likely mistake:"  # how a card begins to name a mistake of the exercise's page
PERHAPS = "Perhaps:"  # and one that is known by its error alone
LOOKS = "What it looks like:"  # and one that is known by its numbers alone
PLACING = 0.5  # seconds for finding the place of a mistake, at most


@dataclass
class Verdict:
    """The outcome of a check.

    Attributes
    ----------
    outcome : "correct", "not yet", "not attempted" or "skipped"
    lines : the sentences of the card
    mistake : the id of the mistake, if it has one
    line : the line of the student's cell that it is about, from 1, if that is known
    place : the sentences on the place in the student's code, if it has been found
    """

    outcome: str
    lines: list[str] = field(default_factory=list)
    mistake: str | None = None
    line: int | None = None
    place: list[str] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """The sentence that says best what is wrong."""
        named = [line for line in self.lines if line.startswith((KNOWN, PERHAPS, LOOKS))]
        plain = [line for line in self.lines if not line.startswith("Called with ")]
        return next(iter([*named, *plain]), "")


@dataclass
class Finding:
    """What a detector has found.

    `called` says that the card tells the call and its difference before the `lines`; `unsure` that
    the name is no more than likely.
    """

    lines: list[str]
    mistake: str | None = None
    outcome: str = "not yet"
    called: bool = False
    hint: bool = False
    unsure: bool = False


def judge(exercise: Any, function: Any) -> Verdict:
    """Return the verdict on `function` as an answer to `exercise`; raise and show nothing."""
    evidence = Evidence(exercise, function, exercise.cases())
    with restored(randomness=True), muted():
        try:
            finding = next(filter(None, (detect(evidence) for detect in DETECTORS)))
            return in_words(evidence, finding)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # an object whose own methods fail, or leave
            return Verdict("not yet", ["What came back cannot be looked at: doing so raised "
                                       f"{type(error).__name__}."], "cannot-be-compared")


def in_words(evidence: Evidence, finding: Finding) -> Verdict:
    """Return a finding as a verdict, with its place in the student's code where that is found."""
    exercise, lines = evidence.exercise, [*finding.lines, *unread_version(evidence.function)]
    if not finding.called:
        return Verdict(finding.outcome, lines, finding.mistake)
    wrong = evidence.wrong
    lines[:0] = [f"Called with {describe(exercise, evidence.cases[evidence.at])}.", wrong.text]
    if finding.hint and exercise.hint:
        lines.append(f"Next: {exercise.hint}")
    verdict = Verdict(finding.outcome, lines, finding.mistake, wrong.line)
    unsure = wrong.stage == "raised" or finding.unsure or not finding.mistake
    found = _place(evidence) if unsure else None
    if found is not None:
        verdict.place, verdict.line = list(found.lines), wrong.line or found.line
    return verdict


def _place(evidence):
    """Return the place of a mistake in the student's code, or None: never an error, nor late."""
    seconds = min(PLACING, evidence.guard.seconds)
    if evidence.calls[-1].endless or seconds < 0.05:
        return None
    return Guard(seconds).call(place.find, (evidence.exercise, evidence.function, seconds)).value


# What cannot be called, or has not been written.

def skipped(evidence: Evidence) -> Finding | None:
    """Find the solution's own function."""
    if not getattr(evidence.function, "skipped_exercise", None):
        return None
    return Finding([f"This is the solution's own `{evidence.exercise.name}`. "
                    "Come back and write yours when you like."], outcome="skipped")


def not_a_function(evidence: Evidence) -> Finding | None:
    """Find what cannot be called."""
    exercise = evidence.exercise
    if callable(evidence.function):
        return None
    return Finding([f"The check got {type_of(evidence.function)}, not a function.",
                    "Hand over the function itself, without parentheses: "
                    f"`check.{exercise.attribute}({exercise.name})`."], "not-a-function")


def wrong_signature(evidence: Evidence) -> Finding | None:
    """Find a function that does not take the exercise's arguments."""
    try:
        signature = inspect.signature(evidence.function)
    except Exception:  # a built-in without a signature: try it
        return None
    try:
        for args in evidence.cases:
            signature.bind(*args)
    except TypeError:
        yours = f"`{evidence.exercise.name}({', '.join(signature.parameters)})`"
        return Finding([f"It should be {call_of(evidence.exercise)}; yours is {yours}."[:200]],
                       "wrong-signature")
    return None


def not_attempted(evidence: Evidence) -> Finding | None:
    """Find the stub."""
    exercise = evidence.exercise
    if not is_stub(evidence.calls[-1].error, evidence.function):
        return None
    return Finding([
        "The line `raise NotImplementedError` still stands there: put your code in its place. "
        f'To move on without it: `{exercise.name} = skip("{exercise.id}")`.'],
        outcome="not attempted")


# What is wrong.

def earlier_function(evidence: Evidence) -> Finding | None:
    """Find an earlier function of the student's that is wrong and decides a wrong answer."""
    exercise = evidence.exercise
    for used in exercise.uses if evidence.wrong else ():
        for other in evidence.reached(used.name):
            verdict = used.judge(other)
            if verdict.outcome not in ("not yet", "not attempted") or not _matters(
                    evidence, used, other):
                continue
            old = other is not evidence.space.get(used.name)
            calls = "still calls an older" if old else "calls your"
            return Finding([
                f"`{exercise.name}` {calls} `{used.name}`, and that one is not right yet "
                f"(exercise {used.id}).", *verdict.lines[:3],
                f"Mend `{used.name}` first, then run this check again." if not old else
                f"Run the cell again that takes `{used.name}` up, then this check."],
                f"uses-{used.id}")
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
        return not call.endless and not evidence.same(call, evidence.calls[evidence.at])
    finally:
        for table, key in places:
            table[key] = other


def notebook_data(evidence: Evidence) -> Finding | None:
    """Find a function, right or wrong, that reads the notebook's data."""
    exercise, space = evidence.exercise, evidence.space
    data = {name for name in exercise.data if isinstance(space.get(name), (np.ndarray, dict))
            or name in space and type(space[name]).__module__ == space.get("__name__")}
    name = evidence.reads(evidence.cases[0], data)
    return name and Finding([
        f"`{exercise.name}` reads the notebook's variable `{name}`: with other data it "
        "would answer for the old ones.",
        f"Take it from the arguments, {call_of(exercise)}, or compute it inside."],
        "uses-notebook-data")


def known_mistake(evidence: Evidence) -> Finding | None:
    """Find the mistake of the exercise's page that comes to the same in every case."""
    exercise, calls = evidence.exercise, evidence.calls
    if not evidence.wrong or len(calls) < len(evidence.cases):
        return None
    for mistake in exercise.mistakes:
        others = (known_call(exercise, mistake, *case) for case in enumerate(evidence.cases))
        if not all(map(evidence.same, calls, others)):
            continue
        others = [known_call(exercise, mistake, *case) for case in enumerate(evidence.cases)]
        if evidence.are_right(others) != evidence.values_right:
            continue  # right numbers of a wrong type are no mistake in the numbers
        # an error says less than values do: others come to the same one
        raised = evidence.wrong.stage == "raised"
        return Finding([f"{PERHAPS if raised else KNOWN} {mistake.message}"], mistake.id,
                       called=True, hint=raised, unsure=raised)
    return None


def known_call(exercise: Any, mistake: Any, index: int, args: tuple) -> Call:
    """Return what a known mistake comes to in a case: worked out once, it is always the same."""
    key = mistake, index
    if key not in exercise.memory:
        call = Guard().call(mistake.wrong, args, exercise.view)
        if call.endless:  # the machine was busy: it may be worked out another time
            return call
        error = call.error and call.error.with_traceback(None)
        exercise.memory[key] = Call(call.value, error)
    return exercise.memory[key]


def told_by_itself(evidence: Evidence) -> Finding | None:
    """Find an error or a wrong form that has a name."""
    wrong = evidence.wrong
    if not wrong or not wrong.mistake:
        return None
    return Finding([], wrong.mistake, called=True,
                   hint=wrong.mistake not in ("returns-none", "missing-key"))


def general_mistake(evidence: Evidence) -> Finding | None:
    """Find what all wrong parts look like beside the right ones, the same in every case."""
    if not evidence.wrong or evidence.wrong.stage != "value" or any(
            call.error for call in evidence.calls):
        return None
    found: dict[str, list] = {}
    for index in range(len(evidence.calls)):
        for name, got, right in evidence.parts(index):
            if got.shape != right.shape:
                return None
            if differ(got, right, tolerance=evidence.exercise.tolerance):
                match = looks_like(got, right, evidence.exercise.sizes(*evidence.cases[index]))
                # a factor without a name must be the same one in every case
                key = match if match and match[0] == "constant-factor" else match and match[0]
                found.setdefault(name, []).append((key, match))
    keys = {key for matches in found.values() for key, _ in matches}
    if len(keys) != 1 or None in keys:
        return None
    mistake, text = next(iter(found.values()))[0][1]
    verb, stop = "are each" if len(found) > 1 else "is", "" if text.endswith("?") else "."
    return Finding([f"{LOOKS} {_listed(found)} {verb} {text}{stop}"], mistake, called=True,
                   hint=True)


def other_each_time(evidence: Evidence) -> Finding | None:
    """Find a wrong answer that is another one in a second call.

    Not asked where a view makes the result comparable: an order by `id`, say, may change, and the
    mistake is another one.
    """
    if not evidence.wrong or evidence.wrong.stage != "value" or evidence.exercise.view or (
            evidence.again.endless or _repeats(evidence, evidence.again)):
        return None
    return Finding([
        "A second call with the same arguments gives something else. Does it draw random "
        "numbers in a way of its own, or keep something between calls?"], "not-repeatable",
        called=True, hint=True)


def _repeats(evidence, again):
    return evidence.alike(again, evidence.calls[0], evidence.wanted(0))


def unknown(evidence: Evidence) -> Finding | None:
    """Find what else can be said of a wrong answer that has no name."""
    wrong, index = evidence.wrong, evidence.at
    if not wrong:
        return None
    facts = _facts_of_values(evidence) if wrong.stage == "value" else []
    arrays = {name for name, value in evidence.space.items() if isinstance(value, np.ndarray)}
    read = wrong.stage != "raised" and evidence.reads(evidence.cases[index], arrays)
    if read:
        facts.append(f"It also reads the array `{read}` of the notebook, which is no argument.")
    changed = evidence.changed(index)
    if changed:
        facts.append(f"It also changes its argument `{changed}`.")
    return Finding(facts, called=True, hint=True)


def _facts_of_values(evidence):
    exercise, index = evidence.exercise, evidence.at
    counts = [*named_counts(evidence.wanted(index), exercise.returns[0], exercise.returns)]
    parts = [part for part in evidence.parts(index) if part[0] not in counts]
    wrong = [part for part in parts if not right_values(*part[1:], exercise.tolerance)]
    alike = [(name, likeness(got, want, exercise.sizes(*evidence.cases[index])))
             for name, got, want in wrong if want.dtype != bool and got.shape == want.shape]
    off = [f"`{name}` {text}" for name, text in alike if text]
    facts = ["It is not one of the mistakes I know" + (": " + "; ".join(off[:3]) if off else "")
             + ".", _right_parts([part[0] for part in parts], [part[0] for part in wrong])]
    return [fact for fact in [exercise.checker, *facts] if fact]


def _right_parts(names, wrong):
    """Return which of several parts of a result are right: the mistake is in the others."""
    right = [name for name in names if name not in wrong]
    if len(names) < 2 or len(names) > 8:
        return ""
    if not right:
        return "No part of it is right: begin with what is computed first."
    other = f"`{wrong[0]}` uses" if len(wrong) == 1 else "the others use"
    return (f"{_listed(right)} {'is' if len(right) == 1 else 'are'} right in this call: look at "
            f"what only {other}.")


def _listed(names):
    *first, last = [f"`{name}`" for name in names]
    return f"{', '.join(first)} and {last}" if first else last


# Side effects of a right answer.

def changed_argument(evidence: Evidence) -> Finding | None:
    """Find a right answer that changes what it has been handed."""
    changed = next(filter(None, map(evidence.changed, range(len(evidence.calls)))), None)
    if not changed:
        return None
    given = dict(zip(evidence.parameters, evidence.cases[0], strict=False))
    advice = (f"Build a new dict with new arrays: `{{name: ... for name in {changed}}}`. "
              f"`{changed}.copy()` alone is a new dict with the same arrays in it."
              if isinstance(given[changed], dict) else
              f"Work on a copy (`{changed}.copy()`), or write `a = a + b` in place of "
              "`a += b`.")
    return Finding([f"The values are right, but it changes its argument `{changed}`: what the "
                    "caller handed over is different afterwards.", advice], "changes-arguments")


def gradients_switched_off(evidence: Evidence) -> Finding | None:
    """Find a right answer after which PyTorch records nothing any more."""
    return Finding([
        "The values are right, but afterwards PyTorch records no gradients any more, in all that "
        "follows.", "Switch recording off for some lines only: `with torch.no_grad():`."],
        "gradients-left-off") if evidence.gradients_off else None


def not_repeatable(evidence: Evidence) -> Finding | None:
    """Find a right answer that another call does not give again."""
    if evidence.again.endless or _repeats(evidence, evidence.again):
        return None
    return Finding([
        "The first call was right; a second call with the same arguments gave something else.",
        "Does it keep something between calls, or draw random numbers?"], "not-repeatable")


def leaves_marks(evidence: Evidence) -> Finding | None:
    """Find a right answer that leaves something behind in the objects it gets."""
    if evidence.on_same_objects.endless or _repeats(evidence, evidence.on_same_objects) or (
            not is_repeatable(evidence)):
        return None
    names = [f"`{name}`" for name, arg in zip(evidence.parameters, evidence.cases[0], strict=False)
             if not isinstance(arg, CHANGEABLE)]
    return Finding([
        f"The first call is right; a second one with the same {' and '.join(names)} gives "
        "something else: the first has left marks there.",
        "Keep what you need in a dict or a set of your own, made anew in each call."],
        "leaves-marks")


def is_repeatable(evidence: Evidence) -> bool:
    """Whether a right function gives the same again on the same objects (training does not)."""
    exercise, args = evidence.exercise, fresh(evidence.cases[0])
    first, second = (seen(exercise.view, args, exercise.truth(*args)) for _ in range(2))
    return same_values(first, second, exercise.rounding)


def integer_input(evidence: Evidence) -> Finding | None:
    """Find a right answer that is wrong for the same numbers as integers, where these may come."""
    exercise, args = evidence.exercise, evidence.cases[0]
    cast = [name in exercise.integers and isinstance(arg, np.ndarray) and arg.dtype == np.float64
            for name, arg in zip(evidence.parameters, args, strict=False)]
    if not any(cast):
        return None
    whole = tuple(np.rint(3 * a) if c else a for a, c in zip(args, cast, strict=True))
    integer = tuple(a.astype(int) if c else a for a, c in zip(whole, cast, strict=True))
    as_float, as_int = (evidence.call(a, viewed=False) for a in (whole, integer))
    if as_float.error is not None or as_int.endless or as_int.error is None and evidence.alike(
            as_int, as_float, exercise.truth(*fresh(whole)), 100 * exercise.tolerance):
        return None
    return Finding([
        "Right for floats, but the same numbers as integers give another answer.",
        "An array of integers cuts off decimals, and so does one made from it by `.copy()` or "
        "`np.zeros_like`: work with `a.astype(float)`."], "integer-input")


def correct(evidence: Evidence) -> Finding:
    """Find nothing wrong."""
    unlocks = evidence.exercise.unlocks
    return Finding([unlocks] if unlocks else [], outcome="correct")


DETECTORS: tuple[Callable[[Evidence], Finding | None], ...] = (
    skipped, not_a_function, wrong_signature, not_attempted,
    earlier_function, notebook_data, known_mistake, told_by_itself, general_mistake,
    other_each_time, unknown,
    changed_argument, gradients_switched_off, not_repeatable, leaves_marks, integer_input,
    correct)
