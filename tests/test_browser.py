"""The course in a real browser, on a real JupyterLab that listens on 127.0.0.1 only.

Screenshots are kept where the variable COURSE_SCREENSHOTS says, or else in pytest's folder.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

import release

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed here"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None,
                       reason="the package playwright is not installed"),
]

WRONG = {
    "00-square": "def square(x):\n    return x * 2",
    "02-backprop": """def backprop(X_b, y, W1, W2):
    Z1, A1, Y_hat = forward(X_b, W1, W2)
    dZ2 = Y_hat - y
    dZ1 = hidden_delta(dZ2, W2, Z1)
    A1_b = np.column_stack([A1, np.ones(len(A1))])
    return X_b.T @ dZ1, A1_b.T @ dZ2""",
}


def prepare(folder):
    """Copy the notebooks untouched, solved, and solved with mistakes."""
    (folder / "untouched").mkdir()
    for path in (ROOT / "solutions").glob("*.ipynb"):
        notebook = release.exercises(nbformat.read(path, as_version=4))
        nbformat.write(notebook, folder / "untouched" / path.name)
    for kind in ("solved", "wrong"):
        shutil.copytree(ROOT / "solutions", folder / kind)
    for path in (folder / "wrong").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = WRONG.get(grade_id, cell.source)
        nbformat.write(notebook, path)


def wait_for(url):
    for _ in range(120):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"JupyterLab did not answer at {url}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start JupyterLab on a free port; yield the address of a notebook in it."""
    folder, settings = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("settings")
    prepare(folder)
    (settings / "overrides.json").write_text(json.dumps(
        {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1",
               f"--ServerApp.port={port}", f"--IdentityProvider.token={token}",
               f"--ServerApp.root_dir={folder}", f"--LabApp.app_settings_dir={settings}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={token}")
        yield lambda name: f"http://127.0.0.1:{port}/lab/tree/{name}?token={token}&reset"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=[
            "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 1100})
    page.set_default_timeout(60_000)
    yield page
    page.close()


@pytest.fixture
def shoot(tmp_path, request):
    folder = Path(os.environ.get("COURSE_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)

    def take(page, name):
        page.wait_for_timeout(400)
        path = folder / f"{name}.png"
        page.screenshot(path=path)
        assert path.stat().st_size > 10_000
    return take


def open_notebook(page, address):
    page.goto(address)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()


def run_all(page):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_an_untouched_exercise_waits_kindly(lab, page, shoot):
    open_notebook(page, lab("untouched/00_welcome.ipynb"))
    run_all(page)
    card = page.get_by_text("○ Not attempted · 00-square")
    card.last.scroll_into_view_if_needed()
    error = page.locator("[data-mime-type='application/vnd.jupyter.stderr'], "
                         "[data-mime-type='application/vnd.jupyter.error']").last
    assert error.inner_text().strip().splitlines() == [
        "NotAttempted: 00-square is waiting for your code"]
    shoot(page, "not_attempted")


def test_a_wrong_answer_gets_a_card_and_one_red_line(lab, page, shoot):
    open_notebook(page, lab("wrong/00_welcome.ipynb"))
    run_all(page)
    page.get_by_text("CheckFailed: 00-square").last.wait_for()
    card = page.get_by_text("✗ Not yet · 00-square").last
    card.scroll_into_view_if_needed()
    assert "Traceback" not in page.locator(".jp-Notebook").inner_text()
    assert "x * 2" in card.locator("xpath=..").text_content()
    colour = card.locator("xpath=..").evaluate("e => getComputedStyle(e).borderLeftColor")
    assert colour == "rgb(204, 51, 17)"
    shoot(page, "not_yet")


def test_a_wrong_gradient_is_told_by_its_name(lab, page, shoot):
    open_notebook(page, lab("wrong/02_backpropagation.ipynb"))
    run_all(page)
    page.get_by_text("CheckFailed: 02-backprop").last.wait_for()
    card = page.get_by_text("✗ Not yet · 02-backprop").last
    card.scroll_into_view_if_needed()
    assert "the rows of dW2 are in the wrong order" in card.locator("xpath=..").text_content()
    shoot(page, "wrong_gradient")


def test_a_right_answer_and_the_progress_are_shown(lab, page, shoot):
    open_notebook(page, lab("solved/00_welcome.ipynb"))
    run_all(page)
    page.get_by_text("1 of 1 exercises correct").last.wait_for()
    page.get_by_text("✓ Correct · 00-square").last.scroll_into_view_if_needed()
    shoot(page, "correct")


def test_hints_are_folded_and_open_with_their_formula(lab, page, shoot):
    open_notebook(page, lab("untouched/01_forward_pass.ipynb"))
    hint = page.locator("details", has_text="Hint 2: the formula").nth(1)
    hint.scroll_into_view_if_needed()
    assert hint.get_attribute("open") is None
    shoot(page, "hint_folded")
    hint.locator("summary").click()
    assert hint.get_attribute("open") is not None
    shoot(page, "hint_open")
    assert page.locator("mjx-container, .MathJax").count() > 0


def test_the_network_is_drawn_with_its_weights(lab, page, shoot):
    open_notebook(page, lab("solved/01_forward_pass.ipynb"))
    page.get_by_role("paragraph").filter(
        has_text="The picture shows the first person").scroll_into_view_if_needed()
    page.mouse.move(700, 600)
    page.mouse.wheel(0, 900)
    picture = page.locator(".jp-RenderedImage img").last
    picture.scroll_into_view_if_needed()
    shoot(page, "network")
    assert picture.evaluate("image => image.naturalWidth") > 500
