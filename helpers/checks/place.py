"""Find the place of a mistake: the line of the student's own where one change makes all right."""

from __future__ import annotations

import functools
import itertools
import linecache
import operator
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from helpers.checks import catalogue
from helpers.checks.compare import differ
from helpers.checks.gradient_report import looks_like
from helpers.checks.instrument import FOLLOWED, Cut, Program, snapshot
from helpers.checks.sandbox import Guard, fresh, restored, seen

SWAPS = {"add": "sub mul", "sub": "add", "mul": "matmul truediv add pow", "matmul": "mul",
         "truediv": "mul floordiv", "pow": "mul", "and_": "or_", "or_": "and_",
         "floordiv": "truediv mod", "mod": "floordiv", "xor": "pow", "lt": "le gt", "le": "lt ge",
         "gt": "ge lt", "ge": "gt le", "eq": "ne", "ne": "eq", "is_": "is_not", "is_not": "is_"}
ONE_WAY = ("sub", "truediv", "matmul", "pow", "floordiv", "mod")
EDITS = {  # kind of a spot -> what is done there instead
    "UnaryOp": [lambda a: a], "Attribute": [lambda a: a], "Tuple": [lambda a: a[::-1]],
    "AugAssign": [lambda a, b: b, lambda a, b: a],
    "Assign": [lambda a, old: old() + a, lambda a, old: old() - a]}
STORED = ("Assign", "AugAssign", "Given")
OUTSIDE = {"open", "input", "exec", "eval", "os", "shutil", "Path", "subprocess", "sys"}
SOME = 8  # of the values that an expression takes in a loop
NEVER = 3  # the rank of what would prove nothing


@dataclass
class Place:
    """Where a mistake is: the number of the line in its cell, the line, and what to say of it."""

    line: int
    quote: str
    lines: list[str]


@dataclass
class _Quantity:
    """A value of the reference's: its name there, and what it is in the first wrong case."""

    name: str | None
    values: list
    read: Callable  # the spots of the reference, after another case -> what it is in that


def find(exercise, function: Callable, seconds: float = 0.5) -> Place | None:
    """Return the first place in a wrong function where one change makes every case right, or None.

    A change is a value of the reference answer's in place of one expression, or a small edit of
    that expression. It never raises, takes no longer than `seconds` and leaves nothing behind.
    """
    code = getattr(function, "__code__", None)
    if code is None or OUTSIDE & _names_in(code):
        return None
    stop = time.perf_counter() + 0.9 * seconds
    with restored(randomness=True):
        return Guard(seconds).call(lambda: _Search(exercise, function, stop).place(), ()).value


