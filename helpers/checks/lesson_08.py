"""Lesson 08: the same networks in PyTorch: weights carried over, gradients, modules, training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.checks import torch_fixtures as fixtures
from helpers.checks.compare import Count, type_of
from helpers.checks.exercise import Exercise, no_sizes
from helpers.checks.torch_fixtures import torch
from helpers.checks.truth import complex_gradients, rings_network

NAMES = {"W1": "hidden.weight", "b1": "hidden.bias", "W2": "output.weight", "b2": "output.bias"}


def weights(seed, D, H, K, output_bias=True):
    """Return params of a D-H-K network: generic numbers, biases too."""
    rng = np.random.default_rng(seed)
    params = {"W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H),
              "W2": rng.normal(size=(H, K)), "b2": rng.normal(size=K)}
    return params if output_bias else {name: params[name] for name in ("W1", "b1", "W2")}


def _to_state(params):
    turned = {name: np.array([[W[i][o] for i in range(len(W))] for o in range(W.shape[1])])
              if W.ndim == 2 else W.copy() for name, W in params.items()}
    return {NAMES[name]: W for name, W in turned.items()}


to_state = Exercise(
    "08-to-state", "to_state", truth=_to_state, returns=("state",), sizes=no_sizes,
    view=lambda args, state: fixtures.entries([NAMES[key] for key in args[0]], state, "`state`"),
    cases=lambda: [(weights(1, 3, 5, 2),), (weights(2, 4, 4, 4),),
                   (weights(3, 2, 3, 1, output_bias=False),)],
    hint="a new dict: `hidden.weight` from `W1`, transposed, `hidden.bias` from `b1`, and so on, "
         "for the arrays that are there.",
    unlocks="Your weights can move into a PyTorch network.")


class Loss:
    """A loss of a dict of tensors, and the same one of NumPy arrays, also complex ones."""

    def __init__(self, words: str, function: Callable):
        self.in_words, self.function = words, function

    def __call__(self, params):
        """Return the loss, a tensor."""
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
    fixtures.ready()
    rng = np.random.default_rng(9)
    return [(Loss("x·x + 3x − y/x", _expression), {"x": np.array(1.7), "y": np.array(-0.6)}),
            (Loss("the squared error of a network, with L2", _network_loss), weights(3, 3, 5, 4)),
            (Loss("a loss in which `unused` plays no part", _loss_with_a_spare),
             {"W": rng.normal(size=(3, 2)), "unused": rng.normal(size=4)})]


def _torch_gradients(loss, params):
    return float(loss.of_arrays(params)), complex_gradients(loss.of_arrays, params)


def _gradients_seen(args, result):
    value, grads = result
    if not isinstance(grads, dict):
        return fixtures.number(value), fixtures.number(grads)
    return fixtures.number(value), {**fixtures.entries(args[1], grads, "`grads`", extra=False),
                                    "loss": fixtures.number_facts([value])}


torch_gradients = Exercise(
    "08-torch-gradients", "torch_value_and_grad", truth=_torch_gradients,
    returns=("value", "grads"), sizes=no_sizes, view=_gradients_seen, cases=_gradient_cases,
    hint="a tensor with `requires_grad=True` for every array; call `loss` with the dict of them; "
         "`backward()`; then read each tensor's `.grad`.",
    unlocks="It is used like your own `value_and_grad`, and PyTorch does the work.")


MODULES = "networks that came back"
FOREIGN = "networks that hold nothing of params"


def _activation(name):
    def activation(Z):
        return getattr(torch, name)(Z)

    activation.__doc__ = f"torch.{name}"  # what a card shows
    return activation


def _network_cases():
    fixtures.ready()
    return [(weights(1, 3, 5, 2), _activation("tanh")),
            (weights(2, 4, 4, 4), _activation("sigmoid")),
            (weights(3, 2, 3, 1, output_bias=False), _activation("relu"))]


def _build_network(params, activation):
    """Return a module put together of functions, not of layers' own formulas."""
    made = torch.nn.Module()
    for key, W in params.items():
        place, kind = NAMES[key].split(".")
        if kind == "weight":
            made.add_module(place, torch.nn.Module())
        getattr(made, place).register_parameter(kind, torch.nn.Parameter(torch.tensor(W.T)))

    def forward(X):
        A1 = activation(torch.einsum("nd,hd->nh", X, made.hidden.weight) + made.hidden.bias)
        Z2 = torch.einsum("nh,kh->nk", A1, made.output.weight)
        return Z2 + made.output.bias if "b2" in params else Z2

    made.forward = forward
    return made


