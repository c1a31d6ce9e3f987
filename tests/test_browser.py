"""The course in a real browser, on a real JupyterLab that listens on 127.0.0.1 only.

Screenshots are made where the variable COURSE_SCREENSHOTS names a folder for them.
"""

from __future__ import annotations

import contextlib
import functools
import html
import importlib.util
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import numpy as np
import pytest
from jupyter_client.connect import LocalPortCache
from nbformat.sign import NotebookNotary

import installer
import release
from helpers import views
from helpers.checks.catalogue import mistakes
from helpers.checks.truth import income_network
from helpers.views import base

ROOT = Path(__file__).parents[1]
CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed here"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None,
                       reason="the package playwright is not installed"),
]

SIZE = {"width": 1280, "height": 1100}
READY = """() => { // what the page says of a kernel comes before its session does
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    return context?.isReady && context.session?.kernel?.status === "idle"; }"""
OPEN = """async (path) => {
    const app = window.jupyterapp;
    for (const one of [...app.shell.widgets("main")]) one.dispose();
    await app.serviceManager.sessions.shutdownAll();
    await app.commands.execute("docmanager:open", { path });
}"""
WRONG = {
    "00-square": "def square(x):\n    return x * 2",
    "02-backprop": """def backprop(X_b, y, W1, W2):
    Z1, A1, Y_hat = forward(X_b, W1, W2)
    dZ2 = Y_hat - y
    dZ1 = (dZ2 @ W2[1:].T) * sigmoid_prime(A1)
    return X_b.T @ dZ1, add_bias(A1).T @ dZ2""",
}


LIVE = ("""
import numpy as np
from helpers import views
from helpers.checks.truth import income_network
from helpers.views import base

def forward(X_b, W1, W2):
    if X_b[0, 1] > 4: return 1 / 0
    while X_b[0, 1] < -4: pass
    return [a * (np.nan if X_b[0, 2] > 4 else 1) for a in income_network(X_b, W1, W2)]

views.step_forward(forward, np.array([0.5, 1.0]), np.ones((3, 2)), np.ones((3, 1)),
                   names=["education", "age"])
""", """
def read(pixels):
    p = np.full((1, 10), 0.05)
    p[0, 7 if pixels.sum() else 3] = 0.55
    return p

views.draw_digit(read)
""", """
print("open:", sum(len(views) for _, views in base._OPEN.values()))
""")


MORE = ("""
import numpy as np
from helpers import views

views.loss_surface(lambda u, v: 1 + u * u + v * v, lambda u, v: (2 * u, 2 * v),
                   (-2, 2, -2, 2), (1, -1), names=("u", "v"), pictured=(0.3,))
""", """
from helpers.memory.answers import SKIPPED, SOLUTIONS, Loader, find_exercise

loader = Loader()
def solution(name):
    return loader.functions(find_exercise(name), SOLUTIONS, SKIPPED)

patterns = {one.__name__: one for one in solution("03-patterns")}
views.pattern_playground(patterns, *solution("03-forward"), *solution("03-backprop"),
                         *solution("03-log-loss"), data="circle")
""", """
def softmax(Z):
    return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)

views.logits(softmax, *solution("05-cross-entropy"), [2.0, 1.0, 0.0])
""", """
evenly = np.tril(np.ones((2, 5, 5)))
evenly /= evenly.sum(axis=-1, keepdims=True)
read = np.eye(5)[[0, 0, 0, 1, 2]]
views.attention({0: evenly, 10: evenly / 2 + [read / 2, np.eye(5) / 2],
                 20: np.stack([read, np.eye(5)])}, "ab=ba", {"loss": [1.6, 0.7, 0.01]},
                exact={"test": [0, 0.5, 1]}, steps=[0, 10, 20])
""")


def prepare(folder):
    """Copy the notebooks untouched, solved, and solved with mistakes; add one of live views."""
    (folder / "live").mkdir()
    for name, cells in (("live", LIVE), ("more", MORE), ("two", (MORE[0], MORE[-1]))):
        nbformat.write(nbformat.v4.new_notebook(metadata=release.METADATA, cells=[
            nbformat.v4.new_code_cell(source.strip()) for source in cells]),
            folder / f"live/{name}.ipynb")
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


LAB = f"""import runpy, sys
sys.path.append({str(ROOT / "tests")!r})
import kernels  # forked ones: no libraries are loaded anew, and PyTorch is not needed
kernels.forkserver.set_forkserver_preload(kernels.LIBRARIES[:-1])
runpy.run_module("jupyterlab", run_name="__main__")"""


