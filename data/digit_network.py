"""Compute `digit_network.csv`: the small network that reads drawn digits in lesson 00.

Takes some ten seconds:

    python data/digit_network.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import softmax
from sklearn.datasets import load_digits

H, EPOCHS, RATE, MOMENTUM, PENALTY, BATCH, TRAINING = 32, 300, 0.2, 0.9, 1e-4, 32, 1400


def shifted(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return digits (N, 64), each moved by up to one pixel in each direction."""
    padded = np.pad(X.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1)))
    rows, columns = rng.integers(0, 3, size=(2, len(X)))
    return np.stack([p[r:r + 8, c:c + 8] for p, r, c in zip(padded, rows, columns, strict=True)]
                    ).reshape(-1, 64)


def read(X: np.ndarray, params: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return A1 (N, H) and probabilities (N, 10) of digits (N, 64), grey levels 0 to 16."""
    A1 = np.maximum(0, X @ params["W1"] + params["b1"])
    return A1, softmax(A1 @ params["W2"] + params["b2"], axis=1)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return X (1797, 64) and y (1797,), shuffled: the first 1,400 are the training part."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(5).permutation(len(X))
    return X[order], y[order]


def train() -> tuple[dict[str, np.ndarray], float]:
    """Return the parameters, and the accuracy on the other digits."""
    X, y = digits()
    rng = np.random.default_rng(0)
    params = {"W1": rng.normal(size=(64, H)) * np.sqrt(2 / 64), "b1": np.zeros(H),
              "W2": rng.normal(size=(H, 10)) * np.sqrt(2 / H), "b2": np.zeros(10)}
    velocity = {name: 0 * W for name, W in params.items()}
    for epoch in range(EPOCHS):
        order = rng.permutation(TRAINING)
        moved = shifted(X[:TRAINING], rng) / 16
        for batch in np.split(order, range(BATCH, TRAINING, BATCH)):
            A1, delta = read(moved[batch], params)
            delta = (delta - np.eye(10)[y[batch]]) / len(batch)
            back = delta @ params["W2"].T * (A1 > 0)
            grads = {"W1": moved[batch].T @ back + PENALTY * params["W1"], "b1": back.sum(axis=0),
                     "W2": A1.T @ delta + PENALTY * params["W2"], "b2": delta.sum(axis=0)}
            for name in params:
                rate = RATE * (1 - epoch / EPOCHS)
                velocity[name] = MOMENTUM * velocity[name] - rate * grads[name]
                params[name] = params[name] + velocity[name]
    params["W1"] = params["W1"] / 16  # from here on for grey levels as they are
    right = read(X[TRAINING:], params)[1].argmax(axis=1) == y[TRAINING:]
    return params, float(right.mean())


def main() -> None:
    """Write the file beside this one: a row for each hidden unit, at last the output's biases."""
    params, accuracy = train()
    units = np.column_stack([params["b1"], params["W1"].T, params["W2"]])
    last = np.concatenate([np.zeros(65), params["b2"]])
    lines = [",".join(["b1", *(f"W1_{i}" for i in range(64)), *(f"W2_{k}" for k in range(10))])]
    lines += [",".join(f"{v:.3g}" for v in row) for row in (*units, last)]
    Path(__file__).with_suffix(".csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"reads {accuracy:.1%} of the digits that it was not trained on")


if __name__ == "__main__":
    main()
