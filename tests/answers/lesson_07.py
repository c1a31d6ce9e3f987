"""Lesson 07: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np


def by_hand_forward_mode(x, y):
    """Carry the derivative by x, then by y, along with the value."""
    def along(x_dot, y_dot):
        a, a_dot = x * y, x_dot * y + x * y_dot
        b, b_dot = a + x, a_dot + x_dot
        return 2 * b * b_dot

    return (x * y + x) ** 2, along(1, 0), along(0, 1)


def by_hand_closed(x, y):
    return [x**2 * (y + 1) ** 2, 2 * x * (y + 1) ** 2, 2 * x**2 * (y + 1)]


def by_hand_numpy(x, y):
    b = np.multiply(x, y) + x
    return b**2, 2 * b * (y + 1), np.float64(2 * b * x)


def unbroadcast_loop(gradient, shape):
    total = np.zeros(shape)
    for at in np.ndindex(gradient.shape):
        total[tuple(min(i, n - 1) for i, n in zip(at[gradient.ndim - len(shape):], shape,
                                                  strict=True))] += gradient[at]
    return total


def unbroadcast_padded(gradient, shape):
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, (n, m) in enumerate(zip(gradient.shape, padded, strict=True)) if n != m)
    return gradient.sum(axis=axes, keepdims=True).reshape(shape)


def unbroadcast_einsum(gradient, shape):
    letters = "abcdef"[:gradient.ndim]
    tail = letters[gradient.ndim - len(shape):]
    keep = "".join(k for k, n in zip(tail, shape, strict=True) if n != 1)
    return np.einsum(f"{letters}->{keep}", gradient).reshape(shape)


def add_rule_copies(upstream, a, b, output):
    return upstream.copy(), upstream * 1.0


def mul_rule_einsum(upstream, a, b, output):
    return [np.einsum("...,...->...", upstream, b), np.multiply(a, upstream)]


def mul_rule_unbroadcast(upstream, a, b, output):
    return unbroadcast_padded(b * upstream, a.shape), unbroadcast_padded(a * upstream, b.shape)


def div_rule_output(upstream, a, b, output):
    da = upstream / b
    return da, -da * output


def div_rule_power(upstream, a, b, output):
    return upstream * b**-1, upstream * a * -1 * b**-2


def relu_rule_where(upstream, x, output):
    return np.where(output > 0, upstream, 0.0)


def relu_rule_loop(upstream, x, output):
    dx = upstream.copy()
    dx[x <= 0] = 0
    return dx


def power_rule_log(upstream, x, output, exponent):
    with np.errstate(all="ignore"):
        return upstream * exponent * np.sign(x) ** (exponent - 1) * np.exp(
            (exponent - 1) * np.log(np.abs(x)))


def matmul_rule_einsum(upstream, a, b, output):
    return np.einsum("nk,dk->nd", upstream, b), np.einsum("nd,nk->dk", a, upstream)


def matmul_rule_loop(upstream, a, b, output):
    da, db = np.zeros(a.shape), np.zeros(b.shape)
    for n in range(a.shape[0]):
        for d in range(a.shape[1]):
            da[n, d] = upstream[n] @ b[d]
            db[d] += a[n, d] * upstream[n]
    return da, db


def sum_rule_reshape(upstream, x, output, axis=None, keepdims=False):
    shape = np.sum(x, axis=axis, keepdims=True).shape
    return np.reshape(upstream, shape) * np.ones(x.shape)


def sum_rule_broadcast(upstream, x, output, axis=None, keepdims=False):
    if axis is not None and not keepdims:
        upstream = np.expand_dims(upstream, axis)
    return np.broadcast_to(upstream, x.shape)


def sum_rule_axis_zero(upstream, x, output, axis=None, keepdims=False):
    """Axis 0 need not be put back: broadcasting puts missing axes in front."""
    if axis and not keepdims:
        upstream = np.expand_dims(upstream, axis)
    return np.broadcast_to(upstream, x.shape)


def sum_rule_numbers(upstream, x, output, axis=None, keepdims=False):
    kept = x.sum(axis=axis, keepdims=True)
    return np.zeros_like(x) + upstream.reshape(kept.shape)


def pick_rule_places(upstream, x, output, key):
    places = np.arange(x.size).reshape(x.shape)[key]
    return np.bincount(np.ravel(places), np.ravel(upstream), x.size).reshape(x.shape)


def pick_rule_loop(upstream, x, output, key):
    places = np.arange(x.size).reshape(x.shape)[key]
    dx = np.zeros(x.size)
    for place, g in zip(np.ravel(places), np.ravel(upstream), strict=True):
        dx[place] += g
    return dx.reshape(x.shape)


def pick_rule_one_hot(upstream, x, output, key):
    """A matrix with a 1 for each pick, rows for picks and columns for the entries of x."""
    places = np.ravel(np.arange(x.size).reshape(x.shape)[key])
    return (np.eye(x.size)[places].T @ np.ravel(upstream)).reshape(x.shape)


def order_by_counting_users(output):
    """Kahn's way: from the output, a node follows when all that use it are listed."""
    users, found, waiting = Counter(), {output}, [output]
    while waiting:
        for parent in waiting.pop().parents:
            users[parent] += 1
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    ready, order = [output], []
    while ready:
        node = ready.pop()
        order.append(node)
        for parent in node.parents:
            users[parent] -= 1
            if users[parent] == 0:
                ready.append(parent)
    order.reverse()
    return order


