"""What all views share: a place on the page for a small module of JavaScript, and its still twin.

A view is drawn by ``NAME.js`` from a dict of plain data. A *recorded* view has all its data in the
page and needs no kernel; a *live* one sends what the reader does to a Python function and draws
what comes back. Either way there is a still twin, a picture or a table with its text alternative,
for whoever reads without widgets or without JavaScript.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import html
import importlib.util
import io
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from helpers.checks.sandbox import Guard

HERE = Path(__file__).parent
PAGE = """<!DOCTYPE html><meta charset="utf-8"><body><script type="module">
{code}
view.render({{model: recorded({data}), el: document.body}});
settle();
</script></body>"""
MISSING = ("This view moves once the package anywidget is installed (run the set-up of the course "
           "again); until then, here is a still picture of it.")
ENDLESS = "no answer came: is there a loop that never ends?"
SECONDS = 1.9  # for the student's functions, each time the view is drawn
FIRST = 20  # for them, before the view is there
SLICE = 0.025  # seconds of work between two pictures
AHEAD = 16  # pictures that may be on their way; the page answers from the eighth on
PATIENCE = 1000  # times 10 ms without a word from the page: it has been closed
_OPEN: dict[str, tuple[str, list[Live]]] = {}  # cell -> its latest run, and the live views it made


def code(*names: str) -> str:
    """Return the JavaScript of a view as one module: what all share, then files by their names."""
    return "\n".join((HERE / f"{name}.js").read_text(encoding="utf-8")
                     for name in ("shared", *names))


def packed(value: Any) -> Any:
    """Return data with every array as its dtype, shape and bytes, float32 where it has decimals."""
    if isinstance(value, dict):
        return {str(key): packed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [packed(item) for item in value]
    if isinstance(value, np.ndarray):
        array = np.ascontiguousarray(value.astype(np.float32 if value.dtype.kind == "f" else
                                                  value.dtype if value.dtype == np.uint8 else
                                                  np.int32))
        return {"dtype": array.dtype.name, "shape": list(array.shape), "bytes": array.tobytes()}
    return value.item() if isinstance(value, np.generic) else value


def recorded(name: str, data: dict, alt: str, height: int, still: Any = "") -> Recorded:
    """Return a view whose data are all in the page; it lives on without a kernel.

    Parameters
    ----------
    name : of the view's file of JavaScript
    data : what it draws: numbers, text, arrays, dicts and lists of them
    alt : what is to be seen, in a sentence or two
    height : in pixels, until the page has measured itself
    still : the still twin, as a Matplotlib figure or as HTML
    """
    return Recorded(name, packed(data), alt, height, still)


class Recorded:
    """A view in a frame of its own; once that runs, it takes the place of its still twin."""

    def __init__(self, name: str, data: dict, alt: str, height: int, still: Any = ""):
        self.name, self.data, self.height = name, data, height
        self.twin = Still(alt, still)

    def page(self) -> str:
        """Return the view as a page of its own."""
        def plain(value):
            return base64.b64encode(value).decode("ascii")

        data = json.dumps(self.data, default=plain, ensure_ascii=False).replace("</", "<\\/")
        return PAGE.format(code=code(self.name), data=data)

    def _repr_mimebundle_(self, include=None, exclude=None):
        twin = self.twin._repr_mimebundle_()
        frame = (f'<div><iframe title="{html.escape(self.twin.alt)}" {_srcdoc(self.page())} '
                 f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
                 f"<div>{twin['text/html']}</div></div>")
        return {**twin, "text/html": frame}

    def __repr__(self) -> str:
        return self.twin.alt


def _srcdoc(page):
    return "srcdoc='" + html.escape(page, quote=False).replace("'", "&#39;") + "'"


def renewed(text: str) -> str:
    """Return HTML in which recorded views have the present JavaScript; their data stay."""
    first, last = PAGE.split("\n{code}\n")[0] + "\n", "\nview.render({model: recorded("

    def anew(frame):
        page = html.unescape(frame[1])
        for path in HERE.glob("*.js"):
            purpose = path.read_text(encoding="utf-8").partition("\n")[0]
            if path.stem not in ("shared", "live") and f"\n{purpose}\n" in page:
                return _srcdoc(first + code(path.stem) + last + page.partition(last)[2])
        return frame[0]

    return re.sub("srcdoc='([^']*)'", anew, text)


class Still:
    """A still twin: a picture, and the text that says what is to be seen."""

    def __init__(self, alt: str, still: Any = ""):
        self.alt, self.png, self.still = alt, "", still
        if not isinstance(still, str):
            self.png = base64.b64encode(_small_png(still)).decode("ascii")
            self.still = (f'<img alt="{html.escape(alt)}" style="max-width: 100%" '
                          f'src="data:image/png;base64,{self.png}">')

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/html": f"<p>{html.escape(self.alt)}</p>{self.still}",
                  "text/plain": self.alt}
        return {**bundle, "image/png": self.png} if self.png else bundle

    def __repr__(self) -> str:
        return self.alt


def _small_png(figure):
    """Return a figure as PNG in 64 colours: a third of the size."""
    from PIL import Image

    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=80, facecolor="white")
    Image.open(drawn).convert("RGB").quantize(64).save(small, "png", optimize=True)
    return small.getvalue()


def live(
    name: str, respond: Callable[[dict], dict], controls: dict, alt: str, *,
    still: Any = "", work: Callable[[dict], bool | None] | None = None,
) -> Live | Still:
    """Return a view that is drawn anew from what a Python function returns.

    Parameters
    ----------
    name : of the view's file of JavaScript
    respond : takes the controls, as the reader has set them, and returns the data to draw; an
        ``error`` among them is shown as a message
    controls : what they are at first; where they hold ``playing``, it says whether `work` goes on
    alt : what is to be seen, in a sentence or two
    still : the still twin, as a Matplotlib figure or as HTML
    work : one small piece of work, done again and again while the view plays; takes the controls,
        and returns False where nothing is left to do before the next picture
    """
    twin = Still(alt, still)
    if importlib.util.find_spec("anywidget") is None:
        twin.still += f"<p>{MISSING}</p>"
        return twin
    return Live(name, respond, controls, twin, work)


def begun(function: Callable[[], Any]) -> Any:
    """Return what comes of a function that calls the student's before the view is there, muted.

    Raises
    ------
    TimeoutError
        Where it never ends; and what the function raises.
    """
    call = Guard(FIRST).call(function, ())
    if call.endless:
        raise TimeoutError(ENDLESS)
    if call.error:
        raise call.error
    return call.value


def twin(make: Callable[[], tuple[str, Any]], otherwise: str) -> tuple[str, Any]:
    """Return the words and the picture of a still twin; others where a function of theirs fails."""
    try:
        return begun(make)
    except Exception:  # the view says what is wrong
        return otherwise, ""


class Live:
    """A view in the notebook that talks to the kernel; `widget` is what the page shows.

    It works in the thread that runs the cells, so that what two functions share or print never
    mixes: in slices, between which the kernel answers everything else. It ends when its page has
    gone or its cell runs again. Whatever the functions raise is shown in the view, which stays
    alive; what never ends is stopped.
    """

    def __init__(self, name, respond, controls, twin, work):
        self.respond, self.work, self.twin, self.task = respond, work, twin, None
        self.due = False  # whether an answer to the reader is about to come
        self.unseen = 0  # pictures since the page has last said that it has drawn some
        self.widget = _widget_class(name)(controls=dict(controls))
        self.widget.observe(self._changed, "controls")
        self.widget.on_msg(self._heard)
        self.draw()
        _close_earlier(self)

    def draw(self, error: str = "") -> None:
        """Send the page what `respond` returns for the present controls, and an error if any."""
        data, failed = self._guarded(lambda: self.respond(dict(self.widget.controls)))
        frame = self.widget.data.get("frame", 0) + 1  # so that the page answers equal data too
        self.widget.data = packed({**self.widget.data, "error": failed or error, **(data or {}),
                                   "frame": frame, "unseen": self.unseen})

    def _guarded(self, function):
        call = Guard(SECONDS).call(function, ())
        if call.endless:
            return None, ENDLESS
        return call.value, f"{type(call.error).__name__}: {call.error}" if call.error else ""

    def _heard(self, *word):
        self.unseen = 0

    def _changed(self, change):
        if not self.due:  # one answer for all that the reader does until then
            self.due = True
            self.widget.soon(self._answer)

    def _answer(self):
        self.due = False
        if self.work is None or not self.widget.controls.get("playing"):
            self.draw()
        elif self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self._play())

    async def _play(self):
        while self.widget.controls.get("playing") and self.widget.comm is not None:
            until, error = self._guarded(self._slice)
            if error:
                break
            self.unseen += 1
            self.draw()
            pause = until - time.perf_counter()
            for _ in range(PATIENCE):
                await asyncio.sleep(max(pause, 0.01))
                pause = 0.01
                if self.unseen < AHEAD:
                    break
            else:
                error = "it has stopped: nobody was looking"
                break
        else:
            return
        self.widget.controls = {**self.widget.controls, "playing": False}
        self.widget.soon(self.draw, error)

    def _slice(self):
        until = time.perf_counter() + SLICE
        while time.perf_counter() < until:
            if self.work(dict(self.widget.controls)) is False:
                break
        return until

    def close(self) -> None:
        """End its work and take it from the page."""
        if self.task is not None:
            self.task.cancel()
        self.widget.close()

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = self.widget._repr_mimebundle_()
        bundle = bundle[0] if isinstance(bundle, tuple) else bundle
        return {**bundle, **self.twin._repr_mimebundle_()}

    def __repr__(self) -> str:
        return self.twin.alt


def _close_earlier(view):
    """Close the live views that earlier runs of the present cell have made."""
    shell = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell, run = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    if cell is None:
        return
    latest, views = _OPEN.get(cell, (run, []))
    if latest != run:
        for one in views:
            one.close()
        views = []
    _OPEN[cell] = run, [*views, view]


@functools.cache
def _widget_class(name):
    import anywidget
    import traitlets

    class ViewWidget(anywidget.AnyWidget):
        """What the page and the kernel share: the controls, and the data to draw."""

        _esm = code("live", name).replace("export default view;", "export default alive(view);")
        controls = traitlets.Dict().tag(sync=True, echo_update=False)
        data = traitlets.Dict().tag(sync=True)

        def __init__(self, **state):
            self.soon = _soon()
            super().__init__(**state)

        def _handle_msg(self, message):  # JupyterLab has it called in a thread of its own
            self.soon(super()._handle_msg, message)

    return ViewWidget


def _soon():
    """Return how to have a function called in the thread that runs the cells."""
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:  # there is no kernel
        return lambda function, *args: function(*args)
