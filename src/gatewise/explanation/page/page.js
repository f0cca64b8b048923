"use strict";
// Draws an explanation. Texts reach the page as text nodes only, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const place = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
let passage = data, words = []; // what was read, or what was written
let layer = 0, unit = 0, chosen = 0, column = 0;

function made(name, text, attributes = {}) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
function drawing(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const number = (value, signed) =>
  value === null ? "–" : (signed && value > 0 ? "+" : "") + value.toFixed(3).replace("-", "−");
const greatest = (values) => values.reduce((most, v) => Math.max(most, Math.abs(v ?? 0)), 0);

// Colours: from paper to blue (for, or much) and from paper to orange (against).
function colour(value, most) {
  const paper = dark.matches ? [20, 24, 29] : [255, 255, 255];
  const full = (value ?? 0) < 0 ? (dark.matches ? [236, 140, 52] : [200, 88, 8])
    : (dark.matches ? [90, 160, 250] : [24, 90, 190]);
  const share = most ? Math.min(1, Math.abs(value ?? 0) / most) : 0;
  return paper.map((from, i) => Math.round(from + (full[i] - from) * share));
}
const css = (rgb) => `rgb(${rgb.join(" ")})`;
const inkOn = ([r, g, b]) => (0.3 * r + 0.59 * g + 0.11 * b > 140 ? "#000000" : "#ffffff");

// Words.
function measures() {
  const trace = passage.layers[layer];
  const own = trace ? Object.entries(trace.parts).map(([name, part]) => ({
    name: `${name} of unit ${unit}`, signed: !part.gate, most: part.gate ? 1 : undefined,
    values: part.values.map((row) => row[unit]),
    about: `${name}, ${trace.name}, unit ${unit}.`,
  })) : [];
  return [...passage.measures, ...own];
}
function fillMeasures() {
  const select = place("measure"), before = Math.max(0, select.selectedIndex);
  select.replaceChildren(...measures().map((measure) => made("option", measure.name)));
  select.selectedIndex = before;
}
function paintWords() {
  const measure = measures()[place("measure").selectedIndex];
  if (!measure) return;
  const most = measure.most ?? greatest(measure.values);
  place("measure-about").textContent = measure.about;
  [...place("words").querySelectorAll("button")].forEach((button, i) => {
    const rgb = colour(measure.values[i], most);
    button.style.background = css(rgb);
    button.style.color = inkOn(rgb);
  });
  const low = measure.signed ? -most : 0;
  const stops = [0, 0.25, 0.5, 0.75, 1].map((at) => css(colour(low + at * (most - low), most)));
  const bar = made("i");
  bar.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
  place("legend").replaceChildren(number(low, measure.signed), bar, number(most, measure.signed));
}
function chooseWord(index, focus) {
  chosen = index;
  const buttons = [...place("words").querySelectorAll("button")];
  buttons.forEach((button, i) => {
    button.setAttribute("aria-pressed", String(i === index));
    button.tabIndex = i === index ? 0 : -1;
  });
  if (focus) buttons[index].focus();
  tellWord(index);
}
function tellWord(index) {
  const list = made("dl");
  const add = (name, value) => {
    const pair = made("div");
    pair.append(made("dt", name), made("dd", value));
    list.append(pair);
  };
  add("word", words[index] + (passage.words[index].known ? "" : " (not in the vocabulary)"));
  for (const measure of passage.measures) add(measure.name, number(measure.values[index], measure.signed));
  const trace = passage.layers[layer];
  if (trace) for (const [name, part] of Object.entries(trace.parts)) {
    add(`${name} of unit ${unit}`, number(part.values[index][unit], !part.gate));
  }
  place("word-numbers").replaceChildren(list);
  if (passage.words[index].note) place("word-numbers").append(made("div", passage.words[index].note));
}
function makeWords() {
  const box = place("words");
  box.replaceChildren();
  passage.words.forEach((word, i) => {
    if (word.gap) box.append(" ");
    const button = made("button", word.text, { type: "button", class: word.known ? "" : "unknown" });
    button.addEventListener("click", () => chooseWord(i, true));
    button.addEventListener("mouseenter", () => tellWord(i));
    button.addEventListener("mouseleave", () => tellWord(chosen));
    button.addEventListener("focus", () => chooseWord(i, false));
    box.append(button);
  });
}
function moveInWords(event) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const to = event.key === "Home" ? 0 : event.key === "End" ? words.length - 1 : chosen + step;
  if (Number.isNaN(to) || to < 0 || to >= words.length) return;
  event.preventDefault();
  chooseWord(to, true);
}

