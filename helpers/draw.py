"""Drawings of networks and of computational graphs, with networkx and our own layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from helpers import palette
from helpers.palette import BIAS, EDGE, FAINT, GRADIENT, GRADIENT_PALE, INK, NODE, SIGNS

Node = tuple[int, int]  # (layer, unit); the bias node is unit -1
Names = Sequence[Sequence[str] | None]
Arrays = Sequence[np.ndarray] | None
Limits = tuple[float, float, float, float]  # left, right, low, high
BIAS_UNIT = -1
MOST_SHOWN = 10  # a larger layer shows its first four and last two units
MOST_VALUES = 20  # with more edges than this, no values are written on them
COLUMN = 3.8  # distance between layers, in units of which a node measures two thirds
ROW = 1.25  # distance between nodes, 1 in tall networks
INCHES = 0.9  # of one unit in a figure of our own


def draw_network(
    sizes: Sequence[int], *, bias: bool = False, labels: Names | None = None,
    weights: Arrays = None, activations: Arrays = None, gradients: Arrays = None,
    deltas: Arrays = None, title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw a fully connected network, from the inputs on the left to the outputs on the right.

    Parameters
    ----------
    sizes : sequence of int
        Units in each layer, without bias nodes: ``(2, 3, 1)``.
    bias : bool
        Draw a bias node (a square, always 1) at the top of every layer but the last.
    labels : one sequence of str, or None, a layer, optional
        Names instead of the symbols; a long one stands beside its node and the symbol stays.
    weights : one array (n_in + bias, n_out) a layer of edges, optional
        Drawn as width (size) and as colour and line style (sign). Bias row first.
    activations : one array (n,) a layer, optional
        What each unit holds for one sample, without the bias: the fill of the nodes.
    gradients : shaped as `weights`, optional
        An amber halo along each edge, as wide as the gradient is large.
    deltas : one array (n,) a layer behind the inputs, optional
        The error at each unit's weighted sum, in an amber box below it.
    title : str, optional
    ax : Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    Axes
        With at most 20 edges one number is written on each: its gradient, or else its weight.

    Raises
    ------
    ValueError
        Where a size, shape or value does not fit: names the argument and the layer.
    """
    sizes = _checked_sizes(sizes)
    pairs = list(zip(sizes[:-1], sizes[1:], strict=True))
    shapes = [(n_in + bias, n_out) for n_in, n_out in pairs]
    weights = _checked_arrays("weights", weights, shapes)
    gradients = _checked_arrays("gradients", gradients, shapes)
    activations = _checked_arrays("activations", activations, [(n,) for n in sizes])
    deltas = _checked_arrays("deltas", deltas, [(n,) for n in sizes[1:]])
    labels = _checked_labels(labels, sizes)
    graph = _layered_graph(sizes, bias)
    signed = weights is not None or gradients is not None
    ax, unit = _canvas(ax, _around(graph, labels, signed), title)
    _draw_edges(ax, graph, unit, weights, gradients, bias)
    _draw_nodes(ax, graph, unit, activations)
    _write_names(ax, graph, unit, sizes, labels, activations)
    if deltas is not None:
        _write_deltas(ax, graph, unit, deltas)
    if signed:
        _legend(ax, unit, weights, gradients)
    return ax


def _checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    sizes = tuple(sizes)
    if len(sizes) < 2 or any(n != int(n) or n < 1 for n in sizes):
        raise ValueError(f"sizes: {sizes} came, at least two whole numbers from 1 up were wanted")
    return tuple(int(n) for n in sizes)


def _checked_labels(labels: Names | None, sizes: tuple[int, ...]) -> list[list[str]]:
    """Return a name for each unit, its symbol where none was given."""
    symbols = [[_symbol(layer, j, sizes) for j in range(n)] for layer, n in enumerate(sizes)]
    given = [None] * len(sizes) if labels is None else labels
    if len(given) != len(sizes):
        raise ValueError(f"labels: {len(given)} layers came, {len(sizes)} were wanted")
    names = [list(new or old) for new, old in zip(given, symbols, strict=True)]
    for layer, (found, size) in enumerate(zip(names, sizes, strict=True)):
        if len(found) != size:
            raise ValueError(f"labels[{layer}]: {len(found)} names came, {size} were wanted")
    return names


