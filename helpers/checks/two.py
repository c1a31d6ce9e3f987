"""Two mistakes at once: a known one and a factor, two known ones, right parts in wrong places."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from helpers.checks import catalogue
from helpers.checks.compare import right_values
from helpers.checks.gradient_report import looks_like
from helpers.checks.sandbox import Guard

TWO = "Two things at once, it seems:"  # how a card begins to name them
UNCLEAR = {None, "constant-factor", "minus-constant-factor", "all-zero", "nearly-right"}
VARIANTS = 3  # of a known mistake, that are tried together with others


def find(evidence: Any, known_call: Callable,
         seconds: float = 0.4) -> tuple[list[str], str] | None:
    """Return sentences and id where two mistakes at once come to the same in every case, or None.

    `known_call` works out what a known mistake comes to in a case.
    """
    if evidence.wrong.stage not in ("value", "finite", "shape") or any(
            call.error for call in evidence.calls):
        return None
    moved, exercise = _exchanged(evidence), evidence.exercise
    if moved:
        return [moved], "parts-exchanged"
    sizes = exercise.sizes(*evidence.cases[evidence.at])
    if all(right_values(got, want, exercise.rounding) or got.shape == want.shape and looks_like(
            got, want, sizes) for _, got, want in evidence.parts(evidence.at)):
        return None  # what each part looks like says more
    pair = _together(evidence, known_call, seconds) or _with_a_factor(evidence, known_call)
    return pair and ([f"{TWO} {pair[0]}", f"And apart from that: {pair[1]}"], "two-mistakes")


def _exchanged(evidence):
    """Say which parts of a result stand in each other's places, if nothing else is wrong."""
    rows, rounding = [*map(evidence.parts, range(len(evidence.calls)))], evidence.exercise.rounding
    orders = {tuple(next((j for j in (i, *range(len(row)))
                          if right_values(got, row[j][2], rounding)), -1)
                    for i, (_, got, _) in enumerate(row)) for row in rows}
    order = orders.pop()
    if orders or sorted(order) != list(range(len(order))) or list(order) == sorted(order):
        return None
    names = [name for name, *_ in rows[0]]
    moved = [f"`{names[i]}` holds what belongs in `{names[j]}`"
             for i, j in enumerate(order) if i != j]
    return f"All values are right, but not in their places: {'; '.join(moved[:4])}."


def _with_a_factor(evidence, known_call):
    """Return the messages of a known mistake and of a factor or a turn of what it comes to."""
    for mistake in evidence.exercise.mistakes:
        found = {}
        for index, args in enumerate(evidence.cases):
            call = known_call(evidence.exercise, mistake, index, args)
            mine, its = evidence.parts(index), [] if call.error else evidence.parts(index, call)
            if len(mine) != len(its):
                break
            for (name, got, _), (_, other, _) in zip(mine, its, strict=True):
                if not right_values(got, other, evidence.exercise.rounding):
                    match = got.shape == other.shape and looks_like(
                        got, other, evidence.exercise.sizes(*args)) or (None, "")
                    found.setdefault(match[0], f"`{name}` is {match[1]}.")
        else:
            if len(found) == 1 and not found.keys() & UNCLEAR:
                return mistake.message, found.popitem()[1].replace("the right one",
                                                                   "what that gives")
    return None


def _together(evidence, known_call, seconds):
    """Return the messages of two known mistakes whose edits, made both, do what was done."""
    exercise, guard, stop = evidence.exercise, Guard(), time.thread_time() + seconds
    for one, other in _pairs(evidence, known_call):
        if time.thread_time() > stop:
            return None
        both = catalogue.both(exercise.id, exercise.name, one, other)
        if both and all(evidence.same(call, guard.call(both, args, exercise.view))
                        for call, args in zip(evidence.calls, evidence.cases, strict=True)):
            return one.message, other.message
    return None


def _pairs(evidence, known_call) -> Iterator[tuple]:
    """Yield pairs of known mistakes that between them reach just the parts that are wrong."""
    index, right = evidence.at, evidence.exercise.rounding
    case, wrong, reach = evidence.cases[index], _wrong(evidence.parts(index), right), {}
    for mistake in evidence.exercise.mistakes:
        call = known_call(evidence.exercise, mistake, index, case)
        parts = [] if call.error else evidence.parts(index, call)
        changed = _wrong(parts, right)
        if parts and changed <= wrong:
            outcome = [f"{np.cos(np.arange(got.size)) @ got.ravel():.8e}" for _, got, _ in parts]
            reach.setdefault(mistake.id, {}).setdefault(str(outcome), (mistake, changed))
    rounds = itertools.zip_longest(*(variants.values() for variants in reach.values()))
    each = [found for row in itertools.islice(rounds, VARIANTS) for found in row if found]
    yield from ((one, other) for k, (other, b) in enumerate(each) for one, a in each[:k]
                if one.id != other.id and a | b == wrong)


def _wrong(parts, rounding):
    return {name for name, got, want in parts if not right_values(got, want, rounding)}