@contextlib.contextmanager
def served(folder, settings, start=("-c", LAB), where="lab/tree"):
    """Start JupyterLab on a free port, with settings of its own; yield a notebook's address."""
    (settings / "overrides.json").write_text(json.dumps(installer.OVERRIDES))
    (settings / "jupyter_server_config.py").write_text(installer.SERVER_CONFIG)
    port = LocalPortCache.instance().find_available_port("127.0.0.1")  # tests/kernels.py has it
    token = secrets.token_hex(16)
    command = [sys.executable, *start, "--no-browser", "--ServerApp.ip=127.0.0.1",
               f"--ServerApp.port={port}", f"--IdentityProvider.token={token}",
               f"--ServerApp.root_dir={folder}", f"--LabServerApp.app_settings_dir={settings}",
               "--LabApp.expose_app_in_browser=True",
               "--JupyterNotebookApp.expose_app_in_browser=True"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              env={**os.environ, "JUPYTER_DATA_DIR": str(settings),
                                   "JUPYTER_CONFIG_DIR": str(settings),
                                   "JUPYTERLAB_SETTINGS_DIR": str(settings / "user")})
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={token}")
        yield lambda name: f"http://127.0.0.1:{port}/{where}/{name}?token={token}&reset"
    finally:
        server.terminate()
        server.wait(timeout=120)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    prepare(folder)
    return folder


@pytest.fixture(scope="module")
def lab(folder, tmp_path_factory):
    settings = tmp_path_factory.mktemp("settings")
    notary = NotebookNotary(data_dir=str(settings))  # what is opened in solved/ is trusted
    for path in (folder / "solved").glob("*.ipynb"):
        notary.sign(nbformat.read(path, as_version=4))
    with served(folder, settings) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=[
            "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def page(browser):
    """One window for all: JupyterLab is loaded once."""
    page = browser.new_page(viewport=SIZE)
    page.set_default_timeout(60_000)
    yield page
    page.close()


@pytest.fixture
def shoot():
    folder = os.environ.get("COURSE_SCREENSHOTS")

    def take(page, name):
        if folder:
            page.wait_for_timeout(150)
            page.screenshot(path=Path(folder, f"{name}.png"))
    return take


def open_notebook(page, address):
    """Open a notebook in a window, where it is the only one; its kernel has run nothing yet."""
    if page.url.split("/lab")[0] != address.split("/lab")[0] or page.locator(".jp-Dialog").count():
        page.goto(address)
    else:
        page.set_viewport_size(SIZE)
        page.evaluate(OPEN, address.split("/tree/")[1].split("?")[0])
    wait_until_ready(page)


def wait_until_ready(page):
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.wait_for_function(READY, polling=100)


def have_run(page, address):
    """Open a notebook and run it, or leave it open where an earlier test has done so."""
    if address.split("?")[0] != page.url.split("?")[0]:
        open_notebook(page, address)
        run_all(page)
        wait_for_rest(page)


def run_all(page):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def wait_for_rest(page):
    """Wait until Run All has ended: then the notebook takes the focus and shows another cell."""
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.wait_for_function("""() => ![...document.querySelectorAll(".jp-InputArea-prompt")].some(
        (prompt) => prompt.textContent.includes("*"))""", polling=100)
    page.wait_for_function("""() => new Promise((done) => {
        const place = () => document.querySelector(".jp-WindowedPanel-outer")?.scrollTop;
        const before = [document.activeElement, place()];
        setTimeout(() => done(document.activeElement === before[0] && place() === before[1]), 500);
    })""")


def test_an_untouched_exercise_waits_kindly_and_predictions_are_one_click(lab, page, shoot):
    open_notebook(page, lab("untouched/00_welcome.ipynb"))
    run_all(page)
    page.get_by_text("○ Not attempted · 00-square").last.scroll_into_view_if_needed()
    page.get_by_text("NotAttempted: 00-square is waiting for your code").last.wait_for()
    errors = page.locator("[data-mime-type='application/vnd.jupyter.stderr'], "
                          "[data-mime-type='application/vnd.jupyter.error']")
    assert [text.strip() for text in errors.all_text_contents() if text.strip()] == [
        "NotAttempted: 00-square is waiting for your code"]
    wait_for_rest(page)
    page.get_by_text("○ Not attempted · 00-square").last.scroll_into_view_if_needed()
    shoot(page, "not_attempted")
    page.get_by_text("Continue here").locator("a").click()
    stub = page.locator(".jp-CodeCell").filter(has_text="Return the square of each entry").last
    from playwright.sync_api import expect
    expect(stub).to_be_in_viewport(timeout=60_000)
    shoot(page, "continue_here")
    for text in ('predict("00-chain"', 'reveal("00-chain"'):
        cell = page.locator(".jp-CodeCell").filter(has_text=text).last
        cell.locator(".cm-content").click()
        page.keyboard.press("Control+Enter")
        if text.startswith("predict"):
            page.get_by_role("button", name="exp(2x)", exact=True).click()
            page.get_by_role("button", name="sure", exact=True).click()
    page.get_by_text("You said exp(2x) and were sure.").wait_for()
    page.get_by_text("What was overlooked? The outer slope").first.scroll_into_view_if_needed()
    shoot(page, "prediction")


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
    said = card.locator("xpath=..").text_content()
    assert "the derivative of the sigmoid is taken as sigmoid_prime(A1)" in said
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


# ---- views

@pytest.fixture
def watched(page):
    """A page on which nothing may go wrong, and from which nothing may leave this computer."""
    wrong = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("data:", "blob:", "about:"))
            or "//127.0.0.1:" in r.url else wrong.append(r.url))
    yield page
    assert wrong == []