def _names_in(code):
    inner = [const for const in code.co_consts if hasattr(const, "co_names")]
    return set(code.co_names).union(*map(_names_in, inner))


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
    first : the number of the first case that is not right; `failed` and `raised` say what was
        raised in it
    quantities : what the reference computes in it
    known : spot of the student's -> the quantity that it is, or True, or None if it is none of them
    """

    def __init__(self, exercise, function, stop):
        self.exercise, self.stop, self.cases = exercise, stop, exercise.cases()
        self.mine, self.theirs = Program(function), _reference(exercise.id, exercise.name)
        self.wanted, self.their_values = functools.cache(self.wanted), functools.cache(
            self.their_values)
        self.limit = 10**6

    def place(self) -> Place | None:
        began = time.perf_counter()
        self.first = next((case for case in range(len(self.cases))
                           if not self.is_right(case, {}, record=True)), None)
        if self.first is None:
            return None
        if isinstance(self.error, NameError):
            return _without_value(self.mine, self.error)
        self.failed, self.raised = self.mine.failed, self.error is not None
        self.limit = 2 * self.mine.steps + 2000
        self.quantities = list(self.their_quantities())
        arguments = [snapshot(argument) for argument in self.cases[self.first]]
        self.arguments = arguments + [value for argument in arguments if isinstance(argument, dict)
                                      for value in argument.values()]
        self.known = {}
        for spot in self.mine.reached:
            found = [self.what_is(value) for value in spot.values[:SOME]]
            turned = spot.kind == "UnaryOp" or getattr(spot.node, "attr", "") == "T"
            self.known[spot] = (found[0] if found and all(found) else
                                spot.kind == "Constant" or turned and self.is_fed(spot))
        slow = time.perf_counter() - began
        for spot, change in self.changes():
            if time.perf_counter() + slow > self.stop:
                return None
            if self.is_mended(spot, change):
                return _worded(self, spot, change(self.first))
        return None

    def is_right(self, case, changes, record=False):
        exercise, args, self.error = self.exercise, fresh(self.cases[case]), None
        try:
            value = seen(exercise.view, args, self.mine.call(args, changes, self.limit, record))
            return not differ(value, self.wanted(case), exercise.returns[0], exercise.returns,
                              exercise.tolerance)
        except (Exception, Cut) as error:
            self.error = error
            return False

    def is_mended(self, spot, change):
        """Whether all cases are right with a change."""
        cases = sorted(range(len(self.cases)), key=lambda case: case != self.first)
        return all(self.is_right(case, {spot.number: change(case)}) for case in cases)

    def wanted(self, case):
        args = fresh(self.cases[case])
        return seen(self.exercise.view, args, self.exercise.truth(*args))

    def their_values(self, case):
        """Return what the spots of the reference come to, by number."""
        try:
            self.theirs.call(fresh(self.cases[case]), {}, 10**6, record=True)
        except Exception:
            return {}
        return {spot.number: spot.values for spot in self.theirs.reached}

    def their_quantities(self) -> Iterator[_Quantity]:
        """Yield what the reference computes, each value once, under its best name."""
        have, found = [], []
        series = self.their_values(self.first) if self.theirs else {}
        for number, values in series.items():
            spot = self.theirs.spots[number]
            found.append(_Quantity(spot.name, values, operator.itemgetter(number)))
            found[-1].rank = (spot.name is None, spot.kind == "Name")
            for key in values[0] if len(values) == 1 and isinstance(values[0], dict) else ():
                found.append(_Quantity(key, [values[0][key]], lambda series, n=number, key=key: [
                    value[key] for value in series[n]]))
                found[-1].rank = found[-2].rank
        for quantity in sorted(found, key=lambda quantity: quantity.rank):
            values = quantity.values
            if values[0] is not None and not any(_equal(values, old) for old in have):
                have.append(values)
                yield quantity

    def what_is(self, value):
        """Return the quantity that a value is, True for arguments and whole numbers, or None."""
        if isinstance(value, np.ndarray) and not value.ndim and value.dtype.kind != "f":
            return True
        if value is None or not isinstance(value, np.ndarray) and not len(value):
            return None
        if any(_equal(value, argument) for argument in self.arguments):
            return True
        return next((quantity for quantity in self.quantities
                     if any(_equal(value, one) for one in quantity.values)), None)

    def is_fed(self, spot):
        """Whether all that goes into a spot is known."""
        return bool(spot.inputs) and all(self.known.get(part) for part in spot.inputs)

    def changes(self) -> Iterator[tuple]:
        """Yield (spot, case -> change): first where something unknown begins, then in order."""
        begins = {spot: None for spot in self.mine.reached
                  if not self.known[spot] and self.is_fed(spot)}
        statements = {}
        for spot in self.mine.reached:
            statements.setdefault(spot.statement, []).append(spot)
        for spot in begins:
            yield from self.at(spot, 0)
        for rank, spots in itertools.product(range(NEVER), statements.values()):
            for spot in spots:
                yield from self.at(spot, rank) if rank or spot not in begins else ()
            for spot in spots:
                yield from self.around(spot) if self.least_rank(spot) == rank else ()

    def at(self, spot, rank):
        """Yield changes of what is done in a spot that prove as much as a rank says."""
        least = self.least_rank(spot)
        if least < NEVER and max(least, self.rank_of_graft(spot)) == rank:
            for quantity in self.quantities:
                if self.fits(spot, quantity.values):
                    yield spot, lambda case, quantity=quantity: _graft(
                        quantity.read(self.their_values(case)))
        if least == rank:
            yield from ((spot, lambda case, edit=edit: edit) for edit in _edits(self, spot))

    def around(self, spot):
        """Yield changes of the value of a spot: turned, of another sign, with a factor."""
        value = spot.values[0] if spot.values else None
        if spot.kind in STORED or not isinstance(value, np.ndarray) or value.dtype == bool:
            return
        if value.ndim == 2:
            yield spot, lambda case: _after(np.transpose)
        if self.known[spot] is True:
            return
        yield spot, lambda case: _after(operator.neg)
        sizes = [{"two": 2} | self.exercise.sizes(*case) for case in self.cases]
        for name, by in itertools.product(sizes[0], (operator.mul, operator.truediv)):
            if sizes[self.first][name] > 1:
                yield spot, lambda case, name=name, by=by: _after(
                    lambda value: by(value, sizes[case][name]))

    def least_rank(self, spot):
        """Return 0; more where the statement comes to something known, or decides what is run."""
        for own, known in self.known.items():
            name = getattr(known, "name", None)
            if own.kind == "Assign" and own.statement == spot.statement and name:
                if name == own.name:
                    return 1 if self.raised else NEVER
                if np.ndim(own.values[0]):
                    return 1
        if any(isinstance(value, np.ndarray) and not value.ndim and value.dtype == bool
               for value in spot.values[:1]):
            here = self.failed is not None and self.failed.statement == spot.statement
            return 1 if here or not self.raised else NEVER
        return 0

    def rank_of_graft(self, spot):
        """Return 0 where all that goes into a spot is known, so that it is at fault itself."""
        blank = bool(spot.values) and all(map(_is_blank, spot.values))
        known = self.known[spot] if spot.kind == "Name" else self.is_fed(spot)
        if not known or blank or spot.kind in ("Constant", "Tuple", "AugAssign"):
            return NEVER
        return 2 if self.known[spot] is True and spot.kind != "Constant" else 0

    def fits(self, spot, values):
        """Whether values of the reference's can stand for those of a spot, and are not the same."""
        if spot is self.failed or not spot.values:
            return True
        if len(spot.values) != len(values) and (len(spot.values) > 1 or not self.raised):
            return False
        pair = spot.values[0], values[0]
        arrays = all(isinstance(value, np.ndarray) and value.ndim for value in pair)
        return (arrays or _form(pair[0]) == _form(pair[1])) and not _equal(spot.values, values)


