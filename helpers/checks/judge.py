"""Judge a function: is it right, and if not, which mistake is it?"""

from __future__ import annotations

import inspect
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers.checks.compare import differ, leaves, named_counts, same_values, type_of
from helpers.checks.explain import explain, same_error
from helpers.checks.gradient_report import likeness, looks_like
from helpers.checks.sandbox import CHANGEABLE, Call, Guard, fresh, muted, restored, seen

KNOWN = "Likely mistake:"  # how a card begins to name a mistake of the exercise's table
PERHAPS = "Perhaps:"  # and one that is known by its error alone


@dataclass
class Verdict:
    """The outcome of a check, the lines that say it, and the id of the mistake if it has one."""

    outcome: str  # "correct", "not yet", "not attempted" or "skipped"
    lines: list[str] = field(default_factory=list)
    mistake: str | None = None


def judge(exercise, function: Any) -> Verdict:
    """Return the verdict on `function` as an answer to `exercise`; raise and show nothing."""
    with restored(randomness=True):
        return _judge(exercise, function)


def _judge(exercise, function):
    if getattr(function, "skipped_exercise", None):
        return Verdict("skipped", [f"This is the solution's own `{exercise.name}`. "
                                   "Come back and write yours when you like."])
    cases = exercise.cases()
    misused = _misused(exercise, function, cases)
    if misused:
        return misused
    guard = Guard()
    calls = []
    for args in cases:
        calls.append(guard.call(function, args, exercise.view))
        if _stub(calls[-1].error, function):
            return _not_attempted(exercise)
        if calls[-1].endless:
            break
    try:
        with muted():
            return _verdict(exercise, function, cases, calls, guard)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an object whose own methods fail, or leave
        return Verdict("not yet", ["What came back cannot be looked at: doing so raised "
                                   f"{type(error).__name__}."], "cannot-be-compared")


def _verdict(exercise, function, cases, calls, guard):
    wrong = _first_wrong(exercise, function, cases, calls)
    return (_blames_another(exercise, function, cases, calls, wrong)
            or _blames_a_table(exercise, function, cases, calls, wrong)
            or _needs_notebook_data(exercise, function, cases[0], guard)
            or (wrong and _not_yet(exercise, function, cases, calls, *wrong))
            or _bad_manners(exercise, function, cases, calls, guard)
            or Verdict("correct", [exercise.unlocks] if exercise.unlocks else []))


def _misused(exercise, function, cases):
    """Return a verdict on what cannot be called with the exercise's arguments at all."""
    name = exercise.name
    if not callable(function):
        return Verdict("not yet", [
            f"The check got {type_of(function)}, not a function.",
            f"Hand over the function itself, without parentheses: `check.{exercise.attribute}"
            f"({name})`."], "not-a-function")
    try:
        signature = inspect.signature(function)
    except Exception:  # a built-in without a signature: try it
        return None
    try:
        for args in cases:
            signature.bind(*args)
    except TypeError:
        yours = f"`{name}({', '.join(signature.parameters)})`"
        return Verdict("not yet", [f"It should be {_call_of(exercise)}; yours is {yours}."[:200]],
                       "wrong-signature")
    return None


def _stub(error, function) -> bool:
    """Whether it is the function's own NotImplementedError (not one of a function it calls)."""
    if not isinstance(error, NotImplementedError) or "not implemented for" in str(error):
        return False  # PyTorch says so of dtypes
    frames = list(traceback.walk_tb(error.__traceback__))
    return bool(frames) and frames[-1][0].f_code is getattr(
        inspect.unwrap(function), "__code__", None)


def _not_attempted(exercise):
    return Verdict("not attempted", [
        "The line `raise NotImplementedError` still stands there: put your code in its place. "
        f'To move on without it: `{exercise.name} = skip("{exercise.id}")`.'])


def _first_wrong(exercise, function, cases, calls):
    """Return (index, Difference) of the first call that is not what was wanted, or None."""
    for index, (args, call) in enumerate(zip(cases, calls, strict=False)):
        if call.error is not None:
            return index, explain(exercise.name, function, call.error, ended=index > 0)
        want = _wanted(exercise, args)
        difference = differ(call.value, want, exercise.returns[0], exercise.returns,
                            exercise.tolerance)
        if difference:
            return index, difference
    return None


