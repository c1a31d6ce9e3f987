"""Step through backprop: which two numbers made this gradient?

A *story* is plain data: nodes and edges with their numbers, and frames, each of which says what is
computed next. `network_story`, `chain_story` and `graph_story` make stories from what the student's
functions returned; the view only shows them.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from helpers.views.base import Live, Recorded, Still, live, recorded, twin

WIDTH, ROW = 640, 112  # of the picture, and of a unit in it
ALT = ("A network that is stepped through: {first}, and so on in {count} steps, each with its "
       "formula and its numbers.")
MOVED = ("A network whose inputs and weights are moved with sliders; the numbers in its units are "
         "what `forward` returns.")


def number(value: float, digits: int = 4) -> str:
    """Return a number as the views write it: few digits, and a real minus sign."""
    value = float(value)
    return "0" if abs(value) < 1e-15 else f"{value:.{digits}g}".replace("-", "−")


def _factor(value, digits=4):
    return f"({number(value, digits)})" if value < 0 else number(value, digits)


def _sum_of(pairs):
    return " + ".join(f"{_factor(a, 3)}·{_factor(b, 3)}" for a, b in pairs)


def step_through(
    stories: dict[str, dict], what: str = "sample", still: Any = "",
) -> Recorded:
    """Return a view that steps through one or several stories.

    Parameters
    ----------
    stories : name -> a story, as `network_story` or `chain_story` returns it
    what : what the names are, such as ``"sample"``
    still : a picture for those who read it without stepping, a Matplotlib figure
    """
    frames = next(iter(stories.values()))["frames"]
    rows = "".join(f"<li>{html.escape(f['title'])}: {html.escape(f['formula'])}; "
                   f"{html.escape(f['numbers'])}</li>" for f in frames)
    named = [{"name": name, **story} for name, story in stories.items()]
    view = recorded("step", {"stories": named, "what": what, "error": ""},
                    ALT.format(first=frames[0]["title"], count=len(frames)),
                    height=160 + named[0]["height"], still=still)
    view.twin.still += f"<ol>{rows}</ol>"
    return view


def step_backprop(
    X_b: np.ndarray, y: np.ndarray, W1: np.ndarray, W2: np.ndarray, forward: Callable,
    hidden_delta: Callable, backprop: Callable, loss: Callable, *, rate: float = 0.01,
    names: Sequence[str] = (),
) -> Recorded:
    """Return a view that steps each sample through the student's functions of lessons 01 and 02.

    Parameters
    ----------
    X_b : (N, D+1), the samples to choose from, bias first
    y : (N, 1)
    W1, W2 : (D+1, H) and (H+1, 1), the bias in row 0
    forward, hidden_delta, backprop, loss : as the lessons define them
    rate : of the update at the end
    names : what the inputs are called
    """
    stories, parts = {}, None
    for n in range(len(X_b)):
        x, wanted = X_b[n:n + 1], y[n:n + 1]
        dW1, dW2 = backprop(x, wanted, W1, W2)
        _check_shapes(dW1=(dW1, W1), dW2=(dW2, W2))
        Z1, A1, Y_hat = forward(x, W1, W2)
        after = forward(x, W1 - rate * dW1, W2 - rate * dW2)[2]
        dZ1 = hidden_delta(Y_hat - wanted, W2, Z1)
        parts = parts or {"activations": [x[0, 1:], A1[0], Y_hat[0]], "gradients": [dW1, dW2],
                          "deltas": [dZ1[0], (Y_hat - wanted)[0]]}
        layers = _with_bias_rows((Z1, A1), (Y_hat, Y_hat), W1, W2, dW1, dW2,
                                 dZ1, Y_hat - wanted)
        stories[f"{n + 1}"] = network_story(
            x[0, 1:], wanted[0], layers, loss(wanted, Y_hat), rate=rate,
            loss_after=loss(wanted, after), right=_truth(x, wanted, W1, W2),
            names=[[*names], [f"unit {h + 1}" for h in range(W1.shape[1])], ["ŷ"]] if names else ())
    return step_through(stories, still=_drawing(W1, W2, **parts))


def _drawing(W1, W2, activations, **parts):
    """Return the network of lesson 01 as a figure."""
    from matplotlib.figure import Figure

    from helpers.draw import draw_network

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    draw_network([len(a) for a in activations], bias=True, weights=[W1, W2],
                 activations=activations, **parts, ax=figure.subplots())
    return figure


def _check_shapes(**pairs):
    for name, (came, wanted) in pairs.items():
        if np.shape(came) != np.shape(wanted):
            raise ValueError(f"{name}: shape {np.shape(came)} came, {np.shape(wanted)} was wanted")


def _with_bias_rows(hidden, output, W1, W2, dW1, dW2, dZ1, dZ2):
    slopes = (hidden[1] * (1 - hidden[1]))[0], np.ones(W2.shape[1])
    return [{"W": W[1:], "b": W[0], "Z": Z[0], "A": A[0], "dW": dW[1:], "db": dW[0], "dZ": dZ[0],
             "slope": slope}
            for (Z, A), W, dW, dZ, slope in zip((hidden, output), (W1, W2), (dW1, dW2), (dZ1, dZ2),
                                                slopes, strict=True)]


def _truth(x, y, W1, W2):
    from helpers.checks.truth import income_gradients, income_network

    Z1, A1, Y_hat = income_network(x, W1, W2)
    dZ2 = Y_hat - y
    dZ1 = dZ2 @ W2[1:].T * A1 * (1 - A1)
    return _with_bias_rows((Z1, A1), (Y_hat, Y_hat), W1, W2, *income_gradients(x, y, W1, W2),
                           dZ1, dZ2)


def step_forward(
    forward: Callable, x: np.ndarray, W1: np.ndarray, W2: np.ndarray, names: Sequence[str] = (),
) -> Live | Still:
    """Return a view in which sliders move the inputs and the weights of the student's `forward`.

    Parameters
    ----------
    forward : takes X_b (1, D+1), W1 (D+1, H), W2 (H+1, K), returns Z1, A1, Y_hat
    x : (D,) the inputs at first, without a bias
    W1, W2 : the weights at first, the bias in row 0
    names : what the inputs are called
    """
    x = np.asarray(x, float)
    ends = np.cumsum([x.size, W1.size, W2.size])

    def respond(controls):
        values = np.array(controls["values"], float)
        x, W1_now, W2_now = np.split(values, ends)[:3]
        W1_now, W2_now = W1_now.reshape(W1.shape), W2_now.reshape(W2.shape)
        Z1, A1, Y_hat = (np.asarray(a, float) for a in forward(
            np.array([[1, *x]]), W1_now, W2_now))
        _check_shapes(Z1=(Z1, W1[:1]), A1=(A1, W1[:1]), Y_hat=(Y_hat, W2[:1]))
        layers = [{"W": W1_now[1:], "b": W1_now[0], "Z": Z1[0], "A": A1[0]},
                  {"W": W2_now[1:], "b": W2_now[0], "Z": Y_hat[0], "A": Y_hat[0]}]
        story = network_story(x, [], layers, names=[
            [*names], [f"unit {h + 1}" for h in range(len(A1[0]))],
            [f"ŷ{k + 1}" if k else "ŷ" for k in range(len(Y_hat[0]))]] if names else ())
        first.setdefault("output", float(Y_hat[0, 0]))
        story["frames"][-1]["title"] = (f"ŷ = {number(Y_hat[0, 0])}, at first "
                                        f"{number(first['output'])}")
        wrong = not all(np.isfinite(a).all() for a in (Z1, A1, Y_hat))
        return {"stories": [{"name": "", **_slots(story, x.size, W1.shape, W2.shape)}],
                "error": "your function returned nan or inf" if wrong else ""}

    first: dict[str, float] = {}
    def pictured():
        _, A1, Y_hat = forward(np.array([[1, *x]]), W1.copy(), W2.copy())
        return MOVED, _drawing(W1, W2, [x, A1[0], Y_hat[0]])

    start = [float(v) for v in (*x.ravel(), *W1.ravel(), *W2.ravel())]
    alt, still = twin(pictured, MOVED)
    return live("step", respond, {"values": start}, alt, still=still)


def _slots(story, inputs, *shapes):
    """Say of each input and weight at which place of the controls it stands."""
    first = [inputs, inputs + shapes[0][0] * shapes[0][1]]
    for edge in story["edges"]:
        at, unit, to = map(int, edge["id"][1:].split("_"))
        edge["slot"] = first[at] + (unit + 1) * shapes[at][1] + to
    for unit, node in enumerate(n for n in story["nodes"] if n["id"].startswith("n0_")
                                and n["kind"] == "unit"):
        node["slot"] = unit
    return story


def network_story(
    x: np.ndarray, y: np.ndarray, layers: Sequence[dict[str, Any]], loss: float = 0.0, *,
    activation: str = "sigmoid", output: str = "", rate: float = 0.0,
    loss_after: float | None = None, right: Sequence[dict[str, np.ndarray]] = (),
    names: Sequence[Sequence[str]] = (),
) -> dict:
    """Return the story of one sample's way through a network and back.

    Parameters
    ----------
    x : (D,) inputs, without a bias
    y : (K,) what was wanted
    layers : of each layer ``W (in, out)``, ``b (out,)``, ``Z``, ``A`` and, for the way back,
        ``slope`` (the derivative of the activation at Z), ``dZ (out,)``, ``dW (in, out)``,
        ``db (out,)``, as the student's functions returned them
    loss, loss_after : before and after an update with `rate`
    activation, output : what stands between a hidden Z and its A; the same at the output, or none
    right : of each layer ``dZ``, ``dW``, ``db`` as they should be: what differs is marked
    names : what the units are called, layer by layer, inputs first
    """
    sizes = [len(x), *(layer["W"].shape[1] for layer in layers)]
    names = names or [[f"x{d + 1}" for d in range(sizes[0])],
                      *([f"h{h + 1}" for h in range(n)] for n in sizes[1:-1]),
                      [f"ŷ{k + 1}" if sizes[-1] > 1 else "ŷ" for k in range(sizes[-1])]]
    story = _Story(sizes, names, layers, right)
    story.inputs(x)
    for at in range(len(layers)):
        story.forward(at, output if at == len(layers) - 1 else activation)
    if "dZ" in layers[0]:
        story.say("the loss", "how far is ŷ from y?", "y = " + ", ".join(map(number, y))
                  + f", J = {number(loss)}", [])
        for at in reversed(range(len(layers))):
            story.back(at, y, activation)
        for at in reversed(range(len(layers))):
            story.gradients(at)
    if loss_after is not None:
        story.say("the update", "every weight: w − rate · its gradient",
                  f"with rate {rate:g} the loss of this sample goes from {number(loss)} to "
                  f"{number(loss_after)}", [])
    return story.plain()


class _Story:
    """Nodes, edges and frames while they are put together."""

    def __init__(self, sizes, names, layers, right):
        self.names, self.layers, self.right = names, layers, right
        self.nodes, self.edges, self.frames = {}, [], []
        rows = [n + (layer < len(sizes) - 1) for layer, n in enumerate(sizes)]  # with the bias
        self.height = ROW * max(rows)
        for layer, n in enumerate(sizes):
            x = 48 + (WIDTH - 96) * layer / (len(sizes) - 1)
            for unit in range(n - rows[layer], n):
                y = self.height * (unit + 0.5 + rows[layer] - n) / rows[layer]
                self.nodes[layer, unit] = {
                    "id": f"n{layer}_{unit}", "x": round(x), "y": round(y),
                    "kind": "bias" if unit < 0 else "unit", "value": "1", "number": 1.0, "from": 0,
                    "label": "bias" if unit < 0 else names[layer][unit]}
        for at, layer in enumerate(layers):
            for to in range(layer["W"].shape[1]):
                for unit in range(-1, layer["W"].shape[0]):
                    self.edges.append(self._edge(at, unit, to))

    def _edge(self, at, unit, to):
        weight = float(self._entry("W", at, unit, to))
        one, other = self.nodes[at, unit], self.nodes[at + 1, to]
        return {"id": f"e{at}_{unit}_{to}", "from": one["id"], "to": other["id"],
                "weight": weight if np.isfinite(weight) else 0.0, "text": number(weight),
                "at": 0.28 + 0.16 * (to % 3), "label": f"from {one['label']} to {other['label']}"}

    def _entry(self, kind, at, unit, to):
        """Return a weight, or its gradient, the bias being unit −1."""
        prefix = "d" if kind == "dW" else ""
        layer = self.layers[at]
        return layer[f"{prefix}b"][to] if unit < 0 else layer[f"{prefix}W"][unit, to]

    def say(self, title, formula, numbers, on):
        self.frames.append({"title": title, "formula": formula, "numbers": numbers, "on": on})

    def _product(self, left, made, returned):
        """Say what the numbers come to, and what was returned where that is something else."""
        more = "" if np.isclose(made, returned, rtol=1e-6, atol=1e-9) else (
            f", but your function returned {number(returned)}")
        return f"{left} = {number(made)}{more}"

    def inputs(self, x):
        for unit, value in enumerate(x):
            self.nodes[0, unit].update(value=number(value, 3), number=float(value))
        self.say("the sample", "the inputs come in; a bias node always says 1", ", ".join(
            f"{n} = {number(v)}" for n, v in zip(self.names[0], x, strict=True)),
                 [self.nodes[0, unit]["id"] for unit in range(len(x))])

    def forward(self, at, activation):
        layer, label = self.layers[at], self.names[at + 1]
        for to in range(layer["W"].shape[1]):
            node, units = self.nodes[at + 1, to], range(-1, layer["W"].shape[0])
            pairs = [(self.nodes[at, u]["number"], self._entry("W", at, u, to)) for u in units]
            z, a = float(layer["Z"][to]), float(layer["A"][to])
            after = f", {activation}(z) = {number(a)}" if activation else ""
            node.update(value=number(a, 3), number=a, **{"from": len(self.frames)})
            formula = "z = Σ input · weight" + (f", then {activation}" if activation else "")
            self.say(f"forward: {label[to]}", formula, f"z = {_sum_of(pairs)} = {number(z)}{after}",
                     [node["id"], *(f"e{at}_{u}_{to}" for u in units)])

    def back(self, at, y, activation):
        layer, last = self.layers[at], at == len(self.layers) - 1
        for unit in range(layer["W"].shape[1]):
            node, delta = self.nodes[at + 1, unit], float(layer["dZ"][unit])
            node.update(delta=number(delta, 3), gradient=delta, gradientFrom=len(self.frames),
                        wrong=self._differs(at, "dZ", unit))
            title = f"back: δ of {node['label']}"
            if last:
                a, wanted = float(layer["A"][unit]), float(y[unit])
                self.say(title, "δ = ŷ − y", "δ = " + self._product(
                    f"{number(a)} − {_factor(wanted)}", a - wanted, delta), [node["id"]])
                continue
            weights, behind = self.layers[at + 1]["W"][unit], self.layers[at + 1]["dZ"]
            slope = float(layer["slope"][unit])
            left = f"({_sum_of(zip(weights, behind, strict=True))})·{number(slope)}"
            self.say(title, f"δ = (Σ weight · δ behind it) · derivative of {activation} at z",
                     "δ = " + self._product(left, float(weights @ behind) * slope, delta),
                     [node["id"], *(f"e{at + 1}_{unit}_{k}" for k in range(len(behind)))])

    def gradients(self, at):
        for edge in (e for e in self.edges if e["id"].startswith(f"e{at}_")):
            unit, to = map(int, edge["id"].split("_")[1:])
            gradient = float(self._entry("dW", at, unit, to))
            where = ("db", to) if unit < 0 else ("dW", unit, to)
            edge.update(delta=number(gradient, 3), gradient=gradient, gradientFrom=len(self.frames),
                        wrong=self._differs(at, *where))
            source, target = self.nodes[at, unit], self.nodes[at + 1, to]
            a, delta = source["number"], target["gradient"]
            self.say(f"gradient of the weight {edge['label']}",
                     "what goes into the weight · δ of the unit that it leads to",
                     self._product(f"{number(a)} · {_factor(delta)}", a * delta, gradient),
                     [edge["id"], source["id"], target["id"]])

    def _differs(self, at, key, *where):
        if not self.right:
            return False
        got, want = self.layers[at][key][where], self.right[at][key][where]
        return not np.isclose(got, want, rtol=1e-6, atol=1e-9)

    def plain(self):
        for part in [*self.nodes.values(), *self.edges]:  # JSON knows no nan
            part.update({key: 0.0 for key in ("number", "gradient")
                         if key in part and not np.isfinite(part[key])})
        return _plain(list(self.nodes.values()), self.edges, self.frames, self.height)


def _plain(nodes, edges, frames, height):
    return {"nodes": nodes, "edges": edges, "frames": frames, "height": height,
            "scale": max((abs(e["weight"]) for e in edges), default=0) or 1.0,
            "gradients": max((abs(e["gradient"]) for e in edges if "gradient" in e),
                             default=0) or 1.0}


def chain_story(
    x: float, steps: Sequence[tuple[str, str, Callable, str, Callable]],
    returned: tuple[float, float] | None = None,
) -> dict:
    """Return the story of a chain of functions of one number.

    Parameters
    ----------
    x : where it is evaluated
    steps : of each step the name of its result, its formula, the function, the formula of its local
        derivative, and that derivative as a function of the step's input
    returned : value and derivative from the student's function, set beside them at the end
    """
    names = ["x", *(step[0] for step in steps)]
    values, end = [float(x)], names[-1]
    for _, _, function, _, _ in steps:
        values.append(float(function(values[-1])))
    slopes = [float(step[4](value)) for step, value in zip(steps, values, strict=False)]
    gaps = np.linspace(60, WIDTH - 60, len(names))
    nodes = [{"id": f"n{i}", "x": round(gap), "y": 65, "kind": "unit", "label": name,
              "value": number(value, 3), "from": i, "sign": f"d{end}/d{name} ="}
             for i, (gap, name, value) in enumerate(zip(gaps, names, values, strict=True))]
    edges = [{"id": f"e{i}", "from": f"n{i}", "to": f"n{i + 1}", "weight": slope,
              "text": "", "label": f"from {names[i]} to {names[i + 1]}"}
             for i, slope in enumerate(slopes)]
    frames = [_frame("the input", "x comes in", f"x = {number(x)}", "n0")]
    for i, (name, formula, *_) in enumerate(steps):
        frames.append(_frame(f"forward: {name}", f"{name} = {formula}",
                             f"{name} = {number(values[i + 1])}", f"n{i + 1}", f"e{i}"))
    arrived = 1.0
    nodes[-1].update(delta="1", gradient=1.0, gradientFrom=len(frames))
    frames.append(_frame(f"back: d{end}/d{end}", "the way back begins with 1",
                         "a number moves exactly as it moves itself", f"n{len(steps)}"))
    for i in reversed(range(len(steps))):
        before, arrived = arrived, arrived * slopes[i]
        for part, value in ((edges[i], slopes[i]), (nodes[i], arrived)):
            part.update(delta=number(value, 3), gradient=value, gradientFrom=len(frames))
        frames.append(_frame(
            f"back: d{end}/d{names[i]}",
            f"what has arrived · d{names[i + 1]}/d{names[i]}, which is {steps[i][3]}",
            f"{number(before)} · {_factor(slopes[i])} = {number(arrived)}", f"n{i}", f"e{i}"))
    if returned is not None:
        right = np.allclose(returned, (values[-1], arrived), rtol=1e-9, atol=1e-12)
        frames.append(_frame("your function", "it returns both numbers at once", (
            f"{end} = {number(returned[0])} and d{end}/dx = {number(returned[1])}: "
            f"{'✓ the same' if right else '✗ not the same'}"), f"n{len(steps)}", "n0"))
    return _plain(nodes, edges, frames, 130)


def _frame(title, formula, numbers, *on):
    return {"title": title, "formula": formula, "numbers": numbers, "on": list(on)}
