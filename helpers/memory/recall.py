"""Five minutes of recall: one small question about a mistake of an earlier lesson, in one click."""

from __future__ import annotations

import hashlib
import re

from helpers.checks.catalogue import Mistake, mistakes, page
from helpers.checks.show import with_code
from helpers.memory import overview, store
from helpers.memory.predictions import Guess

FIXED = {  # lesson -> exercise and mistake that are asked for where none of the student's is kept
    "01": ("00-square", "doubled"),
    "02": ("01-numerical-gradient", "two-missing"),
    "03": ("02-hidden-delta", "bias-row-kept"),
    "04": ("03-output-delta", "extra-derivative"),
    "05": ("04-backprop", "bias-axis"),
    "06": ("05-softmax-delta", "N-missing"),
    "07": ("06-check-gradients", "one-sided"),
    "08": ("07-backward", "overwritten"),
    "09": ("08-evaluate", "not-divided-by-samples"),
    "10": ("09-initialise", "outputs-for-inputs"),
    "11": ("10-layer-norm", "over-the-batch"),
    "12": ("11-attention-back", "dv-not-transposed"),
}

UNSEEN = {"measured-not-derived"}  # does not show in a line


class Recall(Guess):
    """A question that is answered by the click itself; what was asked is kept."""

    kind, heading = "recall", "Recall"

    def __init__(self, lesson: str, case: dict):
        self.case = case
        super().__init__(lesson, case["question"], case["options"])

    def text(self) -> str:
        """Return the question, its options and the answer as plain text."""
        return f"{super().text()}\nThe answer: {self.case['truth']}\n{self.case['line']}"

    def _answer(self, controls: dict) -> dict:
        data = super()._answer(controls)
        if self.choice is not None and self.truth is None:
            self.truth, self.line = self.case["truth"], self.case["line"]
            self._keep()
        return {**data, "heading": self.heading, "truth": self.truth, "line": self.line}

    def _row(self, before: dict) -> dict:
        asked = before.get("asked", [])
        new = [] if asked[-1:] == [self.case["key"]] else [self.case["key"]]
        return {**super()._row(before), "asked": [*asked, *new]}

    def _page(self) -> str:
        answer = with_code(f"“{self.case['truth']}”. {self.case['line']}")
        return f"{super()._page()}<details><summary>The answer</summary><p>{answer}</p></details>"


def recall(lesson: str) -> Recall | None:
    """Ask one question about an earlier lesson: of your own mistakes, where some are remembered.

    Parameters
    ----------
    lesson : the number of the lesson that begins, such as ``"03"``
    """
    try:
        case = _next(lesson)
        return case and Recall(lesson, case)
    except Exception:  # it is a warm-up: whatever is the matter, the lesson goes on
        return None


def _next(lesson: str) -> dict | None:
    """Return what was asked least often: of the student's own mistakes, or else the fixed one."""
    kept = store.records("recall")
    asked = [key for row in kept.values() for key in row.get("asked", [])]
    last = kept.get(lesson, {}).get("asked", [])[-1:]
    own = [(exercise, mistake, count) for mistake, exercise, count, _ in overview.caught()
           if exercise[:2] < lesson]
    own.sort(key=lambda row: _place(lesson, *row[:2]))
    if lesson in FIXED:
        own.append(FIXED[lesson])
    cases = [make_case(*row) for row in own]
    return min(filter(None, cases), default=None, key=lambda case: (
        asked.count(case["key"]), [case["key"]] == last))


def make_case(exercise: str, mistake: str, count: int = 0) -> dict | None:
    """Return the question which line of a function makes a mistake, or None where none can tell.

    Parameters
    ----------
    exercise, mistake : by their ids
    count : how often the student has made it; 0 where it is nobody's
    """
    for _, name in (key for key in page(exercise[:2])[0] if key[0] == exercise):
        right = page(exercise[:2])[0][exercise, name][0].splitlines()
        lines = [(m, *line) for m in mistakes(exercise, name)
                 if m.edit and m.id not in UNSEEN
                 for line in _changed(right, m.source.splitlines())]
        chosen = next((row for row in lines if row[0].id == mistake), None)
        options = chosen and _options(chosen, lines, right)
        if options and len(options) > 2:
            often = f" {count} times" if count > 1 else ""
            whose = f"You made it there{often} and mended it." if count else ""
            return {"key": f"{exercise}/{mistake}", "options": options, "truth": chosen[2],
                    "question": _question(exercise[:2], name, chosen[0]),
                    "line": f"The right line is “{right[chosen[1]].strip()}”. It was in "
                            f"exercise {exercise}. {whose}".strip()}
    return None


def _changed(right: list[str], wrong: list[str]) -> list[tuple[int, str]]:
    """Return the one line in which a wrong function differs, with its number."""
    found = [(at, line.strip()) for at, line in enumerate(wrong)
             if len(wrong) == len(right) and line != right[at]]
    return found if len(found) == 1 and found[0][1] else []


def _options(chosen: tuple, lines: list[tuple], right: list[str]) -> list[str]:
    """Return the line with the mistake among others, those in its own place first."""
    mistake, at, text = chosen
    others = sorted((row for row in lines if row[0].id != mistake.id),
                    key=lambda row: (row[1] != at, _place(mistake.id, row[2])))
    same = [line for _, where, line in others if where == at]
    rest = [line for _, where, line in others if where != at]
    found = dict.fromkeys([text, *same, right[at].strip(), *rest])
    return sorted(list(found)[:4], key=lambda line: _place(mistake.id, line))


def _question(lesson: str, name: str, mistake: Mistake) -> str:
    said = mistake.message.replace(f"`{mistake.new}`", "`…`", 1)  # the rest says what is right
    card = re.sub(r"`|\*(?=\w+\*)|(?<=\w)\*(?!\w)", "", said[:1].upper() + said[1:])
    return f"For which of these lines of {name} (lesson {lesson}) would a check say: “{card}”"


def _place(*words: str) -> str:
    """Return where something stands in an order that looks drawn, and is the same everywhere."""
    return hashlib.sha256(" ".join(words).encode()).hexdigest()
