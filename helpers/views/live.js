// What a view needs that talks to a kernel: nothing the reader does is lost while the kernel is busy.

/** A view for the notebook. The reader's controls are numbered, and told again until the kernel has answered the
 * latest; what comes back from an earlier one changes nothing. It says of pictures that they were drawn, and lets go
 * when it is removed. */
function alive(view) {
  return { render({ model, el }) {
    const heard = [], on = (event, f) => { heard.push([event, f]); model.on(event, f); };
    const number = (controls) => controls.change ?? 0;
    const silence = tag("p", { role: "status", hidden: "", style: "border-left: 5px solid #e69f00; padding: 4px 10px" },
      "The kernel does not answer. If it is not busy, it is a new one: run the cells above, and this one again.");
    let mine = model.get("controls"), timer = 0, drawn = 0;
    on("change:controls", () => {
      const theirs = model.get("controls");
      if (number(theirs) >= number(mine)) mine = theirs;
    });
    function again(wait) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (number(model.get("data")) >= number(mine)) return;
        model.send({ controls: mine });
        silence.hidden = wait < 2000;
        again(2 * wait);
      }, wait);
    }
    el.addEventListener("keydown", (event) => { // arrow keys are the sliders', and "d d" deletes no cell
      if (!event.ctrlKey && !event.metaKey && !(event.shiftKey && event.key === "Enter")) event.stopPropagation();
    });
    const shared = { live: true, on, get: (name) => (name === "controls" ? mine : model.get(name)),
      set(name, value) {
        if (JSON.stringify(value) !== JSON.stringify(mine)) mine = { ...value, change: number(mine) + 1 };
      },
      save_changes() { model.set("controls", mine); model.save_changes(); again(1000); } };
    view.render({ model: shared, el });
    el.append(silence);
    on("change:data", () => { silence.hidden = true; if (++drawn % 4 === 0) model.send({ drawn: true }); });
    return () => {
      for (const [event, f] of heard) model.off(event, f);
      clearTimeout(timer);
      if (mine.playing) { send(shared, { playing: false }); clearTimeout(timer); }
    };
  } };
}
