"""Run a command of this package: ``python -m teach report FOLDER``."""

import importlib
import os
import sys


def main(command: str, *arguments: str) -> int:
    """Run a command in the folder that it was called from, and return its exit code."""
    os.chdir(os.environ.pop("COURSE_CALLED_FROM", os.curdir))
    return importlib.import_module(f"teach.{command}").main(list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