def _wanted(exercise, args):
    """Return the right answer, seen as the student's is."""
    args = fresh(args)
    return seen(exercise.view, args, exercise.truth(*args))


def _blames_another(exercise, function, cases, calls, wrong):
    """Return a verdict that names an earlier function of the student's, if that one is wrong."""
    if not wrong:
        return None
    space = getattr(function, "__globals__", {})
    for used in exercise.uses:
        other = space.get(used.name)
        if other is not None and _comes_to(function, other):
            verdict = judge(used, other)
            if verdict.outcome in ("not yet", "not attempted") and _matters(
                    exercise, function, used, other, cases[wrong[0]], calls[wrong[0]]):
                return Verdict("not yet", [
                    f"`{exercise.name}` calls your `{used.name}`, and that one is not right yet "
                    f"(exercise {used.id}).", *verdict.lines[:3],
                    f"Mend `{used.name}` first, then run this check again."],
                    f"uses-{used.id}")
    return None


def _blames_a_table(exercise, function, cases, calls, wrong):
    """Return a verdict that names a wrong entry in a table of functions of the notebook."""
    space = getattr(function, "__globals__", {})
    error = calls[wrong[0]].error if wrong else None
    for name, entries in exercise.tables.items() if wrong else ():
        table = space.get(name)
        if isinstance(error, NameError) and error.name == name:
            return Verdict("not yet", [f"The table `{name}` is not there yet: run its cell above, "
                                       "then this check again."], "table-not-run")
        for key, part in entries.items() if type(table) is dict else ():
            other = table.get(key)
            if other is part.truth or judge(part, other).outcome == "correct":
                continue
            before = dict(table)
            try:
                table[key] = part.truth
                changes = not _same(Guard().call(function, cases[wrong[0]], exercise.view),
                                    calls[wrong[0]], exercise)
            finally:
                table.clear()
                table.update(before)
            if changes:
                return Verdict("not yet", [
                    f"What stands at `{name}[\"{key}\"]` is no right `{part.name}`: another "
                    "function, or an older one.",
                    f"Look at the table `{name}` and run its cell again, then this check."],
                    "table-entry-wrong")
    return None


def _comes_to(function, other) -> bool:
    """Whether `function` calls `other`: itself, or by way of what else it uses of its notebook."""
    waiting, known = [function], set()
    while waiting:
        thing = waiting.pop()
        if thing is other:
            return True
        if id(thing) in known:
            continue
        known.add(id(thing))
        if isinstance(thing, types.FunctionType) and (
                thing.__globals__ is function.__globals__
                or str(thing.__globals__.get("__name__")).startswith("notebook ")):
            names = _names_in(thing.__code__)
            waiting += [thing.__globals__[name] for name in names if name in thing.__globals__]
        elif isinstance(thing, type):
            waiting += [*thing.__bases__, *vars(thing).values()]
        elif type(thing) is dict:  # a table of functions
            waiting += thing.values()
    return False


def _matters(exercise, function, used, other, args, call) -> bool:
    """Whether a wrong answer changes once `other` is replaced by a right function, for one call."""
    space = function.__globals__
    tables = [space, *(value for value in space.values() if type(value) is dict)]
    places = [(table, key) for table in tables for key, value in table.items() if value is other]
    try:
        for table, key in places:
            table[key] = used.truth
        return not _same(Guard().call(function, args, exercise.view), call, exercise)
    finally:
        for table, key in places:
            table[key] = other