def _checked_arrays(name: str, arrays: Arrays, shapes: list[tuple[int, ...]]) -> Arrays:
    """Return `arrays` as float arrays of the wanted `shapes`."""
    if arrays is None:
        return None
    if len(arrays) != len(shapes):
        raise ValueError(f"{name}: {len(arrays)} arrays came, {len(shapes)} were wanted, "
                         f"of shapes {shapes}")
    try:
        arrays = [np.asarray(array, dtype=float) for array in arrays]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}; arrays of numbers were wanted") from error
    for layer, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
        if array.shape != shape:
            raise ValueError(f"{name}[{layer}]: shape {array.shape} came, {shape} was wanted")
        if not np.isfinite(array).all():
            raise ValueError(f"{name}[{layer}]: it holds nan or inf, finite numbers were wanted")
    return arrays


def _layered_graph(sizes: tuple[int, ...], bias: bool) -> nx.DiGraph:
    """Return the units shown and their edges; a node carries its `pos` and a `kind`."""
    graph = nx.DiGraph()
    gap = ROW if max(sizes) < 7 else 1
    for layer, size in enumerate(sizes):
        units: list[int | None] = list(range(size))
        if size > MOST_SHOWN:
            units = [0, 1, 2, 3, None, size - 2, size - 1]  # None: the dots
        if bias and layer < len(sizes) - 1:
            units.insert(0, BIAS_UNIT)
        for row, unit in enumerate(units):
            kind = "dots" if unit is None else "bias" if unit == BIAS_UNIT else "unit"
            name = (layer, -2 if unit is None else unit)
            graph.add_node(name, kind=kind,
                           pos=(COLUMN * layer, gap * ((len(units) - 1) / 2 - row)))
    for start in _nodes(graph, "unit", "bias"):
        ends = [end for end in _nodes(graph, "unit") if end[0] == start[0] + 1]
        graph.add_edges_from((start, end) for end in ends)
    return graph


def _nodes(graph: nx.DiGraph, *kinds: str) -> list[Node]:
    return [node for node, kind in graph.nodes(data="kind") if kind in kinds]


def _around(graph: nx.DiGraph, labels: Names, legend: bool) -> Limits:
    """Return the limits of a canvas with room for heads, names and a legend."""
    x, y = np.array(list(nx.get_node_attributes(graph, "pos").values())).T
    left, right = (max([1.0, *(0.55 + 0.11 * len(name) for name in names if _is_long(name))])
                   for names in (labels[0], labels[-1]))
    return x.min() - left, x.max() + right, y.min() - (1.15 if legend else 0.6), y.max() + 1.0


def _is_long(name: str) -> bool:
    """Tell whether a name is too long for a node; mathtext never is."""
    return len(name) > 4 and not name.startswith("$")


def _canvas(ax: Axes | None, limits: Limits, title: str | None) -> tuple[Axes, float]:
    """Return an empty Axes with these limits, and how many points one unit of it measures."""
    left, right, low, high = limits
    width, height = right - left, high - low
    if ax is None:
        inches = min(INCHES, 8 / height, 13 / width)
        ax = palette.white_axes(None, (width * inches, height * inches + (0.45 if title else 0)))
        ax.figure.subplots_adjust(0, 0, 1, height * inches / ax.figure.get_figheight())
    palette.white_axes(ax, (0, 0)).set(xlim=(left, right), ylim=(low, high), aspect="equal")
    ax.axis("off")
    box = ax.get_window_extent()
    scale = 72 / ax.figure.dpi * min(box.width / width, box.height / height)
    if title:
        ax.set_title(title, color=INK, fontsize=min(14, 0.22 * scale))
    return ax, scale


