"""Lesson 08: the same networks in PyTorch: weights carried over, gradients, modules, training."""

from __future__ import annotations

import numpy as np

from helpers.checks import torch_fixtures as fixtures
from helpers.checks.catalogue import answer
from helpers.checks.compare import Count, type_of
from helpers.checks.exercise import Exercise, no_sizes
from helpers.checks.torch_fixtures import torch
from helpers.checks.truth import rings_network

NAMES = {"W1": "hidden.weight", "b1": "hidden.bias", "W2": "output.weight", "b2": "output.bias"}


def weights(seed, D, H, K, output_bias=True):
    """Return params of a D-H-K network: generic numbers, biases too."""
    rng = np.random.default_rng(seed)
    params = {"W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H),
              "W2": rng.normal(size=(H, K)), "b2": rng.normal(size=K)}
    return params if output_bias else {name: params[name] for name in ("W1", "b1", "W2")}


OURS = [weights(1, 3, 5, 2), weights(2, 4, 4, 4), weights(3, 2, 3, 1, output_bias=False)]


def _state_seen(args, state):
    came = next((params for params in OURS if any(
        np.shape(args[0].get(key)) == W.shape for key, W in params.items())), OURS[0])
    gone = "`, `".join(sorted(came.keys() - args[0].keys()))
    return {**fixtures.entries([NAMES[key] for key in came], state, "`state`"),
            "gone": Count(bool(gone), f"After the call, `params` lacks `{gone}`.")}


to_state = Exercise(
    "08-to-state", "to_state", truth=answer("08-to-state"), returns=("state",), sizes=no_sizes,
    view=_state_seen, cases=lambda: [(params,) for params in OURS],
    hint="a new dict: `hidden.weight` from `W1`, transposed, `hidden.bias` from `b1`, and so on, "
         "for the arrays that are there.",
    unlocks="Your weights can move into a PyTorch network.")


def _expression(params):
    """x·x + 3x − y/x"""
    x, y = params["x"], params["y"]
    return x * x + 3 * x - y / x


def _network_loss(params):
    """The squared error of a network, with L2."""
    rng = np.random.default_rng(7)
    X, Y = (torch.from_numpy(rng.normal(size=size)) for size in ((7, 3), (7, 4)))
    Z2 = torch.tanh(X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]
    return ((Z2 - Y) ** 2).mean() + 0.05 * (params["W1"] ** 2).sum()


def _loss_with_a_spare(params):
    """The loss of a layer; `unused` plays no part."""
    X = torch.from_numpy(np.random.default_rng(8).normal(size=(6, 3)))
    return (torch.tanh(X @ params["W"]) ** 3).sum()


def _gradient_cases():
    fixtures.ready()
    rng = np.random.default_rng(9)
    return [(_expression, {"x": np.array(1.7), "y": np.array(-0.6)}),
            (_network_loss, weights(3, 3, 5, 4)),
            (_loss_with_a_spare, {"W": rng.normal(size=(3, 2)), "unused": rng.normal(size=4)})]


def _gradients_seen(args, result):
    value, grads = result
    if not isinstance(grads, dict):
        return fixtures.number(value), fixtures.number(grads)
    return fixtures.number(value), {**fixtures.entries(args[1], grads, "`grads`", extra=False),
                                    "loss": fixtures.number_facts([value])}


torch_gradients = Exercise(
    "08-torch-gradients", "torch_value_and_grad", truth=answer("08-torch-gradients"),
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


def _network_seen(args, made):
    wanted = {NAMES[key]: W for key, W in args[0].items()}
    facts = _no_network(made, wanted)
    if facts:  # nothing else can be said: it takes the place of all that is wanted
        return dict.fromkeys(_network_seen(args, network.truth(*args)), 0) | facts
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
    "08-network", "build_network", truth=answer("08-network"), returns=("network",),
    uses=(to_state,), sizes=no_sizes, view=_network_seen, cases=_network_cases,
    hint="a subclass of `nn.Module` with two `nn.Linear` of `dtype=torch.float64`, named `hidden` "
         "and `output`; its `forward` puts the activation between them. Then load the state.",
    unlocks="One function builds all networks of lessons 02 to 06.")