def _names_in(code):
    """Return the names that a piece of code uses, those in its inner functions included."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*map(_names_in, inner))


def _needs_notebook_data(exercise, function, args, guard):
    """Return a verdict on a function that reads the data of the notebook."""
    space = getattr(function, "__globals__", {})
    data = {name for name in exercise.data if isinstance(space.get(name), (np.ndarray, dict))
            or name in space and type(space[name]).__module__ == space.get("__name__")}
    name = _reads(function, args, guard, data)
    if name is None:
        return None
    return Verdict("not yet", [
        f"`{exercise.name}` reads the notebook's variable `{name}`: with other data it "
        "would answer for the old ones.",
        f"Take it from the arguments, {_call_of(exercise)}, or compute it inside."],
        "uses-notebook-data")


def _reads(function, args, guard, data):
    """Return which of the notebook's `data` a call reads, by calling a copy that has none."""
    if not isinstance(function, types.FunctionType) or not data:
        return None
    space = function.__globals__
    blind = types.FunctionType(
        function.__code__, {k: v for k, v in space.items() if k not in data},
        function.__name__, function.__defaults__, function.__closure__)
    blind.__kwdefaults__ = function.__kwdefaults__
    error = guard.call(blind, args).error
    return error.name if isinstance(error, NameError) and error.name in data else None


def _not_yet(exercise, function, cases, calls, index, difference):
    lines = [f"Called with {describe(exercise, cases[index])}.", difference.text]
    mistake, message = _name(exercise, cases, calls, difference)
    if not mistake and difference.stage == "value" and _changes_its_mind(
            exercise, function, cases[0], calls[0]):
        mistake, message = "not-repeatable", (
            "A second call with the same arguments gives something else. Does it draw random "
            "numbers in a way of its own, or keep something between calls?")
    if message:
        lines.append(message)
    if not mistake:
        lines += _other_facts(exercise, function, cases, calls, index, difference)
    if exercise.hint and not message.startswith(KNOWN) and (
            mistake not in ("returns-none", "missing-key")):
        lines.append(f"Next: {exercise.hint}")
    return Verdict("not yet", lines, mistake)


def _changes_its_mind(exercise, function, args, call):
    """Whether a second call comes to something else than the first one did.

    Not asked where a view makes the result comparable: an order by `id`, say, may change, and the
    mistake is another one.
    """
    if exercise.view is not None:
        return False
    again = Guard().call(function, args, exercise.view)
    return not again.endless and not _repeats(exercise, args, again, call)


def _repeats(exercise, args, again, call, rounding=None):
    """Whether two calls came to the same, in what is wanted of them; other things play no part."""
    rounding = exercise.rounding if rounding is None else rounding
    if again.error is not None or call.error is not None:
        return same_error(again.error, call.error)
    want = _wanted(exercise, args)
    one, two = ([got for _, got, _ in leaves(value, want, exercise.returns[0], exercise.returns)]
                for value in (again.value, call.value))
    return all(same_values(a, b, rounding) or (  # text, objects: nothing can be said of them
        a.dtype == b.dtype and a.shape == b.shape and a.dtype.kind not in "biuf")
        for a, b in zip(one, two, strict=True))


def _name(exercise, cases, calls, difference):
    """Return (id, sentence) of the mistake: a known one, else a general one, else (None, '')."""
    if len(calls) == len(cases):
        for mistake in exercise.mistakes:
            if all(_same(call, _known(exercise, mistake, index, args), exercise)
                   for index, (args, call) in enumerate(zip(cases, calls, strict=True))):
                # an error says less than values do: others come to the same one
                word = KNOWN if difference.stage != "raised" else PERHAPS
                return mistake.id, f"{word} {mistake.message}"
    if difference.mistake or difference.stage != "value":
        return difference.mistake, ""
    return _general(exercise, cases, calls)


def _known(exercise, mistake, index, args) -> Call:
    """Return what a known mistake comes to in a case: worked out once, it is always the same."""
    key = mistake, index
    if key not in exercise.memory:
        call = Guard().call(mistake.wrong, args, exercise.view)
        if call.endless:  # the machine was busy: it may be worked out another time
            return call
        error = call.error and call.error.with_traceback(None)
        exercise.memory[key] = Call(call.value, error)
    return exercise.memory[key]


def _same(call: Call, other: Call, exercise) -> bool:
    """Whether two calls came to the same: the same error, or the same values to rounding."""
    if call.error is not None or other.error is not None:
        return same_error(call.error, other.error)
    if isinstance(call.value, list) and isinstance(other.value, np.ndarray) or (
            isinstance(call.value, np.ndarray) and isinstance(other.value, (tuple, list))):
        return False
    return same_values(call.value, other.value, exercise.rounding)


