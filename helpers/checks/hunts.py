"""Hunts without end: a function that trains, from a lesson's page of mistakes or innocent."""

from __future__ import annotations

import hashlib
import html
import importlib
import secrets
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.checks.catalogue import mistakes, reference
from helpers.checks.sandbox import muted
from helpers.checks.show import as_html, as_text, show
from helpers.checks.trials import TRIALS, Trial
from helpers.palette import OUTCOMES

LAST: dict[str, str | None] = {}  # exercise -> the mistake that was handed over last


class Hunt:
    """One case: a gradient that trains, and the question whether you would sign it.

    `params` and `loss` are a place to start from and the loss of a dict of parameters, `source` is
    that of the function.
    """

    def __init__(self, exercise: str, number: int, trial: Trial, found: Any):
        self.exercise, self.number, self.params, self.loss = (
            exercise, number, trial.params, trial.loss)
        source, space = reference(exercise, trial.name)
        self._trial, self._mistake, self._right = trial, found, space[trial.name]
        self._function = found.wrong if found else self._right
        self.source = (found.source if found else source).strip()

    def gradient(self, params: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what the hunted function says is the gradient of `loss` at `params`."""
        return self._trial.gradient(self._function, params)

    def sign(self) -> None:
        """Say that every part is right."""
        if self._mistake is None:
            self._say("correct", "It is innocent: every entry is the gradient of its loss.")
        else:
            self._say("not yet", "One part of it is wrong, and you would have signed. A falling "
                      "loss tells only that a gradient is not hopeless: ask your checker, part by "
                      "part, `case.gradient(case.params)` beside `case.loss`.")

    def refuse(self, *parts: str) -> None:
        """Say which parts are wrong, by their names in `params`.

        Raises
        ------
        ValueError
            Where a name is none of them, or none is given.
        """
        if not parts or set(parts) - self.params.keys():
            raise ValueError(f"parts: {parts} came; names from {list(self.params)} were wanted")
        wrong = self._trial.wrong_parts(self._function, self._right)
        innocent = [f"`{name}`" for name in parts if name not in wrong]
        if not wrong:
            self._say("not yet", "It is innocent: every entry is the gradient of its loss. How did "
                      "you measure? Steps of both signs, about 1e-5, and the same parameters.")
        elif innocent:
            self._say("not yet", f"Do not sign, that is right. But {', '.join(innocent)} agrees "
                      "with differences of the loss; look at the others.")
        elif wrong - set(parts):
            self._say("not yet", "Right so far, and it is not all that is wrong: measure the other "
                      "parts too.")
        else:
            self._say("correct", "So it is: these parts and no others. Open its source, mend it "
                      "in a cell of your own, and hand that over: `case.mend(...)`.")

    def mend(self, function: Callable) -> None:
        """Judge a mended version; if it is right, show what the mistake would have cost."""
        module = importlib.import_module(f"helpers.checks.lesson_{self.exercise[:2]}")
        check = next(v for v in vars(module).values() if getattr(v, "id", "") == self.exercise)
        part = next(part for part in check.parts if part.name == self._trial.name)
        verdict = part.judge(function)
        if verdict.outcome != "correct" or self._mistake is None:
            show(verdict.outcome, self.exercise, verdict.lines)
            return
        before, after = (self._trial.losses(f) for f in (self._function, function))
        self._say("correct", f"Mended. It was *{self._mistake.id}*: {self._mistake.message}",
                  f"After {len(before)} steps the loss is {after[-1]:.3f}; with the mistake it is "
                  f"{before[-1]:.3f}.")
        from helpers import plots
        plots.loss_curves({"mended": after, "as it came": before}, xlabel="step")

    def _say(self, outcome, *lines):
        show(outcome, f"{self.exercise}, case {self.number}", list(lines))

    def _lines(self):
        losses = self._trial.losses(self._function)
        return [f"A colleague hands you this gradient. In {len(losses)} steps its loss goes "
                f"from {losses[0]:.3f} to {losses[-1]:.3f}.",
                "`case.gradient(params)` is what it says at `params`, `case.loss(params)` the "
                "loss, `case.params` a place to start: ask your own checker.",
                f"Then `case.sign()`, or `case.refuse(\"{next(iter(self.params))}\")` with all "
                "parts that are wrong. "
                f"The same case again: `hunt(\"{self.exercise}\", {self.number})`."]

    @property
    def _title(self):
        return f"Would you sign this? · {self.exercise}, case {self.number}"

    def __repr__(self) -> str:
        return as_text(self._title, self._lines())

    def _repr_html_(self) -> str:
        return as_html(self._title, self._lines(), OUTCOMES["skipped"]) + (
            f"<details><summary>Its source</summary><pre>{html.escape(self.source)}</pre>"
            "</details>")


def hunt(exercise: str, number: int | None = None) -> Hunt:
    """Hand over a gradient that trains and may be wrong.

    Parameters
    ----------
    exercise : such as ``"05-backprop"``
    number : of the case; the same number is the same case. By default a new one is drawn, and no
        mistake twice in a row. One in three is innocent, whatever came before.

    Raises
    ------
    ValueError
        Where there is no hunt for this exercise.
    """
    if exercise not in TRIALS:
        raise ValueError(f"exercise: {exercise!r} came; there are hunts for {sorted(TRIALS)}")
    trial = TRIALS[exercise]()
    while True:
        drawn = secrets.randbelow(9000) + 1000 if number is None else number
        found = _draw(exercise, trial, drawn)
        if number is not None or not found or found.id != LAST.get(exercise):
            LAST[exercise] = found and found.id
            return Hunt(exercise, drawn, trial, found)


def _draw(exercise, trial, number):
    """Return the mistake of a case, one that trains; None for an innocent one.

    By a hash: a case stays what it is when a page gets new mistakes, unless one comes first.
    """
    def place(text):
        return hashlib.sha256(f"{exercise} {number} {text}".encode()).hexdigest()

    if int(place("innocent"), 16) % 3 == 0:
        return None
    right = reference(exercise, trial.name)[1][trial.name]
    known = sorted(mistakes(exercise, trial.name), key=lambda m: (place(m.id), place(m.source)))
    return next((mistake for mistake in known if _trains(trial, mistake.wrong, right)), None)


def _trains(trial, function, right):
    try:
        with muted():
            losses = trial.losses(function) if trial.wrong_parts(function, right) else []
    except Exception:  # it raises, or returns no gradient
        return False
    return bool(len(losses) and np.isfinite(losses).all() and losses[-1] < losses[0])
