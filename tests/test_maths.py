"""Every gradient formula that a notebook displays is held against numerical differences.

A displayed formula with a derivative in it must stand in `answers/formulas_NN.py`, word for word,
beside code that computes its right-hand side; a formula that is new or has changed fails here until
it does.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from answers import FORMULAS

SOLUTIONS = Path(__file__).parents[1] / "solutions"


def displayed():
    """Return (notebook, formula) of every displayed formula that holds a derivative."""
    found = []
    for path in sorted(SOLUTIONS.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                for formula in re.findall(r"\$\$(.+?)\$\$", cell.source, re.DOTALL):
                    if re.search(r"\\partial|\\frac\{d|'\(", formula):
                        found.append((path.name, " ".join(formula.split())))
    return found


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_displayed_gradient_is_what_differences_measure(formula):
    computed, measured = FORMULAS[formula]()
    assert np.allclose(computed, measured, rtol=1e-6, atol=1e-7)


def test_every_displayed_derivative_is_held_against_differences():
    shown = displayed()
    assert shown
    new = [row for row in shown if row[1] not in FORMULAS]
    assert not new, f"add to FORMULAS in tests/answers, with code for the right-hand side: {new}"
    assert set(FORMULAS) == {formula for _, formula in shown}
