"""Measure what should be fast: `.venv/bin/python tests/benchmark.py`. No test depends on it."""

from __future__ import annotations

import importlib
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from answers import RIGHT
from nbclient import NotebookClient

from helpers.checks.exercise import exercises

ROOT = Path(__file__).parents[1]
LESSONS = [path.name[:2] for path in sorted((ROOT / "solutions").glob("[0-9]*.ipynb"))]


def seconds(function, *args):
    began = time.perf_counter()
    function(*args)
    return time.perf_counter() - began


def python(code):
    subprocess.run([sys.executable, "-c", code], check=True)


def imports():
    bare = statistics.median(seconds(python, "pass") for _ in range(9))
    for module in ("helpers", "helpers.checks.lesson_02"):
        whole = statistics.median(seconds(python, f"import {module}") for _ in range(9))
        print(f"import {module}: {whole - bare:.3f} s over a bare Python ({bare:.3f} s)")


def checks():
    rows = {e.id if len(e.parts) == 1 else f"{e.id}/{part.name}": part for n in LESSONS
            for e in exercises(importlib.import_module(f"helpers.checks.lesson_{n}"))
            for part in e.parts}
    for part in rows.values():
        part.cases()  # may import PyTorch, as a student's notebook has done before
    right = {key: seconds(e.judge, RIGHT[key][0]) for key, e in rows.items()}
    unknown = {key: seconds(e.judge, lambda *args, e=e: _shifted(e.truth(*args)))
               for key, e in rows.items()}
    for name, times in (("right answers", right), ("wrong answers of no known kind", unknown)):
        slowest = max(times, key=times.get)
        print(f"check, {name}: median {statistics.median(times.values()):.3f} s, "
              f"slowest {times[slowest]:.3f} s ({slowest})")


def _shifted(value):
    if isinstance(value, tuple):
        return tuple(_shifted(v) for v in value)
    if isinstance(value, dict):
        return {k: _shifted(v) for k, v in value.items()}
    if isinstance(value, list):
        return [v + 0.001 for v in value]
    return ~value if str(getattr(value, "dtype", "")) == "bool" else value * 1.0 + 0.001


def notebooks():
    for path in sorted((ROOT / "solutions").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}})
        print(f"{path.name}: {seconds(client.execute):.1f} s, kernel start included")


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, {platform.machine()}")
    imports()
    checks()
    notebooks()
