"""Measure what should be fast: `.venv/bin/python tests/benchmark.py`. No test depends on it."""

from __future__ import annotations

import importlib
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from answers import RIGHT
from nbclient import NotebookClient

from helpers.checks.exercise import exercises
from release import METADATA

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


LIVE = ("""
import numpy as np
from helpers import views
from helpers.checks.truth import income_network
from helpers.views import base

views.step_forward(income_network, np.array([0.5, 1.0]), np.ones((3, 2)), np.ones((3, 1)))
""", """
drawn = []

def train(controls):
    np.tanh(np.ones((500, 2)) @ np.ones((2, 8))).sum(axis=1)

def show(controls):
    drawn.append(1)
    return {"probabilities": np.full(10, 0.1), "map": np.zeros((8, 3600))}

playing = base.live("digit", show, {"pixels": [0] * 64, "playing": False}, "", work=train)
playing
""", """
import asyncio

def begin():
    playing.widget.controls = {**playing.widget.controls, "playing": True}

begun = asyncio.get_running_loop().call_later(3, begin)  # the page shows the view meanwhile
""", """
import gc, threading
import matplotlib.pyplot as plt
gc.collect()
memory = int(open("/proc/self/statm").read().split()[1]) * 4 // 1024
print(len(drawn), "frames,", memory, "MB,", threading.active_count(), "threads,",
      len(plt.get_fignums()), "figures")
""")
CHANGED = """async (view) => {
    const slider = view.querySelector("input"), picture = view.querySelector("svg").parentElement;
    const times = [];
    for (let i = 0; i < 60; i++) {
        const began = performance.now();
        const seen = new Promise((done) => { const watch = new MutationObserver(() => {
            watch.disconnect(); requestAnimationFrame(done); });
            watch.observe(picture, { childList: true, subtree: true }); });
        slider.value = i % 2 ? 1 : -1;
        slider.dispatchEvent(new Event("input"));
        await seen;
        times.push(performance.now() - began);
    }
    return times;
}"""


def views():
    """From a control to a changed picture, and frames while playing, in a real JupyterLab."""
    import tempfile

    from playwright.sync_api import sync_playwright
    from test_browser import CHROMIUM, open_notebook, run_all, served

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        notebook = nbformat.v4.new_notebook(metadata=METADATA, cells=[
            nbformat.v4.new_code_cell(source.strip()) for source in LIVE])
        nbformat.write(notebook, Path(one, "live.ipynb"))
        with served(one, Path(other)) as address, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=[
                "--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 1600})
            open_notebook(page, address("live.ipynb"))
            run_all(page)
            page.locator(".view").nth(1).wait_for()
            page.wait_for_timeout(5000)
            _report_frames(page)
            times = sorted(page.locator(".view").first.evaluate(CHANGED))
            browser.close()
    print(f"control to picture: median {statistics.median(times):.0f} ms, "
          f"95th percentile {times[int(0.95 * len(times))]:.0f} ms")


def _report_frames(page):
    """Run a cell while the view plays: how soon is it answered, what do 1,000 frames leave?"""
    out, frames, began = page.locator(".jp-OutputArea-output pre").last, [], time.perf_counter()
    while not frames or frames[-1] - frames[0] < 1000:
        before, asked = out.inner_text(), time.perf_counter()
        page.locator(".jp-CodeCell .jp-InputArea-editor").last.click()
        page.keyboard.press("Control+Enter")
        while out.inner_text() == before and time.perf_counter() < asked + 20:
            time.sleep(0.005)
        print(f"another cell meanwhile: answered in {1000 * (time.perf_counter() - asked):.0f} ms: "
              f"{out.inner_text().strip()}")
        frames.append(int(out.inner_text().split()[0]))
        began = began if len(frames) > 1 else time.perf_counter()
        page.wait_for_timeout(20_000)
    print(f"playing: {(frames[-1] - frames[0]) / (time.perf_counter() - 20 - began):.0f} "
          "frames a second")


def playground():
    pytest.main([str(ROOT / "tests" / "test_browser.py"), "-q", "-s", "-k", "how_fast"])


if __name__ == "__main__":
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Python {platform.python_version()}, {platform.machine()}{busy}")
    imports()
    checks()
    views()
    notebooks()
    playground()