// Heat maps.
function drawMaps() {
  const trace = passage.layers[layer], box = place("maps");
  box.replaceChildren();
  for (const [name, part] of Object.entries(trace.parts)) {
    const most = part.gate ? 1 : Math.max(...part.values.map(greatest), 1e-6);
    const figure = made("figure"), caption = made("figcaption", name);
    caption.append(made("span", part.gate ? "0 to 1" : `±${most.toFixed(2)}`));
    const scroll = made("div", undefined, { class: "scroll" });
    const canvas = made("canvas", undefined, {
      tabindex: "0", role: "img",
      "aria-label": `${name}: a heat map of ${part.values[0].length} units and ${words.length} words. ` +
        "Arrow keys tell its numbers, Enter chooses the unit.",
    });
    scroll.append(canvas);
    figure.append(caption, scroll);
    box.append(figure);
    new HeatMap(canvas, scroll, name, part, most);
  }
}
class HeatMap {
  constructor(canvas, scroll, name, part, most) {
    Object.assign(this, { canvas, name, part, most, word: column, unit });
    this.units = part.values[0].length;
    this.width = Math.max(14, Math.min(60, Math.floor((scroll.clientWidth - 40) / words.length)));
    this.row = Math.max(2, Math.min(8, Math.floor((innerWidth < 600 ? 192 : 320) / this.units)));
    this.label = 64;
    this.draw();
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      this.word = clamp(Math.floor((event.clientX - box.left) / this.width), words.length);
      this.unit = clamp(Math.floor((event.clientY - box.top - this.label) / this.row), this.units);
    };
    canvas.addEventListener("pointermove", (event) => { at(event); this.tell(); });
    canvas.addEventListener("click", (event) => { at(event); chooseUnit(this.unit); });
    canvas.addEventListener("focus", () => this.tell());
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (step) {
        this.word = clamp(this.word + step[0], words.length);
        this.unit = clamp(this.unit + step[1], this.units);
        this.tell();
      } else if (event.key === "Enter" || event.key === " ") chooseUnit(this.unit);
      else return;
      event.preventDefault();
    });
  }
  draw() {
    const { canvas, part, width: column, row, label } = this, scale = devicePixelRatio || 1;
    const right = 40; // room for the name of the last word, which leans over
    const width = column * words.length, height = label + row * this.units;
    canvas.width = (width + right) * scale;
    canvas.height = height * scale;
    canvas.style.width = `${width + right}px`;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "12px system-ui, sans-serif";
    part.values.forEach((values, i) => {
      pen.save();
      pen.fillStyle = style("--ink");
      pen.translate(i * column + column / 2 + 2, label - 4);
      pen.rotate(-Math.PI / 3);
      pen.fillText(words[i], 0, 4, label);
      pen.restore();
      values.forEach((value, j) => {
        pen.fillStyle = css(colour(value, this.most));
        pen.fillRect(i * column, label + j * row, column, row);
      });
    });
    pen.strokeStyle = style("--line");
    pen.strokeRect(0.5, label + 0.5, width - 1, height - label - 1);
    pen.strokeStyle = style("--ink");
    pen.strokeRect(0.5, label + unit * row - 0.5, width - 1, row + 1);
  }
  tell() {
    column = this.word;
    const value = this.part.values[this.word][this.unit];
    place("cursor").textContent = `${this.name}, unit ${this.unit}, word “${words[this.word]}”: ` +
      number(value, !this.part.gate);
  }
}
const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));

// One unit.
const DASHES = ["", "6 3", "2 3", "8 3 2 3", "", "4 2"];
const LINES = [["#1f62c9", "#6fa8ff"], ["#c25a05", "#ffa14d"], ["#2b8a3e", "#69db7c"],
  ["#8a3fc0", "#d09bff"], ["#1c2128", "#e6eaf0"], ["#b0175d", "#ff8fc0"]];
