"""Networks, optimizers and loaders for the checks of PyTorch, and what is wrong with tensors.

PyTorch is imported when a case is made: before the clock of a check starts, and not at all where no
check of lesson 08 runs.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from helpers.checks.compare import Count
from helpers.torch_compare import require_torch

GRAPHS = "tensors that hold on to a graph"
TENSORS = "tensors where numbers are wanted"
SINGLE = "arrays in float32"
KEYS = "names missing or not wanted"


@functools.cache
def loaded_torch() -> ModuleType:
    """Return PyTorch, with all loaded that its first step would load, and set to one thread.

    A second thread would only wait for the first, on a busy computer for too long.

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
    with torch.enable_grad():
        weight.sum().backward()
    optimizer.step()
    return torch


class _Torch(ModuleType):
    """PyTorch, loaded when a name of it is first asked for."""

    def __getattr__(self, name):
        if name.startswith("__"):  # who looks through all modules does not want it loaded
            raise AttributeError(name)
        return getattr(loaded_torch(), name)


torch = _Torch("torch")


def ready() -> None:
    """Load PyTorch, and let it record: an earlier cell may have switched that off for good."""
    torch.set_grad_enabled(True)


@functools.cache
def _network_class() -> type:
    class Network(torch.nn.Module):
        """D-H-K with tanh; while it trains, every second hidden unit is off, as in dropout."""

        def __init__(self, params, drops=False):
            super().__init__()
            (D, H), K = params["W1"].shape, params["W2"].shape[1]
            self.hidden = torch.nn.Linear(D, H, dtype=torch.float64)
            self.output = torch.nn.Linear(H, K, dtype=torch.float64)
            torch.nn.utils.vector_to_parameters(torch.from_numpy(np.concatenate(
                [params[name].T.ravel() for name in ("W1", "b1", "W2", "b2")])), self.parameters())
            self.drops, self.passes = drops, []
            self.in_words = f"a network {D}-{H}-{K}"

        def forward(self, X):
            learning = any(module.training for module in self.modules())
            self.passes.append((learning, torch.is_grad_enabled()))
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

    return Network


def made_network(params: dict[str, np.ndarray], *, stale: bool = False,
                 drops: bool = False, training: bool = True) -> Any:
    """Return a network that holds copies of `params`; where it is `stale`, old gradients too."""
    ready()
    made = _network_class()(params, drops)
    if stale:
        for parameter in made.parameters():
            parameter.grad = torch.sin(parameter.detach() + 1)
    made.came_in = training
    return made.train(training)


def descent(made: Any, lr: float, momentum: float) -> Any:
    """Return SGD for a network."""
    optimizer = torch.optim.SGD(made.parameters(), lr=lr, momentum=momentum)
    optimizer.in_words = f"SGD with lr={lr:g}, momentum={momentum:g}"
    return optimizer


def criterion(name: str) -> Any:
    """Return a loss function of `torch.nn`."""
    function = getattr(torch.nn, name)()
    function.in_words = f"nn.{name}()"
    return function


def loader(X: Any, y: Any, batch_size: int) -> Any:
    """Return a DataLoader over two arrays or tensors, in their order."""
    made = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(y)),
        batch_size=batch_size)
    made.in_words = f"a DataLoader of {len(X)} samples in batches of {batch_size}"
    return made


def weights_of(made: Any) -> dict[str, np.ndarray]:
    """Return copies of a network's parameters, by their names in PyTorch."""
    return {name: p.detach().numpy().copy() for name, p in made.named_parameters()}


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of PyTorch."""
    return hasattr(value, "detach")


def number(value: Any) -> Any:
    """Return a tensor with one entry as the number in it; anything else as it is."""
    return value.item() if is_tensor(value) and value.numel() == 1 else value


def number_facts(results: Sequence) -> dict[str, Count]:
    """Return what is wrong with numbers that came back: tensors, with or without a graph."""
    held = [value for value in results if is_tensor(value)]
    which = (f"{len(held)} of the {len(results)} numbers are still tensors"
             if len(results) > 1 else "A tensor came back")
    return {GRAPHS: Count(sum(value.requires_grad for value in held),
                          f"{which}, with the graph behind; plain numbers are wanted."),
            TENSORS: Count(len(held), f"{which}; plain numbers are wanted.")}


def entries(wanted: Iterable[str], got: dict, what: str, extra: bool = True) -> dict[str, Any]:
    """Return the arrays of a dict, between what is wrong with its names and with its types.

    `what` it is called on a card; without `extra`, names that are not wanted do no harm.
    """
    held = [key for key, value in got.items() if is_tensor(value)]  # raises where it is no dict
    missing = [key for key in wanted if key not in got]
    strange = [key for key in got if key not in wanted] if extra else []
    single = [key for key, value in got.items() if "float32" in str(getattr(value, "dtype", ""))]

    def those(text, keys):
        return f"{text}: {', '.join(f'`{key}`' for key in keys)}."[:150] if keys else ""

    names = f"{those('Missing', missing)} {those('Not wanted', strange)}".strip()
    return {KEYS: Count(len(missing + strange), f"The names in {what} are not right. {names}"),
            **dict.fromkeys(wanted), **got,
            **{key: got[key].detach().numpy() for key in held},
            TENSORS: Count(len(held), those("Tensors, where arrays are wanted", held)),
            SINGLE: Count(len(single), those("In float32, where float64 is wanted", single))}