def _draw_edges(
    ax: Axes, graph: nx.DiGraph, unit: float, weights: Arrays, gradients: Arrays, bias: bool
) -> None:
    """Draw the halos, the edges on them, and the values on those while they are few."""
    edges = list(graph.edges)
    w, g = (_edge_values(edges, arrays, bias) for arrays in (weights, gradients))
    place = nx.get_node_attributes(graph, "pos")

    def lines(gid: str, zorder: float, **style: list | str | float) -> None:
        nx.draw_networkx_edges(graph, place, edgelist=edges, arrows=False, ax=ax, **style)
        ax.collections[-1].set(gid=gid, zorder=zorder, capstyle="butt")

    widths = np.zeros(len(edges)) if w is None else unit * (0.014 + 0.06 * _relative(w))
    if g is not None:  # what shows on both sides of the edge is as wide as the gradient is large
        lines("gradients", 0.5, width=list(widths + unit * (0.006 + 0.2 * _relative(g))),
              edge_color=GRADIENT, alpha=1 if w is None else 0.5)
    if w is not None:
        signs = [SIGNS[int(sign)] for sign in np.sign(w)]
        lines("edges", 1, width=list(widths),
              edge_color=[sign["color"] for sign in signs],
              style=[sign["linestyle"] for sign in signs])
    if w is None and g is None:
        lines("edges", 1, width=unit * 0.016, edge_color=EDGE)
    elif len(edges) <= MOST_VALUES:
        ends = np.array([[place[start], place[end]] for start, end in edges])
        values, gid = (w, "weight") if g is None else (g, "gradient")
        _write_values(ax, ends, unit, values, gid)


def _write_values(ax: Axes, ends: np.ndarray, unit: float, values: np.ndarray, gid: str) -> None:
    """Write one number on each edge: its gradient where there is one, else its weight."""
    for value, (x, y) in zip(values, _label_places(ends), strict=True):
        colour = SIGNS[int(np.sign(value))]["color"] if value and gid == "weight" else INK
        face, edge = ("white", colour) if gid == "weight" else (GRADIENT_PALE, GRADIENT)
        ax.text(x, y, _number(value), color=colour, ha="center", va="center", gid=gid, zorder=1.5,
                fontsize=0.165 * unit, weight="bold" if gid == "weight" else "normal",
                bbox={"boxstyle": "round,pad=0.2", "linewidth": 0.7, "facecolor": face,
                      "edgecolor": edge})


def _edge_values(edges: list[tuple[Node, Node]], arrays: Arrays, bias: bool) -> np.ndarray | None:
    """Return the entry of `arrays` that belongs to each edge, (E,)."""
    if arrays is None:
        return None
    return np.array([arrays[layer][unit + bias, to] for (layer, unit), (_, to) in edges])


def _relative(values: np.ndarray) -> np.ndarray:
    """Return the sizes of `values` as parts of the largest, all 0 where that is 0."""
    sizes = np.abs(values)
    return sizes / (sizes.max() or 1.0)


def _label_places(ends: np.ndarray) -> np.ndarray:
    """Return where on each edge its label stands out best, (E, 2).

    ends : (E, 2, 2), both ends of each edge. Each label in turn moves along its edge to the place
    farthest from the other labels and from the other edges, a few times over.
    """
    steps = np.linspace(0, 1, 40)[:, None]
    along = ends[:, 1] - ends[:, 0]
    length = np.linalg.norm(along, axis=1, keepdims=True)
    unit = along / length
    spread = np.array([[-0.24, 0], [0, 0], [0.24, 0]])  # a label, as three points
    spots = ends.mean(axis=1)

    def crowding(points: np.ndarray, others: np.ndarray, reach: float) -> np.ndarray:
        squares = ((points[:, :, None] - others.reshape(-1, 2)) ** 2).sum(axis=-1)
        return np.exp(-squares / reach**2).sum(axis=(1, 2))

    for _ in range(6):
        for k in range(len(ends)):
            t = np.linspace(0.85, length[k, 0] - 0.75, 31)[:, None]  # clear of the nodes
            places = ends[k, 0] + t * unit[k]
            points = places[:, None] + spread
            rest = np.arange(len(ends)) != k
            labels = spots[rest, None] + spread
            paths = ends[rest, None, 0] + steps * along[rest, None]
            cost = 4 * crowding(points, labels, 0.4) + 0.5 * crowding(points, paths, 0.16)
            spots[k] = places[np.argmin(cost)]
    return spots


def _draw_nodes(ax: Axes, graph: nx.DiGraph, unit: float, activations: Arrays) -> None:
    place = nx.get_node_attributes(graph, "pos")
    units = _nodes(graph, "unit")
    style = {"ax": ax, "linewidths": 0.022 * unit, "edgecolors": INK, "node_size": (0.66 * unit)**2}
    fill: str | np.ndarray = NODE
    if activations is not None:
        values = np.array([activations[layer][j] for layer, j in units])
        limit = max(1.0, np.abs(values).max())
        fill = palette.diverging(0.7)(0.5 + 0.5 * values / limit)
    nx.draw_networkx_nodes(graph, place, nodelist=units, node_color=fill, **style)
    ax.collections[-1].set(zorder=2, gid="nodes")
    squares = _nodes(graph, "bias")
    if squares:
        nx.draw_networkx_nodes(graph, place, nodelist=squares, node_shape="s", node_color=BIAS,
                               **style | {"node_size": (0.52 * unit)**2})
        ax.collections[-1].set(zorder=2, gid="bias nodes", linestyle=[(0, (3, 1.5))])


