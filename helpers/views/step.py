"""Step through backprop: which two numbers made this gradient?

A *story* is plain data: nodes and edges with their numbers, and frames, each of which says what is
computed next. `network_story` and `chain_story` make stories from what the student's functions
returned; the view only shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from helpers.views.base import Recorded, recorded

WIDTH, HEIGHT = 640, 430
ALT = ("A network that is stepped through: forward unit by unit, then the loss, then δ flowing "
       "back from node to node, then the gradient on every edge and the update. Each step shows "
       "its formula with its numbers.")


def step_through(stories: dict[str, dict], what: str = "sample") -> Recorded:
    """Return a view that steps through one or several stories.

    Parameters
    ----------
    stories : name -> a story, as `network_story` or `chain_story` returns it
    what : what the names are, such as ``"sample"``
    """
    return recorded("step", {"stories": [{"name": name, **story} for name, story in
                                         stories.items()], "what": what, "error": ""},
                    ALT, height=600)


def network_story(
    x: np.ndarray, y: np.ndarray, layers: Sequence[dict[str, Any]], loss: float, *,
    activation: str = "sigmoid", output: str = "", rate: float = 0.0,
    loss_after: float | None = None, right: Sequence[dict[str, np.ndarray]] = (),
    names: Sequence[Sequence[str]] = (),
) -> dict:
    """Return the story of one sample's way through a network and back.

    Parameters
    ----------
    x : (D,) inputs, without a bias
    y : (K,) what was wanted
    layers : of each layer ``W (in, out)``, ``b (out,)``, ``Z``, ``A``, ``dZ (out,)`` and
        ``dW (in, out)``, ``db (out,)``, as the student's functions returned them
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
    for number in range(len(layers)):
        story.forward(number, output if number == len(layers) - 1 else activation)
    story.say("the loss", "how far is ŷ from y?", f"J = {loss:.4f}", [])
    for number in reversed(range(len(layers))):
        story.back(number, y, activation)
    for number in reversed(range(len(layers))):
        story.gradients(number)
    if loss_after is not None:
        story.say("the update", "every weight: w − rate · its gradient",
                  f"with rate {rate:g} the loss goes from {loss:.4f} to {loss_after:.4f}",
                  [edge["id"] for edge in story.edges])
    return story.plain()


class _Story:
    """Nodes, edges and frames while they are put together."""

    def __init__(self, sizes, names, layers, right):
        self.names, self.layers, self.right = names, layers, right
        self.nodes, self.edges, self.frames = {}, [], []
        for layer, n in enumerate(sizes):
            biased = layer < len(sizes) - 1
            x = 48 + (WIDTH - 96) * layer / (len(sizes) - 1)
            for unit in range(-biased, n):
                y = HEIGHT * (unit + 1 + biased) / (n + 1 + biased)
                self.nodes[layer, unit] = {
                    "id": f"n{layer}_{unit}", "x": round(x), "y": round(y),
                    "kind": "bias" if unit < 0 else "unit", "value": "1", "from": 0,
                    "label": "bias" if unit < 0 else names[layer][unit]}
        for number, layer in enumerate(layers):
            for to in range(layer["W"].shape[1]):
                for unit in range(-1, layer["W"].shape[0]):
                    self.edges.append(self._edge(number, unit, to))

    def _edge(self, number, unit, to):
        weight = self._entry("W", number, unit, to)
        one, other = self.nodes[number, unit], self.nodes[number + 1, to]
        return {"id": f"e{number}_{unit}_{to}", "from": one["id"], "to": other["id"],
                "weight": round(float(weight), 4), "at": 0.28 + 0.16 * (to % 3),
                "label": f"from {one['label']} to {other['label']}"}

    def _entry(self, kind, number, unit, to, layers=None):
        """Return a weight, or its gradient, the bias being unit −1."""
        layer = (layers or self.layers)[number]
        prefix = "d" if kind == "dW" else ""
        return layer[f"{prefix}b"][to] if unit < 0 else layer[f"{prefix}W"][unit, to]

    def say(self, title, formula, numbers, on):
        self.frames.append({"title": title, "formula": formula, "numbers": numbers, "on": on})

    def inputs(self, x):
        for unit, value in enumerate(x):
            self.nodes[0, unit]["value"] = f"{value:.3f}"
        self.say("the sample", "the inputs come in; a bias node always says 1",
                 ", ".join(f"{n} = {v:.4g}" for n, v in zip(self.names[0], x, strict=True)),
                 [self.nodes[0, unit]["id"] for unit in range(len(x))])

    def _value(self, layer, unit):
        return 1.0 if unit < 0 else float(self.nodes[layer, unit]["value"])

    def forward(self, number, activation):
        layer, label = self.layers[number], self.names[number + 1]
        for to in range(layer["W"].shape[1]):
            node = self.nodes[number + 1, to]
            units = range(-1, layer["W"].shape[0])
            terms = " + ".join(
                f"{self._value(number, u):.3g}·({self._entry('W', number, u, to):.3g})"
                for u in units)
            z, a = float(layer["Z"][to]), float(layer["A"][to])
            after = f", {activation}(z) = {a:.4f}" if activation else ""
            node.update(value=f"{a:.3f}", **{"from": len(self.frames)})
            formula = "z = Σ input · weight" + (f", then {activation}" if activation else "")
            self.say(f"forward: {label[to]}", formula, f"z = {terms} = {z:.4f}{after}",
                     [node["id"], *(f"e{number}_{u}_{to}" for u in units)])

    def back(self, number, y, activation):
        layer, last = self.layers[number], number == len(self.layers) - 1
        for unit in range(layer["W"].shape[1]):
            node, delta = self.nodes[number + 1, unit], float(layer["dZ"][unit])
            node.update(delta=f"{delta:.4f}", gradientFrom=len(self.frames),
                        wrong=self._differs(number, "dZ", unit))
            if last:
                self.say(f"back: δ of {node['label']}", "δ = ŷ − y",
                         f"δ = {float(layer['A'][unit]):.4f} − {float(y[unit]):.4f} = {delta:.4f}",
                         [node["id"]])
                continue
            following = self.layers[number + 1]
            terms = " + ".join(f"{w:.3g}·({d:.3g})" for w, d in zip(
                following["W"][unit], following["dZ"], strict=True))
            arrived = float(following["W"][unit] @ following["dZ"])
            slope = delta / arrived if arrived else 0.0
            self.say(f"back: δ of {node['label']}",
                     f"δ = (Σ weight · δ behind it) · derivative of {activation} at z",
                     f"δ = ({terms}) · {slope:.4f} = {delta:.4f}",
                     [node["id"], *(f"e{number + 1}_{unit}_{k}"
                                    for k in range(len(following["dZ"])))])

    def gradients(self, number):
        for edge in (e for e in self.edges if e["id"].startswith(f"e{number}_")):
            unit, to = map(int, edge["id"].split("_")[1:])
            gradient = float(self._entry("dW", number, unit, to))
            edge.update(gradient=f"{gradient:.4f}", gradientFrom=len(self.frames),
                        wrong=self._differs(number, "db" if unit < 0 else "dW", *(
                            (to,) if unit < 0 else (unit, to))))
            source, target = self.nodes[number, unit], self.nodes[number + 1, to]
            self.say(f"gradient of the weight {edge['label']}",
                     "what goes into the weight · δ of the unit that it leads to",
                     f"{self._value(number, unit):.4g} · ({target['delta']}) = {gradient:.4f}",
                     [edge["id"], source["id"], target["id"]])

    def _differs(self, number, key, *at):
        if not self.right:
            return False
        got, want = self.layers[number][key][at], self.right[number][key][at]
        return not np.isclose(got, want, rtol=1e-6, atol=1e-9)

    def plain(self):
        scale = max(abs(edge["weight"]) for edge in self.edges)
        return {"nodes": list(self.nodes.values()), "edges": self.edges, "frames": self.frames,
                "scale": scale}


