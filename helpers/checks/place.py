"""Find the place of a mistake: the line of the student's own where one change makes all right."""

from __future__ import annotations

import ast
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
ONE_WAY = ("sub", "truediv", "matmul", "pow", "floordiv", "mod", "isub", "itruediv")
RELATED = [group.split() for group in (
    "sum mean", "max min maximum", "min max minimum", "maximum minimum max", "mean sum",
    "minimum maximum min", "argmax argmin", "argmin argmax", "zeros ones", "ones zeros",
    "zeros_like ones_like", "ones_like zeros_like", "hstack vstack", "vstack hstack", "sin cos",
    "cos sin", "exp log", "log exp log1p", "append extend", "extend append", "dot multiply")]
RELATED = {first: others for first, *others in RELATED}
AXES = [{"axis": 0}, {"axis": 1}, {"axis": None}, {"keepdims": True},
        {"axis": 0, "keepdims": True}, {"axis": 1, "keepdims": True}]
OUTSIDE = {"open", "input", "exec", "eval", "os", "shutil", "Path", "subprocess", "sys"}
STORED = ("Assign", "AugAssign", "Given")
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
    """A value of the reference's: its name there, if it has one, and what it comes to, by case."""

    name: str | None
    series: Callable  # the number of a case -> the values that it takes in a call


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
    try:
        if found is None:  # its page is not written yet
            from helpers.checks import answers
            functions = answers._load(answers.find_exercise(exercise_id), answers.SOLUTIONS)
            return Program(next(f for f in functions if f.__name__ == name))
        source, space = found[0], dict(found[1])
        file = f"<reference {exercise_id} {name}>"
        linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
        exec(compile(source, file, "exec", dont_inherit=True), space)
        return Program(space[name])
    except Exception:
        return None


