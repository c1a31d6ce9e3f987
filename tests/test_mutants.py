"""No mechanical mutant of a solution passes its check, but for those that are equivalent."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from answers import EQUIVALENT
from mutants import mutants
from scoreboard import SCORE

from helpers.checks import carry
from helpers.checks.exercise import exercises

SOLUTIONS = Path(__file__).parents[1] / "solutions"
LESSONS = sorted(path.name[:2] for path in SOLUTIONS.glob("*.ipynb"))
PARTS = {e.id if len(e.parts) == 1 else f"{e.id}/{part.name}": part for n in LESSONS
         for e in exercises(importlib.import_module(f"helpers.checks.lesson_{n}"))
         for part in e.parts}


def surroundings(part):
    """Return the definition of a solution's function, and the namespace that it stands in."""
    path = carry._notebook_with(part.id, SOLUTIONS)
    space = {"__name__": f"notebook {path.stem}"}
    definition = None
    for statement in carry._needed([part.name], carry._bindings(path, part.id)):
        if isinstance(statement, ast.FunctionDef) and statement.name == part.name:
            definition = statement
        else:
            carry._run(statement, space, SOLUTIONS)
    return definition, space


@pytest.mark.parametrize("key", PARTS)
def test_no_mutant_of_a_solution_passes(key):
    part = PARTS[key]
    definition, space = surroundings(part)
    known, survivors = EQUIVALENT.get(key, {}), []
    for what, changed in mutants(definition):
        own = dict(space)
        exec(compile(ast.Module([changed], type_ignores=[]), "<mutant>", "exec"), own)
        SCORE.mutants += 1
        if part.judge(own[part.name]).outcome == "correct":
            survivors.append(what)
    SCORE.survivors += len(survivors)
    assert sorted(survivors) == sorted(known), (
        "a survivor is a hole in the cases, or equivalent: then it stands in EQUIVALENT with the "
        "reason")
