"""Verdicts without searches; and the scoreboard, collected from the workers."""

from __future__ import annotations

import pytest
from scoreboard import SCORE

from helpers.checks import judge, two


@pytest.fixture
def names_only(monkeypatch):
    """Verdicts without the searches for a place, and for two mistakes at once."""
    monkeypatch.setattr(judge, "PLACING", 0)
    monkeypatch.setattr(two, "find", lambda *args: None)


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
