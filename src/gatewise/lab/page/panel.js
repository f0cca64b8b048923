// What one model does with the sentence: its answer, the words, and the units.

import { behind, isGate } from "./colours.js";
import { bars, legend, lines } from "./charts.js";
import { byMovement, greatest, heatmap } from "./heatmap.js";
import { step, unitChart } from "./step.js";
import { el, plain, signed, table, visible, widthOf } from "./dom.js";

export function panel(model, number, acts) {
  const answer = el("div", {});
  const about = el("p", { class: "hint" });
  const words = el("div", { class: "words", role: "group", "aria-label": `Words as ${model.name} reads them` });
  const curve = el("div", {});
  const scale = el("span", { class: "scale" });
  const picture = heatmap((word, unit) => acts.choose(number, word, unit));
  const heatTold = el("p", { class: "heat-told told", "aria-live": "polite" });
  const stepped = el("div", {});
  const tables = el("div", {});
  const remarks = el("div", {});
  const reads = el("div", { class: "reads" }, answer, el("h3", {}, "Words"), words, about, curve, tables, remarks);
  const units = el("div", { class: "units" },
    el("h3", {}, "All units, word by word ", scale), picture.node, heatTold, stepped);
  const node = el("article", { class: "card panel", "data-model": number, "aria-label": model.name },
    el("h2", {}, visible(model.name), el("small", {}, `${model.cell}, ${model.task}`)), reads, units);

  function show(state) {
    const now = state.readings[number];
    if (!now) return;
    const past = state.past?.[number];
    answer.replaceChildren(...answered(model, now, past));
    showWords(now, state);
    curve.replaceChildren(...soFar(model, now, past, widthOf(reads), state.chosen[number].word));
    tables.replaceChildren(...now.tables.flatMap(aligned));
    remarks.replaceChildren(...now.remarks.map((remark) => el("p", { class: "hint" }, visible(remark))));
    showUnits(now, state);
  }

  function showWords(now, state) {
    const measure = now.measures.find((one) => one.name === state.measure) ?? now.measures[0];
    const most = Math.max(1e-6, ...measure.values.map((value) => Math.abs(value ?? 0)));
    about.textContent = measure.about;
    const had = document.activeElement?.dataset?.place;
    const focused = words.contains(document.activeElement);
    words.replaceChildren(...now.words.map((word, place) => {
      const value = measure.values[place];
      const chosen = state.selected.some((one) => one.start === word.start && one.stop === word.stop);
      const told = value == null ? "" : `${measure.name} ${measure.signed ? signed(value) : plain(value)}`;
      const button = el("button", {
        type: "button",
        class: ["word", word.known ? "" : "unknown", place === state.chosen[number].word ? "here" : ""].join(" "),
        "aria-pressed": String(chosen),
        "data-place": place,
        title: [told, word.known ? "" : "not in the vocabulary", visible(word.note)].filter(Boolean).join(" · "),
        onclick: () => acts.select(number, place),
        onkeydown: (event) => moved(event, place),
      }, visible(word.text), el("span", { class: "unseen" }, ` ${told}`));
      button.style.backgroundColor = behind((value ?? 0) / most, measure.signed);
      return button;
    }));
    if (!now.words.length) words.append(el("span", { class: "told" }, "No words yet."));
    if (focused) words.querySelector(`[data-place="${had}"]`)?.focus();
  }

  function moved(event, place) {
    const to = { ArrowLeft: place - 1, ArrowRight: place + 1 }[event.key];
    if (to != null) words.querySelector(`[data-place="${to}"]`)?.focus();
    if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      acts.remove(number, place);
    }
  }

  function showUnits(now, state) {
    // A gru and an rnn keep in their hidden state what an lstm keeps in its cell.
    const part = state.part === "cell" && !now.parts.cell ? "hidden" : state.part;
    const values = now.parts[part];
    const { word, unit } = state.chosen[number];
    units.hidden = !now.words.length;
    if (units.hidden) return;
    if (!values) {
      picture.node.hidden = true;
      scale.replaceChildren();
      heatTold.textContent = `${model.cell === "lstm" ? "An" : "A"} ${model.cell} has no part called “${part}”.`;
    } else {
      picture.node.hidden = false;
      const order = state.order === "movement" ? byMovement(values) : values[0].map((_, one) => one);
      picture.draw({ values, order, words: now.words, part, chosen: { word, unit } }, widthOf(units));
      const most = greatest(values).toFixed(2);
      scale.replaceChildren(...isGate(part)
        ? ["0", el("i", { class: "gate" }), "1"]
        : [`−${most}`, el("i", { class: "signed" }), `+${most}`]);
      heatTold.textContent = `Unit ${unit} at “${visible(now.words[word].text)}”: ${part} ${plain(values[word][unit])}`;
    }
    stepped.replaceChildren(
      el("h3", {}, `One step of unit ${unit}, at “${visible(now.words[word].text)}”`),
      ...step(now.parts, model.cell.startsWith("rnn") ? "rnn" : model.cell, word, unit, state.backward(number)),
      ...unitChart(now.parts, now.words, unit, word, widthOf(units)));
  }

  return { node, show };
}

function answered(model, now, past) {
  if (!now.probabilities) return [el("p", {}, visible(now.answer))];
  return [
    el("p", { class: "answer", "aria-live": "polite" }, visible(now.given.join(" · ")) || "no label"),
    bars(model.labels, now.probabilities, past?.probabilities, now.given),
  ];
}

function soFar(model, now, past, width, marked) {
  if (!now.so_far?.length) return [];
  const label = best(now);
  const series = [{ name: "now", values: now.so_far.map((row) => row[label]) }];
  if (past?.so_far.length) series.push({ name: "before the change", values: past.so_far.map((row) => row[label]), colour: 5, dashed: true });
  return [
    el("h3", {}, `Probability of “${visible(model.labels[label])}”, had the sentence ended there`),
    lines({ label: "Probability of the answer after every word", series, low: 0, high: 1, ticks: now.words.map((word) => word.text), marked, width, height: 120 }),
    ...(series.length > 1 ? [legend(series)] : []),
  ];
}

// Written words against those that were read: where the model looked, and what each hangs on.
function aligned({ name, about, signed: both, rows, columns, values }) {
  const most = Math.max(1e-6, ...values.flat().map((value) => Math.abs(value ?? 0)));
  const cell = (value) => (value == null ? "" : both ? signed(value, 2) : plain(value, 2));
  const drawn = table(name, ["", ...columns], rows.map((row, at) => [row, ...values[at].map(cell)]));
  drawn.querySelectorAll("tbody tr").forEach((row, at) => row.querySelectorAll("td").forEach((one, to) => {
    one.style.backgroundColor = behind((values[at][to] ?? 0) / most, both);
  }));
  return [drawn, el("p", { class: "hint" }, about)];
}

const best = (reading) => reading.probabilities?.indexOf(Math.max(...reading.probabilities));
