import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba

from helpers.draw import MOST_NODES, draw_graph, draw_matrices, draw_network
from helpers.palette import BIAS, EDGE, GRADIENT, GRADIENT_PALE, NEGATIVE, NODE, POSITIVE

SOLID = (0, None)
MINUS = "\N{MINUS SIGN}"


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def weights_for(sizes, bias, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n + bias, m)) for n, m in zip(sizes[:-1], sizes[1:], strict=True)]


def collection(ax, gid):
    found = [c for c in ax.collections if c.get_gid() == gid]
    assert len(found) == 1, f"{gid}: {len(found)} collections"
    return found[0]


def texts(ax, gid):
    return [text.get_text() for text in ax.texts if text.get_gid() == gid]


def counts(ax):
    gids = [c.get_gid() for c in ax.collections]
    return {name: len(collection(ax, name).get_offsets() if "nodes" in name
                      else collection(ax, name).get_segments()) for name in gids}


def pixels(ax):
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())[..., :3].astype(float)


@pytest.mark.parametrize("sizes, bias, edges, nodes, squares", [
    ((2, 3, 1), False, 9, 6, 0),
    ((2, 3, 1), True, 13, 6, 2),
    ((3, 5, 2), True, 32, 10, 2),
    ((2, 3, 3, 1), True, 9 + 12 + 4, 9, 3),
    ((64, 16, 10), False, 6 * 6 + 6 * 10, 22, 0),
    ((1, 1), False, 1, 2, 0),
])
def test_every_unit_and_edge_is_drawn(sizes, bias, edges, nodes, squares):
    ax = draw_network(sizes, bias=bias)
    wanted = {"edges": edges, "nodes": nodes} | ({"bias nodes": squares} if bias else {})
    assert counts(ax) == wanted
    assert pixels(ax).std() > 5


def test_symbols_stand_in_the_nodes_from_top_to_bottom():
    ax = draw_network((2, 3, 1), bias=True)
    assert texts(ax, "unit") == ["$x_1$".replace("_1", "_{1}"), "$x_{2}$", "$h_{1}$", "$h_{2}$",
                                 "$h_{3}$", r"$\hat{y}$"]
    assert texts(ax, "bias") == ["1", "1"]
    assert texts(ax, "head") == ["input layer", "hidden layer", "output layer"]
    first = [text for text in ax.texts if text.get_position()[0] == 0 and text.get_gid() != "head"]
    heights = [text.get_position()[1] for text in first]
    assert first[0].get_gid() == "bias" and heights == sorted(heights, reverse=True)


def test_several_outputs_and_several_hidden_layers_are_numbered():
    ax = draw_network((1, 2, 2, 2))
    assert texts(ax, "unit")[1:] == ["$h^{(1)}_{1}$", "$h^{(1)}_{2}$", "$h^{(2)}_{1}$",
                                     "$h^{(2)}_{2}$", r"$\hat{y}_{1}$", r"$\hat{y}_{2}$"]
    assert texts(ax, "head")[1:3] == ["hidden layer 1", "hidden layer 2"]


def test_a_large_layer_shows_its_ends_and_dots():
    ax = draw_network((64, 10), bias=True)
    assert texts(ax, "unit")[:6] == [f"$x_{{{k}}}$" for k in (1, 2, 3, 4, 63, 64)]
    assert texts(ax, "dots") == [r"$\vdots$"]


def test_labels_replace_symbols_and_long_ones_stand_beside():
    ax = draw_network((2, 2, 1), labels=[["education", "age"], None, ["$q$"]])
    assert texts(ax, "unit") == ["$x_{1}$", "age", "$h_{1}$", "$h_{2}$", "$q$"]
    assert texts(ax, "name") == ["education"]


def test_bias_nodes_are_lighter_squares():
    ax = draw_network((2, 3, 1), bias=True)
    square, circle = (collection(ax, gid) for gid in ("bias nodes", "nodes"))
    assert len(square.get_paths()[0].vertices) < len(circle.get_paths()[0].vertices)
    assert to_hex(square.get_facecolor()[0]).upper() == BIAS
    assert to_hex(circle.get_facecolor()[0]).upper() == NODE


