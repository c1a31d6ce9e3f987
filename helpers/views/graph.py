"""Step through a graph: what must arrive before a node passes on?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from helpers.checks.graph_fixtures import in_order
from helpers.views.step import ROW, WIDTH, _frame, _plain, number


def graph_story(output: Any, backward: Callable, names: Mapping[Any, str] | None = None) -> dict:
    """Return the story of a student's `backward` on a small graph of nodes of lesson 07.

    Parameters
    ----------
    output : the last node; a node has ``value``, ``operation``, ``parents`` and ``pull_back``
    backward : takes the output, returns {node: gradient}; the story is what it does: which node
        passes on when, and what
    names : what some nodes are called; the others by their operation
    """
    order, names = in_order(output), names or {}
    label = {node: names.get(node, node.operation) for node in order}
    passed, returned = _watched(order, output, backward)
    nodes, edges, frames = *_picture(order, label), []
    at = {node: dict_ for node, dict_ in zip(order, nodes, strict=True)}
    for node in order:
        at[node]["from"] = len(frames) if node.parents else 0
        if node.parents:
            frames.append(_frame(f"forward: {label[node]}", f"{node.operation} of " + ", ".join(
                label[p] for p in node.parents), f"= {_brief(node.value)}", at[node]["id"]))
    right = _gradients(order, output)
    frames.append(_frame("back: it begins with 1", "the output moves exactly as it moves itself",
                         "1 at the end", at[output]["id"]))
    expected, arrived = {n: 0 for n in order}, {n: 0 for n in order}
    for edge in edges:
        expected[order[edge["source"]]] += 1
    for node, gradient, pieces in passed:
        _show(at[node], len(frames), gradient, right[node])
        _pass_on(node, gradient, pieces, at, edges, frames, label, expected, arrived)
    _return(passed, returned, right, at, frames, label)
    return _plain(nodes, edges, frames, max(node["y"] for node in nodes) + ROW // 2)


def _return(passed, returned, right, at, frames, label):
    """Show what comes back: of leaves, and of nodes that have passed on something else."""
    sent = {node: gradient for node, gradient, _ in passed}
    late = [n for n in label if n in sent and n in returned and not _same(returned[n], sent[n])]
    if late:
        frames.append(_frame("back: what is returned", "✗ not what was passed on: more came later",
                             ", ".join(f"{label[n]} {_brief(returned[n])}" for n in late),
                             *(at[n]["id"] for n in late)))
    for node, item in at.items():
        if node in late or (node in returned and node not in sent):
            _show(item, len(frames) - 1, returned[node], right[node])


def _show(item, frame, gradient, right):
    """Let a node show a gradient from a frame on."""
    state = [frame, _brief(gradient), not _same(gradient, right)]
    item.setdefault("states", []).append(state)


def _pass_on(node, gradient, pieces, at, edges, frames, label, expected, arrived):
    """Add the frame in which a node passes its gradient on to its parents."""
    early = arrived[node] < expected[node]
    mine = [e for e in edges if e["to"] == at[node]["id"] and "delta" not in e]
    for edge, piece in zip(mine, pieces, strict=False):
        edge.update(delta=_brief(piece), gradient=_size(piece), gradientFrom=len(frames))
    for parent in node.parents:
        arrived[parent] += 1
    gone = ", ".join(f"{_brief(piece)} to {label[parent]}"
                     for parent, piece in zip(node.parents, pieces, strict=False))
    frames.append(_frame(
        f"back: {label[node]} passes on {_brief(gradient)}",
        f"✗ too early: {arrived[node]} of {expected[node]} pieces have arrived" if early else
        "all that comes back to it has arrived", gone, at[node]["id"], *(e["id"] for e in mine)))


def _gradients(order, output):
    grads = {node: np.zeros_like(node.value) for node in order}
    grads[output] = np.ones_like(output.value)
    for node in reversed(order):
        for parent, piece in zip(node.parents, node.pull_back(grads[node]), strict=False):
            grads[parent] = grads[parent] + piece
    return grads


def _watched(order, output, backward):
    """Return what each node passed on, in the order of the student's calls, and what came back."""
    passed = []

    def watch(node, pull_back):
        def pull(gradient):
            pieces = pull_back(gradient)
            if node.parents:
                # copies: a sum may grow in place
                passed.append((node, *copy.deepcopy((gradient, pieces))))
            return pieces
        return pull

    for node in order:
        node.pull_back = watch(node, node.pull_back)
    try:
        return passed, backward(output)
    finally:
        for node in order:
            del node.pull_back


def _picture(order, label):
    """Return nodes in columns by their depth, and an edge for each parent."""
    depth = {}
    for node in order:
        depth[node] = 1 + max((depth[p] for p in node.parents), default=-1)
    columns = [[n for n in order if depth[n] == d] for d in range(max(depth.values()) + 1)]
    height = ROW * max(map(len, columns))
    place = {node: (60 + (WIDTH - 120) * depth[node] / max(1, len(columns) - 1),
                    height * (row + 0.5) / len(column))
             for column in columns for row, node in enumerate(column)}
    nodes = [{"id": f"n{i}", "x": round(place[n][0]), "y": round(place[n][1]), "kind": "unit",
              "label": label[n], "value": _brief(n.value), "sign": "grad"}
             for i, n in enumerate(order)]
    edges = [{"id": f"e{i}_{k}", "from": f"n{order.index(parent)}", "to": f"n{i}", "weight": 0.0,
              "text": "", "source": order.index(parent), "at": 0.35 + 0.3 * (k % 2),
              "label": f"from {label[parent]} to {label[node]}"}
             for i, node in enumerate(order) for k, parent in enumerate(node.parents)]
    return nodes, edges


def _brief(value):
    value = np.asarray(value)
    return number(value, 3) if value.size == 1 else " × ".join(map(str, value.shape))


def _size(value):
    size = float(np.abs(value).max())
    return size if np.isfinite(size) else 0.0


def _same(a, b):
    return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-12)