class _Search:
    """The search for a place in one function.

    Attributes
    ----------
    mine, theirs : the programs of the student and of the reference
    first : the number of the first case that is not right
    series, failed : what the student's spots came to in that case, and which one raised
    known : number of a spot -> "argument", a `_Quantity`, "number" or None: what its value is
    """

    def __init__(self, exercise, function, stop):
        self.exercise, self.stop, self.cases = exercise, stop, exercise.cases()
        self.mine, self.theirs = Program(function), _reference(exercise.id, exercise.name)
        self.wanted = functools.cache(self._wanted)
        self.series_of = functools.cache(self._series_of)
        self.limit = 10**6

    def place(self) -> Place | None:
        """Return the place, or None."""
        began = time.perf_counter()
        self.first = next((case for case in range(len(self.cases))
                           if not self._right(case, {}, record=True)), None)
        if self.first is None:
            return None
        if isinstance(self.error, NameError):
            return _without_value(self.mine, self.error)
        self.series, self.failed, self.raised = (
            self.mine.series, self.mine.failed, self.error is not None)
        self.limit = 2 * self.mine.steps + 2000
        self.quantities = list(self._quantities())
        self.arguments = [snapshot(argument) for argument in self.cases[self.first]]
        self.arguments += [value for argument in self.arguments if isinstance(argument, dict)
                           for value in argument.values()]
        self.known = {}
        for number, values in self.series.items():
            spot, found = self.mine.spots[number], [self._what_is(v) for v in values[:SOME]]
            turned = spot.kind == "UnaryOp" or getattr(spot.node, "attr", "") == "T"
            self.known[number] = (found[0] if all(found) else
                                  spot.kind == "Constant" or turned and self._is_sure(number))
        took = time.perf_counter() - began
        for number, change in self._changes():
            if time.perf_counter() + took > self.stop:
                return None
            if self._mends(number, change):
                return _worded(self, number, change(self.first))
        return None

    def _right(self, case, changes, record=False):
        """Whether a call comes to what is wanted."""
        exercise, args, self.error = self.exercise, fresh(self.cases[case]), None
        try:
            value = seen(exercise.view, args, self.mine.call(args, changes, self.limit, record))
            return not differ(value, self.wanted(case), exercise.returns[0], exercise.returns,
                              exercise.tolerance)
        except (Exception, Cut) as error:
            self.error = error
            return False

    def _mends(self, number, change):
        """Whether all cases are right with a change."""
        others = (case for case in range(len(self.cases)) if case != self.first)
        return all(self._right(case, {number: change(case)})
                   for case in itertools.chain([self.first], others))

    def _wanted(self, case):
        args = fresh(self.cases[case])
        return seen(self.exercise.view, args, self.exercise.truth(*args))

    def _series_of(self, case):
        """Return what the spots of the reference come to."""
        try:
            self.theirs.call(fresh(self.cases[case]), {}, 10**6, record=True)
            return self.theirs.series
        except Exception:
            return {}

    def _quantities(self):
        """Yield the quantities of the reference, each once, under its best name."""
        spots, have = self.theirs.spots if self.theirs else [], []
        series = self._series_of(self.first) if self.theirs else {}
        ranked = sorted(series, key=lambda number: (
            spots[number].name is None, spots[number].kind == "Name"))
        for number in ranked:
            found = [(spots[number].name, lambda case, n=number: self.series_of(case).get(n, []))]
            value = series[number][0]
            if isinstance(value, dict) and len(series[number]) == 1:
                found += [(key, lambda case, n=number, key=key: [
                    entry[key] for entry in self.series_of(case).get(n, [])]) for key in value]
            for name, read in found:
                values = read(self.first)
                if values[0] is not None and not any(_equal(values, old) for old in have):
                    have.append(values)
                    yield _Quantity(name, read)

    def _what_is(self, value):
        if isinstance(value, np.ndarray) and not value.ndim and value.dtype.kind != "f":
            return "number"
        if value is None or not isinstance(value, np.ndarray) and not len(value):
            return None
        if any(_equal(value, argument) for argument in self.arguments):
            return "argument"
        return next((quantity for quantity in self.quantities
                     if any(_equal(value, one) for one in quantity.series(self.first))), None)

    def _changes(self) -> Iterator[tuple[int, Callable]]:
        """Yield (number of a spot, case -> change): what proves most first, then as it runs."""
        statements = {}
        for number in [*self.series, *({self.failed} - self.series.keys() - {None})]:
            statements.setdefault(self.mine.spots[number].statement, []).append(number)
        first = [number for numbers in statements.values() for number in numbers
                 if self._begins(number)]
        for number in first:
            yield from ((number, change) for change in self._likely(number, 0))
        for rank in range(NEVER):
            for numbers in statements.values():
                for number in numbers:
                    if rank or number not in first:
                        yield from ((number, change) for change in self._likely(number, rank))
                for number in numbers:
                    if self._least_rank(number) == rank:
                        yield from ((number, lambda case, edit=edit: edit)
                                    for edit in _around(self, number))
                        yield from ((number, factor) for factor in self._factors(number))

    def _factors(self, number):
        """Yield factors of one spot: 2, and the sizes of a case."""
        spot, value = self.mine.spots[number], (self.series.get(number) or [None])[0]
        if not isinstance(value, np.ndarray) or value.dtype == bool or spot.kind in STORED or (
                self.known.get(number) == "argument"):
            return
        sizes = [self.exercise.sizes(*case) for case in self.cases]
        for name in (name for name, size in sizes[self.first].items() if size > 2):
            yield lambda case, name=name: _after(lambda v: v * sizes[case][name])
            yield lambda case, name=name: _after(lambda v: v / sizes[case][name])
        for factor in (2, 0.5):
            yield lambda case, factor=factor: _after(lambda v: v * factor)

    def _begins(self, number):
        """Whether something unknown begins here: all that goes into it is known."""
        return not self.known.get(number) and self._is_sure(number)

    def _is_sure(self, number):
        """Whether all that goes into a spot is known."""
        inputs = self.mine.spots[number].inputs
        return bool(inputs) and all(self.known.get(part) for part in inputs)

    def _likely(self, number, rank):
        """Yield values of the reference's for one spot, and edits of what is done there."""
        spot, values = self.mine.spots[number], self.series.get(number, [])
        least = self._least_rank(number)
        if least < NEVER and max(least, self._rank_of_graft(number)) == rank:
            for quantity in self.quantities:
                if self._fits(number, values, quantity.series(self.first)):
                    yield lambda case, quantity=quantity: _graft(quantity.series(case))
        if least == rank:
            yield from (lambda case, edit=edit: edit for edit in _edits(self, spot))

    def keywords(self, name):
        """Return what the reference hands a function of this name by keyword."""
        found = []
        for spot in self.theirs.spots if self.theirs else ():
            if spot.kind == "Call" and name == getattr(
                    spot.node.func, "attr", getattr(spot.node.func, "id", "")):
                for keyword in spot.node.keywords:
                    value = getattr(keyword.value, "args", [None, keyword.value])[1]
                    if isinstance(value, ast.Constant):
                        found.append({keyword.arg: value.value})
        return found

    def _least_rank(self, number):
        """Return 0; more where the statement comes to something known, or decides what is run."""
        spot = self.mine.spots[number]
        for other, known in self.known.items():
            own, name = self.mine.spots[other], getattr(known, "name", None)
            if own.kind == "Assign" and own.statement == spot.statement and name:
                if name == own.name:
                    return 1 if self.raised else NEVER
                if np.ndim(self.series[other][0]):
                    return 1
        value = (self.series.get(number) or [None])[0]
        if isinstance(value, np.ndarray) and value.dtype == bool and not value.ndim:
            elsewhere = self.raised and (self.failed is None or self.mine.spots[
                self.failed].statement != spot.statement)
            return NEVER if elsewhere else 1
        return 0

    def _rank_of_graft(self, number):
        """Return 0 where all that goes into a spot is known, so that it is at fault itself."""
        spot = self.mine.spots[number]
        if spot.kind in ("Constant", "Tuple", "AugAssign") or _is_blank(self.series.get(number)):
            return NEVER
        parts = [number] if spot.kind == "Name" else spot.inputs
        if not all(self.known.get(part) for part in parts):
            return NEVER
        return 2 if self.known.get(number) == "argument" else 0

    def _fits(self, number, values, others):
        """Whether values of the reference's can stand for those of a spot, and are not the same."""
        raised = number == self.failed
        if len(values) != len(others) and not raised and (len(values) > 1 or not self.raised):
            return False
        if raised or not values:
            return True
        one, other = values[0], others[0]
        arrays = all(isinstance(value, np.ndarray) and value.ndim for value in (one, other))
        return (arrays or _form(one) == _form(other)) and not _equal(values, others)