def test_weights_show_sign_as_colour_and_style_and_size_as_width():
    weights = [np.array([[2.0, -1.0], [-0.5, 0.0], [0.25, -2.0]]), np.array([[1.0], [-1.0], [0.5]])]
    ax = draw_network((2, 2, 1), bias=True, weights=weights)
    edges = collection(ax, "edges")
    flat = np.concatenate([w.ravel() for w in weights])  # bias row first, like the nodes
    wanted = [to_rgba(POSITIVE if w > 0 else NEGATIVE if w < 0 else EDGE) for w in flat]
    np.testing.assert_allclose(edges.get_colors(), wanted)
    assert [style == SOLID for style in edges.get_linestyles()] == list(flat > 0)
    widths = np.array(edges.get_linewidths())
    slope, offset = np.polyfit(np.abs(flat), widths, 1)
    assert slope > 0 and offset > 0
    np.testing.assert_allclose(widths, offset + slope * np.abs(flat))
    assert texts(ax, "weight") == [f"{w:.2f}".replace("-", MINUS) for w in flat]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["positive weight",
                                                                   "negative weight"]


def test_each_edge_joins_the_units_of_its_weight():
    weights = [np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 7.0]]), np.zeros((3, 1))]
    ax = draw_network((2, 2, 1), bias=True, weights=weights)
    edges, nodes = collection(ax, "edges"), collection(ax, "nodes").get_offsets()
    widest = edges.get_segments()[int(np.argmax(edges.get_linewidths()))]
    np.testing.assert_allclose(widest, [nodes[1], nodes[3]])  # x_2 to h_2
    label = next(text for text in ax.texts if text.get_text() == "7.00")
    (x0, y0), (x1, y1) = widest
    x, y = label.get_position()
    assert x0 < x < x1 and np.isclose((y - y0) * (x1 - x0), (y1 - y0) * (x - x0))


def test_weights_of_a_layer_cut_short_belong_to_the_units_shown():
    weights = [np.zeros((64, 2))]
    weights[0][63, 1] = -3
    ax = draw_network((64, 2), weights=weights)
    edges = collection(ax, "edges")
    assert len(edges.get_segments()) == 12
    widest = edges.get_segments()[int(np.argmax(edges.get_linewidths()))]
    nodes = collection(ax, "nodes").get_offsets()
    np.testing.assert_allclose(widest, [nodes[5], nodes[7]])


def test_values_are_written_only_while_the_net_is_small():
    assert len(texts(draw_network((3, 4, 2), weights=weights_for((3, 4, 2), 0)), "weight")) == 20
    assert texts(draw_network((3, 4, 2), bias=True, weights=weights_for((3, 4, 2), 1)),
                 "weight") == []


def test_gradients_are_amber_halos_under_the_weights():
    weights, gradients = weights_for((2, 3, 1), 1), weights_for((2, 3, 1), 1, seed=1)
    ax = draw_network((2, 3, 1), bias=True, weights=weights, gradients=gradients)
    halo, edges = collection(ax, "gradients"), collection(ax, "edges")
    flat = np.concatenate([g.ravel() for g in gradients])
    assert {to_hex(c).upper() for c in halo.get_colors()} == {GRADIENT}
    assert halo.get_zorder() < edges.get_zorder()
    seen = np.array(halo.get_linewidths()) - edges.get_linewidths()
    assert (seen > 0).all()
    assert (np.argmax(seen), np.argmin(seen)) == (np.argmax(np.abs(flat)), np.argmin(np.abs(flat)))
    assert texts(ax, "gradient")[0] == f"{flat[0]:.2f}".replace("-", MINUS)
    assert len(texts(ax, "gradient")) == 13 and not texts(ax, "weight")  # one number an edge
    assert ax.get_legend().get_texts()[-1].get_text() == "gradient"


def test_gradients_alone_are_the_edges():
    ax = draw_network((2, 3, 1), gradients=weights_for((2, 3, 1), 0))
    assert counts(ax) == {"gradients": 9, "nodes": 6}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["gradient"]


