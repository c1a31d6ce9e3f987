"""Kernels that are forked from a process in which the libraries of the notebooks are loaded.

Each is a process and an IPython of its own, as always; what they save is that each of them loads
NumPy, Matplotlib, pandas, scikit-learn and PyTorch anew. pytest loads this module first
(pyproject.toml), before nbval loads nbformat.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import socket
import sys
import time
from multiprocessing import forkserver
from unittest import mock

from jupyter_client.connect import LocalPortCache
from jupyter_client.provisioning import local_provisioner

INLINE = "module://matplotlib_inline.backend_inline"  # the backend that each kernel would choose
LIBRARIES = ["anywidget", "ipykernel.kernelapp", "matplotlib.pyplot", "networkx", "scipy.optimize",
             "seaborn", "sklearn.datasets", "sklearn.linear_model", "sklearn.neighbors",
             "tqdm.auto", "torch._dynamo"]  # one that is missing is passed over

# A kernel binds its ports some time after they were found free. The system must not hand them out
# to a connection meanwhile (it hands out those from 32768 on), nor may another worker find them.
PORTS = itertools.cycle(range(10_000 + os.getpid() % 40 * 500, 10_500 + os.getpid() % 40 * 500))

# From 4.25 on jsonschema spends seconds on the grammar of a format that no notebook has.
sys.modules["rfc3987_syntax"] = None


class Forked:
    """A kernel's process, as the kernel's manager wants it: like `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, command, env=None, cwd=None, **others):
        with mock.patch.dict(os.environ, MPLBACKEND=INLINE):
            forkserver.ensure_running()
        self.process = multiprocessing.get_context("forkserver").Process(
            target=run, args=(command[command.index("-f"):], {**env}, cwd), daemon=True)
        self.process.start()
        self.pid = self.process.pid
        while self.poll() is None and os.getpgid(self.pid) != self.pid:
            time.sleep(0.01)  # its manager signals the whole group: it has to have one of its own

    def poll(self):
        return self.process.exitcode

    def wait(self, timeout=None):
        self.process.join(timeout)
        return self.process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.process.kill()

    def terminate(self):
        self.process.terminate()


def run(arguments, env, cwd):
    """Become a kernel: what `python -m ipykernel_launcher` does."""
    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    if cwd:
        os.chdir(cwd)
    heard = os.dup(2)
    with open(os.devnull, "r+b") as nothing:
        for number in range(3):
            os.dup2(nothing.fileno(), number)
    if pandas := sys.modules.get("pandas"):  # loaded outside IPython, it believes in a terminal
        pandas.set_option("display.max_columns", 20)
    from ipykernel.kernelapp import IPKernelApp
    try:
        IPKernelApp.launch_instance(arguments)
    except Exception:  # in the output of the test one reads why there is no kernel
        os.dup2(heard, 2)
        raise


def find_port(cache, ip):
    """Return a free port of this process's own, as `LocalPortCache.find_available_port` does."""
    for port in PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((ip, port))
            if port not in cache.currently_used_ports:
                cache.currently_used_ports.add(port)
                return port


LocalPortCache.find_available_port = find_port
if "forkserver" in multiprocessing.get_all_start_methods():
    forkserver.set_forkserver_preload(LIBRARIES)
    local_provisioner.launch_kernel = Forked
