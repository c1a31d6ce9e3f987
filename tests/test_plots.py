import matplotlib

matplotlib.use("Agg")

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb, to_rgba

from helpers import datasets, palette, plots

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def sigmoid_map(grid):
    return 1 / (1 + np.exp(-4 * grid[:, 0]))


CALLS = {
    "scatter_classes": (X, Y),
    "scatter_values": (X, X[:, 1]),
    "curve": ([0, 1, 2], [0, 1, 4]),
    "loss_curves": ({"train_loss": [3, 2, 1.5], "test_loss": [4, 3, 3.5]},),
    "log_curves": ({"one": ([1, 10, 100], [3, 2, 1.5]), "two": ([2, 20], [1, 5])},),
    "unit_lines": (np.array([[1.0, 0.5], [0.2, -1.0]]), np.array([0.1, -0.3]), X, Y),
    "predictions_over_epochs": (RNG.normal(size=(9, 5)), np.arange(5)),
    "predicted_vs_true": ({"train": ([1, 2, 3], [1.5, 2, 2]), "test": ([2], [1])},),
    "decision_map": (sigmoid_map, X, Y),
    "loss_surface": (lambda u, v: 1 + u ** 2 + v ** 2, [-1, 0, 1], [-1, 0, 1]),
    "over_starts": ([0, 0.1, 1], {"train": RNG.random((3, 4)), "test": RNG.random((3, 4))}),
}


def pixels(ax):
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())[..., :3].astype(float)


@pytest.mark.parametrize("name", CALLS)
def test_each_plot_makes_a_figure_or_draws_on_the_given_axes(name):
    draw = getattr(plots, name)
    ax = draw(*CALLS[name], title="A title", xlabel="across", ylabel="up")
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("A title", "across", "up")
    assert pixels(ax).std() > 5
    figure, (left, right) = plt.subplots(1, 2, facecolor="black")
    assert draw(*CALLS[name], ax=left) is left and plt.get_fignums() == [1, 2]
    assert left.has_data() and not right.has_data()
    assert left.get_xlabel() and left.get_ylabel()
    assert to_hex(figure.get_facecolor()) == to_hex(left.get_facecolor()) == "#ffffff"


@pytest.mark.parametrize("name", CALLS)
def test_no_part_of_a_plot_is_cut_off(name):
    ax = getattr(plots, name)(*CALLS[name], title="A title")
    ax.figure.canvas.draw()
    box, frame = ax.figure.get_tightbbox().bounds, ax.figure.bbox_inches.bounds
    assert min(box[:2]) >= -1e-9
    assert box[0] + box[2] <= frame[2] + 1e-9 and box[1] + box[3] <= frame[3] + 1e-9


@pytest.mark.parametrize("shape", [(40,), (40, 1)])
def test_classes_have_their_colour_marker_and_name(shape):
    ax = plots.scatter_classes(X, Y.reshape(shape), names=["left", "right"])
    for k, points in enumerate(ax.collections):
        np.testing.assert_array_equal(points.get_offsets(), X[Y == k])
        assert to_hex(points.get_facecolor()[0]).upper() == palette.CLASS_COLOURS[k]
    outlines = [points.get_paths()[0].vertices for points in ax.collections]
    assert len(outlines[0]) != len(outlines[1])  # a circle and a square
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["left", "right"]


def test_a_class_keeps_its_colour_when_others_are_missing():
    ax = plots.scatter_classes(X[:3], [3, 3, 3])
    assert to_hex(ax.collections[0].get_facecolor()[0]).upper() == palette.CLASS_COLOURS[3]
    assert ax.get_legend().get_texts()[0].get_text() == "class 3"


def test_values_are_coloured_and_explained():
    data, income = datasets.income()
    ax = plots.scatter_values(data, income, label="income (thousands of dollars)")
    points = ax.collections[0]
    np.testing.assert_array_equal(points.get_offsets(), data)
    np.testing.assert_array_equal(points.get_array(), income[:, 0])
    assert points.get_cmap().name == "cividis"
    assert ax.figure.axes[1].get_ylabel() == "income (thousands of dollars)"


