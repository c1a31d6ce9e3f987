"""Lesson 08: answers in a student's hand. PyTorch is imported when one is called."""

from __future__ import annotations

import numpy as np

# 08-to-state

def to_state_list(params):
    state = {}
    for number, place in enumerate(["hidden", "output"], start=1):
        state[f"{place}.weight"] = np.array(params[f"W{number}"]).T.copy()
        if f"b{number}" in params:
            state[f"{place}.bias"] = 1 * params[f"b{number}"]
    return state


def to_state_if(params):
    state = {"hidden.weight": np.transpose(params["W1"]), "hidden.bias": params["b1"],
             "output.weight": np.swapaxes(params["W2"], 0, 1)}
    if "b2" in params:
        state["output.bias"] = params["b2"]
    return state


def to_state_einsum(params):
    places = {"1": "hidden", "2": "output"}
    kinds = {"W": "weight", "b": "bias"}
    return {f"{places[key[1]]}.{kinds[key[0]]}": (
        np.einsum("io->oi", value) if key[0] == "W" else value) for key, value in params.items()}


# 08-torch-gradients

def torch_gradients_grad(loss, params):
    import torch
    tensors = {k: torch.from_numpy(np.array(v)).requires_grad_() for k, v in params.items()}
    value = loss(tensors)
    found = torch.autograd.grad(value, list(tensors.values()), allow_unused=True,
                                materialize_grads=True)
    return float(value), {k: np.array(g) for k, g in zip(tensors, found, strict=True)}


def torch_gradients_backward(loss, params):
    import torch
    leaves = {}
    for name in params:
        leaves[name] = torch.tensor(params[name], dtype=torch.float64, requires_grad=True)
    J = loss(leaves)
    J.backward()
    grads = {}
    for name, leaf in leaves.items():
        grads[name] = np.zeros_like(params[name])
        if leaf.grad is not None:
            grads[name] = grads[name] + leaf.grad.detach().numpy()
    return J.detach().item(), grads


def torch_gradients_parameters(loss, params):
    import torch
    box = torch.nn.ParameterDict({k: torch.nn.Parameter(torch.tensor(v))
                                  for k, v in params.items()})
    value = loss(dict(box.items()))
    value.backward()
    return [value.item(), {k: np.zeros(p.shape) if p.grad is None else p.grad.numpy()
                           for k, p in box.items()}]


def torch_gradients_numpy_of_leaf(loss, params):
    import torch
    t = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    J = loss(t)
    J.backward()
    return J.item(), {k: v.numpy() for k, v in t.items()}


def torch_gradients_none_numpy(loss, params):
    import torch
    t = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    J = loss(t)
    J.backward()
    return J.item(), {k: v.grad.numpy() for k, v in t.items()}


def torch_gradients_without_backward(loss, params):
    import torch
    t = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    J = loss(t)
    return J.item(), {k: v.grad.numpy() for k, v in t.items()}


def torch_gradients_number_first(loss, params):
    import torch
    t = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    J = loss(t).item()
    J.backward()
    return J, {k: v.grad.numpy() for k, v in t.items()}


# 08-network

def network_class(params, activation):
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self, D, H, K, bias):
            super().__init__()
            self.hidden = nn.Linear(D, H, dtype=torch.float64)
            self.output = nn.Linear(H, K, bias=bias, dtype=torch.float64)

        def forward(self, X):
            return self.output(activation(self.hidden(X)))

    network = Network(*params["W1"].shape, params["W2"].shape[1], "b2" in params)
    with torch.no_grad():
        network.hidden.weight.copy_(torch.tensor(params["W1"].T))
        network.hidden.bias[:] = torch.tensor(params["b1"])
        network.output.weight.copy_(torch.tensor(params["W2"]).T)
        if "b2" in params:
            network.output.bias.copy_(torch.tensor(params["b2"]))
    return network


def network_sequential(params, activation):
    import torch
    from torch import nn

    class Activation(nn.Module):
        def forward(self, Z):
            return activation(Z)

    (D, H), K = params["W1"].shape, params["W2"].shape[1]
    network = nn.Sequential()
    network.add_module("hidden", nn.Linear(D, H))
    network.add_module("activation", Activation())
    network.add_module("output", nn.Linear(H, K, bias="b2" in params))
    network.double().load_state_dict({k: torch.from_numpy(np.ascontiguousarray(v))
                                      for k, v in to_state_if(params).items()})
    return network


def network_by_data(params, activation):
    import torch
    from torch import nn
    network = network_class({**params}, activation)
    for layer, n in ((network.hidden, 1), (network.output, 2)):
        layer.weight = nn.Parameter(torch.tensor(params[f"W{n}"]).T.contiguous())
        layer.bias = nn.Parameter(torch.tensor(params[f"b{n}"])) if f"b{n}" in params else None
    return network


