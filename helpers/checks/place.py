"""Find the place of a mistake: the line of the student's own where one change makes all right."""

from __future__ import annotations

import functools
import linecache
import time
from collections import namedtuple
from collections.abc import Callable, Iterator

import numpy as np

from helpers.checks import catalogue
from helpers.checks.changes import edits, equal, graft
from helpers.checks.compare import differ, leaves, listed, right_values
from helpers.checks.evidence import names_in, right_answer
from helpers.checks.gradient_report import looks_like
from helpers.checks.instrument import Cut, Program, Spot, snapshot
from helpers.checks.sandbox import Guard, fresh, restored, seen

OUTSIDE = {"open", "input", "exec", "eval", "os", "shutil", "Path", "subprocess", "sys",
           "locals", "globals", "vars"}
SURE, UNSURE, NEVER = range(3)  # how much a value of the reference's in the place of a spot proves
Place = namedtuple("Place", "line lines")  # of a mistake: its line in the cell, what to say of it
_Quantity = namedtuple("_Quantity", "name values spot")  # of the reference's, in a wrong case


def find(exercise, function: Callable, seconds: float = 0.5, first: int = 0) -> Place | None:
    """Return the first place in a wrong function where one change makes every case right, or None.

    A change is a value of the reference answer's in place of one expression, or a small edit of it;
    else one that makes some parts right. `first` is the number of a wrong case. It never raises,
    takes no longer than `seconds` of computing, twice that in all, and leaves nothing behind.
    """
    code = getattr(function, "__code__", None)
    if code is None or OUTSIDE & names_in(code):
        return None
    stop = time.thread_time() + 0.9 * seconds
    with restored(randomness=True):
        return Guard(2 * seconds).call(
            lambda: _Search(exercise, function, stop).place(first), ()).value


@functools.cache
def _reference(exercise_id, name):
    """Return the program of an exercise's reference answer, or None."""
    found = catalogue.reference(exercise_id, name)
    return found and Program(found[1][name])


