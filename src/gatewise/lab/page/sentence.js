// The view of one sentence: typing, changing words, and what every model makes of it.

import { byId, characters, choices, el, visible } from "./dom.js";
import { panel } from "./panel.js";
import { ask, latest } from "./questions.js";

const STEP = 700; // milliseconds
const FIRST = "I wanted to love this film and could not";

export function sentenceView(facts, told) {
  const { models } = facts;
  const text = byId("text");
  const state = {
    text: text.value || FIRST,
    past: null, // readings of the text that is compared with
    before: null, // that text
    selected: [], // places of at most two words: { start, stop }
    measure: null,
    layer: 0,
    part: null,
    order: "number",
    readings: [],
    chosen: models.map(() => ({ word: 0, unit: 0 })),
    backward: (number) => models[number].layers[place(number)].backward,
  };
  const place = (number) => Math.min(state.layer, models[number].layers.length - 1);
  const panels = models.map((model, number) => panel(model, number, { choose, select, remove }));
  byId("panels").classList.toggle("single", models.length === 1);
  byId("panels").append(...panels.map((one) => one.node));

  const read = latest(
    async () => {
      const asked = { text: state.text, before: state.before };
      const all = (text) => Promise.all(models.map((_, model) => ask("reading", { model, text, layer: place(model) })));
      return { asked, readings: await all(asked.text), past: asked.before == null ? null : await all(asked.before) };
    },
    (answer) => {
      told("");
      state.readings = answer.readings;
      state.past = answer.past;
      answer.readings.forEach(keepWithin);
      measures();
      show();
    },
    (problem) => told(problem.message),
  );

  function keepWithin(reading, number) {
    const chosen = state.chosen[number];
    const units = models[number].layers[place(number)].units;
    chosen.word = Math.max(0, Math.min(chosen.word, reading.words.length - 1));
    chosen.unit = Math.min(chosen.unit, units - 1);
  }

  function measures() {
    const known = [...new Set(state.readings.flatMap((reading) => reading.measures).map((one) => one.name))];
    if (!known.includes(state.measure)) [state.measure] = known;
    choices(byId("measure"), known.map((name) => [name, name]), state.measure);
  }

  function show() {
    for (const one of panels) one.show(state);
    byId("remove").disabled = !state.selected.length;
    byId("swap").disabled = state.selected.length !== 2;
    const names = state.selected.map((one) => `“${visible(slice(one))}”`);
    byId("chosen").textContent = names.length ? `Chosen: ${names.join(" and ")}` : "";
    byId("compared").hidden = state.before == null;
    byId("before").textContent = visible(state.before ?? "");
    byId("text-hint").textContent = `${characters(state.text).length} of ${facts.most_characters} characters`;
  }

  const slice = ({ start, stop }) => characters(state.text).slice(start, stop).join("");

  function choose(number, word, unit) {
    state.chosen[number].unit = unit;
    lookAt(number, word);
    show();
  }

  // The same word for all models, which may cut the sentence into words differently.
  function lookAt(number, word) {
    state.chosen[number].word = word;
    const { start } = state.readings[number].words[word];
    state.readings.forEach((reading, other) => {
      const same = reading.words.findLastIndex((one) => one.start <= start);
      if (other !== number && same >= 0) state.chosen[other].word = same;
    });
  }

  function select(number, at) {
    const { start, stop } = state.readings[number].words[at];
    lookAt(number, at);
    const had = state.selected.findIndex((one) => one.start === start && one.stop === stop);
    if (had >= 0) state.selected.splice(had, 1);
    else if (stop > start) state.selected = [...state.selected, { start, stop }].slice(-2);
    show();
  }

  function remove(number, at) {
    const { start, stop } = state.readings[number].words[at];
    if (stop > start) without([{ start, stop }]);
  }

  // The text without some places, and without the space that would then stand twice.
  function without(places) {
    const letters = characters(state.text);
    for (const { start, stop } of [...places].sort((one, other) => other.start - one.start)) {
      const space = (at) => at < 0 || at >= letters.length || /\s/.test(letters[at]);
      const also = stop < letters.length && space(stop) && space(start - 1) ? 1 : 0;
      letters.splice(start, stop - start + also);
    }
    change(letters.join("").trimEnd());
  }

  function swap() {
    const [first, second] = [...state.selected].sort((one, other) => one.start - other.start);
    const letters = characters(state.text);
    const part = (from, to) => letters.slice(from, to).join("");
    change(part(0, first.start) + part(second.start, second.stop) + part(first.stop, second.start)
      + part(first.start, first.stop) + part(second.stop));
  }

  // A change by hand is compared with what was there, unless something is compared already.
  function change(changed) {
    state.before ??= state.text;
    write(changed);
  }

  function write(written) {
    state.text = written;
    state.selected = [];
    text.value = written;
    read();
  }

  function compareWith(before) {
    state.before = before;
    read();
  }

  text.value = state.text;
  text.maxLength = facts.most_characters;
  text.addEventListener("input", () => {
    state.text = text.value;
    state.selected = [];
    // The word that is being typed is the one that is looked at.
    state.chosen.forEach((chosen) => { chosen.word = Infinity; });
    read();
  });
  byId("remove").addEventListener("click", () => without(state.selected));
  byId("swap").addEventListener("click", swap);
  byId("keep").addEventListener("click", () => compareWith(state.text));
  byId("stop").addEventListener("click", () => compareWith(null));
  byId("back").addEventListener("click", () => {
    const before = state.before;
    state.before = null;
    write(before);
  });
  byId("measure").addEventListener("change", (event) => {
    state.measure = event.target.value;
    show();
  });
  byId("order").addEventListener("change", (event) => {
    state.order = event.target.value;
    show();
  });

  const deepest = models.reduce((most, model) => (model.layers.length > most.layers.length ? model : most));
  choices(byId("layer"), deepest.layers.map((layer, number) => [number, layer.name]), 0);
  byId("layer").addEventListener("change", (event) => {
    state.layer = Number(event.target.value);
    read();
  });

  const parts = [...new Set(models.flatMap((model) => model.layers[0].parts))];
  state.part = parts.includes("cell") ? "cell" : "hidden";
  byId("parts").append(...parts.map((part) => el("label", {},
    el("input", { type: "radio", name: "part", value: part, checked: part === state.part, onchange: () => { state.part = part; show(); } }),
    el("span", {}, part))));

  // The word that is looked at moves through the sentence, as the model reads it.
  let playing = null;
  function play() {
    const reading = state.readings[0];
    if (playing != null || !reading?.words.length) return pause();
    const backward = state.backward(0);
    const last = backward ? 0 : reading.words.length - 1;
    let word = backward ? reading.words.length - 1 : 0;
    byId("play").textContent = "Pause";
    const next = () => {
      lookAt(0, word);
      show();
      if (word === last) return pause();
      word += backward ? -1 : 1;
      playing = setTimeout(next, STEP);
    };
    next();
  }

  function pause() {
    clearTimeout(playing);
    playing = null;
    byId("play").textContent = "Play word by word";
  }

  byId("play").addEventListener("click", play);
  text.addEventListener("input", pause);

  return { start: read, show: () => { if (!byId("view-sentence").hidden) show(); }, open: (written) => { state.before = null; write(written); } };
}