def theme(page, view, name):
    page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', "
                  "{ theme: `JupyterLab ${name}` })", name)
    view.and_(page.locator(".view.dark" if name == "Dark" else ".view:not(.dark)")).wait_for()


WHOLE = """async (view) => { // nothing is cut off, once a frame has its height
    for (let i = 0; i < 20; i++) {
        const d = window.frameElement ? document.documentElement : view;
        if (d.scrollHeight <= d.clientHeight && d.scrollWidth <= d.clientWidth) return true;
        await new Promise((done) => setTimeout(done, 50));
    }
    return false;
}"""


def recorded(page, at=0):
    """Return a recorded view of a notebook that was only opened, and see that it is all shown."""
    frame = page.locator("iframe[srcdoc]").nth(at)
    frame.evaluate("e => e.scrollIntoView()")
    view = frame.content_frame.locator(".view")
    view.wait_for()
    assert frame.locator("xpath=following-sibling::div").is_hidden()  # the still twin
    assert view.evaluate(WHOLE)
    return view


def in_both_themes(page, shoot, view, name):
    """Take pictures; the text stands out from what is behind it in either theme."""
    contrast = """v => {
        const light = (c) => c.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + +b, 0) / 765;
        const face = getComputedStyle(v).getPropertyValue("--view-face");
        return Math.abs(light(getComputedStyle(v).color) - light(face)); }"""
    light = page.locator("body").get_attribute("data-jp-theme-light") == "true"
    for colours in ("Light", "Dark") if light else ("Dark", "Light"):  # to change costs a second
        theme(page, view, colours)
        view.evaluate("e => (window.frameElement ?? e).scrollIntoView()")
        shoot(page, f"view_{name}_{colours.lower()}")
        assert view.evaluate(contrast) > 0.5
    page.set_viewport_size({**SIZE, "width": 800})  # or a wider window at 150 %
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    page.wait_for_timeout(300)
    view.evaluate("e => (window.frameElement ?? e).scrollIntoView()")
    shoot(page, f"view_{name}_narrow")
    assert view.evaluate(WHOLE)
    page.evaluate("window.jupyterapp.shell.expandLeft()")
    page.set_viewport_size(SIZE)


def put(slider, value):
    slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }", value)