def _network_seen(args, made):
    wanted = {NAMES[key]: W for key, W in args[0].items()}
    facts = _no_network(made, wanted)
    if facts:  # nothing else can be said: it takes the place of all that is wanted
        return dict.fromkeys(_network_seen(args, _build_network(*args)), 0) | facts
    state, found = _state(made), list(made.parameters())
    facts = fixtures.entries(wanted, state, "the network's state")
    if not state:
        facts[fixtures.KEYS] = Count(len(wanted), "The network holds no arrays at all: are its "
                                     "layers attributes of their own, `self.hidden` and "
                                     "`self.output`?")
    frozen = sum(not p.requires_grad for p in found)
    shared = sum(np.shares_memory(p.detach().numpy(), W) for p in found for W in wanted.values())
    return {MODULES: Count(0), FOREIGN: Count(0), **facts,
            "found": Count(len(found), f"`network.parameters()` lists {len(found)} parameters; "
                           f"wanted {len(wanted)}."),
            "frozen": Count(frozen, f"{frozen} of the parameters do not require a gradient."),
            "shared": Count(shared, f"{shared} of the parameters share their memory with "
                            "`params`."), **_call_facts(made, len(args[0]["W1"]))}


def _state(made):
    return {name: value.numpy().copy() for name, value in made.state_dict().items()}


def _no_network(made, wanted):
    """Return what came in place of a network that holds some of the wanted numbers, if it did."""
    if not isinstance(made, torch.nn.Module):
        what = f"the class `{made.__name__}`" if isinstance(made, type) else type_of(made)
        return {MODULES: Count(1, f"It returned {what}; wanted a network, an object of an "
                                  "`nn.Module`.")}
    held, ours = ({number for array in arrays.values() for number in np.float32(array).ravel()}
                  for arrays in (_state(made), wanted))
    return {FOREIGN: Count(1, "None of the arrays in the network holds numbers of `params`.")} if (
        held and not held & ours) else {}


def _call_facts(made, D):
    X = torch.from_numpy(np.random.default_rng(5).normal(size=(6, D)))
    logits, text = np.zeros(0), ""
    try:
        with torch.no_grad():
            logits = made(X)
    except Exception as error:  # the student's forward
        text = (f"Calling the network with a tensor of shape {tuple(X.shape)} raised "
                f"{type(error).__name__}: {' '.join(str(error).split())[:200]}")
    return {"failed": Count(bool(text), text),
            "nothing": Count(logits is None, "Calling the network gives `None`."),
            "logits": logits.numpy() if fixtures.is_tensor(logits) else logits}


network = Exercise(
    "08-network", "build_network", truth=_build_network, returns=("network",), uses=(to_state,),
    sizes=no_sizes, view=_network_seen, cases=_network_cases,
    hint="a subclass of `nn.Module` with two `nn.Linear` of `dtype=torch.float64`, named `hidden` "
         "and `output`; its `forward` puts the activation between them. Then load the state.",
    unlocks="One function builds all networks of lessons 02 to 06.")


def _training_case(seed, data_seed, sizes, name, **mode):
    """Return a network with old gradients in it, data, a loss function that fits, an optimizer."""
    (N, D, H, K), rng = sizes, np.random.default_rng(data_seed)
    y = {"MSELoss": rng.normal(size=(N, K)), "CrossEntropyLoss": rng.integers(K, size=N),
         "BCEWithLogitsLoss": rng.integers(2, size=(N, K)) * 1.0}[name]
    made = fixtures.made_network(weights(seed, D, H, K), stale=True, **mode)
    return (made, rng.normal(size=(N, D)), y, fixtures.criterion(name),
            fixtures.descent(made, 0.1 * seed, momentum=0.5))


def _step_cases():
    fixtures.ready()
    return [(made, torch.from_numpy(X), torch.from_numpy(y), loss_function, optimizer)
            for made, X, y, loss_function, optimizer in (
                _training_case(1, 1, (7, 3, 5, 2), "MSELoss"),
                _training_case(2, 2, (6, 2, 4, 1), "BCEWithLogitsLoss"),
                _training_case(3, 3, (5, 4, 3, 6), "CrossEntropyLoss"))]


