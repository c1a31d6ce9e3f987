// Scrub the training: one slider over recorded snapshots; the map, each unit's line, the loss.

const SIDE = 300;
const UNIT_DASHES = [undefined, "9 5", "2 4"], UNIT_COLOURS = ["#117733", "#332288", "#882255", "#999933"];

const view = { render({ model, el }) {
  const { root, say } = begin(el, "Scrub the training");
  const d = model.get("data"), maps = numbers(d.maps), [count, size] = d.maps.shape;
  const points = numbers(d.points), classes = numbers(d.classes);
  const units = d.lines ? numbers(d.lines) : null, H = d.lines ? d.lines.shape[1] : 0;
  const hidden = d.hidden ? numbers(d.hidden) : null;
  const [x0, x1, y0, y1] = d.extent, steps = d.steps;
  const px = (x) => SIDE * (x - x0) / (x1 - x0), py = (y) => SIDE * (y1 - y) / (y1 - y0);

  const canvas = tag("canvas", { style: `width: ${SIDE}px; height: ${SIDE}px; position: absolute; left: 0; top: 0` });
  const dots = [...classes].map((k, i) => {
    const [x, y] = [px(points[2 * i]), py(points[2 * i + 1])];
    const look = { fill: k ? "#d55e00" : "#0072b2", stroke: "#fff", "stroke-width": 0.6 };
    return k ? svg("rect", { x: x - 2.6, y: y - 2.6, width: 5.2, height: 5.2, ...look })
      : svg("circle", { cx: x, cy: y, r: 3, ...look });
  });
  const lines = Array.from({ length: H }, (_, h) => svg("path", { fill: "none", "stroke-width": 3,
    stroke: UNIT_COLOURS[h % 4], "stroke-dasharray": UNIT_DASHES[h % 3] }));
  const arrows = lines.map((_, h) => svg("path", { fill: "none", "stroke-width": 3, stroke: UNIT_COLOURS[h % 4] }));
  const over = svg("svg", { width: SIDE, height: SIDE, style: "position: absolute; left: 0; top: 0" }, ...dots, ...lines, ...arrows);
  const picture = tag("div", { role: "img", "aria-label": "decision map",
    style: `position: relative; width: ${SIDE}px; height: ${SIDE}px; overflow: hidden` }, canvas, over);
  const small = hidden ? Array.from({ length: d.hidden.shape[1] }, (_, h) => tag("canvas", {
    style: "width: 96px; height: 96px; display: block", role: "img", "aria-label": `hidden unit ${h + 1}` })) : [];
  const loss = curves(d.curves.map((c, i) => ({ name: c.name, values: numbers(c.values),
    colour: i ? "var(--view-test)" : undefined, dashes: i ? "6 4" : undefined })),
  { log: d.log, label: d.label, name: d.curves.length > 1 ? "loss" : d.curves[0].name,
    at: numbers(d.at), logSteps: d.logSteps });

  /** The line w·x + b = 0 inside the picture, and an arrow to its "on" side. */
  function unitLine([a, b, c]) {
    const length = Math.hypot(a, b) || 1, foot = [-a * c / length ** 2, -b * c / length ** 2];
    const reach = 2 * Math.max(x1 - x0, y1 - y0) + Math.hypot(...foot), along = [-b / length, a / length];
    const end = (t) => [px(foot[0] + t * along[0]), py(foot[1] + t * along[1])];
    const middle = [(x0 + x1) / 2, (y0 + y1) / 2];
    const t = (middle[0] - foot[0]) * along[0] + (middle[1] - foot[1]) * along[1];
    const [mx, my] = end(t), [ux, uy] = [a / length, -b / length];
    return [`M${end(-reach)}L${end(reach)}`, `M${mx} ${my}l${22 * ux} ${22 * uy}`
      + `m${-6 * ux - 4 * uy} ${-6 * uy + 4 * ux}l${6 * ux + 4 * uy} ${6 * uy - 4 * ux}l${-6 * ux + 4 * uy} ${-6 * uy - 4 * ux}`];
  }

  const words = tag("p", { class: "number" });
  function draw(at) {
    drawMap(canvas, Float32Array.from(maps.subarray(size * at, size * (at + 1)), (v) => (v - 127.5) / 127.5),
      Math.sqrt(size), { strength: 0.45 });
    lines.forEach((line, h) => {
      const [border, arrow] = unitLine(units.slice(3 * (H * at + h), 3 * (H * at + h) + 3));
      line.setAttribute("d", border);
      arrows[h].setAttribute("d", arrow);
    });
    small.forEach((one, h) => {
      const n = d.hidden.shape[2], from = n * (small.length * at + h);
      drawMap(one, Float32Array.from(hidden.subarray(from, from + n), (v) => (v - 127.5) / 127.5), Math.sqrt(n));
    });
    loss.mark(d.positions[at]);
    words.textContent = `${d.label} ${steps[at]}: ${d.captions[at]}`;
  }
  const swatch = (h) => (H ? svg("svg", { width: 30, height: 12, style: "background: #fff; vertical-align: middle" },
    svg("line", { x1: 0, x2: 30, y1: 6, y2: 6, "stroke-width": 3, stroke: UNIT_COLOURS[h % 4],
      "stroke-dasharray": UNIT_DASHES[h % 3] })) : "");
  const key = tag("div", { class: "bar" }, ...Array.from({ length: H || small.length }, (_, h) => tag("div", {},
    small[h] ?? "", swatch(h), ` unit ${h + 1}`)));
  root.append(player(root, d.label, steps, draw, () => say(words.textContent)), words,
    tag("div", { class: "row" }, picture, tag("div", {}, loss, key)));
  draw(0);
} };

export default view;
