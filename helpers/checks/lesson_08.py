"""Lesson 08: the same networks in PyTorch: weights carried over, gradients, modules, training."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from helpers.checks.compare import Count, _kind
from helpers.checks.exercise import Exercise, Mistake
from helpers.checks.lesson_01 import DATA as EARLIER
from helpers.checks.torch_fixtures import (
    criterion,
    descent,
    loaded_torch,
    loader,
    made_network,
    weights_of,
)
from helpers.checks.truth import complex_gradients, dense

DATA = EARLIER | {"params", "grads", "data", "starts", "before", "penalty"}
TENSORS = "tensors where numbers are wanted"
GRAPHS = "tensors that hold on to a graph"
SINGLE = "gradients in float32"
KEYS = "names missing or not wanted"
DETACHED = "a tensor comes back where a number is wanted; `item()` takes the number out."
KEPT = ("a tensor comes back where a number is wanted. It holds on to the whole graph that it was "
        "computed from; `item()` takes the number out.")


def weights(seed, D, H, K, output_bias=True):
    """Return params of a D-H-K network: generic numbers, biases too."""
    rng = np.random.default_rng(seed)
    params = {"W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H),
              "W2": rng.normal(size=(H, K)), "b2": rng.normal(size=K)}
    return params if output_bias else {name: params[name] for name in ("W1", "b1", "W2")}


def no_sizes(*args):
    """Return no sizes: no factor here is made of one."""
    return {}


def is_tensor(value):
    """Whether it is a tensor of PyTorch."""
    return hasattr(value, "detach")


def number(value):
    """Return a tensor with one entry as the number in it; anything else as it is."""
    return value.item() if is_tensor(value) and value.numel() == 1 else value


def tensor_facts(results):
    """Return what is wrong with numbers that came back: tensors, with or without a graph."""
    held = [value for value in results if is_tensor(value)]
    graphs = sum(bool(value.requires_grad) for value in held)
    several = f"{len(held)} of the {len(results)} numbers are still tensors"
    return {GRAPHS: Count(graphs, f"{several}, and {graphs} of them hold on to their graph; plain "
                          "numbers are wanted." if len(results) > 1 else
                          "A tensor came back, with its graph; one number is wanted."),
            TENSORS: Count(len(held), f"{several}; plain numbers are wanted." if len(results) > 1
                           else "A tensor came back; one number is wanted.")}


def key_facts(wanted, got, what, extra=True):
    """Return the entries of a dict, after what is wrong with its names."""
    missing = [key for key in wanted if key not in got]
    strange = [key for key in got if key not in wanted] if extra else []
    text = " ".join(f"{says}: {', '.join(f'`{key}`' for key in keys)}."[:150]
                    for says, keys in (("Missing", missing), ("Not wanted", strange)) if keys)
    return {KEYS: Count(len(missing) + len(strange), f"The names in {what} are not right. {text}"),
            **dict.fromkeys(wanted), **got}


# 08-to-state

NAMES = {"W1": "hidden.weight", "b1": "hidden.bias", "W2": "output.weight", "b2": "output.bias"}


def _to_state(params):
    turned = {name: np.array([[W[i][o] for i in range(len(W))] for o in range(W.shape[1])])
              if W.ndim == 2 else W.copy() for name, W in params.items()}
    return {NAMES[name]: W for name, W in turned.items()}


def wrong_state(weight=lambda W, name: W.T, bias=lambda b: b, names=None,
                finish=lambda state, params: state):
    """Return a `to_state` with one part exchanged."""
    def to_state(params):
        names_used = names or NAMES
        return finish({names_used[k]: weight(W, k) if W.ndim == 2 else bias(W)
                       for k, W in params.items()}, params)
    return to_state


class _Held:
    """What a tensor looks like to a view; this exercise is to work without PyTorch."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    def numpy(self):
        return self.array


def _counted(args, state):
    plain = {k: W.detach().numpy() if is_tensor(W) else W for k, W in state.items()}
    count = sum(map(is_tensor, state.values()))
    return {TENSORS: Count(count, f"{count} of the entries are tensors; arrays are wanted."),
            **key_facts([NAMES[key] for key in args[0]], plain, "`state`")}


NOT_TURNED = ("A layer of PyTorch keeps its weight as (out, in), ours is (in, out): each weight is "
              "transposed, also where it is square and nobody would complain.")

RESHAPED = ("`reshape` fills row by row and mixes the entries: the shapes fit, the weights go to "
            "the wrong units. A transpose turns rows into columns.")

to_state = Exercise(
    id="08-to-state",
    name="to_state",
    truth=_to_state,
    cases=lambda: [(weights(1, 3, 5, 2),), (weights(2, 4, 4, 4),),
                   (weights(3, 2, 3, 1, output_bias=False),)],
    returns=("state",),
    view=_counted,
    data=DATA,
    more=(
        Mistake("not-transposed", wrong_state(weight=lambda W, name: W),
                "the weights are handed over as they are. " + NOT_TURNED),
        Mistake("not-transposed", wrong_state(weight=lambda W, name: (
            W if W.shape[0] == W.shape[1] else W.T)),
                "the weights are handed over as they are. " + NOT_TURNED),
        Mistake("hidden-not-transposed",
                wrong_state(weight=lambda W, name: W if name == "W1" else W.T),
                "the output's weight is turned, the hidden layer's is not. " + NOT_TURNED),
        Mistake("output-not-transposed",
                wrong_state(weight=lambda W, name: W if name == "W2" else W.T),
                "the hidden layer's weight is turned, the output's is not. " + NOT_TURNED),
        Mistake("reshape-for-transpose", wrong_state(weight=lambda W, name: W.reshape(W.T.shape)),
                RESHAPED),
        *(Mistake("reshape-for-transpose", wrong_state(weight=lambda W, name, one=one: (
            W.reshape(W.T.shape) if name == one else W.T)),
                  f"one of the two weights is not turned. {RESHAPED}") for one in ("W1", "W2")),
        Mistake("bias-as-row", wrong_state(bias=lambda b: b.reshape(1, -1)),
                "a bias has the shape (1, H); a layer of PyTorch wants (H,), as ours is."),
        Mistake("bias-as-column", wrong_state(bias=lambda b: b.reshape(-1, 1)),
                "a bias has become a column; a layer of PyTorch wants (H,), as ours is."),
        Mistake("bias-row-dropped", wrong_state(weight=lambda W, name: W[1:].T),
                "the first row of a weight is left out. That row was the bias in lessons 01 to "
                "03; here `params` has the biases apart."),
        Mistake("layers-swapped", wrong_state(names={
            "W1": "output.weight", "b1": "output.bias", "W2": "hidden.weight",
            "b2": "hidden.bias"}),
                "the layers have changed places: `W1` and `b1` belong to `hidden`."),
        Mistake("weight-and-bias-swapped", wrong_state(names={
            "W1": "hidden.bias", "b1": "hidden.weight", "W2": "output.bias",
            "b2": "output.weight"}),
                "weight and bias have changed names."),
        Mistake("bias-invented", wrong_state(finish=lambda state, params: {
            "output.bias": np.zeros(params["W2"].shape[1]), **state}),
                "one network here has no `b2`, and its state has an `output.bias` all the same: "
                "there is an entry for each array in `params`, and no other."),
        Mistake("none-for-bias", wrong_state(finish=lambda state, params: {
            "output.bias": None, **state}),
                "one network here has no `b2`, and its state has an `output.bias` that is `None`: "
                "leave the entry out."),
        Mistake("tensors-for-arrays", wrong_state(finish=lambda state, params: {
            name: _Held(W) for name, W in state.items()}),
                "the entries are tensors; here they stay NumPy arrays. They become tensors where "
                "the state is loaded."),
        Mistake("bias-expected", wrong_state(finish=lambda state, params: (params["b2"], state)[1]),
                "one network here has no `b2`, and the dict is asked for it all the same. Look "
                "first whether it is there."),
        Mistake("bias-left-out", wrong_state(finish=lambda state, params: {
            name: W for name, W in state.items() if name != "output.bias"}),
                "`output.bias` is missing where `params` has a `b2`."),
        Mistake("names-kept", wrong_state(names={name: name for name in NAMES}),
                "the arrays are right; the names are still ours. PyTorch calls them "
                "`hidden.weight`, `hidden.bias`, `output.weight`, `output.bias`."),
        Mistake("own-names-too", wrong_state(finish=lambda state, params: {**params, **state}),
                "the old names are in it too; PyTorch refuses a state with names that it does not "
                "know."),
    ),
    sizes=no_sizes,
    integers=(),
    hint="a new dict: `hidden.weight` from `W1`, transposed, `hidden.bias` from `b1`, and so on, "
         "for the arrays that are there.",
    unlocks="Your weights can move into a PyTorch network.",
)