def chain_story(x: float, steps: Sequence[tuple[str, str, Callable, str, Callable]]) -> dict:
    """Return the story of a chain of functions of one number.

    Parameters
    ----------
    x : where it is evaluated
    steps : of each step the name of its result, its formula, the function, the formula of its local
        derivative, and that derivative as a function of the step's input
    """
    names = ["x", *(step[0] for step in steps)]
    values = [float(x)]
    for _, _, function, _, _ in steps:
        values.append(float(function(values[-1])))
    slopes = [float(step[4](value)) for step, value in zip(steps, values, strict=False)]
    gaps = np.linspace(60, WIDTH - 60, len(names))
    nodes = [{"id": f"n{i}", "x": round(gap), "y": 215, "kind": "unit", "label": name,
              "value": f"{value:.4f}", "from": i}
             for i, (gap, name, value) in enumerate(zip(gaps, names, values, strict=True))]
    edges = [{"id": f"e{i}", "from": f"n{i}", "to": f"n{i + 1}", "weight": round(slope, 4),
              "label": f"from {names[i]} to {names[i + 1]}"} for i, slope in enumerate(slopes)]
    frames = [{"title": "the input", "formula": "x comes in", "numbers": f"x = {values[0]:.4f}",
               "on": ["n0"]}]
    frames += [{"title": f"forward: {name}", "formula": f"{name} = {formula}",
                "numbers": f"{name} = {values[i + 1]:.4f}", "on": [f"n{i + 1}", f"e{i}"]}
               for i, (name, formula, *_) in enumerate(steps)]
    arrived = 1.0
    nodes[-1].update(delta="1.0000", gradientFrom=len(frames))
    frames.append({"title": "back: it begins with 1", "formula": f"d{names[-1]}/d{names[-1]} = 1",
                   "numbers": "a number moves with itself", "on": [f"n{len(steps)}"]})
    for i in reversed(range(len(steps))):
        before, arrived = arrived, arrived * slopes[i]
        edges[i].update(gradient=f"{slopes[i]:.4f}", gradientFrom=len(frames))
        nodes[i].update(delta=f"{arrived:.4f}", gradientFrom=len(frames))
        frames.append({
            "title": f"back: d{names[-1]}/d{names[i]}",
            "formula": f"what has arrived · local derivative {steps[i][3]}, taken at what went in",
            "numbers": f"{before:.4f} · {slopes[i]:.4f} = {arrived:.4f}", "on": [f"n{i}", f"e{i}"]})
    return {"nodes": nodes, "edges": edges, "frames": frames,
            "scale": max(map(abs, slopes)) or 1.0}
