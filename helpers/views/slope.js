// Slope: a dot on a curve with tangent and secant; the error of the measured slope against eps.

const W = 340, H = 260, LEFT = 52, RIGHT = W - 20, TOP = 12, BOTTOM = H - 40;
const FLOOR = 1e-17;

/** A picture with axes, and functions from values to places in it. */
function plot([x0, x1], [y0, y1], label, name) {
  const X = (v) => LEFT + (RIGHT - LEFT) * (v - x0) / (x1 - x0), Y = (v) => BOTTOM - (BOTTOM - TOP) * (v - y0) / (y1 - y0);
  const text = (x, y, words, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, words);
  const inside = svg("svg", { x: LEFT, y: TOP, width: RIGHT - LEFT, height: BOTTOM - TOP, viewBox: `${LEFT} ${TOP} ${RIGHT - LEFT} ${BOTTOM - TOP}` });
  const power = (v) => (name === "error" ? `1e${shown(v, 2)}` : shown(v, 2));
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, width: W, height: H, role: "img", "aria-label": `${name} over ${label}`, style: "max-width: 100%" },
    svg("path", { d: `M${LEFT} ${TOP}V${BOTTOM}H${RIGHT}`, fill: "none", stroke: "var(--view-line)" }),
    ...ticks(y0, y1).map((v) => text(LEFT - 5, Y(v) + 4, power(v), "end")),
    ...ticks(x0, x1).map((v) => text(X(v), BOTTOM + 17, power(v))),
    text((LEFT + RIGHT) / 2, H - 6, label), text(LEFT + 6, TOP + 10, name, "start"), inside);
  return { picture, inside, X, Y };
}

const path = (points) => `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;

const view = { render({ model, el }) {
  const { root, say } = begin(el, "Slope of a curve");
  const d = model.get("data"), ys = d.f, room = 0.08 * (Math.max(...ys) - Math.min(...ys));
  let at = d.start, k = 1;
  const curve = plot([d.x[0], d.x.at(-1)], [Math.min(...ys) - room, Math.max(...ys) + room], "x", "f(x)");
  const errorsOf = (i) => d.measured[i].map((m) => Math.log10(Math.max(Math.abs(m - d.rule[i]), FLOOR)));
  const logs = d.eps.map(Math.log10);
  const errors = plot([logs.at(-1), logs[0]], [-17, 1], "eps", "error");

  const tangent = svg("path", { fill: "none", stroke: "var(--view-key)", "stroke-width": 3 });
  const secant = svg("path", { fill: "none", stroke: "var(--view-minus)", "stroke-width": 2, "stroke-dasharray": "6 4" });
  const ends = [0, 1].map(() => svg("circle", { r: 4, fill: "var(--view-minus)" }));
  const dot = svg("circle", { r: 7, fill: "var(--view-ink)", style: "cursor: grab" });
  curve.inside.append(svg("path", { fill: "none", stroke: "var(--view-ink)", "stroke-width": 2,
    d: path(d.curve.map(([x, y]) => [curve.X(x), curve.Y(y)])) }), tangent, secant, ...ends, dot);
  const line = svg("path", { fill: "none", stroke: "var(--view-ink)", "stroke-width": 2 });
  const mark = svg("circle", { r: 6, fill: "var(--view-key)" });
  errors.inside.append(line);
  errors.picture.append(mark);
  const words = tag("p", { class: "number" });

  /** A line through (x, y) with a slope, across the whole picture. */
  function across(x, y, slope) {
    return path([d.x[0], d.x.at(-1)].map((v) => [curve.X(v), curve.Y(y + slope * (v - x))]));
  }
  function height(x) {
    const i = Math.max(0, Math.min(d.curve.length - 2, d.curve.findIndex((p) => p[0] >= x) - 1));
    const [[xa, ya], [xb, yb]] = [d.curve[i], d.curve[i + 1]];
    return ya + (yb - ya) * (x - xa) / (xb - xa);
  }
  function draw() {
    const x = d.x[at], y = ys[at], eps = d.eps[k], measured = d.measured[at][k], log = errorsOf(at);
    dot.setAttribute("cx", curve.X(x));
    dot.setAttribute("cy", curve.Y(y));
    tangent.setAttribute("d", across(x, y, d.rule[at]));
    secant.setAttribute("d", across(x - eps, eps > 0.01 ? height(x - eps) : y, measured));
    [x - eps, x + eps].forEach((v, i) => {
      ends[i].setAttribute("cx", curve.X(v));
      ends[i].setAttribute("cy", curve.Y(eps > 0.01 ? height(v) : y));
    });
    line.setAttribute("d", path(log.map((e, i) => [errors.X(logs[i]), errors.Y(e)])));
    mark.setAttribute("cx", errors.X(logs[k]));
    mark.setAttribute("cy", errors.Y(log[k]));
    words.textContent = `x = ${shown(x, 3)}, eps = ${eps.toExponential(0)}: measured ${shown(measured, 8)}, `
      + `by the rule ${shown(d.rule[at], 8)}, off by ${Math.abs(measured - d.rule[at]).toExponential(1)}`;
  }
  const moveX = slider("x", { min: 0, max: d.x.length - 1, step: 1, value: at, format: (i) => shown(d.x[i], 3),
    oninput: (i) => { at = i; draw(); } });
  const moveEps = slider("eps", { min: 0, max: d.eps.length - 1, step: 1, value: k, format: (i) => d.eps[i].toExponential(0),
    oninput: (i) => { k = i; draw(); } });
  for (const one of [moveX, moveEps]) one.input.addEventListener("change", () => say(words.textContent));

  let held = false;
  function drag(event) {
    const box = curve.picture.getBoundingClientRect();
    const part = ((event.clientX - box.left) * W / box.width - LEFT) / (RIGHT - LEFT);
    at = Math.max(0, Math.min(d.x.length - 1, Math.round(part * (d.x.length - 1))));
    moveX.put(at);
    draw();
  }
  Object.assign(curve.picture.style, { touchAction: "none", userSelect: "none" });
  curve.picture.addEventListener("pointerdown", (event) => {
    held = true;
    curve.picture.setPointerCapture(event.pointerId);
    drag(event);
  });
  curve.picture.addEventListener("pointermove", (event) => { if (held) drag(event); });
  curve.picture.addEventListener("pointerup", () => { held = false; });

  root.append(tag("div", { class: "bar" }, moveX, moveEps), words,
    tag("div", { class: "row" }, curve.picture, errors.picture),
    tag("div", { class: "bar" }, ...[["var(--view-key)", "— ", "tangent"], ["var(--view-minus)", "- - ", "secant through x − eps and x + eps"]]
      .map(([color, sample, name]) => tag("span", {}, tag("b", { style: `color: ${color}` }, sample), name))));
  draw();
} };

export default view;
