// The start of the page, and the way from view to view.

import { readColours } from "./colours.js";
import { byId, characters } from "./dom.js";
import { mistakesView } from "./mistakes.js";
import { modelView } from "./model.js";
import { facts } from "./questions.js";
import { sentenceView } from "./sentence.js";
import { unitsView } from "./units.js";

function told(problem) {
  byId("problem").textContent = problem;
  byId("problem").hidden = !problem;
}

async function start() {
  readColours();
  const known = await facts();
  document.title = `${known.models.map((model) => model.name).join(" and ")} · Gatewise lab`;
  const sentence = sentenceView(known, told);
  const open = (text) => {
    sentence.open(characters(text).slice(0, known.most_characters).join(""));
    location.hash = "sentence";
  };
  const views = {
    sentence,
    units: unitsView(known, told),
    model: modelView(known, told),
    mistakes: mistakesView(known, told, open),
  };

  function go(event) {
    const name = location.hash.slice(1) in views ? location.hash.slice(1) : "sentence";
    for (const link of document.querySelectorAll("[data-view]")) {
      if (link.dataset.view === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    for (const view of Object.keys(views)) byId("view-" + view).hidden = view !== name;
    told("");
    views[name].start();
    if (event) byId("main").focus();
  }

  function redraw() {
    readColours();
    for (const view of Object.values(views)) view.show?.();
  }

  addEventListener("hashchange", go);
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  go();
}

start().catch((problem) => told(problem.message));
