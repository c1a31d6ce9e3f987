// You draw it: a guess of a curve, point by point, with the mouse or keys; later the truth beside it.

const view = { render({ model, el }) {
  const { root, complain, say } = begin(el, "Draw your guess");
  const d = model.get("data"), n = d.x.length, width = 560, height = 280, left = 56, bottom = height - 44;
  const guess = [...(d.guess ?? model.get("controls").guess)];
  const x = (i) => left + 14 + (width - left - 34) * i / (n - 1);
  const y = (v) => bottom - (bottom - 20) * (v - d.low) / (d.high - d.low);
  const text = (tx, ty, words, anchor = "middle") => svg("text", { x: tx, y: ty, "text-anchor": anchor }, words);
  let at = 0, drawing = false;

  const line = (dashes, stroke) => svg("path", { fill: "none", stroke, "stroke-width": 2.5, "stroke-dasharray": dashes });
  const mine = line("6 4", "var(--view-test)"), real = line(undefined, "var(--view-ink)");
  const dots = guess.map((_, i) => svg("rect", { x: x(i) - 4, width: 8, height: 8, fill: "var(--view-test)" }));
  const cursor = svg("line", { y1: 16, y2: bottom, stroke: "var(--view-key)", "stroke-width": 2 });
  const board = svg("svg", { viewBox: `0 0 ${width} ${height}`, tabindex: d.truth ? undefined : 0, role: d.truth ? "img" : "application",
    "aria-label": `${d.ylabel} against ${d.xlabel}${d.truth ? "" : ": arrows left and right choose a point, up and down move it"}`,
    style: `width: 100%; max-width: ${width}px; display: block; touch-action: none${d.truth ? "" : "; cursor: crosshair"}` },
  svg("path", { d: `M${left} 12V${bottom}H${width - 8}`, fill: "none", stroke: "var(--view-line)" }),
  text(left, 10, d.ylabel, "start"), text((left + width) / 2, height - 6, d.xlabel),
  ...d.x.map((words, i) => text(x(i), bottom + 18, words)),
  ...ticks(d.low, d.high, false).flatMap((v) => [text(left - 6, y(v) + 4, shown(v, 3), "end"),
    svg("line", { x1: left, x2: width - 8, y1: y(v), y2: y(v), stroke: "var(--view-line)", "stroke-width": 0.5 })]),
  d.truth ? "" : cursor, mine, real, ...dots, ...(d.truth ?? []).map((v, i) => svg("circle", { cx: x(i), cy: y(v), r: 4, fill: "var(--view-ink)" })));

  const path = (values) => values.map((v, i) => (v === null ? "" : `${i && values[i - 1] !== null ? "L" : "M"}${x(i)} ${y(v)}`)).join("");
  function draw() {
    mine.setAttribute("d", path(guess));
    if (d.truth) real.setAttribute("d", path(d.truth));
    dots.forEach((dot, i) => {
      dot.style.display = guess[i] === null ? "none" : "";
      dot.setAttribute("y", y(guess[i] ?? d.low) - 4);
    });
    cursor.setAttribute("x1", x(at));
    cursor.setAttribute("x2", x(at));
  }
  function put(i, value) {
    at = i;
    guess[i] = Math.min(d.high, Math.max(d.low, value));
    draw();
    send(model, { guess: [...guess] });
  }
  function point(event) {
    const box = board.getBoundingClientRect(), scale = width / box.width;
    const i = Math.round(((event.clientX - box.left) * scale - left - 14) / (width - left - 34) * (n - 1));
    put(Math.min(n - 1, Math.max(0, i)), d.low + (bottom - (event.clientY - box.top) * scale) / (bottom - 20) * (d.high - d.low));
  }
  function clear() { guess.fill(null); draw(); send(model, { guess: [...guess] }); }
  if (!d.truth) {
    board.addEventListener("pointerdown", (event) => { drawing = true; board.setPointerCapture(event.pointerId); point(event); });
    board.addEventListener("pointermove", (event) => { if (drawing) point(event); });
    board.addEventListener("pointerup", () => { drawing = false; });
    board.addEventListener("keydown", (event) => {
      const side = { ArrowLeft: -1, ArrowRight: 1 }[event.key], up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!side && !up) return;
      event.preventDefault();
      event.stopPropagation();
      if (side) at = Math.min(n - 1, Math.max(0, at + side));
      if (up) put(at, (guess[at] ?? (d.low + d.high) / 2) + up * (d.high - d.low) / 50);
      draw();
      say(`${d.xlabel} ${d.x[at]}: ${guess[at] === null ? "nothing yet" : shown(guess[at], 3)}`);
    });
  }
  root.append(d.truth ? tag("p", {}, d.said) : tag("div", { class: "bar" }, button("Clear", clear),
    tag("span", {}, "draw with the mouse or a finger, or with the arrow keys")), board,
  d.truth ? tag("p", {}, tag("span", {}, "— how it is    "), tag("span", { style: "color: var(--view-test)" }, "- - your guess")) : "");
  complain(d.error);
  draw();
} };

export default view;
