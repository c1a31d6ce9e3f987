// Predict: one click among a few options, sure or unsure; the truth appears under the guess. Recall is one click.

const view = { render({ model, el }) {
  const { root, complain, say } = begin(el, "A prediction");
  const heading = tag("p"), options = tag("div", { class: "bar", role: "group" });
  const certain = tag("div", { class: "bar", role: "group", "aria-label": "How sure are you?" });
  const truth = tag("p");
  root.append(heading, options, certain, truth);

  function choice(text, pressed, onclick, closed, right) {
    return button(text, onclick, { "aria-pressed": `${pressed}`, disabled: closed && !pressed && !right,
      style: "text-align: left;" + (pressed ? "border: 2px solid var(--view-key); font-weight: 600"
        : right ? "border: 2px dashed var(--view-ink)" : "") });
  }

  function draw() {
    const data = model.get("data"), closed = Boolean(data.truth);
    complain(data.error);
    if (!data.options) return;
    const focused = root.contains(document.activeElement) && document.activeElement.textContent;
    heading.replaceChildren(tag("b", {}, `${data.heading ?? "Predict"}: `), data.question);
    options.style.cssText = data.heading ? "flex-direction: column; align-items: flex-start; font-family: monospace" : "";
    options.replaceChildren(...data.options.map((option) => choice(
      option, option === data.choice, () => send(model, { choice: option }), closed,
      closed && option === data.truth)));
    certain.replaceChildren(...(data.choice && !closed ? [["sure", true], ["unsure", false]].map(
      ([text, sure]) => choice(text, sure === data.sure, () => send(model, { sure }), false)) : []));
    truth.textContent = !closed ? "" : data.choice === data.truth ? `✓ So it is. ${data.line}`
      : data.heading ? `It is “${data.truth}”. ${data.line}`
        : `The truth: ${data.truth}. ${data.choice ? "What was overlooked? " : ""}${data.line}`;
    if (closed) say(truth.textContent);
    if (focused) [...root.querySelectorAll("button")].find((b) => b.textContent === focused)?.focus();
  }

  model.on("change:data", draw);
  draw();
} };

export default view;
