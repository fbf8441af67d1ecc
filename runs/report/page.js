"use strict";

// A figure is redrawn from one of its views, named by the settings of its controls.
// No button of plotly may reach out: only these two are offered.
const CONFIG = { displaylogo: false, responsive: true, displayModeBar: "hover",
  modeBarButtons: [["toImage", "resetScale2d"]] };

function setPath(trace, path, value) {
  const steps = path.split(".");
  const copy = { ...trace };
  let place = copy;
  for (const step of steps.slice(0, -1)) {
    place[step] = { ...place[step] };
    place = place[step];
  }
  place[steps[steps.length - 1]] = value;
  return copy;
}

function changed(data, changes) {
  const traces = [...data];
  for (const [first, attributes] of changes) {
    for (const [path, values] of Object.entries(attributes)) {
      values.forEach((value, index) => {
        traces[first + index] = setPath(traces[first + index], path, value);
      });
    }
  }
  return traces;
}

function settings(controls) {
  return controls.filter((control) => control.type !== "radio" || control.checked)
    .map((control) => control.value).join("|");
}

function draw(figure) {
  const target = document.getElementById(figure.name);
  const bar = document.getElementById(figure.name + "-controls");
  const note = document.getElementById(figure.name + "-note");
  const controls = bar ? [...bar.querySelectorAll("[data-choice]")] : [];
  const show = () => {
    for (const control of controls.filter((one) => one.type === "range")) {
      const words = control.dataset.words.split("|")[Number(control.value)];
      bar.querySelector(`output[for="${control.id}"]`).textContent = words;
      control.setAttribute("aria-valuetext", words);
    }
    const view = figure.views[settings(controls)] || {};
    const data = view.data || changed(figure.data, view.changes || []);
    if (note) note.innerHTML = view.note || "";
    const layout = view.layout || figure.layout;
    target.style.minHeight = `${layout.height}px`;
    // Plotly writes into what it is given, and a view is shown more than once.
    return Plotly.react(target, structuredClone(data),
      structuredClone(layout), CONFIG);
  };
  controls.forEach((control) => control.addEventListener("input", show));
  if (bar) bar.querySelectorAll("[data-play]").forEach((button) => play(button, show));
  return show();
}

function play(button, show) {
  const slider = document.getElementById(button.dataset.play);
  let timer = null;
  const halt = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "▶ play";
  };
  button.addEventListener("click", () => {
    if (timer !== null) return halt();
    button.textContent = "❚❚ pause";
    timer = setInterval(() => {
      slider.value = slider.value === slider.max ? 0 : Number(slider.value) + 1;
      show();
    }, 900);
  });
  slider.addEventListener("pointerdown", halt);
}

const figures = JSON.parse(document.getElementById("figures").textContent);
Promise.all(figures.map(draw)).then(() => { document.body.dataset.drawn = figures.length; });