def _write_names(
    ax: Axes, graph: nx.DiGraph, unit: float, sizes: tuple[int, ...], labels: Names,
    activations: Arrays,
) -> None:
    """Write symbols and values into the nodes, long names beside them, layers above them."""
    last = len(sizes) - 1
    for (layer, j), data in graph.nodes(data=True):
        (x, y), kind = data["pos"], data["kind"]
        name = {"bias": "1", "dots": r"$\vdots$"}.get(kind) or labels[layer][j]
        if _is_long(name):
            side = -1 if layer == 0 else 1 if layer == last else 0
            ax.text(x + 0.42 * side, y - (0 if side else 0.47), name, color=INK, va="center",
                    ha={-1: "right", 0: "center", 1: "left"}[side], fontsize=0.17 * unit,
                    zorder=3, gid="name")
            name = _symbol(layer, j, sizes)
        valued = kind == "unit" and activations is not None
        ax.text(x, y + 0.11 * valued, name, ha="center", va="center", color=INK, zorder=3,
                fontsize=unit * (0.19 if valued else 0.22), gid=kind)
        if valued:
            ax.text(x, y - 0.13, _number(activations[layer][j]), ha="center", va="center",
                    color=INK, zorder=3, fontsize=0.15 * unit, gid="activation")
    for layer in range(len(sizes)):
        head = "input layer" if layer == 0 else "output layer" if layer == last else "hidden layer"
        head += f" {layer}" if 0 < layer < last > 2 else ""
        ax.text(COLUMN * layer, ax.get_ylim()[1] - 0.35, head, ha="center", va="center",
                color=FAINT, fontsize=0.17 * unit, gid="head")


def _write_deltas(ax: Axes, graph: nx.DiGraph, unit: float, deltas: Arrays) -> None:
    """Write below each unit the error that has arrived there."""
    for layer, j in _nodes(graph, "unit"):
        if layer:
            x, y = graph.nodes[layer, j]["pos"]
            _word(ax, x, y - 0.48, rf"$\delta$ = {_number(deltas[layer - 1][j])}", unit, "delta",
                  boxstyle="round,pad=0.2", facecolor=GRADIENT_PALE, edgecolor=GRADIENT)


def _symbol(layer: int, unit: int, sizes: tuple[int, ...]) -> str:
    if layer == 0:
        return f"$x_{{{unit + 1}}}$"
    if layer == len(sizes) - 1:
        return r"$\hat{y}$" if sizes[-1] == 1 else rf"$\hat{{y}}_{{{unit + 1}}}$"
    upper = f"^{{({layer})}}" if len(sizes) > 3 else ""
    return f"$h{upper}_{{{unit + 1}}}$"


def _legend(ax: Axes, unit: float, weights: Arrays, gradients: Arrays) -> None:
    keys = []
    if weights is not None:
        keys += [Line2D([], [], linewidth=0.04 * unit, label=f"{name} weight", **SIGNS[sign])
                 for name, sign in (("positive", 1), ("negative", -1))]
    if gradients is not None:
        keys.append(Line2D([], [], linewidth=0.16 * unit, color=GRADIENT, label="gradient",
                           alpha=1 if weights is None else 0.5))
    ax.legend(handles=keys, loc="lower center", ncols=len(keys), frameon=False, labelcolor=INK,
              fontsize=0.165 * unit, handlelength=3.2)


def _number(value: float) -> str:
    """Return a number in few characters, with a real minus sign; nan is not known yet: ?."""
    if np.isnan(value):
        return "?"
    size = abs(value)
    form = ".2f" if size == 0 or 0.01 <= size < 1000 else ".1g" if 1e-4 <= size < 1 else ".0e"
    return f"{value:{form}}".replace("-", "\N{MINUS SIGN}")


def _word(ax: Axes, x: float, y: float, text: str, unit: float, gid: str, **box: str) -> None:
    ax.text(x, y, text, ha="center", va="center", color=INK, fontsize=0.185 * unit, gid=gid,
            zorder=3, bbox=box | {"linewidth": 0.022 * unit} if box else None)