FITS = """view => { // what sticks out of the view, is cut off, lies on other text or is faint
    const seen = (e) => e.getBoundingClientRect().height && !e.closest(".said, style, option");
    const all = [...view.querySelectorAll("*")].filter(seen), box = view.getBoundingClientRect();
    const inside = (a, b) => a.left > b.left - 2 && a.right < b.right + 2
        && a.top > b.top - 2 && a.bottom < b.bottom + 2;
    const wrong = all.filter((e) => !e.closest("svg, pre > *") && !inside(
        e.getBoundingClientRect(), box)).map((e) => `sticks out: ${e.tagName} ${e.textContent}`);
    const pen = document.createElement("canvas").getContext("2d");
    const light = (colour) => {
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map(
            (v) => (v < 11 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05; };
    const face = light(getComputedStyle(view).getPropertyValue("--view-face"));
    const words = all.filter((e) => [...e.childNodes].some((n) => n.data?.trim().length > 1)
        && !e.closest(":disabled"));
    for (const e of words) {
        if ([...e.childNodes].some((n) => n.data?.includes("`"))) wrong.push(`raw: ${e.innerText}`);
        const style = getComputedStyle(e), ink = light(e.closest("svg") ? style.fill : style.color);
        const sample = /^[-— ]+$/.test(e.textContent); // of a line
        if (Math.max(ink, face) / Math.min(ink, face) < (sample ? 2 : 4.5)) {
            wrong.push(`faint: ${e.textContent}`);
        }
    }
    for (const picture of view.querySelectorAll("svg")) {
        const texts = [...picture.querySelectorAll("text")].filter((t) => t.textContent.trim());
        const boxes = texts.map((t) => t.getBoundingClientRect());
        texts.forEach((text, i) => {
            const a = boxes[i];
            if (!inside(a, picture.getBoundingClientRect())) {
                wrong.push(`cut off: ${text.textContent}`);
            }
            boxes.slice(0, i).forEach((b, j) => {
                if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
                    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4) {
                    wrong.push(`on each other: ${text.textContent}, ${texts[j].textContent}`);
                }
            });
        });
    }
    return wrong; }"""


def recorded_pages():
    """Return (name, page) of each recorded view of the lessons, with the code of today."""
    for path in sorted((ROOT / "solutions").glob("*.ipynb")):
        text = "".join(output.get("data", {}).get("text/html", "")
                       for cell in nbformat.read(path, as_version=4).cells
                       for output in cell.get("outputs", []))
        for number, page in enumerate(re.findall("srcdoc='([^']*)'", base.renewed(text))):
            yield f"{path.stem} {number}", html.unescape(page)


@functools.cache
def live_pages():
    """Return (name, page) of each live view, as it is when it is begun."""
    x, W1, W2 = np.array([0.5, 1.0]), np.ones((3, 2)), np.ones((3, 1))
    guess = views.sketch([1, 2, 4, 8, 16], xlabel="hidden units", ylabel="accuracy", low=0, high=1)
    made = {"forward": views.step_forward(income_network, x, W1, W2, names=["education", "age"]),
            "surface": views.loss_surface(
                lambda u, v: 1 + u * u + v * v, lambda u, v: (2 * u, 2 * v), (-2, 2, -2, 2),
                (1, -1), names=("W1[0, 1]", "W2[1, 0]"), pictured=(0.3,)),
            "predict": base.live("predict", lambda controls: {
                "question": "Which of the two learns faster at first, and which of them is better "
                            "in the end?", "options": ["the wide one", "the deep one", "neither"],
                "choice": "neither", "sure": None, "truth": "the deep one",
                "line": "Of `a = b` no copy is made."}, {"choice": "neither"}, ""),
            "playground": views.playground({}), "short": views.playground({}, short=True),
            "guess": guess.view, "logits": views.logits(
                lambda Z: np.exp(Z) / np.exp(Z).sum(), lambda y, P: -np.log(P[0, y[0]]), [2, 1, 0])}
    files = {"forward": "step", "short": "play", "playground": "play", "logits": "logit"}
    pages = [("revealed", guess.reveal([0.5, 0.6, 0.7, 0.8, 0.9]).page())]
    for name, view in made.items():
        page = base.Recorded(files.get(name, name), view.widget.data, "", 1).page()
        pages.append((name, page.replace("live: false", "live: true").replace(
            "data.controls ?? {}", json.dumps(view.widget.controls))))
    return pages


@pytest.mark.parametrize("pages", [recorded_pages, live_pages])
@pytest.mark.parametrize("face, width", [("white", 336), ("#111", 584)])
def test_every_view_fits_a_narrow_page_and_can_be_read(browser, pages, face, width):
    """As on a telephone, and in a window 800 pixels wide, or 1280 at 150 %."""
    page = browser.new_page(viewport={"width": width, "height": 1100}, device_scale_factor=1.5)
    page.set_default_timeout(10_000)
    wrong, errors = {}, []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name, code in pages():
        page.set_content(code.replace("<body>", f'<body style="background: {face}">'))
        view = page.locator(".view")
        view.wait_for()
        for end in ("Home", "End"):
            for one in view.locator("input[type=range]").all()[:2]:
                one.press(end)
            wrong[name, end] = view.evaluate(FITS)
    page.close()
    assert errors == []
    assert {name: what for name, what in wrong.items() if what} == {}


