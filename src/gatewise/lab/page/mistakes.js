// The view of the worst mistakes of a file: wrong answers, the surest first.

import { byId, choices, el, visible } from "./dom.js";
import { ask, latest } from "./questions.js";

export function mistakesView(facts, told, open) {
  const view = byId("view-mistakes");
  if (!facts.file?.labelled || facts.models.every((model) => model.task !== "classify")) {
    view.append(el("div", { class: "card" }, el("h2", {}, "The worst mistakes"),
      el("p", {}, "Start the lab with a table of texts and their true labels to see a classifier's worst mistakes:"),
      el("pre", {}, "gatewise lab model --test test.csv")));
    return { start() {} };
  }
  const which = el("select", { onchange: (event) => look({ model: Number(event.target.value) }) });
  choices(which, facts.models.map((model, place) => [place, model.name]), 0);
  const list = el("div", {});
  let begun = false;
  view.append(el("div", { class: "card" },
    el("h2", {}, `The worst mistakes in ${visible(facts.file.name)}`),
    facts.models.length > 1 ? el("div", { class: "controls" }, el("label", {}, "Model ", which)) : null,
    list));

  const look = latest((asked) => ask("test", asked), (answer) => {
    told("");
    list.replaceChildren(
      el("p", { class: "hint" }, `${answer.wrong} of ${facts.file.texts} texts are answered wrongly; the surest wrong answers stand first.`),
      el("ol", { class: "mistakes" }, answer.mistakes.map((one) => el("li", {},
        el("p", { class: "text", dir: "auto" }, visible(one.text)),
        el("p", { class: "told" },
          el("b", { class: "wrong" }, visible(one.answer) || "no label"), ` with ${one.sure.toFixed(3)}; the label is `,
          el("b", {}, visible(one.truth) || "none"), " ",
          el("button", { type: "button", onclick: () => open(one.text), "aria-label": `Read in the lab: ${visible(one.text).slice(0, 60)}` }, "Read it"))))));
  }, (problem) => told(problem.message));

  return {
    start() {
      if (!begun) look({ model: 0 });
      begun = true;
    },
  };
}
