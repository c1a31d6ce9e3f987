"""The data of the course as plain arrays, read from the folder `data` or drawn."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import folder

if TYPE_CHECKING:
    import pandas as pd

DATA = folder("data")
INCOME_COLUMNS = ["", "Education", "Seniority", "Income"]
INCOME_ROWS = 30
INCOME_DIGEST = "cee84ed254e5bdc938db9699f26bfea27c6b1f4d27ef2231a67fcf7db2bdd231"
RUN_COLUMNS = ["iteration", "loss", "accuracy", *(f"W1_{i}{j}" for i in "01" for j in "012"),
               *(f"b1_{j}" for j in "012"), *(f"W2_{i}{j}" for i in "012" for j in "01"),
               "b2_0", "b2_1"]
RUN_ROWS = 240
RUN_DIGEST = "af61eddbf098df9744dd58a2626a35cf57b7750104012aa9ba2c9178533546e1"
WIDTHS_COLUMNS = ["units", "start", "step", "train_loss", "test_loss", "train_accuracy",
                  "test_accuracy"]
WIDTHS_ROWS = 210
WIDTHS_DIGEST = "2c782f14e4a8b27fa54a205868de2ff1499b8b3919ec772597e97b0eb5172125"
DEPTH_DIGEST = "117b7c127a397a90a148b8dbf3c8481f07a578f84238a4bece17850c23fa8b48"
ADDITION_DIGEST = "e213bdd5c80feeb15ffaa5afea4c8d007ef27b9a908ed639b619d1a41f27e4aa"
DIGIT_COLUMNS = ["b1", *(f"W1_{i}" for i in range(64)), *(f"W2_{k}" for k in range(10))]
DIGIT_ROWS = 33
DIGIT_DIGEST = "da594b46ed57a0e91997d1920db8a6d628862f0467698fcb3ab67a04a17b427c"


def income(path: str | Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the Income data: what thirty people earn, and what might explain it.

    Parameters
    ----------
    path : str or Path, optional
        Another copy of the file; by default ``data/income2.csv`` of the course.

    Returns
    -------
    X : (30, 2) float64
        Years of education; seniority (a score, without a unit).
    y : (30, 1) float64
        Income in thousands of dollars.

    Raises
    ------
    FileNotFoundError
        Where the file is not there.
    ValueError
        Where it is damaged: the message names the line, what stands there and what was wanted.

    Source
    ------
    "Income2", a simulated data set of G. James, D. Witten, T. Hastie and R. Tibshirani,
    *An Introduction to Statistical Learning*, Springer, 2013.
    """
    path = DATA / "income2.csv" if path is None else Path(path)
    table = _read_table(path, INCOME_COLUMNS, INCOME_ROWS, INCOME_DIGEST)
    return table[:, 1:3].copy(), table[:, 3:].copy()