class _Search:
    """The search for a place in one function.

    `mine` and `theirs` are the programs of student and reference, `first` is a wrong case, `known`
    says which of the reference's `quantities` a spot is there (True: an argument, a whole number),
    and `begins` are spots that come to something unknown though what goes into them is known.
    """

    def __init__(self, exercise, function, stop):
        self.exercise, self.stop, self.cases = exercise, stop, exercise.cases()
        self.mine, self.theirs = Program(function), _reference(exercise.id, exercise.name)
        self.their_values, self.limit = functools.cache(self.their_values), 10**6

    def place(self, first) -> Place | None:
        began, cases = time.thread_time(), sorted(range(len(self.cases)), key=lambda n: n != first)
        before, halves = {case: self.wrong(case) for case in cases}, []
        self.first = next((case for case in cases if before[case]), None)
        if self.first is None:
            return None
        self.wrong(self.first, record=True)
        self.failed, self.limit = self.mine.failed, 2 * self.mine.steps + 2000
        self.quantities = list(self.their_quantities())
        given = [snapshot(argument) for argument in self.cases[self.first]]
        self.arguments = given + [v for a in given if isinstance(a, dict) for v in a.values()]
        self.known, reached = {}, self.mine.reached
        for spot in reached:
            self.known[spot] = self.known_as(spot)
        self.begins = [spot for spot in reached if not self.known[spot] and self.is_fed(spot)]
        slow = time.thread_time() - began
        for change in self.changes():
            if time.thread_time() + slow > self.stop:
                break
            left = set()
            for case in cases:
                now = self.wrong(case, change)
                left |= now
                if now and not now < before[case]:
                    break
            else:
                if not left:
                    return _worded(self, change)
                right = before[self.first] - left - {None}
                halves += [(change, right)] if right and self.proof(change[0]) == SURE else []
        half = min(halves, key=lambda half: reached.index(half[0][0]), default=None)
        return _worded(self, *half) if half and half[0][0] in self.begins else None

    def wrong(self, case, change=None, record=False):
        """Return the names of the parts of a result that are wrong; `None` where it raises."""
        exercise, args = self.exercise, fresh(self.cases[case])
        made = {change[0].number: change[1](case)} if change else {}
        want, names = right_answer(exercise, case, self.cases[case]), exercise.returns
        try:
            value = seen(exercise.view, args, self.mine.call(args, made, self.limit, record))
            if not differ(value, want, names[0], names, exercise.tolerance):
                return set()
            return {name for name, got, right in leaves(value, want, names[0], names)
                    if not right_values(got, right, exercise.tolerance)} or {None}
        except (Exception, Cut):
            return {None}

    def their_values(self, case):
        """Return what the spots of the reference come to, by number."""
        self.theirs.call(fresh(self.cases[case]), {}, 10**6, record=True)
        return {spot.number: spot.values for spot in self.theirs.reached}

    def their_quantities(self) -> Iterator[_Quantity]:
        """Yield what the reference computes, each value once, under its best name."""
        series, have = self.their_values(self.first) if self.theirs else {}, []
        words = self.exercise.data.union(self.exercise.returns, self.exercise.parameters)
        found = [_Quantity(name if (name := self.theirs.spots[n].name or "") in words or (
            name != name.lower()) else None, series[n], n) for n in series if series[n]]
        for quantity in sorted(found, key=lambda quantity: quantity.name is None):
            values = quantity.values
            if values[0] is not None and not any(equal(values, old) for old in have):
                have.append(values)
                yield quantity

    def known_as(self, spot):
        """Return the quantity that a spot is, True for arguments and whole numbers, or False."""
        if spot.kind == "Constant":
            return True
        if any(getattr(v, "shape", 0) == () and v.dtype.kind == "f" for v in spot.values):
            return spot.name in self.exercise.parameters or next((  # chance makes two numbers equal
                known for known in self.quantities if equal(spot.values, known.values)), False)
        found = [self.what_is(value) for value in spot.values[:8]]
        return bool(found) and all(found) and found[0]

    def what_is(self, value):
        """Return the quantity that a value is, True for arguments and whole numbers, or None."""
        number = isinstance(value, np.ndarray) and not value.ndim
        if number and value.dtype.kind != "f" or any(equal(value, a) for a in self.arguments):
            return True
        if value is None or not number and not len(value):
            return None
        return next((quantity for quantity in self.quantities
                     if any(equal(value, one) for one in quantity.values)), None)

    def is_fed(self, spot, deep=False):
        """Whether all that goes into a spot is known; `deep`: or made of what is known, there."""
        return bool(spot.inputs) and all(self.known.get(part) or deep and part.kind != "Name" and (
            self.is_fed(part, deep)) for part in spot.inputs)

    def changes(self) -> Iterator[tuple[Spot, Callable]]:
        """Yield (spot, what makes of a case's number what is done there), the likeliest first."""
        reached = self.mine.reached
        for spots, proof, edited in ((self.begins, SURE, True), (reached, None, True),
                                     (reached, SURE, False), (reached, UNSURE, False)):
            for spot in spots:
                yield from self.grafts(spot, proof)
                for edit in edits(spot) if edited else ():
                    yield spot, lambda case, edit=edit: edit

    def grafts(self, spot, proof):
        """Yield values of the reference's in the place of a spot, where they prove so much."""
        # none that do what other lines are there for: to fill what is blank, to add up in a loop
        values, in_turn = spot.values, len(spot.values) > 1 and not equal(
            spot.values[1:], spot.values[:-1])
        for quantity in self.quantities if self.proof(spot) == proof else ():
            if not (in_turn and len(quantity.values) == 1 or any(map(_is_blank, values))
                    or values and equal(values, quantity.values)
                    or all(isinstance(v, np.ndarray) and not v.any() for v in quantity.values)):
                yield spot, lambda case, at=quantity.spot: graft(self.their_values(case)[at])

    def proof(self, spot):
        """Say how much a graft proves: most where all that goes into a spot is known."""
        known = self.known[spot]
        if spot.kind == "Name":
            return NEVER if not known else UNSURE if known is True else SURE
        if spot.kind in ("Constant", "Tuple") or not self.is_fed(spot, deep=True):
            return NEVER
        if getattr(getattr(spot.node, "func", None), "id", None) in self.mine.names:
            return UNSURE if known else NEVER  # a line of that function is to be found
        return SURE if self.is_fed(spot) else UNSURE


