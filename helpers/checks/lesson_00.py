"""Lesson 00: the exercise that shows how exercises work."""

from __future__ import annotations

import numpy as np

from helpers.checks.exercise import Exercise


def _square(x):
    return np.vectorize(lambda value: float(value) * float(value))(x)


square = Exercise(
    "00-square", "square", truth=_square,
    cases=lambda: [(np.array([-1.5, 2.0, 0.5]),),
                   (np.random.default_rng(1).normal(size=(4, 3)),)],
    hint="multiply `x` by itself, entry by entry, and return the result.",
    unlocks="You now know how a check answers. The course begins in 01.")