def _general(exercise, cases, calls):
    if any(call.error for call in calls):
        return None, ""
    found = {}
    for args, call in zip(cases, calls, strict=True):
        want = _wanted(exercise, args)
        for name, got, right in leaves(call.value, want, exercise.returns[0], exercise.returns):
            if got.shape != right.shape:
                return None, ""
            if differ(got, right, tolerance=exercise.tolerance):
                match = looks_like(got, right, exercise.sizes(*args))
                # a factor without a name must be the same one in every case
                key = match if match and match[0] == "constant-factor" else match and match[0]
                found.setdefault(name, []).append((key, match))
    names = list(found)
    keys = {key for matches in found.values() for key, _ in matches}
    if len(keys) == 1 and None not in keys:
        which = " and ".join(filter(None, [", ".join(f"`{n}`" for n in names[:-1]),
                                           f"`{names[-1]}`"]))
        verb = "are each" if len(names) > 1 else "is"
        match_id, text = found[names[0]][0][1]
        stop = "" if text.endswith("?") else "."
        return match_id, f"What it looks like: {which} {verb} {text}{stop}"
    return None, ""


def _other_facts(exercise, function, cases, calls, index, difference):
    """Return what else can be said of values that no known mistake explains."""
    facts = []
    if difference.stage == "value":
        want = _wanted(exercise, cases[index])
        counts = [*named_counts(want, exercise.returns[0], exercise.returns)]
        parts = [part for part in leaves(calls[index].value, want, exercise.returns[0],
                                         exercise.returns) if part[0] not in counts]
        wrong = [(n, g, w) for n, g, w in parts
                 if g.shape != w.shape or differ(g, w, tolerance=exercise.tolerance)]
        alike = [(n, likeness(g, w, exercise.sizes(*cases[index]))) for n, g, w in wrong
                 if w.dtype != bool and g.shape == w.shape]
        off = [f"`{name}` {text}" for name, text in alike if text]
        facts.append("It is not one of the mistakes I know"
                     + (": " + "; ".join(off[:3]) if off else "") + ".")
        facts.append(_right_parts([n for n, _, _ in parts], [n for n, _, _ in wrong]))
    arrays = {name for name, value in getattr(function, "__globals__", {}).items()
              if isinstance(value, np.ndarray)}
    read = None if difference.stage == "raised" else _reads(
        function, cases[index], Guard(), arrays)
    if read:
        facts.append(f"It also reads the array `{read}` of the notebook, which is no argument.")
    changed = _changed(exercise, cases[index], calls[index])
    if changed:
        facts.append(f"It also changes its argument `{changed}`.")
    return [fact for fact in facts if fact]


def _right_parts(names, wrong):
    """Return which of several parts of a result are right: the mistake is in the others."""
    right = [f"`{name}`" for name in names if name not in wrong]
    if len(names) < 2 or len(names) > 8:
        return ""
    if not right:
        return "No part of it is right: begin with what is computed first."
    which = right[0] if len(right) == 1 else f"{', '.join(right[:-1])} and {right[-1]}"
    other = f"`{wrong[0]}` uses" if len(wrong) == 1 else "the others use"
    return (f"{which} {'is' if len(right) == 1 else 'are'} right in this call: look at what only "
            f"{other}.")


