// Playground: the student's functions train, with a map in every unit, and a mistake beside them.

const WIDTH = 330, HEIGHT = 300, UNIT = 34, MAP = 240, LOOKS = ["#222", "#cc3311"];
const INPUTS = [[26, 110], [26, 190]];

/** Colours of the numbers 0 to 255: blue, white, vermilion. */
function ramp(strength) {
  return Array.from({ length: 256 }, (_, v) => colour((v - 127.5) / 127.5, strength));
}
const FULL = ramp(0.8), PALE = ramp(0.45);

function drawBytes(canvas, values, colours) {
  const n = Math.sqrt(values.length), image = new ImageData(n, n);
  for (let i = 0; i < values.length; i++) {
    const [r, g, b] = colours[values[i]];
    image.data[4 * i] = r; image.data[4 * i + 1] = g; image.data[4 * i + 2] = b; image.data[4 * i + 3] = 255;
  }
  if (canvas.width !== n) { canvas.width = n; canvas.height = n; }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const view = { render({ model, el }) {
  const { root, say, complain } = begin(el, "Playground");
  const data = () => model.get("data"), set = () => model.get("controls");
  let frames = 0, last = 0, wait = 0;

  // controls, made anew where Python has others to offer
  const moves = tag("div", { class: "bar" }), more = tag("div", { class: "bar" });
  const count = tag("output", { class: "number" }), whose = tag("p"), cards = tag("div");
  const playing = () => set().playing;
  const play = button("▶ Play", () => { send(model, { playing: !playing() }); label(); tell(); }, { "aria-pressed": "false" });
  const one = button("One step", () => { send(model, { playing: false, step: set().step + 1 }); label(); });
  const reset = button("Reset", () => send(model, { reset: set().reset + 1 }));
  const speed = choice("speed", ["slow", "medium", "fast"], set().speed, (v) => send(model, { speed: v }));
  const tell = () => say(playing() ? "playing" : `step ${data().step}. ${data().runs.map((r) => `${r.name}: ${r.words}`).join(". ")}`);
  function label() {
    play.textContent = playing() ? "❚❚ Pause" : "▶ Play";
    play.setAttribute("aria-pressed", String(Boolean(playing())));
  }
  let offered = "";
  const inputs = {};
  function offer(d) {
    const now = JSON.stringify([d.controls, d.mistakes, d.locked]);
    if (now === offered) return;
    offered = now;
    const focus = root.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
    moves.replaceChildren(...d.controls.map(({ name, label, values }) => {
      if (typeof values.at(-1) === "string") return inputs[name] = choice(label, values, set()[name], (v) => send(model, { [name]: v }));
      return inputs[name] = slider(label, { min: 0, max: values.length - 1, step: 1, value: values.indexOf(set()[name]),
        format: (i) => values[i], oninput: (i) => send(model, { [name]: values[i] }) });
    }));
    inputs.beside = choice("train a mistake beside it", ["none", ...d.mistakes], set().beside || "none",
      (v) => send(model, { beside: v === "none" ? "" : v, shown: 0 }));
    inputs.shown = choice("network of", ["the right one", "the mistake"], "the right one",
      (v) => send(model, { shown: v === "the mistake" ? 1 : 0 }));
    more.replaceChildren(inputs.beside, inputs.shown, ...d.locked.map(({ id, name }) => tag("span", {},
      `${name}: comes with your ${id} `, button("borrow", () => send(model, { borrow: id }), { "aria-label": `borrow ${name}` }))));
    if (focus) root.querySelector(`[aria-label="${CSS.escape(focus)}"]`)?.focus();
  }
  /** Put the controls where Python or a mission has set them. */
  function follow(d) {
    for (const { name, values } of d.controls) {
      if (inputs[name].select) inputs[name].select.value = set()[name];
      else inputs[name].put(values.indexOf(set()[name]));
    }
    inputs.beside.select.value = set().beside || "none";
    inputs.shown.select.value = set().shown ? "the mistake" : "the right one";
    inputs.shown.hidden = d.runs.length < 2;
    inputs.shown.style.display = d.runs.length < 2 ? "none" : "";
  }

  // the network
  const net = svg("svg", { width: WIDTH, height: HEIGHT, role: "img", style: "position: absolute; left: 0; top: 0" });
  const board = tag("div", { style: `position: relative; width: ${WIDTH}px; height: ${HEIGHT}px` }, net);
  let lines = [], small = [];
  function wire(H) {
    const at = Array.from({ length: H }, (_, h) => [165, HEIGHT * (h + 0.5) / H]), out = [WIDTH - 12, HEIGHT / 2];
    small.forEach((canvas) => canvas.remove());
    small = at.map(([x, y], h) => tag("canvas", { title: `hidden unit ${h + 1}`,
      style: `position: absolute; width: ${UNIT}px; height: ${UNIT}px; left: ${x - UNIT / 2}px; top: ${y - UNIT / 2}px; border-radius: 5px` }));
    lines = [...INPUTS.flatMap((from) => at.map((to) => [from, to])), ...at.map((from) => [from, out])].map(([a, b]) => edge(a, b, 1));
    lines.forEach((line) => line.append(svg("title")));
    net.replaceChildren(...lines, ...INPUTS.map(([x, y], i) => svg("g", {},
      svg("circle", { cx: x, cy: y, r: 17, fill: "var(--view-face)", stroke: "var(--view-ink)" }),
      svg("text", { x, y, "text-anchor": "middle", "dominant-baseline": "central" }, `x${"₁₂"[i]}`))),
    svg("circle", { cx: out[0], cy: out[1], r: 8, fill: "var(--view-face)", stroke: "var(--view-ink)" }));
    board.append(...small);
  }
  function drawNetwork({ W1, b1, W2, units }) {
    const H = b1.shape[0], bytes = numbers(units), n = units.shape[1];
    if (small.length !== H) wire(H);
    const weights = [...numbers(W1), ...numbers(W2)], scale = Math.max(1, ...weights.map(Math.abs).filter(Number.isFinite));
    lines.forEach((line, i) => {
      const w = weights[i], name = i < 2 * H ? `W1[${Math.floor(i / H)}, ${i % H}]` : `W2[${i % H}, 1] − W2[${i % H}, 0]`;
      line.setAttribute("stroke", w < 0 ? "var(--view-minus)" : "var(--view-plus)");
      line.setAttribute("stroke-width", 0.6 + 5 * Math.min(1, Math.abs(w) / scale || 0));
      line.setAttribute("stroke-dasharray", w < 0 ? "7 4" : "none");
      line.firstChild.textContent = `${name} = ${shown(w)}`;
    });
    small.forEach((canvas, h) => drawBytes(canvas, bytes.subarray(n * h, n * (h + 1)), FULL));
    net.setAttribute("aria-label", `network with ${H} hidden units; largest weight ${shown(Math.max(...weights.map(Math.abs)), 2)}`);
  }

  // what comes out: a map with points for each training
  const maps = tag("div", { class: "row" });
  let pictures = [], dotted = "";
  function dots(d) {
    const [x0, x1, y0, y1] = d.extent, points = numbers(d.points);
    return [...numbers(d.classes)].map((k, i) => {
      const x = MAP * (points[2 * i] - x0) / (x1 - x0), y = MAP * (y1 - points[2 * i + 1]) / (y1 - y0);
      return k ? `<rect x="${(x - 2.5).toFixed(1)}" y="${(y - 2.5).toFixed(1)}" width="5" height="5" fill="#d55e00" stroke="#fff" stroke-width=".6"/>`
        : `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.9" fill="#0072b2" stroke="#fff" stroke-width=".6"/>`;
    }).join("");
  }
  function drawMaps(d) {
    if (pictures.length !== d.runs.length) {
      pictures = d.runs.map(() => {
        const canvas = tag("canvas", { style: `width: ${MAP}px; height: ${MAP}px; position: absolute; left: 0; top: 0` });
        const over = svg("svg", { width: MAP, height: MAP, style: "position: absolute; left: 0; top: 0" });
        const face = tag("div", { role: "img", style: `position: relative; width: ${MAP + 2}px; height: ${MAP + 2}px` }, canvas, over);
        const title = tag("strong"), words = tag("div", { class: "number" }), error = tag("div", { class: "error", hidden: "" });
        return { canvas, over, face, title, words, error,
          whole: tag("div", { style: `width: ${MAP + 2}px` }, title, face, words, error) };
      });
      maps.replaceChildren(...pictures.map((p) => p.whole));
      dotted = "";
    }
    const now = [...d.extent, numbers(d.points).slice(0, 40), d.points.shape[0]].join();
    if (now !== dotted) pictures.forEach((p) => { p.over.innerHTML = dots(d); });
    dotted = now;
    d.runs.forEach((run, i) => {
      const p = pictures[i];
      drawBytes(p.canvas, numbers(run.map), PALE);
      p.title.textContent = d.runs.length > 1 || run.error ? run.name : "class 1 where it is vermilion";
      p.words.textContent = run.words;
      p.face.setAttribute("aria-label", `decision map, ${run.name}: ${run.words}`);
      p.error.hidden = !run.error;
      p.error.textContent = run.error;
    });
  }

  const loss = tag("div");
  function drawLosses(d) {
    const series = d.runs.flatMap((run, i) => [["train", undefined], ["test", "6 4"]].map(([kind, dashes]) => ({
      name: d.runs.length > 1 ? `${kind}, ${i ? "mistake" : "right"}` : kind, values: numbers(run[kind]),
      colour: i ? "var(--view-plus)" : kind === "test" ? "#aa4499" : undefined, dashes })));
    const picture = curves(series, { label: `loss, steps 0 to ${d.step}`, width: 340, height: 230 });
    picture.mark(Math.max(...series.map((s) => s.values.length - 1)));
    loss.replaceChildren(picture);
  }

  // the mistake, the missions, the code
  const mistake = tag("div"), missions = tag("div"), code = tag("div");
  function drawMistake({ message, lines: changed, cosine }) {
    mistake.replaceChildren(...(changed ?? []).map((line) => tag("div", {}, line.right ? "right: " : "here: ", tag("code", {}, line.code))),
      ...[message, cosine].filter(Boolean).map((text) => tag("p", {}, text)));
  }
  let told = "";
  function drawMissions(rows) {
    const now = JSON.stringify(rows);
    if (now === told) return;
    const before = told ? JSON.parse(told) : rows;
    told = now;
    rows.forEach((row, i) => { if (row.done && !before[i].done) say(`Mission ${i + 1} is done`); });
    const focus = document.activeElement?.getAttribute("aria-label");
    missions.replaceChildren(rows.length ? tag("strong", {}, "Missions") : "", ...rows.map((row, i) => tag("p", {},
      tag("strong", {}, row.done ? "✓ done " : "○ "), `${i + 1}. ${row.text} `,
      button("set it up", () => send(model, { ...row.setup, beside: "", shown: 0, reset: set().reset + 1 }), { "aria-label": `set up mission ${i + 1}` }),
      row.note ? tag("em", {}, ` ${row.note}`) : "")));
    if (focus?.startsWith("set up mission")) missions.querySelector(`[aria-label="${focus}"]`)?.focus();
  }
  const show = button("Show me the code", () => send(model, { code: set().code + 1 }));
  function drawCode(text) {
    if (code.dataset.text === text) return;
    code.dataset.text = text;
    code.replaceChildren(...(text ? [
      tag("pre", { tabindex: 0, "aria-label": "the code of this picture",
        style: "max-height: 320px; overflow: auto; border: 1px solid var(--view-line); padding: 8px; font-size: 12.5px" }, text),
      button("Copy", () => navigator.clipboard?.writeText(text))] : []));
  }

  function draw() {
    const d = data();
    complain(d.error);
    if (!d.runs) return;
    offer(d);
    follow(d);
    label();
    count.textContent = `step ${d.step}`;
    whose.textContent = d.whose;
    if (cards.dataset.text !== d.cards.join()) { cards.dataset.text = d.cards.join(); cards.innerHTML = d.cards.join(""); }
    drawNetwork(d.network);
    drawMaps(d);
    drawLosses(d);
    drawMistake(d.mistake);
    drawMissions(d.missions);
    drawCode(d.code);
    root.dataset.frames = ++frames;
    if (playing() && d.runs.every((run) => run.error)) { send(model, { playing: false }); label(); tell(); }
  }
  /** With reduced motion, two pictures a second while it plays. */
  function soon() {
    clearTimeout(wait);
    const left = still() && playing() ? last + 500 - performance.now() : 0;
    if (left > 0) { wait = setTimeout(soon, left); return; }
    last = performance.now();
    draw();
  }
  root.append(cards, tag("div", { class: "bar" }, play, one, reset, speed, count), moves, more,
    tag("div", { class: "row" }, board, maps, loss), mistake, whose, missions, tag("div", { class: "bar" }, show), code);
  model.on("change:data", soon);
  model.on("change:controls", label);
  draw();
} };

export default view;
