"""The code is clean by the rules in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_ruff_finds_nothing():
    ruff = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "."],
                          cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert ruff.returncode == 0, ruff.stdout