def _bad_manners(exercise, function, cases, calls, guard):
    """Return a verdict on a right answer that has a side effect, or None."""
    for args, call in zip(cases, calls, strict=True):
        changed = _changed(exercise, args, call)
        if changed:
            given = dict(zip(inspect.signature(exercise.truth).parameters, args, strict=False))
            advice = (f"Build a new dict with new arrays: `{{name: ... for name in {changed}}}`. "
                      f"`{changed}.copy()` alone is a new dict with the same arrays in it."
                      if isinstance(given[changed], dict) else
                      f"Work on a copy (`{changed}.copy()`), or write `a = a + b` in place of "
                      "`a += b`.")
            return Verdict("not yet", [
                f"The values are right, but it changes its argument `{changed}`: what the caller "
                "handed over is different afterwards.", advice], "changes-arguments")
    again = guard.call(function, cases[0], exercise.view)
    if not again.endless and not _repeats(exercise, cases[0], again, calls[0]):
        return Verdict("not yet", [
            "The first call was right; a second call with the same arguments gave something else.",
            "Does it keep something between calls, or draw random numbers?"], "not-repeatable")
    once_more = guard.call(function, cases[0], exercise.view, left=calls[0].args)
    if not once_more.endless and not _repeats(exercise, cases[0], once_more, calls[0]) and (
            _leaves_no_marks(exercise, cases[0])):
        names = [f"`{n}`" for n, a in zip(inspect.signature(exercise.truth).parameters, cases[0],
                                          strict=False) if not isinstance(a, CHANGEABLE)]
        return Verdict("not yet", [
            f"The first call is right; a second one with the same {' and '.join(names)} gives "
            "something else: the first has left marks there.",
            "Keep what you need in a dict or a set of your own, made anew in each call."],
            "leaves-marks")
    names = inspect.signature(exercise.truth).parameters
    chosen = names if exercise.integers is None else exercise.integers
    cast = [n in chosen and _floats(a) for n, a in zip(names, cases[0], strict=False)]
    whole = tuple(np.rint(3 * a) if c else a for a, c in zip(cases[0], cast, strict=True))
    integer = tuple(a.astype(int) if c else a for a, c in zip(whole, cast, strict=True))
    as_float, as_int = guard.call(function, whole), guard.call(function, integer)
    if not any(cast) or as_float.error is not None or as_int.endless:
        return None
    if as_int.error is not None or not _repeats(
            exercise, whole, as_int, as_float, 100 * exercise.tolerance):
        return Verdict("not yet", [
            "Right for floats, but the same numbers as integers give another answer.",
            "An array of integers cuts off decimals, and so does one made from it by `.copy()` or "
            "`np.zeros_like`: work with `a.astype(float)`."], "integer-input")
    return None


def _leaves_no_marks(exercise, args) -> bool:
    """Whether a right function gives the same again on the same objects (training does not)."""
    args = fresh(args)
    first, second = (seen(exercise.view, args, exercise.truth(*args)) for _ in range(2))
    return same_values(first, second, exercise.rounding)


def _floats(value):
    return isinstance(value, np.ndarray) and value.dtype == np.float64


def _changed(exercise, before, call):
    names = inspect.signature(exercise.truth).parameters
    return next((name for name, old, new in zip(names, before, call.args, strict=False)
                 if isinstance(old, (np.ndarray, dict)) and not same_values(old, new, 0.0)), None)


def _call_of(exercise) -> str:
    parameters = inspect.signature(exercise.truth).parameters.values()
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    return f"`{exercise.name}({', '.join(map(str, plain))})`"


def describe(exercise, args: tuple) -> str:
    """Return the arguments in words: small ones in full, others by their shapes.

    Where that makes more than two or three lines, numbers in full and the others by their names.
    """
    named = list(zip(inspect.signature(exercise.truth).parameters, args, strict=False))
    words = ", ".join(f"`{n}` {_brief(a)}" for n, a in named)
    return words if len(words) <= 240 else ", ".join(
        f"`{n}` {_brief(a)}" if isinstance(a, (int, float)) else f"`{n}`" for n, a in named)


def _brief(value):
    words = getattr(value, "in_words", None)
    if isinstance(words, str):
        return f"= {words}"
    if isinstance(value, np.ndarray):
        small = value.size <= (8 if value.dtype.kind in "iu" else 4) and value.ndim <= 1
        return f"= {np.array2string(value, precision=4)}" if small else f"of shape {value.shape}"
    if isinstance(value, Callable):
        words = (value.__doc__ or value.__name__).strip().rstrip(".")
        return f"= {words.replace('The ', 'the ', 1) if words.startswith('The ') else words}"
    if isinstance(value, dict):
        return "with " + ", ".join(f"{k} {np.shape(v) or 'a number'}" for k, v in value.items())
    if isinstance(value, np.random.Generator):
        return "= np.random.default_rng(...)"
    if hasattr(value, "shape"):
        return f"of shape {tuple(value.shape)}"
    return f"= {value:g}" if isinstance(value, float) else f"= {value}"