def test_a_curve_joins_its_points():
    line, = plots.curve([0, 1, 3], [[2], [4], [8]]).lines
    np.testing.assert_array_equal(line.get_xydata(), [[0, 2], [1, 4], [3, 8]])


def test_a_history_is_drawn_as_train_and_test_on_a_log_axis():
    history = {"train_loss": [3.0, 2.0, 1.0], "test_loss": [4.0, 3.0, 2.0],
               "predictions": np.zeros((3, 15, 1))}
    ax = plots.loss_curves(history)
    assert [line.get_label() for line in ax.lines] == ["train", "test"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), history["train_loss"])
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), [0, 1, 2])
    assert [line.get_color() for line in ax.lines] == [palette.TRAIN, palette.TEST]
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--"]
    assert ax.get_yscale() == "log"
    assert plots.loss_curves(history, log=False).get_yscale() == "linear"


def test_log_curves_have_an_x_of_their_own_and_the_axes_asked_for():
    curves = {"one": ([1, 10, 100], [3, 2, 1.5]), "two": ([2, 20], [[1], [5]])}
    ax = plots.log_curves(curves, log="xy")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [[2, 1], [20, 5]])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["one", "two"]
    assert ax.lines[0].get_linewidth() > ax.lines[1].get_linewidth()
    assert plots.log_curves(curves).get_xscale() == "linear"
    with pytest.raises(ValueError, match="curves: 0 came"):
        plots.log_curves({})
    with pytest.raises(ValueError, match=r"curves\['one'\], y: shape \(2,\) came, \(3,\)"):
        plots.log_curves({"one": ([1, 2, 3], [1, 2])})


def test_unit_lines_are_where_the_weighted_sum_is_zero():
    W, b = np.array([[2.0, -1.0, 0.0], [1.0, 3.0, 0.0]]), np.array([-0.5, 1.0, 0.7])
    ax = plots.unit_lines(W, b, X, Y)
    assert [line.get_label() for line in ax.lines] == ["unit 1", "unit 2"]  # the third has none
    for k, line in enumerate(ax.lines):
        np.testing.assert_allclose(line.get_xydata() @ W[:, k] + b[k], 0, atol=1e-12)
    for k, arrow in enumerate(ax.texts):
        tip, foot = np.array(arrow.get_position()), np.array(arrow.xy)
        if (foot @ W[:, k] + b[k]) < 1e-9:  # xy is where the arrow points to
            tip, foot = foot, tip
        assert max(tip @ W[:, k], foot @ W[:, k]) + b[k] > 0.1
    styles = {(line.get_color(), str(line.get_linestyle())) for line in ax.lines}
    assert len({colour for colour, _ in styles}) == len({style for _, style in styles}) == 2
    assert len(plots.unit_lines(W, b, X).collections) == 0


@pytest.mark.parametrize("W, b", [(np.ones((3, 2)), np.ones(2)), (np.ones((2, 3)), np.ones(2)),
                                  (np.ones((2, 0)), np.ones(0)), (np.ones(2), np.ones(2))])
def test_unit_lines_refuse_shapes_that_do_not_fit(W, b):
    with pytest.raises(ValueError, match="W, b: shapes"):
        plots.unit_lines(W, b, X)


def test_equal_curves_are_both_seen():
    losses = np.geomspace(3, 0.1, 50)
    alone, both, swapped = (pixels(plots.loss_curves(curves)) for curves in (
        {"by hand": losses, "PyTorch": losses * np.nan}, {"by hand": losses, "PyTorch": losses},
        {"by hand": losses * np.nan, "PyTorch": losses}))
    assert np.abs(both - alone).max() > 100 and np.abs(both - swapped).max() > 50
    thick, thin = plots.loss_curves({"by hand": losses, "PyTorch": losses}).lines
    assert thick.get_linewidth() > 3 * thin.get_linewidth()
    assert thick.get_zorder() < thin.get_zorder()
    assert thick.get_linestyle() == "-" and thin.get_linestyle() == "--"
    thin, thick = plots.loss_curves({"train": losses, "PyTorch": losses}).lines
    assert thick.get_linewidth() > 3 * thin.get_linewidth()
    assert thick.get_zorder() < thin.get_zorder()