def _training_case(seed, data_seed, sizes, name, **mode):
    """Return a network with old gradients in it, data, a loss function that fits, an optimizer."""
    (N, D, H, K), rng = sizes, np.random.default_rng(data_seed)
    y = {"MSELoss": rng.normal(size=(N, K)), "CrossEntropyLoss": rng.integers(K, size=N),
         "BCEWithLogitsLoss": rng.integers(2, size=(N, K)) * 1.0}[name]
    made = fixtures.made_network(weights(seed, D, H, K), stale=True, **mode)
    return (made, torch.from_numpy(rng.normal(size=(N, D))), torch.from_numpy(y),
            fixtures.criterion(name), fixtures.descent(made, 0.1 * seed, momentum=0.5))


def _step_seen(args, value):
    return {"loss": fixtures.number(value), **fixtures.number_facts([value]),
            **{f"{name} after the step": W for name, W in fixtures.weights_of(args[0]).items()}}


training_step = Exercise(
    "08-training-step", "training_step", truth=answer("08-training-step"),
    view=_step_seen, cases=lambda: [_training_case(1, 1, (7, 3, 5, 2), "MSELoss"),
                                    _training_case(2, 2, (6, 2, 4, 1), "BCEWithLogitsLoss"),
                                    _training_case(3, 3, (5, 4, 3, 6), "CrossEntropyLoss")],
    hint="clear the old gradients, compute the loss, go back, let the optimizer step, return the "
         "number.",
    unlocks="These five lines are the heart of every training loop in PyTorch.")


def _train_case(seed, sizes, batch_size, name, epochs):
    made, X, y, *others = _training_case(seed, seed + 10, sizes, name, drops=True,
                                         training=seed == 1)
    return made, fixtures.loader(X, y, batch_size), *others, epochs


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
    "08-train", "train", truth=answer("08-train"), uses=(training_step,), view=_train_seen,
    cases=lambda: [_train_case(1, (7, 3, 5, 2), 3, "MSELoss", 2),
                   _train_case(2, (11, 2, 4, 1), 4, "BCEWithLogitsLoss", 3),
                   _train_case(3, (8, 4, 3, 6), 5, "CrossEntropyLoss", 4)],
    hint="two loops, epochs outside, batches inside; a training step per batch; its loss times the "
         "number of its samples goes into a total, and the total, divided by "
         "`len(loader.dataset)`, into the list.",
    unlocks="Full batch, mini-batches, momentum: the loop stays the same.")


def _evaluate_cases():
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
    "08-evaluate", "evaluate", truth=answer("08-evaluate"), sizes=no_sizes, view=_evaluate_seen,
    tolerance=1e-6, rounding=1e-6, cases=_evaluate_cases,  # float32 will do
    hint="note the mode, `model.eval()`, loop under `torch.no_grad()`, count the hits of "
         "`argmax(dim=1)`, put the mode back, divide by `len(loader.dataset)`.",
    unlocks="A look at the network that changes nothing about it.")


def _mse_cases():
    fixtures.ready()
    cases = []
    for seed, y_shape, out_shape in ((1, 5, (5, 1)), (2, (7, 1), 7), (3, (4, 1), (4, 1)),
                                     (4, 6, 6), (5, 1, (1, 1))):
        rng = np.random.default_rng(seed)
        y, out = rng.normal(size=y_shape), rng.normal(size=out_shape)
        cases.append((torch.from_numpy(y), torch.tensor(out, requires_grad=True)))
    return cases


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
    "08-safe-mse", "safe_mse",
    truth=lambda y, Y_hat: torch.nn.functional.mse_loss(Y_hat.ravel(), y.ravel()),
    sizes=lambda y, Y_hat: {"N": len(y)}, view=_mse_seen, cases=_mse_cases,
    hint="give both the same shape first, `reshape(-1, 1)`, then the mean of the squared "
         "difference.",
    unlocks="No shape that comes in can make it compare everything with everything.")


STARTS = [weights(1, 3, 5, 2), weights(2, 2, 4, 3)]


def _repair_cases():
    fixtures.ready()
    one, two = (np.random.default_rng(seed) for seed in (1, 2))
    return [(one.normal(size=(7, 3)), one.integers(2, size=7), STARTS[0], 0.5, 3),
            (two.normal(size=(9, 2)), two.integers(3, size=9), STARTS[1], 0.7, 4)]


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
    "08-repair", "repaired_train", truth=answer("08-repair"), returns=("params", "losses"),
    view=_training_seen, cases=_repair_cases,
    hint="go through the lines one by one: does this tensor share memory, what does the loss "
         "function want, what does `backward()` add to, what is kept in the list?",
    unlocks="Four faults, and a falling loss had hidden them all.")
