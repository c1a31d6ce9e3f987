"""Playground: which mistakes does a falling loss hide?"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from helpers.checks.catalogue import reference
from helpers.checks.sandbox import Guard
from helpers.checks.show import SIGNS, as_html
from helpers.palette import OUTCOMES
from helpers.views.base import Live, Still, begun, live, twin
from helpers.views.missions import MISSIONS, Missions
from helpers.views.training import (
    DATA_SETS,
    LATER,
    Team,
    Training,
    as_cell,
    borrow,
    compare,
    team,
    usable_mistakes,
)

GRID, UNIT_GRID = 40, 16  # points of a map in each direction: the output's, a unit's
DRAWN, CURVE = 500, 200  # points and losses on the page, at most
RATES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0,
         20.0, 30.0)
CONTROLS = {  # name -> what it is called, its values
    "data": ("data", DATA_SETS),
    "noise": ("noise", (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)),
    "points": ("points", (50, 100, 200, 300, 400, 500)),
    "seed": ("seed", tuple(range(10))),
    "units": ("hidden units", tuple(range(1, 9))),
    "rate": ("rate", RATES),
    "momentum": ("momentum", (0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)),
    "batch": ("batch", ("all", 100, 50, 20, 10, 5)),
    "penalty": ("penalty", (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3)),
}
SHORT = ("data", "units", "rate")  # the controls of the short form
SPEEDS = {"slow": 1, "medium": 10, "fast": 10_000}  # steps between two pictures
AFRESH = ("data", "noise", "points", "seed", "units")  # what begins the training anew
GOING = ("rate", "momentum", "batch", "penalty")
BEGIN = {"data": "moons", "noise": 0.2, "points": 200, "seed": 0, "units": 4, "rate": 2.0,
         "momentum": 0, "batch": "all", "penalty": 0.001}
YOURS = "your own, as it stands"  # how the student's wrong backprop is called
ALT = ("A playground: a network of two inputs and {units} hidden units is trained on "
       "{points} points ({data}); after {steps} steps its loss is {loss:.2f} and it has "
       "{accuracy:.0%} of fresh points right. With the view you change data, network and training, "
       "and let a known mistake train beside it.")
NO_STILL = "A playground: a network is trained. There is no still picture of it: training failed."
COSINE = 1.0  # seconds for the gradient at the start


def playground(
    functions: Mapping[str, Callable] | None = None, *, short: bool = False, **begin: Any,
) -> Live | Still:
    """Return the playground on the student's own functions, in the form of lesson 05.

    Parameters
    ----------
    functions : name -> function, as `your_functions` returns them
        ``backprop``, ``loss``, ``initialise``, ``sgd_step``, and, for their controls,
        ``update_momentum``, ``update_params`` and ``minibatches``. What is missing or not right is
        the solution's; a wrong ``backprop`` trains beside the right one, with its card.
    short : fewer controls and no missions
    begin : settings at first, such as ``data="circles"``
    """
    chosen = team(functions or {})
    state = begun(lambda: Playground(chosen, {**BEGIN, **begin}, short))
    alt, figure = twin(state.still, NO_STILL)
    return live("play", state.respond, state.controls(), alt, still=figure, work=state.work)


class Playground:
    """What the view shows and does; `respond` and `work` are what the page asks for."""

    exercise = "05-backprop"  # whose known mistakes may train beside it

    def __init__(self, team: Team, settings: Mapping[str, Any], short: bool = False):
        self.team, self.short, self.missions = team, short, Missions()
        self.begin = dict(settings)
        self.right = team.functions["backprop"]
        self.counts, self.code, self.drawn = {"step": 0, "reset": 0, "code": 0}, "", 0
        self.known: dict[int, dict] = {}  # number of units -> the mistakes that train
        self.renew(settings, YOURS if team.suspect else "")

    def controls(self) -> dict[str, Any]:
        """Return the controls at first."""
        return {**self.begin, "beside": self.beside, "shown": 0, "speed": "medium",
                "borrow": "", "playing": False, **self.counts}

    def renew(self, settings: Mapping[str, Any], beside: str) -> None:
        """Begin the training anew; where that is stopped half-way, the one before goes on."""
        chosen = {name: settings[name] for name in CONTROLS}
        units = chosen["units"]
        if units not in self.known:
            self.known[units] = self._mistakes(units)
        known = self.known[units]
        gradients = {"right": self.right}
        if beside == YOURS:
            gradients[YOURS] = self.team.suspect
        elif beside in known:
            gradients[beside] = known[beside].wrong
        self.training = Training(self.team.functions, chosen, gradients)
        self.mistakes, self.beside, self.code, self.cosine = known, beside, "", ""
        self.counts["reset"] = settings.get("reset", 0)
        self.cosine = self._cosine()

    def follow(self, controls: Mapping[str, Any]) -> None:
        """Do what the controls say: new settings, a mistake, a reset, one step."""
        if controls.get("borrow") in LATER and controls["borrow"] not in self._earned():
            borrow(self.team, controls["borrow"])
        again = controls["reset"] != self.counts["reset"] or controls["beside"] != self.beside
        now = self.training.settings
        again = again or any(controls[name] != now[name] for name in AFRESH)
        if again:
            self.renew(controls, controls["beside"])
        else:
            self.training.change(**{name: controls[name] for name in GOING})
        if controls["step"] != self.counts["step"] and not controls["playing"]:
            self.training.step()
        if controls["code"] != self.counts["code"]:
            self.code = self._code()
        self.counts = {name: controls[name] for name in self.counts}

    def work(self, controls: Mapping[str, Any]) -> bool:
        """Make one step; return False where enough have been made for one picture."""
        self.follow(controls)
        alive = not all(run.error for run in self.training.runs)
        if alive and self.training.steps - self.drawn < SPEEDS[controls["speed"]]:
            self.training.step()
            return True
        return False

    def respond(self, controls: Mapping[str, Any]) -> dict[str, Any]:
        """Return all that is drawn."""
        self.follow(controls)
        training = self.training
        self.drawn = training.steps
        shown = training.runs[min(controls["shown"], len(training.runs) - 1)]
        return {**self._words(), "step": training.steps, "at": self._at(),
                "points": training.X[:DRAWN], "classes": training.y[:DRAWN].astype(np.uint8),
                "extent": self._extent(), "network": self._network(shown),
                "runs": [self._picture(run) for run in training.runs],
                "code": self.code}

    def _mistakes(self, units):
        return usable_mistakes(self.right, units)

    def _code(self):
        return as_cell(self.training, self.team.borrowed, self.mistakes.get(self.beside))

    def _values(self, name):
        return CONTROLS[name][1]

    def _words(self):
        missions = [] if self.short else [
            {"name": one.name, "text": one.text, "done": done, "note": note,
             "setup": {key: value for key, value in {**BEGIN, **one.setup}.items()
                       if self._has(key)}}
            for one, done, note in zip(MISSIONS, self.missions.look(self.training),
                                       self.missions.notes(self.training), strict=True)]
        names = SHORT if self.short else CONTROLS
        return {"controls": [{"name": name, "label": self._label(name),
                              "values": self._values(name)} for name in names if self._has(name)],
                "locked": [] if self.short else [
                    {"id": one, "name": what} for one, what in
                    (("06-momentum", "momentum"), ("06-minibatches", "mini-batches"))
                    if one not in self._earned()],
                "whose": self._whose(), "cards": self._cards(), "missions": missions,
                "mistakes": [*([YOURS] if self.team.suspect else []), *self.mistakes],
                "mistake": self._mistake()}

    def _earned(self):
        return [one for one, names in LATER.items()
                if all(name in self.team.functions for name in names)]

    def _has(self, name):
        needs = {"momentum": "06-momentum", "batch": "06-minibatches"}.get(name)
        return needs is None or needs in self._earned()

    def _label(self, name):
        part = {"momentum": "update_momentum", "batch": "minibatches", "penalty": "backprop"}
        return CONTROLS[name][0] + (" (borrowed)" if part.get(name) in self.team.borrowed else "")

    def _whose(self):
        own = [name for name in self.team.functions
               if name not in self.team.borrowed and name != "forward"]
        return (f"Yours: {', '.join(own) or 'none yet'}."
                + (f" Borrowed: {', '.join(self.team.borrowed)}." if self.team.borrowed else ""))

    def _cards(self):
        return [as_html(f"{SIGNS[verdict.outcome]} Not yet · {exercise}", verdict.lines,
                        OUTCOMES["not yet"]) for exercise, verdict in self.team.cards]

    def _cosine(self):
        run = self.training.runs[-1]
        if len(self.training.runs) < 2 or run.error:
            return ""
        call = Guard(COSINE).call(lambda: compare(self.training, run, self.training.start), ())
        run.busy = call.endless  # the run says so in its next step
        if call.error:  # it cannot be computed
            return ""
        cosine, apart = call.value
        if apart < 1e-9:
            return "At the start its gradient is the right one: with these settings it is none."
        return f"At the start: cosine with the right gradient {cosine:.3f}"

    def _mistake(self):
        if self.beside not in self.mistakes:
            return {"cosine": self.cosine} if self.beside == YOURS else {}
        one = self.mistakes[self.beside]
        right = reference(self.exercise, "backprop")[0].splitlines()
        changed = [line for line in difflib.ndiff(right, one.source.splitlines())
                   if line[0] in "+-"]
        return {"message": one.message, "cosine": self.cosine,
                "lines": [{"right": line[0] == "-", "code": line[2:].strip()} for line in changed]}

    def _extent(self):
        low, high = self.training.X.min(axis=0), self.training.X.max(axis=0)
        middle, half = (low + high) / 2, 0.54 * (high - low).max()
        return [float(v) for v in (middle[0] - half, middle[0] + half,
                                   middle[1] - half, middle[1] + half)]

    def _grid(self, n):
        x0, x1, y0, y1 = self._extent()
        return np.stack(np.meshgrid(np.linspace(x0, x1, n), np.linspace(y1, y0, n)),
                        axis=-1).reshape(-1, 2)

    def _forward(self, n, params):
        with np.errstate(all="ignore"):
            return self.team.functions["forward"](self._grid(n), params)

    def _network(self, run):
        params, units = run.params, self._forward(UNIT_GRID, run.params)["A1"].T
        return {"W1": params["W1"], "b1": params["b1"], "units": _as_bytes((units + 1) / 2),
                "W2": params["W2"][:, 1] - params["W2"][:, 0]}

    def _thin(self):
        return 1 + len(self.training.runs[0].train) // CURVE

    def _at(self):
        """Return the steps of the losses on the page."""
        longest = max(len(run.train) for run in self.training.runs)
        return np.arange(longest)[::self._thin()] * self.training.every

    def _picture(self, run):
        training, thin = self.training, self._thin()
        with np.errstate(all="ignore"):
            words = (f"loss {training.loss(run):.3f}, test {training.loss(run, test=True):.3f}, "
                     f"{100 * training.accuracy(run):.1f}\u00a0% of test points right")
        return {"name": run.name, "words": words, "error": run.error,
                "map": _as_bytes(self._forward(GRID, run.params)["Y_hat"][:, 1]),
                "train": np.array(run.train[::thin]), "test": np.array(run.test[::thin])}

    def still(self) -> tuple[str, Any]:
        """Return the still twin, a training of 400 steps: what it shows in words, its figure."""
        from matplotlib.figure import Figure

        from helpers import plots

        made = Training(self.team.functions, self.begin, {"right": self.right})
        for _ in range(400):
            made.step()
        run, figure = made.runs[0], Figure(figsize=(9, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        plots.decision_map(lambda X: self.team.functions["forward"](X, run.params)["Y_hat"][:, 1],
                           made.X, made.y, title="where the network says class 1", ax=left)
        at = made.every * np.arange(len(run.train))
        plots.log_curves({"train": (at, run.train), "test": (at, run.test)}, xlabel="step",
                         ylabel="loss", ax=right)
        return ALT.format(**self.begin, steps=made.steps, loss=made.loss(run),
                          accuracy=made.accuracy(run)), figure


def _as_bytes(values):
    values = np.nan_to_num(values, nan=0.5)
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
