"""Sizes by layer: how large are gradients and activations, while the first weights are dragged?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.views.base import Recorded, recorded

SMALLEST = 1e-300  # what 0 is drawn as


def drag_spread(
    sizes: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]], factors: Sequence[float],
) -> Recorded:
    """Return a slider over first weights: the sizes of gradients and activations by layer.

    Parameters
    ----------
    sizes : activation -> for each factor the RMS of the activations (L-1,) and of the gradients
        (L,), as `norms_per_layer` returns them
    factors : the spread of the weights times √n, from small to large

    Raises
    ------
    ValueError
        Where an activation has not one pair for each factor.
    """
    for name, pairs in sizes.items():
        if len(pairs) != len(factors):
            raise ValueError(f"sizes[{name!r}]: {len(pairs)} came, {len(factors)} were wanted")
    begin = int(np.argmin(np.abs(np.log(np.asarray(factors, float)))))
    data = {"names": list(sizes), "factors": [float(f) for f in factors], "begin": begin}
    for part, which in (("signal", 0), ("gradient", 1)):
        data[part] = [np.log10(np.maximum([pair[which] for pair in pairs], SMALLEST))
                      for pairs in sizes.values()]
    alt = (f"A slider over the spread of the first weights, from {factors[0]:g} to {factors[-1]:g} "
           f"over √n, for {', '.join(sizes)}: the sizes of gradients and of activations in each "
           "layer, on logarithmic axes.")
    return recorded("layers", data, alt, height=400, still=_still(data))


def _still(data):
    """Return the last layer's activations and the first layer's gradient over the factors."""
    from matplotlib.figure import Figure

    from helpers import palette

    figure = Figure(figsize=(10, 3.4), layout="constrained")
    titles = {"gradient": "gradient of the first layer", "signal": "activations of the last layer"}
    for ax, (part, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for name, values, style in zip(data["names"], data[part], palette.CURVES, strict=False):
            at = 0 if part == "gradient" else -1
            ax.plot(data["factors"], 10.0 ** values[:, at], label=name, **style)
        ax.set(xscale="log", yscale="log", xlabel="spread · √n", ylabel="RMS", title=title)
        ax.set_xticks(data["factors"][::6], [f"{f:.2g}" for f in data["factors"][::6]])
        ax.minorticks_off()
        ax.legend(frameon=False)
    return figure
