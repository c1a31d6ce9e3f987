"""Interactive views on the student's own functions: step, scrub, play, draw.

Each is loaded when it is first used. `base` has what they share.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

VIEWS = {  # name of the function -> its module
    "attention": "heads", "chain_story": "step", "digit_probabilities": "digit",
    "drag_spread": "layers", "draw_digit": "digit", "graph_story": "graph", "logits": "logit",
    "loss_surface": "surface", "measured_slope": "slope", "network_story": "step",
    "pattern_playground": "patterns", "playground": "play", "scrub_training": "scrub",
    "sketch": "guess", "step_backprop": "step", "step_forward": "step", "step_through": "step",
    "training_maps": "scrub", "your_functions": "training"}

__all__ = sorted(VIEWS)


def __getattr__(name: str) -> Any:
    """Load a view on first use."""
    if name in VIEWS:
        return getattr(import_module(f"{__name__}.{VIEWS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {__all__}")
