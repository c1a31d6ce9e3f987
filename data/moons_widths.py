"""Compute `moons_widths.csv`: networks of seven widths on the moons, trained for 10,000 steps.

Takes some two minutes, which is why lesson 05 reads the file:

    python data/moons_widths.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import log_softmax
from sklearn.datasets import make_moons

WIDTHS, STARTS, STEPS = (1, 2, 3, 4, 5, 20, 50), range(5), (0, 100, 300, 1000, 3000, 10_000)
RATE, REG = 1.0, 5e-5
COLUMNS = "units,start,step,train_loss,test_loss,train_accuracy,test_accuracy"


def points(N: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return X (N, 2) and y (N,): the moons of the lesson."""
    return make_moons(N, noise=0.2, random_state=np.random.RandomState(seed))


def start(H: int, seed: int) -> dict[str, np.ndarray]:
    """Return the initial parameters: normal draws, divided by the root of the fan-in."""
    rng = np.random.default_rng(seed)
    return {"W1": rng.normal(size=(2, H)) / np.sqrt(2), "b1": np.zeros(H),
            "W2": rng.normal(size=(H, 2)) / np.sqrt(H), "b2": np.zeros(2)}


def forward(X: np.ndarray, params: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return A1 (N, H) and the logarithms of the probabilities (N, 2)."""
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    return A1, log_softmax(A1 @ params["W2"] + params["b2"], axis=1)


def scores(params: dict, *sets: tuple[np.ndarray, np.ndarray]) -> list[float]:
    """Return the cross-entropy on each set, then the accuracy on each."""
    logs = [(forward(X, params)[1], y) for X, y in sets]
    return [*(float(-log_p[np.arange(len(y)), y].mean()) for log_p, y in logs),
            *(float((log_p.argmax(axis=1) == y).mean()) for log_p, y in logs)]


def run(H: int, seed: int, steps: int = STEPS[-1]) -> list[list[float]]:
    """Return a row for each recorded step of one training, its scores before that step."""
    training, test, params = points(200, 0), points(1000, 1), start(H, seed)
    (X, y), rows = training, []
    target = np.eye(2)[y]
    for step in range(steps + 1):
        if step in STEPS:
            rows.append([H, seed, step, *scores(params, training, test)])
        A1, log_p = forward(X, params)
        dZ2 = (np.exp(log_p) - target) / len(X)
        dZ1 = dZ2 @ params["W2"].T * (1 - A1**2)
        grads = {"W1": X.T @ dZ1 + REG * params["W1"], "b1": dZ1.sum(axis=0),
                 "W2": A1.T @ dZ2 + REG * params["W2"], "b2": dZ2.sum(axis=0)}
        params = {name: params[name] - RATE * grads[name] for name in params}
    return rows


def main() -> None:
    """Write the file beside this one."""
    rows = [row for H in WIDTHS for seed in STARTS for row in run(H, seed)]
    lines = [COLUMNS, *(",".join(f"{value:.6g}" for value in row) for row in rows)]
    Path(__file__).with_suffix(".csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