def test_where_scripts_are_not_trusted_the_still_twin_stands(lab, watched, shoot):
    open_notebook(watched, lab("wrong/06_circles.ipynb"))
    twin = watched.get_by_text("A slider over 37 moments of the training")
    twin.evaluate("e => e.scrollIntoView()")
    picture = twin.locator("xpath=following-sibling::img")
    assert picture.evaluate("image => image.naturalWidth") > 500
    assert "the decision map" in picture.get_attribute("alt")
    shoot(watched, "view_still")


def test_a_chain_and_a_network_are_stepped_through(lab, watched, shoot):
    open_notebook(watched, lab("solved/02_backpropagation.ipynb"))
    chain = recorded(watched)
    chain.get_by_text("Step ▸").click()
    assert "a = 1.44" in chain.inner_text()
    chain.get_by_label("x", exact=True).select_option("0")
    chain.get_by_label("step").press("End")
    assert "✓ the same" in chain.inner_text()
    in_both_themes(watched, shoot, chain, "chain")
    network = recorded(watched, 1)
    network.get_by_text("Step ▸").focus()
    for _ in range(8):
        watched.keyboard.press("ArrowRight")
    assert "back: δ of unit 2" in network.inner_text()
    watched.keyboard.press("ArrowLeft")
    assert "back: δ of unit 1" in network.inner_text()
    network.get_by_label("sample").select_option("2")
    network.get_by_label("step").press("End")
    edge = network.locator("g[aria-label^='from bias to unit 2']")
    edge.focus()
    assert "gradient of the weight from bias to unit 2" in network.inner_text()
    assert "gradient" in edge.get_attribute("aria-label")
    in_both_themes(watched, shoot, network, "step")


def test_a_training_is_scrubbed_and_played(lab, watched, shoot):
    open_notebook(watched, lab("solved/06_circles.ipynb"))
    view = recorded(watched)
    picture = view.locator("canvas").first
    seen = picture.evaluate("c => c.toDataURL()")
    view.get_by_label("iteration", exact=True).press("End")
    assert "iteration 50000: 100.0 % right" in view.inner_text()
    assert picture.evaluate("c => c.toDataURL()") != seen
    put(view.get_by_label("iteration", exact=True), 25)
    in_both_themes(watched, shoot, view, "scrub")
    put(view.get_by_label("iteration", exact=True), 0)
    view.get_by_label("speed").select_option("fast")
    view.get_by_text("Play").click()
    view.get_by_text("iteration 50000:").wait_for()
    view.get_by_label("speed").select_option("slow")
    view.get_by_text("Play").click()
    view.get_by_text("Pause").click()
    assert view.get_by_text("Play").is_visible()
    assert "iteration 50000:" not in view.locator("p.number").first.inner_text()


@pytest.mark.parametrize("name, notebook", [("digit", "00_welcome"), ("own_digit", "09_digits")])
def test_a_digit_is_drawn_and_read(lab, watched, shoot, name, notebook):
    open_notebook(watched, lab(f"solved/{notebook}.ipynb"))
    view = recorded(watched)
    said = view.locator("p.number")
    assert said.inner_text().startswith("Even on an empty board it reads a ")
    view.get_by_text("A digit from the data").click()
    told = watched.locator("iframe[srcdoc]").first.get_attribute("title")
    digit, share = told.split("In the first example it reads a ")[1].rstrip("%.").split(
        ", and gives it ")
    assert said.inner_text() == f"It reads a {digit}, and gives it {share} %."
    in_both_themes(watched, shoot, view, name)
    view.get_by_text("Clear").click()
    board = view.get_by_role("application")
    board.focus()
    for key in ("ArrowRight", "ArrowDown", "Space"):
        watched.keyboard.press(key)
    assert said.inner_text().startswith("It reads a ")
    watched.keyboard.press("Delete")
    box = board.bounding_box()
    for move in ("move", "down"):
        getattr(watched.mouse, move)(*((box["x"] + 130, box["y"] + 20) if move == "move" else ()))
    watched.mouse.move(box["x"] + 130, box["y"] + 220, steps=12)
    watched.mouse.up()
    dark = board.locator("rect").evaluate_all("all => all.filter(r => !/ 0%/.test("
                                              "r.getAttribute('fill') ?? '')).length")
    assert dark > 16


