"""Measure what should be fast: `.venv/bin/python tests/benchmark.py`. No test depends on it.

With names, only some of it: `tests/benchmark.py views`. Numbers are the seeds of `places`, which
draws mutants for the lines that are quoted: `tests/benchmark.py places 1 2 3`.
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
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
    unknown = {key: seconds(e.judge, lambda *args, key=key: _shifted(RIGHT[key][0](*args)))
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


def store():
    """Keep the answer that depends on most other pieces, in a folder that remembers."""
    from helpers.memory import answers, store
    exercise, before = "07-value-and-grad", os.getcwd()
    function, = answers.Loader().functions(answers.find_exercise(exercise), answers.SOLUTIONS)
    del function.kept_exercise  # as if it were written in this notebook
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.chdir(folder)
            Path("07.ipynb").touch()
            times = [seconds(store.remember, exercise, Passed, {"value_and_grad": function})
                     for _ in range(20)]
        finally:
            os.chdir(before)
    print(f"keeping an answer: {1000 * times[0]:.1f} ms, then {1000 * min(times):.1f} ms")


class Passed:
    outcome, mistake = "correct", None


def places(*seeds):
    """Draw mutants without a name, of one change or two; count the lines quoted, and the wrong."""
    from test_mutants import PLACES, quoted

    from helpers.checks import judge, two
    judge.PLACING, two.find = 0, lambda *args: None  # while they are drawn
    for seed in seeds or (time.time_ns() % 10**6,):
        for times in (1, 2):
            placed, wrong = quoted(seed, times)
            print(f"places, seed {seed}, changes {times}: {placed} of {PLACES} mutants have a "
                  f"line, {placed - len(wrong)} of them rightly", *wrong, sep="\n  ")


def notebooks():
    for path in sorted((ROOT / "solutions").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}})
        print(f"{path.name}: {seconds(client.execute):.1f} s, kernel start included")


LIVE = ("""
import numpy as np
from helpers import views
from helpers.checks.truth import income_network

views.step_forward(income_network, np.array([0.5, 1.0]), np.ones((3, 2)), np.ones((3, 1)))
""", """
playground = views.playground(views.your_functions(), points=500, units=8)
playground
""", """
import gc, threading, time
import matplotlib.pyplot as plt

def left():
    gc.collect()
    memory = int(open("/proc/self/statm").read().split()[1]) * 4 // 1024
    return f"{memory} MB, {threading.active_count()} threads, {len(plt.get_fignums())} figures"

runs = globals().get("runs", 0) + 1
print("answered", runs, left() if runs in (42, 103) else "")
""")
CHANGED = """async ([view, name, values]) => { // from a slider to the picture, in ms
    const slider = view.querySelector(name ? `input[aria-label="${name}"]` : "input"), times = [];
    for (const value of values) {
        const began = performance.now();
        const seen = new Promise((done) => { const watch = new MutationObserver(() => {
            watch.disconnect(); requestAnimationFrame(() => done()); });
            watch.observe(view.querySelector("svg"),
                { childList: true, subtree: true, attributes: true, characterData: true }); });
        slider.value = value;
        slider.dispatchEvent(new Event("input"));
        await seen;
        times.push(performance.now() - began);
    }
    return times;
}"""

ANSWER = """async () => { // run the last cell: ms to its output, of them the kernel's
    const cell = [...document.querySelectorAll(".jp-CodeCell")].at(-1), began = performance.now();
    const out = () => cell.querySelector(".jp-OutputArea-output pre")?.textContent ?? "";
    const { kernel } = jupyterapp.shell.currentWidget.sessionContext.session, before = out();
    let asked, answered;
    const hear = (_, { msg }) => {
        if (msg.header.msg_type === "execute_request") asked = performance.now();
        if (msg.header.msg_type === "stream") answered = performance.now();
    };
    kernel.anyMessage.connect(hear);
    jupyterapp.commands.execute("notebook:run-cell");
    while (["", before].includes(out())) await new Promise(requestAnimationFrame);
    kernel.anyMessage.disconnect(hear);
    return [performance.now() - began, answered - asked];
}"""


def views():
    """From a control to a changed picture, and frames while playing, in a real JupyterLab."""
    from playwright.sync_api import sync_playwright
    from test_browser import CHROMIUM, open_notebook, run_all, served, wait_for_rest

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        folder = Path(one, "work")
        shutil.copytree(ROOT / "solutions", folder)
        nbformat.write(nbformat.v4.new_notebook(metadata=METADATA, cells=[
            nbformat.v4.new_code_cell(source.strip()) for source in LIVE]), folder / "live.ipynb")
        with served(folder, Path(other)) as address, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=[
                "--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1280, "height": 1600})
            open_notebook(page, address("live.ipynb"))
            run_all(page)
            page.locator(".view").nth(1).wait_for()
            wait_for_rest(page)
            step, playground = (page.locator(".view").nth(i).element_handle() for i in (0, 1))
            _report("step_forward, a control", page.evaluate(
                CHANGED, [step, "", [1, -1] * 30]))
            _report("playground, 500 points and 8 units, a control", page.evaluate(
                CHANGED, [playground, "seed", [1, 2, 3, 4, 5] * 8]))
            _report_playing(page, playground)
            browser.close()


def _report(name, times):
    times = sorted(times)
    print(f"{name}: median {statistics.median(times):.0f} ms, 95th percentile "
          f"{times[int(0.95 * len(times))]:.0f} ms, at most {times[-1]:.0f} ms")


def _report_playing(page, playground):
    """Play: pictures a second, how soon another cell is answered, what 1,000 pictures leave."""
    def report_answers(name, n):
        times = []
        for _ in range(n):
            page.wait_for_timeout(50)
            times.append(page.evaluate(ANSWER))
        _report(name, [whole for whole, _ in times])
        _report(f"{name}, without JupyterLab's own part", [kernel for _, kernel in times])

    def report_left(name):
        page.evaluate(ANSWER)
        print(name, page.locator(".jp-OutputArea-output pre").last.inner_text().strip())

    page.locator(".jp-CodeCell .jp-InputArea-editor").last.click()
    report_answers("another cell, nothing playing", 40)
    report_left("before:")
    playground.evaluate("view => [...view.querySelectorAll('button')].find("
                        "(b) => b.textContent.includes('Play')).click()")
    page.wait_for_timeout(1000)
    begun, began = int(playground.get_attribute("data-frames")), time.perf_counter()
    page.wait_for_timeout(5000)
    frames = int(playground.get_attribute("data-frames")) - begun
    print(f"playing: {frames / (time.perf_counter() - began):.0f} pictures a second")
    report_answers("another cell while it plays", 60)
    while int(playground.get_attribute("data-frames")) < begun + 1000:
        page.wait_for_timeout(500)
    playground.evaluate("view => view.querySelector('button[aria-pressed=true]').click()")
    page.wait_for_timeout(500)
    report_left("after 1,000 pictures:")


if __name__ == "__main__":
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"Python {platform.python_version()}, {platform.machine()}{busy}")
    seeds = [int(word) for word in sys.argv[1:] if word.isdigit()]
    wanted = [word for word in sys.argv[1:] if not word.isdigit()] or [
        "imports", "checks", "store", "places", "views", "notebooks"]
    for name in wanted:
        globals()[name](*seeds if name == "places" else ())
