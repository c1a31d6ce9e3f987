// Playground: the student's functions train, with a map in every unit, and a mistake beside them.

const WIDTH = 230, HEIGHT = 264, UNIT = 31, MAP = 200;
const INPUTS = [[22, 92], [22, 172]];

/** Colours of the numbers 0 to 255: blue, white, vermilion. */
function ramp(strength) {
  return Array.from({ length: 256 }, (_, v) => [...colour((v - 127.5) / 127.5, strength), 255]);
}
const FULL = ramp(0.8), PALE = ramp(0.45);

function drawBytes(canvas, values, colours) {
  const n = Math.sqrt(values.length), image = new ImageData(n, n), pixels = image.data;
  for (let i = 0; i < values.length; i++) {
    pixels.set(colours[values[i]], 4 * i);
  }
  if (canvas.width !== n) { canvas.width = n; canvas.height = n; }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

const view = { render({ model, el }) {
  const { root, say, complain } = begin(el, "Playground");
  root.classList.add("playground");
  const data = () => model.get("data"), set = () => model.get("controls");
  let frames = 0, last = 0, waiting = false;

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
  const offered = {}, inputs = {};
  /** Call `make` where what is offered under a name is new; the focus stays. Nothing else is made anew under a hand. */
  function renew(name, offer, make) {
    const now = JSON.stringify(offer);
    if (now === offered[name]) return;
    offered[name] = now;
    const focus = root.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
    make();
    if (focus) root.querySelector(`[aria-label="${CSS.escape(focus)}"]`)?.focus();
  }
  function offer(d) {
    renew("moves", d.controls, () => moves.replaceChildren(...d.controls.map(({ name, label, values }) => {
      if (typeof values.at(-1) === "string") return inputs[name] = choice(label, values, set()[name], (v) => send(model, { [name]: v }));
      return inputs[name] = slider(label, { min: 0, max: values.length - 1, step: 1, value: values.indexOf(set()[name]),
        format: (i) => values[i], oninput: (i) => send(model, { [name]: values[i] }) });
    })));
    renew("more", [d.mistakes, d.locked], () => {
      inputs.beside = choice("train a mistake beside it", ["none", ...d.mistakes], set().beside || "none",
        (v) => send(model, { beside: v === "none" ? "" : v, shown: 0 }));
      inputs.shown = choice("network of", ["the right one", "the mistake"], "the right one",
        (v) => send(model, { shown: v === "the mistake" ? 1 : 0 }));
      more.replaceChildren(inputs.beside, inputs.shown, ...d.locked.map(({ id, name }) => tag("span", {},
        `${name}: comes with your ${id} `, button("borrow", () => send(model, { borrow: id }), { "aria-label": `borrow ${name}` }))));
    });
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
  const board = tag("div", { style: `position: relative; width: ${WIDTH}px; height: ${HEIGHT}px; contain: layout paint` }, net);
  let lines = [], small = [];
  function wire(H) {
    const at = Array.from({ length: H }, (_, h) => [WIDTH / 2, HEIGHT * (h + 0.5) / H]), out = [WIDTH - 12, HEIGHT / 2];
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
      weigh(line, w, scale);
      if (!playing()) line.firstChild.textContent = `${name} = ${shown(w)}`;
    });
    small.forEach((canvas, h) => drawBytes(canvas, bytes.subarray(n * h, n * (h + 1)), FULL));
    if (!playing()) net.setAttribute("aria-label", `network with ${H} hidden units; largest weight ${shown(Math.max(...weights.map(Math.abs)), 2)}`);
  }

  // what comes out: a map with points for each training
  const maps = tag("div", { style: "display: contents" });
  let pictures = [], dotted = "";
  /** The points on a canvas of their own: they change seldom. */
  function dots(canvas, d) {
    const [x0, x1, y0, y1] = d.extent, points = numbers(d.points), pen = canvas.getContext("2d");
    canvas.width = canvas.height = 2 * MAP;
    pen.scale(2, 2);
    pen.strokeStyle = "#fff";
    pen.lineWidth = 0.7;
    numbers(d.classes).forEach((k, i) => {
      const x = MAP * (points[2 * i] - x0) / (x1 - x0), y = MAP * (y1 - points[2 * i + 1]) / (y1 - y0);
      pen.beginPath();
      if (k) pen.rect(x - 2.5, y - 2.5, 5, 5); else pen.arc(x, y, 2.9, 0, 7);
      pen.fillStyle = k ? "#d55e00" : "#0072b2";
      pen.fill();
      pen.stroke();
    });
  }
  const layer = () => tag("canvas", { style: `width: ${MAP}px; height: ${MAP}px; position: absolute; left: 0; top: 0; will-change: transform` });
  function drawMaps(d, slow) {
    if (pictures.length !== d.runs.length) {
      pictures = d.runs.map(() => {
        const canvas = layer(), over = layer(), title = tag("strong"), words = tag("div", { class: "number", style: "min-height: 3em" });
        const face = tag("div", { role: "img", style: `position: relative; width: ${MAP + 2}px; height: ${MAP + 2}px` }, canvas, over);
        const error = tag("div", { class: "error", hidden: "" });
        return { canvas, over, face, title, words, error,
          whole: tag("div", { style: `width: ${MAP + 2}px` }, title, face, words, error) };
      });
      maps.replaceChildren(...pictures.map((p) => p.whole));
      dotted = "";
    }
    const now = [...d.extent, ...numbers(d.points).slice(0, 9), d.points.shape[0]].join();
    if (now !== dotted) pictures.forEach((p) => dots(p.over, d));
    dotted = now;
    d.runs.forEach((run, i) => {
      const p = pictures[i];
      drawBytes(p.canvas, numbers(run.map), PALE);
      write(p.title, d.runs.length > 1 || run.error ? run.name : "vermilion: class 1");
      if (slow) write(p.words, run.words);
      if (!playing()) p.face.setAttribute("aria-label", `decision map, ${run.name}: ${run.words}`);
      write(p.error, run.error);
      p.error.hidden = !run.error;
    });
  }

  const loss = tag("div", { style: "contain: layout paint; flex: 1 1 200px; max-width: 300px; height: 250px" });
  function drawLosses(d) {
    const series = d.runs.flatMap((run, i) => [["train", undefined], ["test", "6 4"]].map(([kind, dashes]) => ({
      name: d.runs.length > 1 ? `${kind}, ${i ? "mistake" : "right"}` : kind, values: numbers(run[kind]), dashes,
      colour: i ? "var(--view-plus)" : kind === "test" ? "var(--view-test)" : undefined })));
    const picture = curves(series, { at: numbers(d.at), width: loss.clientWidth || 300, height: 250, name: "loss, without penalty" });
    picture.mark(d.at.shape[0] - 1);
    loss.replaceChildren(picture);
  }

  // the mistake, the missions, the code
  const mistake = tag("div", { style: "flex: 1 1 280px" }), missions = tag("div"), code = tag("div");
  function drawMistake({ message, lines: changed, cosine }) {
    mistake.replaceChildren(...(changed ?? []).map((line) => tag("div", {}, line.right ? "right: " : "here: ", tag("code", {}, line.code))),
      ...[message && `The mistake: ${message}`, cosine].filter(Boolean).map((text) => tag("p", {}, ...prose(text))));
  }
  let told = [], mission = null, marks = [];
  const goal = tag("p");
  function drawMissions(rows) {
    rows.forEach((row, i) => { if (row.done && told[i] === false) say(`Mission ${i + 1} is done`); });
    told = rows.map((row) => row.done);
    if (marks.length !== rows.length) {
      marks = rows.map((_, i) => button("", () => {
        mission = i;
        send(model, { ...data().missions[i].setup, beside: "", shown: 0, reset: set().reset + 1 });
      }));
      missions.replaceChildren(...(rows.length ? [tag("div", { class: "bar" }, tag("strong", {}, "missions"), ...marks), goal] : []));
    }
    rows.forEach((row, i) => {
      marks[i].textContent = `${row.done ? "✓" : "○"} ${i + 1} ${row.name}`;
      marks[i].setAttribute("aria-label", `mission ${i + 1}, ${row.name}${row.done ? ", done" : ""}`);
      marks[i].setAttribute("aria-pressed", String(i === mission));
    });
    if (mission !== null) goal.replaceChildren(rows[mission].text, tag("em", {}, ` ${rows[mission].done ? "✓ done" : rows[mission].note}`));
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

  let written = "", plotted = 0;
  /** Controls and text, which seldom change. */
  function drawWords(d) {
    const { controls, mistakes, locked, whose: own, cards: wrong, missions: rows, mistake: one, code: text } = d;
    const now = JSON.stringify([set(), controls, mistakes, locked, own, wrong, rows, one, text]);
    if (now === written) return;
    written = now;
    offer(d);
    follow(d);
    label();
    whose.textContent = own;
    if (cards.dataset.text !== wrong.join()) { cards.dataset.text = wrong.join(); cards.innerHTML = wrong.join(""); }
    drawMistake(one);
    drawMissions(rows);
    drawCode(text);
  }
  /** While it plays, numbers and losses are drawn five times a second, the maps in each picture. */
  function draw() {
    const d = data(), slow = !playing() || performance.now() - plotted > 200;
    complain(d.error);
    if (!d.runs) return;
    drawWords(d);
    drawNetwork(d.network);
    drawMaps(d, slow);
    if (slow) {
      count.textContent = `step ${d.step}`;
      drawLosses(d);
      plotted = performance.now();
    }
    root.dataset.frames = ++frames;
    if (playing() && d.runs.every((run) => run.error)) { send(model, { playing: false }); label(); tell(); }
  }
  /** Draw the latest data: at once, or once the page is ready while it plays; with reduced motion twice a second then. */
  function soon() {
    if (!playing()) draw();
    if (!playing() || waiting) return;
    waiting = true;
    const go = () => { waiting = false; last = performance.now(); draw(); };
    const left = still() ? last + 500 - performance.now() : 0;
    if (left > 0) setTimeout(go, left); else requestAnimationFrame(go);
  }
  root.append(tag("style", {}, ".playground input[type=range] { width: 92px; } .playground select { max-width: 190px; }"), cards,
    tag("div", { class: "bar" }, play, one, reset, speed, count), moves, more,
    tag("div", { class: "row" }, board, maps, loss, mistake), whose, missions, tag("div", { class: "bar" }, show), code);
  model.on("change:data", soon);
  model.on("change:controls", label);
  draw();
} };

export default view;