def _is_blank(value):
    """Whether it is what something begins with that is filled later: a list, an array of zeros."""
    return not len(value) if isinstance(value, (tuple, dict)) else (
        np.ndim(value) > 0 and not np.any(value))


def _form(value):
    return (value.shape, value.dtype == bool) if isinstance(value, np.ndarray) else type(value)


def _equal(a, b):
    """Whether two snapshots, or series of them, agree to rounding."""
    if isinstance(a, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(_equal, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    if a is None or not isinstance(b, np.ndarray) or _form(a) != _form(b):
        return False
    off = np.abs(a.astype(float) - b) <= 1e-9 * np.abs(b).max(initial=1e-300)
    return bool(off.all() or np.array_equal(a, b, equal_nan=True))


def _graft(values):
    """Return a change that puts values of the reference's in the place of a spot's, in turn."""
    left = iter(values)

    def change(function, operands, named):
        try:
            like = function(*operands, **named)
        except Exception:
            like = None
        return _given_back(next(left, None), like)
    return change


def _given_back(want, like):
    """Return what a snapshot shows, as the kind of thing that stands there."""
    if isinstance(want, tuple):
        return (list if isinstance(like, list) else tuple)(_given_back(w, None) for w in want)
    if isinstance(want, dict):
        return {key: _given_back(item, None) for key, item in want.items()}
    if want is None:
        return like
    if hasattr(like, "detach"):
        import torch
        return torch.as_tensor(want.copy())
    return want.copy() if want.ndim or isinstance(like, np.ndarray) else want.item()


def _after(make):
    return lambda function, operands, named: make(function(*operands, **named))


def _instead(make):
    return lambda function, operands, named: make(*operands, **named)


def _power(a, b):
    return operator.pow(a if isinstance(a, np.ndarray) else float(a), b)  # no endless integers


def _edits(search, spot) -> Iterator[Callable]:
    """Yield small edits of what is done in one spot."""
    name = getattr(spot.function, "__name__", "")
    if spot.kind == "AugAssign":  # also: not in place
        name = {"ior": "or_", "iand": "and_"}.get(name, name[1:])
        yield _instead(getattr(operator, name))
    for other in SWAPS.get(name, "").split():
        yield _instead(_power if other == "pow" else getattr(operator, other))
    if spot.kind == "BinOp" and name in ONE_WAY:
        yield _instead(lambda a, b: spot.function(b, a))
    yield from map(_instead, EDITS.get(spot.kind, ()))
    if spot.kind == "Constant":
        yield from (_after(lambda _, new=new: new) for new in _constants(search, spot.node.value))
    for i, j in itertools.combinations(range(len(getattr(spot.node, "args", ()))), 2):
        yield _instead(functools.partial(_exchanged, i, j))


def _exchanged(i, j, function, *args, **named):
    args = list(args)
    args[i], args[j] = args[j], args[i]
    return function(*args, **named)


def _constants(search, value):
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        half = value // 2 if isinstance(value, int) else value / 2
        return [value - 1, value + 1, half, 2 * value]
    return {spot.node.value: None for program in (search.mine, search.theirs) if program
            for spot in program.spots if isinstance(getattr(spot.node, "value", None), str)}


def _worded(search, spot, change):
    """Return the place of a change, with what is to be said of it."""
    mine, values, reached = search.mine, spot.values, search.mine.reached
    before = _right_before(search, reached[:reached.index(spot)])
    search.is_right(search.first, {spot.number: change}, record=True)
    pairs = [(None, value) for value in spot.values[:1] or [None]]
    got, want = next(((old, new) for old, new in zip(values, spot.values, strict=False)
                      if not _equal(old, new)), pairs[0])
    quote = linecache.getline(mine.file, spot.node.lineno).strip()
    end = "With the right value there, the rest of your function gives the right result"
    if spot.kind == "Call" and search.is_fed(spot):
        end = f"What goes into it was computed rightly: is it what belongs there? {end}"
    elif spot.inputs:
        end = f"What goes into it is right; w{end[1:]}" if search.is_fed(spot) else (
            f"{end}; but look also at what goes into it")
    lines = [before, _look(search, spot, quote, want), _likeness(search, spot, got, want)]
    return Place(spot.node.lineno, quote, [*filter(None, lines), f"{end}."])


def _without_value(program, error):
    """Return the place of a name that is read before it has a value."""
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__)
             if frame.f_code.co_filename == FOLLOWED]
    if not lines:
        return None
    quote, name = linecache.getline(program.file, lines[-1]).strip(), str(error).split("'")[1]
    return Place(lines[-1], quote, [
        f"It stops at `{quote}`: `{name}` has no value yet when this line runs.",
        "Is a line missing above it, or is the name spelt in another way there?"])