def _is_blank(values):
    """Whether it is what something begins with that is filled later: a list, an array of zeros."""
    return bool(values) and all(not len(value) if isinstance(value, (tuple, dict)) else
                                np.ndim(value) > 0 and not np.any(value) for value in values)


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
    if a.dtype == bool:
        return bool((a == b).all())
    off = np.abs(a.astype(float) - b) <= 1e-9 * np.abs(b).max(initial=1e-300)
    return bool(off.all() or np.array_equal(a, b, equal_nan=True))


def _graft(series):
    """Return a change that puts values of the reference's in the place of a spot's, in turn."""
    left = iter(series)

    def change(function, operands, named):
        try:
            like = function(*operands, **named)
        except Exception:
            like = None
        want = next(left, None)
        return like if want is None else _given_back(want, like)
    return change


def _given_back(want, like):
    """Return what a snapshot shows, as the kind of thing that stands there."""
    if isinstance(want, tuple):
        return (list if isinstance(like, list) else tuple)(_given_back(w, None) for w in want)
    if isinstance(want, dict):
        return {key: _given_back(item, None) for key, item in want.items()}
    if hasattr(like, "detach"):
        import torch
        return torch.as_tensor(want.copy())
    if want is None:
        return like
    return want.copy() if want.ndim or isinstance(like, np.ndarray) else want.item()


def _after(make):
    return lambda function, operands, named: make(function(*operands, **named))


def _instead(make):
    return lambda function, operands, named: make(*operands, **named)


def _power(a, b):
    return operator.pow(a if isinstance(a, np.ndarray) else float(a), b)  # no endless integers


