// Line charts and bars as SVG, drawn for the width that there is.

import { el, svg, visible } from "./dom.js";

const MARGIN = { left: 40, right: 12, top: 10, bottom: 24 };

// series: [{ name, values, dashed }]; ticks: names below the points; marked: the number of a point.
export function lines({ label, series, low, high, ticks, marked, width, height = 150 }) {
  const count = Math.max(...series.map((one) => one.values.length));
  const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const x = (place) => MARGIN.left + (count < 2 ? 0.5 : place / (count - 1)) * inner.width;
  const y = (value) => MARGIN.top + (1 - (value - low) / (high - low || 1)) * inner.height;
  const picture = svg("svg", { class: "chart", width, height, role: "img", "aria-label": label });
  for (const value of [low, (low + high) / 2, high]) {
    picture.append(
      svg("line", { class: "axis", x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
      svg("text", { x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end" }, short(value)));
  }
  if (marked != null) {
    picture.append(svg("line", { class: "mark", x1: x(marked), x2: x(marked), y1: MARGIN.top, y2: height - MARGIN.bottom }));
  }
  // No more names than fit.
  const every = Math.ceil((ticks ?? []).length * 44 / Math.max(inner.width, 1));
  (ticks ?? []).forEach((tick, place) => {
    if (place % every === 0) {
      picture.append(svg("text", { x: x(place), y: height - 8, "text-anchor": "middle" }, clipped(tick)));
    }
  });
  series.forEach((one, number) => {
    const points = one.values.map((value, place) => [x(place), y(value)]);
    const kind = `series-${one.colour ?? number % 6 + 1}${one.dashed ? " dashed" : ""}`;
    if (points.length === 1) {
      picture.append(svg("circle", { class: kind, cx: points[0][0], cy: points[0][1], r: 3 }));
    }
    picture.append(svg("polyline", { class: kind, points: points.map((point) => point.join()).join(" ") }));
  });
  return picture;
}

export function legend(series) {
  return el("ul", { class: "legend" }, series.map((one, number) =>
    el("li", {}, el("i", { class: `series-${one.colour ?? number % 6 + 1}${one.dashed ? " dashed" : ""}` }), one.name)));
}

// One bar for every label: its probability, and where it stood before. given: the labels answered.
export function bars(labels, shares, before, given) {
  const order = labels.map((_, place) => place);
  if (labels.length > 6) order.sort((one, other) => shares[other] - shares[one]);
  const shown = order.slice(0, 8);
  return el("div", { class: "bars" }, shown.flatMap((place) => {
    const fill = el("div", { class: "bar-fill" });
    fill.style.inlineSize = 100 * shares[place] + "%";
    const bar = el("div", { class: "bar", "aria-hidden": "true" }, fill);
    const number = el("span", { class: "number" }, shares[place].toFixed(3));
    if (before) {
      const mark = el("div", { class: "bar-before" });
      mark.style.insetInlineStart = `calc(${100 * before[place]}% - 1px)`;
      bar.append(mark);
      const change = shares[place] - before[place];
      number.append(el("span", { class: "delta" }, ` ${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(3)}`));
    }
    return [
      el("span", { class: given.includes(labels[place]) ? "name given" : "name", title: visible(labels[place]) }, visible(labels[place])),
      bar,
      number,
    ];
  }));
}

// Of answers given with so many percent, how many were right; columns below tell how many there are.
export function reliability({ bins, width }) {
  const size = Math.min(width, 420);
  const height = 260;
  const inner = { width: size - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const x = (share) => MARGIN.left + share * inner.width;
  const y = (share) => MARGIN.top + (1 - share) * inner.height;
  const most = Math.max(...bins.map((bin) => bin.count));
  const picture = svg("svg", { class: "chart reliability", width: size, height, role: "img", "aria-label": "Reliability diagram: probability that was said, and share that came true" });
  for (const share of [0, 0.5, 1]) {
    picture.append(
      svg("line", { class: "axis", x1: x(0), x2: x(1), y1: y(share), y2: y(share) }),
      svg("text", { x: x(0) - 6, y: y(share) + 4, "text-anchor": "end" }, share.toFixed(1)),
      share === 0.5 ? "" : svg("text", { x: x(share), y: height - 8, "text-anchor": "middle" }, share.toFixed(1)));
  }
  for (const bin of bins) {
    const tall = inner.height * 0.3 * bin.count / (most || 1);
    picture.append(svg("rect", { class: "counts", x: x(bin.start) + 1, y: y(0) - tall, width: Math.max(x(bin.stop) - x(bin.start) - 2, 1), height: tall }));
  }
  picture.append(svg("line", { class: "mark", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }));
  picture.append(
    svg("text", { x: x(0.5), y: height - 8, "text-anchor": "middle" }, "probability that was said"),
    svg("text", { x: -y(0.5), y: 12, "text-anchor": "middle", transform: "rotate(-90)" }, "share that came true"));
  const met = bins.filter((bin) => bin.count);
  picture.append(svg("polyline", { class: "series-2", points: met.map((bin) => `${x(bin.said)},${y(bin.came)}`).join(" ") }));
  for (const bin of met) picture.append(svg("circle", { class: "point", cx: x(bin.said), cy: y(bin.came), r: 4 }));
  return picture;
}

const short = (value) => Number.isInteger(value) ? String(value) : value.toPrecision(2);

const clipped = (name) => {
  const seen = visible(name);
  return seen.length > 8 ? seen.slice(0, 7) + "…" : seen;
};
