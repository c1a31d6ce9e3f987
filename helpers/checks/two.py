"""Two mistakes at once: two known ones, or one and a sign, a factor or places exchanged."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

from helpers.checks import catalogue
from helpers.checks.compare import listed, right_values
from helpers.checks.gradient_report import looks_like
from helpers.checks.sandbox import Guard

TRIES, SECONDS = 700, 0.5  # pairs that are tried, and of computing in each search, at most


def find(evidence: Any, known_call: Callable) -> tuple[list[str], str] | None:
    """Return sentences and id where two mistakes come to the same as an answer; or None.

    `known_call` works out what one comes to in a case.
    """
    calls, exercise = evidence.calls, evidence.exercise
    if evidence.wrong.stage in ("type", "raised") or len(calls) < len(evidence.cases):
        return None
    rows = [evidence.parts(case) for case in range(len(calls))]
    moved = not any(call.error for call in calls) and exchanged(evidence, rows)
    if moved:
        return [f"All values are right, but not in their places: {moved[1]}"], moved[0]
    guard, stop = Guard(), time.thread_time() + SECONDS
    quickest = sorted(range(len(calls)), key=lambda case: calls[case].seconds)
    for one, other in itertools.islice(_pairs(evidence, known_call), TRIES):
        if time.thread_time() > stop:
            break
        both = catalogue.both(exercise.id, exercise.name, one, other)
        if both and all(evidence.same(case, calls[case], guard.call(
                both, evidence.cases[case], exercise.view)) for case in quickest):
            return [f"Two things at once, it seems: {one.message}",
                    f"And apart from that: {other.message}"], "two-mistakes"
    return None if any(call.error for call in calls) else _besides(evidence, rows, known_call)


def _besides(evidence, rows, known_call):
    """Say which known mistake it is but for places, a sign or a factor that has a name."""
    stop, exercise = time.thread_time() + SECONDS, evidence.exercise
    row, sizes = rows[evidence.at], exercise.sizes(*evidence.cases[evidence.at])
    wrong = _wrong(row, exercise.rounding)
    simple = [got.shape == want.shape and looks_like(got, want, sizes) for name, got, want in row
              if name in wrong]
    if all(simple) or any(match and match[0] == "constant-factor" for match in simple):
        return None  # that is said of each part
    for mistake in itertools.takewhile(lambda _: time.thread_time() < stop, exercise.mistakes):
        known = [known_call(exercise, mistake, *case) for case in enumerate(evidence.cases)]
        theirs = [evidence.parts(*case) for case in enumerate(known)]
        if any(call.error for call in known) or [*map(len, rows)] != [*map(len, theirs)] or not (
                _wrong(theirs[evidence.at], exercise.rounding) <= wrong):
            continue
        beside = [[(*mine[:2], other[1]) for mine, other in zip(*pair, strict=True)]
                  for pair in zip(rows, theirs, strict=True)]
        key, found = exchanged(evidence, beside) or alike(evidence, beside) or ("", "")
        if found and key not in ("nearly-right", "all-zero", "constant-factor"):
            found = found.replace("the right one", "what that gives")
            return [f"Two things at once, it seems: {mistake.message}",
                    f"And on top of that: {found}"], "two-mistakes"
    return None


def exchanged(evidence: Any, rows: list[list[tuple]]) -> tuple[str, str] | None:
    """Return id and sentence of what parts stand in each other's places, if that is all, or None.

    `rows` are for each case the parts: (name, got, wanted).
    """
    orders = {tuple(next((j for j in (i, *range(len(row)))
                          if right_values(got, row[j][2], evidence.exercise.rounding)), -1)
                    for i, (_, got, _) in enumerate(row)) for row in rows}
    order = orders.pop()
    if orders or sorted(order) != list(range(len(order))) or list(order) == sorted(order):
        return None
    moved = [f"`{rows[0][i][0]}` holds what belongs in `{rows[0][j][0]}`"
             for i, j in enumerate(order) if i != j]
    return "parts-exchanged", f"{'; '.join(moved[:4])}."


def alike(evidence: Any, rows: list[list[tuple]]) -> tuple[str, str] | None:
    """Return id and sentence of what all wrong parts look like, the same in every case, or None."""
    exercise, found = evidence.exercise, {}
    for case, row in enumerate(rows):
        for name, got, want in row:
            if not right_values(got, want, exercise.tolerance):
                match = got.shape == want.shape and looks_like(
                    got, want, exercise.sizes(*evidence.cases[case]))
                # a factor without a name must be the same one in every case
                key = match and (match if match[0] == "constant-factor" else match[0])
                found.setdefault(key, []).append((name, match))
    if len(found) != 1 or not all(found):
        return None
    mistake, text = [*found.values()][0][0][1]
    names = [name for name, *_ in rows[evidence.at] if name in dict([*found.values()][0])]
    verb, stop = "are each" if names[1:] else "is", "" if text.endswith("?") else "."
    return mistake, f"{listed(names[:6])}{' and so on' * (len(names) > 6)} {verb} {text}{stop}"


def _pairs(evidence, known_call) -> Iterator[tuple]:
    """Yield pairs of known mistakes that between them reach just the parts that are wrong."""
    index, rounding, each = evidence.at, evidence.exercise.rounding, {}
    wrong, own = _wrong(evidence.parts(index), rounding), evidence.parts(index)
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
