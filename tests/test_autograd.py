"""The autograd of lesson 07 beside PyTorch, on drawn shapes and graphs, in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from helpers.memory import answers as loader
from helpers.memory.keep import source_of

torch = pytest.importorskip("torch")

SOLUTIONS = Path(__file__).parents[1] / "solutions"
VALUE_AND_GRAD = loader.Loader().functions(
    loader.find_exercise("07-value-and-grad"), SOLUTIONS)[0]
SPACE = VALUE_AND_GRAD.__globals__  # what `mine` carries into later lessons
Tensor, backward, topological_order = (
    SPACE[name] for name in ("Tensor", "backward", "topological_order"))
seeds = st.integers(0, 2**16)
some = settings(max_examples=80, deadline=None, derandomize=True)


def positive(seed, shape):
    return np.random.default_rng([seed, 7, *shape]).uniform(0.5, 2.0, shape)


def agree(loss, torch_loss, params):
    """The loss and all gradients agree with PyTorch's, and the parameters stay as they are."""
    before = {name: W.copy() for name, W in params.items()}
    value, grads = VALUE_AND_GRAD(loss, params)
    params_t = {name: torch.tensor(W, requires_grad=True) for name, W in params.items()}
    loss_t = torch_loss(params_t)
    loss_t.backward()
    assert type(value) is float and np.isclose(value, loss_t.item(), rtol=1e-11)
    for name, W in params.items():
        wanted = params_t[name].grad
        wanted = np.zeros(W.shape) if wanted is None else wanted.numpy()
        assert grads[name].shape == W.shape and grads[name].dtype == np.float64
        assert np.allclose(grads[name], wanted, rtol=1e-10, atol=1e-12)
        assert np.array_equal(W, before[name])


@some
@given(mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4),
       st.sampled_from(["+", "-", "*", "/"]), seeds)
def test_pairs_agree_with_pytorch_on_every_broadcast_shape(shapes, sign, seed):
    a, b = shapes.input_shapes
    weights = positive(seed + 1, shapes.result_shape)
    act = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
           "/": lambda a, b: a / b}[sign]
    agree(lambda p: (act(p["a"], p["b"]) * weights).sum(),
          lambda p: (act(p["a"], p["b"]) * torch.from_numpy(weights)).sum(),
          {"a": positive(seed, a), "b": positive(seed + 2, b)})


@some
@given(st.lists(st.integers(1, 4), max_size=3), seeds,
       st.sampled_from(["exp", "log", "tanh", "relu", 2, 3, -1, 0.5]))
def test_one_input_agrees_with_pytorch(shape, seed, name):
    x = positive(seed, tuple(shape))
    x = x if name in ("log", -1, 0.5) else x - 1.0
    weights = positive(seed + 1, tuple(shape))

    def act(x):
        return getattr(x, name)() if isinstance(name, str) else x**name

    agree(lambda p: (act(p["x"]) * weights).sum(),
          lambda p: (act(p["x"]) * torch.from_numpy(weights)).sum(), {"x": x})


@some
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.data(), st.booleans(), seeds)
def test_sums_agree_with_pytorch_on_every_axis(shape, data, keepdims, seed):
    axis = data.draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    x = positive(seed, tuple(shape))
    weights = positive(seed + 1, x.sum(axis=axis, keepdims=keepdims).shape)
    agree(lambda p: ((p["x"] ** 2).sum(axis=axis, keepdims=keepdims) * weights).sum(),
          lambda p: (torch.sum(p["x"] ** 2, dim=axis, keepdim=keepdims)
                     * torch.from_numpy(weights)).sum(), {"x": x})
    agree(lambda p: (p["x"] ** 2).mean(), lambda p: (p["x"] ** 2).mean(), {"x": x})


@some
@given(st.tuples(*[st.integers(1, 4)] * 3), seeds)
def test_matrix_products_agree_with_pytorch(sizes, seed):
    n, d, k = sizes
    weights = positive(seed, (n, k))
    params = {"a": positive(seed + 1, (n, d)), "b": positive(seed + 2, (d, k))}
    agree(lambda p: (p["a"] @ p["b"] * weights).sum(),
          lambda p: (p["a"] @ p["b"] * torch.from_numpy(weights)).sum(), params)
    agree(lambda p: (weights.T @ p["a"]).sum(),
          lambda p: (torch.from_numpy(weights).T @ p["a"]).sum(), params)


