// Predict: one click among a few options, sure or unsure; the truth appears under the guess. Recall is one click.

const view = { render({ model, el }) {
  const { root, complain, say } = begin(el, "A prediction");
  const heading = tag("p"), options = tag("div", { class: "bar", role: "group" });
  const certain = tag("div", { class: "bar", role: "group", "aria-label": "How sure are you?" });
  const truth = tag("p");
  root.append(heading, options, certain, truth);

  /** A button that stays the same element, so that no click is lost when it is drawn anew. */
  function choice(text, changes) {
    return button(text, () => send(model, changes), { style: "text-align: left" });
  }
  function mark(one, pressed, right, closed) {
    one.setAttribute("aria-pressed", `${pressed}`);
    one.disabled = closed && !pressed && !right;
    one.style.fontWeight = pressed ? "600" : "";
    one.style.border = pressed ? "2px solid var(--view-key)" : right ? "2px dashed var(--view-ink)" : "";
  }
  let offered = [];
  const sure = [["sure", true], ["unsure", false]].map(([text, value]) => [choice(text, { sure: value }), value]);
  certain.append(...sure.map(([one]) => one));

  function draw() {
    const data = model.get("data"), closed = Boolean(data.truth);
    complain(data.error);
    if (!data.options) return;
    heading.replaceChildren(tag("b", {}, `${data.heading ?? "Predict"}: `),
      ...prose(data.question));
    options.style.cssText = data.heading ? "flex-direction: column; align-items: flex-start; font-family: monospace" : "";
    if (!offered.length) options.append(...offered = data.options.map((option) => choice(option, { choice: option })));
    offered.forEach((one, i) => mark(one, data.options[i] === data.choice, closed && data.options[i] === data.truth, closed));
    sure.forEach(([one, value]) => mark(one, value === data.sure, false, closed));
    certain.style.display = data.choice && !closed ? "" : "none";
    const told = !closed ? "" : data.choice === data.truth ? `✓ So it is. ${data.line}`
      : data.heading ? `It is “${data.truth}”. ${data.line}`
        : `The truth: ${data.truth}. ${data.choice ? "What was overlooked? " : ""}${data.line}`;
    truth.replaceChildren(...prose(told));
    if (closed) say(truth.textContent);
  }

  model.on("change:data", draw);
  draw();
} };

export default view;