def order_by_iterators(output):
    order, seen, stack = [], {output}, [(output, iter(output.parents))]
    while stack:
        node, parents = stack[-1]
        parent = next((p for p in parents if p not in seen), None)
        if parent is None:
            order.append(node)
            stack.pop()
        else:
            seen.add(parent)
            stack.append((parent, iter(parent.parents)))
    return order


def order_with_a_list_of_seen(output):
    """Right, and slow on long chains: asking whether a list holds a node walks through it."""
    order, seen, stack = [], [], [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.append(node)
            stack += [(node, True), *((parent, False) for parent in reversed(node.parents))]
    return order


def order_when_parents_are_listed(output):
    order, listed, stack = [], set(), [output]
    while stack:
        missing = [p for p in stack[-1].parents if p not in listed]
        if missing:
            stack.extend(missing)
        else:
            node = stack.pop()
            if node not in listed:
                listed.add(node)
                order.append(node)
    return tuple(order)


def backward_get(output):
    grads = {output: np.array(1.0)}
    for node in reversed(order_by_iterators(output)):
        for parent, piece in zip(node.parents, node.pull_back(grads[node]), strict=True):
            grads[parent] = grads.get(parent, 0.0) + piece
    return grads


def backward_zeros_first(output):
    order = order_by_counting_users(output)
    grads = {node: np.zeros_like(node.value) for node in order}
    grads[output] = np.ones_like(output.value)
    for node in order[::-1]:
        if node.parents:
            pieces = node.pull_back(grads[node])
            for k in range(len(pieces)):
                grads[node.parents[k]] = grads[node.parents[k]] + pieces[k]
    return grads


def backward_lists(output):
    """Collect the pieces of each node; add them up when its turn comes."""
    pieces, grads = {output: [1.0]}, {}
    for node in order_when_parents_are_listed(output)[::-1]:
        grads[node] = sum(pieces[node])
        for parent, piece in zip(node.parents, node.pull_back(grads[node]), strict=True):
            pieces.setdefault(parent, []).append(piece)
    return grads


class Dual:
    """A value and its derivative in one direction: forward mode, no graph."""

    __array_ufunc__ = None

    def __init__(self, value, slope=0.0):
        self.value = np.asarray(value, dtype=float)
        self.slope = slope * np.ones_like(self.value)

    @staticmethod
    def of(other):
        return other if isinstance(other, Dual) else Dual(other)

    def __add__(self, other):
        other = self.of(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        other = self.of(other)
        return Dual(self.value * other.value, self.slope * other.value + self.value * other.slope)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -self.of(other)

    def __rsub__(self, other):
        return self.of(other) - self

    def __pow__(self, n):
        return Dual(self.value**n, n * self.value ** (n - 1.0) * self.slope)

    def __truediv__(self, other):
        return self * self.of(other) ** -1

    def __rtruediv__(self, other):
        return self.of(other) / self

    def __matmul__(self, other):
        other = self.of(other)
        return Dual(self.value @ other.value,
                    self.slope @ other.value + self.value @ other.slope)

    def __rmatmul__(self, other):
        return self.of(other) @ self

    def __getitem__(self, key):
        return Dual(self.value[key], self.slope[key])

    def exp(self):
        return Dual(np.exp(self.value), np.exp(self.value) * self.slope)

    def log(self):
        return Dual(np.log(self.value), self.slope / self.value)

    def tanh(self):
        return Dual(np.tanh(self.value), self.slope / np.cosh(self.value) ** 2)

    def relu(self):
        return self * (self.value > 0)

    def sum(self, axis=None, keepdims=False):
        return Dual(self.value.sum(axis=axis, keepdims=keepdims),
                    self.slope.sum(axis=axis, keepdims=keepdims))

    def mean(self, axis=None, keepdims=False):
        total = self.sum(axis=axis, keepdims=keepdims)
        return total * (total.value.size / self.value.size)


def value_and_grad_forward_mode(loss, params):
    """One pass for each entry: slow, and exact."""
    grads, value = {}, None
    for name, W in params.items():
        grads[name] = np.zeros_like(W)
        for at in np.ndindex(W.shape):
            one = np.zeros_like(W)
            one[at] = 1.0
            output = loss({k: Dual(v, one if k == name else 0.0) for k, v in params.items()})
            grads[name][at], value = output.slope, output.value
    return float(value), grads


def value_and_grad_list(loss, params):
    value, grads = value_and_grad_forward_mode(loss, params)
    return [np.float64(value), {**grads, "more": None}]


class Tape(Dual):
    """The same operations, with closures that wait on a tape (reverse mode, no order needed)."""

    def __init__(self, value, tape=None, pieces=()):
        self.value, self.tape = np.asarray(value, dtype=float), tape
        self.grad = np.zeros_like(self.value)
        if tape is not None:
            tape.append((self, pieces))

    def _made(self, value, *pieces):
        tape = next((t for t in [self.tape, *(p.tape for p, _ in pieces)] if t is not None), None)
        return Tape(value, tape, pieces)

    @staticmethod
    def of(other):
        return other if isinstance(other, Tape) else Tape(other)

    def __add__(self, other):
        other = self.of(other)
        return self._made(self.value + other.value, (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other):
        other = self.of(other)
        return self._made(self.value * other.value, (self, lambda g: g * other.value),
                          (other, lambda g: g * self.value))

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, n):
        return self._made(self.value**n, (self, lambda g: g * n * self.value ** (n - 1.0)))

    def __matmul__(self, other):
        other = self.of(other)
        return self._made(self.value @ other.value, (self, lambda g: g @ other.value.T),
                          (other, lambda g: self.value.T @ g))

    def __getitem__(self, key):
        def back(g):
            whole = np.zeros_like(self.value)
            np.add.at(whole, key, g)
            return whole
        return self._made(self.value[key], (self, back))

    def exp(self):
        value = np.exp(self.value)
        return self._made(value, (self, lambda g: g * value))

    def log(self):
        return self._made(np.log(self.value), (self, lambda g: g / self.value))

    def tanh(self):
        value = np.tanh(self.value)
        return self._made(value, (self, lambda g: g * (1 - value * value)))

    def relu(self):
        return self._made(np.maximum(self.value, 0), (self, lambda g: g * (self.value > 0)))

    def sum(self, axis=None, keepdims=False):
        kept = self.value.sum(axis=axis, keepdims=True).shape
        return self._made(self.value.sum(axis=axis, keepdims=keepdims),
                          (self, lambda g: np.reshape(g, kept) + np.zeros_like(self.value)))


def value_and_grad_tape(loss, params):
    tape = []
    tensors = {name: Tape(W, tape) for name, W in params.items()}
    output = loss(tensors)
    output.grad = np.ones_like(output.value)
    for tensor, pieces in reversed(tape):
        for parent, back in pieces:
            parent.grad = parent.grad + unbroadcast_padded(back(tensor.grad), parent.value.shape)
    return output.value[()], {name: t.grad for name, t in tensors.items()}


# wrong ones

def backward_plus_equals(output):
    grads = {output: np.ones_like(output.value)}
    for node in order_by_counting_users(output)[::-1]:
        for parent, piece in zip(node.parents, node.pull_back(grads[node]), strict=True):
            if parent not in grads:
                grads[parent] = piece
            else:
                grads[parent] += piece
    return grads


def backward_shifting_values(output):
    for node in order_by_iterators(output):
        node.value = node.value + 1
    return backward_get(output)


def backward_kept_in_nodes(output):
    output.grad = np.ones_like(output.value)
    order = order_by_iterators(output)
    for node in reversed(order):
        for parent, piece in zip(node.parents, node.pull_back(node.grad), strict=True):
            parent.grad = getattr(parent, "grad", 0) + piece
    return {node: node.grad for node in order}


def backward_with_a_default(output, grads={}):  # noqa: B006  (the mistake)
    grads[output] = np.ones_like(output.value)
    for node in reversed(order_by_iterators(output)):
        for parent, piece in zip(node.parents, node.pull_back(grads[node]), strict=True):
            grads[parent] = grads.get(parent, 0) + piece
    return grads


def order_marking_nodes(output):
    order, stack = [], [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif not hasattr(node, "seen"):
            node.seen = True
            stack += [(node, True), *((parent, False) for parent in node.parents)]
    return order


def order_by_a_visitor(output):
    order = []

    def visit(node):
        for parent in node.parents:
            if parent not in order:
                visit(parent)
        order.append(node)

    visit(output)
    return order


def tanh_rule_in_place(upstream, x, output):
    output *= output
    return upstream * (1 - output)


def exp_rule_in_place(upstream, x, output):
    upstream *= output
    return upstream


def value_and_grad_measured(loss, params):
    def at(name, W):
        return loss({**{k: Dual(v) for k, v in params.items()}, name: Dual(W)}).value

    grads = {name: np.zeros_like(W) for name, W in params.items()}
    for name, W in params.items():
        for i in np.ndindex(W.shape):
            step = np.zeros_like(W)
            step[i] = 1e-5
            grads[name][i] = (at(name, W + step) - at(name, W - step)) / 2e-5
    return float(at(name, params[name])), grads


RIGHT = {
    "07-by-hand": [by_hand_forward_mode, by_hand_closed, by_hand_numpy],
    "07-unbroadcast": [unbroadcast_loop, unbroadcast_padded, unbroadcast_einsum],
    "07-pair-rules/add_rule": [
        add_rule_copies, lambda upstream, a, b, output: (upstream, upstream),
        lambda upstream, a, b, output: [upstream * np.ones_like(a), 0 + upstream]],
    "07-pair-rules/mul_rule": [mul_rule_einsum, mul_rule_unbroadcast,
                               lambda upstream, a, b, output: (b * upstream, a * upstream)],
    "07-pair-rules/div_rule": [
        div_rule_output, div_rule_power,
        lambda upstream, a, b, output: (upstream / b, -upstream * a / (b * b))],
    "07-unary-rules/exp_rule": [lambda upstream, x, output: output * upstream,
                                lambda upstream, x, output: upstream * np.exp(x),
                                lambda g, x, y: np.multiply(g, y)],
    "07-unary-rules/log_rule": [lambda upstream, x, output: upstream / x,
                                lambda upstream, x, output: upstream * x**-1,
                                lambda upstream, x, output: upstream * np.exp(-output)],
    "07-unary-rules/tanh_rule": [lambda upstream, x, output: upstream * (1 - output * output),
                                 lambda upstream, x, output: upstream / np.cosh(x) ** 2,
                                 lambda g, x, y: g - g * np.tanh(x) ** 2],
    "07-unary-rules/relu_rule": [relu_rule_where, relu_rule_loop,
                                 lambda upstream, x, output: upstream * (x > 0)],
    "07-unary-rules/power_rule": [
        power_rule_log,
        lambda upstream, x, output, exponent: upstream * exponent * x ** (exponent - 1),
        lambda upstream, x, output, exponent: np.power(x, exponent - 1) * (upstream * exponent)],
    "07-array-rules/matmul_rule": [matmul_rule_einsum, matmul_rule_loop,
                                   lambda g, a, b, out: ((b @ g.T).T, (g.T @ a).T)],
    "07-array-rules/sum_rule": [sum_rule_reshape, sum_rule_broadcast, sum_rule_numbers,
                                 sum_rule_axis_zero],
    "07-array-rules/pick_rule": [pick_rule_places, pick_rule_loop, pick_rule_one_hot],
    "07-topological-order": [order_by_counting_users, order_by_iterators,
                             order_when_parents_are_listed, order_with_a_list_of_seen],
    "07-backward": [backward_get, backward_zeros_first, backward_lists],
    "07-value-and-grad": [value_and_grad_forward_mode, value_and_grad_list, value_and_grad_tape],
}

def unbroadcast_mean_in_a_loop(gradient, shape):
    while len(gradient.shape) > len(shape):
        gradient = gradient.mean(axis=0)
    for axis in range(len(shape)):
        if shape[axis] == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
    return gradient


WRONG = [
    ("07-unbroadcast", unbroadcast_mean_in_a_loop, "mean-for-sum"),
    ("07-by-hand", lambda x, y: (math.pow(x * y + x, 2), 2 * (x * y + x) * y,
                                 2 * (x * y + x) * x), "direct-path-forgotten"),
    ("07-by-hand", lambda x, y: (x * y + x) ** 2, "wrong-number-of-values"),
    ("07-unbroadcast", lambda gradient, shape: gradient.sum(axis=0), "first-axis-always"),
    ("07-unbroadcast", lambda gradient, shape: np.zeros(shape), "all-zero"),
    ("07-unbroadcast", lambda gradient, shape: unbroadcast_loop(gradient, shape) / 3,
     None),
    ("07-pair-rules/add_rule", lambda upstream, a, b, output: (1, 1), "upstream-ignored"),
    ("07-pair-rules/add_rule", lambda upstream, a, b, output: (
        np.zeros(a.shape), np.zeros(b.shape)), "all-zero"),
    ("07-pair-rules/mul_rule", lambda g, a, b, y: (g * a, g * b), "own-factor"),
    ("07-pair-rules/div_rule", lambda g, a, b, y: (g / b, g * y / b), "sign-flipped"),
    ("07-unary-rules/exp_rule", lambda upstream, x, output: 0 * x, "all-zero"),
    ("07-unary-rules/exp_rule", exp_rule_in_place, "changes-arguments"),
    ("07-unary-rules/log_rule", lambda upstream, x, output: np.reciprocal(x), "upstream-ignored"),
    ("07-unary-rules/tanh_rule", tanh_rule_in_place, "changes-arguments"),
    ("07-unary-rules/relu_rule", lambda g, x, y: g * (y >= 0), "derivative-missing"),
    ("07-unary-rules/power_rule", lambda g, x, y, exponent: g * exponent * x * (exponent - 1),
     "star-for-power"),
    ("07-unary-rules/power_rule", lambda g, x, y, exponent: g * x ** (exponent - 1) / exponent,
     None),
    ("07-array-rules/matmul_rule", lambda g, a, b, y: (g @ b, a.T @ g), "transpose-missing"),
    ("07-array-rules/sum_rule", lambda g, x, y, axis=None, keepdims=False: (
        sum_rule_reshape(g, x, y, axis, keepdims) / (x.size / y.size)), "divided"),
    ("07-array-rules/pick_rule", lambda g, x, y, key: (
        lambda dx: dx.__setitem__(key, dx[key] + g) or dx)(np.zeros(x.shape)), "overwritten"),
    ("07-topological-order", lambda output: [output], "fact-missing"),
    ("07-topological-order", lambda output: sorted({output, *output.parents}, key=id),
     "fact-missing"),
    ("07-topological-order", order_marking_nodes, "leaves-marks"),
    ("07-topological-order", order_by_a_visitor, "too-deep"),
    ("07-backward", backward_kept_in_nodes, "leaves-marks"),
    ("07-backward", backward_with_a_default, "fact-strange"),
    ("07-backward", lambda output: list(order_by_iterators(output)), "not-a-dict"),
    ("07-backward", backward_plus_equals, "added-in-place"),
    ("07-backward", backward_shifting_values, None),
    ("07-backward", lambda output: None, "returns-none"),
    ("07-value-and-grad", value_and_grad_measured, "nearly-right"),
    ("07-value-and-grad", lambda loss, params: (loss(params), params), None),
    ("07-value-and-grad", lambda loss, params: (
        value_and_grad_forward_mode(loss, params)[0], dict.fromkeys(params)), "part-is-none"),
    ("07-value-and-grad", lambda loss, params: (
        value_and_grad_forward_mode(loss, params)[0], {object(): 1.0}), "missing-key"),
]

EQUIVALENT = {
    "07-value-and-grad": {
        "line 6: float(output.value) → output.value": "an array without axes is one number too"},
}