def _training_step(model, X, y, loss_function, optimizer):
    return _epoch(model, [(X, y)], loss_function, optimizer.param_groups[0], {})


def _epoch(model, batches, loss_function, group, velocity):
    """Return the mean loss of an epoch of gradient descent with momentum, written out."""
    total, count, parameters = 0.0, 0, dict(model.named_parameters())
    for X, y in batches:
        loss = loss_function(model(X), y)
        total, count = total + loss.item() * len(X), count + len(X)
        slopes = torch.autograd.grad(loss, list(parameters.values()))
        with torch.no_grad():
            for (name, p), slope in zip(parameters.items(), slopes, strict=True):
                velocity[name] = group["momentum"] * velocity.get(name, 0) + slope
                p.copy_(p - group["lr"] * velocity[name])
    return total / count


def _step_seen(args, value):
    return {"loss": fixtures.number(value), **fixtures.number_facts([value]),
            **{f"{name} after the step": W for name, W in fixtures.weights_of(args[0]).items()}}


training_step = Exercise(
    "08-training-step", "training_step", truth=_training_step, view=_step_seen, cases=_step_cases,
    hint="clear the old gradients, compute the loss, go back, let the optimizer step, return the "
         "number.",
    unlocks="These five lines are the heart of every training loop in PyTorch.")


def _train_cases():
    fixtures.ready()
    cases = []
    for seed, sizes, batch_size, name, epochs in ((1, (7, 3, 5, 2), 3, "MSELoss", 2),
                                                  (2, (11, 2, 4, 1), 4, "BCEWithLogitsLoss", 3),
                                                  (3, (8, 4, 3, 6), 5, "CrossEntropyLoss", 4)):
        made, X, y, *others = _training_case(seed, seed + 10, sizes, name, drops=True,
                                             training=seed == 1)
        cases.append((made, fixtures.loader(X, y, batch_size), *others, epochs))
    return cases


def _train(model, loader, loss_function, optimizer, epochs):
    model.train()
    velocity = {}
    return [_epoch(model, loader, loss_function, optimizer.param_groups[0], velocity)
            for _ in range(epochs)]


def _train_seen(args, losses):
    passes = args[0].passes
    loose = sum(not training for training, _ in passes)
    several = isinstance(losses, (list, tuple))
    return {"outside training mode": Count(loose, f"{loose} of {len(passes)} batches went through "
                                           "the network outside training mode."),
            **fixtures.number_facts(losses if several else [losses]),
            "losses": [fixtures.number(v) for v in losses] if several else fixtures.number(losses),
            **{f"{name} at the end": W for name, W in fixtures.weights_of(args[0]).items()}}


train = Exercise(
    "08-train", "train", truth=_train, uses=(training_step,), view=_train_seen, cases=_train_cases,
    hint="two loops, epochs outside, batches inside; a training step per batch; its loss times the "
         "number of its samples goes into a total, and the total, divided by "
         "`len(loader.dataset)`, into the list.",
    unlocks="Full batch, mini-batches, momentum: the loop stays the same.")


def _evaluate_cases():
    fixtures.ready()
    cases = []
    for seed, (N, D, H, K), batch_size, training in (
            (4, (13, 3, 6, 4), 5, True), (5, (17, 2, 5, 3), 7, False), (8, (9, 4, 7, 3), 4, True)):
        rng = np.random.default_rng(seed)
        params = weights(seed, D, H, K)
        X = rng.normal(size=(N, D))
        best = rings_network(X, params)[2].argmax(axis=1)
        y = np.where(rng.uniform(size=N) < 0.7, best, rng.integers(K, size=N))
        cases.append((fixtures.made_network(params, drops=True, training=training),
                      fixtures.loader(X, y, batch_size)))
    return cases


def _evaluate(model, loader):
    X, y = (A.numpy() for A in loader.dataset.tensors)
    state = fixtures.weights_of(model)
    logits = rings_network(X, {key: state[name].T for key, name in NAMES.items()})[2]
    return float(np.mean(logits.argmax(axis=1) == y))