def network_with_random_weights(params, activation):
    made = network_class(params, activation)
    made.hidden.reset_parameters()
    made.output.reset_parameters()
    return made


def network_with_one_layer_unloaded(params, activation):
    made = network_class(params, activation)
    made.hidden.reset_parameters()
    return made


def network_without_super(params, activation):
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            self.hidden = nn.Linear(*params["W1"].shape)

    return Network()


def network_from_arrays(params, activation):
    made = network_class(params, activation)
    made.load_state_dict(to_state_if(params))
    return made


def network_hard_coded(params, activation):
    import torch
    sizes = {"W1": np.zeros((2, 3)), "b1": np.zeros(3), "W2": np.zeros((3, 1)), "b2": np.zeros(1)}
    made = network_class(sizes, activation)
    made.load_state_dict({k: torch.tensor(v) for k, v in to_state_if(params).items()})
    return made


def network_loaded(params, D, H, K, bias, state, names=("hidden", "output")):
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            setattr(self, names[0], nn.Linear(D, H, dtype=torch.float64))
            setattr(self, names[1], nn.Linear(H, K, bias=bias, dtype=torch.float64))

    network = Network()
    network.load_state_dict({k: torch.tensor(v) for k, v in state.items()})
    return network


def network_always_with_bias(params, activation):
    if "b2" in params:
        return network_class(params, activation)
    return network_loaded(params, *params["W1"].shape, params["W2"].shape[1], True,
                          to_state_if(params))


def network_never_with_bias(params, activation):
    return network_loaded(params, *params["W1"].shape, params["W2"].shape[1], False,
                          to_state_if(params))


def network_with_names_kept(params, activation):
    return network_loaded(params, *params["W1"].shape, params["W2"].shape[1], "b2" in params,
                          params)


def network_with_other_names(params, activation):
    return network_loaded(params, *params["W1"].shape, params["W2"].shape[1], "b2" in params,
                          to_state_if(params), ("layer1", "layer2"))


def network_turned(params, activation):
    D, H = params["W1"].shape
    return network_loaded(params, H, D, params["W2"].shape[1], "b2" in params,
                          to_state_if(params))


def network_without_init(params, activation):
    import torch
    from torch import nn

    class Network(nn.Module):
        def _init_(self):
            super().__init__()
            self.hidden = nn.Linear(*params["W1"].shape)

    network = Network()
    network.load_state_dict({k: torch.tensor(v) for k, v in to_state_if(params).items()})
    return network


# 08-training-step

def step_plain(model, X, y, loss_function, optimizer):
    model.zero_grad()
    loss = loss_function(model(X), y)
    loss.backward()
    optimizer.step()
    return float(loss)


def step_none(model, X, y, loss_function, optimizer):
    output = model(X)
    loss = loss_function(output, y)
    for parameter in model.parameters():
        parameter.grad = None
    loss.backward()
    optimizer.step()
    return loss.detach().numpy().item()


def step_closure(model, X, y, loss_function, optimizer):
    def closure():
        optimizer.zero_grad(set_to_none=False)
        loss = loss_function(model.forward(X), y)
        loss.backward()
        return loss

    return optimizer.step(closure).item()