def test_a_dot_and_eps_are_moved_and_the_slope_follows(lab, watched, shoot):
    open_notebook(watched, lab("solved/01_forward_pass.ipynb"))
    slope = recorded(watched)
    assert "x = 2, eps" in slope.inner_text()
    eps = slope.get_by_label("eps", exact=True)
    eps.press("Home")
    assert "measured 13, by the rule 12" in slope.inner_text()
    eps.press("End")
    assert "measured 13" not in slope.inner_text()
    slope.locator("svg[aria-label='f(x) over x']").click(position={"x": 110, "y": 120})
    assert not slope.locator("p.number").inner_text().startswith("x = 2,")
    in_both_themes(watched, shoot, slope, "slope")


def test_a_descent_starts_where_one_clicks(lab, watched, shoot):
    have_run(watched, lab("live/more.ipynb"))
    view = watched.get_by_role("group", name="Loss surface")
    words = view.locator("p.number")
    words.get_by_text("From u 1, v −1: at rate 3 the loss goes from 3 to 51").wait_for()
    put(view.get_by_label("rate", exact=True), 1)
    words.get_by_text("at rate 0.3 the loss goes from 3 to 1.32, and ends at 1, 1").wait_for()
    view.get_by_role("application").click(position={"x": 225, "y": 150})
    words.get_by_text(re.compile(r"From u (1|1\.0\d+|0\.99\d*), v −?0(\.0\d+)?: at")).wait_for()
    view.get_by_role("application").press("ArrowUp")
    words.get_by_text(re.compile(r"v 0\.(1|09)\d*: at rate 0.3")).wait_for()
    in_both_themes(watched, shoot, view, "surface")


def test_the_patterns_train_beside_a_mistake(lab, watched, shoot):
    have_run(watched, lab("live/more.ipynb"))
    view = watched.get_by_role("group", name="Playground")
    view.evaluate("e => e.scrollIntoView()")
    for label, value in (("data", "diamond"), ("train a mistake", "not-divided")):
        changes(watched, view, lambda label=label, value=value: view.get_by_label(
            label).select_option(value))
    changes(watched, view, lambda: put(view.get_by_label("hidden units", exact=True), 5))
    view.get_by_role("button", name="▶ Play").press("Enter")
    view.get_by_text(re.compile(r"^step \d{2,}$")).wait_for()
    view.get_by_role("button", name="Pause").press("Enter")
    changes(watched, view, lambda: view.get_by_role("button", name="Show me the code").click())
    assert 'patterns["diamond"]' in view.locator("pre").text_content()
    assert view.get_by_role("img", name="decision map").count() == 2
    in_both_themes(watched, shoot, view, "patterns")


def test_a_logit_is_dragged_and_all_probabilities_move(lab, watched, shoot):
    have_run(watched, lab("live/more.ipynb"))
    view = watched.get_by_role("group", name="Logits and probabilities")
    view.evaluate("e => e.scrollIntoView()")
    words = view.locator("p.number")
    put(view.get_by_label("logit 0"), 4)
    for name in ("class 0, the true one: p 0.936, gradient −0.064", "class 1: p 0.047, gradient"):
        view.get_by_role("img", name=name).wait_for()
    view.get_by_label("true class").select_option("2")
    words.get_by_text("Loss 4.066, minus the logarithm of 0.017.").wait_for()
    put(view.get_by_label("added to all logits"), 5)  # ten
    view.get_by_label("logit 2").press("End")
    view.get_by_role("img", name="class 2, the true one: p 0.997").wait_for()
    put(view.get_by_label("added to all logits"), 6)  # a thousand
    view.locator(".error", has_text="no numbers came back").wait_for()
    put(view.get_by_label("added to all logits"), 3)
    view.locator(".error").wait_for(state="hidden")
    put(view.get_by_label("logit 2"), 2)
    view.get_by_role("img", name="class 2, the true one: p 0.114").wait_for()
    in_both_themes(watched, shoot, view, "logits")


def test_attention_is_scrubbed_and_its_cells_are_read(lab, watched, shoot):
    have_run(watched, lab("live/more.ipynb"))
    view = recorded(watched)
    view.get_by_label("step", exact=True).press("ArrowRight")
    assert "step 10: loss 0.7000, exact 50.0 %" in view.inner_text()
    view.get_by_role("application").first.press("ArrowDown")
    assert "position 2 (b) reads position 1 (a): head 1 0.75, head 2 0.25" in view.inner_text()
    view.get_by_role("application").first.press("ArrowRight")
    view.get_by_role("application").last.press("ArrowRight")
    assert "position 2 (b) reads position 3 (=): never" in view.inner_text()
    view.get_by_text("Play").click()
    view.get_by_text("step 20:").wait_for()
    in_both_themes(watched, shoot, view, "attention")


