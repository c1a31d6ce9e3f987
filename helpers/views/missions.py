"""The five missions of the playground: each looks at a training and says when its goal is reached.

`Missions` needs no view: what it is shown is a `Training`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.views.training import Training, compare

SWING, CALM = 25, 200  # losses that rose among the latest 100; steps


@dataclass(frozen=True)
class Mission:
    """A name, a goal in a sentence or two, settings to begin with, and what decides."""

    name: str
    text: str
    setup: dict[str, Any]
    reached: Callable[[Missions, Training], bool]


class Missions:
    """What has been reached, and what has been seen on the way."""

    def __init__(self):
        self.done = [False] * len(MISSIONS)
        self.calm: dict[tuple, set[float]] = {}  # settings but the rate -> the calm ones
        self.overfit: dict[tuple, float] = {}  # settings but the penalty -> test loss
        self.accurate: list[str] = []  # mistakes

    def look(self, training: Training) -> list[bool]:
        """Look at a training as it stands; return which missions are reached."""
        if training.runs[0].error == "":
            for number, mission in enumerate(MISSIONS):
                reached = mission.reached(self, training)
                self.done[number] = self.done[number] or bool(reached)
        return self.done

    def notes(self, training: Training) -> list[str]:
        """Return for each mission what has been seen so far with these settings, or nothing."""
        calm = max(self.calm.get(_but(training, "rate"), ()), default=0)
        seen = self.overfit.get(_but(training, "penalty"))
        return ["", f"calm so far: rate {calm:g}" if calm else "",
                f"overfitting seen: test loss {seen:.2f}; now the penalty" if seen else "",
                f"so far: {', '.join(self.accurate)}" if self.accurate else "", ""]


def _but(training, name):
    left = {key: value for key, value in training.settings.items() if key != name}
    return tuple(sorted(left.items(), key=lambda item: item[0]))


def _separates(seen, training):
    now = training.settings
    return (now["data"] == "circles" and now["units"] <= 3
            and training.accuracy(training.runs[0]) >= 0.97)


def _swings(seen, training):
    """A calm rate first, then one at most twice as large at which the loss goes up and down."""
    now, recent = training.settings, training.runs[0].recent
    if now["batch"] != "all" or now["momentum"] or len(recent) < recent.maxlen:
        return False
    rises, rate = int(np.sum(np.diff(recent) > 0)), now["rate"]
    calm = seen.calm.setdefault(_but(training, "rate"), set())
    if rises == 0 and training.steps >= CALM:
        calm.add(rate)
    elif rises >= SWING:
        calm.discard(rate)
    return rises >= SWING and any(rate / 2 <= one < rate for one in calm)


def _overfits(seen, training):
    """First a test loss far above its lowest, then far below that with a penalty alone."""
    run, key = training.runs[0], _but(training, "penalty")
    test, penalty = training.loss(run, test=True), training.settings["penalty"]
    if penalty == 0 and test > 1.3 * run.lowest:
        seen.overfit[key] = max(seen.overfit.get(key, 0), test)
    return penalty > 0 and training.steps >= 500 and test < 0.75 * seen.overfit.get(key, 0)


def _two_pass(seen, training):
    for run in training.runs[1:]:
        if (run.name not in seen.accurate and not run.error and training.accuracy(run) >= 0.98
                and compare(training, run)[1] > 1e-3):
            seen.accurate.append(run.name)
    return len(seen.accurate) >= 2


def _points_well(seen, training):
    if len(training.runs) < 2 or training.steps < 300:
        return False
    run, right = training.runs[1], training.loss(training.runs[0])
    lost = run.error or training.loss(run) > 3 * right
    return bool(lost) and right < 0.15 and compare(training, run, training.start)[0] > 0.9


MISSIONS = (
    Mission("As few as possible",
            "Separate the circles with as few hidden units as you can: 97 % of the test points "
            "with three or fewer.",
            {"data": "circles", "noise": 0.1, "points": 200, "units": 1, "rate": 2.0},
            _separates),
    Mission("Where it begins to swing",
            "Where does the loss begin to swing? Find a rate at which it falls in every step, and "
            "one at most twice as large at which it goes up and down.",
            {"data": "moons", "noise": 0.2, "points": 200, "units": 4, "rate": 0.5, "momentum": 0,
             "batch": "all", "penalty": 0.0}, _swings),
    Mission("Overfit, then mend",
            "Make it overfit, until the test loss stands 30 % above its lowest. Then mend it with "
            "the penalty alone: a quarter less, after 500 steps or more.",
            {"data": "moons", "noise": 0.4, "points": 100, "units": 4, "rate": 1.0, "momentum": 0,
             "batch": "all", "penalty": 0.0}, _overfits),
    Mission("Mistakes that pass",
            "Find two mistakes that reach 98 % of the test points though their gradient is wrong.",
            {"data": "circles", "noise": 0.1, "points": 200, "units": 4, "rate": 2.0,
             "penalty": 0.001}, _two_pass),
    Mission("The right direction, nearly",
            "Find a mistake whose first gradient points almost the right way (cosine above 0.9) "
            "and which still ends at three times the loss of the right one, once that is below "
            "0.15.",
            {"data": "moons", "noise": 0.2, "points": 200, "units": 4, "rate": 2.0,
             "penalty": 0.001}, _points_well),
)
