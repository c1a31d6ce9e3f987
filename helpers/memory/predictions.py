"""A guess before a cell, and the truth under it once a cell has computed it: no score, no lock."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.checks.show import show_note, with_code
from helpers.memory import store
from helpers.memory.keep import NotKept

ASKED: dict[str, Guess] = {}  # name -> what was asked in this kernel


class Guess:
    """A question with a few options, and what the reader has chosen.

    It is clicked where the course remembers, and plain text elsewhere: under a grader, in the
    solutions, without widgets.
    """

    kind, heading = "predictions", "Predict"  # where it is kept, and what it is called

    def __init__(self, name: str, question: str, options: Sequence[str]):
        self.name, self.question, self.options = name, question, list(options)
        before = store.records(self.kind).get(name, {})
        known = before.get("choice") in self.options and before.get("question") == question
        self.choice, self.sure = (before["choice"], before.get("sure")) if known else (None, None)
        self.truth, self.line, self.view = None, "", None
        try:
            live = store.folder() is not None
        except (OSError, NotKept):
            live = False
        if live:
            from helpers.views.base import live as view
            self.view = view("predict", self._answer, {"choice": self.choice, "sure": self.sure},
                             self.text(), still=self._page())

    def text(self) -> str:
        """Return the question and its options as plain text."""
        return "\n".join([f"{self.heading}: {self.question}", *(f"  ○ {o}" for o in self.options)])

    def reveal(self, truth: str, line: str) -> None:
        """Put the truth under the guess."""
        self.truth, self.line = truth, line
        self._keep()
        if hasattr(self.view, "draw"):
            self.view.draw()

    def _answer(self, controls: dict) -> dict:
        changed = (controls["choice"], controls["sure"]) != (self.choice, self.sure)
        if changed and self.truth is None:
            self.choice, self.sure = controls["choice"], controls["sure"]
            self._keep()
        return {"question": self.question, "options": self.options, "truth": self.truth,
                "line": self.line, "choice": self.choice, "sure": self.sure}

    def _keep(self) -> None:
        if self.choice is not None:
            store.write_record(self.kind, self.name, self._row)

    def _row(self, before: dict) -> dict:
        return {"question": self.question, "options": self.options, "choice": self.choice,
                "sure": self.sure, "truth": self.truth}

    def _page(self) -> str:
        rows = "".join(f"<li>{with_code(option)}</li>" for option in self.options)
        return f"<p><b>{self.heading}:</b> {with_code(self.question)}</p><ul>{rows}</ul>"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        if self.view is not None:
            bundle = self.view._repr_mimebundle_()
            return {**bundle, "text/html": self._page()}
        return {"text/plain": self.text(), "text/html": self._page()}

    def __repr__(self) -> str:
        return self.text()


def predict(name: str, question: str, options: Sequence[str]) -> Guess:
    """Ask for a guess with one click; `reveal` shows the truth.

    Parameters
    ----------
    name : such as ``"02-angle"``; under it the guess is remembered
    question : one sentence
    options : three or four, each what somebody with a certain idea would say

    Raises
    ------
    ValueError
        Where there are not at least two different options.
    """
    if isinstance(options, str) or len(set(options)) < 2 or len(set(options)) < len(options):
        raise ValueError(f"options: at least two different ones were wanted, {options!r} came")
    ASKED[name] = Guess(name, question, options)
    return ASKED[name]


def advise(missed: dict[str, str], otherwise: str) -> None:
    """Say what to do about questions that were answered otherwise than they came out.

    Parameters
    ----------
    missed : name of a question -> what to do where it was missed, or not answered
    otherwise : what to do where none was
    """
    known = store.records("predictions")
    right = {name for name in missed if name in ASKED and ASKED[name].choice is not None
             and ASKED[name].choice == (ASKED[name].truth or known.get(name, {}).get("truth"))}
    lines = [advice for name, advice in missed.items() if name not in right]
    show_note("What to read before you go on", lines or [otherwise])


def reveal(name: str, truth: str, line: str) -> None:
    """Show what a question of `predict` has come to, here and under the guess.

    Parameters
    ----------
    name : as it was asked
    truth : the right option, as the cell has computed it; another text is shown as it is
    line : one sentence on what is easily overlooked
    """
    guess = ASKED.get(name)
    lines = [f"The truth: {truth}. {line}"]
    if guess is not None:
        guess.reveal(truth, line)
        sure = {True: " and were sure", False: " and were unsure"}.get(guess.sure, "")
        if guess.choice == truth:
            lines = [f"You said {truth}{sure}, and so it is. {line}"]
        elif guess.choice is not None:
            lines = [f"You said {guess.choice}{sure}. The truth: {truth}.",
                     f"What was overlooked? {line}"]
    show_note(f"Your prediction · {name}", lines)
