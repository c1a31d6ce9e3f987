// Logits: one logit is dragged and all probabilities move; from each bar to its goal a gap, the gradient.

const LONG = 220, HIGH = 34, SHIFTS = [-1000, -10, -1, 0, 1, 10, 1000]; // a bar of 1, a row; added to all logits

const view = { render({ model, el }) {
  const { root, complain, say } = begin(el, "Logits and probabilities");
  const data = () => model.get("data"), set = () => model.get("controls"), count = set().z.length;
  const words = tag("p", { class: "number" }), digits = (v) => v.toFixed(3).replace("-", "−");

  const rows = Array.from({ length: count }, (_, k) => {
    const bar = svg("rect", { x: 0, y: 6, height: HIGH - 12, fill: "var(--view-faint)", opacity: 0.55 });
    const gap = svg("line", { y1: HIGH / 2, y2: HIGH / 2, "stroke-width": 7 });
    const goal = svg("line", { y1: 1, y2: HIGH - 1, stroke: "var(--view-ink)", "stroke-width": 3 });
    const text = svg("text", { x: LONG + 14, y: HIGH / 2 + 5 });
    const picture = svg("svg", { width: LONG + 190, height: HIGH, viewBox: `-3 0 ${LONG + 190} ${HIGH}`, role: "img", style: "max-width: 100%" },
      svg("path", { d: `M0 0V${HIGH}M${LONG} 0V${HIGH}`, stroke: "var(--view-line)" }), bar, gap, goal, text);
    const move = slider(`logit ${k}`, { min: -10, max: 10, step: 0.1, value: set().z[k], format: (v) => shown(v, 3),
      oninput: (v) => send(model, { z: set().z.map((old, i) => (i === k ? v : old)) }) });
    move.lastChild.style.width = "2.6em";
    move.input.style.width = "100px";
    move.input.addEventListener("change", () => say(words.textContent));
    return { row: tag("div", { class: "bar" }, move, picture), put({ p, gradient }, truth) {
      const end = truth ? LONG : 0, at = LONG * p[k], text_ = `p ${digits(p[k])}, gradient ${digits(gradient[k])}`;
      bar.setAttribute("width", at);
      goal.setAttribute("x1", end);
      goal.setAttribute("x2", end);
      gap.setAttribute("x1", at);
      gap.setAttribute("x2", end);
      gap.setAttribute("stroke", truth ? "var(--view-minus)" : "var(--view-plus)");
      gap.setAttribute("stroke-dasharray", truth ? "7 4" : "none");
      text.textContent = text_;
      picture.setAttribute("aria-label", `class ${k}${truth ? ", the true one" : ""}: ${text_}`);
    } };
  });
  const classes = rows.map((_, k) => `${k}`);
  const truth = choice("true class", classes, `${set().true}`, (v) => send(model, { true: +v }));
  const all = slider("added to all logits", { min: 0, max: SHIFTS.length - 1, step: 1, value: SHIFTS.indexOf(0),
    format: (i) => shown(SHIFTS[i]), oninput: (i) => send(model, { all: SHIFTS[i] }) });
  function draw() {
    const d = data();
    complain(d.error);
    if (!d.p) return;
    rows.forEach((one, k) => one.put(d, k === +set().true));
    words.textContent = `Loss ${digits(d.loss)}, minus the logarithm of ${digits(d.p[set().true])}. The probabilities add up to ${digits(d.p.reduce((a, b) => a + b))}, the gradient to ${digits(d.gradient.reduce((a, b) => a + b))}.`;
  }
  root.append(tag("div", { class: "bar" }, truth, all), ...rows.map((one) => one.row), words, tag("p", {},
    "A bar is a probability; the black line is where it should end. The gap is the gradient: solid where the logit should fall, dashed where it should rise."));
  model.on("change:data", draw);
  draw();
} };

export default view;
