"""Graphs for the checks of autograd: nodes made here, so that a function is judged by itself.

A student's function meets a `Node` as it meets a node of its own notebook: it has `value`,
`parents` and `pull_back`. The derivatives in here are complex steps; there is no rule to copy.
"""

from __future__ import annotations

from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import Any

import numpy as np

from helpers.checks.truth import complex_step

CHANGED = "(number of nodes whose value was changed)"
STRANGE = "(number of keys that are no nodes of this graph)"

FACTS = ("results that are no list", "things that are no nodes of this graph",
         "nodes that are missing", "nodes listed more than once",
         "nodes that stand before one of their parents")


class Node:
    """One value of a graph, and what it was computed from.

    Parameters
    ----------
    value : array
    parents : the nodes it was computed from; one that was used twice stands there twice
    function : computes the value from the parents' values, also from complex ones; a tuple of
        parents without a function is a sum
    name : how a card calls it; the gradients of nodes without a name are not looked at
    """

    def __init__(self, value: Any, parents: tuple[Node, ...] = (),
                 function: Callable | None = None, name: str | None = None):
        self.value = np.asarray(value, dtype=float)
        self.given = self.value.copy()
        self.parents, self.function, self.name = tuple(parents), function, name
        self.title = name
        self.operation = "computed" if self.parents else "input"

    def __repr__(self) -> str:
        return self.title or "a node without a name"

    def compute(self, *values: np.ndarray) -> np.ndarray:
        """Return the node's value from its parents' values."""
        return sum(values[1:], values[0]) if self.function is None else self.function(*values)

    def pull_back(self, upstream: np.ndarray) -> list[np.ndarray]:
        """Return one gradient for each parent; a sum hands on `upstream` itself to all."""
        if self.function is None:
            return [upstream for _ in self.parents]
        values = [parent.value for parent in self.parents]

        def gradient(place):
            return complex_step(lambda v: (upstream * self.compute(
                *values[:place], v, *values[place + 1:])).sum(), values[place])

        return [gradient(place) for place in range(len(values))]

    def __deepcopy__(self, memo: dict) -> Node:
        """Return a copy of the whole graph below, without recursion."""
        copies: dict[Node, Node] = {}
        for node in in_order(self):
            copies[node] = Node(node.value.copy(), tuple(copies[p] for p in node.parents),
                                node.function, node.name)
            copies[node].title = node.title
        return copies[self]


def made(name: str | None, function: Callable | None, *parents: Node) -> Node:
    """Return a node with the value that its function computes from its parents."""
    node = Node(0.0, parents, function, name)
    node.value = np.asarray(node.compute(*(p.value for p in parents)), dtype=float)
    node.given = node.value.copy()
    return node


def below(output: Node) -> list[Node]:
    """Return the nodes that `output` was computed from, and itself, each once."""
    found, waiting = {output: None}, [output]
    while waiting:
        for parent in waiting.pop().parents:
            if parent not in found:
                found[parent] = None
                waiting.append(parent)
    return list(found)


def in_order(output: Node) -> list[Node]:
    """Return the nodes of a graph, parents first, by the standard library."""
    return list(TopologicalSorter({n: set(n.parents) for n in below(output)}).static_order())


def order_facts(args: tuple, order: Any) -> dict[str, int]:
    """Return what is wrong with an order of the nodes of a graph: counts, all 0 for a right one."""
    if not isinstance(order, (list, tuple)):
        return dict.fromkeys(FACTS, 0) | {FACTS[0]: 1}
    nodes = set(below(args[0]))
    ours = [node for node in order if isinstance(node, Node) and node in nodes]
    place: dict[Node, int] = {}
    for node in ours:
        place.setdefault(node, len(place))
    early = sum(any(place.get(p, -1) > at for p in node.parents) for node, at in place.items())
    return dict(zip(FACTS, (0, len(order) - len(ours), len(nodes) - len(place),
                            len(ours) - len(place), early), strict=True))


def named_gradients(args: tuple, grads: Any) -> dict[str, Any]:
    """Return the gradients by the names of their nodes, and how many values were changed.

    Raises
    ------
    TypeError
        Where `grads` is no dict.
    """
    if not isinstance(grads, dict):
        raise TypeError("gradients come in a dict")
    nodes = below(args[0])
    known = set(nodes)
    found = {node.name: _plain(grads[node]) for node in nodes if node.name and node in grads}
    changed = sum(not np.array_equal(n.value, n.given) for n in nodes)
    return found | {STRANGE: sum(key not in known for key in grads), CHANGED: changed}


def _plain(value):
    """Return whole numbers as floats: a seed of 1 is as good as one of 1.0."""
    return float(value) if type(value) is int else value


def gradients(output: Node) -> dict[Node, Any]:
    """Return d output / d node for every node with a name, by complex steps through the graph."""
    order = in_order(output)

    def run(changed, value):
        values = {}
        for node in order:
            values[node] = value if node is changed else (
                node.compute(*(values[p] for p in node.parents)) if node.parents else node.value)
        return values[output].sum()

    found = {node: complex_step(lambda v, node=node: run(node, v), node.value)
             for node in order if node.name}
    return {node: g if g.ndim else float(g) for node, g in found.items()}