def rings(
    N: int = 500, rng: np.random.RandomState | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return a disc inside a ring: two classes that no straight line separates.

    Parameters
    ----------
    N : int
        Number of points, even: the first half lies on the disc (radius 0 to 2.5), the second on
        the ring (radius 3.5 to 5).
    rng : np.random.RandomState, optional
        The legacy generator to draw from, by default a fresh one with seed 0; for each point in
        turn it draws the radius, then the angle. It is left where the next draw goes on.

    Returns
    -------
    X : (N, 2) float64
    y : (N, 1) float64
        1 on the disc, 0 on the ring.

    Raises
    ------
    ValueError
        Where N is not an even number from 2 up.

    Source
    ------
    The toy data of CSC321, tutorial 5, "Backpropagation"; with 500 points and seed 0 these are
    its points, in its order.
    """
    if N != int(N) or N < 2 or N % 2:
        raise ValueError(f"N: {N} came, an even number from 2 up was wanted")
    rng = np.random.RandomState(0) if rng is None else rng
    low = np.repeat([0.0, 3.5], int(N) // 2)
    high = np.repeat([2.5, 5.0], int(N) // 2)
    radius, angle = rng.uniform(np.column_stack([low, 0 * low]),
                                np.column_stack([high, 0 * high + 2 * np.pi])).T
    X = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return X, np.repeat([[1.0], [0.0]], int(N) // 2, axis=0)


def moons(N: int = 200, noise: float = 0.20, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return two half moons that reach into each other, as points with noise.

    Parameters
    ----------
    N : int
        Number of points, from 2 up; half of them in each class, in random order.
    noise : float
        Standard deviation of the noise in both directions; the moons have radius 1.
    seed : int
        Of the legacy generator that draws order and noise.

    Returns
    -------
    X : (N, 2) float64
    y : (N,) int64
        0 or 1.

    Raises
    ------
    ValueError
        Where N or noise does not fit.

    Source
    ------
    ``sklearn.datasets.make_moons``; the defaults are the data of the lesson that
    ``05_moons.ipynb`` is built on.
    """
    if N != int(N) or N < 2:
        raise ValueError(f"N: {N} came, a whole number from 2 up was wanted")
    if not noise >= 0:
        raise ValueError(f"noise: {noise} came, 0 or more was wanted")
    from sklearn.datasets import make_moons  # takes a second: only who wants moons waits for it

    X, y = make_moons(int(N), noise=noise, random_state=seed)
    return X, y.astype(np.int64)


def make_circles(
    N: int = 50_000, *, factor: float = 0.1, noise: float = 0.1,
    seed: int | np.random.RandomState = 42,
) -> tuple[np.ndarray, np.ndarray]:
    """Return two noisy circles around the origin, one inside the other; no line parts them.

    Parameters
    ----------
    N : int
        Number of points, from 2 up; half of them in each class, in random order.
    factor : float
        Radius of the inner circle, from 0 to below 1; the outer one has radius 1.
    noise : float
        Standard deviation of the noise in both directions.
    seed : int or RandomState
        Of the legacy generator that draws order and noise. A RandomState goes on where it stands:
        what is drawn from it afterwards is what a source draws that seeds once and goes on.

    Returns
    -------
    X : (N, 2) float64
    y : (N,) int64
        0 on the outer circle, 1 on the inner.

    Raises
    ------
    ValueError
        Where a number does not fit.

    Source
    ------
    ``sklearn.datasets.make_circles``; the defaults are the data of the lesson that
    ``06_circles.ipynb`` is built on.
    """
    if N != int(N) or N < 2:
        raise ValueError(f"N: {N} came, a whole number from 2 up was wanted")
    if not 0 <= factor < 1:
        raise ValueError(f"factor: {factor} came, a number from 0 to below 1 was wanted")
    if not noise >= 0:
        raise ValueError(f"noise: {noise} came, 0 or more was wanted")
    from sklearn.datasets import make_circles as circles  # takes a second

    X, y = circles(int(N), factor=factor, noise=noise, random_state=seed)
    return X, y.astype(np.int64)


def circles_full_batch(path: str | Path | None = None) -> list[dict]:
    """Return the record of a long training: the circles of lesson 06, all points in every step.

    Parameters
    ----------
    path : str or Path, optional
        Another copy of the file; by default ``data/circles_full_batch.csv`` of the course.

    Returns
    -------
    list of dict
        A row for each recorded iteration, from 0 (before the first step) to 50,000:
        ``iteration`` (int), ``loss`` and ``accuracy`` (float, on all 50,000 points) and ``params``
        (dict of ``W1`` (2, 3), ``b1`` (3,), ``W2`` (3, 2), ``b2`` (2,)).

    Raises
    ------
    FileNotFoundError, ValueError
        Where the file is not there or damaged.

    Source
    ------
    Computed by ``data/circles_full_batch.py``.
    """
    path = DATA / "circles_full_batch.csv" if path is None else Path(path)
    table = _read_table(path, RUN_COLUMNS, RUN_ROWS, RUN_DIGEST)
    ends = np.cumsum([6, 3, 6])
    rows = []
    for iteration, loss, accuracy, *weights in table.tolist():
        W1, b1, W2, b2 = np.split(np.array(weights), ends)
        rows.append({"iteration": int(iteration), "loss": loss, "accuracy": accuracy, "params": {
            "W1": W1.reshape(2, 3), "b1": b1, "W2": W2.reshape(3, 2), "b2": b2}})
    return rows


def moons_widths(path: str | Path | None = None) -> dict[str, np.ndarray]:
    """Return the record of 35 long trainings: the moons of lesson 05, seven widths, five starts.

    Parameters
    ----------
    path : str or Path, optional
        Another copy of the file; by default ``data/moons_widths.csv`` of the course.

    Returns
    -------
    dict of arrays (210,)
        A row for each recorded step of each training: ``units``, ``start`` and ``step`` (int),
        ``train_loss``, ``test_loss`` (mean cross-entropy, no penalty), ``train_accuracy`` and
        ``test_accuracy`` before that step.

    Raises
    ------
    FileNotFoundError, ValueError
        Where the file is not there or damaged.

    Source
    ------
    Computed by ``data/moons_widths.py``.
    """
    path = DATA / "moons_widths.csv" if path is None else Path(path)
    table = _read_table(path, WIDTHS_COLUMNS, WIDTHS_ROWS, WIDTHS_DIGEST)
    columns = dict(zip(WIDTHS_COLUMNS, table.T.copy(), strict=True))
    return columns | {name: columns[name].astype(int) for name in ("units", "start", "step")}


def depth_map(path: str | Path | None = None) -> pd.DataFrame:
    """Return what deep networks of lesson 10 reach after five epochs, a row for each training.

    Parameters
    ----------
    path : str or Path, optional
        Another copy of the file; by default ``data/depth_map.csv`` of the course.

    Returns
    -------
    DataFrame
        ``activation`` and ``start`` (of the weights), ``layers``, ``norm``, ``residual`` (0 or 1),
        ``rate`` and ``seed`` say which training; ``accuracy`` on the test digits and ``dead``, the
        share of hidden units that are 0 or less for every training digit, what came of it.

    Raises
    ------
    FileNotFoundError, ValueError
        Where the file is not there or damaged.

    Source
    ------
    Computed by ``data/depth_map.py``.
    """
    return _read_record(DATA / "depth_map.csv" if path is None else Path(path), DEPTH_DIGEST)


def addition_runs(path: str | Path | None = None) -> pd.DataFrame:
    """Return the trainings of the transformer of lesson 12, a row for every 50th step of each.

    Parameters
    ----------
    path : str or Path, optional
        Another copy of the file; by default ``data/addition_runs.csv`` of the course.

    Returns
    -------
    DataFrame
        ``kind`` (what was done), ``seed`` and ``step`` say when; ``loss`` on that step's batch,
        ``exact``, the share of right answers to held-out sums, and of right digits in them:
        ``units``, ``tens``, ``hundreds``.

    Raises
    ------
    FileNotFoundError, ValueError
        Where the file is not there or damaged.

    Source
    ------
    Computed by ``data/addition_runs.py``.
    """
    return _read_record(DATA / "addition_runs.csv" if path is None else Path(path), ADDITION_DIGEST)


def digit_network(path: str | Path | None = None) -> dict[str, np.ndarray]:
    """Return a small trained network that reads 8 × 8 pictures of digits, grey levels 0 to 16.

    Parameters
    ----------
    path : str or Path, optional
        Another copy of the file; by default ``data/digit_network.csv`` of the course.

    Returns
    -------
    dict
        ``W1`` (64, 32), ``b1`` (32,), ``W2`` (32, 10), ``b2`` (10,): one ReLU layer, then softmax.

    Raises
    ------
    FileNotFoundError, ValueError
        Where the file is not there or damaged.

    Source
    ------
    Computed by ``data/digit_network.py``.
    """
    path = DATA / "digit_network.csv" if path is None else Path(path)
    table = _read_table(path, DIGIT_COLUMNS, DIGIT_ROWS, DIGIT_DIGEST)
    b1, W1, W2 = np.split(table, [1, 65], axis=1)
    return {"W1": W1[:-1].T, "b1": b1[:-1, 0], "W2": W2[:-1], "b2": W2[-1]}


def _read_record(path: Path, digest: str) -> pd.DataFrame:
    """Return a csv file whose lines are those that came with the course."""
    import pandas as pd

    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there. {_way_back(path)}")
    lines = path.read_bytes().splitlines()
    if hashlib.sha256(b"\n".join(lines)).hexdigest() != digest:
        raise _damaged(path, "a line has changed", "the lines that came with the course")
    return pd.read_csv(path)


def _read_table(path: Path, columns: list[str], rows: int, digest: str) -> np.ndarray:
    """Return the numbers of a csv file with one header line, (rows, columns), or say what is wrong.

    `digest` is the SHA-256 of the numbers themselves (little-endian float64), not of the file:
    line ends and quotes may change on the way, a number may not.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there. {_way_back(path)}")
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path, "its text cannot be read", "a csv file in UTF-8") from error
    if not lines or lines[0] != columns:
        came = f"line 1 is {','.join(lines[0])!r}" if lines else "it is empty"
        raise _damaged(path, came, f"the column names {','.join(columns)!r}")
    table = np.array([_numbers(path, i, line, columns) for i, line in enumerate(lines[1:], 2)])
    if len(table) != rows:
        raise _damaged(path, f"it has {len(table)} rows under the names, the last on line "
                       f"{len(lines)}", f"{rows} rows, the last on line {rows + 1}")
    if hashlib.sha256(table.astype("<f8").tobytes()).hexdigest() != digest:
        raise _damaged(path, "every line can be read, but a number has changed",
                       "the numbers that came with the course")
    return table


def _numbers(path: Path, line: int, fields: list[str], columns: list[str]) -> list[float]:
    """Return the fields of one line as finite floats."""
    if len(fields) != len(columns):
        raise _damaged(path, f"line {line} has {len(fields)} fields", f"{len(columns)} fields")
    numbers = []
    for name, field in zip(columns, fields, strict=True):
        try:
            numbers.append(float(field))
        except ValueError:
            numbers.append(np.nan)
        if not np.isfinite(numbers[-1]):
            raise _damaged(path, f"line {line} has {field!r} under {name or 'the row number'!r}",
                           "a finite number")
    return numbers


def _damaged(path: Path, came: str, wanted: str) -> ValueError:
    return ValueError(f"{path} is damaged: {came}; wanted: {wanted}. {_way_back(path)}")


def _way_back(path: Path) -> str:
    return (f"To get it back, run `git checkout data/{path.name}` in the folder of the course, "
            "or download the course again.")
