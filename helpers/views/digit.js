// Draw a digit on 8 × 8 squares, and see what a network reads: ten bars, and its hidden units.

const SIZE = 8, CELL = 30;

/** One ReLU layer and a softmax, as in lesson 09; `w` holds typed arrays and sizes. */
function read(pixels, w) {
  const hidden = new Float32Array(w.H), logits = new Float32Array(10);
  for (let h = 0; h < w.H; h++) {
    let z = w.b1[h];
    for (let d = 0; d < 64; d++) z += w.W1[d * w.H + h] * (pixels[d] - w.mean[d]) / w.spread[d];
    hidden[h] = Math.max(0, z);
  }
  for (let k = 0; k < 10; k++) {
    logits[k] = w.b2[k];
    for (let h = 0; h < w.H; h++) logits[k] += w.W2[h * 10 + k] * hidden[h];
  }
  const top = Math.max(...logits), powers = Array.from(logits, (z) => Math.exp(z - top));
  const sum = powers.reduce((a, b) => a + b);
  return { hidden, probabilities: powers.map((p) => p / sum) };
}

const view = { render({ model, el }) {
  const { root, complain, say } = begin(el, "Draw a digit");
  const data = () => model.get("data");
  const pixels = Array.from(data().start ? numbers(data().start) : new Float32Array(64));
  const own = data().network && Object.fromEntries(Object.entries(data().network).map(
    ([name, value]) => [name, typeof value === "object" ? numbers(value) : value]));
  let at = [0, 0], ink = null, timer = 0;

  const squares = pixels.map((_, i) => svg("rect", { x: CELL * (i % SIZE), y: CELL * Math.floor(i / SIZE),
    width: CELL, height: CELL, stroke: "var(--view-line)", "stroke-width": 0.5 }));
  const cursor = svg("rect", { width: CELL, height: CELL, fill: "none", stroke: "var(--view-key)", "stroke-width": 3 });
  const board = svg("svg", { width: SIZE * CELL, height: SIZE * CELL, tabindex: 0, role: "application",
    "aria-label": "8 by 8 squares: arrow keys move, space draws, Delete rubs out",
    style: "touch-action: none; cursor: crosshair" }, ...squares, cursor);
  const bars = Array.from({ length: 10 }, (_, k) => {
    const bar = svg("rect", { x: 24, y: 24 * k + 3, height: 18, width: 0, fill: "var(--view-faint)" });
    const text = svg("text", { x: 30, y: 24 * k + 17 });
    return { bar, text, row: svg("g", {}, svg("text", { x: 8, y: 24 * k + 17 }, `${k}`), bar, text) };
  });
  const chart = svg("svg", { width: 260, height: 240, role: "img", "aria-label": "probability of each digit" },
    ...bars.map((b) => b.row));
  const verdict = tag("p", { class: "number" });
  const units = tag("div", { class: "bar" });

  function show(probabilities, hidden) {
    const best = probabilities.indexOf(Math.max(...probabilities));
    probabilities.forEach((p, k) => {
      bars[k].bar.setAttribute("width", 170 * p);
      bars[k].bar.setAttribute("fill", k === best ? "var(--view-key)" : "var(--view-faint)");
      bars[k].text.setAttribute("x", 30 + 170 * p);
      bars[k].text.textContent = p >= 0.005 ? `${(100 * p).toFixed(0)} %${k === best ? " ◂" : ""}` : "";
    });
    verdict.textContent = `${pixels.some((v) => v) ? "It" : "Even on an empty board it"} reads a ${best}, and gives it ${(100 * probabilities[best]).toFixed(0)} %.`;
    clearTimeout(timer);
    timer = setTimeout(() => say(verdict.textContent), 600);
    if (hidden && own) showUnits(hidden);
  }

  /** The six units that say most, each as the picture of its weights: what turns it on, and off. */
  function showUnits(hidden) {
    const loudest = Array.from(hidden.keys()).sort((a, b) => hidden[b] - hidden[a]).slice(0, 6);
    const pictures = loudest.map((h) => Float32Array.from({ length: 64 }, (_, d) => own.W1[d * own.H + h] / own.spread[d]));
    const scale = Math.max(...pictures.flatMap((p) => Array.from(p, Math.abs)));
    units.replaceChildren(tag("span", {}, "its loudest hidden units:"), ...loudest.map((h, i) => {
      const canvas = tag("canvas", { style: "width: 48px; height: 48px", role: "img",
        "aria-label": `unit ${h}: ${shown(hidden[h], 3)}`, title: `unit ${h}: ${shown(hidden[h], 3)}` });
      drawMap(canvas, pictures[i], SIZE, { scale, strength: 1 });
      return canvas;
    }), tag("span", { style: "color: var(--view-faint)" }, "ink on orange turns a unit on, on blue off"));
  }

  function paint() {
    pixels.forEach((v, i) => squares[i].setAttribute("fill",
      `color-mix(in srgb, var(--view-ink) ${Math.round(100 * v / 16)}%, var(--view-face))`));
    cursor.setAttribute("x", CELL * at[0]);
    cursor.setAttribute("y", CELL * at[1]);
    if (own) { const { probabilities, hidden } = read(pixels, own); show(probabilities, hidden); }
    else send(model, { pixels: [...pixels] });
  }

  function dab(x, y, amount) {
    for (const [dx, dy, share] of [[0, 0, 1], [1, 0, 0.35], [-1, 0, 0.35], [0, 1, 0.35], [0, -1, 0.35]]) {
      const [cx, cy] = [x + dx, y + dy], i = SIZE * cy + cx;
      if (cx < 0 || cy < 0 || cx >= SIZE || cy >= SIZE) continue;
      pixels[i] = amount > 0 ? Math.max(pixels[i], Math.round(16 * share)) : share === 1 ? 0 : pixels[i];
    }
    paint();
  }

  function point(event) {
    const box = board.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map(
      (v) => Math.min(SIZE - 1, Math.max(0, Math.floor(v / box.width * SIZE))));
    if (x !== at[0] || y !== at[1] || event.type === "pointerdown") { at = [x, y]; dab(x, y, ink); }
  }
  board.addEventListener("pointerdown", (event) => {
    board.setPointerCapture(event.pointerId);
    ink = event.button === 2 || event.shiftKey ? -1 : 1;
    point(event);
  });
  board.addEventListener("pointermove", (event) => { if (ink) point(event); });
  board.addEventListener("pointerup", () => { ink = null; });
  board.addEventListener("contextmenu", (event) => event.preventDefault());
  board.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (moves[event.key]) at = at.map((v, i) => Math.min(SIZE - 1, Math.max(0, v + moves[event.key][i])));
    else if (event.key === " ") dab(...at, 1);
    else if (event.key === "Delete" || event.key === "Backspace") dab(...at, -1);
    else return;
    event.preventDefault();
    event.stopPropagation();
    paint();
  });

  const put = (values) => { pixels.forEach((_, i) => { pixels[i] = values[i] ?? 0; }); paint(); };
  const examples = data().examples ? numbers(data().examples) : new Uint8Array();
  let next = 0;
  root.append(
    tag("div", { class: "bar" }, button("Clear", () => put([])),
      examples.length ? button("A digit from the data", () => {
        put(examples.slice(64 * next, 64 * next + 64));
        next = (next + 1) % (examples.length / 64);
      }) : "", tag("span", {}, "draw with the mouse or a finger; Shift rubs out; or use the arrow keys and space")),
    tag("div", { class: "row" }, board, tag("div", {}, chart, verdict)), units);
  function answer() {
    complain(data().error);
    if (data().probabilities) show(Array.from(numbers(data().probabilities)));
  }
  model.on("change:data", answer);
  answer();
  paint();
} };

export default view;
