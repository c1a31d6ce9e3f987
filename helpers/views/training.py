"""What the playground trains: data sets, the student's functions, and trainings side by side.

Plain Python, without a view: `data_set` draws points, `team` says whose function plays which part,
`Training` steps one or two gradients from the same start, `as_cell` writes the code that does it.
"""

from __future__ import annotations

import inspect
import types
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from helpers import datasets
from helpers.checks.catalogue import Mistake, mistakes
from helpers.checks.judge import Verdict
from helpers.memory.answers import SKIPPED, SOLUTIONS, Loader, find_exercise, own
from helpers.memory.siblings import Unreadable

DATA_SETS = ("moons", "circles", "rings", "xor", "spiral")
TEST_POINTS, TEST_SEED = 500, 1000  # what is added to the seed for the points to test with
NEEDED = {"04-sgd-step": ("sgd_step",), "05-loss": ("loss",), "05-backprop": ("backprop",),
          "05-initialise": ("initialise",)}
LATER = {"06-momentum": ("update_momentum", "update_params"), "06-minibatches": ("minibatches",)}
RECENT, KEPT = 100, 400  # losses: of each of the latest steps, and of the whole training
MARKS = ("# BEGIN SOLUTION", "# END SOLUTION")
ENDLESS = "stopped while it ran: is there a loop that never ends?"