def _other(name):
    return _instead(_power if name == "pow" else getattr(operator, name))


def _edits(search, spot) -> Iterator[Callable]:
    """Yield small edits of what is done in one spot, as changes."""
    name = getattr(spot.function, "__name__", "")
    plain = name.removeprefix("i") if spot.kind == "AugAssign" else name
    plain = {"or": "or_", "and": "and_"}.get(plain, plain)
    yield from map(_other, SWAPS.get(plain, "").split())
    if spot.kind == "BinOp":
        if name in ONE_WAY:
            yield _instead(lambda a, b: spot.function(b, a))
        yield from (_instead(lambda a, b: a), _instead(lambda a, b: b))
    elif spot.kind == "UnaryOp":
        yield _instead(lambda a: a)
    elif spot.kind == "AugAssign":
        yield from (_other(plain), _instead(lambda a, b: b), _instead(lambda a, b: a))
    elif spot.kind == "Assign":
        yield from (_instead(lambda v, old: old() + v), _instead(lambda v, old: old() - v),
                    _instead(lambda v, old: old()))
    elif spot.kind == "Constant":
        yield from _constants(search, spot.node.value)
    elif spot.kind == "Attribute":
        yield _instead(lambda v: v)
        yield from (_instead(operator.attrgetter(twin)) for twin in RELATED.get(spot.node.attr, ()))
    elif spot.kind == "Subscript":
        yield from (_instead(lambda v, at: v), _instead(lambda v, at: v[:, at]),
                    _instead(lambda v, at: v[at[::-1]]))
    elif spot.kind == "Call":
        yield from _calls(search, spot)
    elif spot.kind == "Tuple":
        yield _after(lambda v: v[::-1])


def _around(search, number):
    """Yield changes of the value of one spot, and other names, as changes."""
    spot, value = search.mine.spots[number], (search.series.get(number) or [None])[0]
    if spot.kind == "Name" and value is not None:
        yield from _names(search, spot)
    if isinstance(value, np.ndarray) and spot.kind not in STORED:
        yield from _wraps(search, number, value)


def _constants(search, value):
    if isinstance(value, bool):
        others = [not value]
    elif isinstance(value, (int, float)):
        half = value // 2 if isinstance(value, int) else value / 2
        others = [value - 1, value + 1, half, 2 * value]
    else:
        others = [spot.node.value for program in (search.mine, search.theirs) if program
                  for spot in program.spots if spot.kind == "Constant"
                  and isinstance(spot.node.value, str)]
    for other in dict.fromkeys(others):
        if other != value:
            yield _after(lambda _, other=other: other)


def _names(search, spot):
    mine = search.mine
    given = [s.name for s in mine.spots if s.kind in STORED and s.name]
    for other in dict.fromkeys([*mine.parameters, *given]):
        if other != spot.name:
            yield lambda function, operands, named, other=other: mine.names[other]


def _calls(search, spot):
    called = spot.node.func
    name = getattr(called, "attr", getattr(called, "id", ""))
    for i, j in itertools.combinations(range(1, 1 + min(len(spot.node.args), 4)), 2):
        def swapped(function, operands, named, i=i, j=j):
            operands = list(operands)
            operands[i], operands[j] = operands[j], operands[i]
            return function(*operands, **named)
        yield swapped
    for other in RELATED.get(name, ()):
        def related(function, operands, named, other=other):
            owner = getattr(operands[0], "__self__", None)
            return getattr(owner if hasattr(owner, other) else np, other)(*operands[1:], **named)
        yield related
    for word in [keyword.arg for keyword in spot.node.keywords]:
        yield lambda f, operands, named, word=word: f(
            *operands, **{key: value for key, value in named.items() if key != word})
    for more in (AXES if name in ("sum", "mean", "max", "min", "argmax", "argmin", "std", "var",
                                  "any", "all") else []) + search.keywords(name):
        yield lambda f, operands, named, more=more: f(*operands, **{**named, **more})
    if name == "range":
        yield from (_instead(lambda f, *a, by=by: f(*a[:-1], a[-1] + by)) for by in (1, -1))
    if spot.node.args:
        yield _instead(lambda f, first, *_, **__: first)
    yield _instead(lambda f, *_, **__: getattr(f, "__self__", None))


