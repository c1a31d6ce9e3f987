"""Find the place of a mistake: the line of the student's own where one change makes all right."""

from __future__ import annotations

import functools
import linecache
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from helpers.checks import catalogue
from helpers.checks.changes import edits, equal, graft
from helpers.checks.compare import differ, listed
from helpers.checks.evidence import names_in, right_answer
from helpers.checks.gradient_report import looks_like
from helpers.checks.instrument import Cut, Program, Spot, snapshot
from helpers.checks.sandbox import Guard, fresh, restored, seen

OUTSIDE = {"open", "input", "exec", "eval", "os", "shutil", "Path", "subprocess", "sys",
           "locals", "globals", "vars"}
SOME = 8  # of the values that an expression takes in a loop
SURE, UNSURE, NEVER = range(3)  # how much a value of the reference's in the place of a spot proves
WALL = 2  # a search ends after so many times the seconds of computing that it may take


@dataclass
class Place:
    """Where a mistake is: the number of the line in its cell, and what to say of it."""

    line: int
    lines: list[str]


@dataclass
class _Quantity:
    """A value of the reference's: its name there, what it is in the first wrong case, its spot."""

    name: str | None
    values: list
    spot: int


def find(exercise, function: Callable, seconds: float = 0.5, first: int = 0) -> Place | None:
    """Return the first place in a wrong function where one change makes every case right, or None.

    A change is a value of the reference answer's in place of one expression, or a small edit of
    that expression. `first` is the number of a case that is wrong, if known. It never raises, takes
    no longer than `seconds` of computing and leaves nothing behind.
    """
    code = getattr(function, "__code__", None)
    if code is None or OUTSIDE & names_in(code):
        return None
    stop = time.thread_time() + 0.9 * seconds
    with restored(randomness=True):
        return Guard(WALL * seconds).call(
            lambda: _Search(exercise, function, stop).place(first), ()).value


@functools.cache
def _reference(exercise_id, name):
    """Return the program of an exercise's reference answer, or None."""
    found = catalogue.reference(exercise_id, name)
    if found is None:
        return None
    source, space = found[0], dict(found[1])
    file = f"<reference {exercise_id} {name}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    exec(compile(source, file, "exec", dont_inherit=True), space)
    return Program(space[name])


