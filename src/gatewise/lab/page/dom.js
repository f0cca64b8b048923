// Elements. Texts become text nodes and nothing else: no string is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value") node.value = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

export const el = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

// What would turn the text around it, or could not be seen, as its code. The joiner of emoji stays.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

export const visible = (text) =>
  text.replace(HIDDEN, (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"));

// Places count characters, as Python does; JavaScript's strings count halves of rare ones.
export const characters = (text) => Array.from(text);

// For pictures: the width that there is, or a small one where nothing is shown yet.
export const widthOf = (node, most = Infinity) => Math.min(most, Math.max(240, node.clientWidth));

export const percent = (share) => (100 * share).toFixed(1) + " %";

export const signed = (number, digits = 3) => (number < 0 ? "−" : "+") + Math.abs(number).toFixed(digits);

export const plain = (number, digits = 3) => (number < 0 ? "−" : "") + Math.abs(number).toFixed(digits);

// A table of numbers: the first row names the columns, the first cell of every row names it.
export function table(caption, head, rows, attributes = {}) {
  const cell = (value, number) =>
    el(number ? "td" : "th", number ? {} : { scope: "row", class: "left" }, value);
  return el("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": caption },
    el("table", attributes,
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, head.map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell))))));
}

export function choices(select, names, chosen) {
  select.replaceChildren(...names.map(([value, name]) =>
    el("option", { value, selected: String(value) === String(chosen) }, name)));
}
