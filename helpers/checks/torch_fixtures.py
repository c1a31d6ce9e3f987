"""Networks, optimizers and loaders for the checks of PyTorch, each copied whole for every call.

PyTorch is imported when a case is made and not before: before the clock of a check starts, and not
at all where no check of lesson 08 runs.
"""

from __future__ import annotations

import copy
import functools
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from helpers.torch_compare import require_torch


@functools.cache
def loaded_torch() -> ModuleType:
    """Return PyTorch, with all loaded that its first step would load, and set to one thread.

    On networks this small a second thread only waits for the first, on a busy computer for so long
    that a check would take a right answer for an endless one.

    Raises
    ------
    MissingTorch
        Where it is not installed.
    """
    require_torch()
    import torch

    torch.set_num_threads(1)
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    weight.sum().backward()
    optimizer.step()
    return torch


@functools.cache
def _classes() -> SimpleNamespace:
    torch = loaded_torch()

    class Network(torch.nn.Module):
        """D-H-K with tanh; while it trains, every second hidden unit is off, as in dropout."""

        def __init__(self, params, drops=False):
            super().__init__()
            D, H = params["W1"].shape
            K = params["W2"].shape[1]
            self.hidden = torch.nn.Linear(D, H, dtype=torch.float64)
            self.output = torch.nn.Linear(H, K, dtype=torch.float64)
            with torch.no_grad():
                for layer, n in ((self.hidden, 1), (self.output, 2)):
                    layer.weight.copy_(torch.from_numpy(params[f"W{n}"].T))
                    layer.bias.copy_(torch.from_numpy(params[f"b{n}"]))
            self.drops, self.passes = drops, []
            self.in_words = f"a network {D}-{H}-{K}"

        def forward(self, X):
            self.passes.append((self.training, torch.is_grad_enabled()))
            A1 = torch.tanh(self.hidden(X))
            if self.drops and self.training:
                A1 = A1 * (torch.arange(A1.shape[1]) % 2 * 2)
            return self.output(A1)

        def __deepcopy__(self, memo):
            new = memo[id(self)] = type(self).__new__(type(self))
            new.__dict__.update(copy.deepcopy(self.__dict__, memo))
            for theirs, ours in zip(self.parameters(), new.parameters(), strict=True):
                ours.grad = None if theirs.grad is None else theirs.grad.clone()
            return new

    class Descent(torch.optim.SGD):
        """Gradient descent whose copy moves the copied network."""

        def __deepcopy__(self, memo):
            groups = [{**group, "params": copy.deepcopy(group["params"], memo)}
                      for group in self.param_groups]
            return type(self)(groups, lr=self.defaults["lr"])

    return SimpleNamespace(Network=Network, Descent=Descent)


def made_network(params: dict[str, np.ndarray], *, stale: bool = False,
                 drops: bool = False, training: bool = True) -> Any:
    """Return a network with tanh that holds copies of `params`.

    Parameters
    ----------
    stale : whether old gradients lie in it
    drops : whether half of its hidden units are off in training
    training : its mode
    """
    torch = loaded_torch()
    made = _classes().Network(params, drops)
    if stale:
        for parameter in made.parameters():
            parameter.grad = torch.sin(parameter.detach() + 1)
    made.came_in = training
    return made.train(training)


def descent(made: Any, lr: float, momentum: float = 0.0) -> Any:
    """Return SGD for a network."""
    optimizer = _classes().Descent(made.parameters(), lr=lr, momentum=momentum)
    optimizer.in_words = f"SGD with lr={lr:g}" + (f", momentum={momentum:g}" if momentum else "")
    return optimizer


def criterion(name: str) -> Any:
    """Return a loss function of `torch.nn`."""
    function = getattr(loaded_torch().nn, name)()
    function.in_words = f"nn.{name}()"
    return function


def loader(X: np.ndarray, y: np.ndarray, batch_size: int) -> Any:
    """Return a DataLoader over two arrays, in their order."""
    torch = loaded_torch()
    made = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y)),
        batch_size=batch_size)
    made.in_words = f"a DataLoader of {len(X)} samples in batches of {batch_size}"
    return made


def weights_of(made: Any) -> dict[str, np.ndarray]:
    """Return copies of a network's parameters, by their names in PyTorch."""
    return {name: p.detach().numpy().copy() for name, p in made.named_parameters()}
