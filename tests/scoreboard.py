"""What the tests of the checks add up to, printed at the end of the run."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    survivors: int = 0

    def lines(self) -> list[str]:
        return [f"exercises {len(self.exercises)}", f"mistakes {self.mistakes}",
                f"caught {self.caught}", f"rightly named {self.named}",
                f"right answers accepted {self.right}",
                f"false accusations {self.false_accusations}",
                f"garbage answered {self.garbage}",
                f"mechanical mutants {self.mutants}",
                f"survivors (all equivalent) {self.survivors}"]


SCORE = Score()