def test_on_the_next_day_views_show_what_they_showed_and_say_that_nobody_answers(
        lab, page, shoot):
    have_run(page, lab("live/more.ipynb"))
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    open_notebook(page, lab("live/more.ipynb"))  # with a new kernel
    view = page.get_by_role("group", name="Loss surface")
    view.wait_for()
    silence = page.get_by_text("The kernel does not answer.").first
    assert silence.is_hidden()
    put(view.get_by_label("rate", exact=True), 2)
    page.get_by_text("The kernel does not answer.").locator("visible=true").wait_for()
    shoot(page, "view_of_yesterday")


def test_a_graph_shows_who_passes_on_too_early(lab, watched, shoot):
    open_notebook(watched, lab("solved/07_autograd.ipynb"))
    view = recorded(watched)
    graphs, step = view.locator("select"), view.get_by_label("step")

    def early(name):
        """Show a graph at the moment at which a node passes on too early; is there one?"""
        graphs.select_option(name)
        return step.evaluate("""step => [...Array(+step.max + 1).keys()].some((i) => {
            step.value = i;
            step.dispatchEvent(new Event("input"));
            return step.closest(".view").innerText.includes("too early"); })""")

    right, *bugs = graphs.locator("option").all_inner_texts()
    assert not early(right) and any(early(bug) for bug in bugs)
    in_both_themes(watched, shoot, view, "graph")


def test_weights_are_moved_on_the_students_own_function(lab, watched, shoot):
    have_run(watched, lab("live/live.ipynb"))
    view = watched.get_by_role("group", name="Step through a network")
    view.evaluate("e => e.scrollIntoView()")
    picture = view.locator("svg").first
    edge = view.locator("g[aria-label^='from bias to ŷ']")
    edge.focus()
    shows_anew(picture, lambda: put(view.get_by_label("education", exact=True), 2))
    watched.keyboard.press("Enter")  # the edge has kept the focus
    weight = view.get_by_label("weight from bias to ŷ")
    shows_anew(picture, lambda: weight.press("ArrowRight"))
    for key in ("ArrowLeft", "ArrowRight", "ArrowUp"):  # they are the slider's, not the notebook's
        shows_anew(picture, lambda key=key: view.get_by_label("education", exact=True).press(key))
    in_both_themes(watched, shoot, view, "forward")


def test_a_live_view_outlives_bad_functions_and_a_second_run_leaves_nothing(lab, watched):
    have_run(watched, lab("live/live.ipynb"))
    view, digit = watched.locator(".view").nth(0), watched.locator(".view").nth(1)
    error, inputs = view.locator(".error"), view.locator("input")
    for at, value, text in ((0, 5, "ZeroDivisionError"), (0, 0, ""), (0, -5, "no answer came"),
                            (0, 1, ""), (1, 5, "nan"), (1, 1, "")):
        put(inputs.nth(at), value)
        if text:
            error.get_by_text(text).wait_for()
        else:
            error.wait_for(state="hidden")
    digit.locator("p.number", has_text="it reads a 3").wait_for()
    digit.get_by_role("application").focus()
    watched.keyboard.press("Space")
    digit.locator("p.number", has_text="It reads a 7, and gives it 55 %.").wait_for()
    run_all(watched)
    watched.get_by_text("[6]:").first.wait_for()
    watched.get_by_text("open: 2").wait_for()
    assert watched.locator(".view").count() == 2


def test_a_restarted_kernel_has_nothing_left_and_its_views_move(lab, watched):
    have_run(watched, lab("live/live.ipynb"))
    for command in ("Restart Kernel and Clear Outputs of All Cells…", "Run All Cells"):
        watched.get_by_role("menuitem", name="Kernel" if "Restart" in command else "Run",
                            exact=True).click()
        watched.get_by_role("menuitem", name=command, exact=True).click()
        if "Restart" in command:
            watched.locator(".jp-Dialog button.jp-mod-accept").click()
            watched.locator(".view").first.wait_for(state="detached")
            watched.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    watched.get_by_text("open: 2").wait_for()
    assert watched.locator(".view").count() == 2
    view = watched.locator(".view").first
    shows_anew(view.locator("svg").first, lambda: put(view.locator("input").first, 2))