@some
@given(st.integers(1, 5), st.integers(1, 4), st.lists(st.integers(0, 100), min_size=1, max_size=6),
       seeds)
def test_picking_agrees_with_pytorch_where_entries_repeat(n, k, places, seed):
    rows, columns = np.array(places) % n, np.array(places) // 3 % k
    weights = positive(seed, (len(places),))
    x = {"x": positive(seed, (n, k))}
    agree(lambda p: (p["x"][rows, columns] ** 2 * weights).sum(),
          lambda p: (p["x"][torch.from_numpy(rows), torch.from_numpy(columns)] ** 2
                     * torch.from_numpy(weights)).sum(), x)
    for key in (slice(None, -1), 0, (slice(None), 0)):
        agree(lambda p, key=key: (p["x"][key] ** 2).sum(),
              lambda p, key=key: (p["x"][key] ** 2).sum(), x)


STEPS = st.lists(st.tuples(st.sampled_from("+*/te"), st.integers(0, 99), st.integers(0, 99)),
                 min_size=1, max_size=14)


def grown(leaves, steps, tanh, exp):
    """Return the last of a row of values, each computed from any two of those before it."""
    values = list(leaves)
    for sign, i, j in steps:
        a, b = values[i % len(values)], values[j % len(values)]
        values.append({"+": lambda a, b: a + b, "*": lambda a, b: a * b,
                       "/": lambda a, b: a / (b * b + 1), "t": lambda a, b: tanh(a) * b,
                       "e": lambda a, b: exp(tanh(a)) + b}[sign](a, b))
    return tanh(values[-1]).sum() + values[len(values) // 2].sum()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(STEPS, seeds)
def test_graphs_with_shared_values_agree_with_pytorch(steps, seed):
    params = {"x": positive(seed, (2, 1)), "y": positive(seed, (3,)), "z": positive(seed, ())}
    agree(lambda p: grown(p.values(), steps, lambda a: a.tanh(), lambda a: a.exp()),
          lambda p: grown(p.values(), steps, torch.tanh, torch.exp), params)


@some
@given(STEPS)
def test_the_order_lists_every_node_once_and_after_its_parents(steps):
    output = grown([Tensor(0.5), Tensor(1.5)], steps, lambda a: a.tanh(), lambda a: a.exp())
    order = topological_order(output)
    place = {node: at for at, node in enumerate(order)}
    assert len(place) == len(order) and order[-1] is output
    assert all(place[p] < at for node, at in place.items() for p in node.parents)
    assert backward(output).keys() == place.keys()


@pytest.mark.parametrize("expression", [
    lambda x: x * x, lambda x: x + x, lambda x: x / x + x, lambda x: x - x * 2,
    lambda x: (lambda a: a * a.exp())(x.tanh()),
    lambda x: (lambda a: a * a + a)((lambda b: b * b + b)(x.tanh())),
    lambda x: 1 / x + 2 - x * 3.0 - (1 - x) ** 3 + -x])
def test_a_value_used_twice_and_diamonds_agree_with_pytorch(expression):
    for x in (np.array(0.7), np.array([[0.3, -1.2]])):
        agree(lambda p: expression(p["x"]).sum(), lambda p: expression(p["x"]).sum(), {"x": x})


def test_a_chain_of_ten_thousand_operations_has_a_gradient():
    x = y = Tensor(1.0)
    for _ in range(10_000):
        y = y * 1.0001
    assert np.isclose(backward(y)[x], 1.0001**10_000, rtol=1e-10)


def test_arrays_and_numbers_on_either_side_become_inputs():
    X, x = np.arange(6.0).reshape(2, 3), Tensor(np.ones((3, 2)))
    for result in (X @ x, X + x[:, 0], X * x[:, 0], X / x[:, 0], X - x[:, 0], 2 - x, 2 / x):
        assert isinstance(result, Tensor)
    assert (X @ x).parents[0].operation == "input" and (X @ x).parents[0].parents == ()


def test_it_can_be_read_in_one_sitting():
    vars(VALUE_AND_GRAD).pop("kept_exercise", None)  # else it is a line that takes it from there
    lines = [line.strip() for line in source_of({"value_and_grad": VALUE_AND_GRAD}).splitlines()]
    code = [line for line in lines if line and not line.startswith(("#", '"""'))]
    assert 100 < len(code) <= 125, "the lesson says about 120"
