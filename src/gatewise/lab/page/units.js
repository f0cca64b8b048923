// The view of one unit over a whole file: what it follows.

import { behind } from "./colours.js";
import { byId, characters, choices, el, plain, signed, table, visible } from "./dom.js";
import { ask, latest } from "./questions.js";

const LISTED = 24;

export function unitsView(facts, told) {
  const view = byId("view-units");
  if (!facts.file) {
    view.append(el("div", { class: "card" }, el("h2", {}, "What a unit follows"),
      el("p", {}, "Start the lab with a file to follow a unit over all its texts: "),
      el("pre", {}, "gatewise lab model --test reviews.csv")));
    return { start() {} };
  }
  const state = { model: 0, layer: 0, unit: null, start: 0 };
  const which = el("select", { onchange: (event) => restart({ model: Number(event.target.value), layer: 0 }) });
  const layer = el("select", { onchange: (event) => restart({ layer: Number(event.target.value) }) });
  const number = el("input", { type: "number", min: 0, onchange: (event) => follow(Number(event.target.value)) });
  const list = el("div", { class: "units-list", role: "group", "aria-label": "Units" });
  const about = el("p", { class: "hint" });
  const figures = el("div", {});
  const texts = el("div", { class: "card" });
  view.append(
    el("div", { class: "card" },
      el("h2", {}, `What a unit follows in ${visible(facts.file.name)}`),
      el("div", { class: "controls" },
        facts.models.length > 1 ? el("label", {}, "Model ", which) : null,
        el("label", {}, "Layer ", layer),
        el("label", {}, "Unit ", number)),
      about, list, figures),
    texts);

  const rank = latest((asked) => ask("units", asked), (units) => {
    told("");
    const apart = units[0]?.separation != null;
    about.textContent = apart
      ? "First those whose states at the end of a text tell the labels apart best; how far, in standard deviations, stands beside the number."
      : "First those that move most; the standard deviation of their states stands beside the number.";
    list.replaceChildren(...units.slice(0, LISTED).map((one) => el("button", {
      type: "button",
      "data-unit": one.unit,
      "aria-pressed": "false",
      onclick: () => follow(one.unit),
    }, `${one.unit} · ${(apart ? one.separation : one.spread).toFixed(2)}`)));
    number.max = units.length - 1;
    follow(units[0].unit);
  }, fail);

  const look = latest((asked) => ask("unit", asked), showUnit, fail);

  function fail(problem) {
    told(problem.message);
  }

  function restart(changes) {
    Object.assign(state, { unit: null, start: 0 }, changes);
    choices(layer, facts.models[state.model].layers.map((one, place) => [place, one.name]), state.layer);
    about.textContent = "Reading the file…";
    rank({ model: state.model, layer: state.layer });
  }

  function follow(unit, start = 0) {
    Object.assign(state, { unit, start });
    number.value = unit;
    for (const button of list.children) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.unit) === unit));
    }
    look({ ...state });
  }

  function showUnit(answer) {
    told("");
    figures.replaceChildren(
      el("div", { class: "panels narrow" },
        movers("Words that raise it most", answer.words.up, "up"),
        movers("Words that lower it most", answer.words.down, "down"),
        answer.labels.length ? table("Its mean state after the last word", ["label", "state", "texts"],
          answer.labels.map((one) => [visible(one.label), signed(one.mean), String(one.count)])) : null));
    const last = answer.start + answer.texts.length;
    texts.replaceChildren(
      el("h2", {}, `Unit ${state.unit}, word by word`),
      el("p", { class: "hint" },
        el("span", { class: "scale" }, `−${plain(answer.scale, 2)} or below`, el("i", { class: "signed" }), `+${plain(answer.scale, 2)} or above`),
        answer.count < answer.of ? ` The first ${answer.count} of ${answer.of} texts are read: the lab keeps the states of so many words.` : ""),
      ...answer.texts.map((one) => running(one, answer.scale)),
      el("div", { class: "pager" },
        el("button", { type: "button", disabled: answer.start === 0, onclick: () => follow(state.unit, Math.max(0, answer.start - facts.file.at_once)) }, "Earlier texts"),
        el("button", { type: "button", disabled: last >= answer.count, onclick: () => follow(state.unit, last) }, "Later texts"),
        el("span", { class: "told" }, `Texts ${answer.start + 1} to ${last} of ${answer.count}`)));
  }

  choices(which, facts.models.map((model, place) => [place, model.name]), 0);
  return { start: () => { if (state.unit == null) restart({}); } };
}

function movers(caption, words, way) {
  const most = Math.max(...words.map((one) => Math.abs(one.step)), 1e-6);
  return table(caption, ["word", "", "mean step", "times"], words.map((one) => {
    const meter = el("span", { class: `meter ${way}`, "aria-hidden": "true" });
    meter.style.inlineSize = 5 * Math.abs(one.step) / most + "rem";
    return [visible(one.word), meter, signed(one.step), String(one.count)];
  }));
}

// A text with every word coloured by the unit's state after it.
function running(one, scale) {
  const letters = characters(one.text);
  const node = el("p", { class: "running", dir: "auto" },
    one.label == null ? null : el("span", { class: "label" }, visible(one.label)));
  let at = 0;
  one.words.forEach(([start, stop], place) => {
    const gap = letters.slice(at, start).join("");
    if (gap) node.append(visible(gap));
    const value = one.values[place];
    const word = el("mark", { title: signed(value) }, visible(letters.slice(Math.max(at, start), stop).join("")));
    word.style.backgroundColor = behind(value / scale, true);
    node.append(word);
    at = Math.max(at, stop);
  });
  node.append(visible(letters.slice(at).join("")));
  return node;
}