# 08-torch-gradients

class Loss:
    """A loss of a dict of tensors, and the same one of NumPy arrays, also complex ones."""

    def __init__(self, words: str, function: Callable):
        self.in_words, self.function = words, function

    def __call__(self, params):
        """Return the loss, a tensor."""
        torch = loaded_torch()
        return self.function(params, torch.from_numpy, torch.tanh)

    def of_arrays(self, params):
        """Return the loss, a number."""
        return self.function(params, np.asarray, np.tanh)


def _expression(params, array, tanh):
    x, y = params["x"], params["y"]
    return x * x + 3 * x - y / x


def _network_loss(params, array, tanh):
    rng = np.random.default_rng(7)
    X, Y = array(rng.normal(size=(7, 3))), array(rng.normal(size=(7, 4)))
    Z2 = tanh(X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]
    return ((Z2 - Y) ** 2).mean() + 0.05 * (params["W1"] ** 2).sum()


def _loss_with_a_spare(params, array, tanh):
    X = array(np.random.default_rng(8).normal(size=(6, 3)))
    return (tanh(X @ params["W"]) ** 3).sum()


def _gradient_cases():
    loaded_torch()
    rng = np.random.default_rng(9)
    return [(Loss("x·x + 3x − y/x", _expression),
             {"x": np.array(1.7), "y": np.array(-0.6)}),
            (Loss("the squared error of a network, with L2", _network_loss), weights(3, 3, 5, 4)),
            (Loss("a loss in which `unused` plays no part", _loss_with_a_spare),
             {"W": rng.normal(size=(3, 2)), "unused": rng.normal(size=4)})]


def _torch_gradients(loss, params):
    value = loss.of_arrays(params)
    return float(value), complex_gradients(loss.of_arrays, params)


def _plain_gradients(args, result):
    value, grads = result
    if not isinstance(grads, dict):
        return number(value), grads
    count = sum(map(is_tensor, grads.values()))
    single = sum("float32" in str(getattr(g, "dtype", "")) for g in grads.values())
    plain = {k: g.detach().numpy() if is_tensor(g) else g for k, g in grads.items()}
    return number(value), {
        **key_facts(args[1], plain, "`grads`", extra=False),
        TENSORS: Count(count, "1 of the gradients is still a tensor; an array is wanted."
                       if count == 1 else
                       f"{count} of the gradients are still tensors; arrays are wanted."),
        SINGLE: Count(single, "1 of the gradients is float32; float64 is wanted." if single == 1
                      else f"{single} of the gradients are float32; float64 is wanted."),
        "loss": tensor_facts([value])}


def wrong_torch_gradients(finish=lambda value, grads, tensors: (value, grads), times=1,
                          ready=lambda torch, W: torch.tensor(W, requires_grad=True)):
    """Return a `torch_value_and_grad` with one part exchanged."""
    def torch_value_and_grad(loss, params):
        torch = loaded_torch()
        tensors = {name: ready(torch, W) for name, W in params.items()}
        output = loss(tensors)
        for time in range(times):
            output = loss(tensors) if time else output
            output.backward()
        grads = {name: np.zeros(W.shape) if tensors[name].grad is None
                 else tensors[name].grad.numpy() for name, W in params.items()}
        return finish(output.item(), grads, tensors)
    return torch_value_and_grad


def _with_graph(value):
    """Return a number as a tensor that holds on to a graph."""
    return loaded_torch().tensor(value, dtype=float, requires_grad=True)


torch_gradients = Exercise(
    id="08-torch-gradients",
    name="torch_value_and_grad",
    truth=_torch_gradients,
    cases=_gradient_cases,
    returns=("value", "grads"),
    view=_plain_gradients,
    sizes=no_sizes,
    tolerance=1e-12,
    integers=(),
    data=DATA,
    more=(
        Mistake("requires-grad-missing",
                wrong_torch_gradients(ready=lambda torch, W: torch.tensor(W)),
                "the tensors are made without `requires_grad=True`, so PyTorch records nothing, "
                "and there is no way back from the loss."),
        Mistake("float32", wrong_torch_gradients(
            ready=lambda torch, W: torch.tensor(W, dtype=torch.float32, requires_grad=True)),
                "the tensors are made in float32, which has seven digits, and the data are "
                "float64: they do not mix, and where they do, digits are lost."),
        Mistake("tensors-returned", wrong_torch_gradients(
            lambda value, grads, tensors: (value, {k: loaded_torch().from_numpy(g)
                                                   for k, g in grads.items()})),
                "the gradients are right, but they are still tensors: `numpy()` makes arrays of "
                "them."),
        Mistake("tensors-returned", wrong_torch_gradients(
            lambda value, grads, tensors: (value, {k: grads[k] if t.grad is None else t.grad
                                                   for k, t in tensors.items()})),
                "the gradients are right, but they are still tensors: `numpy()` makes arrays of "
                "them."),
        Mistake("tensors-and-none", wrong_torch_gradients(
            lambda value, grads, tensors: (value, {k: t.grad for k, t in tensors.items()})),
                "the gradients are still tensors, and one of them is `None`: `numpy()` makes "
                "arrays, and a parameter that plays no part gets zeros."),
        Mistake("zeros-in-float32", wrong_torch_gradients(
            lambda value, grads, tensors: (value, {
                k: g if t.grad is not None else g.astype("float32")
                for (k, g), t in zip(grads.items(), tensors.values(), strict=True)})),
                "the zeros of the unused parameter are float32, as PyTorch makes them. "
                "`np.zeros` makes float64."),
        Mistake("zeros-in-float32", wrong_torch_gradients(
            lambda value, grads, tensors: (value, {
                k: g if t.grad is not None else loaded_torch().zeros(g.shape)
                for (k, g), t in zip(grads.items(), tensors.values(), strict=True)})),
                "the zeros of the unused parameter are a tensor, in float32. `np.zeros` makes an "
                "array, in float64."),
        Mistake("backward-missing", wrong_torch_gradients(times=0),
                "every gradient is zeros: `backward()` has not run, so every `.grad` is `None`."),
        Mistake("unused-not-asked", wrong_torch_gradients(
            lambda value, grads, tensors: [t.grad.numpy() for t in tensors.values()] and (
                value, grads)),
                "a parameter that the loss does not use has `None` in its `.grad`. Ask for that "
                "first, and give zeros of its shape."),
        Mistake("loss-of-arrays", lambda loss, params: loss(params).backward(),
                "`loss` is called with the arrays of `params`. Hand it the dict of tensors."),
        Mistake("all-tensors", wrong_torch_gradients(
            lambda value, grads, tensors: (loaded_torch().tensor(value, dtype=float),
                                           {k: t.grad for k, t in tensors.items()})),
                "loss and gradients are still tensors, and one of them is `None`: `item()` makes a "
                "number, `numpy()` an array, and a parameter that plays no part gets zeros."),
        Mistake("all-tensors", wrong_torch_gradients(
            lambda value, grads, tensors: (loaded_torch().tensor(value, dtype=float), {
                k: loaded_torch().from_numpy(g) for k, g in grads.items()})),
                "loss and gradients are still tensors: `item()` makes a number of one, `numpy()` "
                "an array."),
        *(Mistake("all-tensors", wrong_torch_gradients(
            lambda value, grads, tensors, used=used: (_with_graph(value), {
                k: loaded_torch().from_numpy(grads[k]) if t.grad is None and not used else t.grad
                for k, t in tensors.items()})), text)
          for used, text in (
              (True, "loss and gradients are still tensors, and one of them is `None`: `item()` "
                     "makes a number, `numpy()` an array, and a parameter that plays no part gets "
                     "zeros."),
              (False, "loss and gradients are still tensors: `item()` makes a number of one, "
                      "`numpy()` an array."))),
        Mistake("tensor-for-the-loss", wrong_torch_gradients(
            lambda value, grads, tensors: (_with_graph(value), grads)), KEPT),
        Mistake("tensor-for-the-loss", wrong_torch_gradients(
            lambda value, grads, tensors: (loaded_torch().tensor(value, dtype=float), grads)),
                "the loss is still a tensor: `item()` takes the number out."),
        Mistake("unused-is-none", wrong_torch_gradients(
            lambda value, grads, tensors: (
                value, {k: g if k != "unused" else None for k, g in grads.items()})),
                "a parameter that the loss does not use has `None` in its `.grad`. Its gradient "
                "is zeros of its shape."),
        Mistake("unused-missing", wrong_torch_gradients(
            lambda value, grads, tensors: (
                value, {k: g for k, g in grads.items() if k != "unused"})),
                "a parameter that the loss does not use is missing. It has a gradient: zeros of "
                "its shape."),
        Mistake("unused-has-no-shape", wrong_torch_gradients(
            lambda value, grads, tensors: (
                value, {k: g if k != "unused" else 0.0 for k, g in grads.items()})),
                "a parameter that the loss does not use gets the number 0; give zeros of its "
                "shape."),
        Mistake("values-for-gradients", wrong_torch_gradients(
            lambda value, grads, tensors: (
                value, {k: t.detach().numpy() for k, t in tensors.items()})),
                "these are the parameters themselves. `backward()` leaves the gradient of a "
                "tensor in its `.grad`."),
        Mistake("backward-twice", wrong_torch_gradients(times=2),
                "every gradient is twice the right one: `backward()` has run twice, and what it "
                "finds in `.grad` it adds to."),
        Mistake("order-of-results",
                wrong_torch_gradients(lambda value, grads, tensors: (grads, value)),
                "loss and gradients have changed places in the `return` line."),
        Mistake("gradients-only", wrong_torch_gradients(lambda value, grads, tensors: grads),
                "the gradients are right; return the loss before them, as a number."),
        Mistake("list-for-dict", wrong_torch_gradients(
            lambda value, grads, tensors: (value, list(grads.values()))),
                "the gradients come in a list; give them in a dict with the names of `params`."),
        Mistake("measured-not-derived", wrong_torch_gradients(
            lambda value, grads, tensors: (
                value, {k: g * (1 + 3e-10) for k, g in grads.items()})),
                "right to some digits only, as a measured derivative is. `backward()` needs no eps "
                "and is exact."),
    ),
    hint="a tensor with `requires_grad=True` for every array; call `loss` with the dict of them; "
         "`backward()`; then read each tensor's `.grad`.",
    unlocks="It is used like your own `value_and_grad`, and PyTorch does the work.",
)


