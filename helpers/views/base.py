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
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
PAGE = """<!DOCTYPE html><meta charset="utf-8"><body><script type="module">
{code}
view.render({{model: recorded({data}), el: document.body}});
</script></body>"""
MISSING = ("This view moves once the package anywidget is installed (run the set-up of the course "
           "again); until then, here is a still picture of it.")


def code(name: str) -> str:
    """Return the JavaScript of a view as one module: what all share, then its own."""
    return "\n".join((HERE / file).read_text(encoding="utf-8") for file in (
        "shared.js", f"{name}.js"))


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


def recorded(name: str, data: dict, alt: str, height: int) -> Recorded:
    """Return a view whose data are all in the page; it lives on without a kernel.

    Parameters
    ----------
    name : of the view's file of JavaScript
    data : what it draws: numbers, text, arrays, dicts and lists of them
    alt : what is to be seen, in a sentence or two
    height : of the view, in pixels
    """
    return Recorded(name, packed(data), alt, height)


class Recorded:
    """A view in a frame of its own; shown by a notebook as HTML, elsewhere as its text."""

    def __init__(self, name: str, data: dict, alt: str, height: int):
        self.name, self.data, self.alt, self.height = name, data, alt, height

    def page(self) -> str:
        """Return the view as a page of its own."""
        def plain(value):
            return base64.b64encode(value).decode("ascii")

        data = json.dumps(self.data, default=plain).replace("</", "<\\/")
        return PAGE.format(code=code(self.name), data=data)

    def _repr_html_(self) -> str:
        return (f'<iframe title="{html.escape(self.alt)}" srcdoc="{html.escape(self.page())}" '
                f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
                f"<noscript>{html.escape(self.alt)}</noscript>")

    def __repr__(self) -> str:
        return self.alt


def live(
    name: str, respond: Callable[[dict], dict], controls: dict, alt: str, *,
    still: str = "", work: Callable[[dict], None] | None = None,
) -> Live | Still:
    """Return a view that is drawn anew from what a Python function returns.

    Parameters
    ----------
    name : of the view's file of JavaScript
    respond : takes the controls, as the reader has set them, and returns the data to draw
    controls : what they are at first; where they hold ``playing``, it says whether `work` goes on
    alt : what is to be seen, in a sentence or two
    still : the still twin as HTML, such as a figure's ``<img>``
    work : one small piece of work, done again and again while the view plays; takes the controls
    """
    twin = Still(alt, still)
    if importlib.util.find_spec("anywidget") is None:
        return Still(alt, f"{still}<p>{MISSING}</p>")
    return Live(name, respond, controls, twin, work)


class Still:
    """A still twin: a picture as HTML, and the text that says what is to be seen."""

    def __init__(self, alt: str, still: str = ""):
        self.alt, self.still = alt, still

    def _repr_html_(self) -> str:
        return f"{self.still}<p>{html.escape(self.alt)}</p>"

    def __repr__(self) -> str:
        return self.alt


class Live:
    """A view in the notebook that talks to the kernel; `widget` is what the page shows.

    It works in slices of 30 ms, between which the kernel answers everything else. Whatever the
    functions raise is shown in the view, which stays alive.
    """

    def __init__(self, name, respond, controls, twin, work):
        self.respond, self.work, self.twin, self.task = respond, work, twin, None
        self.widget = _widget_class(name)(controls=dict(controls))
        self.widget.observe(self._changed, "controls")
        self.draw()

    def draw(self) -> None:
        """Send the page what `respond` returns for the present controls."""
        try:
            data = {**self.respond(dict(self.widget.controls)), "error": ""}
        except Exception as error:
            data = {**self.widget.data, "error": f"{type(error).__name__}: {error}"}
        self.widget.data = packed(data)

    def _changed(self, change):
        self.draw()
        playing = self.work is not None and self.widget.controls.get("playing")
        if playing and (self.task is None or self.task.done()):
            self.task = asyncio.get_running_loop().create_task(self._play())

    async def _play(self):
        while self.widget.controls.get("playing") and self.widget.comm is not None:
            until = time.perf_counter() + 0.03
            try:
                while time.perf_counter() < until:
                    self.work(dict(self.widget.controls))
            except Exception as error:
                self.widget.controls = {**self.widget.controls, "playing": False}
                self.widget.data = {**self.widget.data, "error": f"{type(error).__name__}: {error}"}
                return
            self.draw()
            await asyncio.sleep(0.01)

    def close(self) -> None:
        """End its work and take it from the page."""
        if self.task is not None:
            self.task.cancel()
        self.widget.close()

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = self.widget._repr_mimebundle_()
        bundle = bundle[0] if isinstance(bundle, tuple) else bundle
        return {**bundle, "text/html": self.twin._repr_html_(), "text/plain": self.twin.alt}


@functools.cache
def _widget_class(name):
    import anywidget
    import traitlets

    class ViewWidget(anywidget.AnyWidget):
        """What the page and the kernel share: the controls, and the data to draw."""

        _esm = code(name)
        controls = traitlets.Dict().tag(sync=True)
        data = traitlets.Dict().tag(sync=True)

    return ViewWidget
