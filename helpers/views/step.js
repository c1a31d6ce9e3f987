// Step through backprop: a network or a chain, forward unit by unit, and back; each number explained.

const WIDTH = 640, HEIGHT = 430, RADIUS = 24;

const view = { render({ model, el }) {
  const { root, complain, say } = begin(el, "Step through backprop");
  const bar = tag("div", { class: "bar" }), words = tag("div", { style: "min-height: 5.4em" });
  const place = tag("div", { class: "row" });
  let story, at = 0, parts = {}, hovered = null, chosen = 0;

  const clip = (text) => (text.length > 9 ? Number(text).toPrecision(3) : text);

  function nodeShape(node) {
    const look = { fill: "var(--view-face)", stroke: "var(--view-ink)", "stroke-width": 1.4 };
    const shape = node.kind === "bias"
      ? svg("rect", { x: node.x - 16, y: node.y - 16, width: 32, height: 32, ...look })
      : svg("circle", { cx: node.x, cy: node.y, r: RADIUS, ...look });
    const name = svg("text", { x: node.x, y: node.y - (node.kind === "bias" ? 21 : 28), "text-anchor": "middle" }, node.label);
    const value = svg("text", { x: node.x, y: node.y + 4, "text-anchor": "middle", style: "font-weight: 600" });
    const delta = svg("text", { x: node.x, y: node.y + 41, "text-anchor": "middle", style: "font-weight: 600; font-size: 12px" });
    const plate = svg("rect", { x: node.x - 38, y: node.y + 28, width: 76, height: 17, rx: 4, fill: "#e69f00", opacity: 0.3 });
    return { item: node, shape, value, delta, plate,
      group: svg("g", { tabindex: 0, "aria-label": node.label }, shape, name, value, plate, delta) };
  }

  function edgeShape(one, from, to) {
    const line = edge([from.x, from.y], [to.x, to.y], one.weight, story.scale);
    const t = one.at ?? 0.5, [mx, my] = [from.x + t * (to.x - from.x), from.y + t * (to.y - from.y)];
    const text = svg("text", { x: mx, y: my - 4, "text-anchor": "middle", style: "font-size: 11.5px; font-weight: 600" });
    const plate = svg("rect", { x: mx - 25, y: my - 16, width: 50, height: 16, rx: 4, fill: "#e69f00", opacity: 0.35 });
    const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
    const wide = svg("line", { ...ends, stroke: "transparent", "stroke-width": 12 });
    const glow = svg("line", { ...ends, stroke: "#e69f00", "stroke-width": 9, opacity: 0.4 });
    return { item: one, line, text, plate, glow,
      group: svg("g", { tabindex: 0, "aria-label": one.label }, glow, line, wide, plate, text) };
  }

  function build() {
    story = model.get("data").stories[chosen];
    const nodes = Object.fromEntries(story.nodes.map((n) => [n.id, n]));
    const edges = story.edges.map((e) => edgeShape(e, nodes[e.from], nodes[e.to]));
    const units = story.nodes.map(nodeShape);
    parts = Object.fromEntries([...edges, ...units].map((p) => [p.item.id, p]));
    for (const part of Object.values(parts)) {
      const look = (id) => () => { hovered = id; draw(); };
      for (const type of ["pointerenter", "focus"]) part.group.addEventListener(type, look(part.item.id));
      for (const type of ["pointerleave", "blur"]) part.group.addEventListener(type, look(null));
    }
    place.replaceChildren(svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, style: "width: 100%; max-width: 760px" },
      ...edges.map((p) => p.group), ...units.map((p) => p.group)));
    at = Math.min(at, story.frames.length - 1);
    move.input.max = story.frames.length - 1;
    draw();
  }

  /** What is said of a frame: its title, the formula, the same with its numbers. */
  function said(frame) {
    return [tag("div", { style: "font-weight: 600" }, frame.title), tag("div", {}, frame.formula),
      tag("div", { class: "number" }, frame.numbers)];
  }

  function explain() {
    const frames = story.frames.filter((f, i) => i <= at && f.on[0] === hovered);
    words.replaceChildren(...(hovered && frames.length ? frames.slice(-2).flatMap(said) : said(story.frames[at])));
  }

  function draw() {
    const on = new Set(story.frames[at].on);
    for (const { item, shape, line, value, delta, text, plate, glow } of Object.values(parts)) {
      const lit = on.has(item.id), near = lit || item.id === hovered, gradient = item.delta ?? item.gradient, there = gradient !== undefined && at >= item.gradientFrom;
      if (shape) {
        value.textContent = at >= item.from ? clip(item.value) : "";
        delta.textContent = there ? `${item.wrong ? "✗ " : ""}δ ${clip(gradient)}` : "";
        shape.setAttribute("stroke", lit ? "var(--view-key)" : item.wrong && there ? "#cc3311" : "var(--view-ink)");
        shape.setAttribute("stroke-width", lit ? 4 : 1.4);
      } else {
        const number = there ? clip(gradient) : clip(`${item.weight}`);
        text.textContent = (item.wrong && there ? "✗ " : "") + (near ? number : "");
        line.setAttribute("opacity", near ? 1 : 0.45);
        glow.style.display = there ? "" : "none";
      }
      plate.style.display = there && (shape || near) ? "" : "none";
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
  const move = slider("step", { min: 0, max: 1, step: 1, value: 0, format: (i) => `${i}`, oninput: (i) => { at = i; draw(); } });
  const names = model.get("data").stories.map((s) => s.name);
  const sample = names.length > 1 ? choice(model.get("data").what, names, names[0],
    (name) => { chosen = names.indexOf(name); build(); }) : "";
  root.addEventListener("keydown", (event) => {
    if (event.target.tagName === "INPUT" || event.target.tagName === "SELECT") return;
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) { event.preventDefault(); event.stopPropagation(); go(at + by); }
  });
  bar.append(back, next, move, sample);
  root.append(bar, words, place);
  complain(model.get("data").error);
  build();
} };

export default view;
