// What all views share: data from the kernel, elements, controls, colours, networks, maps, curves.

const NEGATIVE = [0, 114, 178], POSITIVE = [213, 94, 0];
const STYLE = `
.view { font: 14px/1.45 var(--jp-ui-font-family, system-ui, sans-serif); color: var(--view-ink); max-width: 100%; }
.view { --view-ink: var(--jp-ui-font-color1, #222); --view-faint: var(--jp-ui-font-color2, #767676);
  --view-line: var(--jp-border-color1, #b4b4b4); --view-face: var(--jp-layout-color1, #fff);
  --view-key: #e69f00; --view-plus: #d55e00; --view-minus: #0072b2; --view-test: #aa4499; }
.view.dark { --view-ink: #e8e8e8; --view-faint: #a8a8a8; --view-line: #666;
  --view-plus: #ff8c42; --view-minus: #56b4e9; --view-test: #e08bd0; }
.view .bar { display: flex; flex-wrap: wrap; gap: 6px 16px; align-items: center; margin: 4px 0; }
.view .row { display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; }
.view label { display: inline-flex; flex-wrap: wrap; gap: 0 6px; align-items: center; white-space: nowrap; }
.view button, .view select { font: inherit; color: inherit; background: var(--view-face);
  border: 1px solid var(--view-line); border-radius: 4px; padding: 3px 10px; cursor: pointer; max-width: 100%; }
.view button:disabled { opacity: .45; cursor: default; }
.view :focus-visible { outline: 2px solid var(--view-ink); outline-offset: 2px; }
.view output, .view .number { font-variant-numeric: tabular-nums; }
.view .error { border-left: 5px solid #cc3311; padding: 4px 10px; white-space: pre-wrap; }
.view svg text { fill: var(--view-ink); font-size: 13px; paint-order: stroke; stroke: var(--view-face); stroke-width: 3px; }
.view canvas { border: 1px solid var(--view-line); image-rendering: pixelated; }
.view .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.view p { margin: 6px 0; max-width: 46em; }`;

/** A model for a page without a kernel: the data are here, controls go nowhere. */
function recorded(data) {
  const values = { data, controls: data.controls ?? {} };
  return { live: false, get: (name) => values[name], set: (name, value) => { values[name] = value; },
    save_changes() {}, on() {} };
}

/** The frame around a recorded view, where the page may know it. */
function outside() {
  try { return window.frameElement; } catch { return null; }
}

/** In a frame of its own: the still twin goes, and the frame is as high as the view. */
function settle() {
  const frame = outside();
  if (!frame) return;
  if (frame.nextElementSibling) frame.nextElementSibling.style.display = "none";
  new ResizeObserver(() => { frame.style.height = `${document.body.offsetHeight + 18}px`; }).observe(document.body);
}

/** Send changed controls to the kernel. */
function send(model, changes) {
  model.set("controls", { ...model.get("controls"), ...changes });
  model.save_changes();
}

const TYPES = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array };

/** Return a packed array as a typed array; its shape is `packed.shape`. */
function numbers(packed) {
  const { bytes, dtype } = packed;
  const raw = typeof bytes === "string" ? Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))
    : new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength);
  return new TYPES[dtype](raw.slice().buffer);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Return an element with attributes (`onclick` and such are listeners) and children. */
function tag(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/** The parts of a text in which `this` is code. */
function prose(text) {
  return text.split("`").map((part, i) => (i % 2 ? tag("code", {}, part) : part));
}

/** Give an element a text where it has another: the page lays out anew only what changes. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The first colour behind an element that is not transparent. */
function background(element) {
  for (let one = element; one; one = one.parentElement) {
    const found = one.ownerDocument.defaultView.getComputedStyle(one).backgroundColor;
    if (found && !/transparent|, 0\)$/.test(found)) return found;
  }
  return "rgb(255, 255, 255)";
}

/** Begin a view in `el`: its style, its theme, a place for errors and one that is read aloud. */
function begin(el, title) {
  const root = tag("div", { class: "view", role: "group", "aria-label": title });
  const error = tag("div", { class: "error", role: "alert", hidden: "" });
  const said = tag("div", { class: "said", "aria-live": "polite" });
  const outer = outside() ?? el;
  function theme() {
    if (!outer.isConnected) { requestAnimationFrame(theme); return; }
    const face = background(outer === el ? el : outer.parentElement);
    const dark = face.match(/[\d.]+/g).slice(0, 3).reduce((sum, c) => sum + +c, 0) < 380;
    root.classList.toggle("dark", dark);
    root.style.setProperty("--view-face", face);
    if (outer === el) return;
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    document.body.style.background = face;
  }
  el.replaceChildren(tag("style", {}, STYLE), root);
  theme();
  new MutationObserver(() => setTimeout(theme, 300)).observe(outer.ownerDocument.body, { attributes: true });
  root.append(error, said);
  return { root, error, say: (text) => { said.textContent = text; },
    complain(text) { write(error, text ?? ""); error.hidden = !text; } };
}

