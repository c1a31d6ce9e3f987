"""Run a command of this package: ``python -m teach report FOLDER``."""

import os
import sys

COMMANDS = ("report", "edition")


def main(arguments: list[str]) -> int:
    """Run a command in the folder that it was called from, and return its exit code."""
    command, *rest = arguments
    os.chdir(os.environ.pop("COURSE_CALLED_FROM", os.curdir))
    if command == "report":
        from teach.report import main as run
    else:
        from teach.edition import main as run
    return run(rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
