"""What the tests of the checks add up to, printed at the end of the run."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field


@dataclass
class Score:
    exercises: set = field(default_factory=set)
    mistakes: int = 0
    caught: int = 0
    named: int = 0
    right: int = 0
    false_accusations: int = 0
    garbage: int = 0
    mutants: int = 0
    pairs: int = 0
    survivors: int = 0
    nameless: int = 0
    placed: int = 0
    rightly_placed: int = 0
    slowest: tuple[float, str] = (0.0, "none")

    def timed(self, key: str, exercise, function):
        """Return the verdict on a function, and keep the time of the slowest."""
        exercise.cases()  # may import PyTorch, as a student's notebook has done before
        began = time.perf_counter()
        verdict = exercise.judge(function)
        self.slowest = max(self.slowest, (time.perf_counter() - began, key))
        return verdict

    def plain(self) -> dict:
        """Return the score as plain data, for `add`."""
        return asdict(self)

    def add(self, other: dict) -> None:
        """Add the score of another process."""
        for name, value in other.items():
            mine = getattr(self, name)
            if name == "exercises":
                setattr(self, name, mine | value)
            else:
                setattr(self, name, max(mine, value) if name == "slowest" else mine + value)

    def lines(self) -> list[str]:
        return [f"exercises {len(self.exercises)}", f"mistakes {self.mistakes}",
                f"caught {self.caught}", f"rightly named {self.named}",
                f"right answers accepted {self.right}",
                f"false accusations {self.false_accusations}",
                f"garbage answered {self.garbage}",
                f"mechanical mutants {self.mutants}",
                f"pairs of them {self.pairs}",
                f"survivors (all equivalent) {self.survivors}",
                f"mutants without a name {self.nameless}, placed {self.placed}, rightly placed "
                f"{self.rightly_placed}",
                f"slowest check that ends {self.slowest[0]:.1f} s ({self.slowest[1]})"]


SCORE = Score()
