// What a view needs that talks to a kernel: it says when nobody answers, and how far the page has come.

/** A view for the notebook. */
function alive(view) {
  return { render({ model, el }) {
    const silence = tag("p", { role: "status", hidden: "", style: "border-left: 5px solid #e69f00; padding: 4px 10px" },
      "The kernel does not answer. If it is not busy, it is a new one: run the cells above, and this one again.");
    let timer = 0;
    el.addEventListener("keydown", (event) => { // arrow keys are the sliders', and "d d" deletes no cell
      if (!event.ctrlKey && !event.metaKey && !(event.shiftKey && event.key === "Enter")) event.stopPropagation();
    });
    view.render({ model: { ...model, live: true }, el });
    el.append(silence);
    model.on("change:controls", () => {
      clearTimeout(timer);
      timer = setTimeout(() => { silence.hidden = false; }, 3000);
    });
    model.on("change:data", () => {
      clearTimeout(timer);
      silence.hidden = true;
      if (model.get("data").unseen >= 8) model.send({ drawn: true });
    });
    return () => {
      model.off();
      clearTimeout(timer);
      if (model.get("controls").playing) send(model, { playing: false });
    };
  } };
}
