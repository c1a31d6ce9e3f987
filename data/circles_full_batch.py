"""Compute `circles_full_batch.csv`: the source's own training on circles, all 50,000 points a step.

Takes some six minutes, which is why lesson 06 reads the file:

    python data/circles_full_batch.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import expit, softmax
from sklearn.datasets import make_circles

ROWS = sorted({*range(21), *range(25, 200, 5), *range(200, 5900, 100), *range(5900, 6400, 10),
               *range(6400, 10_000, 100), *range(10_000, 50_001, 1000)})


def start() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return X (50000, 2), Y (50000, 2) one-hot and the weights that the source begins with.

    The source seeds NumPy's old generator with 42, makes the points, draws weights for its gradient
    check, and draws again for the training: the second draw counts.
    """
    rng = np.random.RandomState(42)
    X, y = make_circles(50_000, factor=0.1, noise=0.1, random_state=rng)
    for _ in range(2):
        params = {"W1": rng.randn(2, 3), "b1": rng.randn(3), "W2": rng.randn(3, 2),
                  "b2": rng.randn(2)}
    return X, np.eye(2)[y], params


def run(iterations: int, learning_rate: float = 5.0, mu: float = 0.5) -> list[tuple]:
    """Return (iteration, loss, accuracy, params) of every iteration, the last one included."""
    X, Y, params = start()
    velocity = {name: 0 * value for name, value in params.items()}
    rows = []
    for iteration in range(iterations + 1):
        A1 = expit(X @ params["W1"] + params["b1"])
        Y_hat = softmax(A1 @ params["W2"] + params["b2"], axis=1)
        loss = -np.log((Y_hat * Y).sum(axis=1)).mean()
        accuracy = (Y_hat.argmax(axis=1) == Y.argmax(axis=1)).mean()
        rows.append((iteration, loss, accuracy, params))
        dZ2 = (Y_hat - Y) / len(X)
        dZ1 = dZ2 @ params["W2"].T * A1 * (1 - A1)
        grads = {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}
        velocity = {k: mu * velocity[k] - learning_rate * grads[k] for k in params}
        params = {k: params[k] + velocity[k] for k in params}
    return rows


def main() -> None:
    """Write the file beside this one."""
    lines = ["iteration,loss,accuracy," + ",".join(
        [*(f"W1_{i}{j}" for i in range(2) for j in range(3)), *(f"b1_{j}" for j in range(3)),
         *(f"W2_{i}{j}" for i in range(3) for j in range(2)), *(f"b2_{j}" for j in range(2))])]
    for iteration, loss, accuracy, params in run(ROWS[-1]):
        if iteration in set(ROWS):
            numbers = [loss, accuracy, *np.concatenate([v.ravel() for v in params.values()])]
            lines.append(",".join([str(iteration), *(f"{v:.10g}" for v in numbers)]))
    path = Path(__file__).with_suffix(".csv")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