def _name_of(search, value):
    """Return the name of the quantity that a value is, if it is one with a name."""
    number = value is None or isinstance(value, np.ndarray) and not value.ndim
    return None if number else getattr(search.what_is(value), "name", None)


def _right_before(search, spots):
    """Say which named values are right."""
    said, lesson = {}, {quantity.name for quantity in search.quantities}
    for spot in spots:
        name = getattr(search.known[spot], "name", None)
        if spot.kind in STORED and name == spot.name is not None:
            said[f"`{name}`"] = None
        elif spot.kind in STORED and name and np.ndim(spot.values[0]) and spot.name not in lesson:
            said[f"`{spot.name}` (in this lesson `{name}`)"] = None
    *others, last = [*said][-4:] or [""]
    return last and (f"Following your lines: {', '.join(others)} and {last} are right." if others
                     else f"Following your lines: {last} is right.")


def _look(search, spot, quote, want):
    """Quote the line, and say where in it to look."""
    text, name = search.mine.text(spot), _name_of(search, want)
    whole = text not in quote or text in (quote, quote.removeprefix("return "))
    if spot is search.failed:
        return f"It stops at `{quote}`" + ("." if whole else f", in `{text}`.")
    if spot.kind == "Name":
        return f"Then comes `{quote}`: " + (
            f"what the lesson calls `{name}` is wanted there in place of `{text}`."
            if name and name != text else
            f"another value than `{text}` has is wanted there.")
    where = f"Look at the line `{quote}`" if whole else f"Look at `{text}` in the line `{quote}`"
    return f"{where}: it should be what the lesson calls `{name}`." if name else f"{where}."


def _likeness(search, spot, got, want):
    """Say what stands there beside what is wanted."""
    name = _name_of(search, got)
    if name and spot.kind != "Name":
        return f"As it stands, it is `{name}`."
    if not isinstance(got, np.ndarray) or not isinstance(want, np.ndarray):
        return ""
    if got.shape != want.shape:
        return f"It has shape {got.shape}; wanted {want.shape or 'one number'}."
    if bool in (got.dtype, want.dtype):
        return ""
    match = looks_like(got, want, search.exercise.sizes(*search.cases[search.first]))
    if match and (want.ndim or match[0] == "sign-flipped"):
        return f"It is {match[1].replace('the right one', 'what is wanted')}."
    return "" if want.ndim or spot.kind == "Constant" else (
        f"It comes to {got:.6g} here; wanted {want:.6g}.")
