"""Answers that test the checks, a module a lesson.

Each `lesson_NN.py` holds `RIGHT` (exercise id → right answers, written differently from the
solution; a function of a group has the key ``"03-patterns/circle"``) and `WRONG` (rows of key,
wrong answer in a student's hand, id of the mistake it must be told or None) and, where mechanical
mutants of the solution are right answers too, `EQUIVALENT` (key → change → reason). Each
`formulas_NN.py` holds `FORMULAS` (a displayed formula with a derivative → a function that returns
its right-hand side and what differences measure).
"""

from __future__ import annotations

import importlib
from pathlib import Path


def _collect(kind, name):
    for path in sorted(Path(__file__).parent.glob(f"{kind}_*.py")):
        yield getattr(importlib.import_module(f"answers.{path.stem}"), name, {})


RIGHT = {key: answers for rows in _collect("lesson", "RIGHT") for key, answers in rows.items()}
WRONG = [row for rows in _collect("lesson", "WRONG") for row in rows]
FORMULAS = {formula: code for rows in _collect("formulas", "FORMULAS")
            for formula, code in rows.items()}
EQUIVALENT = {key: changes for rows in _collect("lesson", "EQUIVALENT")
              for key, changes in rows.items()}
