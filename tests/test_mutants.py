"""No mechanical mutant of a solution passes its check, but for those that are equivalent.

And two of them at once are not called by the name of a third mistake.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from answers import EQUIVALENT
from mutants import mutants
from scoreboard import SCORE

from helpers.checks import answers as loader
from helpers.checks.exercise import exercises

SOLUTIONS = Path(__file__).parents[1] / "solutions"
PAIRS = 6  # of mutants at once, about, for each function
LESSONS = sorted(path.name[:2] for path in SOLUTIONS.glob("*.ipynb"))
PARTS = {e.id if len(e.parts) == 1 else f"{e.id}/{part.name}": part for n in LESSONS
         for e in exercises(importlib.import_module(f"helpers.checks.lesson_{n}"))
         for part in e.parts}


def surroundings(part):
    """Return the definition of a solution's function, and the namespace that it stands in."""
    path = loader._notebook_with(part.id, SOLUTIONS)
    space = {"__name__": f"notebook {path.stem}"}
    definition = None
    for statement in loader._needed([part.name], loader._bindings(path, part.id)):
        if isinstance(statement, ast.FunctionDef) and statement.name == part.name:
            definition = statement
        else:
            loader._run(statement, space, SOLUTIONS)
    return definition, space


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
def test_no_mutant_of_a_solution_passes_and_no_two_are_called_a_third(key):
    part = PARTS[key]
    definition, space = surroundings(part)
    singles = list(mutants(definition))
    survivors, names = [], {}
    for what, changed in singles:
        verdict = verdict_on(part, changed, space)
        names.setdefault(what, set()).add(verdict.mistake)
        if verdict.outcome == "correct":
            survivors.append(what)
    SCORE.mutants += len(singles)
    SCORE.survivors += len(survivors)
    assert sorted({*survivors}) == sorted(EQUIVALENT.get(key, {})), (
        "a survivor is a hole in the cases, or equivalent: then it stands in EQUIVALENT with the "
        "reason")
    known, thirds = {mistake.id for mistake in part.mistakes}, []
    for one, other, changed in two_at_once(singles):
        SCORE.pairs += 1
        mistake = verdict_on(part, changed, space).mistake
        if mistake in known - names[one] - names[other]:
            thirds.append((one, other, mistake))
    assert not thirds, "two mistakes are called by the name of a third: add a case that tells"
