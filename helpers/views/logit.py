"""Logits: what does one logit do to all probabilities?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from helpers.views.base import Live, Still, live, twin

RAISED = 2  # by so much, in the still twin
ALT = ("Bars for the probabilities of logits {z}, {p}; class {true} is the true one. From each bar "
       "to where it should end, at 1 for the true class and at 0 for the others, a gap: the "
       "gradient, {gradient}. With the first logit {raised} higher they are {later}.")


def logits(
    softmax: Callable[[np.ndarray], np.ndarray],
    cross_entropy: Callable[[np.ndarray, np.ndarray], float], z: Sequence[float], true: int = 0,
) -> Live | Still:
    """Return a view in which a logit is dragged: probabilities, the loss and its gradient.

    Parameters
    ----------
    softmax : the student's, from logits (N, K) to probabilities (N, K)
    cross_entropy : the student's, takes classes (N,) and probabilities
    z : the logits at first
    true : the true class at first
    """
    def respond(controls):
        return read(softmax, cross_entropy, np.array(controls["z"]) + controls["all"],
                    int(controls["true"]))

    start = {"z": [float(v) for v in z], "true": true, "all": 0}

    def pictured():
        states = [read(softmax, cross_entropy, np.array(z, float) + step * np.eye(len(z))[0], true)
                  for step in (0, RAISED)]
        return _said(start["z"], true, *states), _still(true, *states)

    alt, still = twin(pictured, "Bars for the probabilities of some logits.")
    return live("logit", respond, start, alt, still=still)


def read(softmax: Callable, cross_entropy: Callable, z: np.ndarray, true: int) -> dict:
    """Return probabilities and the gradient of the loss by the logits, as lists, and the loss.

    Raises
    ------
    ValueError
        Where what comes back is no number, or has another shape.
    """
    P = np.asarray(softmax(z[None].copy()), float)
    if P.shape != (1, len(z)):
        raise ValueError(f"softmax: shape {P.shape} came, (1, {len(z)}) was wanted")
    loss = float(cross_entropy(np.array([true]), P.copy()))
    if not np.isfinite([*P[0], loss]).all():
        raise ValueError(f"no numbers came back: probabilities {P[0]}, loss {loss}")
    return {"p": P[0].tolist(), "loss": loss, "gradient": (P[0] - np.eye(len(z))[true]).tolist()}


def _list(values):
    return ", ".join(f"{v:.3f}".replace("-", "−") for v in values)


def _said(z, true, now, then):
    return ALT.format(z=", ".join(f"{v:g}" for v in z).replace("-", "−"), p=_list(now["p"]),
                      true=true, gradient=_list(now["gradient"]), raised=RAISED,
                      later=_list(then["p"]))


def _still(true, *states):
    from matplotlib.figure import Figure

    from helpers import palette

    K = len(states[0]["p"])
    figure = Figure(figsize=(9, 0.6 + 0.5 * K), layout="constrained")
    titles = ("", f"the first logit {RAISED} higher: ")
    for ax, state, title in zip(figure.subplots(1, 2), states, titles, strict=True):
        for k, (p, g) in enumerate(zip(state["p"], state["gradient"], strict=True)):
            ax.barh(k, p, color=palette.EDGE)
            ax.barh(k, -g, left=p, height=0.35, hatch="//", color="white", alpha=0.8,
                    edgecolor=palette.POSITIVE if g > 0 else palette.NEGATIVE)
            ax.text(1.03, k, f"{p:.3f}, gradient {g:+.3f}".replace("-", "−"), va="center")
        ax.set(xlim=(0, 1.6), xticks=[0, 0.5, 1], title=f"{title}loss {state['loss']:.3f}")
        ax.set_yticks(range(K), [f"class {k}{' ✓' * (k == true)}" for k in range(K)])
        ax.invert_yaxis()
        ax.spines[["top", "right"]].set_visible(False)
    return figure
