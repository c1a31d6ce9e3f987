"""Compute `addition_runs.csv`: the transformer of lesson 12, trained from ten starts and wrongly.

Takes some three minutes, which is why lesson 12 reads the file:

    python data/addition_runs.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[1]))

from helpers.checks.catalogue import answer, page  # noqa: E402

CHARACTERS, HEADS, WIDTH, BATCH, STEPS = "0123456789+=", 4, 32, 64, 1000
KINDS = {"right": range(10), "leak": range(3), "gain": range(3), "momentum .1": range(3),
         "momentum .3": range(3)}
COLUMNS = "kind,seed,step,loss,exact,units,tens,hundreds"


def problems() -> np.ndarray:
    """Return the tokens of all 10,000 sums, (10000, 9): `95+27=221`, the answer backwards."""
    texts = (f"{a:02}+{b:02}=" + f"{a + b:03}"[::-1] for a in range(100) for b in range(100))
    return np.array([[CHARACTERS.index(c) for c in text] for text in texts])


def split() -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens of 9,000 sums for training, and of 1,000 that are held out."""
    order = np.random.default_rng(0).permutation(10_000)
    return problems()[order[1000:]], problems()[order[:1000]]


def start(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the first parameters, drawn in the order of the lesson."""
    d, V = WIDTH, len(CHARACTERS)
    shapes = {"E": (V, d), "P": (8, d), "Wq": (d, d), "Wk": (d, d), "Wv": (d, d), "Wo": (d, d),
              "W1": (d, 4 * d), "W2": (4 * d, d), "W3": (d, V)}
    params = {name: rng.normal(size=shape) * (0.1 if name in "EP" else shape[0] ** -0.5)
              for name, shape in shapes.items()}
    return params | {"b1": np.zeros(4 * d), "b2": np.zeros(d), "b3": np.zeros(V),
                     **{f"g{i}": np.ones(d) for i in (1, 2, 3)},
                     **{f"t{i}": np.zeros(d) for i in (1, 2, 3)}}


def rate_at(step: int, steps: int, peak: float = 5e-3) -> float:
    """Return the rate: 50 steps up to the peak, level, and in the second half down to 0."""
    return peak * min(1, (step + 1) / 50, 2 * (steps - step) / steps)


def one_ahead(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return O and A of attention with a mask that lets each position see the next one."""
    T = Q.shape[-2]
    S = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
    A = np.exp(np.where(np.tri(T, k=1, dtype=bool), S, -np.inf))
    A /= A.sum(axis=-1, keepdims=True)
    return A @ V, A


def scores(params: dict, ids: np.ndarray) -> list[float]:
    """Return the share of exact answers, then that of right digits: units, tens, hundreds."""
    right = answer("12-generate")(ids[:, :6], 3, params, HEADS)[:, 6:] == ids[:, 6:]
    return [right.all(axis=1).mean(), *right.mean(axis=0)]


def run(kind: str, seed: int, steps: int = STEPS, until: int | None = None) -> list[list]:
    """Return a row for every 50th step of one training, and for its end."""
    forward, backward = answer("12-model")
    train_ids, test_ids = split()
    rng, weights = np.random.default_rng(seed), np.zeros((BATCH, 8))
    weights[:, 5:] = 1
    params, rows = start(rng), []
    state = {"step": 0, "m": {k: 0 * W for k, W in params.items()},
             "v": {k: 0 * W for k, W in params.items()}}
    for step in range((until or steps) + 1):
        batch = train_ids[rng.integers(len(train_ids), size=BATCH)]
        logits, cache = forward(batch[:, :-1], params, HEADS)
        J, dlogits = answer("12-answer-loss")(logits, batch[:, 1:], weights)
        if step % 50 == 0:
            rows.append([kind, seed, step, J, *scores(params, test_ids)])
        grads = backward(batch[:, :-1], dlogits, params, cache)
        if kind == "gain":
            grads |= {f"g{i}": params[f"g{i}"] * grads[f"g{i}"] + params[f"t{i}"] * grads[f"t{i}"]
                      for i in (1, 2, 3)}
        if kind.startswith("momentum"):
            rate = rate_at(step, steps, float(kind.split()[1]))
            state["m"] = {k: 0.9 * state["m"][k] - rate * grads[k] for k in params}
            params = {k: params[k] + state["m"][k] for k in params}
        else:
            params, state = answer("12-adam")(params, grads, state, rate_at(step, steps))
    return rows


def main() -> None:
    """Write the file beside this one."""
    threadpool_limits(1)
    space, rows = page("12")[1], []
    causal = space["causal_attention"]
    for kind, seeds in KINDS.items():
        space["causal_attention"] = one_ahead if kind == "leak" else causal
        for seed in seeds:
            rows += run(kind, seed)
            print(*rows[-1])
    lines = [COLUMNS, *(",".join(v if isinstance(v, str) else f"{v:.4g}" for v in row)
                        for row in rows)]
    Path(__file__).with_suffix(".csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
