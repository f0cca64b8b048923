// The view of a model: how it learned, how good and how well calibrated its answers are.

import { legend, lines, reliability } from "./charts.js";
import { behind } from "./colours.js";
import { byId, el, percent, table, visible, widthOf } from "./dom.js";
import { ask } from "./questions.js";

export function modelView(facts, told) {
  const view = byId("view-model");
  let tests = null;

  async function start() {
    show();
    const testable = facts.file?.labelled;
    if (tests || !testable) return;
    try {
      tests = await Promise.all(facts.models.map((model, number) =>
        model.task === "classify" ? ask("test", { model: number }) : null));
      show();
    } catch (problem) {
      told(problem.message);
    }
  }

  function show() {
    if (view.hidden) return;
    const width = widthOf(view, 590) - 50;
    view.replaceChildren(el("div", { class: "panels" }, facts.models.map((model, number) =>
      el("article", { class: "card panel", "aria-label": model.name },
        el("h2", {}, visible(model.name), el("small", {}, `${model.cell}, ${model.task}`)),
        tested(facts, model, tests?.[number], width),
        learned(model, width),
        el("details", {}, el("summary", {}, "Options"),
          table("Options of the model", ["option", "value"],
            Object.entries(model.options).map(([name, value]) => [name, visible(String(value))])))))));
  }

  return { start, show };
}

function tested(facts, model, test, width) {
  if (model.task !== "classify") return null;
  if (!facts.file?.labelled) {
    return el("p", { class: "hint" }, "To see calibration, mistakes and the confusion matrix of a test file, start the lab with --test file.csv.");
  }
  if (!test) return el("p", { class: "told" }, `Answering ${facts.file.texts} texts…`);
  return el("div", {},
    el("h3", {}, `On ${visible(facts.file.name)}`),
    figures(test.evaluation),
    el("h3", {}, "Do its probabilities mean what they say?"),
    reliability({ bins: test.calibration.bins, width }),
    el("p", {}, meaning(test.calibration)),
    el("details", {}, el("summary", {}, "The numbers"),
      table("Answers by their probability", ["probability", "answers", "said", "came true"],
        test.calibration.bins.filter((bin) => bin.count).map((bin) =>
          [`${bin.start.toFixed(1)} to ${bin.stop.toFixed(1)}`, String(bin.count), percent(bin.said), percent(bin.came)]))),
    confusion(test.evaluation, `Confusion matrix on ${visible(facts.file.name)}`));
}

function learned(model, width) {
  const run = model.training;
  if (!run) return el("p", { class: "hint" }, "The model folder tells nothing of its training.");
  const score = run.score.map((value) => value ?? 0);
  const ticks = run.loss.map((_, epoch) => String(epoch + 1));
  const high = run.metric === "perplexity" ? Math.max(...score) : 1;
  const chart = (name, values, top, colour) => [
    lines({ label: `${name} of every epoch`, series: [{ name, values, colour }], low: 0, high: top, ticks, marked: run.best - 1, width }),
    legend([{ name: `${name}; the dashed line marks epoch ${run.best}, whose weights were kept`, colour }]),
  ];
  return el("div", {},
    el("h3", {}, "How it learned"),
    ...chart("training loss", run.loss, Math.max(...run.loss), 1),
    ...(run.score[0] == null ? [] : chart(`${run.metric} on the dev rows`, score, high, 2)),
    run.evaluation ? el("details", {}, el("summary", {}, "Figures on the dev rows"), figures(run.evaluation), confusion(run.evaluation, "Confusion matrix on the dev rows")) : null,
    el("details", {}, el("summary", {}, "The whole report"), el("pre", { tabindex: 0 }, run.told)));
}

function figures(evaluation) {
  return table(
    `${evaluation.metric} ${(evaluation.metric === "accuracy" ? evaluation.accuracy : evaluation.macro_f1).toFixed(4)} on ${evaluation.rows} rows`,
    ["label", "precision", "recall", "F1", "rows"],
    evaluation.labels.map((one) => [visible(String(one.label)), one.precision.toFixed(3), one.recall.toFixed(3), one.f1.toFixed(3), String(one.rows)]));
}

function confusion(evaluation, caption) {
  if (!evaluation.confusion) return null;
  const names = evaluation.labels.map((one) => visible(String(one.label)));
  const rows = evaluation.confusion.map((counts, truth) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    return [names[truth], ...counts.map((count, answer) => {
      const cell = el("span", { class: truth === answer ? "right" : "" }, String(count));
      cell.style.backgroundColor = behind(all ? count / all : 0, false);
      return cell;
    })];
  });
  return table(`${caption}: true labels in rows, answers in columns`, ["", ...names], rows, { class: "confusion" });
}

function meaning(calibration) {
  const fullest = calibration.bins.reduce((most, bin) => (bin.count > most.count ? bin : most));
  return `Of the ${fullest.count} answers given with ${percent(fullest.said)} on average, ${percent(fullest.came)} came true. `
    + `Over all answers, probabilities are ${percent(calibration.error)} off on average (expected calibration error); Brier score ${calibration.brier.toFixed(3)}. `
    + "On the dashed line they mean what they say; columns tell how many answers there are.";
}
