// Attention: one slider over recorded maps, a row for each position that writes, a column for each that is read.

const STOPS = [[0, 34, 78], [67, 78, 108], [125, 124, 120], [188, 174, 108], [254, 232, 56]]; // 0, ¼, ½, ¾, 1

/** The colour of a value from 0 to 255, dark blue to yellow. */
function level(value) {
  const at = value / 255 * 4, low = Math.min(3, Math.floor(at));
  return STOPS[low].map((c, i) => Math.round(c + (STOPS[low + 1][i] - c) * (at - low)));
}

const view = { render({ model, el }) {
  const { root, say } = begin(el, "Attention maps");
  const d = model.get("data"), maps = numbers(d.maps), masked = numbers(d.masked), [, heads, T] = d.maps.shape;
  const cell = Math.max(9, Math.min(30, Math.floor({ 1: 300, 2: 230 }[heads] ?? 180) / T));
  const side = cell * T, longest = Math.max(...d.rows.map((r) => r.length)), font = Math.min(13, cell + 1);
  const left = 20 + 8 * Math.min(12, longest), top = 36, chosen = [0, 0];
  let at = 0;

  /** One map with its labels; `put()` draws the present moment, `mark()` the chosen cell. */
  function panel(head) {
    const canvas = tag("canvas", { style: `width: ${side}px; height: ${side}px; position: absolute; left: ${left}px; top: ${top}px;`
      + " box-sizing: content-box; margin: -1px; background: repeating-linear-gradient(45deg, var(--view-line) 0 2px, transparent 2px 6px)" });
    const text = (x, y, words, anchor = "middle", size = font) => svg("text", { x, y, "text-anchor": anchor,
      style: `font-size: ${size}px` }, words);
    const middle = (i) => (i + 0.5) * cell, clear = (words) => (words === " " ? "␣" : words);
    const most = svg("g", { fill: "#222", stroke: "#fff", "stroke-width": 0.8 });
    const frame = svg("rect", { width: cell, height: cell, fill: "none", stroke: "var(--view-key)", "stroke-width": 3 });
    const board = svg("svg", { width: left + side + 6, height: top + side + 6, tabindex: 0, role: "application",
      style: "position: relative; display: block; touch-action: manipulation", "aria-label": `${d.heads[head]}: a map of ${T} rows, where it is written, and ${T}`
      + " columns, what it reads; the arrow keys choose a cell" },
    text(left, 12, d.heads[head], "start", 13), ...d.tokens.map((t, i) => text(left + middle(i), top - 6, clear(t))),
    ...d.rows.map((t, i) => text(left - 6, top + middle(i) + font / 3, clear(t), "end")),
    svg("g", { transform: `translate(${left} ${top})` }, most, frame));
    board.addEventListener("pointermove", (event) => {
      const box = board.getBoundingClientRect();
      const [row, column] = [event.clientY - box.top - top, event.clientX - box.left - left].map((v) => Math.floor(v / cell));
      if (Math.min(row, column) >= 0 && Math.max(row, column) < T) choose(row, column);
    });
    board.addEventListener("keydown", (event) => {
      const [dy, dx] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [0, 0];
      if (!dx && !dy) return;
      event.preventDefault();
      choose(...[chosen[0] + dy, chosen[1] + dx].map((v) => Math.max(0, Math.min(T - 1, v))));
      say(cellWords.textContent);
    });
    return { picture: tag("div", { style: "position: relative" }, canvas, board), put() {
      const from = T * T * (heads * at + head), image = new ImageData(T, T), dots = [];
      for (let i = 0; i < T * T; i++) {
        const value = maps[from + i];
        image.data.set(masked[i] ? [0, 0, 0, 0] : [...level(value), 255], 4 * i);
        if (value > 128) dots.push(svg("circle", { cx: middle(i % T), cy: middle(Math.floor(i / T)), r: Math.min(4, cell / 5) }));
      }
      canvas.width = canvas.height = T;
      canvas.getContext("2d").putImageData(image, 0, 0);
      most.replaceChildren(...dots);
    }, mark() {
      frame.setAttribute("x", chosen[1] * cell);
      frame.setAttribute("y", chosen[0] * cell);
    } };
  }
  const panels = d.heads.map((_, head) => panel(head)), words = tag("p", { class: "number" }), cellWords = tag("p", { class: "number" });
  function tell() {
    const [row, column] = chosen, i = T * row + column, name = (t, k) => `position ${k + 1} (${t})`;
    const values = d.heads.map((one, h) => `${heads > 1 ? `${one} ` : ""}${(maps[T * T * (heads * at + h) + i] / 255).toFixed(2)}`);
    cellWords.textContent = `${name(d.rows[row], row)} reads ${name(d.tokens[column], column)}: ${masked[i] ? "never" : values.join(", ")}`;
  }
  function choose(row, column) {
    chosen.splice(0, 2, row, column);
    panels.forEach((one) => one.mark());
    tell();
  }
  const charts = d.charts.map((chart) => curves(chart.curves.map((c, i) => ({ name: c.name, values: numbers(c.values),
    colour: i ? "var(--view-test)" : undefined, dashes: i ? "6 4" : undefined })), { log: d.log && chart.name === "loss",
    label: d.label, name: chart.name, at: numbers(d.at), logSteps: d.logSteps, height: d.charts.length > 1 ? 180 : 220 }));
  function draw(moment) {
    at = moment;
    panels.forEach((one) => one.put());
    charts.forEach((one) => one.mark(d.positions[at]));
    words.textContent = `${d.label} ${d.steps[at]}: ${d.captions[at]}`;
    tell();
  }
  root.append(player(root, d.label, d.steps, draw, () => say(words.textContent)), words,
    tag("div", { class: "row" }, tag("div", { class: "row" }, ...panels.map((one) => one.picture)),
      tag("div", { class: "row", style: "flex: 1 1 360px" }, ...charts)), cellWords,
    tag("p", {}, "Rows: where it is written (query); columns: what it reads (key). Dark blue is 0, yellow 1; a dot: more than half."
      + (masked.includes(1) ? " Hatched: behind the mask." : "")));
  choose(0, 0);
  draw(0);
} };

export default view;
