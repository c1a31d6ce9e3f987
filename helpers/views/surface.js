// Loss surface: the loss over two weights as a map; a click starts a descent, a slider sets its rate.

const SIDE = 300;

const view = { render({ model, el }) {
  const { root, complain, say } = begin(el, "Loss surface");
  const data = () => model.get("data"), d = data();
  complain(d.error);
  if (!d.extent) return; // there is no map
  const [x0, x1, y0, y1] = d.extent;
  const map = numbers(d.map), columns = Math.sqrt(map.length);
  const px = (x) => SIDE * (x - x0) / (x1 - x0), py = (y) => SIDE * (y1 - y) / (y1 - y0);
  const start = [...model.get("controls").start];

  const canvas = tag("canvas", { style: `width: ${SIDE}px; height: ${SIDE}px; position: absolute; left: 0; top: 0` });
  drawMap(canvas, Float32Array.from(map, (v) => (v - 127.5) / 127.5), columns, { strength: 0.75 });
  const under = svg("path", { fill: "none", stroke: "#fff", "stroke-width": 4 });
  const way = svg("path", { fill: "none", stroke: "#222", "stroke-width": 1.6 });
  const arrow = svg("path", { fill: "none", stroke: "#e69f00", "stroke-width": 4 });
  const dots = svg("g"), first = svg("circle", { r: 6, fill: "#fff", stroke: "#222", "stroke-width": 2 });
  const board = svg("svg", { width: SIDE, height: SIDE, tabindex: 0, role: "application",
    style: "position: absolute; left: 0; top: 0; cursor: crosshair; touch-action: none",
    "aria-label": "the loss over two weights: a click or the arrow keys move the start of the descent" },
  under, way, arrow, dots, first);
  const picture = tag("div", { style: `position: relative; width: ${SIDE}px; height: ${SIDE}px; overflow: hidden` }, canvas, board);
  const words = tag("p", { class: "number" }), chart = tag("div");

  function move(x, y) {
    start[0] = Math.min(x1, Math.max(x0, x));
    start[1] = Math.min(y1, Math.max(y0, y));
    send(model, { start: [...start] });
  }
  board.addEventListener("pointerdown", (event) => {
    const box = board.getBoundingClientRect();
    move(x0 + (x1 - x0) * (event.clientX - box.left) / box.width, y1 - (y1 - y0) * (event.clientY - box.top) / box.height);
  });
  board.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    event.stopPropagation();
    move(start[0] + dx * (x1 - x0) / 40, start[1] + dy * (y1 - y0) / 40);
  });

  /** The first step as an arrow, never longer than the picture is wide. */
  function firstStep([ax, ay], [bx, by]) {
    const length = Math.hypot(bx - ax, by - ay) || 1, [ux, uy] = [(bx - ax) / length, (by - ay) / length];
    const reach = Math.min(length, SIDE), [ex, ey] = [ax + reach * ux, ay + reach * uy];
    return `M${ax} ${ay}L${ex} ${ey}M${ex - 9 * ux - 6 * uy} ${ey - 9 * uy + 6 * ux}L${ex} ${ey}`
      + `L${ex - 9 * ux + 6 * uy} ${ey - 9 * uy - 6 * ux}`;
  }
  function draw() {
    complain(data().error);
    if (!data().path) return;
    const flat = numbers(data().path), losses = numbers(data().losses);
    const points = Array.from(losses, (_, i) => [px(flat[2 * i]), py(flat[2 * i + 1])]);
    const line = `M${points.map((p) => p.map((v) => v.toFixed(1)).join(" ")).join("L")}`;
    under.setAttribute("d", line);
    way.setAttribute("d", line);
    arrow.setAttribute("d", firstStep(...points));
    first.setAttribute("cx", points[0][0]);
    first.setAttribute("cy", points[0][1]);
    dots.replaceChildren(...points.slice(1).map(([cx, cy]) => svg("circle", { cx, cy, r: 2.6, fill: "#222" })));
    const curve = curves([{ name: "loss", values: losses }], { label: "step" });
    curve.mark(losses.length - 1);
    chart.replaceChildren(curve);
    words.textContent = `From ${d.names[0]} ${shown(flat[0], 3)}, ${d.names[1]} ${shown(flat[1], 3)}: ${data().said}`;
    say(words.textContent);
    root.dataset.frames = Number(root.dataset.frames ?? 0) + 1;
  }
  const rate = slider("rate", { min: 0, max: d.rates.length - 1, step: 1, value: model.get("controls").rate,
    format: (i) => d.rates[i], oninput: (i) => send(model, { rate: i }) });
  root.append(tag("div", { class: "bar" }, rate, tag("span", {}, "click into the map, or use the arrow keys there")),
    tag("div", { class: "row" }, tag("div", {}, picture, tag("p", {}, `to the right: ${d.names[0]}; upwards: ${d.names[1]}; blue: a small loss`)), chart),
    words);
  model.on("change:data", draw);
  draw();
} };

export default view;