function drawUnit() {
  const trace = passage.layers[layer], parts = Object.entries(trace.parts);
  place("unit-heading").textContent = `Unit ${unit} of ${trace.name}`;
  const most = Math.max(1, ...parts.map(([, part]) => greatest(part.values.map((row) => row[unit]))));
  const least = parts.some(([, part]) => !part.gate) ? -most : 0;
  const step = Math.max(26, Math.min(70, (place("chart").clientWidth - 60) / words.length));
  const left = 44, above = 12, high = 200, width = left + step * words.length + 10;
  const y = (value) => above + high * (most - value) / (most - least);
  const x = (i) => left + step * (i + 0.5);
  const svg = drawing("svg", { width, height: above + high + 76, role: "img",
    "aria-label": `Unit ${unit} word by word; its numbers stand in the table below.` });
  for (const value of [most, 0, least]) {
    svg.append(drawing("line", { x1: left, x2: width, y1: y(value), y2: y(value), stroke: style("--line") }),
      drawing("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end", fill: style("--dim"),
        "font-size": 12 }, value.toFixed(value % 1 ? 1 : 0).replace("-", "−")));
  }
  words.forEach((word, i) => svg.append(drawing("text", {
    transform: `translate(${x(i) + 4} ${above + high + 14}) rotate(-50)`, "text-anchor": "end",
    fill: style("--ink"), "font-size": 12,
  }, word.length > 12 ? `${word.slice(0, 11)}…` : word)));
  const key = made("p", undefined, { class: "controls about" });
  parts.forEach(([name, part], p) => {
    const stroke = LINES[p % 6][dark.matches ? 1 : 0];
    const line = { fill: "none", stroke, "stroke-width": p === 4 ? 3 : 2, "stroke-dasharray": DASHES[p % 6] };
    const points = part.values.map((row, i) => `${x(i)},${y(row[unit])}`).join(" ");
    svg.append(drawing("polyline", { points, ...line }));
    const sample = drawing("svg", { width: 34, height: 10, "aria-hidden": "true" });
    sample.append(drawing("line", { x1: 0, x2: 34, y1: 5, y2: 5, ...line }));
    const entry = made("span");
    entry.style.display = "inline-flex";
    entry.style.gap = ".4rem";
    entry.style.alignItems = "center";
    entry.append(sample, name);
    key.append(entry);
  });
  const scroll = made("div", undefined, { class: "scroll", tabindex: "0", role: "group", "aria-label": "Chart of the unit" });
  scroll.append(svg);
  place("chart").replaceChildren(key, scroll);
  place("unit-numbers").replaceChildren(table(["word", ...parts.map(([name]) => name)],
    words.map((word, i) => [word, ...parts.map(([, part]) => number(part.values[i][unit], !part.gate))])));
}
function movesMost() {
  const parts = passage.layers[layer].parts, rows = (parts.cell ?? parts.hidden).values;
  const moves = rows[0].map((_, j) => greatest(rows.map((row, i) => i ? row[j] - rows[i - 1][j] : 0)));
  return moves.indexOf(Math.max(...moves));
}
function chooseUnit(number) {
  unit = clamp(number, passage.layers[layer].parts.hidden.values[0].length);
  place("unit").value = unit;
  const focused = [...place("maps").querySelectorAll("canvas")].indexOf(document.activeElement);
  drawMaps();
  if (focused >= 0) place("maps").querySelectorAll("canvas")[focused].focus({ preventScroll: true });
  drawUnit();
  fillMeasures();
  paintWords();
  tellWord(chosen);
}
function choosePassage(given) {
  passage = given;
  words = passage.words.map((word) => word.text);
  chosen = column = 0;
  makeWords();
  place("layer").replaceChildren(...passage.layers.map((trace) => made("option", trace.name)));
  const highest = Math.max(...passage.layers.map((trace) => trace.layer));
  layer = place("layer").selectedIndex = passage.layers.findIndex((trace) => trace.layer === highest);
  place("measure").selectedIndex = 0;
  chooseLayer(layer);
  chooseWord(0, false);
}
function chooseLayer(index) {
  layer = index;
  place("unit").max = passage.layers[layer].parts.hidden.values[0].length - 1;
  chooseUnit(movesMost());
}

// Tables.
function table(heads, rows) {
  const head = made("tr"), body = made("tbody"), element = made("table");
  head.append(...heads.map((name) => made("th", name, { scope: "col" })));
  for (const [name, ...cells] of rows) {
    const row = made("tr");
    row.append(made("th", name, { scope: "row" }), ...cells.map((cell) => made("td", cell)));
    body.append(row);
  }
  const heading = made("thead");
  heading.append(head);
  element.append(heading, body);
  return element;
}
function drawTables() {
  place("tables").replaceChildren();
  for (const found of data.tables) {
    const most = greatest(found.values.flat());
    const drawn = table(["", ...found.columns], found.rows.map((name, i) =>
      [name, ...found.values[i].map((value) => number(value, found.signed))]));
    drawn.querySelectorAll("tbody tr").forEach((row, i) => row.querySelectorAll("td").forEach((cell, j) => {
      const rgb = colour(found.values[i][j], most);
      cell.style.background = css(rgb);
      cell.style.color = inkOn(rgb);
    }));
    const scroll = made("div", undefined, { class: "scroll", tabindex: "0", role: "group", "aria-label": found.name });
    scroll.append(drawn);
    place("tables").append(made("h2", found.name[0].toUpperCase() + found.name.slice(1)),
      made("p", found.about, { class: "about" }), scroll);
  }
}

place("answer").textContent = data.answer;
place("remarks-list").replaceChildren(...data.remarks.map((remark) => made("li", remark)));
place("remarks").hidden = !data.remarks.length;
drawTables();
if (data.words.length) {
  place("passage-choice").hidden = !data.written;
  if (data.written) place("words-section").after(place("tables"));
  place("passage").addEventListener("change", (event) => choosePassage([data, data.written][event.target.selectedIndex]));
  place("layer").addEventListener("change", (event) => chooseLayer(event.target.selectedIndex));
  place("unit").addEventListener("change", (event) => chooseUnit(event.target.valueAsNumber || 0));
  place("moves-most").addEventListener("click", () => chooseUnit(movesMost()));
  place("measure").addEventListener("change", paintWords);
  place("words").addEventListener("keydown", moveInWords);
  choosePassage(data);
  dark.addEventListener("change", () => { chooseUnit(unit); drawTables(); });
  let timer;
  addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => chooseUnit(unit), 150); });
} else {
  place("words-section").hidden = place("layers-section").hidden = true;
}
