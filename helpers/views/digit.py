"""Draw a digit: what does a network read in what you draw, and what do its units see?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.views.base import Live, Recorded, Still, live, recorded

ALT = ("A board of 8 by 8 squares to draw on, and beside it ten bars: the probability that the "
       "network gives to each digit while you draw.")


def draw_digit(
    network: dict[str, np.ndarray] | Callable[[np.ndarray], np.ndarray], *,
    mean: np.ndarray | None = None, spread: np.ndarray | None = None,
    examples: np.ndarray | None = None,
) -> Recorded | Live | Still:
    """Return a board to draw a digit on, read by a network while it is drawn.

    Parameters
    ----------
    network : a dict with ``W1 (64, H)``, ``b1 (H,)``, ``W2 (H, 10)``, ``b2 (10,)``, or a function
        A dict is a ReLU network that works inside the page, without a kernel. A function takes
        pixels (1, 64) from 0 to 16 and returns probabilities (1, 10): a student's own.
    mean, spread : (64,)
        How the pixels are standardised before they go into a dict's network; by default not at all.
    examples : (M, 64), pixels of digits that can be put on the board, optional

    Raises
    ------
    ValueError
        Where a parameter of the network is missing or has another shape.
    """
    shared = {} if examples is None else {"examples": np.asarray(examples).astype(np.uint8)}
    if callable(network):
        return live("digit", lambda controls: {**shared, **_read(network, controls["pixels"])},
                    {"pixels": [0] * 64}, ALT)
    params = _checked(network)
    mean = np.zeros(64) if mean is None else np.asarray(mean, float)
    spread = np.ones(64) if spread is None else np.asarray(spread, float)
    alt, still = ALT, ""
    if examples is not None:
        probabilities = digit_probabilities((examples[:1] - mean) / spread, params)[0]
        alt = (f"{ALT} In the first example it reads a {probabilities.argmax()}, and gives it "
               f"{probabilities.max():.0%}.")
        still = _still(shared["examples"][0], probabilities)
    return recorded("digit", {**shared, "network": {
        **params, "mean": mean, "spread": spread, "H": len(params["b1"])}}, alt, 380, still)


def digit_probabilities(X: np.ndarray, params: dict[str, np.ndarray]) -> np.ndarray:
    """Return what the page computes: the probabilities (N, 10) of standardised pixels (N, 64)."""
    logits = np.maximum(0, X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _still(pixels, probabilities):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 2.6), layout="constrained")
    board, bars = figure.subplots(1, 2)
    board.imshow(pixels.reshape(8, 8), cmap="gray_r")
    board.set(xticks=[], yticks=[])
    bars.barh(np.arange(10), probabilities, color="#767676")
    bars.set(yticks=np.arange(10), xlim=(0, 1), xlabel="probability")
    bars.invert_yaxis()
    return figure


def _read(network, pixels):
    probabilities = np.asarray(network(np.array([pixels], dtype=float)), dtype=float)
    if probabilities.shape != (1, 10) or not np.isfinite(probabilities).all():
        raise ValueError(f"the network returned shape {probabilities.shape}; probabilities of "
                         "shape (1, 10), all finite, were wanted")
    return {"probabilities": probabilities[0]}


def _checked(params):
    shapes = {"W1": (64, None), "b1": (None,), "W2": (None, 10), "b2": (10,)}
    for name, shape in shapes.items():
        came = np.shape(params.get(name))
        if name not in params or len(came) != len(shape) or any(
                b not in (None, a) for a, b in zip(came, shape, strict=True)):
            raise ValueError(f"{name}: shape {came} came, {shape} was wanted")
    return {name: np.asarray(params[name], dtype=float) for name in shapes}
