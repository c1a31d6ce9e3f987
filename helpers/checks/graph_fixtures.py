"""Graphs for the checks of autograd: nodes made here, so that a function is judged by itself.

A `Node` has `value`, `parents` and `pull_back`, as one of the notebook has. The derivatives in here
are complex steps; there is no rule to copy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partialmethod
from graphlib import TopologicalSorter
from itertools import filterfalse
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from helpers.checks.compare import Count, kind_of, listed
from helpers.checks.truth import complex_step


class Node:
    """One value of a graph, made by a function of its parents' values: a sum, where there is none.

    A parent that was used twice stands there twice. A card calls the node by its `name`, and the
    whole graph by its `title`; the gradients of nodes without a name are not looked at.
    """

    def __init__(self, value: Any = None, parents: tuple[Node, ...] = (),
                 function: Callable | None = None, name: str | None = None):
        self.parents, self.function, self.name = tuple(parents), function, name
        value = self.compute(*(p.value for p in self.parents)) if value is None else value
        self.value = np.array(value, dtype=float)
        self.given, self.title = self.value.copy(), name
        self.operation = "computed" if self.parents else "input"

    def __repr__(self) -> str:
        return self.title or "a node without a name"

    def compute(self, *values: np.ndarray) -> np.ndarray:
        """Return the node's value from its parents' values."""
        return sum(values[1:], values[0]) if self.function is None else self.function(*values)

    def pull_back(self, upstream: np.ndarray) -> list[np.ndarray]:
        """Return one gradient for each parent; a sum hands on `upstream` itself to all."""
        if np.asarray(upstream).dtype == object:
            raise TypeError("pull_back wants numbers, and got an array of objects")
        if self.function is None:
            return [upstream for _ in self.parents]
        return pulled(self.compute, upstream, *(parent.value for parent in self.parents))

    def __deepcopy__(self, memo: dict) -> Node:
        """Return a copy of the whole graph below, without recursion."""
        copies = {}
        for node in in_order(self):
            new = copies[node] = copy.copy(node)
            new.value, new.parents = node.value.copy(), tuple(map(copies.get, node.parents))
        return copies[self]


def pulled(function: Callable, upstream: np.ndarray, *inputs: np.ndarray) -> list[np.ndarray]:
    """Return the gradient of sum(upstream · function) by each input, from complex steps."""
    return [complex_step(lambda v, at=at: (upstream * function(
        *inputs[:at], v, *inputs[at + 1:])).sum(), inputs[at]) for at in range(len(inputs))]


def relu(x: np.ndarray) -> np.ndarray:
    """Return each entry where it is positive, else 0; of complex ones, the real part decides."""
    return np.where(np.real(x) > 0, x, 0)


class Tensor(Node, NDArrayOperatorsMixin):
    """A node with operators, as a loss meets it: what they make is a node that remembers how."""

    __eq__, __hash__ = object.__eq__, object.__hash__

    def __array_ufunc__(self, function: Callable, method: str, *inputs: Any) -> Tensor:
        parents = tuple(v if isinstance(v, Node) else Tensor(v) for v in inputs)
        return Tensor(None, parents, function)

    def _then(self, function: Callable) -> Tensor:
        return self.__array_ufunc__(function, "__call__", self)

    def __getitem__(self, key: Any) -> Tensor:
        return self._then(lambda v: v[key])

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        return self._then(lambda v: v.sum(axis=axis, keepdims=keepdims))

    exp, log = partialmethod(_then, np.exp), partialmethod(_then, np.log)
    tanh, mean = partialmethod(_then, np.tanh), partialmethod(_then, np.mean)
    relu = partialmethod(_then, relu)


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


def order_facts(args: tuple, order: Any) -> dict[str, Count]:
    """Return what is wrong with an order of the nodes of a graph: counts, all 0 for a right one."""
    nodes, kind = set(below(args[0])), kind_of(order)
    no_list = not isinstance(order, (list, tuple))
    things = [] if no_list else order

    def is_node(thing):
        return isinstance(thing, Node) and thing in nodes

    ours, strange = list(filter(is_node, things)), list(filterfalse(is_node, things))
    place = {node: at for at, node in reversed(list(enumerate(ours)))}  # the first of each
    missing, repeated = len(nodes) - len(place), len(ours) - len(place)
    early = sum(any(place.get(p, -1) > at for p in node.parents) for node, at in place.items())
    return {"no list": Count(no_list, f"It returned {kind}; wanted a list of nodes."),
            "pairs": Count(sum(isinstance(thing, tuple) for thing in strange),
                           "The list holds tuples, where it should hold nodes alone."),
            "strange": Count(len(strange), _strange(strange, "in the list", "list")),
            "missing": Count(missing, f"{missing} of {len(nodes)} nodes "
                             f"{'is' if missing == 1 else 'are'} missing from the list." if things
                             else "The list holds no node at all: it is empty."),
            "repeated": Count(repeated, f"The list has {repeated} of its entries too many: nodes "
                              "are listed more than once."),
            "early": Count(early, f"{early} nodes stand before one of their parents."
                           if early > 1 else "1 node stands before one of its parents.")}


def _strange(things, where, what):
    """Return a sentence on things in a list or dict that should be nodes of the graph at hand."""
    if any(isinstance(thing, Node) for thing in things):
        return f"There are nodes of another graph {where}. Is the {what} made anew in each call?"
    return f"There is something {where} that is no node: {kind_of(*things[:1] or [None])}."


def named_gradients(args: tuple, grads: Any) -> dict[str, Any]:
    """Return the gradients of a dict by the names of their nodes, between what is wrong."""
    nodes = dict.fromkeys(below(args[0]))
    named = {node.name: grads.get(node) for node in nodes if node.name}
    strange = [key for key in grads if key not in nodes]
    missing = [node.name for node in nodes if node.name and node not in grads]
    changed = sum(not np.array_equal(node.value, node.given) for node in nodes)
    return {"strange": Count(len(strange), _strange(strange, "among the keys", "dict")),
            "missing": Count(len(missing), f"The gradient of {listed(missing)} is missing."),
            **named,
            "changed": Count(changed, f"It has changed the value of {changed} "
                                      f"node{'s' * (changed > 1)}.")}


def gradients(output: Node) -> dict[Node, Any]:
    """Return d output / d node for every node with a name, by complex steps through the graph."""
    order = in_order(output)

    def run(changed, value):
        values = {node: node.value for node in order} | {changed: value}
        for node in order:
            if node.parents and node is not changed:
                values[node] = node.compute(*map(values.get, node.parents))
        return values[output].sum()

    found = {node: complex_step(lambda v, node=node: run(node, v), node.value)
             for node in order if node.name}
    return {node: g if g.ndim else float(g) for node, g in found.items()}
