"""Attention: what does each position read, and when does it begin to?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from helpers.views.base import Recorded, recorded

MOMENTS = 4  # of the still twin


def attention(
    snapshots: Mapping[int, np.ndarray], tokens: Sequence[str],
    losses: Mapping[str, Sequence[float]] | None = None, *,
    exact: Mapping[str, Sequence[float]] | None = None, steps: Sequence[int] | None = None,
    rows: Sequence[str] | None = None, heads: Sequence[str] | None = None,
    captions: Sequence[str] | None = None, label: str = "step", log: bool = True,
    log_steps: bool = False,
) -> Recorded:
    """Return a slider over the attention maps of a training, with its curves and a marker.

    A row of a map is a query, the position where the answer is written; a column is a key, the
    position that is read. A cell that is 0 in every snapshot and head, behind a mask, is hatched.

    Parameters
    ----------
    snapshots : step -> A for one sequence, in order: (T, T), or (h, T, T) with several heads
    tokens : the T labels of the columns, and of the rows where `rows` is not given
    losses : name -> the loss at each step
    exact : name -> the share of exact answers at each step, from 0 to 1
    steps : the steps at which losses and shares were noted; by default 0, 1, 2, …
    rows : other labels of the rows: the tokens that are written there, say
    heads : their names; by default "head 1", "head 2", … where there are several
    captions : a sentence for each snapshot; by default its first loss and its first share
    label : what a step is called
    log, log_steps : a logarithmic axis of the loss, of the steps

    Raises
    ------
    ValueError
        Where no snapshot came, a map has another shape or leaves 0 to 1, or labels, names,
        captions, losses or shares are not as many as wanted.

    Examples
    --------
    >>> evenly, reverse = np.full((1, 3, 3), 1 / 3), np.eye(3)[None, ::-1]
    >>> attention({0: evenly, 50: reverse}, list("abc"), {"train": [1.1, 0.2]},
    ...           exact={"test": [0, 0.9]}, steps=[0, 50])  # doctest: +ELLIPSIS
    A slider over 2 moments of the training, from step 0 to 50: maps of what each position ... \
At first loss 1.1000, exact 0.0 %, at the end loss 0.2000, exact 90.0 %. There the rows in order \
give more than half to these columns (– to none): attention: 3 2 1.
    """
    maps = _maps(snapshots, len(tokens))
    count = maps.shape[1]
    names = heads or ([f"head {i + 1}" for i in range(count)] if count > 1 else ["attention"])
    charts = {"loss": losses or {}, "exact answers in %": {
        name: 100 * np.asarray(values, float) for name, values in (exact or {}).items()}}
    curves = [curve for chart in charts.values() for curve in chart.values()]
    at = np.arange(len(curves[0]) if curves else 1) if steps is None else np.asarray(steps, int)
    positions = [int(np.argmin(np.abs(at - step))) for step in snapshots]
    data = {"maps": np.rint(255 * maps).astype(np.uint8), "heads": list(map(str, names)),
            "tokens": list(map(str, tokens)), "positions": positions, "at": at,
            "rows": list(map(str, tokens if rows is None else rows)), "label": label,
            "masked": (maps == 0).all(axis=(0, 1)).astype(np.uint8).ravel(),
            "steps": [int(step) for step in snapshots], "log": log, "logSteps": log_steps,
            "captions": list(captions or (_caption(losses, exact, i) for i in positions)),
            "charts": [{"name": name, "curves": [
                {"name": one, "values": np.asarray(v, float)} for one, v in found.items()]}
                for name, found in charts.items() if found]}
    _counted(data, curves)
    return recorded("heads", data, _alt(data, maps[-1]), 480, _still(data, maps))


def _maps(snapshots, T):
    """Return the maps of all snapshots as one array (S, h, T, T)."""
    if not snapshots:
        raise ValueError("snapshots: none came, at least one was wanted")
    for step, A in snapshots.items():
        if np.ndim(A) not in (2, 3) or np.shape(A)[-2:] != (T, T):
            raise ValueError(f"snapshots[{step}]: shape {np.shape(A)} came, ({T}, {T}) or "
                             f"(heads, {T}, {T}) was wanted for {T} tokens")
    maps = np.stack([np.asarray(A, float).reshape(-1, T, T) for A in snapshots.values()])
    if not (maps >= 0).all() or maps.max() > 1 + 1e-9:
        raise ValueError("snapshots: attention is from 0 to 1, and other values came")
    return maps


def _caption(losses, exact, at):
    said = [f"loss {next(iter(losses.values()))[at]:.4f}"] if losses else []
    return ", ".join(said + (
        [f"exact {100 * next(iter(exact.values()))[at]:.1f} %"] if exact else []))


def _counted(data, curves):
    count, h, T, _ = data["maps"].shape
    for name, came, wanted in (("rows", data["rows"], T), ("heads", data["heads"], h),
                               ("captions", data["captions"], count),
                               *(("losses and exact", curve, len(data["at"])) for curve in curves)):
        if len(came) != wanted:
            raise ValueError(f"{name}: {len(came)} came, {wanted} were wanted")


def _alt(data, last):
    """Return what is to be seen: the curves' ends, and what each row reads most at the end."""
    def read(A):
        return " ".join(str(w.argmax() + 1) if w.max() > 0.5 else "–" for w in A)

    steps, captions = data["steps"], data["captions"]
    ends = "; ".join(f"{name}: {read(A)}" for name, A in zip(data["heads"], last, strict=True))
    return (f"A slider over {len(steps)} moments of the training, from {data['label']} {steps[0]} "
            f"to {steps[-1]}: maps of what each position (a row) reads (columns), for "
            f"{', '.join(data['heads'])}{'; curves with a marker' if data['charts'] else ''}. "
            f"At first {captions[0]}, at the end {captions[-1]}. "
            "There the rows in order give more than half to these columns (– to none): "
            f"{ends}.")


def _still(data, maps):
    """Return a few moments in a row, a row for each head, as a figure."""
    from matplotlib.figure import Figure

    from helpers import palette

    picked = np.unique(np.linspace(0, len(maps) - 1, MOMENTS).round().astype(int))
    count, T = maps.shape[1:3]
    side = (1.2 + 0.11 * min(T, 16)) * (1 if count < 3 else 0.75)
    figure = Figure(figsize=(side * len(picked) + 0.4, side * count + 0.4), layout="constrained")
    axes = figure.subplots(count, len(picked), squeeze=False)
    masked = data["masked"].reshape(T, T).astype(bool)
    for (head, column), ax in np.ndenumerate(axes):
        A = np.where(masked, np.nan, maps[picked[column], head])
        ax.imshow(A, cmap=palette.VALUES, vmin=0, vmax=1)
        ax.set_xticks(range(T), data["tokens"], fontsize=7)
        ax.set_yticks(range(T), data["rows"], fontsize=7)
        ax.tick_params(length=0)
        if head == 0:
            ax.set_title(f"{data['label']} {data['steps'][picked[column]]}", fontsize=9)
        if column == 0:
            ax.set_ylabel(f"{data['heads'][head]}\nwritten at", fontsize=8)
    for ax in axes[-1]:
        ax.set_xlabel("reads", fontsize=8)
    return figure
