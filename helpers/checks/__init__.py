"""Checks: each exercise's answer judged, its mistake named.

A notebook begins with ``from helpers.checks import lesson_02 as check`` and checks an answer with
``check.backprop(backprop)``. `diagnose` examines any gradient beside its loss, `hunt` hands over
one that may be wrong. `skip`, `mine`, `progress` and `summary` are described where they are
defined; `predict` asks for a guess, and `reveal` shows the truth under it.
"""

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
from helpers.checks.predictions import predict, reveal

__all__ = [
    "CheckFailed", "Diagnosis", "Exercise", "Group", "Mistake", "NotAttempted", "diagnose", "hunt",
    "mine", "predict", "progress", "reveal", "skip", "summary"]
