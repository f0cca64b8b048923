// The picture of all units at every word: a row for every unit, a column for every word.

import { isGate, named, ofGate, ofSigned } from "./colours.js";
import { el, visible } from "./dom.js";

const LEFT = 34;
const FONT = "12px system-ui, sans-serif";

// values: (words, units). order: units from top to bottom. chosen: { word, unit }.
// onchoose gets the word and the unit that were clicked or reached by the arrow keys.
export function heatmap(onchoose) {
  const canvas = el("canvas", { class: "heat", tabindex: 0, role: "img" });
  const box = el("div", { class: "scroll" }, canvas);
  let shown = null;

  function draw(given, width) {
    shown = given;
    const { values, order, words, part, chosen } = given;
    const units = order.length;
    const wide = Math.max(18, Math.min(72, Math.floor((width - LEFT) / Math.max(words.length, 1))));
    const tall = Math.max(2, Math.min(16, Math.floor(320 / units)));
    const pen = canvas.getContext("2d");
    pen.font = "bold " + FONT;
    const level = words.every((word) => pen.measureText(clipped(word)).width < wide - 4);
    const top = level ? 24 : 62;
    Object.assign(shown, { wide, tall, top });
    const size = [LEFT + wide * words.length + (level ? 2 : 46), top + tall * units + 2];
    const dense = window.devicePixelRatio || 1;
    canvas.width = size[0] * dense;
    canvas.height = size[1] * dense;
    canvas.style.width = size[0] + "px";
    canvas.style.height = size[1] + "px";
    pen.scale(dense, dense);
    const scale = greatest(values);
    const colour = isGate(part) ? ofGate : (value) => ofSigned(value / scale);
    words.forEach((word, place) => order.forEach((unit, row) => {
      pen.fillStyle = colour(values[place][unit]);
      pen.fillRect(LEFT + place * wide, top + row * tall, wide - 1, tall > 4 ? tall - 1 : tall);
    }));
    names(pen, words, wide, top, level, chosen.word);
    numbers(pen, order, tall, top);
    const row = order.indexOf(chosen.unit);
    pen.strokeStyle = named("ink");
    pen.lineWidth = 2;
    pen.strokeRect(LEFT + chosen.word * wide - 1, top + row * tall - 2, wide + 1, tall + 3);
    pen.lineWidth = 1;
    pen.strokeRect(LEFT - 1.5, top + row * tall - 1.5, wide * words.length + 2, tall + 2);
    canvas.setAttribute("aria-label", `${part} of ${units} units at ${words.length} words. Arrow keys move.`);
  }

  canvas.addEventListener("click", (event) => {
    const place = canvas.getBoundingClientRect();
    const word = Math.floor((event.clientX - place.left - LEFT) / shown.wide);
    const row = Math.floor((event.clientY - place.top - shown.top) / shown.tall);
    if (word >= 0 && word < shown.words.length && row < shown.order.length) {
      onchoose(word, row < 0 ? shown.chosen.unit : shown.order[row]);
    }
  });

  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const within = (number, count) => Math.max(0, Math.min(count - 1, number));
    const row = within(shown.order.indexOf(shown.chosen.unit) + move[1], shown.order.length);
    onchoose(within(shown.chosen.word + move[0], shown.words.length), shown.order[row]);
  });

  return { node: box, draw };
}

// Above the columns, slanted if one is too long.
function names(pen, words, wide, top, level, chosen) {
  words.forEach((word, place) => {
    pen.save();
    pen.translate(LEFT + place * wide + wide / 2, top - 7);
    if (level) pen.textAlign = "center";
    else pen.rotate(-Math.PI / 4);
    pen.fillStyle = named(place === chosen ? "ink" : "muted");
    pen.font = (place === chosen ? "bold " : "") + FONT;
    pen.fillText(clipped(word), 0, 0);
    pen.restore();
  });
}

function clipped(word) {
  const seen = visible(word.text);
  return seen.length > 10 ? seen.slice(0, 9) + "…" : seen;
}

function numbers(pen, order, tall, top) {
  pen.fillStyle = named("muted");
  pen.font = "10px system-ui, sans-serif";
  pen.textAlign = "right";
  const every = Math.max(1, Math.ceil(14 / tall));
  order.forEach((unit, row) => {
    if (row % every === 0) pen.fillText(String(unit), LEFT - 5, top + row * tall + Math.min(tall, 12) - 1);
  });
}

export const greatest = (values) =>
  Math.max(0.25, ...values.map((row) => Math.max(...row.map(Math.abs))));

// Units from the one that moves most from word to word to the one that moves least.
export function byMovement(values) {
  const units = values.length ? values[0].map((_, unit) => unit) : [];
  const moved = units.map((unit) => values.slice(1).reduce(
    (sum, row, place) => sum + Math.abs(row[unit] - values[place][unit]), 0));
  return units.sort((one, other) => moved[other] - moved[one]);
}
