"""Lesson 07: an autograd of one's own: rules, order, accumulation."""

from __future__ import annotations

import functools

import numpy as np

from helpers.checks import graph_fixtures as graphs
from helpers.checks.compare import Count
from helpers.checks.exercise import Exercise, Group, no_sizes


def _by_hand(x, y):
    def f(x, y):
        return (x * y + x) ** 2

    return f(x, y), f(complex(x, 1e-30), y).imag / 1e-30, f(x, complex(y, 1e-30)).imag / 1e-30


by_hand = Exercise(
    "07-by-hand", "by_hand", truth=_by_hand, returns=("c", "x_bar", "y_bar"), sizes=no_sizes,
    cases=lambda: [(2.0, -3.0), (0.7, 1.9), (-1.3, 0.4)],
    hint="forward: a, b, c. Back: c_bar = 1, then b_bar, a_bar, y_bar; x gets one part from a and "
         "one from b.",
    unlocks="Everything else in this lesson does this by itself.")


# the rules

def pulled(function, upstream, *inputs):
    """Return the gradient of sum(upstream · function) by its input; a tuple, where it has two."""
    found = graphs.pulled(function, upstream, *inputs)
    return tuple(found) if len(found) > 1 else found[0]


def generic(*shape, seed=0):
    """Return an array of normal numbers, the same ones each time."""
    return np.asarray(np.random.default_rng([seed, *shape]).normal(size=shape))


def case(function, *inputs, **settings):
    """Return the arguments of a rule: what arrives, what went in, what came out, the settings."""
    output = np.asarray(function(*inputs, **settings)).copy()
    return (generic(*output.shape, seed=9), *inputs, output, *settings.values())


def _of_two(group, name, function, hint, pairs):
    return Exercise(
        group, name, truth=lambda upstream, a, b, output: pulled(function, upstream, a, b),
        returns=("da", "db"), sizes=no_sizes,
        cases=lambda: [case(function, *pair) for pair in pairs],
        hint=hint)


def _of_one(name, function, hint, *inputs):
    return Exercise(
        "07-unary-rules", name, truth=lambda upstream, x, output: pulled(function, upstream, x),
        returns=("dx",), sizes=no_sizes, cases=lambda: [case(function, x) for x in inputs],
        hint=hint)


PAIRS = [(generic(*shape, seed=1), generic(*shape, seed=2)) for shape in ((4, 3), (5,), (2, 6))]
ZEROS = np.array([0.0, 1.5, -0.7]), np.array([1.2, 0.0, 0.4])
pair_rules = Group("07-pair-rules", (
    _of_two("07-pair-rules", "add_rule", np.add,
            "what is the slope of a + b with respect to a? Multiply it by what arrives.", PAIRS),
    _of_two("07-pair-rules", "mul_rule", np.multiply, "with respect to a the slope of a · b is b, "
            "with respect to b it is a; multiply each by what arrives.", [*PAIRS, ZEROS]),
    _of_two("07-pair-rules", "div_rule", np.divide,
            "a / b has the slope 1/b with respect to a, and −a/b² with respect to b.", PAIRS),
), unlocks="Three rules: the sum passes on, the product crosses over.")

SINGLE = [generic(4, 3, seed=3), generic(7, seed=4), generic(2, 5, seed=5)]
power_rule = Exercise(
    "07-unary-rules", "power_rule",
    truth=lambda upstream, x, output, exponent: pulled(lambda v: v**exponent, upstream, x),
    returns=("dx",), sizes=no_sizes,
    cases=lambda: [case(lambda x, exponent: x**exponent, x, exponent=n) for x, n in (
        (generic(4, 3), 2), (generic(5), 3), (generic(3, 2), 4), (generic(6), 1),
        (np.array([0.0, -0.8, 1.4]), 2), (abs(generic(7)), -2.0), (abs(generic(7)), 0.5))],
    hint="the derivative of xⁿ is n · xⁿ⁻¹; `exponent` is n.")
unary_rules = Group("07-unary-rules", (
    _of_one("exp_rule", np.exp, "the derivative of exp is exp, and its value is the output that "
            "the forward pass has kept.", *SINGLE),
    _of_one("log_rule", np.log, "the derivative of log is 1/x, with x the input.",
            *[abs(x) + 0.2 for x in SINGLE]),
    _of_one("tanh_rule", np.tanh, "the derivative of tanh is 1 minus the square of its own value, "
            "which is the output.", *SINGLE),
    _of_one("relu_rule", graphs.relu, "where x is positive the slope is 1, elsewhere 0.",
            *SINGLE, np.array([0.0, -0.5, 0.0, 0.5])),
    power_rule,
), unlocks="exp and tanh use their output, log, ReLU and powers their input.")