function button(text, onclick, attributes = {}) {
  return tag("button", { type: "button", onclick, ...attributes }, text);
}

/** A slider with its label and its value; `oninput` gets the number. */
function slider(text, { min, max, step, value, format = (v) => v, oninput }) {
  const shown = tag("output", {}, format(value));
  const input = tag("input", { type: "range", min, max, step, value, "aria-label": text,
    oninput: () => { shown.textContent = format(+input.value); oninput(+input.value); } });
  const label = tag("label", {}, text, input, shown);
  return Object.assign(label, { put(v) { input.value = v; shown.textContent = format(v); }, input });
}

function choice(text, options, value, onchange) {
  const select = tag("select", { "aria-label": text, onchange: () => onchange(select.value) },
    ...options.map((o) => tag("option", { value: o, selected: o === value ? "" : undefined }, o)));
  return Object.assign(tag("label", {}, text, select), { select });
}

/** The colour of a signed value from −1 to 1: blue, white, vermilion, as in the course's pictures. */
function colour(value, strength = 1) {
  const t = Math.min(1, Math.abs(value)) * strength, end = value < 0 ? NEGATIVE : POSITIVE;
  return end.map((c) => Math.round(255 + (c - 255) * t));
}

/** Draw an n × n array of signed values on a canvas. */
function drawMap(canvas, values, columns, { strength = 0.75, scale = 1 } = {}) {
  const rows = values.length / columns, context = canvas.getContext("2d");
  const image = new ImageData(columns, rows);
  for (let i = 0; i < values.length; i++) {
    image.data.set([...colour(values[i] / scale, strength), 255], 4 * i);
  }
  canvas.width = columns;
  canvas.height = rows;
  context.putImageData(image, 0, 0);
}

/** A number as the views write it: few digits, and a real minus sign. */
function shown(value, digits = 4) {
  const number = +value.toPrecision(digits);
  return (Math.abs(number) < 1e4 ? String(number) : number.toLocaleString("en")).replace(/-/g, "−");
}

/** Places of a layered network: for each layer a list of [x, y]. */
function places(sizes, width, height, margin = 36) {
  return sizes.map((n, layer) => Array.from({ length: n }, (_, unit) => [
    margin + (width - 2 * margin) * layer / Math.max(1, sizes.length - 1),
    height * (unit + 1) / (n + 1)]));
}

/** Let a line say by width, colour and dashes how large a signed number is; what stays is not styled anew. */
function weigh(line, value, scale = 1) {
  const width = (0.6 + 4 * Math.min(1, Math.abs(value) / scale || 0)).toFixed(1), look = `${width} ${value < 0}`;
  return line.dataset.look === look ? line : fill(line, { "data-look": look, "stroke-width": width,
    stroke: value < 0 ? "var(--view-minus)" : "var(--view-plus)", "stroke-dasharray": value < 0 ? "7 4" : "none" }, []);
}

function edge([x1, y1], [x2, y2], value, scale) {
  return weigh(svg("line", { x1, y1, x2, y2, "stroke-linecap": "round" }), value, scale);
}

/** Round values between two ends, up to six of them; of exponents if `log`. */
function ticks(low, high, log) {
  const fits = [1, 2, 5].flatMap((m) => Array.from({ length: 26 }, (_, k) => m * 10 ** (k - 13)));
  const step = fits.filter((s) => (high - low) / s <= 5 && (!log || s >= 1)).sort((a, b) => a - b)[0] ?? 1;
  const found = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step) found.push(v);
  return found.length > 1 ? found : [low, high];
}

/** Curves, on a logarithmic axis if `log`; `at` are the steps of the values, by default 0, 1, 2, …,
 * on an axis of log(1 + step) if `logSteps`. Returns the svg; its `mark(i)` moves the marker. */