def test_a_number_is_a_level_line_and_nan_leaves_a_gap():
    ax = plots.loss_curves({"train": [2, np.nan, 1], "linear regression": 0.05})
    level = ax.lines[1]
    assert list(level.get_ydata()) == [0.05, 0.05] and level.get_label() == "linear regression"
    assert level.get_color() == palette.FAINT
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [2, np.nan, 1])


@pytest.mark.parametrize("shape", [(30, 15), (30, 15, 1)])
def test_each_sample_has_a_line_and_its_true_value_dashed_in_one_colour(shape):
    y = datasets.income()[1][:15]
    predictions = RNG.normal(60, 9, size=shape)
    ax = plots.predictions_over_epochs(predictions, y)
    lines = [line for line in ax.lines if len(line.get_xdata())]
    assert len(lines) == 30
    for k, (line, truth) in enumerate(zip(lines[::2], lines[1::2], strict=True)):
        np.testing.assert_array_equal(line.get_ydata(), predictions[:, k].ravel())
        assert list(truth.get_ydata()) == [y[k, 0]] * 2
        assert to_rgba(line.get_color()) == to_rgba(truth.get_color())
        assert line.get_linestyle() == "-" and truth.get_linestyle() == "--"
    colours = [to_rgb(line.get_color()) for line in lines[::2]]
    brightness = np.array([sum(colours[k]) for k in np.argsort(y[:, 0])])
    assert (np.diff(brightness) >= 0).all() and brightness[-1] < 2.05  # yellow is not too pale
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["prediction", "true value"]


def test_predicted_against_true_has_a_diagonal_on_equal_axes():
    sets = {"train": ([[10.0], [20.0]], [[12.0], [19.0]]), "test": ([15.0], [30.0]),
            "other": ([11.0], [11.0])}
    ax = plots.predicted_vs_true(sets)
    train, test, other = ax.collections
    np.testing.assert_array_equal(train.get_offsets(), [[10, 12], [20, 19]])
    np.testing.assert_array_equal(test.get_offsets(), [[15, 30]])
    colours = [to_hex(c.get_facecolor()[0]).upper() for c in (train, test)]
    assert colours == [palette.TRAIN, palette.TEST]
    assert len(train.get_paths()[0].vertices) != len(test.get_paths()[0].vertices)
    assert to_hex(other.get_facecolor()[0]).upper() not in colours
    diagonal = ax.lines[0]
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert ax.get_xlim() == ax.get_ylim() and ax.get_aspect() == 1
    assert ax.get_xlim()[0] < 10 and ax.get_xlim()[1] > 30


@pytest.mark.parametrize("column", [False, True])
def test_a_decision_map_shows_each_value_at_its_place_and_the_border(column):
    calls = []

    def predict(grid):
        calls.append(grid.shape)
        scores = sigmoid_map(grid) * (grid[:, 1] > -99)
        return scores[:, None] if column else scores

    ax = plots.decision_map(predict, X, Y)
    assert calls == [(10_000, 2)]
    image = ax.images[0]
    values = image.get_array()
    left, right, low, high = image.get_extent()
    assert (left < X[:, 0]).all() and (X[:, 0] < right).all()
    assert (low < X[:, 1]).all() and (X[:, 1] < high).all() and image.origin == "lower"
    np.testing.assert_allclose(values[7], 1 / (1 + np.exp(-4 * np.linspace(left, right, 100))))
    warm, cold = image.cmap(1.0), image.cmap(0.0)
    assert warm[0] > warm[2] and cold[2] > cold[0] and image.get_clim() == (0, 1)
    border = np.concatenate([path.vertices for c in ax.collections if hasattr(c, "levels")
                             for path in c.get_paths()])
    np.testing.assert_allclose(border[:, 0], 0, atol=1e-3)
    points = [c for c in ax.collections if not hasattr(c, "levels")]
    assert sum(len(c.get_offsets()) for c in points) == len(X)
    assert ax.get_legend() is None


