"""Checks: each exercise's answer judged, its mistake named.

A notebook begins with ``from helpers.checks import lesson_02 as check`` and checks an answer with
``check.backprop(backprop)``. `diagnose` examines any gradient beside its loss, `hunt` hands over
one that may be wrong. `mine`, `skip`, `solution` and `reset` are about one exercise, `progress` and
`summary` about all; `predict` asks for a guess, and `reveal` shows the truth under it;
`recall` asks about a mistake of an earlier lesson.
"""

from helpers.checks.exercise import (
    CheckFailed,
    Exercise,
    Group,
    Mistake,
    NotAttempted,
)
from helpers.checks.gradient_report import Diagnosis, diagnose
from helpers.checks.hunts import hunt
from helpers.memory.aids import reset, solution
from helpers.memory.answers import mine, skip
from helpers.memory.overview import progress, summary
from helpers.memory.predictions import advise, predict, reveal
from helpers.memory.recall import recall
from helpers.memory.terms import glossary

__all__ = [
    "CheckFailed", "Diagnosis", "Exercise", "Group", "Mistake", "NotAttempted", "advise",
    "diagnose", "glossary", "hunt", "mine", "predict", "progress", "recall", "reset", "reveal",
    "skip", "solution", "summary"]
