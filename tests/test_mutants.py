"""No mechanical mutant of a solution passes its check, but for those that are equivalent.

And two of them at once are not called by the name of a third mistake. Where one has no name, the
line that `place` quotes is the one that was changed.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import linecache
import random
import re
from pathlib import Path

import pytest
from answers import EQUIVALENT, RIGHT
from mutants import mutants
from scoreboard import SCORE

from helpers.checks import place, two
from helpers.checks.exercise import exercises
from helpers.memory import answers as loader
from helpers.memory.siblings import parsed

SOLUTIONS = Path(__file__).parents[1] / "solutions"
PLACES = 70  # mutants without a name, whose lines are looked at
SEED = 2026  # of the draw
TRIES = 600  # changes that are tried to find a line
LOADER = loader.Loader()
FIND_TWO = two.find
pytestmark = pytest.mark.usefixtures("names_only")
PAIRS = 6  # of mutants at once, about, for each function
LESSONS = sorted(path.name[:2] for path in SOLUTIONS.glob("[0-9]*.ipynb"))
PARTS = {e.id if len(e.parts) == 1 else f"{e.id}/{part.name}": part for n in LESSONS
         for e in exercises(importlib.import_module(f"helpers.checks.lesson_{n}"))
         for part in e.parts}


def surroundings(part):
    """Return the definition of a solution's function, and the namespace that it stands in."""
    functions = LOADER.functions(loader.find_exercise(part.id), SOLUTIONS)
    function = next(f for f in functions if f.__name__ == part.name)
    return parsed(inspect.getsource(function)).body[0], function.__globals__


def verdict_on(part, definition, space):
    own = dict(space)
    exec(compile(ast.Module([definition], type_ignores=[]), "<mutant>", "exec"), own)
    return part.judge(own[part.name])


def two_at_once(singles):
    """Yield (what, what, the function with both changes) for some pairs in different lines."""
    for one, changed in singles[::max(1, len(singles) // PAIRS)]:
        line = one.split(":")[0]
        again = dict(mutants(changed))
        other = next((what for what, _ in reversed(singles)
                      if what in again and not what.startswith(f"{line}:")), None)
        if other:
            yield one, other, again[other]


@pytest.mark.parametrize("key", PARTS)
def test_no_mutant_of_a_solution_passes_and_no_two_are_called_a_third(key, monkeypatch):
    part = PARTS[key]
    definition, space = surroundings(part)
    singles = list(mutants(definition))
    verdicts = [verdict_on(part, changed, space) for _, changed in singles]
    survivors = [what for (what, _), verdict in zip(singles, verdicts, strict=True)
                 if verdict.outcome == "correct"]
    SCORE.mutants += len(singles)
    SCORE.survivors += len(survivors)
    assert sorted({*survivors}) == sorted(EQUIVALENT.get(key, {})), (
        "a survivor is a hole in the cases, or equivalent: then it stands in EQUIVALENT with the "
        "reason")
    monkeypatch.setattr(two, "find", FIND_TWO)

    def names(what):
        return {verdict_on(part, changed, space).mistake
                for single, changed in singles if single == what}

    known, thirds = {mistake.id for mistake in part.mistakes}, []
    for one, other, changed in two_at_once(singles):
        SCORE.pairs += 1
        mistake = verdict_on(part, changed, space).mistake
        if mistake in known and mistake not in names(one) | names(other):
            thirds.append((one, other, mistake))
    assert not thirds, "two mistakes are called by the name of a third: add a case that tells"


def right_answers(key):
    """Yield (definition, namespace) of the solution and of the right answers in other styles."""
    yield surroundings(PARTS[key])
    for function in RIGHT[key]:
        code = getattr(function, "__code__", None)
        if code and not function.__closure__ and code.co_name != "<lambda>":
            tree = parsed("".join(linecache.getlines(code.co_filename)))
            yield from ((node, function.__globals__) for node in tree.body
                        if isinstance(node, ast.FunctionDef) and node.name == code.co_name
                        and node.lineno == code.co_firstlineno)


def from_cell(source, name, space):
    """Return a function whose lines can be read, as those of a notebook."""
    file, own = f"<mutant {name}>", dict(space)
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    exec(compile(source, file, "exec", dont_inherit=True), own)
    return own[name]


def is_changed(line, before, after, what):
    """Whether a line is one that was changed; of a line that was dropped, whether it misses it."""
    lines, old = after.splitlines(), before.splitlines()
    if "dropped " in what:
        given = re.findall(r"\w+", what.split("dropped ")[1].split(" = ")[0])
        return any(re.search(rf"\b{name}\b", lines[line - 1]) for name in given)
    same = [a == b for a, b in itertools.zip_longest(lines, old)]
    return not same[line - 1]


def nameless(draw, times=1):
    """Yield drawn mutants without a name, without end: (part, text before, after, changes, it).

    Each is changed so many times.
    """
    bases = [(key, *base) for key in PARTS for base in right_answers(key)]
    while True:
        key, definition, space = draw.choice(bases)
        changed, whats = definition, []
        for _ in range(times):
            what, changed = draw.choice([*mutants(changed)] or [("", changed)])
            whats.append(what)
        before, after = ast.unparse(definition), ast.unparse(changed)
        function = from_cell(after, definition.name, space)
        verdict = PARTS[key].judge(function)
        if verdict.outcome == "not yet" and not verdict.mistake:
            yield PARTS[key], before, after, whats, function


class Ticks:
    """A clock that goes on with each look at it: as many tries on every machine."""

    now = 0.0

    def thread_time(self):
        self.now += 1
        return self.now


def quoted(seed, times=1, **patience):
    """Return how many of a draw have a line quoted, and those whose line was not changed."""
    placed, wrong = 0, []
    drawn = nameless(random.Random(seed), times)
    for part, before, after, whats, function in itertools.islice(drawn, PLACES):
        found = place.find(part, function, **patience)
        placed += found is not None
        if found and not any(is_changed(found.line, before, after, what) for what in whats):
            wrong.append((part.id, whats, found.lines))
    return placed, wrong


def test_of_the_lines_that_are_quoted_nearly_all_were_changed(monkeypatch):
    """In one draw that is always the same; `tests/benchmark.py places` makes others."""
    monkeypatch.setattr(place, "time", Ticks())
    placed, wrong = quoted(SEED, seconds=TRIES)
    SCORE.nameless, SCORE.placed, SCORE.rightly_placed = PLACES, placed, placed - len(wrong)
    assert placed > 0.3 * PLACES
    assert len(wrong) <= 0.05 * placed, wrong
    placed, wrong = quoted(SEED, times=2, seconds=TRIES)
    assert placed > 0.2 * PLACES
    assert len(wrong) <= 0.1 * placed, wrong