def test_a_loss_surface_has_its_values_and_the_path():
    ax = plots.loss_surface(lambda u, v: 1 + u + 10 * v, [0, 1, 2], [0, 1],
                            path=np.array([[0, 0], [1, 1], [2, 1]]))
    assert ax.collections[0].get_array().ravel().tolist() == [1, 2, 3, 11, 12, 13]
    assert ax.lines[1].get_xydata().tolist() == [[0, 0], [1, 1], [2, 1]]
    with pytest.raises(ValueError, match="was wanted"):
        plots.loss_surface(lambda u, v: 1, [0, 1], [0, 1], path=np.zeros(3))


def test_a_decision_map_is_not_upside_down_and_can_leave_points_and_bar_out():
    ax = plots.decision_map(lambda grid: (grid[:, 1] > 0).astype(float), X, label=None)
    values = ax.images[0].get_array()
    assert values[0].max() == 0 and values[-1].min() == 1
    assert len(ax.figure.axes) == 1
    assert all(hasattr(c, "levels") for c in ax.collections)


def test_a_map_without_a_border_draws_none(recwarn):
    ax = plots.decision_map(lambda grid: np.full(len(grid), 0.9), X)
    assert not ax.collections and not recwarn.list


@pytest.mark.parametrize("call, message", [
    (lambda: plots.scatter_classes(X.T, Y), r"X: shape \(2, 40\) came, \(N, 2\)"),
    (lambda: plots.scatter_classes(X[:0], Y[:0]), r"X: shape \(0, 2\) came"),
    (lambda: plots.scatter_classes(X, Y[:9]), r"y: shape \(9,\) came, \(40,\) or \(40, 1\)"),
    (lambda: plots.scatter_classes(X, Y + 0.5), r"y: classes \[0.5 1.5\] came"),
    (lambda: plots.scatter_classes(X, Y - 1), r"y: classes \[-1.  0.\] came"),
    (lambda: plots.scatter_classes(X, Y, names=["one"]), r"names: 1 came, 2 were wanted"),
    (lambda: plots.scatter_values(X, np.ones((40, 2))), r"values: shape \(40, 2\) came"),
    (lambda: plots.curve([1, 2], [1, 2, 3]), r"y: shape \(3,\) came, \(2,\) or"),
    (lambda: plots.loss_curves({}), r"curves: none came"),
    (lambda: plots.loss_curves({"predictions": [1]}), r"curves: none came"),
    (lambda: plots.loss_curves({"train": []}), r"curves\['train'\]: shape \(0,\) came"),
    (lambda: plots.loss_curves({"test": np.ones((3, 2))}), r"curves\['test'\]: shape \(3, 2\)"),
    (lambda: plots.predictions_over_epochs(np.ones((9, 4)), np.ones(5)),
     r"predictions: shape \(9, 4\) came, \(epochs, 5\) or \(epochs, 5, 1\) was wanted"),
    (lambda: plots.predictions_over_epochs(np.ones((9, 5, 2)), np.ones(5)), r"shape \(9, 5, 2\)"),
    (lambda: plots.predictions_over_epochs(np.ones((9, 4)), np.ones((2, 2))),
     r"y: shape \(2, 2\) came, \(N,\) or \(N, 1\) was wanted"),
    (lambda: plots.predicted_vs_true({}), r"sets: none came"),
    (lambda: plots.predicted_vs_true({"test": ([1, 2], [1])}),
     r"sets\['test'\], predictions: shape \(1,\) came, \(2,\) or \(2, 1\) was wanted"),
    (lambda: plots.decision_map(sigmoid_map, X[:, :1]), r"X: shape \(40, 1\) came"),
    (lambda: plots.decision_map(lambda grid: grid, X),
     r"predict\(grid\): shape \(10000, 2\) came, \(10000,\) or \(10000, 1\) was wanted"),
])
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_arguments_stay_as_they_were():
    points, classes = X.copy(), Y.copy()
    plots.decision_map(sigmoid_map, points, classes)
    plots.scatter_values(points, classes)
    np.testing.assert_array_equal(points, X)
    np.testing.assert_array_equal(classes, Y)


