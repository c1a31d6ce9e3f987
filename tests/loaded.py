"""What the kernels of the tests have loaded when they begin; see kernels.py."""

import contextlib
import importlib
import os

os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as each kernel would
for name in ("anywidget", "ipykernel.kernelapp", "matplotlib.pyplot", "networkx", "scipy.optimize",
             "seaborn", "sklearn.datasets", "sklearn.linear_model", "sklearn.model_selection",
             "sklearn.neighbors", "sklearn.neural_network", "tqdm.auto", "torch._dynamo",
             "torch.utils.data"):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
