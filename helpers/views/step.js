// Step through backprop: a network, chain or graph, forward and back; or, live, sliders on its weights.

const WIDTH = 640, RADIUS = 24;

const view = { render({ model, el }) {
  const { root, complain, say } = begin(el, "Step through a network");
  const bar = tag("div", { class: "bar" }), words = tag("div", { style: "min-height: 4.6em" });
  const place = tag("div");
  let story, at = 0, parts = {}, hovered = null, chosen = 0;

  function nodeShape(node) {
    const look = { fill: "var(--view-face)", stroke: "var(--view-ink)", "stroke-width": 1.4 };
    const shape = node.kind === "bias"
      ? svg("rect", { x: node.x - 16, y: node.y - 16, width: 32, height: 32, ...look })
      : svg("circle", { cx: node.x, cy: node.y, r: RADIUS, ...look });
    const name = svg("text", { x: node.x, y: node.y - (node.kind === "bias" ? 21 : 29), "text-anchor": "middle" }, node.label);
    const value = svg("text", { x: node.x, y: node.y + 4, "text-anchor": "middle", style: "font-weight: 600" });
    const delta = svg("text", { x: node.x, y: node.y + 42, "text-anchor": "middle", style: "font-weight: 600; font-size: 12px; stroke: none" });
    const half = node.sign ? 58 : 40;
    const plate = svg("rect", { x: node.x - half, y: node.y + 29, width: 2 * half, height: 17, rx: 4, fill: "var(--view-key)", opacity: 0.3 });
    return { item: node, shape, value, delta, plate,
      group: svg("g", { tabindex: 0, role: "img" }, shape, name, value, plate, delta) };
  }

  function edgeShape(one, from, to) {
    const line = edge([from.x, from.y], [to.x, to.y], one.weight, story.scale);
    const t = one.at ?? 0.5, [mx, my] = [from.x + t * (to.x - from.x), from.y + t * (to.y - from.y)];
    const text = svg("text", { x: mx, y: my - 5, "text-anchor": "middle",
      style: "font-size: 12px; font-weight: 600; stroke-width: 6px" });
    const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
    const wide = svg("line", { ...ends, stroke: "transparent", "stroke-width": 14 });
    const glow = svg("line", { ...ends, stroke: "var(--view-key)", opacity: 0.4,
      "stroke-width": 3 + 11 * Math.min(1, Math.abs(one.gradient ?? 0) / story.gradients) });
    return { item: one, line, text, glow,
      group: svg("g", { tabindex: 0, role: "img" }, glow, line, wide, text) };
  }

  function build() {
    story = model.get("data").stories[chosen];
    const nodes = Object.fromEntries(story.nodes.map((n) => [n.id, n]));
    const edges = story.edges.map((e) => edgeShape(e, nodes[e.from], nodes[e.to]));
    const units = story.nodes.map(nodeShape);
    parts = Object.fromEntries([...edges, ...units].map((p) => [p.item.id, p]));
    for (const { group, item } of Object.values(parts)) {
      const look = (id) => () => { hovered = id; draw(); };
      for (const type of ["pointerenter", "focus"]) group.addEventListener(type, look(item.id));
      for (const type of ["pointerleave", "blur"]) group.addEventListener(type, look(null));
      if (item.slot === undefined) continue;
      group.addEventListener("click", () => hold(item));
      group.addEventListener("keydown", (event) => { if (event.key === "Enter") hold(item, true); });
    }
    place.replaceChildren(svg("svg", { viewBox: `0 0 ${WIDTH} ${story.height}`, style: "width: 100%; max-width: 720px; display: block" },
      ...edges.map((p) => p.group), ...units.map((p) => p.group)));
    at = model.live ? story.frames.length - 1 : Math.min(at, story.frames.length - 1);
    move.input.max = story.frames.length - 1;
    draw();
  }

  /** Show other numbers of the same network: its elements stay, and with them the focus. */
  function renew() {
    story = model.get("data").stories[chosen];
    for (const item of [...story.edges, ...story.nodes]) {
      parts[item.id].item = item;
      if (parts[item.id].line) weigh(parts[item.id].line, item.weight, story.scale);
    }
    draw();
  }

  /** What is said of a frame: its title, the formula, the same with its numbers. */
  function said(frame) {
    return [tag("div", { style: "font-weight: 600" }, frame.title), tag("div", {}, frame.formula),
      tag("div", { class: "number" }, frame.numbers)];
  }

  function explain() {
    const frames = story.frames.filter((f, i) => i <= at && f.on[0] === hovered), part = parts[hovered]?.item;
    const weight = part?.text ? [tag("div", { style: "font-weight: 600" }, `the weight ${part.label}: ${part.text}`)] : [];
    words.replaceChildren(...(frames.length ? frames.slice(-2).flatMap(said) : weight.length ? weight : said(story.frames[at])));
  }

  function draw() {
    const on = new Set(model.live ? [] : story.frames[at].on);
    for (const { item, group, shape, line, value, delta, text, plate, glow } of Object.values(parts)) {
      const lit = on.has(item.id) || item.slot !== undefined && item.slot === held;
      const states = item.states ?? [[item.gradientFrom, item.delta, item.wrong]];
      const [, gradient, wrong] = states.findLast(([from]) => at >= from) ?? [];
      const near = lit || item.id === hovered, there = gradient !== undefined, mark = wrong ? "✗ " : "";
      if (shape) {
        write(value, at >= item.from ? item.value : "");
        write(delta, there ? `${mark}${item.sign ?? "δ"} ${gradient}` : "");
        shape.setAttribute("stroke", lit ? "var(--view-key)" : mark ? "#cc3311" : "var(--view-ink)");
        shape.setAttribute("stroke-width", lit ? 4 : 1.4);
        plate.style.display = there ? "" : "none";
        group.setAttribute("aria-label", `${item.label} ${value.textContent} ${delta.textContent}`);
      } else {
        write(text, near || mark ? mark + (there ? gradient : item.text) : "");
        line.setAttribute("opacity", near ? 1 : 0.7);
        glow.style.display = there ? "" : "none";
        group.setAttribute("aria-label", `${item.label}: weight ${item.text}${there ? `, gradient ${mark}${gradient}` : ""}`);
      }
    }
    move.put(at);
    back.disabled = at === 0;
    next.disabled = at === story.frames.length - 1;
    explain();
  }

  function go(to) {
    at = Math.max(0, Math.min(story.frames.length - 1, to));
    draw();
    const frame = story.frames[at];
    say(`${frame.title}. ${frame.numbers}`);
  }
  const back = button("◂ Back", () => go(at - 1)), next = button("Step ▸", () => go(at + 1));
  const move = slider("step", { min: 0, max: 1, step: 1, value: 0, format: (i) => `${i} of ${story ? story.frames.length - 1 : 1}`,
    oninput: (i) => { at = i; draw(); } });

  let held = null;
  const one = tag("span"), inputs = tag("span", { class: "bar" });
  function lever(item, name) {
    return slider(name, { min: -5, max: 5, step: 0.05, value: model.get("controls").values[item.slot], format: (v) => shown(v, 3),
      oninput: (v) => { const values = [...model.get("controls").values]; values[item.slot] = v; send(model, { values }); } });
  }
  /** Put the slider on another weight. */
  function hold(item, focus = false) {
    if (item.from !== undefined && item.kind) return;
    held = item.slot;
    const move = lever(item, `weight ${item.label}`);
    one.replaceChildren(move);
    if (focus) move.input.focus();
    draw();
  }

  function stepping() {
    const names = model.get("data").stories.map((s) => s.name);
    bar.append(back, next, move, names.length > 1 ? choice(model.get("data").what, names, names[0],
      (name) => { chosen = names.indexOf(name); build(); }) : "");
    root.addEventListener("keydown", (event) => {
      if (event.target.tagName === "INPUT" || event.target.tagName === "SELECT") return;
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (by) { event.preventDefault(); event.stopPropagation(); go(at + by); }
    });
  }
  function moving() {
    bar.append(inputs, one, tag("span", {}, "click a line, or Tab to it and press Enter, to move its weight"));
    const begun = () => {
      inputs.replaceChildren(...story.nodes.filter((n) => n.slot !== undefined).map((n) => lever(n, n.label)));
      hold(story.edges[0]);
    };
    model.on("change:data", () => {
      complain(model.get("data").error);
      if (!model.get("data").stories) return;
      if (story) renew(); else { build(); begun(); }
    });
    if (story) begun();
  }
  root.append(bar, words, place);
  complain(model.get("data").error);
  if (model.get("data").stories) build();
  (model.live ? moving : stepping)();
} };

export default view;