def test_errors_stand_below_the_units_behind_the_inputs():
    ax = draw_network((2, 2, 1), bias=True, deltas=[[0.5, -0.25], [2.0]])
    assert texts(ax, "delta") == [r"$\delta$ = 0.50", rf"$\delta$ = {MINUS}0.25",
                                  r"$\delta$ = 2.00"]
    with pytest.raises(ValueError, match=r"deltas\[0\]: shape \(1,\) came, \(2,\) was wanted"):
        draw_network((2, 2, 1), deltas=[[0.5], [2.0]])


def test_activations_fill_the_nodes_and_are_written_in_them():
    ax = draw_network((2, 2, 1), bias=True, activations=[[0.0, 1.0], [-1.0, 0.5], [-0.25]])
    fill = collection(ax, "nodes").get_facecolor()[:, :3]
    np.testing.assert_allclose(fill[0], 1, atol=0.01)  # nothing is white
    assert fill[1, 0] > fill[1, 2] and fill[2, 2] > fill[2, 0]  # positive warm, negative cold
    assert fill[3, 2] > fill[1, 2] and fill[4, 0] > fill[2, 0]  # small is pale
    assert texts(ax, "activation") == ["0.00", "1.00", f"{MINUS}1.00", "0.50", f"{MINUS}0.25"]
    assert ax.get_legend() is None


def test_very_small_and_very_large_values_stay_short():
    assert texts(draw_network((1, 1), weights=[[[1e-7]]]), "weight") == [f"1e{MINUS}07"]
    assert texts(draw_network((1, 1), gradients=[[[-123456.0]]]), "gradient") == [f"{MINUS}1e+05"]


def test_all_weights_zero_are_still_drawn():
    ax = draw_network((2, 1), weights=[np.zeros((2, 1))])
    assert min(collection(ax, "edges").get_linewidths()) > 0


def boxes(ax, gids):
    """The outlines of texts in pixels, turned as they are."""
    ax.figure.canvas.draw()
    patches = [text.get_bbox_patch() for text in ax.texts if text.get_gid() in gids]
    return [patch.get_transform().transform_path(patch.get_path()) for patch in patches]


@pytest.mark.parametrize("sizes, bias, seed", [((2, 3, 1), True, s) for s in range(3)]
                         + [((2, 3, 1), False, 0), ((2, 4, 1), True, 0), ((1, 1), True, 0)])
@pytest.mark.parametrize("gradients", [False, True])
def test_labels_overlap_neither_each_other_nor_a_node(sizes, bias, seed, gradients):
    weights = weights_for(sizes, bias, seed)
    ax = draw_network(sizes, bias=bias, weights=weights, gradients=weights if gradients else None)
    labels = boxes(ax, {"weight", "gradient"})
    assert len(labels) == sum(w.size for w in weights)
    for k, label in enumerate(labels):
        assert not any(label.intersects_path(other, filled=True) for other in labels[k + 1:])
    nodes = collection(ax, "nodes")
    radius = np.sqrt(nodes.get_sizes()[0]) / 2 * ax.figure.dpi / 72
    for centre in ax.transData.transform(nodes.get_offsets()):
        for box in labels:
            assert np.linalg.norm(box.vertices - centre, axis=1).min() > radius


@pytest.mark.parametrize("keywords", [
    {}, {"bias": True, "title": "A title"},
    {"labels": [["education", "seniority"], None, ["income"]]},
    {"bias": True, "weights": weights_for((2, 3, 1), True), "title": "Weights"},
])
def test_nothing_is_cut_off(keywords):
    ax = draw_network((2, 3, 1), **keywords)
    ax.figure.canvas.draw()
    frame = ax.figure.bbox
    parts = [*ax.texts, *([ax.title] if "title" in keywords else []),
             *([ax.get_legend()] if "weights" in keywords else [])]
    for part in parts:
        box = part.get_window_extent()
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1, part
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1, part
    assert ax.get_title() == keywords.get("title", "")


