"""The ledger: NumPy beside PyTorch, a line a tensor. It asks nothing of PyTorch itself."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.torch_compare import ledger


class Tensor:
    """What a tensor is to the ledger."""

    def __init__(self, values):
        self.values = values

    def detach(self):
        return self.values


def lines(capsys, *arguments, **settings):
    ledger(*arguments, **settings)
    return capsys.readouterr().out.splitlines()


def test_a_pair_agrees_or_shows_by_how_much_it_does_not(capsys):
    W = np.arange(1.0, 7.0).reshape(2, 3)
    said = lines(capsys, {"loss": (3.0, Tensor(3.0)), "dW1": (W, Tensor(W + 1e-13)),
                          "dW2": (W, Tensor(W * 1.5)), "db1": (W, Tensor(W.T)),
                          "zero": (np.zeros(2), Tensor(np.zeros(2)))}, 1e-10)
    assert said == ["loss  number    ✓ agrees to 1e-10", "dW1   2 × 3     ✓ agrees to 1e-10",
                    "dW2   2 × 3     ✗ differs by 3.3e-01",
                    "db1   3 × 2     ✗ has another shape: (2, 3) beside (3, 2)",
                    "zero  2         ✓ agrees to 1e-10"]


def test_nan_never_agrees(capsys):
    assert "✗" in lines(capsys, {"dW1": (np.array([np.nan]), Tensor(np.ones(1)))}, 1e-10)[0]


def test_columns_are_each_held_against_the_last(capsys):
    W = np.ones((2, 3))
    said = lines(capsys, {"dW1": (W, 2 * W, Tensor(W)), "loss": (None, 1.0, Tensor(1.0)),
                          "db1": (W, W[0], Tensor(W[0]))}, 1e-10,
                 columns=("by hand", "own autograd", "PyTorch"))
    assert said[0].split() == ["shape", "by", "hand", "own", "autograd", "beside", "PyTorch,", "to",
                               "1e-10"]
    assert said[1:] == ["dW1   2 × 3     ✓         ✗ 1.0e+00", "loss  number    –         ✓",
                        "db1   3         ✗ (2, 3)  ✓"]
    assert said[0].index("own autograd") == said[1].index("✗ 1.0e+00")


@pytest.mark.parametrize("row", [(1.0,), (1.0, 2.0, 3.0), (1.0, None)])
def test_a_row_that_does_not_fit_is_named(row):
    with pytest.raises(ValueError, match="'dW1'"):
        ledger({"dW1": row}, 1e-10)