def data_set(
    name: str, points: int = 200, noise: float = 0.1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return two classes in the plane: X (points, 2) and y (points,), 0 or 1.

    Parameters
    ----------
    name : one of `DATA_SETS`
    points : an even number
    noise : standard deviation, where the shapes are about 2 wide
    seed : of the generator

    Raises
    ------
    ValueError
        Where there is no such data set.
    """
    rng = np.random.default_rng(seed)
    if name == "moons":
        return datasets.moons(points, noise, seed)
    if name == "circles":
        return datasets.make_circles(points, factor=0.4, noise=noise, seed=seed)
    if name == "rings":
        X, y = datasets.rings(points, np.random.RandomState(seed))
        X, y = X / 2.5, y.ravel().astype(int)
    elif name == "xor":
        X = rng.uniform(-1.5, 1.5, size=(points, 2))
        y = (X[:, 0] * X[:, 1] < 0).astype(int)
    elif name == "spiral":
        y, along = np.arange(points) % 2, rng.uniform(0.1, 1, size=points)
        angle = 4.5 * along + np.pi * y
        X = 2 * along[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    else:
        raise ValueError(f"data set: {name!r} came, one of {', '.join(DATA_SETS)} was wanted")
    return X + rng.normal(scale=noise, size=X.shape), y


@dataclass
class Team:
    """Whose function plays which part.

    Attributes
    ----------
    functions : name -> function, all of them right
    borrowed : names of those that are the solution's
    cards : (exercise, verdict) of functions that are not right yet
    suspect : the student's backprop where it is one of these
    """

    functions: dict[str, Callable]
    borrowed: list[str] = field(default_factory=list)
    cards: list[tuple[str, Verdict]] = field(default_factory=list)
    suspect: Callable | None = None


def your_functions() -> dict[str, Callable]:
    """Return the functions that the playground can use, as `mine` finds them, right or wrong.

    Stubs and what is not there are left out.
    """
    found = {}
    for exercise, names in {**NEEDED, **LATER}.items():
        functions, verdict = own(exercise)
        if functions and verdict.outcome != "not attempted":
            found.update(zip(names, functions, strict=True))
    return found


def borrow(team: Team, exercise: str) -> None:
    """Put the solution's functions of an exercise into a team.

    Raises
    ------
    LookupError
        Where the solutions are not here.
    """
    names = {**NEEDED, **LATER}[exercise]
    functions = _solution(exercise)
    team.functions.update(zip(names, functions, strict=True))
    team.borrowed += [name for name in names if name not in team.borrowed]


def _solution(exercise):
    try:
        return Loader().functions(find_exercise(exercise), SOLUTIONS, SKIPPED)
    except (Unreadable, OSError):
        raise LookupError(f"{exercise} cannot be borrowed: the folder with the solutions is not "
                          "here; hand over functions of your own") from None


def team(given: Mapping[str, Callable]) -> Team:
    """Return who plays: a given function where its check finds it right, or else the solution's.

    Momentum and mini-batches are left out where they are not given.
    """
    made = Team({})
    for exercise, names in {**NEEDED, **LATER}.items():
        functions = [given[name] for name in names if name in given]
        whole = len(functions) == len(names)
        verdict = find_exercise(exercise).judge(*functions) if whole else None
        if verdict and verdict.outcome in ("correct", "skipped"):
            made.functions.update(zip(names, functions, strict=True))
            made.borrowed += names if verdict.outcome == "skipped" else ()
            continue
        if verdict and verdict.outcome == "not yet":
            made.cards.append((exercise, verdict))
            made.suspect = given["backprop"] if names == ("backprop",) else made.suspect
        if exercise in NEEDED:
            borrow(made, exercise)
    made.functions["forward"] = _forward(given, made.functions)
    return made


def _forward(given, functions):
    """Return a forward that hands over a cache: one given, or the one that a function calls."""
    start = functions["initialise"](2, 3, 2, np.random.default_rng(0))
    for one in (given.get("forward"), *(getattr(functions[name], "__globals__", {}).get("forward")
                                        for name in ("loss", "backprop"))):
        try:
            cache = one(np.ones((5, 2)), start)
            if np.shape(cache["A1"]) == (5, 3) and np.shape(cache["Y_hat"]) == (5, 2):
                return one
        except Exception:  # it is none of lesson 05
            continue
    return _solution("05-loss")[0].__globals__["forward"]


class Run:
    """One training: its gradient, where it stands, and its losses (cross-entropy, no penalty)."""

    def __init__(self, name: str, backprop: Callable, start: dict[str, np.ndarray]):
        self.name, self.backprop, self.params, self.error = name, backprop, dict(start), ""
        self.velocity = {key: np.zeros_like(value) for key, value in start.items()}
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.train: list[float] = []
        self.test: list[float] = []
        self.lowest = np.inf  # test loss
        self.busy = False


class Training:
    """One gradient, or two beside each other, on the same data from the same start.

    Parameters
    ----------
    functions : forward, loss, initialise, sgd_step; update_momentum, update_params, minibatches
        where momentum or batches are wanted; data_set where it is not the one here
    settings : data, points, noise, seed, units, rate, momentum, batch ("all" or a number), penalty
    gradients : name -> backprop, the right one first

    Attributes
    ----------
    steps : made so far
    every : so many steps lie between two losses in `Run.train` and `Run.test`
    """

    def __init__(self, functions: Mapping[str, Callable], settings: Mapping[str, Any],
                 gradients: Mapping[str, Callable]):
        self.functions, self.settings = functions, dict(settings)
        draw = functions.get("data_set", data_set)
        drawn = {key: settings[key] for key in ("points", "noise", "seed")}
        self.X, self.y = draw(settings["data"], **drawn)
        self.X_test, self.y_test = draw(settings["data"], TEST_POINTS, settings["noise"],
                                        settings["seed"] + TEST_SEED)
        self.start = functions["initialise"](
            2, settings["units"], 2, np.random.default_rng(settings["seed"]))
        self.rng, self.batches = np.random.default_rng(settings["seed"]), []
        self.steps, self.every, self.changed = 0, 1, False
        self.runs = [Run(name, one, self.start) for name, one in gradients.items()]
        for run in self.runs:
            self._try(run, self._note)

    def change(self, **settings: Any) -> None:
        """Go on with another rate, momentum, batch or penalty."""
        if any(self.settings[key] != value for key, value in settings.items()):
            self.settings.update(settings)
            self.batches, self.changed = [], self.changed or self.steps > 0
            for run in self.runs:
                run.recent.clear()

    def step(self) -> None:
        """Make one step of every run; one that fails stands still and keeps its error."""
        self.steps += 1
        rows = self._rows()
        with np.errstate(all="ignore"):
            for run in self.runs:
                self._try(run, self._advance, rows)
        if self.steps % self.every == 0:
            for run in self.runs:
                self._try(run, self._note)
            if len(self.runs[0].train) > KEPT:
                self.every *= 2
                for run in self.runs:
                    run.train, run.test = run.train[::2], run.test[::2]

    def loss(self, run: Run, test: bool = False) -> float:
        """Return the cross-entropy of a run, without penalty, on the training or the test set."""
        X, y = (self.X_test, self.y_test) if test else (self.X, self.y)
        return float(self.functions["loss"](X, y, run.params, 0))

    def accuracy(self, run: Run) -> float:
        """Return the share of the test points that a run has right."""
        Y_hat = self.functions["forward"](self.X_test, run.params)["Y_hat"]
        return float(np.mean(Y_hat.argmax(axis=1) == self.y_test))

    def _rows(self):
        size = self.settings["batch"]
        if size == "all" or size >= len(self.y):
            return slice(None)
        if not self.batches:
            self.batches = list(self.functions["minibatches"](len(self.y), size, self.rng))[::-1]
        return self.batches.pop()

    def _try(self, run, work, *args):
        if run.busy and not run.error:  # a `TimeUp` has ended the last call and all lines here
            run.error = f"step {self.steps}: {ENDLESS}"
        if run.error:
            return
        run.busy = True
        try:
            work(run, *args)
        except Exception as error:
            run.error = f"step {self.steps}: {type(error).__name__}: {error}"
        run.busy = False

    def _advance(self, run, rows):
        use, settings = self.functions, self.settings
        grads = run.backprop(self.X[rows], self.y[rows], run.params, settings["penalty"])
        check_shapes(grads, run.params)
        if settings["momentum"]:
            run.velocity = use["update_momentum"](run.velocity, grads, settings["rate"],
                                                  settings["momentum"])
            run.params = use["update_params"](run.params, run.velocity)
        else:
            run.params = use["sgd_step"](run.params, grads, settings["rate"])
        run.recent.append(self.loss(run))
        if not np.isfinite(run.recent[-1]):
            raise FloatingPointError(f"the loss is {run.recent[-1]}: the weights have grown beyond "
                                     "all numbers")

    def _note(self, run):
        run.train.append(run.recent[-1] if run.recent else self.loss(run))
        run.test.append(self.loss(run, test=True))
        run.lowest = min(run.lowest, run.test[-1])


def check_shapes(grads: dict[str, np.ndarray], params: dict[str, np.ndarray]) -> None:
    """Raise where a gradient has not the keys and shapes of the parameters.

    Raises
    ------
    ValueError
    """
    if not isinstance(grads, Mapping) or grads.keys() != params.keys():
        came = ", ".join(map(str, grads)) if isinstance(grads, Mapping) else type(grads).__name__
        raise ValueError(f"backprop: {came} came, a dict of {', '.join(params)} was wanted")
    for key, value in params.items():
        if np.shape(grads[key]) != value.shape:
            raise ValueError(f"backprop: {key} of shape {np.shape(grads[key])} came, {value.shape} "
                             "was wanted")


def compare(training: Training, run: Run, params: dict | None = None) -> tuple[float, float]:
    """Return (cosine, relative distance) of a run's gradient and the right one.

    Both on all training points, at the run's own parameters or at others.
    """
    params = run.params if params is None else params
    args = training.X, training.y, params, training.settings["penalty"]
    wrong, right = (_flat(one.backprop(*args)) for one in (run, training.runs[0]))
    sizes = np.linalg.norm(wrong), np.linalg.norm(right)
    cosine = float(wrong @ right / (sizes[0] * sizes[1])) if min(sizes) > 0 else 0.0
    return cosine, float(np.linalg.norm(wrong - right) / max(sizes[1], 1e-300))


def _flat(grads):
    return np.concatenate([np.ravel(grads[key]) for key in sorted(grads)])


def usable_mistakes(
    right: Callable, units: int, known: Sequence[Mistake] | None = None,
) -> dict[str, Mistake]:
    """Return the known mistakes of backprop that train: shapes right, numbers wrong.

    They are named by their id; where several share one, with a number behind it. `known` are those
    of lesson 05 by default.
    """
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(11, 2)), np.arange(11) % 2
    params = {"W1": rng.normal(size=(2, units)), "b1": rng.normal(size=units),
              "W2": rng.normal(size=(units, 2)), "b2": rng.normal(size=2)}
    want, found = right(X, y, params, 0.1), {}
    for mistake in mistakes("05-backprop", "backprop") if known is None else known:
        try:
            with np.errstate(all="ignore"):
                came = mistake.wrong(X, y, params, 0.1)
            check_shapes(came, params)
        except Exception:  # it does not train at all
            continue
        if not all(np.allclose(came[key], want[key]) for key in params):
            found.setdefault(mistake.id, []).append(mistake)
    return {id_ if len(rows) == 1 else f"{id_} {number}": row
            for id_, rows in found.items() for number, row in enumerate(rows, start=1)}


# the code on the screen

def as_cell(
    training: Training, borrowed: Container[str] = (), mistake: Mistake | None = None,
) -> str:
    """Return the code of a cell that does what the first run has done.

    Parameters
    ----------
    training : what is on the screen
    borrowed : names of functions that come by `skip`
    mistake : one whose code is to stand there as well
    """
    settings = training.settings
    batched = settings["batch"] != "all" and settings["batch"] < len(training.y)
    wanted = ["05-initialise", "05-backprop", "05-loss",
              "06-momentum" if settings["momentum"] else "04-sgd-step"]
    wanted += ["06-minibatches"] if batched else []
    names = {exercise: {**NEEDED, **LATER}[exercise] for exercise in wanted}
    skipped = [f'{", ".join(names[one])} = skip("{one}")' for one in wanted
               if names[one][0] in borrowed]
    own = [training.functions[name] for one in wanted for name in names[one]
           if name not in borrowed]
    parts = sources(own + [training.functions["forward"]] * (mistake is not None))
    if mistake is not None:
        if not any(part.startswith("def output_delta(") for part in parts):
            skipped.append('output_delta = skip("05-softmax-delta")')
        parts.append(f"# the mistake {mistake.id}: call mistaken_backprop below to train it\n"
                     + mistake.source.strip().replace("def backprop(", "def mistaken_backprop("))
    head = ["import numpy as np", "", *(["from helpers.checks import skip"] if skipped else []),
            "from helpers.views.training import data_set"]
    return "\n\n\n".join(["\n".join(head), *(["\n".join(skipped)] if skipped else []), *parts,
                          _loop(training, batched)]) + "\n"


def _loop(training, batched):
    now = training.settings
    begin = [f'X, y = data_set("{now["data"]}", {now["points"]}, {now["noise"]}, {now["seed"]})',
             f"rng = np.random.default_rng({now['seed']})",
             f"params = initialise(2, {now['units']}, 2, np.random.default_rng({now['seed']}))"]
    if now["momentum"]:
        begin.append("velocity = {k: np.zeros_like(W) for k, W in params.items()}")
    if training.changed:
        begin.insert(0, "# Settings were changed on the way; here the last ones hold throughout.")
    points, body = "X, y", []
    if batched:
        begin.append("batches = []")
        body += [f"batches = batches or list(minibatches(len(y), {now['batch']}, rng))",
                 "rows = batches.pop(0)"]
        points = "X[rows], y[rows]"
    body.append(f"grads = backprop({points}, params, {now['penalty']})")
    body += [f"velocity = update_momentum(velocity, grads, {now['rate']}, {now['momentum']})",
             "params = update_params(params, velocity)"] if now["momentum"] else [
        f"params = sgd_step(params, grads, {now['rate']})"]
    return "\n".join([*begin, f"for _ in range({training.steps}):",
                      *(f"    {line}" for line in body),
                      'print(f"loss {loss(X, y, params, 0):.4f}")'])


def sources(functions: list[Callable]) -> list[str]:
    """Return the source of functions and of those of their notebooks that they call, callees first.

    Of two functions with one name, the first counts.
    """
    found: dict[str, str] = {}

    def add(function):
        if function.__name__ in found:
            return
        found[function.__name__] = ""  # it may call itself
        space = function.__globals__
        called = [space.get(name) for name in _names(function.__code__)]
        for other in called:
            if isinstance(other, types.FunctionType) and _in_notebook(other):
                add(other)
        source = _source(function)
        found.pop(function.__name__)
        found[function.__name__] = source

    for function in functions:
        add(function)
    return list(found.values())


def _in_notebook(function):
    name = str(function.__globals__.get("__name__"))
    return name.startswith(("notebook ", "kept ")) or name == "__main__"


def _source(function):
    try:
        lines = inspect.getsource(function).strip().splitlines()
    except (OSError, TypeError):
        return f"# {function.__name__}: its source cannot be read"
    return "\n".join(line for line in lines if line.strip() not in MARKS)


def _names(code):
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return [*code.co_names, *(name for const in inner for name in _names(const))]