# How three kinds of colour-blind eyes see linear RGB: G. M. Machado, M. M. Oliveira and
# L. A. F. Fernandes, "A physiologically-based model for simulation of color vision deficiency",
# IEEE Transactions on Visualization and Computer Graphics 15 (2009), severity 1.0.
EYES = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour, eye):
    """CIE L*a*b* of a colour as this eye sees it."""
    c = np.array(to_rgb(colour))
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    t = TO_XYZ @ np.clip(EYES[eye] @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    fx, fy, fz = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


TOGETHER = {
    "signs and gradient": [palette.POSITIVE, palette.NEGATIVE, palette.GRADIENT],
    "train and test": [palette.TRAIN, palette.TEST, palette.VALIDATION, palette.LEVEL["color"]],
    "curves": [curve["color"] for curve in palette.CURVES[:2]],
    "classes": palette.CLASS_COLOURS[:5],
    "outcomes": list(palette.OUTCOMES.values()),
    "nodes": [palette.INK, palette.NODE, palette.GRADIENT],
}


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("colours", TOGETHER.values(), ids=TOGETHER.keys())
def test_colours_that_appear_together_are_told_apart(colours, eye):
    for one, other in combinations(colours, 2):
        distance = np.linalg.norm(lab(one, eye) - lab(other, eye))
        assert distance > 15, f"{one} and {other}: {distance:.0f}"


def test_red_and_green_would_not_pass():
    red, green = (lab(colour, "deuteranopia") for colour in ("#B22222", "#5A7A1E"))
    assert np.linalg.norm(red - green) < 15


def test_no_meaning_rests_on_colour_alone():
    assert len(set(palette.CLASS_MARKERS)) == len(palette.CLASS_COLOURS) == 10
    assert len(set(palette.CLASS_COLOURS)) == 10
    for styles in (palette.SIGNS, palette.SETS, dict(enumerate(palette.CURVES))):
        lines = [style["linestyle"] for style in styles.values()]
        assert len(set(lines)) == len(lines) and len({s["color"] for s in styles.values()}) > 1
    reserved = {palette.TRAIN, palette.TEST, palette.VALIDATION, palette.GRADIENT}
    assert not reserved & {*palette.CLASS_COLOURS, *palette.OUTCOMES.values()}


def test_the_diverging_colormap_runs_between_the_signs_over_white():
    cmap = palette.diverging()
    ends = [to_hex(cmap(end)).upper() for end in (0.0, 1.0)]
    assert ends == [palette.NEGATIVE, palette.POSITIVE]
    np.testing.assert_allclose(cmap(0.5)[:3], 1, atol=0.01)
    assert np.mean(palette.diverging(0.5)(0.0)[:3]) > np.mean(cmap(0.0)[:3])


def test_outcomes_are_counted_and_mistakes_stand_out():
    X = np.arange(10.0).reshape(5, 2)
    ax = plots.scatter_outcomes(X, [1, 1, 0, 0, 1], [[1], [0], [0], [1], [1]])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["true positive: 2", "true negative: 1", "false positive: 1",
                      "false negative: 1"]
    right, _, wrong, missed = ax.collections
    assert wrong.get_sizes()[0] > right.get_sizes()[0]
    assert missed.get_offsets().tolist() == [[2.0, 3.0]]
    with pytest.raises(ValueError, match="other than 0 and 1"):
        plots.scatter_outcomes(X, [1, 1, 0, 0, 2], [1, 0, 0, 1, 1])


def test_a_heat_map_writes_its_numbers_into_the_cells():
    table = pd.DataFrame([[0.5, 1.0], [0.25, 0.75], [0.0, 0.125]], index=list("abc"),
                         columns=["p", "q"])
    ax = plots.heat_map(table, label="share", digits=3, low=0, high=1, xlabel="x", ylabel="y")
    assert [text.get_text() for text in ax.texts] == [
        "0.500", "1.000", "0.250", "0.750", "0.000", "0.125"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b", "c"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    assert ax.collections[0].get_clim() == (0, 1)
    with pytest.raises(ValueError, match="table"):
        plots.heat_map(pd.DataFrame())


def test_lines_carry_their_names_and_no_name_covers_another():
    values = np.column_stack([np.linspace(0, 1, 5), np.linspace(0, 1.001, 5), np.zeros(5)])
    ax = plots.lines(range(5), values, ["a", "b", "c"], xlabel="x", ylabel="y")
    names = {text.get_text(): text.xy for text in ax.texts}
    assert list(names) == ["a", "b", "c"] and names["c"] == (4, 0)
    assert names["b"][1] - names["a"][1] > 0.05
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    with pytest.raises(ValueError, match="values: shape"):
        plots.lines(range(4), values, ["a", "b", "c"])


def test_starts_are_drawn_as_their_median_and_their_range():
    train, other = np.array([[1.0, 2, 9], [4, 5, 6]]), np.array([[3.0], [7.0]])
    ax = plots.over_starts([0, 0.5], {"train": train, "penalty": other})
    line, second = ax.lines
    np.testing.assert_array_equal(line.get_xydata(), [[0, 2], [1, 5]])
    np.testing.assert_array_equal(second.get_ydata(), [3, 7])
    assert line.get_color() == palette.TRAIN and second.get_color() != palette.TRAIN
    assert line.get_marker() != second.get_marker()
    band = ax.collections[0].get_paths()[0].vertices
    assert {tuple(v) for v in band} == {(0, 1), (0, 9), (1, 4), (1, 6)}
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "0.5"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["train", "penalty"]


@pytest.mark.parametrize("results", [{}, {"train": [1, 2]}, {"train": [[1, 2]]},
                                     {"train": np.ones((2, 0))}])
def test_results_of_starts_must_fit_the_settings(results):
    with pytest.raises(ValueError, match="results"):
        plots.over_starts([0, 1], results)


def test_pictures_stand_in_rows_on_one_scale_with_their_captions():
    pictures = np.arange(5 * 2 * 3.0).reshape(5, 2, 3)
    ax = plots.images(pictures, list("abcde"), columns=3)
    assert [text.get_text() for text in ax.texts] == list("abcde")
    assert [image.get_clim() for image in ax.images] == [(0, 29)] * 5
    for image, picture in zip(ax.images, pictures, strict=True):
        np.testing.assert_array_equal(image.get_array(), picture)
    assert pixels(ax).std() > 5 and to_hex(ax.figure.get_facecolor()) == "#ffffff"
    assert plots.images(pictures, ax=(given := plt.subplots()[1])) is given
    lefts, tops = zip(*[(i.get_extent()[0], i.get_extent()[3]) for i in ax.images], strict=True)
    assert lefts[0] < lefts[1] < lefts[2] and lefts[3] == lefts[0]
    assert tops[0] == tops[1] == tops[2] > tops[3] == tops[4]


def test_signed_pictures_have_white_for_zero_and_a_colour_bar():
    ax = plots.images(np.array([[[-1.0, 0.0], [0.5, 0.25]]]), signed=True, label="weight")
    image = ax.images[0]
    assert image.get_clim() == (-1, 1)
    np.testing.assert_allclose(image.cmap(image.norm(0.0))[:3], 1, atol=0.01)
    assert ax.figure.axes[-1].get_ylabel() == "weight"


@pytest.mark.parametrize("call, message", [
    (lambda: plots.images(np.ones((8, 8))), r"pictures: shape \(8, 8\) came"),
    (lambda: plots.images(np.ones((0, 8, 8))), r"pictures: shape \(0, 8, 8\) came"),
    (lambda: plots.images(np.ones((2, 8, 8)), ["one"]), "captions: 1 came, 2 were wanted"),
    (lambda: plots.images(np.ones((2, 8, 8)), columns=0), "columns: 0 came"),
])
def test_pictures_that_do_not_fit_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
