"""Checks: each exercise's answer judged, its mistake named.

A notebook begins with ``from helpers.checks import lesson_02 as check`` and checks an answer with
``check.backprop(backprop)``. `diagnose` examines any gradient beside its loss, `hunt` hands over
one that may be wrong. `mine`, `skip`, `solution` and `reset` are about one exercise, `progress` and
`summary` about all; `predict` asks for a guess, and `reveal` shows the truth under it;
`recall` asks about a mistake of an earlier lesson.
"""

from helpers.checks.aids import reset, solution
from helpers.checks.answers import mine, skip
from helpers.checks.exercise import (
    CheckFailed,
    Exercise,
    Group,
    Mistake,
    NotAttempted,
)
from helpers.checks.gradient_report import Diagnosis, diagnose
from helpers.checks.hunts import hunt
from helpers.checks.overview import progress, summary
from helpers.checks.predictions import advise, predict, reveal
from helpers.checks.recall import recall
from helpers.checks.terms import glossary

__all__ = [
    "CheckFailed", "Diagnosis", "Exercise", "Group", "Mistake", "NotAttempted", "advise",
    "diagnose", "glossary", "hunt", "mine", "predict", "progress", "recall", "reset", "reveal",
    "skip", "solution", "summary"]