matmul_rule = _of_two(
    "07-array-rules", "matmul_rule", lambda a, b: np.einsum("nd,dk->nk", a, b),
    "write the shapes under each factor: a (N, D), b (D, K), upstream (N, K). Each gradient is a "
    "product of `upstream` and the other matrix, and only one way of writing it fits.",
    [(generic(5, 3), generic(3, 2)), (generic(2, 4), generic(4, 7)),
     (generic(3, 3), generic(3, 3, seed=1))])
sum_rule = Exercise(
    "07-array-rules", "sum_rule",
    truth=lambda upstream, x, output, axis=None, keepdims=False: pulled(
        lambda v: v.sum(axis=axis, keepdims=keepdims), upstream, x),
    returns=("dx",), sizes=no_sizes,
    cases=lambda: [case(np.sum, generic(*shape), axis=axis, keepdims=keepdims)
                   for shape, axis, keepdims in (
        ((4, 3), None, False), ((4, 3), 0, False), ((5, 2), 1, False), ((5, 2), 1, True),
        ((2, 6), 0, True), ((3, 3), 1, False), ((3, 3), 0, False), ((3, 4), None, True),
        ((2, 3, 5), 1, False), ((4, 2), -1, False), ((7,), None, False))],
    hint="where an axis was summed away (`keepdims=True` keeps it), put it back with "
         "`np.expand_dims(upstream, axis)`; then stretch to the shape of `x`.")
pick_rule = Exercise(
    "07-array-rules", "pick_rule",
    truth=lambda upstream, x, output, key: pulled(lambda v: v[key], upstream, x), returns=("dx",),
    sizes=no_sizes,
    cases=lambda: [case(lambda x, key: x[key], generic(*shape), key=key) for shape, key in (
        ((5, 3), slice(1, None)), ((4, 6), (np.arange(4), np.array([2, 0, 5, 2]))), ((4, 3), 0),
        ((3, 5), np.array([2, 0, 2, 2])), ((6,), np.array([1, 1, 4])), ((4, 7), (slice(None), 2)))],
    hint="zeros of the shape of `x`, and `np.add.at(zeros, key, upstream)`, which adds once for "
         "each time an entry was picked.")
array_rules = Group("07-array-rules", (matmul_rule, sum_rule, pick_rule),
                    unlocks="That is every operation up to lesson 09.")
RULES = pair_rules.parts + unary_rules.parts + array_rules.parts


def _unbroadcast(gradient, shape):
    total = np.zeros(shape)
    for at in np.ndindex(gradient.shape):
        place = at[len(at) - len(shape):]
        total[tuple(0 if n == 1 else i for i, n in zip(place, shape, strict=True))] += gradient[at]
    return total if shape else float(total)


unbroadcast = Exercise(
    "07-unbroadcast", "unbroadcast", truth=_unbroadcast, sizes=no_sizes,
    cases=lambda: [(generic(*given), wanted) for given, wanted in (
        ((4, 3), (3,)), ((4, 3), (4, 1)), ((5, 2), (1, 2)), ((4, 3), (4, 3)), ((3, 5), ()),
        ((2, 4, 3), (4, 1)), ((2, 4, 3), (1, 4, 1)), ((3, 3), (3,)), ((3, 3), (3, 1)),
        ((6,), (1,)), ((4, 1), (1,)))],
    hint="two steps: sum over the axes in front that `shape` does not have; then, with "
         "`keepdims=True`, over those where `shape` has 1.",
    unlocks="Rules may now behave as if all shapes were equal.")


# The graphs: title, shape of the leaves, steps (a name that no step has made is a leaf). Only one
# order goes back through each, but for sides that are alike, so that a mistake comes to the same
# result whichever way the student's order was found. A sum hands one array to both its parents.
GRAPHS = (
    ("exp(tanh(x))", (), "a = tanh x; out = exp a"),
    ("x * x", (), "unused = exp x; out = mul x x"),
    ("x + x", (), "out = add x x"),
    ("one operation a · a · b, with a = b = x", (), "out = square_mul x x"),
    ("a * exp(a), a = tanh(x)", (), "a = tanh x; b = exp a; out = mul a b"),
    ("exp(a) * a, a = tanh(x)", (), "a = tanh x; b = exp a; out = mul b a"),
    ("two diamonds in a row", (3,), "a = mul x y; a1 = tanh a; a2 = tanh a; b = mul a1 a2; "
     "b1 = sin b; b2 = sin b; c = add b1 b2; d = mul c y; out = sum d"),
    ("a short and a long way from x to the output", (2,),
     "a1 = tanh x; a2 = tanh a1; a3 = tanh a2; p = mul x a3; out = sum p"),
    ("a long and a short way from x to the output", (2,),
     "a1 = tanh x; a2 = tanh a1; a3 = tanh a2; p = mul a3 x; out = sum p"),
    ("a graph whose paths cross", (2,),
     "a = tanh x; b = mul a x; b1 = sin b; c = add b1 a; d = mul c x; out = sum d"),
    ("sum((x * m + x) + z)", (3,), "q = mul x m; p = add q x; r = add p z; out = sum r"))