def test_a_given_axes_is_used_white_and_its_text_scaled_to_it():
    figure, (left, right) = plt.subplots(1, 2, figsize=(6, 2.5), facecolor="black")
    assert draw_network((2, 3, 1), ax=left) is left
    assert not right.collections
    assert to_hex(figure.get_facecolor()) == "#ffffff"
    own = draw_network((2, 3, 1))
    small, large = (next(t for t in a.texts if t.get_gid() == "unit") for a in (left, own))
    assert small.get_fontsize() < large.get_fontsize()


def test_arguments_stay_as_they_were():
    weights = weights_for((2, 3, 1), 1)
    before = [w.copy() for w in weights]
    draw_network((2, 3, 1), bias=True, weights=weights, gradients=weights)
    for old, new in zip(before, weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("sizes, keywords, message", [
    ((3,), {}, r"sizes: \(3,\) came, at least two"),
    ((2, 0, 1), {}, r"sizes: \(2, 0, 1\) came"),
    ((2, 2.5), {}, r"sizes: \(2, 2.5\) came"),
    ((2, 3, 1), {"weights": [np.zeros((2, 3))]}, r"weights: 1 arrays came, 2 were wanted"),
    ((2, 3, 1), {"weights": [np.zeros((3, 2)), np.zeros((3, 1))]},
     r"weights\[0\]: shape \(3, 2\) came, \(2, 3\) was wanted"),
    ((2, 3, 1), {"weights": [np.zeros((3, 3)), np.zeros((3, 1))], "bias": True},
     r"weights\[1\]: shape \(3, 1\) came, \(4, 1\) was wanted"),
    ((2, 1), {"weights": [[[1], [np.nan]]]}, r"weights\[0\]: it holds nan or inf"),
    ((2, 1), {"weights": [[["a"], ["b"]]]}, r"weights: .*arrays of numbers were wanted"),
    ((2, 1), {"gradients": [[1, 2]]}, r"gradients\[0\]: shape \(2,\) came, \(2, 1\) was wanted"),
    ((2, 1), {"activations": [[1, 2], [[1]]]}, r"activations\[1\]: shape \(1, 1\) came, \(1,\)"),
    ((2, 1), {"labels": [["a", "b"]]}, r"labels: 1 layers came, 2 were wanted"),
    ((2, 1), {"labels": [["a"], ["b"]]}, r"labels\[0\]: 1 names came, 2 were wanted"),
])
def test_bad_arguments_are_named(sizes, keywords, message):
    with pytest.raises(ValueError, match=message):
        draw_network(sizes, **keywords)


class Node:
    """What draw_graph asks of a node."""

    def __init__(self, value, operation=None, *parents):
        self.value, self.operation, self.parents = value, operation, parents

    def pull_back(self, gradient):
        return [gradient * 10 ** k for k in range(len(self.parents))]


def small_graph():
    """Return the nodes of (x y + x)^2 and their gradients."""
    x, y = Node(2.0), Node(-3.0)
    a = Node(-6.0, "mul", x, y)
    b = Node(-4.0, "add", a, x)
    c = Node(16.0, "square", b)
    return dict(zip("xyabc", (x, y, a, b, c), strict=True)), {
        x: 16.0, y: -16.0, a: -8.0, b: -8.0, c: 1.0}


def test_a_graph_shows_operations_values_and_gradients():
    nodes, grads = small_graph()
    ax = draw_graph(nodes["c"], grads, names={nodes["x"]: "x", nodes["y"]: "y", nodes["b"]: "b"})
    assert sorted(texts(ax, "operation")) == ["+", "square", "×"]
    assert sorted(texts(ax, "input")) == ["$x$", "$y$"]
    assert set(texts(ax, "value")) == {"2.00", f"{MINUS}3.00", f"{MINUS}6.00",
                                       f"$b$ = {MINUS}4.00", "16.00"}
    assert sorted(texts(ax, "gradient")) == sorted(
        ["16.00", f"{MINUS}16.00", f"{MINUS}8.00", f"{MINUS}8.00", "1.00"])
    assert len(texts(ax, "forward")) == 5 and texts(ax, "piece") == []
    assert pixels(ax).std() > 5
    height = {gid: [t.get_position()[1] for t in ax.texts if t.get_gid() == gid]
              for gid in ("value", "gradient")}
    assert max(height["value"]) > max(height["gradient"])


def test_a_graph_without_gradients_shows_none_and_constants_hold_their_value():
    x = Node(1.5)
    ax = draw_graph(Node(4.5, "mul", x, Node(3.0)), names={x: "x"})
    assert sorted(texts(ax, "input")) == ["$x$", "3.00"] and texts(ax, "gradient") == []
    assert sorted(texts(ax, "value")) == ["1.50", "4.50"]


def test_arrays_in_a_graph_show_their_shapes():
    W = Node(np.ones((2, 3)))
    ax = draw_graph(Node(np.ones(()), "sum", W), {W: np.ones((2, 3))}, names={W: "W"})
    assert "2×3" in texts(ax, "value") and texts(ax, "gradient") == ["2×3"]


def test_pieces_stand_on_the_edges_and_a_value_used_twice_has_two():
    x = Node(1.5)
    square = Node(2.25, "mul", x, x)
    ax = draw_graph(square, {square: 1.0, x: 3.0}, names={x: "x"}, pieces=True)
    assert sorted(texts(ax, "piece")) == ["1.00", "10.00"]
    places = {t.get_position() for t in ax.texts if t.get_gid() == "piece"}
    assert len(places) == 2
    bends = {t.arrowprops["connectionstyle"] for t in ax.texts if t.get_gid() == "forward"}
    assert len(bends) == 2


def test_arrows_of_a_graph_point_right_and_go_around_the_nodes_between():
    nodes, _ = small_graph()
    ax = draw_graph(nodes["c"])
    arrows = [t for t in ax.texts if t.get_gid() in ("forward", "way")]
    assert all(arrow.xy[0] > arrow.get_position()[0] for arrow in arrows)
    assert len([t for t in arrows if t.get_gid() == "way"]) == 1  # x to b, past a
    spots = [t.get_position() for t in ax.texts if t.get_gid() in ("operation", "input")]
    way = next(t for t in arrows if t.get_gid() == "way")
    assert way.xy not in spots


def test_no_word_of_a_graph_is_cut_off_or_covered():
    nodes, grads = small_graph()
    ax = draw_graph(nodes["c"], grads, names={node: name for name, node in nodes.items()})
    ax.figure.canvas.draw()
    words = [t for t in ax.texts if t.get_text()]
    extents = [(t.get_bbox_patch() or t).get_window_extent() for t in words]
    frame = ax.figure.bbox
    for k, box in enumerate(extents):
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1
        assert frame.y0 <= box.y0 and box.y1 <= frame.y1
        assert not any(box.overlaps(other) for other in extents[k + 1:]), words[k]


def test_a_graph_of_one_node_and_one_that_is_too_large():
    assert texts(draw_graph(Node(7.0)), "input") == ["7.00"]
    chain = Node(1.0)
    for _ in range(MOST_NODES):
        chain = Node(1.0, "exp", chain)
    with pytest.raises(ValueError, match="output: its graph has more than 40 nodes"):
        draw_graph(chain)


def test_a_graph_draws_on_a_given_axes():
    ax = plt.subplots()[1]
    assert draw_graph(small_graph()[0]["c"], ax=ax) is ax


def test_matrices_are_boxes_with_their_names_and_marked_entries():
    C, A = np.array([[1, 1], [0, 0]]), np.array([[2, 0, 0], [0, 0, 0]])
    ax = draw_matrices(("C", C), "=", ("A", A))
    boxes = [patch for patch in ax.patches if patch.get_gid() == "entry"]
    assert len(boxes) == 4 + 6
    colours = [to_hex(box.get_facecolor()).upper() for box in boxes]
    assert (colours.count(GRADIENT), colours.count(GRADIENT_PALE)) == (1, 2)
    assert (texts(ax, "name"), texts(ax, "sign")) == (["C", "A"], ["="])