def _wraps(search, number, value):
    if value.dtype == bool:
        yield _after(np.logical_not if value.ndim else operator.not_)
        return
    if value.ndim == 2:
        yield _after(lambda v: v.T)
    if search.known.get(number) == "argument":
        return
    yield _after(lambda v: -v)
    if value.ndim:
        yield _after(lambda v: v.copy())


def _worded(search, number, change):
    """Return the place of a change, with what is to be said of it."""
    mine = search.mine
    spot, values = mine.spots[number], search.series.get(number, [])
    search._right(search.first, {number: change}, record=True)
    wanted = mine.series.get(number, [])
    got, want = next(((g, w) for g, w in zip(values, wanted, strict=False) if not _equal(g, w)),
                     (None, wanted[0] if wanted else None))
    line = spot.node.lineno
    quote = linecache.getline(mine.file, line).strip()
    text = mine.text(spot)
    inputs = [search.known.get(part) for part in spot.inputs]
    lines = [_right_before(search, number), _look(search, number, quote, text, want),
             _likeness(search, spot, got, want),
             ("What goes into it is right; with" if inputs and all(inputs) else "With")
             + " the right value there, the rest of your function gives the right result"
             + ("." if all(inputs) else "; but look also at what goes into it.")]
    return Place(line, quote, [text for text in lines if text])


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


def _name_among(search, value):
    """Return the name of the reference's quantity that a value is, if it has one."""
    if not isinstance(value, np.ndarray) or value.ndim:
        known = search._what_is(value) if value is not None else None
        return getattr(known, "name", None)
    return None


def _right_before(search, number):
    """Say which named values before a spot are right."""
    said, lesson = [], {quantity.name for quantity in search.quantities}
    for before in itertools.takewhile(lambda n: n != number, search.series):
        spot, known = search.mine.spots[before], search.known[before]
        name = getattr(known, "name", None)
        if spot.kind in STORED and name and (name == spot.name or (
                np.ndim(search.series[before][0]) and spot.name not in lesson)):
            said.append(f"`{spot.name}`" if spot.name == known.name else
                        f"`{spot.name}` (in this lesson `{known.name}`)")
    said = list(dict.fromkeys(said))[-4:]
    both = f"{', '.join(said[:-1])} and {said[-1]} are" if said[1:] else f"{''.join(said)} is"
    return f"Following your lines: {both} right." if said else ""


def _look(search, number, quote, text, want):
    """Quote the line, and say where in it to look."""
    spot, name = search.mine.spots[number], _name_among(search, want)
    whole = not text or text in (quote, quote.removeprefix("return "))
    if number == search.failed:
        return f"It stops at `{quote}`" + ("." if whole else f", in `{text}`.")
    if spot.kind == "Name":
        return (f"Then comes `{quote}`: `{name}` is wanted there in place of `{text}`." if name
                and name != text else
                f"Then comes `{quote}`: another value than `{text}` has is wanted there.")
    what = f"Look at the line `{quote}`" if whole else f"Look at `{text}` in the line `{quote}`"
    return f"{what}: it should be what the lesson calls `{name}`." if name else f"{what}."


def _likeness(search, spot, got, want):
    """Say what stands there beside what is wanted."""
    name = _name_among(search, got)
    if name and spot.kind != "Name":
        return f"As it stands, it is `{name}`."
    if not isinstance(got, np.ndarray) or not isinstance(want, np.ndarray):
        return ""
    if got.shape != want.shape:
        return f"It has shape {got.shape}; wanted {want.shape or 'one number'}."
    if got.dtype == bool or want.dtype == bool:
        return ""
    match = looks_like(got, want, search.exercise.sizes(*search.cases[search.first]))
    if match and (want.ndim or match[0] == "sign-flipped"):
        return f"It is {match[1].replace('the right one', 'what is wanted')}."
    if want.ndim == 0 and spot.kind != "Constant":
        return f"It comes to {got:.6g} here; wanted {want:.6g}."
    return ""
