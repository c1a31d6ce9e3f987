"""Kernels are forked; and the scoreboard, collected from the workers and printed at the end."""

from __future__ import annotations

import pytest
from kernels import fork_kernels
from scoreboard import SCORE

fork_kernels()


def pytest_sessionfinish(session):
    """Hand the score of a worker to the process that prints it."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["score"] = SCORE.plain()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Add the score that a worker has handed over."""
    SCORE.add(getattr(node, "workeroutput", {}).get("score", {}))


def pytest_terminal_summary(terminalreporter):
    """Print what the tests of the checks add up to."""
    if SCORE.mistakes:
        terminalreporter.section("scoreboard of the checks")
        terminalreporter.line(" · ".join(SCORE.lines()))
