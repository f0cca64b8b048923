// One step of one unit as a sum with its numbers, and all its numbers over the sentence.

import { behind, isGate } from "./colours.js";
import { legend, lines } from "./charts.js";
import { el, plain, table, visible } from "./dom.js";

// The unit's state before a word: that of the word read before it, 0 at the start.
function before(values, word, unit, backward) {
  const place = word + (backward ? 1 : -1);
  return place < 0 || place >= values.length ? 0 : values[place][unit];
}

export function step(parts, cell, word, unit, backward) {
  const at = (part) => parts[part][word][unit];
  const tile = (name, value, gate) => {
    const node = el("div", { class: "tile" }, el("b", {}, plain(value)), el("span", {}, name));
    node.style.backgroundColor = behind(value, !gate);
    return node;
  };
  const part = (name) => tile(name, at(name), isGate(name));
  const sign = (text) => el("span", { class: "sign" }, text);
  const row = (...nodes) => el("div", { class: "step" }, nodes);
  if (cell === "lstm") {
    return [
      row(part("forget"), sign("×"), tile("cell before", before(parts.cell, word, unit, backward)),
        sign("+"), part("input"), sign("×"), part("candidate"), sign("="), tile("cell", at("cell"))),
      row(part("output"), sign("×"), tile("tanh of cell", Math.tanh(at("cell"))), sign("="), part("hidden")),
    ];
  }
  const past = tile("hidden before", before(parts.hidden, word, unit, backward));
  if (cell === "gru") {
    return [
      row(part("update"), sign("×"), past, sign("+"), tile("1 − update", 1 - at("update"), true),
        sign("×"), part("candidate"), sign("="), part("hidden")),
      row(part("reset"), el("span", { class: "sign" }, "of the past was seen by the candidate")),
    ];
  }
  return [row(past, sign("→"), part("hidden"))];
}

export function unitChart(parts, words, unit, word, width) {
  const series = Object.entries(parts).map(([name, values]) => ({ name, values: values.map((row) => row[unit]) }));
  const all = series.flatMap((one) => one.values);
  const most = Math.max(1, ...all.map(Math.abs));
  return [
    lines({
      label: `Gates and states of unit ${unit} at every word`,
      series,
      low: all.some((value) => value < 0) ? -most : 0,
      high: most,
      ticks: words.map((one) => one.text),
      marked: word,
      width,
      height: 190,
    }),
    legend(series),
    el("details", {}, el("summary", {}, "The numbers"),
      table(`Unit ${unit} at every word`, ["word", ...series.map((one) => one.name)],
        words.map((one, place) => [visible(one.text), ...series.map((line) => plain(line.values[place]))]))),
  ];
}