function curves(series, { width = 360, height = 220, log = true, label = "step", name = "loss", at, logSteps = false } = {}) {
  const f = log ? (v) => Math.log10(Math.max(v, 1e-12)) : (v) => v;
  const g = logSteps ? (v) => Math.log10(1 + v) : (v) => v;
  const all = series.flatMap((s) => Array.from(s.values)).filter(Number.isFinite).map(f);
  const low = Math.min(...all, Infinity), high = Math.max(...all, -Infinity);
  const stepOf = (i) => at?.[i] ?? i, last = g(stepOf(Math.max(...series.map((s) => s.values.length - 1), 1)));
  const left = 62, right = width - 22, top = 24, bottom = height - 40;
  const place = (v) => left + (right - left) * v / last, x = (i) => place(g(stepOf(i)));
  const level = (v) => bottom - (bottom - top) * (v - low) / (high - low || 1), y = (v) => level(f(v));
  const marker = svg("line", { y1: top - 6, y2: bottom, stroke: "var(--view-key)", "stroke-width": 2.5 });
  const text = (x, y, words, anchor = "middle") => svg("text", { x, y, "text-anchor": anchor }, words);
  const levels = all.length ? ticks(low, high, log) : [], worth = (v, digits) => (log && v >= 5 ? `1e${shown(v, 2)}` : shown(log ? 10 ** v : v, digits));
  const digits = new Set(levels.map((v) => worth(v, 2))).size < levels.length ? 4 : 2;
  const grid = { stroke: "var(--view-line)", "stroke-width": 0.5, "stroke-dasharray": "1 3" };
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img",
    "aria-label": `${name} over ${label}`, style: "max-width: 100%" },
    svg("path", { d: `M${left} ${top}V${bottom}H${right}`, fill: "none", stroke: "var(--view-line)" }),
    text(8, 14, name, "start"), text((left + right) / 2, height - 6, label),
    ...levels.flatMap((v) => [text(left - 6, level(v) + 4, worth(v, digits), "end"),
      svg("line", { x1: left, x2: right, y1: level(v), y2: level(v), ...grid })]),
    ...ticks(0, last, true).filter((_, j) => width > 260 || j % 2 === 0).map((v) => text(place(v), bottom + 17, shown(logSteps ? 10 ** v - (v ? 0 : 1) : v, 3))),
    marker, ...series.filter((s) => s.values.length === 1).map((s) => svg("circle", { // no line yet
      cx: x(0), cy: y(s.values[0]), r: 4, fill: s.colour ?? "var(--view-ink)" })),
    ...series.map((s) => svg("path", { fill: "none", stroke: s.colour ?? "var(--view-ink)",
      "stroke-width": 2, "stroke-dasharray": s.dashes, d: Array.from(s.values, (v, j) => (Number.isFinite(v)
        ? `${j && Number.isFinite(s.values[j - 1]) ? "L" : "M"}${x(j).toFixed(1)} ${y(v).toFixed(1)}` : "")).join("") })),
    ...(series.length > 1 ? series : []).map((s, i) => svg("text", { x: right - 4, y: top + 8 + 16 * i, "text-anchor": "end" },
      svg("tspan", { style: `fill: ${s.colour ?? "var(--view-ink)"}` }, s.dashes ? "- - " : "— "), s.name)));
  return Object.assign(picture, { mark(i) { marker.setAttribute("x1", x(i)); marker.setAttribute("x2", x(i)); } });
}

/** A slider over recorded moments, with play and speed: `draw(i)` shows one, `told()` says it aloud. */
function player(root, text, steps, draw, told) {
  const last = steps.length - 1;
  let at = 0, playing = 0;
  const show = (i) => { at = i; draw(i); };
  const move = slider(text, { min: 0, max: last, step: 1, value: 0, format: (i) => steps[i], oninput: show });
  move.input.addEventListener("change", told);
  function stop() { clearInterval(playing); playing = 0; play.textContent = "Play"; }
  function start() {
    if (at === last) { move.put(0); show(0); }
    play.textContent = "Pause";
    playing = setInterval(() => {
      if (at === last || !root.isConnected) { stop(); return; }
      move.put(at + 1);
      show(at + 1);
    }, 1000 / { slow: 3, medium: 10, fast: 25 }[speed.select.value]);
  }
  const play = button("Play", () => (playing ? stop() : start()));
  const speed = choice("speed", ["slow", "medium", "fast"], still() ? "slow" : "medium",
    () => { if (playing) { stop(); start(); } });
  return tag("div", { class: "bar" }, play, move, speed);
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