OPERATION_SIGNS = {"add": "+", "mul": "×", "sub": "\N{MINUS SIGN}", "div": "÷", "matmul": "@"}
MOST_NODES = 40
GAP = 2.1, 1.75  # between the columns and rows of a graph


def draw_graph(
    output: Any, grads: Mapping[Any, Any] | None = None, *, names: Mapping[Any, str] | None = None,
    pieces: bool = False, title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw the graph that a value was computed by: values above its nodes, gradients below.

    Parameters
    ----------
    output : a node: any object with `value` (an array or a number), `parents` (nodes) and
        `operation` (a str; whatever it is where there are no parents)
    grads : node → gradient, optional
        The amber boxes.
    names : node → symbol in mathtext without dollars, optional
        For the inputs; an input without one shows its value inside. A named operation has its name
        beside its value.
    pieces : bool
        Each edge also carries what comes back on it, by the nodes' own `pull_back(gradient)`; these
        pieces add up to the gradient of the node at its start.
    title : str, optional
    ax : Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    Axes
        Of arrays with several entries the shape is shown.

    Raises
    ------
    ValueError
        Where the graph has more than 40 nodes.
    """
    names, graph = names or {}, _graph_below(output)
    place, bends = _columns_and_rows(graph)
    spots = [*place.values(), *(spot for way in bends.values() for spot in way)]
    xs, ys = zip(*spots, strict=True)
    low = 0.6 if grads is None else 1.0
    ax, unit = _canvas(ax, (min(xs) - 0.9, max(xs) + 0.9, min(ys) - low, max(ys) + 0.85), title)
    for child, parents in graph.items():
        known = pieces and parents and grads is not None and child in grads
        back = child.pull_back(grads[child]) if known else [None] * len(parents)
        for k, parent in enumerate(parents):
            bend = 0.28 * (1 if k == parents.index(parent) else -1) * (parents.count(parent) > 1)
            path = [place[parent], *bends.get((parent, child), []), place[child]]
            halves = [0.46 if len(_inside(node, names)) > 2 else 0.3 for node in (parent, child)]
            _graph_edge(ax, unit, path, bend, halves,
                        None if back[k] is None else _content(back[k]))
    for node, (x, y) in place.items():
        is_leaf, name = not node.parents, names.get(node)
        value = _content(node.value)
        _word(ax, x, y, _inside(node, names), unit, "input" if is_leaf else "operation",
              boxstyle=("circle" if is_leaf else "square") + ",pad=0.45",
              facecolor=NODE if is_leaf else "white", edgecolor=INK)
        if not is_leaf or name is not None:
            head = value if is_leaf or name is None else f"${name}$ = {value}"
            _word(ax, x, y + 0.56, head, unit, "value")
        if grads is not None and node in grads and (not is_leaf or name is not None):
            _word(ax, x, y - 0.62, _content(grads[node]), unit, "gradient",
                  boxstyle="round,pad=0.3", facecolor=GRADIENT_PALE, edgecolor=GRADIENT)
    return ax


def _inside(node: Any, names: Mapping[Any, str]) -> str:
    """Return what is written into a node: an operation, the name of an input or its value."""
    if node.parents:
        return OPERATION_SIGNS.get(node.operation, str(node.operation))
    return f"${names[node]}$" if node in names else _content(node.value)


def _content(value: Any) -> str:
    """Return a number in few characters; of an array with several entries its shape."""
    array = np.asarray(value, dtype=float)
    return _number(array.item()) if array.size == 1 else "×".join(map(str, array.shape))


def _graph_below(output: Any) -> dict[Any, list]:
    """Return node → parents for `output` and all that it was computed from."""
    graph, waiting = {}, [output]
    while waiting:
        node = waiting.pop(0)
        if node in graph:
            continue
        graph[node] = list(node.parents)
        waiting += graph[node]
        if len(graph) > MOST_NODES:
            raise ValueError(f"output: its graph has more than {MOST_NODES} nodes; draw a part")
    return graph


def _columns_and_rows(
    graph: dict[Any, list]
) -> tuple[dict[Any, tuple[float, float]], dict[tuple, list[tuple[float, float]]]]:
    """Return where to draw each node, and the bends of the edges that skip a column.

    Parents stand left of children. An edge that skips a column is given a place in it like a node,
    so that it runs around the nodes there.
    """
    net = nx.DiGraph([(parent, child) for child, parents in graph.items() for parent in parents])
    net.add_nodes_from(graph)
    column = {node: depth for depth, nodes in enumerate(nx.topological_generations(net))
              for node in nodes}
    for node in graph:  # an input stands next to its first use
        if not graph[node] and net.out_degree(node):
            column[node] = min(column[child] for child in net.successors(node)) - 1
    bends: dict[tuple, list] = {}
    for parent, child in list(net.edges):
        if column[child] - column[parent] > 1:
            skipped = [(parent, child, c) for c in range(column[parent] + 1, column[child])]
            net.remove_edge(parent, child)
            nx.add_path(net, [parent, *skipped, child])
            column.update({place: place[2] for place in skipped})
            bends[parent, child] = skipped
    columns = [[node for node in column if column[node] == c] for c in sorted(set(column.values()))]
    row: dict[Any, float] = {}
    for sweep in range(9):
        for nodes in columns[::-1 if sweep % 2 else 1]:
            if row:
                nodes.sort(key=lambda node: np.mean(
                    [row[other] for other in nx.all_neighbors(net, node) if other in row]
                    or [0.0]))
            row.update({node: k - (len(nodes) - 1) / 2 for k, node in enumerate(nodes)})
    place = {node: (GAP[0] * column[node], -GAP[1] * row[node]) for node in column}
    return ({node: place[node] for node in graph},
            {edge: [place[spot] for spot in spots] for edge, spots in bends.items()})


def _graph_edge(
    ax: Axes, unit: float, path: list[tuple[float, float]], bend: float, halves: list[float],
    piece: str | None,
) -> None:
    """Draw an arrow from a node to one that uses it; write what comes back on it."""
    style = {"color": INK, "linewidth": 0.026 * unit, "mutation_scale": 0.2 * unit,
             "connectionstyle": f"arc3,rad={bend}"}
    for k, (start, end) in enumerate(zip(path[:-1], path[1:], strict=True)):
        last = k == len(path) - 2
        ax.annotate("", end, start, gid="forward" if last else "way", zorder=1, arrowprops=style | {
            "arrowstyle": "-|>" if last else "-", "shrinkB": halves[1] * unit if last else 0,
            "shrinkA": 0 if k else halves[0] * unit})
    if piece is not None:
        (x0, y0), (x1, y1) = path[:2]
        x, y = x0 + 0.45 * (x1 - x0), y0 + 0.45 * (y1 - y0)
        ax.text(x + bend * (y1 - y0) / 2, y - bend * (x1 - x0) / 2, piece, ha="center",
                va="center", color=INK, fontsize=0.15 * unit, gid="piece", zorder=2,
                bbox={"boxstyle": "round,pad=0.15", "linewidth": 0, "facecolor": GRADIENT_PALE})


def draw_matrices(*terms: str | tuple[str, np.ndarray], ax: Axes | None = None) -> Axes:
    """Draw matrices as boxes in one line, with signs between them and some entries marked.

    Parameters
    ----------
    *terms : a sign, such as ``"="``, or a name in mathtext and an array of the matrix' shape whose
        entries say how each is drawn: 0 plain, 1 pale, 2 amber
    ax : Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    Axes
        Equal shapes have equal boxes.
    """
    tall = max(term[1].shape[0] for term in terms if not isinstance(term, str))
    wide = sum(0.9 if isinstance(term, str) else term[1].shape[1] + 0.7 for term in terms)
    ax, unit = _canvas(ax, (-0.2, wide, -tall / 2 - 0.2, tall / 2 + 0.9), None)
    x = 0.0
    for term in terms:
        if isinstance(term, str):
            _word(ax, x + 0.3, 0, term, 2.4 * unit, "sign")
            x += 0.9
            continue
        name, marks = term
        for (i, j), mark in np.ndenumerate(marks):
            face = ("white", GRADIENT_PALE, GRADIENT)[int(mark)]
            ax.add_patch(Rectangle((x + j, marks.shape[0] / 2 - i - 1), 1, 1, gid="entry",
                                   facecolor=face, edgecolor=INK, linewidth=0.02 * unit))
        _word(ax, x + marks.shape[1] / 2, marks.shape[0] / 2 + 0.4, name, 1.9 * unit, "name")
        x += marks.shape[1] + 0.7
    return ax