def shows_anew(part, move):
    """Do something, and wait until a part of a view shows another text."""
    from playwright.sync_api import expect

    before = part.text_content()
    move()
    expect(part).not_to_have_text(before, timeout=60_000)


@pytest.mark.skipif(importlib.util.find_spec("notebook") is None,
                    reason="Notebook 7 is not installed (pip install notebook)")
def test_views_move_in_notebook_7(folder, browser, shoot, tmp_path):
    page = browser.new_page(viewport=SIZE)
    page.set_default_timeout(60_000)
    with served(folder, tmp_path, ("-m", "notebook"), "notebooks") as address:
        page.goto(address("live/two.ipynb"))
        wait_until_ready(page)
        run_all(page)
        view = page.get_by_role("group", name="Loss surface")
        put(view.get_by_label("rate", exact=True), 1)
        view.locator("p.number", has_text="at rate 0.3 the loss goes from 3 to 1.32").wait_for()
        attention = recorded(page)
        attention.get_by_label("step", exact=True).press("ArrowRight")
        assert "step 10: loss 0.7000" in attention.inner_text()
        shoot(page, "notebook_7")
        page.close()


AFRESH = {"noise": 5, "points": 5, "seed": 2, "hidden units": 7}  # label -> place of another value
GOING = {"rate": 6, "momentum": 1, "batch": 2, "penalty": 5}  # these show in the next step


def test_the_playground_trains_and_every_control_and_the_bug_switch_work(lab, watched, shoot):
    view = open_playground(watched, lab)
    view.get_by_role("button", name="▶ Play").press("Enter")
    watched.wait_for_function("Number(document.querySelector('.view').dataset.frames) > 8")
    view.get_by_role("button", name="mission 2").click(delay=300)  # pictures come meanwhile
    view.get_by_text("Where does the loss begin to swing?").wait_for()
    view.get_by_role("button", name="Pause").press("Enter")
    view.get_by_role("button", name="Reset").click()
    one_step = view.get_by_role("button", name="One step")
    step = view.get_by_text(re.compile(r"^step \d+$"))
    view.get_by_text("step 0", exact=True).wait_for()
    watched.set_viewport_size({**SIZE, "width": 1150})  # the loss still stands beside the map
    changes(watched, view, view.get_by_role("button", name="Reset").click)
    loss, board = (view.get_by_role("img", name=name).bounding_box() for name in (
        "loss, without penalty", "decision map"))
    assert loss["y"] < board["y"] + board["height"] and loss["x"] > board["x"] + board["width"]
    assert view.locator("svg[aria-label^=loss] circle").count() == 2
    watched.set_viewport_size(SIZE)
    shows_anew(step, one_step.click)
    for label, value in AFRESH.items():
        changes(watched, view, lambda label=label, value=value: put(
            view.get_by_label(label, exact=True), value))
    for label, value in GOING.items():
        changes(watched, view, lambda label=label, value=value: put(
            view.get_by_label(label, exact=True), value))
        changes(watched, view, one_step.click)
    changes(watched, view, lambda: view.get_by_label("data", exact=True).select_option("circles"))
    changes(watched, view, lambda: view.get_by_label("train a mistake").select_option("N-missing"))
    view.get_by_role("img", name="decision map").nth(1).wait_for()
    said, = {one.message for one in mistakes("05-backprop", "backprop") if one.id == "N-missing"}
    assert said.split("`")[0] in view.text_content()
    changes(watched, view, one_step.click)
    changes(watched, view, lambda: view.get_by_label("network of").select_option("the mistake"))
    changes(watched, view, lambda: view.get_by_role("button", name="mission 1").click())
    assert "as few hidden units as you can" in view.text_content()
    changes(watched, view, lambda: view.get_by_role("button", name="Show me the code").click())
    assert "def backprop(X, y, params, reg):" in view.locator("pre").text_content()
    view.get_by_label("train a mistake").select_option("hidden-derivative 4")
    in_both_themes(watched, shoot, view, "playground")


def open_playground(page, lab):
    open_notebook(page, lab("solved/playground.ipynb"))
    run_all(page)
    view = page.locator(".view")
    view.wait_for()
    wait_for_rest(page)
    view.evaluate("e => e.scrollIntoView()")
    return view


def changes(page, view, move):
    """Move a control and wait until the view has drawn what came of it."""
    before = view.get_attribute("data-frames")
    move()
    page.wait_for_function(f"view => Number(view.dataset.frames) > {before}",
                           arg=view.element_handle())
