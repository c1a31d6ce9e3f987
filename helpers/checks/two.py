"""Two mistakes at once: two known ones, or right parts in wrong places."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from helpers.checks import catalogue
from helpers.checks.compare import right_values
from helpers.checks.sandbox import Guard

TRIES, SECONDS = 700, 0.5  # pairs that are tried, and of computing, at most


def find(evidence: Any, known_call: Callable) -> tuple[list[str], str] | None:
    """Return sentences and id where two mistakes at once come to the same in every case, or None.

    `known_call` works out what a known mistake comes to in a case.
    """
    calls, exercise = evidence.calls, evidence.exercise
    if evidence.wrong.stage in ("type", "raised") or len(calls) < len(evidence.cases):
        return None
    moved = None if any(call.error for call in calls) else _exchanged(evidence)
    if moved:
        return [moved], "parts-exchanged"
    guard, stop = Guard(), time.thread_time() + SECONDS
    quickest = sorted(range(len(calls)), key=lambda case: calls[case].seconds)
    for one, other in itertools.islice(_pairs(evidence, known_call), TRIES):
        if time.thread_time() > stop:
            return None
        both = catalogue.both(exercise.id, exercise.name, one, other)
        if both and all(evidence.same(case, calls[case], guard.call(
                both, evidence.cases[case], exercise.view)) for case in quickest):
            return [f"Two things at once, it seems: {one.message}",
                    f"And apart from that: {other.message}"], "two-mistakes"
    return None


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


def _pairs(evidence, known_call) -> Iterator[tuple]:
    """Yield pairs of known mistakes that between them reach just the parts that are wrong."""
    index, rounding, each = evidence.at, evidence.exercise.rounding, {}
    own = evidence.parts(index)
    wrong = _wrong(own, rounding)
    shapes = {name: (got.shape, want.shape) for name, got, want in own}
    for mistake in evidence.exercise.mistakes:
        call = known_call(evidence.exercise, mistake, index, evidence.cases[index])
        parts = [] if call.error else evidence.parts(index, call)
        changed = _wrong(parts, rounding)
        if parts and changed <= wrong and all(
                got.shape in shapes.get(name, ()) for name, got, _ in parts):
            outcome = b"".join((got + 0.0).round(6).tobytes() for _, got, _ in parts)
            # what shows in other cases only may be any of its edits
            each.setdefault((mistake.id, outcome if changed else mistake.source),
                            (mistake, changed))
    yield from ((one, other) for (one, a), (other, b) in itertools.combinations(each.values(), 2)
                if one.id != other.id and a | b == wrong)


def _wrong(parts, rounding):
    return frozenset(name for name, got, want in parts if not right_values(got, want, rounding))
