"""A live view in a real kernel whose page speaks through a thread of its own, as JupyterLab's."""

from __future__ import annotations

import os
import sys

import jupyter_client.manager
import pytest

VIEW = """
import threading, time
from helpers.views import base
threads, drawn = set(), []

def respond(controls):
    print("a print of the student's function")
    threads.add(threading.current_thread() is threading.main_thread())
    drawn.append(controls)
    return {}

view = base.live("digit", respond, {"playing": False}, "a view", work=lambda controls: None)
view.widget.observe(lambda change: view._heard(None, {}, []), "data")
print(view.widget.comm.comm_id)
"""


@pytest.fixture
def client():
    manager, client = jupyter_client.manager.start_new_kernel(
        kernel_name="python3", env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def printed(client, cell):
    said = []
    reply = client.execute_interactive(
        cell, timeout=60, output_hook=lambda m: said.append(m["content"].get("text", "")))
    assert reply["content"]["status"] == "ok", reply["content"].get("traceback")
    return "".join(said).strip()


def tell(client, subshell, comm, controls):
    """Say what the page says when the reader has set the controls."""
    message = client.session.msg("comm_msg", {"comm_id": comm, "data": {
        "method": "update", "state": {"controls": controls}, "buffer_paths": []}})
    message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)


def subshell_of(client):
    client.control_channel.send(client.session.msg("create_subshell_request"))
    return client.get_control_msg(timeout=60)["content"]["subshell_id"]


def test_what_other_cells_print_while_a_view_plays_appears(client):
    comm, subshell = printed(client, VIEW), subshell_of(client)
    for number in range(40):
        tell(client, subshell, comm, {"playing": True, "change": number})
        assert printed(client, f"time.sleep(0.02)\nprint({number})") == str(number)
    assert printed(client, "print(threads, len(drawn) > 20, view.task.done())") == (
        "{True} True False")
    tell(client, subshell, comm, {"playing": False})
    assert printed(client, """
import asyncio
while not view.task.done():
    await asyncio.sleep(0.01)
print(view.widget.data["error"])""") == ""


def test_what_the_reader_does_while_a_cell_runs_is_answered_after_it(client):
    comm, subshell = printed(client, VIEW), subshell_of(client)
    client.execute("time.sleep(0.5); before = len(drawn)")
    for number in range(10):
        tell(client, subshell, comm, {"playing": False, "pixels": number})
    assert printed(client, """
import asyncio
while drawn[-1].get("pixels") != 9:
    await asyncio.sleep(0.01)
print(before, threads)""") == "1 {True}"