def step_no_grad(model, X, y, loss_function, optimizer):
    import torch
    optimizer.zero_grad()
    with torch.no_grad():
        loss = loss_function(model(X), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def step_detached(model, X, y, loss_function, optimizer):
    optimizer.zero_grad()
    loss = loss_function(model(X), y)
    loss.backward()
    optimizer.step()
    return loss.detach()


# 08-train

def train_with_step(model, loader, loss_function, optimizer, epochs):
    model.train()
    losses = []
    for _ in range(epochs):
        total, count = 0.0, 0
        for X, y in loader:
            total += len(X) * step_plain(model, X, y, loss_function, optimizer)
            count += len(X)
        losses.append(total / count)
    return losses


def train_array(model, loader, loss_function, optimizer, epochs):
    model.train(True)
    losses = np.zeros(epochs)
    for e in range(epochs):
        for X, y in loader:
            losses[e] += step_none(model, X, y, loss_function, optimizer) * X.shape[0]
    return list(losses / len(loader.dataset))


def train_weighted(model, loader, loss_function, optimizer, epochs):
    model.train()
    history = []
    for _ in range(epochs):
        rows = [(step_closure(model, X, y, loss_function, optimizer), len(y)) for X, y in loader]
        values, sizes = np.array(rows).T
        history.append(float(np.average(values, weights=sizes)))
    return tuple(history)


def train_with_arguments_swapped(model, loader, loss_function, optimizer, epochs):
    model.train()
    return [sum(len(X) * step_plain(model, X, y, optimizer, loss_function) for X, y in loader)
            / len(loader.dataset) for _ in range(epochs)]


def train_appending_inside(model, loader, loss_function, optimizer, epochs):
    model.train()
    losses = []
    for _ in range(epochs):
        total = 0.0
        for X, y in loader:
            total += len(X) * step_plain(model, X, y, loss_function, optimizer)
            losses.append(total / len(loader.dataset))
    return losses


# 08-evaluate

def evaluate_counting(model, loader):
    import torch
    was = model.training
    model.eval()
    hits = 0
    with torch.no_grad():
        for X, y in loader:
            hits += int((model(X).argmax(dim=1) == y).sum())
    model.train(was)
    return hits / len(loader.dataset)


def evaluate_all(model, loader):
    import torch
    before, right = model.training, []
    model.train(False)
    with torch.inference_mode():
        for X, y in loader:
            right += (model(X).max(1).indices == y).tolist()
    model.train(before)
    return sum(right) / len(right)


def evaluate_numpy(model, loader):
    import torch
    was = model.training
    model.eval()
    guesses, labels = [], []
    with torch.no_grad():
        for X, y in loader:
            guesses.append(np.argmax(model(X).numpy(), axis=1))
            labels.append(y.numpy())
    if was:
        model.train()
    return np.mean(np.concatenate(guesses) == np.concatenate(labels))


def evaluate_in_float32(model, loader):
    import torch
    was = model.training
    model.eval()
    with torch.no_grad():
        hits = torch.cat([model(X).argmax(dim=1) == y for X, y in loader])
    model.train(was)
    return hits.float().mean().item()


def evaluate_mean_in_float32(model, loader):
    import torch
    was = model.training
    model.eval()
    with torch.no_grad():
        shares = [(model(X).argmax(dim=1) == y).float().mean().item() for X, y in loader]
    model.train(was)
    return np.mean(shares)


def evaluate_no_grad_without_call(model, loader):
    import torch
    with torch.no_grad:
        return evaluate_in_any_mode(model, loader)


def evaluate_in_any_mode(model, loader):
    hits = sum((model(X).argmax(dim=1) == y).sum().item() for X, y in loader)
    return hits / len(loader.dataset)


def evaluate_switched_off_and_on(model, loader):
    import torch
    was, recording = model.training, torch.is_grad_enabled()
    torch.set_grad_enabled(False)
    share = evaluate_in_any_mode(model.eval(), loader)
    torch.set_grad_enabled(recording)
    model.train(was)
    return share


# 08-safe-mse

def mse_function(y, Y_hat):
    from torch.nn.functional import mse_loss
    return mse_loss(Y_hat.reshape(-1, 1), y.reshape(-1, 1))


def mse_like(y, Y_hat):
    return (Y_hat - y.view(Y_hat.shape)).pow(2).mean()


def mse_flat(y, Y_hat):
    error = Y_hat.flatten() - y.flatten()
    return error @ error / len(error)


def mse_numpy(y, Y_hat):
    error = Y_hat.reshape(-1, 1) - y.reshape(-1, 1)
    return np.mean(error ** 2)


# 08-repair

def repaired_class(X, y, params, learning_rate, steps):
    import torch
    p = {k: torch.nn.Parameter(torch.tensor(v)) for k, v in params.items()}
    optimizer = torch.optim.SGD(p.values(), lr=learning_rate)
    X, y, losses = torch.from_numpy(X), torch.from_numpy(y), []
    for _ in range(steps):
        optimizer.zero_grad()
        logits = torch.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
        loss = torch.nn.functional.cross_entropy(logits, y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {k: v.detach().numpy() for k, v in p.items()}, losses


def repaired_with_nll(X, y, params, learning_rate, steps):
    import torch
    p = {k: torch.from_numpy(v.copy()).requires_grad_() for k, v in params.items()}
    losses = []
    for _ in range(steps):
        Z2 = (torch.from_numpy(X) @ p["W1"] + p["b1"]).tanh() @ p["W2"] + p["b2"]
        loss = torch.nn.functional.nll_loss(Z2.log_softmax(dim=1), torch.from_numpy(y))
        grads = torch.autograd.grad(loss, list(p.values()))
        losses.append(float(loss.detach()))
        p = {k: (w - learning_rate * g).detach().requires_grad_()
             for (k, w), g in zip(p.items(), grads, strict=True)}
    return {k: w.detach().numpy().copy() for k, w in p.items()}, losses


def repaired_numpy(X, y, params, learning_rate, steps):
    losses, Y = [], np.eye(params["W2"].shape[1])[y]
    for _ in range(steps):
        A1 = np.tanh(X @ params["W1"] + params["b1"])
        E = np.exp(A1 @ params["W2"] + params["b2"])
        P = E / E.sum(axis=1, keepdims=True)
        losses.append(float(-np.log((P * Y).sum(axis=1)).mean()))
        dZ2 = (P - Y) / len(y)
        dZ1 = dZ2 @ params["W2"].T * (1 - A1 ** 2)
        grads = {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": A1.T @ dZ2, "b2": dZ2.sum(0)}
        params = {k: params[k] - learning_rate * grads[k] for k in params}
    return params, losses


def repaired_nll_of_softmax(X, y, params, learning_rate, steps):
    import torch
    p = {k: torch.tensor(v, requires_grad=True) for k, v in params.items()}
    optimizer = torch.optim.SGD(p.values(), lr=learning_rate)
    X, y, losses = torch.from_numpy(X), torch.from_numpy(y), []
    for _ in range(steps):
        optimizer.zero_grad()
        Z2 = torch.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
        loss = torch.nn.functional.nll_loss(torch.softmax(Z2, dim=1), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {k: v.detach().numpy() for k, v in p.items()}, losses


def as_numpy_of_a_leaf(X, y, params, learning_rate, steps):
    import torch
    return {k: torch.tensor(v, requires_grad=True).numpy() for k, v in params.items()}, []


RIGHT = {
    "08-to-state": [to_state_list, to_state_if, to_state_einsum],
    "08-torch-gradients": [torch_gradients_grad, torch_gradients_backward,
                           torch_gradients_parameters],
    "08-network": [network_class, network_sequential, network_by_data],
    "08-training-step": [step_plain, step_none, step_closure],
    "08-train": [train_with_step, train_array, train_weighted],
    "08-evaluate": [evaluate_counting, evaluate_all, evaluate_numpy, evaluate_in_float32,
                    evaluate_switched_off_and_on],
    "08-safe-mse": [mse_function, mse_like, mse_flat],
    "08-repair": [repaired_class, repaired_with_nll, repaired_numpy],
}

WRONG = [
    ("08-to-state", lambda params: {
        "hidden.weight": params["W1"].reshape(params["W1"].shape[::-1]),
        "hidden.bias": params["b1"],
        "output.weight": params["W2"].reshape(params["W2"].shape[::-1]),
        **({"output.bias": params["b2"]} if "b2" in params else {})}, "reshape-for-transpose"),
    ("08-to-state", lambda params: {"W1": params["W1"].T}, "fact-names-missing-or-not-wanted"),
    ("08-torch-gradients", torch_gradients_numpy_of_leaf, "detach-missing"),
    ("08-torch-gradients", torch_gradients_none_numpy, "unused-not-asked"),
    ("08-torch-gradients", lambda loss, params: loss(params).backward(), "loss-of-arrays"),
    ("08-torch-gradients", torch_gradients_without_backward, "grad-is-none"),
    ("08-torch-gradients", torch_gradients_number_first, "backward-of-a-number"),
    ("08-network", network_with_random_weights, "weights-not-loaded"),
    ("08-network", network_with_one_layer_unloaded, None),
    ("08-network", network_without_super, "super-init-missing"),
    ("08-network", network_from_arrays, "arrays-in-state"),
    ("08-network", network_hard_coded, "state-mismatch"),
    ("08-network", network_always_with_bias, "bias-not-in-state"),
    ("08-network", network_never_with_bias, "state-names"),
    ("08-network", network_with_names_kept, "own-names-in-state"),
    ("08-network", network_without_init, "layers-not-found"),
    ("08-network", network_with_other_names, "state-names"),
    ("08-network", network_turned, "state-mismatch"),
    ("08-training-step", step_detached, "tensor-returned"),
    ("08-training-step", step_no_grad, "no-graph"),
    ("08-train", train_with_arguments_swapped, "optimizer-for-loss"),
    ("08-train", train_appending_inside, "one-loss-per-batch"),
    ("08-evaluate", evaluate_mean_in_float32, "mean-of-batches"),
    ("08-evaluate", evaluate_no_grad_without_call, "with-without-call"),
    ("08-safe-mse", mse_numpy, "numpy-mean"),
    ("08-repair", repaired_nll_of_softmax, "probabilities-without-logarithm"),
    ("08-repair", as_numpy_of_a_leaf, "detach-missing"),
]

EQUIVALENT = {
    "08-safe-mse": {
        "line 3: Y_hat.reshape(-1, 1) - y.reshape(-1, 1) → y.reshape(-1, 1) - Y_hat.reshape(-1, 1)":
            "the square has no sign"},
}