def _is_blank(value):
    """Whether it is what something begins with that is filled later: a list, an array of zeros."""
    return not len(value) if isinstance(value, (tuple, dict)) else (
        np.ndim(value) > 0 and not np.any(value))


def _worded(search, change, parts=()):
    """Return the place of a change that makes all right, or just some parts of the result."""
    spot, reached, values = change[0], search.mine.reached, change[0].values
    lines = [_right_before(search, reached[:reached.index(spot)])]
    search.wrong(search.first, change, record=True)
    got, want = next(((old, new) for old, new in zip(values, spot.values, strict=False)
                      if not equal(old, new)), (None, next(iter(spot.values), None)))
    inside = "" if search.is_fed(spot) or not spot.inputs else "Look also at what goes into it. "
    rest = f"{listed(sorted(parts))} will be right; something else is wrong as well" if parts else (
        "the rest of your function gives the right result")
    lines += [_look(search, spot, want), _likeness(search, spot, got, want),
              f"{inside}With the right value there, {rest}."]
    return Place(spot.node.lineno, [*filter(None, lines)])


def _right_before(search, spots):
    """Say which named values are right."""
    said, lesson = {}, {quantity.name for quantity in search.quantities}
    for spot in spots:
        name = getattr(search.known[spot], "name", None)
        if spot.kind != "Name" or any(map(_is_blank, spot.values)):
            continue  # what is filled later says nothing yet
        if name == spot.name is not None:
            said[f"`{name}`"] = None
        elif name and np.ndim(spot.values[0]) and spot.name not in lesson:
            said[f"`{spot.name}` (in this lesson `{name}`)"] = None
    names = [*said][-4:]
    return names and f"Following your lines: {listed(names)} {'are' if names[1:] else 'is'} right."


def _look(search, spot, want):
    """Quote the line, and say where in it to look."""
    quote = linecache.getline(search.mine.file, spot.node.lineno).strip()
    text, quantity = search.mine.text(spot), None if want is None or not np.ndim(want) and (
        isinstance(want, np.ndarray)) else search.what_is(want)
    whole = text not in quote or text in (quote, quote.removeprefix("return ")) or (
        spot.kind == "Constant" and quote.count(text) > 1)
    where = f"the line `{quote}`" if whole else f"`{text}` in the line `{quote}`"
    name = getattr(quantity, "name", None)
    what = f": it should be what the lesson calls `{name}`" if name and name != text else ""
    return f"{'It stops at' if spot is search.failed else 'Look at'} {where}{what}."


def _likeness(search, spot, got, want):
    """Say what stands there beside what is wanted."""
    if not all(isinstance(value, np.ndarray) and value.dtype != bool for value in (got, want)):
        return ""
    if got.shape != want.shape:
        return f"It has shape {got.shape}; wanted {want.shape or 'one number'}."
    match = looks_like(got, want, search.exercise.sizes(*search.cases[search.first]))
    if match and (want.ndim or match[0] == "sign-flipped"):
        text = match[1].replace("the right one", "what is wanted")
        return f"It is {text}" + "." * (not text.endswith("?"))
    return "" if want.ndim or spot.kind == "Constant" else (
        f"It comes to {got:.6g} here; wanted {want:.6g}.")