class _Search:
    """The search for a place in one function.

    Attributes
    ----------
    mine, theirs : the programs of the student and of the reference
    first, failed : the number of a case that is not right, and the spot that raised in it, if any
    quantities : what the reference computes in it
    known : spot of the student's -> the quantity that it is, True for an argument, or False
    """

    def __init__(self, exercise, function, stop):
        self.exercise, self.stop, self.cases = exercise, stop, exercise.cases()
        self.mine, self.theirs = Program(function), _reference(exercise.id, exercise.name)
        self.their_values, self.limit = functools.cache(self.their_values), 10**6

    def place(self, first) -> Place | None:
        began, cases = time.thread_time(), sorted(range(len(self.cases)), key=lambda n: n != first)
        self.first = next((case for case in cases if not self.is_right(case, record=True)), None)
        if self.first is None:
            return None
        self.failed, self.limit = self.mine.failed, 2 * self.mine.steps + 2000
        self.quantities = list(self.their_quantities())
        given = [snapshot(argument) for argument in self.cases[self.first]]
        self.arguments = given + [v for a in given if isinstance(a, dict) for v in a.values()]
        self.known = {}
        for spot in self.mine.reached:
            found = [self.what_is(value) for value in spot.values[:SOME]]
            self.known[spot] = found[0] if found and all(found) else spot.kind == "Constant"
        slow = time.thread_time() - began
        for change in self.changes():
            if time.thread_time() + slow > self.stop:
                return None
            if all(self.is_right(case, change) for case in cases):
                return _worded(self, change)
        return None

    def is_right(self, case, change=None, record=False):
        exercise, args = self.exercise, fresh(self.cases[case])
        made = {change[0].number: change[1](case)} if change else {}
        try:
            value = seen(exercise.view, args, self.mine.call(args, made, self.limit, record))
            return not differ(value, right_answer(exercise, case, self.cases[case]),
                              exercise.returns[0], exercise.returns, exercise.tolerance)
        except (Exception, Cut):
            return False

    def their_values(self, case):
        """Return what the spots of the reference come to, by number."""
        self.theirs.call(fresh(self.cases[case]), {}, 10**6, record=True)
        return {spot.number: spot.values for spot in self.theirs.reached}

    def their_quantities(self) -> Iterator[_Quantity]:
        """Yield what the reference computes, each value once, under its best name."""
        series, have = self.their_values(self.first) if self.theirs else {}, []
        found = [_Quantity(self.theirs.spots[n].name, series[n], n) for n in series if series[n]]
        for quantity in sorted(found, key=lambda quantity: quantity.name is None):
            values = quantity.values
            if values[0] is not None and not any(equal(values, old) for old in have):
                have.append(values)
                yield quantity

    def what_is(self, value):
        """Return the quantity that a value is, True for arguments and whole numbers, or None."""
        if isinstance(value, np.ndarray) and not value.ndim and value.dtype.kind != "f":
            return True
        if value is None or not isinstance(value, np.ndarray) and not len(value):
            return None
        if any(equal(value, argument) for argument in self.arguments):
            return True
        return next((quantity for quantity in self.quantities
                     if any(equal(value, one) for one in quantity.values)), None)

    def is_fed(self, spot, deep=False):
        """Whether all that goes into a spot is known; `deep`: or made of what is known, there."""
        return bool(spot.inputs) and all(self.known.get(part) or deep and part.kind != "Name" and (
            self.is_fed(part, deep)) for part in spot.inputs)

    def changes(self) -> Iterator[tuple[Spot, Callable]]:
        """Yield changes: first where something unknown begins, then in the order of the lines.

        A change is a spot, and what makes by the number of a case what is done there.
        """
        reached = self.mine.reached
        begins = {spot: None for spot in reached if not self.known[spot] and self.is_fed(spot)}
        for spot in [*begins, *(spot for spot in reached if spot not in begins)]:
            yield from self.grafts(spot, SURE)
            for edit in edits(spot):
                yield spot, lambda case, edit=edit: edit
        for spot in reached:
            yield from self.grafts(spot, UNSURE)

    def grafts(self, spot, proof):
        """Yield values of the reference's in the place of a spot, where they prove so much."""
        # none that do what other lines are there for: to fill what is blank, to add up in a loop
        values, blank = spot.values, any(map(_is_blank, spot.values))
        in_turn = len(values) > 1 and not equal(values[1:], values[:-1])
        for quantity in self.quantities if self.proof(spot) == proof else ():
            if not (blank and quantity.name or in_turn and len(quantity.values) == 1
                    or values and equal(values, quantity.values)):
                yield spot, lambda case, at=quantity.spot: graft(self.their_values(case)[at])

    def proof(self, spot):
        """Say how much a graft proves: most where all that goes into a spot is known."""
        if spot.kind in ("Constant", "Tuple"):
            return NEVER
        if spot.kind == "Name":
            known = self.known[spot]
            return NEVER if not known else UNSURE if known is True else SURE
        return SURE if self.is_fed(spot) else UNSURE if self.is_fed(spot, deep=True) else NEVER


def _is_blank(value):
    """Whether it is what something begins with that is filled later: a list, an array of zeros."""
    return not len(value) if isinstance(value, (tuple, dict)) else (
        np.ndim(value) > 0 and not np.any(value))


def _worded(search, change):
    """Return the place of a change, with what is to be said of it."""
    spot, reached, values = change[0], search.mine.reached, change[0].values
    lines = [_right_before(search, reached[:reached.index(spot)])]
    search.is_right(search.first, change, record=True)
    got, want = next(((old, new) for old, new in zip(values, spot.values, strict=False)
                      if not equal(old, new)), (None, next(iter(spot.values), None)))
    inside = "Look also at what goes into it. " if spot.inputs else ""
    if search.is_fed(spot) and spot.kind != "Call":  # of a call, the arguments may be others'
        inside = "What goes into it is right. "
    lines += [_look(search, spot, want), _likeness(search, spot, got, want), inside +
              "With the right value there, the rest of your function gives the right result."]
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
    whole = text not in quote or text in (quote, quote.removeprefix("return "))
    where = f"the line `{quote}`" if whole else f"`{text}` in the line `{quote}`"
    name = getattr(quantity, "name", None)
    what = f": it should be what the lesson calls `{name}`" if name and name != text else ""
    return f"{'It stops at' if spot is search.failed else 'Look at'} {where}{what}."


def _likeness(search, spot, got, want):
    """Say what stands there beside what is wanted."""
    if not isinstance(got, np.ndarray) or not isinstance(want, np.ndarray):
        return ""
    if got.shape != want.shape:
        return f"It has shape {got.shape}; wanted {want.shape or 'one number'}."
    if bool in (got.dtype, want.dtype):
        return ""
    match = looks_like(got, want, search.exercise.sizes(*search.cases[search.first]))
    if match and (want.ndim or match[0] == "sign-flipped"):
        text = match[1].replace("the right one", "what is wanted")
        return f"It is {text}" + "." * (not text.endswith("?"))
    return "" if want.ndim or spot.kind == "Constant" else (
        f"It comes to {got:.6g} here; wanted {want:.6g}.")
