// Sizes by layer: gradients and activations on logarithmic axes, while the first weights are dragged.

const view = { render({ model, el }) {
  const { root, say } = begin(el, "Sizes by layer");
  const d = model.get("data"), width = 400, height = 250, left = 58, right = width - 12, top = 30, bottom = height - 40;
  const parts = ["gradient", "signal"], all = parts.flatMap((part) => d[part].map(numbers));
  const low = Math.max(-45, Math.min(...all.flatMap((v) => [...v]))), high = Math.max(...all.flatMap((v) => [...v]));
  const y = (v) => bottom - (bottom - top) * (Math.max(v, low) - low) / (high - low);
  const text = (tx, ty, words, anchor = "middle") => svg("text", { x: tx, y: ty, "text-anchor": anchor }, words);
  const size = (v) => `1e${Math.round(v)}`.replace("-", "−");
  let name = 0, at = d.begin;

  function panel(part, title) {
    const count = d[part][0].shape[1], x = (i) => left + 8 + (right - left - 16) * i / (count - 1);
    const line = svg("path", { fill: "none", stroke: "var(--view-ink)", "stroke-width": 2.5 });
    const marks = ticks(low, high, false).map((v) => [text(left - 6, y(v) + 4, size(v), "end"), svg("line", {
      x1: left, x2: right, y1: y(v), y2: y(v), stroke: "var(--view-line)", "stroke-width": 0.5 })]);
    const layers = [0, Math.floor(count / 2), count - 1].map((i) => text(x(i), bottom + 17, i + 1));
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title,
      style: "max-width: 100%" }, text(8, 14, title, "start"), ...marks.flat(), ...layers,
    text((left + right) / 2, height - 6, "layer"), svg("path", { d: `M${left} ${top}V${bottom}H${right}`,
      fill: "none", stroke: "var(--view-line)" }), line);
    return { picture, values: () => [...numbers(d[part][name])].slice(at * count, (at + 1) * count),
      put(v) { line.setAttribute("d", v.map((u, i) => `${i ? "L" : "M"}${x(i)} ${y(u).toFixed(1)}`).join("")); } };
  }
  const gradient = panel("gradient", "RMS of the gradient of the weights"), signal = panel("signal", "RMS of the activations");
  const words = tag("p");
  function draw() {
    const g = gradient.values(), a = signal.values();
    gradient.put(g);
    signal.put(a);
    words.textContent = `gradient: first layer ${size(g[0])}, last ${size(g.at(-1))}; activations: first ${size(a[0])}, last ${size(a.at(-1))}`;
    say(words.textContent);
  }
  const drag = slider("spread · √n", { min: 0, max: d.factors.length - 1, step: 1, value: at,
    format: (i) => shown(d.factors[i], 3), oninput: (i) => { at = i; draw(); } });
  root.append(tag("div", { class: "bar" }, choice("activation", d.names, d.names[name],
    (chosen) => { name = d.names.indexOf(chosen); draw(); }), drag),
  tag("div", { class: "row" }, gradient.picture, signal.picture), words);
  draw();
} };

export default view;
