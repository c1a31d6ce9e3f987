"""Two mistakes at once: known ones whose edits go together, or one a part of the result."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import numpy as np

from helpers.checks import catalogue
from helpers.checks.compare import right_values
from helpers.checks.gradient_report import looks_like
from helpers.checks.sandbox import Call, Guard, fresh, seen

TWO = "Two things at once, it seems:"  # how a card begins to name them
TWICE = "The same thing twice, it seems:"  # or one that has been made in two parts
VARIANTS = 3  # of a known mistake, that are tried together with others
UNCLEAR = {"constant-factor", "minus-constant-factor", "all-zero", "nearly-right"}


def find(evidence, known_call: Callable, seconds: float = 0.4) -> tuple[list[str], str] | None:
    """Return sentences and id where two mistakes at once come to the same in every case, or None.

    `known_call` works out what a known mistake comes to in a case.
    """
    if evidence.wrong.stage not in ("value", "finite", "shape") or any(
            call.error for call in evidence.calls):
        return None
    return Guard(3 * seconds).call(lambda: _Search(evidence, known_call, seconds).find(), ()).value


class _Search:
    """The search for two mistakes in one answer.

    Attributes
    ----------
    parts : (name, got, wanted) of each part of the result, by case
    wrong : the numbers of the parts that are wrong in some case
    order : the numbers of the cases, the one first that is told
    """

    def __init__(self, evidence, known_call, seconds):
        self.evidence, self.exercise, self.known_call = evidence, evidence.exercise, known_call
        self.stop = time.thread_time() + seconds
        self.parts = [evidence.parts(index) for index in range(len(evidence.calls))]
        self.wrong = {i for row in self.parts for i, (_, got, right) in enumerate(row)
                      if not self.same(got, right)}
        self.order = sorted(range(len(self.parts)), key=lambda index: index != evidence.at)

    def find(self):
        moved = self.exchanged()
        if moved:
            return [moved], "parts-exchanged"
        self.known = {mistake: values for mistake in self.exercise.mistakes
                      for values in [self.values(mistake, self.order[0])] if values}
        found = next(itertools.chain(self.by_parts(), self.by_factor(), self.together()), None)
        if found and found[0] == found[1]:
            return [f"{TWICE} {found[0]}"], next(
                mistake.id for mistake in self.known if mistake.message == found[0])
        return found and ([f"{TWO} {found[0]}", f"And apart from that: {found[1]}"],
                          "two-mistakes")

    def same(self, got, want):
        return got.shape == want.shape and right_values(got, want, self.exercise.rounding)

    def values(self, mistake, index):
        """Return the parts that a known mistake comes to in a case; None for an error."""
        call = self.known_call(self.exercise, mistake, index, self.evidence.cases[index])
        values = [] if call.error else [got for _, got, _ in self.evidence.parts(index, call)]
        return values if len(values) == len(self.parts[index]) else None

    def likeness(self, index, got, want):
        """Return (id, text) of what a part is beside another that is no matter of chance."""
        sizes = self.exercise.sizes(*self.evidence.cases[index])
        match = looks_like(got, want, sizes) if got.shape == want.shape else None
        return match if match and match[0] not in UNCLEAR else (None, "")

    def exchanged(self):
        """Say which parts of a result stand in each other's places, if nothing else is wrong."""
        orders = {tuple(next((j for j in (i, *range(len(row))) if self.same(got, row[j][2])), -1)
                        for i, (_, got, _) in enumerate(row)) for row in self.parts}
        order = orders.pop()
        if orders or sorted(order) != list(range(len(order))) or list(order) == sorted(order):
            return None
        names = [name for name, *_ in self.parts[0]]
        moved = [f"`{names[i]}` holds what belongs in `{names[j]}`"
                 for i, j in enumerate(order) if i != j]
        return f"All values are right, but not in their places: {'; '.join(moved[:4])}."

    def by_parts(self) -> Iterator[tuple[str, str]]:
        """Yield two mistakes of which each explains some parts of the result, and both all."""
        texts = {mistake: mistake.message for mistake in self.known if self.spares_others(mistake)}
        for i in self.wrong:
            name, got, right = self.parts[self.order[0]][i]
            match = self.likeness(self.order[0], got, right)
            texts |= {match[0]: f"`{name}` is {match[1]}."} if match[0] else {}
        explained = {cause: [self.explains(cause, self.order[0], i) for i in self.wrong]
                     for cause in texts}
        causes = [cause for cause in texts if any(explained[cause])]
        for pair in itertools.combinations(causes, 2):
            if all(map(any, zip(*map(explained.get, pair), strict=True))) and all(
                    any(self.explains(cause, index, i) for cause in pair)
                    for index in self.order for i in self.wrong):
                yield tuple(texts[cause] for cause in pair)

    def spares_others(self, mistake):
        """Whether a known mistake leaves right what it does not explain."""
        return all(self.same(its, right) or self.same(its, got) for its, (_, got, right) in zip(
            self.known[mistake], self.parts[self.order[0]], strict=True))

    def explains(self, cause, index, i):
        """Whether a part is right, or what a known mistake or a likeness makes of it."""
        _, got, right = self.parts[index][i]
        if self.same(got, right):
            return True
        if isinstance(cause, str):
            return self.likeness(index, got, right)[0] == cause
        values = self.values(cause, index)
        return bool(values) and self.same(got, values[i])

    def by_factor(self) -> Iterator[tuple[str, str]]:
        """Yield a known mistake and what the result looks like beside what that mistake gives."""
        for mistake in self.known:
            found = {}
            for index in self.order:
                values = self.values(mistake, index) or [np.array(np.nan)] * len(self.parts[index])
                for (name, got, _), its in zip(self.parts[index], values, strict=True):
                    if not self.same(got, its):
                        match = self.likeness(index, got, its)
                        found.setdefault(match[0], (name, match[1]))
                if None in found or len(found) != 1:
                    break
            else:
                name, text = next(iter(found.values()))
                text = text.replace("the right one", "what that gives")
                yield mistake.message, f"`{name}` is {text}."

    def together(self) -> Iterator[tuple[str, str]]:
        """Yield two known mistakes of which the edits, made both, come to what the answer does."""
        changes = {}
        for mistake, values in self.known.items():
            changed = {i for i, (_, _, right) in enumerate(self.parts[self.order[0]])
                       if not self.same(values[i], right)}
            if changed <= self.wrong:
                outcome = [f"{np.cos(np.arange(v.size)) @ v.ravel():.8e}" for v in values]
                changes.setdefault(mistake.id, {}).setdefault(str(outcome), (mistake, changed))
        rounds = itertools.zip_longest(*(of_one.values() for of_one in changes.values()))
        each = [pair for row in itertools.islice(rounds, VARIANTS) for pair in row if pair]
        for k, (other, b) in enumerate(each):
            for one, a in each[:k]:
                if time.thread_time() > self.stop:
                    return
                if one.id != other.id and a | b == self.wrong and self.is_both(one, other):
                    yield one.message, other.message

    def is_both(self, one, other):
        """Whether the edits of two mistakes, made both, come to what the answer does."""
        function = catalogue.both(self.exercise.id, self.exercise.name, one, other)
        return function and all(self.evidence.same(
            self.evidence.calls[index], self.outcome(function, index)) for index in self.order)

    def outcome(self, function, index):
        args = fresh(self.evidence.cases[index])
        try:
            return Call(seen(self.exercise.view, args, function(*args)))
        except Exception as error:
            return Call(error=error)
