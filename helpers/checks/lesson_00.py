"""Lesson 00: the exercise that shows how exercises work."""

from __future__ import annotations

import numpy as np

from helpers.checks.exercise import Exercise, Mistake


def _square(x):
    return np.vectorize(lambda value: float(value) * float(value))(x)


square = Exercise(
    id="00-square",
    name="square",
    truth=_square,
    cases=lambda: [(np.array([-1.5, 2.0, 0.5]),),
                   (np.random.default_rng(1).normal(size=(4, 3)),)],
    mistakes=(
        Mistake("doubled", lambda x: x * 2,
                "this is `x * 2`, twice the number; the square is the number times itself."),
        Mistake("wrong-power", lambda x: x ** 3,
                "this is the third power; the square is the second."),
        Mistake("wrong-power", lambda x: 2 ** x,
                "this is 2 to the power of `x`; the two have changed places."),
        Mistake("square-root", lambda x: np.sqrt(x),
                "this is the square root, which undoes a square."),
        Mistake("sign-lost", lambda x: x * np.abs(x),
                "negative numbers keep their sign here; the square of −1.5 is +2.25."),
        Mistake("summed", lambda x: np.sum(x ** 2),
                "the squares have been added up; give back one square for each entry."),
        Mistake("summed", lambda x: x @ x,
                "`@` multiplies and adds up; `*` works entry by entry."),
        Mistake("first-entry-only", lambda x: x[0] ** 2,
                "only the first entry has been squared; do it for the whole array at once."),
    ),
    hint="multiply `x` by itself, entry by entry, and return the result.",
    unlocks="You know now how a check answers. The course begins in 01.",
)