OPERATIONS = {"tanh": np.tanh, "exp": np.exp, "sin": np.sin, "mul": lambda a, b: a * b,
              "square_mul": lambda a, b: a * a * b, "add": None, "sum": lambda a: a.sum()}


def graph(title, shape, steps):
    """Return the output of a graph, made in steps such as ``"b = exp a"``."""
    nodes = {}
    for step in steps.split("; "):
        name, operation, *parents = step.replace(" =", "").split()
        for leaf in parents:
            if leaf not in nodes:
                nodes[leaf] = graphs.Node(0.1 + generic(*shape, seed=ord(leaf)), name=leaf)
        nodes[name] = graphs.Node(None, tuple(nodes[p] for p in parents), OPERATIONS[operation],
                                  name)
    nodes["out"].title = title  # what a card calls it
    return nodes["out"]


def long_chain(length=4000):
    """Return x after so many operations, more of them than calls may be nested."""
    node = graphs.Node(0.7, name="x")
    for step in range(length):
        node = graphs.Node(None, (node,), name="out" if step == length - 1 else None)
    node.title = f"a chain of {length:,} operations"
    return node


@functools.cache  # a call of the student's gets copies
def _outputs():
    return [*(graph(*row) for row in GRAPHS), long_chain()]


topological_order = Exercise(
    "07-topological-order", "topological_order", truth=graphs.in_order, returns=("order",),
    sizes=no_sizes, view=graphs.order_facts, cases=lambda: [(output,) for output in _outputs()],
    hint="a node may be listed only after all its parents, and once. Keep the nodes seen in a "
         "`set`: asking whether a *list* holds a node takes longer and longer as it grows.",
    unlocks="It stands on a stack of your own, so no graph is too deep for it.")
backward = Exercise(
    "07-backward", "backward", truth=graphs.gradients, returns=("grads",),
    uses=(topological_order,), sizes=no_sizes, view=graphs.named_gradients,
    cases=topological_order.cases,
    hint="start with {output: ones}; go through `topological_order(output)` backwards; let each "
         "node pull back what has arrived, and add each piece to the parent it belongs to.",
    unlocks="This is what `loss.backward()` does.")


def _value_and_grad(loss, params):
    tensors = {name: graphs.Tensor(W, name=name) for name, W in params.items()}
    output = loss(tensors)
    found = graphs.gradients(output)
    return float(output.value), {name: np.asarray(found.get(tensor, np.zeros_like(tensor.value)))
                                 for name, tensor in tensors.items()}


def _small(params):
    """The expression x * x + 3 * x - y / x."""
    x, y = params["x"], params["y"]
    return x * x + 3 * x - y / x


def _network(params):
    """The cross-entropy of a network, with L2."""
    A1 = (generic(7, 3) @ params["W1"] + params["b1"]).tanh()
    Z2 = A1 @ params["W2"] + params["b2"]
    shift = Z2.value.max(axis=1, keepdims=True)
    size = (Z2 - shift).exp().sum(axis=1).log() + shift[:, 0]
    squares = (params["W1"] ** 2).sum() + (params["W2"] * params["W2"]).sum()
    return (size - Z2[np.arange(7), np.array([2, 0, 3, 3, 1, 0, 2])]).mean() + 0.05 * squares


def _relu_network(params):
    """The squared error of a network with ReLU."""
    A1 = (generic(6, 2) @ params["W1"] + params["b1"]).relu()
    error = A1 @ params["W2"][1:] + params["W2"][0] - generic(6, 1)
    return (error**2).sum() / 2


def _value_seen(args, result):
    """Return value and gradients, with the number in place of a Tensor and whether it was one."""
    value, grads = result
    if not isinstance(grads, dict) or not args[1].keys() <= grads.keys():
        return result
    held = hasattr(value, "value") and hasattr(value, "parents")
    count = Count(held, "`value` is a Tensor; one number is wanted.")
    return float(value.value) if held else value, {"a Tensor for a number": count, **grads}


value_and_grad = Exercise(
    "07-value-and-grad", "value_and_grad", truth=_value_and_grad, returns=("value", "grads"),
    uses=(*RULES, unbroadcast, topological_order, backward), sizes=no_sizes, view=_value_seen,
    cases=lambda: [
        (_small, {"x": np.array(1.7), "y": np.array(-0.6)}),
        (_network, {"W1": generic(3, 5), "b1": generic(5), "W2": generic(5, 4), "b2": generic(4)}),
        (_relu_network, {"unused": generic(2, 2), "W1": generic(2, 3), "b1": generic(1, 3),
                         "W2": generic(4, 1)})],
    checker="Measure the slopes with your `numerical_gradient` first: they say which one is wrong.",
    hint="make a Tensor of every parameter, call `loss` with the dict of them, walk back from "
         "what it returns. A parameter that plays no part has no entry in what `backward` "
         "returns: its gradient is zeros, of the shape of its array.",
    unlocks="Any loss of these operations now has a gradient.")