# 08-network

def _activations():
    torch = loaded_torch()

    def tanh(Z):
        """torch.tanh"""  # noqa: D403  (what a card shows)
        return torch.tanh(Z)

    def sigmoid(Z):
        """torch.sigmoid"""  # noqa: D403
        return torch.sigmoid(Z)

    def relu(Z):
        """torch.relu"""  # noqa: D403
        return torch.relu(Z)

    return tanh, sigmoid, relu


def _network_cases():
    tanh, sigmoid, relu = _activations()
    return [(weights(1, 3, 5, 2), tanh), (weights(2, 4, 4, 4), sigmoid),
            (weights(3, 2, 3, 1, output_bias=False), relu)]


def _build_network(params, activation):
    """Return a module put together of functions, not of layers' own formulas."""
    torch = loaded_torch()

    class Built(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for place, n in (("hidden", 1), ("output", 2)):
                layer = torch.nn.Module()
                for kind, name in (("weight", f"W{n}"), ("bias", f"b{n}")):
                    if name in params:
                        layer.register_parameter(
                            kind, torch.nn.Parameter(torch.tensor(params[name].T)))
                self.add_module(place, layer)

        def forward(self, X):
            Z1 = torch.einsum("nd,hd->nh", X, self.hidden.weight) + self.hidden.bias
            A1 = activation(Z1)
            Z2 = torch.einsum("nh,kh->nk", A1, self.output.weight)
            return Z2 + self.output.bias if "b2" in params else Z2

    return Built()


MODULES = "networks that came back"
FOREIGN = "parameters that hold nothing of params"
FOUND = "parameters that an optimizer finds"
TRAINABLE = "of these, with a gradient"
SHARED = "parameters that share memory with params"
FAILED = "forward passes that failed"
NOTHING = "forward passes that return nothing"


def _network_seen(args, made):
    torch, params = loaded_torch(), args[0]
    X = torch.from_numpy(np.random.default_rng(5).normal(size=(6, len(params["W1"]))))
    if not isinstance(made, torch.nn.Module):
        what = f"the class `{made.__name__}`" if isinstance(made, type) else _kind(made)
        return _nothing_in_it(params, {MODULES: Count(1, f"It returned {what}; wanted a network, "
                                                      "an object of an `nn.Module`.")})
    state = {name: value.numpy().copy() for name, value in made.state_dict().items()}
    foreign = sum(not any(_same_numbers(value, W) for W in params.values())
                  for value in state.values())
    if state and foreign == len(state):  # random weights: nothing else can be said
        return _nothing_in_it(params, {MODULES: Count(0), FOREIGN: Count(
            foreign, "None of the arrays in the network holds numbers of `params`.")})
    found, number_of = list(made.parameters()), len(params)
    names = key_facts([NAMES[key] for key in params], state, "the network's state")
    if not state:
        names[KEYS] = Count(number_of, "The network holds no arrays at all: are its layers "
                            "attributes of their own, `self.hidden` and `self.output`?")
    trainable = sum(p.requires_grad for p in found)
    shared = sum(np.shares_memory(p.detach().numpy(), W) for p in found for W in params.values())
    facts = {MODULES: Count(0), FOREIGN: Count(0), **names,
             FOUND: Count(len(found), f"`network.parameters()` lists {len(found)} parameters; "
                          f"wanted {number_of}."),
             TRAINABLE: Count(trainable, f"{len(found) - trainable} of the parameters do not "
                              "require a gradient."),
             SHARED: Count(shared, f"{shared} of the parameters share their memory with `params`.")}
    try:
        with torch.no_grad():
            logits = made(X)
    except Exception as error:  # the student's forward
        text = " ".join(str(error).split())[:200]
        return facts | {FAILED: Count(1, f"Calling the network with a tensor of shape "
                                      f"{tuple(X.shape)} raised {type(error).__name__}: {text}"),
                        NOTHING: Count(0), "logits": np.zeros(0)}
    return facts | {FAILED: Count(0), NOTHING: Count(int(logits is None),
                                                     "Calling the network gives `None`."),
                    "logits": logits.numpy() if is_tensor(logits) else logits}


def _nothing_in_it(params, facts):
    """Return all that a network is asked for, 0 but for `facts`, which are looked at first."""
    names = [FOREIGN, KEYS, *(NAMES[key] for key in params), FOUND, TRAINABLE, SHARED, FAILED,
             NOTHING, "logits"]
    return facts | {name: 0 for name in names if name not in facts}


def _same_numbers(a, b):
    """Whether two arrays hold the same numbers, to float32, in any order."""
    return a.size == b.size and np.allclose(np.sort(a, axis=None), np.sort(b, axis=None), atol=1e-5)


def wrong_network(turn=lambda W: W.T, dtype="float64", through=lambda f, Z1: f(Z1),
                  end=lambda f, Z2: Z2, parameter=None, invented=False):
    """Return a `build_network` with one part exchanged."""
    def build_network(params, activation):
        torch = loaded_torch()
        make = parameter or (lambda a: torch.nn.Parameter(torch.tensor(a, dtype=getattr(
            torch, dtype))))

        class Wrong(torch.nn.Module):
            def __init__(self):
                super().__init__()
                D, H = params["W1"].shape
                K = params["W2"].shape[1]
                self.hidden = torch.nn.Linear(D, H, dtype=torch.float64)
                self.output = torch.nn.Linear(
                    H, K, bias=invented or "b2" in params, dtype=torch.float64)
                self.hidden.weight = make(turn(params["W1"]))
                self.output.weight = make(turn(params["W2"]))
                self.hidden.bias = make(params["b1"])
                if self.output.bias is not None:
                    self.output.bias = make(params.get("b2", np.zeros(K)))

            def forward(self, X):
                return end(activation, self.output(through(activation, self.hidden(X))))

        return Wrong()
    return build_network


def _refused(params, activation):
    torch = loaded_torch()
    made = torch.nn.Linear(*params["W1"].shape, dtype=torch.float64)
    with torch.no_grad():
        made.weight.copy_(torch.tensor(params["W1"]))
    return wrong_network(turn=lambda W: W)(params, activation)


def _refused_state(params, activation):
    torch = loaded_torch()
    made = wrong_network()(params, activation)
    made.load_state_dict({NAMES[k]: torch.tensor(W) for k, W in params.items()})
    return made


def _unregistered(params, activation):
    made = wrong_network()(params, activation)
    for layer in (made.hidden, made.output):
        for name in ("weight", "bias"):
            value = getattr(layer, name)
            delattr(layer, name)
            layer.register_buffer(name, None if value is None else value.detach().clone())
    return made


def _random(params, activation):
    torch = loaded_torch()
    made = wrong_network()(params, activation)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(1.0)
    return made


def _shared(a):
    torch = loaded_torch()
    return torch.nn.Parameter(torch.from_numpy(a))


def _frozen(a):
    torch = loaded_torch()
    return torch.nn.Parameter(torch.tensor(a), requires_grad=False)



network = Exercise(
    id="08-network",
    name="build_network",
    truth=_build_network,
    cases=_network_cases,
    returns=("network",),
    view=_network_seen,
    sizes=no_sizes,
    tolerance=1e-12,
    integers=(),
    data=DATA,
    uses=(to_state,),
    more=(
        Mistake("not-a-module", lambda params, activation: type(
            wrong_network()(params, activation)),
                "what comes back is no network. If it is the class itself: an instance is wanted, "
                "made by calling the class."),
        Mistake("weights-not-loaded", _random,
                "the network has its own random weights, nothing of `params`: load the state into "
                "it before you return it."),
        Mistake("forward-fails", wrong_network(end=lambda f, Z2: Z2.no_such_thing),
                "the weights are in place, but calling the network raises an error. Call it "
                "yourself on a small tensor (float64, a column for each input) and read what it "
                "says."),
        Mistake("forward-returns-none", wrong_network(end=lambda f, Z2: None),
                "`forward` ends without a `return`, so calling the network gives `None`."),
        Mistake("not-transposed", _refused,
                "`W1` is copied into `weight` as it is, and the shapes do not fit. " + NOT_TURNED),
        Mistake("not-transposed-state", _refused_state,
                "the state holds the weights as they are, and the shapes do not fit. "
                + NOT_TURNED),
        Mistake("not-transposed-in-silence", wrong_network(turn=lambda W: W),
                "the weights are put in as they are. " + NOT_TURNED),
        Mistake("reshape-for-transpose", wrong_network(turn=lambda W: W.reshape(W.T.shape)),
                "`reshape` keeps the order of the entries: the shapes fit, and the weights go to "
                "the wrong units. A transpose turns rows into columns."),
        Mistake("float32", wrong_network(dtype="float32"),
                "the parameters are float32, PyTorch's default: seven digits, and an error as "
                "soon as float64 data arrive. `nn.Linear` takes a `dtype`."),
        Mistake("activation-missing", wrong_network(through=lambda f, Z1: Z1),
                "there is no activation between the layers: two layers without one are a single "
                "straight line."),
        Mistake("activation-at-the-end", wrong_network(
            through=lambda f, Z1: Z1, end=lambda f, Z2: f(Z2)),
                "the activation stands after the output layer; it belongs between the two."),
        Mistake("activation-twice", wrong_network(end=lambda f, Z2: f(Z2)),
                "the output goes through the activation too. Logits are wanted: what the loss "
                "functions of PyTorch start from."),
        Mistake("sigmoid-at-the-end",
                wrong_network(end=lambda f, Z2: loaded_torch().sigmoid(Z2)),
                "a sigmoid at the end: the network is to return logits. `BCEWithLogitsLoss` has "
                "the sigmoid in it."),
        Mistake("softmax-at-the-end",
                wrong_network(end=lambda f, Z2: loaded_torch().softmax(Z2, dim=1)),
                "a softmax at the end: the network is to return logits. `CrossEntropyLoss` has "
                "the softmax in it."),
        Mistake("activation-fixed",
                wrong_network(through=lambda f, Z1: loaded_torch().tanh(Z1)),
                "it always takes tanh; the activation is an argument."),
        Mistake("bias-invented", wrong_network(invented=True),
                "where `params` holds no `b2`, the output layer has a bias all the same: "
                "`nn.Linear` takes `bias=False`."),
        Mistake("not-registered", _unregistered,
                "the values are right, but they are no parameters: `network.parameters()` does "
                "not list them, so no optimizer will ever move them."),
        Mistake("frozen", wrong_network(parameter=_frozen),
                "the parameters have `requires_grad=False`: they would never get a gradient."),
        Mistake("shares-memory", wrong_network(parameter=_shared),
                "the parameters share their memory with the arrays in `params` (`from_numpy` "
                "does that): training would change your arrays too. Copy them in."),
    ),
    hint="a subclass of `nn.Module` with two `nn.Linear` of `dtype=torch.float64`, named `hidden` "
         "and `output`; its `forward` puts the activation between them. Then load the state.",
    unlocks="One function builds every network of the course.",
)


# 08-training-step

def _step_cases():
    torch = loaded_torch()
    cases = []
    for seed, (N, D, H, K), name in ((1, (7, 3, 5, 2), "MSELoss"),
                                     (2, (6, 2, 4, 1), "BCEWithLogitsLoss"),
                                     (3, (5, 4, 3, 6), "CrossEntropyLoss")):
        rng = np.random.default_rng(seed)
        y = {"MSELoss": rng.normal(size=(N, K)), "CrossEntropyLoss": rng.integers(K, size=N),
             "BCEWithLogitsLoss": rng.integers(2, size=(N, K)) * 1.0}[name]
        made = made_network(weights(seed, D, H, K), stale=True)
        cases.append((made, torch.from_numpy(rng.normal(size=(N, D))), torch.from_numpy(y),
                      criterion(name), descent(made, 0.1 * seed, momentum=0.5)))
    return cases


def _training_step(model, X, y, loss_function, optimizer):
    torch = loaded_torch()
    loss = loss_function(model(X), y)
    slopes = torch.autograd.grad(loss, list(model.parameters()))
    with torch.no_grad():
        for parameter, slope in zip(model.parameters(), slopes, strict=True):
            parameter.copy_(parameter - optimizer.param_groups[0]["lr"] * slope)
    return loss.item()


def _step_seen(args, value):
    return {"loss": number(value), **tensor_facts([value]),
            **{f"{name} after the step": W for name, W in weights_of(args[0]).items()}}


def wrong_step(sequence="zero loss backward step", loss=lambda f, Y_hat, y: f(Y_hat, y),
               returned=lambda loss, model, again: loss.item()):
    """Return a training step with its calls in another order, or one part exchanged."""
    def training_step(model, X, y, loss_function, optimizer):
        calls = {"zero": optimizer.zero_grad, "step": optimizer.step}

        def forward():
            return loss(loss_function, model(X), y)

        for call in sequence.split():
            if call == "loss":
                value = forward()
            elif call == "backward":
                value.backward()
            else:
                calls[call]()
        return returned(value, model, forward)
    return training_step


STALE = ("old gradients lie in the parameters when the step begins, and `backward()` has added to "
         "them. Clear them before it: `zero_grad()`.")
STILL = ("the weights have not moved. `step()` needs what `backward()` has "
         "just computed: it comes after it, with no `zero_grad()` in between.")

training_step = Exercise(
    id="08-training-step",
    name="training_step",
    truth=_training_step,
    cases=_step_cases,
    returns=("result",),
    view=_step_seen,
    integers=(),
    data=DATA,
    tolerance=1e-10,
    more=(
        Mistake("zero-grad-missing", wrong_step("loss backward step"), STALE),
        Mistake("zero-grad-missing", wrong_step("loss backward step zero"), STALE),
        Mistake("weights-do-not-move", wrong_step("loss backward zero step"), STILL),
        Mistake("weights-do-not-move", wrong_step("zero loss backward"), STILL),
        Mistake("weights-do-not-move", wrong_step("zero loss step backward"), STILL),
        Mistake("weights-do-not-move", wrong_step("zero loss step"), STILL),
        Mistake("old-gradients-only", wrong_step("loss step"),
                "the step was made with the old gradients alone: `backward()` has to fill in the "
                "new ones before `step()`."),
        Mistake("old-gradients-only", wrong_step("loss step zero backward"),
                "the step was made with the old gradients alone: `backward()` has to fill in the "
                "new ones before `step()`."),
        Mistake("stepped-twice", wrong_step("zero loss backward step step"),
                "`step()` runs twice, so the weights move twice."),
        Mistake("backward-twice", wrong_step("zero loss backward loss backward step"),
                "`backward()` runs twice, and the second gradient is added to the first: the step "
                "is twice as long."),
        Mistake("tensor-returned", wrong_step(returned=lambda loss, model, again: loss), KEPT),
        Mistake("detached-tensor-returned",
                wrong_step(returned=lambda loss, model, again: loss.detach()), DETACHED),
        Mistake("loss-after-the-step",
                wrong_step(returned=lambda loss, model, again: again().item()),
                "the weights are right; the loss is that of the weights *after* the step. Return "
                "the one from which the gradient was computed."),
        Mistake("labels-first", wrong_step(loss=lambda f, Y_hat, y: f(y, Y_hat)),
                "the loss function gets the labels first, as in this course. PyTorch wants it the "
                "other way round: the network's output, then the labels."),
        Mistake("sigmoid-before-the-loss",
                wrong_step(loss=lambda f, Y_hat, y: f(Y_hat.sigmoid(), y)),
                "the output goes through a sigmoid before the loss function. It is to get the "
                "logits as they are."),
        Mistake("softmax-before-the-loss",
                wrong_step(loss=lambda f, Y_hat, y: f(Y_hat.softmax(dim=1), y)),
                "the output goes through a softmax before the loss function. It is to get the "
                "logits as they are."),
        Mistake("nothing-returned",
                wrong_step(returned=lambda loss, model, again: None),
                "the step is made, but nothing is returned; return the loss as a number."),
        Mistake("uphill", wrong_step(loss=lambda f, Y_hat, y: -f(Y_hat, y),
                                     returned=lambda loss, model, again: -loss.item()),
                "the weights move uphill: a minus has got into the loss. `step()` subtracts by "
                "itself."),
    ),
    hint="clear the old gradients, compute the loss, go back, let the optimizer step, return the "
         "number.",
    unlocks="These five lines are the heart of every training loop in PyTorch.",
)


# 08-train

def _train_cases():
    cases = []
    for seed, (N, D, H, K), batch_size, name, epochs, training in (
            (1, (7, 3, 5, 2), 3, "MSELoss", 2, True),
            (2, (11, 2, 4, 1), 4, "BCEWithLogitsLoss", 3, False),
            (3, (8, 4, 3, 6), 5, "CrossEntropyLoss", 4, False)):
        rng = np.random.default_rng(seed + 10)
        y = {"MSELoss": rng.normal(size=(N, K)), "CrossEntropyLoss": rng.integers(K, size=N),
             "BCEWithLogitsLoss": rng.integers(2, size=(N, K)) * 1.0}[name]
        made = made_network(weights(seed, D, H, K), stale=True, drops=True, training=training)
        cases.append((made, loader(rng.normal(size=(N, D)), y, batch_size), criterion(name),
                      descent(made, 0.1 * seed, momentum=0.5), epochs))
    return cases


def _train(model, loader, loss_function, optimizer, epochs):
    torch = loaded_torch()
    group, history = optimizer.param_groups[0], []
    parameters = list(model.parameters())
    velocity = [torch.zeros_like(p) for p in parameters]
    model.train()
    for _ in range(epochs):
        total = 0.0
        for X, y in loader:
            loss = loss_function(model(X), y)
            total += loss.item() * len(X)
            slopes = torch.autograd.grad(loss, parameters)
            velocity = [group["momentum"] * v + s for v, s in zip(velocity, slopes, strict=True)]
            with torch.no_grad():
                for p, v in zip(parameters, velocity, strict=True):
                    p.copy_(p - group["lr"] * v)
        history.append(total / len(loader.dataset))
    return history


LOOSE = "forward passes outside training mode"


def _train_seen(args, losses):
    model = args[0]
    loose = sum(not training for training, _ in model.passes)
    facts = {LOOSE: Count(loose, f"{loose} of {len(model.passes)} batches went through the network "
                          "outside training mode.")}
    if isinstance(losses, (list, tuple)):
        facts |= {**tensor_facts(losses), "losses": [number(v) for v in losses]}
    else:
        facts |= {**tensor_facts([losses]), "losses": number(losses)}
    return facts | {f"{name} at the end": W for name, W in weights_of(model).items()}


def wrong_train(mode=lambda model: model.train(), clear=lambda optimizer: optimizer.zero_grad(),
                step=lambda optimizer: optimizer.step(), note=lambda loss, n: (loss.item(), n),
                summary=lambda notes: sum(v * n for v, n in notes) / sum(n for _, n in notes),
                batches=list, rounds=lambda epochs: range(epochs),
                loss=lambda f, Y_hat, y: f(Y_hat, y), finish=lambda history, notes: history,
                at_epoch=lambda optimizer, model, start: None):
    """Return a training loop with one part exchanged."""
    def train(model, loader, loss_function, optimizer, epochs):
        mode(model)
        history, every = [], []
        start = {name: value.clone() for name, value in model.state_dict().items()}
        for _ in rounds(epochs):
            notes = []
            at_epoch(optimizer, model, start)
            for X, y in batches(loader):
                clear(optimizer)
                value = loss(loss_function, model(X), y)
                value.backward()
                step(optimizer)
                notes.append(note(value, len(X)))
            every += notes
            history.append(summary(notes))
        return finish(history, every)
    return train


def _mean_of_batches(notes):
    return sum(v for v, _ in notes) / len(notes)


def _cleared_after(model, loader, loss_function, optimizer, epochs):
    for p in model.parameters():
        p.grad = None
    return wrong_train(step=lambda o: None)(model, loader, loss_function, optimizer, epochs)


def _as_tensors(history, every):
    torch = loaded_torch()
    return [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in history]


def _appended_inside(history, every):
    """Return the share of the running total after every batch."""
    N, totals, met = sum(n for _, n in every) // len(history), [], 0
    for v, n in every:
        totals.append((totals[-1] if met % N else 0.0) + v * n / N)
        met += n
    return totals


train = Exercise(
    id="08-train",
    name="train",
    truth=_train,
    cases=_train_cases,
    returns=("result",),
    view=_train_seen,
    integers=(),
    data=DATA,
    uses=(training_step,),
    tolerance=1e-10,
    more=(
        Mistake("zero-grad-missing", wrong_train(clear=lambda optimizer: None),
                "the gradients of all steps pile up: `backward()` adds to what is there. Clear "
                "them before each step."),
        Mistake("cleared-once-an-epoch",
                wrong_train(clear=lambda optimizer: None,
                            at_epoch=lambda optimizer, model, start: optimizer.zero_grad()),
                "the gradients are cleared once per epoch; it has to be once per batch."),
        Mistake("weights-do-not-move", wrong_train(step=lambda optimizer: None),
                "the weights have not moved: each batch needs its `backward()` and, after it, "
                "its `step()`."),
        Mistake("training-mode-missing", wrong_train(mode=lambda model: None),
                "a network that arrives in evaluation mode is trained in it. Switch at the "
                "beginning: `model.train()`."),
        Mistake("training-mode-missing", wrong_train(mode=lambda model: model.eval()),
                "the network is trained in evaluation mode. Switch at the beginning: "
                "`model.train()`."),
        Mistake("mean-of-batches", wrong_train(summary=_mean_of_batches),
                "the losses of the batches are averaged, and the last batch is smaller: its few "
                "samples weigh too much. Weigh each batch with its number of samples."),
        Mistake("sum-of-batches", wrong_train(summary=lambda notes: sum(v for v, _ in notes)),
                "the losses of the batches are added up; what is wanted is the mean over all "
                "samples of the epoch."),
        Mistake("sum-over-samples",
                wrong_train(summary=lambda notes: sum(v * n for v, n in notes)),
                "this is the sum over all samples; divide by their number."),
        Mistake("divided-by-batches",
                wrong_train(summary=lambda notes: sum(v * n for v, n in notes) / len(notes)),
                "the sum over all samples is divided by the number of batches, `len(loader)`. The "
                "number of samples is `len(loader.dataset)`."),
        Mistake("batch-sizes-missing", wrong_train(
            summary=lambda notes: sum(v for v, _ in notes) / sum(n for _, n in notes)),
                "the mean losses of the batches are added up and divided by the number of "
                "samples. Each batch's mean has to be taken times its number of samples first."),
        Mistake("total-overwritten", wrong_train(
            summary=lambda notes: notes[-1][0] * notes[-1][1] / sum(n for _, n in notes)),
                "only the last batch is in the total: each one replaces the total of those before "
                "it. Add to it, `+=`."),
        Mistake("appended-per-batch", wrong_train(finish=_appended_inside),
                "there is an entry for every batch; wanted is one per epoch. The `append` stands "
                "in the inner loop, one step too far to the right."),
        Mistake("last-batch-only", wrong_train(summary=lambda notes: notes[-1][0]),
                "the loss of an epoch is that of its last batch; it is to be the mean over all "
                "samples."),
        Mistake("first-batch-only", wrong_train(summary=lambda notes: notes[0][0]),
                "the loss of an epoch is that of its first batch; it is to be the mean over all "
                "samples."),
        Mistake("one-loss-per-batch",
                wrong_train(finish=lambda history, every: [v for v, _ in every]),
                "there is a loss for every batch; wanted is one per epoch."),
        Mistake("one-loss-per-batch",
                wrong_train(mode=lambda model: None,
                            finish=lambda history, every: [v for v, _ in every]),
                "there is a loss for every batch; wanted is one per epoch. And the network is not "
                "put into training mode."),
        Mistake("mean-of-batches", wrong_train(mode=lambda model: None, summary=_mean_of_batches),
                "the losses of the batches are averaged; weigh each batch with its number of "
                "samples. And the network is not put into training mode."),
        Mistake("last-epoch-only", wrong_train(finish=lambda history, every: history[-1]),
                "only the last epoch's loss comes back; give a list with one per epoch."),
        Mistake("losses-pile-up",
                wrong_train(finish=lambda history, every: list(itertools.accumulate(history))),
                "the total runs on from epoch to epoch: set it to 0 at the beginning of each."),
        Mistake("tensors-kept", wrong_train(finish=_as_tensors),
                "the list holds tensors, and each keeps the graph that it was computed from: the "
                "memory grows with every step. `item()` takes the number out."),
        Mistake("tensors-in-the-list", wrong_train(finish=lambda history, every: [
            v.detach() for v in _as_tensors(history, every)]),
                "the list holds tensors; plain numbers are wanted. `item()` takes the number "
                "out."),
        Mistake("last-batch-dropped", wrong_train(batches=lambda loader: list(loader)[:-1]),
                "the last, smaller batch is left out."),
        Mistake("one-batch-per-epoch", wrong_train(batches=lambda loader: list(loader)[:1]),
                "each epoch ends after its first batch: does a line stand in the wrong loop, or a "
                "`return` too far to the right?"),
        Mistake("one-epoch-only", wrong_train(rounds=lambda epochs: range(1)),
                "it ends after one epoch: is the `return` inside the loop, or does it go through "
                "another range than that of `epochs`?"),
        Mistake("epoch-too-few", wrong_train(rounds=lambda epochs: range(1, epochs)),
                "it runs one epoch too few: a range from 1 ends before its last number too."),
        Mistake("epoch-too-many", wrong_train(rounds=lambda epochs: range(epochs + 1)),
                "it runs one epoch too many."),
        Mistake("labels-first", wrong_train(loss=lambda f, Y_hat, y: f(y, Y_hat)),
                "the loss function gets the labels first, as in this course. PyTorch wants the "
                "network's output first, then the labels."),
        Mistake("step-per-epoch", wrong_train(
            clear=lambda optimizer: None, step=lambda optimizer: None,
            at_epoch=lambda optimizer, model, start: optimizer.step()),
                "the weights move once per epoch; it has to be once per batch."),
    ),
    hint="two loops, epochs outside, batches inside; a training step per batch; its loss times the "
         "number of its samples goes into a total, and the total, divided by "
         "`len(loader.dataset)`, into the list.",
    unlocks="Full batch, mini-batches, momentum: the loop stays the same.",
)


# 08-evaluate

def _evaluate_cases():
    cases = []
    for seed, (N, D, H, K), batch_size, training in (
            (4, (13, 3, 6, 4), 5, True), (5, (17, 2, 5, 3), 7, False), (8, (9, 4, 7, 3), 4, True)):
        rng = np.random.default_rng(seed)
        params = weights(seed, D, H, K)
        X = rng.normal(size=(N, D))
        best = (dense(np.tanh(dense(X, params["W1"]) + params["b1"]), params["W2"])
                + params["b2"]).argmax(axis=1)
        y = np.where(rng.uniform(size=N) < 0.7, best, rng.integers(K, size=N))
        made = made_network(params, drops=True, training=training)
        cases.append((made, loader(X, y, batch_size)))
    return cases


def _evaluate(model, loader):
    params = {name: p.detach().numpy() for name, p in model.named_parameters()}
    hits = []
    for X, y in loader.dataset:
        A1 = np.tanh(params["hidden.weight"] @ X.numpy() + params["hidden.bias"])
        logits = params["output.weight"] @ A1 + params["output.bias"]
        hits.append(int(logits.argmax()) == int(y))
    return float(np.mean(hits))


IN_TRAINING = "forward passes in training mode"
RECORDED = "forward passes that recorded a graph"
MODE = "network in another mode than before"


def _evaluate_seen(args, value):
    model = args[0]
    dropping = sum(training for training, _ in model.passes)
    recording = sum(recording for _, recording in model.passes)
    of = f"of {len(model.passes)} batches"
    return {IN_TRAINING: Count(dropping, f"{dropping} {of} went through the network in training "
                               "mode."),
            RECORDED: Count(recording, f"{recording} {of} left a graph behind."),
            MODE: Count(int(model.training != model.came_in),
                        "The network is not in the mode in which it came."),
            **tensor_facts([value]),
            "accuracy": number(value)}


def wrong_evaluate(mode=lambda model: model.eval(), recording=False,
                   restore=lambda model, was: model.train(was), batches=list,
                   predict=lambda logits: logits.argmax(dim=1),
                   hits=lambda guess, y: (guess == y).sum().item(),
                   result=lambda right, sizes: sum(right) / sum(sizes)):
    """Return an evaluation with one part exchanged."""
    def evaluate(model, loader):
        torch = loaded_torch()
        was = model.training
        mode(model)
        right, sizes = [], []
        with torch.set_grad_enabled(recording):
            for X, y in batches(loader):
                right.append(hits(predict(model(X)), y))
                sizes.append(len(y))
        restore(model, was)
        return result(right, sizes)
    return evaluate


def _mean_of_accuracies(right, sizes):
    return sum(r / n for r, n in zip(right, sizes, strict=True)) / len(sizes)


LEFT = ("the network is left in evaluation mode. It came in training mode: put it back, so that "
        "whoever trains on need not know that you have looked.")

evaluate = Exercise(
    id="08-evaluate",
    name="evaluate",
    truth=_evaluate,
    cases=_evaluate_cases,
    returns=("result",),
    view=_evaluate_seen,
    sizes=no_sizes,
    integers=(),
    data=DATA,
    tolerance=1e-6,  # a mean in float32 is right
    rounding=1e-6,
    more=(
        Mistake("eval-missing", wrong_evaluate(mode=lambda model: None),
                "the network is still in training mode, in which some layers behave otherwise "
                "(this one switches half of its units off). `model.eval()` before the loop."),
        Mistake("eval-missing", wrong_evaluate(mode=lambda model: model.train()),
                "the network is put into training mode, in which some layers behave otherwise "
                "(this one switches half of its units off). Wanted is `model.eval()`."),
        Mistake("graph-recorded", wrong_evaluate(recording=True),
                "the accuracy is right, but PyTorch has recorded a graph for every batch, which "
                "nobody needs: time and memory. `with torch.no_grad():` around the loop."),
        Mistake("mode-and-graph", wrong_evaluate(mode=lambda model: None, recording=True),
                "two things are missing: `model.eval()` before the loop, and `torch.no_grad()` "
                "around it."),
        Mistake("mode-and-graph", wrong_evaluate(
            mode=lambda model: None, recording=True,
            result=lambda right, sizes: loaded_torch().tensor(sum(right) / sum(sizes))),
                "three things are missing: `model.eval()` before the loop, `torch.no_grad()` "
                "around it, and `item()`, which makes a number of a tensor."),
        Mistake("mode-not-restored", wrong_evaluate(restore=lambda model, was: None), LEFT),
        Mistake("mode-always-training",
                wrong_evaluate(restore=lambda model, was: model.train()),
                "a network that came in evaluation mode goes back in training mode. Note "
                "`model.training` before you change it."),
        Mistake("graph-and-mode-not-restored",
                wrong_evaluate(recording=True, restore=lambda model, was: None),
                "the accuracy is right. Two things are missing: `torch.no_grad()` around the "
                "loop, and the network's own mode afterwards."),
        Mistake("mean-of-batches", wrong_evaluate(result=_mean_of_accuracies),
                "the accuracies of the batches are averaged, and the last batch is smaller. Count "
                "the hits of all batches and divide once."),
        Mistake("last-batch-only", wrong_evaluate(
            result=lambda right, sizes: right[-1] / sizes[-1]),
                "this is the accuracy of the last batch; count over all of them."),
        Mistake("first-batch-only", wrong_evaluate(batches=lambda loader: list(loader)[:1]),
                "this is the accuracy of the first batch; count over all of them."),
        Mistake("hits-only", wrong_evaluate(result=lambda right, sizes: sum(right)),
                "this is the number of hits; divide by the number of samples."),
        Mistake("divided-by-batches",
                wrong_evaluate(result=lambda right, sizes: sum(right) / len(sizes)),
                "the hits are divided by the number of batches, `len(loader)`; the number of "
                "samples is `len(loader.dataset)`."),
        Mistake("errors-for-hits",
                wrong_evaluate(hits=lambda guess, y: (guess != y).sum().item()),
                "this is the share of mistakes; the accuracy is the share of hits."),
        Mistake("least-likely", wrong_evaluate(predict=lambda logits: logits.argmin(dim=1)),
                "it takes the class with the *smallest* logit."),
        Mistake("over-the-samples", wrong_evaluate(
            predict=lambda logits: logits.argmax(dim=0)[:1].expand(len(logits))),
                "the largest logit is looked for along the samples; each sample has its own row: "
                "`dim=1`."),
        Mistake("shapes-that-stretch", wrong_evaluate(
            predict=lambda logits: logits.argmax(dim=1, keepdim=True)),
                "a column (N, 1) is compared with labels (N,), and broadcasting makes a table "
                "(N, N) of it: every guess meets every label."),
        Mistake("tensor-returned", wrong_evaluate(
            result=lambda right, sizes: loaded_torch().tensor(
                sum(right) / sum(sizes), dtype=loaded_torch().float64)), DETACHED),
        Mistake("over-the-samples", wrong_evaluate(predict=lambda logits: logits.argmax(dim=0)),
                "the largest logit is looked for along the samples; each sample has its own row: "
                "`dim=1`."),
        Mistake("over-everything", wrong_evaluate(predict=lambda logits: logits.argmax()),
                "`argmax()` without `dim` looks through the whole table and gives one place in "
                "it; one class for each row is wanted."),
        Mistake("max-for-argmax", wrong_evaluate(predict=lambda logits: logits.max(dim=1)),
                "`max` with a `dim` gives two things, the largest values and their places. The "
                "places are the classes: `argmax` gives them alone."),
        Mistake("hits-overwritten", wrong_evaluate(
            result=lambda right, sizes: right[-1] / sum(sizes)),
                "only the hits of the last batch are counted: each batch replaces those before "
                "it. Add them up, `+=`."),
        Mistake("percent", wrong_evaluate(
            result=lambda right, sizes: 100 * sum(right) / sum(sizes)),
                "this is in percent; a share between 0 and 1 is wanted."),
    ),
    hint="note the mode, `model.eval()`, loop under `torch.no_grad()`, count the hits of "
         "`argmax(dim=1)`, put the mode back, divide by `len(loader.dataset)`.",
    unlocks="A look at the network that changes nothing about it.",
)


# 08-safe-mse

def _mse_cases():
    torch = loaded_torch()
    cases = []
    for seed, N, flat_y, flat_out in ((1, 5, True, False), (2, 7, False, True),
                                      (3, 4, False, False), (4, 6, True, True),
                                      (5, 1, True, False)):
        rng = np.random.default_rng(seed)
        y, out = rng.normal(size=N), rng.normal(size=N)
        cases.append((torch.from_numpy(y if flat_y else y.reshape(N, 1)),
                      torch.tensor(out if flat_out else out.reshape(N, 1), requires_grad=True)))
    return cases


def _safe_mse(y, Y_hat):
    torch = loaded_torch()
    total = sum((Y_hat[(n, *[0] * (Y_hat.ndim - 1))] - y[(n, *[0] * (y.ndim - 1))]) ** 2
                for n in range(len(y)))
    return total / torch.tensor(float(len(y)), dtype=torch.float64)


CUT = "losses cut off from the graph"


def _mse_seen(args, value):
    Y_hat = args[1]
    cut = int(not is_tensor(value) or not value.requires_grad)
    if is_tensor(value) and not cut and value.numel() == 1:
        value.sum().backward()
    gradient = np.zeros(Y_hat.shape) if Y_hat.grad is None else Y_hat.grad.numpy()
    plain = value.detach().numpy() if is_tensor(value) and value.ndim else number(value)
    return {"loss": plain, CUT: Count(cut, "The loss is cut off from the graph: nothing leads back "
                                      "from it to `Y_hat`."), "gradient": gradient}


STRETCHED = ("one of the two is (N,), the other (N, 1), and broadcasting makes a table (N, N) of "
             "their difference: every prediction is compared with every label. Bring both to one "
             "shape first. (`.T` does nothing to (N,).)")
IN_A_ROW = ("the prediction comes to lie in a row, the labels stay as they came: where those are "
            "(N, 1), the two stretch again. Treat both.")

CUT_OFF = ("the number is right, but it is cut off from the graph (`item`, `detach` and `float` do "
           "that, and so does `torch.tensor`, which copies without a graph): `backward()` could "
           "not go back from it. Return a tensor computed from `Y_hat` itself.")

safe_mse = Exercise(
    id="08-safe-mse",
    name="safe_mse",
    truth=_safe_mse,
    cases=_mse_cases,
    returns=("result",),
    view=_mse_seen,
    sizes=lambda y, Y_hat: {"N": len(y)},
    integers=(),
    data=DATA,
    tolerance=1e-12,
    more=(
        Mistake("stretched", lambda y, Y_hat: ((Y_hat - y) ** 2).mean(), STRETCHED),
        Mistake("stretched-sum", lambda y, Y_hat: ((Y_hat - y) ** 2).sum() / len(y),
                "a table (N, N) is added up: one of the two is (N,), the other (N, 1). Bring both "
                "to one shape first."),
        Mistake("squeezed-one-only", lambda y, Y_hat: ((Y_hat.squeeze() - y) ** 2).mean(),
                IN_A_ROW),
        Mistake("squeezed-one-only", lambda y, Y_hat: ((Y_hat.reshape(-1) - y) ** 2).mean(),
                IN_A_ROW),
        Mistake("prediction-only", lambda y, Y_hat: ((Y_hat.reshape(-1, 1) - y) ** 2).mean(),
                "the prediction is made a column, the labels stay as they came: where those are "
                "(N,), the two stretch. Treat both."),
        Mistake("no-square", lambda y, Y_hat: (Y_hat.reshape(-1) - y.reshape(-1)).mean(),
                "this is the mean of the differences themselves, in which plus and minus cancel; "
                "square each first."),
        Mistake("no-square", lambda y, Y_hat: (y.reshape(-1) - Y_hat.reshape(-1)).mean(),
                "this is the mean of the differences themselves, in which plus and minus cancel; "
                "square each first."),
        Mistake("numpy-mean", lambda y, Y_hat: np.mean(
            (Y_hat.reshape(-1) - y.reshape(-1)) ** 2),
                "`np.mean` is for arrays. A tensor has its own method, `mean()`, which stays in "
                "the graph."),
        Mistake("square-of-the-mean",
                lambda y, Y_hat: (Y_hat.reshape(-1) - y.reshape(-1)).mean() ** 2,
                "this is the square of the mean; wanted is the mean of the squares."),
        Mistake("labels-only", lambda y, Y_hat: ((Y_hat - y.reshape(-1, 1)) ** 2).mean(),
                "the labels are made a column, the prediction stays as it came: where it is (N,), "
                "the two stretch again. Treat both."),
        Mistake("labels-only-flat", lambda y, Y_hat: ((Y_hat - y.reshape(-1)) ** 2).mean(),
                "the labels come to lie in a row, the prediction stays as it came: where it is "
                "(N, 1), the two stretch. Treat both. (`.T` does nothing to (N,).)"),
        Mistake("axis-always-added", lambda y, Y_hat: ((Y_hat - y.unsqueeze(1)) ** 2).mean(),
                "`unsqueeze` always adds an axis, also to labels that are (N, 1) already. "
                "`reshape` says what comes out."),
        Mistake("cut-off", lambda y, Y_hat: ((Y_hat.reshape(-1) - y.reshape(-1)) ** 2)
                .mean().item(), CUT_OFF),
        Mistake("cut-off", lambda y, Y_hat: ((Y_hat.detach().reshape(-1) - y.reshape(-1)) ** 2)
                .mean(), CUT_OFF),
        Mistake("summed", lambda y, Y_hat: ((Y_hat.reshape(-1) - y.reshape(-1)) ** 2).sum(),
                "the squares are added up; the mean is wanted."),
        Mistake("halved", lambda y, Y_hat: ((Y_hat.reshape(-1) - y.reshape(-1)) ** 2).mean() / 2,
                "this is half the mean; the ½ was that of lessons 01 and 02. PyTorch's MSE has "
                "none, nor has this one."),
        Mistake("not-squared", lambda y, Y_hat: (Y_hat.reshape(-1) - y.reshape(-1)).abs().mean(),
                "this is the mean distance; the squares are wanted."),
        Mistake("one-loss-per-sample",
                lambda y, Y_hat: (Y_hat.reshape(-1) - y.reshape(-1)) ** 2,
                "there is a loss for each sample; one number is wanted, their mean."),
        Mistake("root", lambda y, Y_hat: (
            (Y_hat.reshape(-1) - y.reshape(-1)) ** 2).mean().sqrt(),
                "the square root has been taken; what is wanted is the mean square itself."),
    ),
    hint="give both the same shape first, `reshape(-1, 1)`, then the mean of the squared "
         "difference.",
    unlocks="No shape that comes in can make it compare everything with everything.",
)


# 08-repair

def soft(Z):
    """Return softmax along the rows, also of complex numbers."""
    E = np.exp(Z - Z.real.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def _moons_loss(X, y, params, read=lambda Z2: Z2):
    Z2 = read(np.tanh(dense(X, params["W1"]) + params["b1"]) @ params["W2"] + params["b2"])
    return -np.log(soft(Z2)[np.arange(len(y)), y]).mean()


def _repaired_train(X, y, params, learning_rate, steps):
    losses = []
    for _ in range(steps):
        losses.append(float(_moons_loss(X, y, params)))
        grads = complex_gradients(lambda p: _moons_loss(X, y, p), params)
        params = {name: W - learning_rate * grads[name] for name, W in params.items()}
    return params, losses


def _repair_cases():
    loaded_torch()
    cases = []
    for seed, (N, D, H, K), rate, steps in ((1, (7, 3, 5, 2), 0.5, 3), (2, (9, 2, 4, 3), 0.7, 4)):
        rng = np.random.default_rng(seed)
        cases.append((rng.normal(size=(N, D)), rng.integers(K, size=N), weights(seed, D, H, K),
                      rate, steps))
    return cases


def _training_seen(args, result):
    params, losses = result
    if isinstance(params, dict):
        count = sum(map(is_tensor, params.values()))
        plain = {k: W.detach().numpy() if is_tensor(W) else W for k, W in params.items()}
        start = next((p for _, _, p, *_ in _repair_cases() if np.shape(args[2].get("W1")) ==
                      p["W1"].shape), {})
        moved = not all(np.array_equal(args[2].get(key), W) for key, W in start.items())
        params = {**key_facts(start, plain, "the parameters", extra=False),
                  TENSORS: Count(count, f"{count} of the parameters are tensors; arrays are "
                                 "wanted."),
                  "losses": tensor_facts(losses),
                  MOVED: Count(moved, "The caller's `params` are different afterwards.")}
    return params, [number(v) for v in losses]


MOVED = "starts that training has changed"


def faulty_train(double=False, clear=True, graph=False, read=None, returned=lambda *both: both,
                 after=False, moved=True, shared=False, note=None,
                 error=lambda torch, Z2, y: torch.nn.functional.cross_entropy(Z2, y)):
    """Return a training with some of the planted faults left in it."""
    def repaired_train(X, y, params, learning_rate, steps):
        torch = loaded_torch()
        X_t, y_t = torch.from_numpy(X), torch.from_numpy(y)
        p = {name: (torch.from_numpy(W) if shared else torch.tensor(W)).requires_grad_()
             for name, W in params.items()}
        optimizer = torch.optim.SGD(p.values(), lr=learning_rate)
        losses = []
        for _ in range(steps):
            Z2 = torch.tanh(X_t @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
            if double or read:
                Z2 = (read or (lambda Z: torch.softmax(Z, dim=1)))(Z2)
            loss = error(torch, Z2, y_t)
            if clear:
                optimizer.zero_grad()
            loss.backward()
            if after:
                optimizer.zero_grad()
            if moved:
                optimizer.step()
            losses.append(loss if graph else note(loss) if note else loss.item())
        return returned({name: t.detach().numpy() for name, t in p.items()}, losses)
    return repaired_train


FAULTS = {
    "memory-shared": "the caller's arrays change (what `torch.from_numpy` makes shares its memory "
                     "with them, and an optimizer works in place; copies are wanted)",
    "double-softmax": "the loss function gets probabilities, though it takes the softmax itself",
    "zero-grad-missing": "the gradients of all steps pile up",
    "graph-kept": "the list of losses holds tensors, each with its graph",
}


def _remaining():
    rows = []
    for left in itertools.product((False, True), repeat=4):
        names = [name for name, there in zip(FAULTS, left, strict=True) if there]
        if names:
            shared, double, stale, graph = left
            rows.append(Mistake("left-" + "+".join(names),
                                faulty_train(double=double, clear=not stale, graph=graph,
                                             shared=shared),
                                "still there: " + "; ".join(FAULTS[n] for n in names) + "."))
    return tuple(rows)


repair = Exercise(
    id="08-repair",
    name="repaired_train",
    truth=_repaired_train,
    cases=_repair_cases,
    returns=("params", "losses"),
    view=_training_seen,
    integers=(),
    data=DATA,
    tolerance=1e-10,
    more=(
        *_remaining(),
        Mistake("sigmoid-before-the-loss", faulty_train(read=lambda Z: Z.sigmoid()),
                "the softmax has become a sigmoid. `cross_entropy` wants the logits as they are."),
        Mistake("weights-do-not-move", faulty_train(after=True),
                STILL),
        Mistake("weights-do-not-move", faulty_train(moved=False), STILL),
        Mistake("losses-are-tensors", faulty_train(note=lambda loss: loss.detach()),
                "the losses are still tensors, cut off from their graphs; plain numbers are "
                "wanted: `item()`."),
        Mistake("probabilities-without-logarithm", faulty_train(
            error=lambda torch, Z2, y: torch.nn.functional.nll_loss(torch.softmax(Z2, dim=1), y)),
                "`nll_loss` takes the logarithms of probabilities, and takes none itself. "
                "`cross_entropy`, from the logits, does both steps."),
        Mistake("one-step-only", lambda X, y, params, learning_rate, steps: faulty_train()(
            X, y, params, learning_rate, 1),
                "it ends after one step: is the `return` inside the loop?"),
        Mistake("parameters-are-tensors", faulty_train(returned=lambda p, losses: (
            {k: loaded_torch().from_numpy(W) for k, W in p.items()}, losses)),
                "the parameters come back as tensors; arrays are wanted: `detach()`, then "
                "`numpy()`."),
        Mistake("losses-only", faulty_train(returned=lambda p, losses: losses),
                "return both, the new parameters and the list of losses."),
        Mistake("order-of-results", faulty_train(returned=lambda p, losses: (losses, p)),
                "parameters and losses have changed places in the `return` line."),
        Mistake("start-returned", lambda X, y, params, learning_rate, steps: (
            params, faulty_train()(X, y, params, learning_rate, steps)[1]),
                "the losses are right; the parameters are those of the start."),
    ),
    hint="go through the lines one by one: does this tensor share memory, what does the loss "
         "function want, what does `backward()` add to, what is kept in the list?",
    unlocks="Four faults, and a falling loss had hidden them all.",
)