def _evaluate_seen(args, value):
    model = args[0]
    dropping = sum(training for training, _ in model.passes)
    recording = sum(recording for _, recording in model.passes)
    off = not torch.is_grad_enabled()
    torch.set_grad_enabled(True)
    of = f"of {len(model.passes)} batches"
    both = f", and {recording} left a graph behind" if recording else ""
    return {"in training mode": Count(dropping, f"{dropping} {of} went through the network in "
                                      f"training mode{both}."),
            "recorded": Count(recording, f"{recording} {of} left a graph behind."),
            "mode": Count(any(m.training != model.came_in for m in model.modules()),
                          "The network, or a layer in it, is not in the mode in which it came."),
            "gradients off": Count(off, "After the call PyTorch records no gradients any more, in "
                                   "whatever cell comes next."),
            **fixtures.number_facts([value]),
            "accuracy": fixtures.number(value)}


evaluate = Exercise(
    "08-evaluate", "evaluate", truth=_evaluate, sizes=no_sizes, view=_evaluate_seen,
    tolerance=1e-6, rounding=1e-6, cases=_evaluate_cases,  # float32 will do
    hint="note the mode, `model.eval()`, loop under `torch.no_grad()`, count the hits of "
         "`argmax(dim=1)`, put the mode back, divide by `len(loader.dataset)`.",
    unlocks="A look at the network that changes nothing about it.")


def _mse_cases():
    fixtures.ready()
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
    with torch.enable_grad():
        total = sum((Y_hat[(n, *[0] * (Y_hat.ndim - 1))] - y[(n, *[0] * (y.ndim - 1))]) ** 2
                    for n in range(len(y)))
        return total / torch.tensor(float(len(y)), dtype=torch.float64)


def _mse_seen(args, value):
    Y_hat = args[1]
    cut = not fixtures.is_tensor(value) or not value.requires_grad
    if not cut and value.numel() == 1:
        value.sum().backward()
    several = fixtures.is_tensor(value) and value.ndim
    return {"loss": value.detach().numpy() if several else fixtures.number(value),
            "cut off": Count(cut, "The loss is cut off from the graph: nothing leads back from it "
                             "to `Y_hat`."),
            "gradient": np.zeros(Y_hat.shape) if Y_hat.grad is None else Y_hat.grad.numpy()}


safe_mse = Exercise(
    "08-safe-mse", "safe_mse", truth=_safe_mse, sizes=lambda y, Y_hat: {"N": len(y)},
    view=_mse_seen, cases=_mse_cases,
    hint="give both the same shape first, `reshape(-1, 1)`, then the mean of the squared "
         "difference.",
    unlocks="No shape that comes in can make it compare everything with everything.")


STARTS = [weights(1, 3, 5, 2), weights(2, 2, 4, 3)]


def _moons_loss(X, y, params):
    Z2 = rings_network(X, params)[2]
    E = np.exp(Z2 - Z2.real.max(axis=1, keepdims=True))
    return -np.log((E / E.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()


def _repaired_train(X, y, params, learning_rate, steps):
    losses = []
    for _ in range(steps):
        losses.append(float(_moons_loss(X, y, params)))
        grads = complex_gradients(lambda p: _moons_loss(X, y, p), params)
        params = {name: W - learning_rate * grads[name] for name, W in params.items()}
    return params, losses


def _repair_cases():
    fixtures.ready()
    cases = []
    for seed, N, params, rate, steps in ((1, 7, STARTS[0], 0.5, 3), (2, 9, STARTS[1], 0.7, 4)):
        (D, _), K, rng = params["W1"].shape, len(params["b2"]), np.random.default_rng(seed)
        cases.append((rng.normal(size=(N, D)), rng.integers(K, size=N), params, rate, steps))
    return cases


def _training_seen(args, result):
    params, losses = result
    if not isinstance(params, dict):
        return [fixtures.number(v) for v in params], losses
    start = next((start for start in STARTS
                  if start["W1"].shape == np.shape(args[2].get("W1"))), {})
    moved = not all(np.array_equal(args[2].get(key), W) for key, W in start.items())
    return {**fixtures.entries(start, params, "the parameters", extra=False),
            "losses": fixtures.number_facts(losses),
            "moved": Count(moved, "The caller's `params` are different afterwards.")}, [
                fixtures.number(v) for v in losses]


repair = Exercise(
    "08-repair", "repaired_train", truth=_repaired_train, returns=("params", "losses"),
    view=_training_seen, cases=_repair_cases,
    hint="go through the lines one by one: does this tensor share memory, what does the loss "
         "function want, what does `backward()` add to, what is kept in the list?",
    unlocks="Four faults, and a falling loss had hidden them all.")
