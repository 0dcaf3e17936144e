// Plots as SVG. Each function returns one; `width` is what there is in pixels.

// Places of labels of one size side by side: moved apart where they would lie on each other.
function apart(places, size, low, high) {
  const order = places.map((x, i) => [x, i]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const found = places.slice();
  let edge = low;
  for (const [x, i] of order) edge = (found[i] = Math.max(x, edge)) + size;
  edge = high;
  for (const [, i] of order.reverse()) edge = (found[i] = Math.min(found[i], edge)) - size;
  return found;
}

function timelinePlot(width, line, now, trading) {
  const left = 12, right = width - 12, y = 62, height = 104;
  const end = Math.max(line.end, now);
  const x = (time) => left + (right - left) * Math.min(1, Math.max(0, (time - line.opens) / (end - line.opens)));
  const bar = (from, to, kind, title) => svg("rect", { x: x(from), y: y - 5, width: Math.max(0, x(to) - x(from)), height: 10,
    rx: 3, class: kind }, svg("title", {}, title));
  const steps = stepsOf(line, trading);
  const places = apart(steps.map((step) => x(step.at)), 26, left, right);
  const marks = steps.map((step, i) => [
    svg("line", { x1: places[i], y1: 32, x2: x(step.at), y2: y - 5, class: "lead" }),
    svg("circle", { cx: places[i], cy: 22, r: 11, class: step.past ? "mark past" : "mark" }),
    svg("text", { x: places[i], y: 26.5, "text-anchor": "middle", class: step.past ? "badge-text past" : "badge-text" },
      String(i + 1)),
  ]);
  const days = [];
  const every = Math.ceil((end - line.opens) / DAY / Math.max(2, Math.floor(width / 92)));
  for (let t = line.opens; t <= end; t += every * DAY) {
    days.push(svg("line", { x1: x(t), y1: y + 8, x2: x(t), y2: y + 13, class: "axis" }));
    days.push(svg("text", { x: Math.min(right - 16, Math.max(left + 12, x(t))), y: y + 27, "text-anchor": "middle" }, day(t)));
  }
  const told = steps.map((step, i) => `${i + 1}: ${step.what}, ${date(step.at)}${step.past ? ", done" : ""}`).join("; ");
  return canvas("timeline-plot", width, height, "The month on a line", `${told}. Now: ${date(now)}.`,
    bar(line.opens, end, "track", "The period"),
    bar(line.start_from, line.start_until, "span", "Trading may start"),
    line.started_at === null ? null
      : bar(line.started_at, line.done_at === null ? (trading ? now : line.started_at) : line.done_at, "active", "Trading"),
    days, marks,
    svg("line", { x1: x(now), y1: y - 13, x2: x(now), y2: y + 13, class: "now" }, svg("title", {}, `Now: ${date(now)}`)));
}

// The steps of a period in order, as plot and list name them.
function stepsOf(line, trading) {
  const steps = [
    line.determined_at === null
      ? { what: "Determination possible", at: line.opens, past: false }
      : { what: "Weights determined", at: line.determined_at, past: true },
    line.started_at === null
      ? { what: "Trading may start", at: line.start_from, past: false }
      : { what: "Trading seen open", at: line.started_at, past: true },
  ];
  if (line.done_at !== null) steps.push({ what: "Trading seen over", at: line.done_at, past: true });
  else if (trading && trading.finish !== null) steps.push({ what: "Done, as planned", at: trading.finish, past: false });
  if (line.started_at === null) steps.push({ what: "Last moment to start", at: line.start_until, past: false });
  steps.push({ what: "End; the next period begins", at: line.end, past: false });
  return steps;
}

function weightsPlot(width, components, known) {
  const rows = components.filter((c) => !c.condition);
  const narrow = width < 460;
  const longest = Math.min(narrow ? 8 : 14, Math.max(4, ...rows.map((c) => c.symbol.length)));
  const left = 16 + 8.5 * longest;
  const fitting = (symbol) => (symbol.length > longest ? `${symbol.slice(0, longest - 1)}…` : symbol);
  const right = width - (narrow ? 58 : 132), step = 30, top = 6, foot = top + rows.length * step;
  const most = Math.max(0.01, ...rows.map((c) => Math.max(whole(c.weight), c.target === null ? 0 : whole(c.target)))) * 1.04;
  const x = (weight) => left + (right - left) * weight / most;
  const grid = ticks(0, most, narrow ? 3 : 5).map((weight) => [
    svg("line", { x1: x(weight), y1: top, x2: x(weight), y2: foot, class: "axis" }),
    svg("text", { x: x(weight), y: foot + 16, "text-anchor": "middle", class: "tick", "data-tick": weight }, percent(weight, 0)),
  ]);
  const lines = rows.map((c, i) => {
    const y = top + i * step, held = whole(c.weight), target = c.target === null ? null : whole(c.target);
    const off = target === null ? 0 : target - held;
    const told = target === null ? percent(held) : `${percent(held)}, target ${percent(target)}`;
    return svg("g", { "data-token": c.token, class: "component" },
      svg("title", {}, `${c.symbol}: ${told}`),
      svg("text", { x: left - 8, y: y + 20, "text-anchor": "end", class: "strong" }, fitting(c.symbol)),
      svg("rect", { x: left, y: y + 7, width: x(held) - left, height: 16, rx: 2, class: `weight fill-${c.side}` }),
      off > 0 ? svg("rect", { x: x(held), y: y + 7, width: x(target) - x(held), height: 16, class: "gap gap-buy" }) : null,
      off < 0 ? svg("rect", { x: x(target), y: y + 7, width: x(held) - x(target), height: 16, class: "gap gap-sell" }) : null,
      target === null ? null
        : svg("rect", { x: x(target) - 2, y: y + 2, width: 4, height: 26, rx: 1.5, class: "target" }),
      svg("text", { x: width, y: y + 20, "text-anchor": "end" },
        narrow || target === null ? percent(held) : `${percent(held)} → ${percent(target)}`));
  });
  const what = known ? "Bars: weights now. Upright marks: targets." : "Bars: weights now. No targets are known.";
  return canvas("weights-plot", width, foot + 22, "Weights and targets", `${what} The table below has the same figures.`,
    grid, lines);
}

function meter(label, shown, fraction, kind, mark = null) {
  const part = Math.min(1, Math.max(0, fraction)), id = label.toLowerCase().replace(/[^a-z]+/g, "-");
  return el("div", { "data-meter": id },
    el("div", { class: "row" }, el("span", { id: `meter-${id}` }, label), el("span", {}, shown)),
    svg("svg", { viewBox: "0 0 100 12", preserveAspectRatio: "none", role: "meter", "aria-labelledby": `meter-${id}`,
      "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": (100 * part).toFixed(1), "aria-valuetext": shown },
    svg("rect", { x: 0, y: 1, width: 100, height: 10, class: "track" }),
    svg("rect", { x: 0, y: 1, width: 100 * part, height: 10, class: kind }),
    mark === null ? null : svg("rect", { x: 100 * Math.min(0.995, mark), y: 0, width: 0.5, height: 12, class: "target" })));
}

const STEPS = [300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, ...[1, 2, 4, 7, 14, 30, 60, 120].map((days) => days * DAY)];

// Axes that both plots of the past share.
function pastFrame(width, height, times, low, high, shown) {
  const left = 66, right = width - 8, top = 8, foot = height - 24;
  const first = times[0], span = Math.max(1, times[times.length - 1] - first);
  const x = (time) => left + (right - left) * (time - first) / span;
  const y = (value) => foot - (foot - top) * (value - low) / (high - low || 1);
  const lines = ticks(low, high, 4).map((value) => [
    svg("line", { x1: left, y1: y(value), x2: right, y2: y(value), class: "axis" }),
    svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, shown(value)),
  ]);
  const count = Math.max(2, Math.floor((right - left) / 80));
  const step = STEPS.find((seconds) => span / seconds <= count) ?? span;
  const labels = [];
  for (let time = Math.ceil(first / step) * step; time <= first + span; time += step) {
    labels.push(svg("line", { x1: x(time), y1: foot, x2: x(time), y2: foot + 4, class: "axis" }));
    if (x(time) < left + 20 || x(time) > right - 20) continue;
    labels.push(svg("text", { x: x(time), y: height - 6, "text-anchor": "middle" }, time % DAY ? clock(time) : day(time)));
  }
  return { left, right, top, foot, x, y, axes: [lines, labels] };
}

function navPlot(width, past, reading) {
  const height = 210, values = past.nav;
  const least = Math.min(...values), most = Math.max(...values), room = (most - least) * 0.12 || most * 0.01 || 1;
  const digits = most - least < 0.5 ? 3 : most - least < 50 ? 2 : 0;
  const f = pastFrame(width, height, past.time, least - room, most + room, (value) => usd(value, digits));
  const points = past.time.map((time, i) => `${f.x(time).toFixed(2)},${f.y(values[i]).toFixed(2)}`);
  const bands = tradingSpans(past).map(([from, to]) => svg("rect", { x: f.x(from), y: f.top,
    width: Math.max(1, f.x(to) - f.x(from)), height: f.foot - f.top, class: "track" }, svg("title", {}, "Trading")));
  const cross = svg("line", { y1: f.top, y2: f.foot, class: "cross", visibility: "hidden" });
  const dot = svg("circle", { r: 4.5, class: "dot", visibility: "hidden" });
  const last = past.time.length - 1;
  const plot = canvas("nav-plot", width, height, "NAV per share over time",
    `From ${date(past.time[0])}, ${usd(values[0])}, to ${date(past.time[last])}, ${usd(values[last])}; least ${usd(least)}, most ` +
    `${usd(most)}. Grey: trading. Left and right arrow keys read the samples.`, bands, f.axes,
    svg("polygon", { points: `${f.x(past.time[0])},${f.foot} ${points.join(" ")} ${f.x(past.time[last])},${f.foot}`, class: "under" }),
    svg("polyline", { points: points.join(" "), class: "line" }), cross, dot);
  let at = last;
  const read = (index) => {
    at = Math.min(last, Math.max(0, index));
    const px = f.x(past.time[at]);
    for (const [name, value] of [["x1", px], ["x2", px], ["visibility", "visible"]]) cross.setAttribute(name, value);
    for (const [name, value] of [["cx", px], ["cy", f.y(values[at])], ["visibility", "visible"]]) dot.setAttribute(name, value);
    reading(at);
  };
  const leave = () => {
    for (const node of [cross, dot]) node.setAttribute("visibility", "hidden");
    reading(null);
  };
  plot.setAttribute("tabindex", "0");
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect(), wanted = (event.clientX - box.left) * width / box.width;
    let best = 0;
    past.time.forEach((time, i) => { if (Math.abs(f.x(time) - wanted) < Math.abs(f.x(past.time[best]) - wanted)) best = i; });
    read(best);
  });
  plot.addEventListener("pointerleave", leave);
  plot.addEventListener("blur", leave);
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) { event.preventDefault(); read(at + step); }
  });
  return plot;
}

// When trading was open, as pairs of times.
function tradingSpans(past) {
  const spans = [];
  past.time.forEach((time, i) => {
    if (past.phase[i] !== "trading") return;
    const next = past.time[i + 1] ?? time;
    if (i && past.phase[i - 1] === "trading") spans[spans.length - 1][1] = next;
    else spans.push([time, next]);
  });
  return spans;
}

const COLOURS = 8;

// The largest components by their last weight, and the rest as one.
function mixOf(past) {
  const last = past.time.length - 1;
  const sorted = past.weights.filter((w) => w.values.some((v) => v)).sort((a, b) => b.values[last] - a.values[last]);
  const rest = sorted.slice(COLOURS);
  const shown = sorted.slice(0, COLOURS);
  if (rest.length) {
    shown.push({ symbol: `${rest.length} others`, values: past.time.map((_, i) => rest.reduce((sum, w) => sum + w.values[i], 0)) });
  }
  return shown;
}

function mixPlot(width, past, mix) {
  const height = 190, f = pastFrame(width, height, past.time, 0, 1, (value) => percent(value, 0));
  const base = past.time.map(() => 0);
  const areas = mix.map((w, k) => {
    const low = base.slice();
    w.values.forEach((value, i) => { base[i] += value / 1e6; });
    const point = (list) => (time, i) => `${f.x(time).toFixed(2)},${f.y(Math.min(1, list[i])).toFixed(2)}`;
    const upper = past.time.map(point(base)), lower = past.time.map(point(low)).reverse();
    return svg("polygon", { points: [...upper, ...lower].join(" "), class: `k${k}` }, svg("title", {}, w.symbol));
  });
  const last = past.time.length - 1;
  const told = mix.map((w) => `${w.symbol} ${percent(w.values[last] / 1e6)}`).join(", ");
  return canvas("mix-plot", width, height, "Weights over time", `At the end: ${told}.`, f.axes, areas);
}

function costsPlot(width, rows) {
  const paid = rows.filter((row) => row.cost_usd !== null).reverse();
  if (!paid.length) return null;
  const height = 120, left = 66, right = width - 8, top = 8, foot = height - 20;
  const most = Math.max(...paid.map((row) => whole(row.cost_usd))) * 1.05;
  const y = (value) => foot - (foot - top) * value / most, slot = Math.min(36, (right - left) / paid.length);
  return canvas("costs-plot", width, height, "What each transaction cost",
    `USD of gas, oldest first; the table below has the same figures. The dearest cost ${usd(most / 1.05)}.`,
    ticks(0, most, 3).map((value) => [
      svg("line", { x1: left, y1: y(value), x2: right, y2: y(value), class: "axis" }),
      svg("text", { x: left - 8, y: y(value) + 4, "text-anchor": "end" }, usd(value, most < 5 ? 2 : 0)),
    ]),
    paid.map((row, i) => svg("rect", { x: left + 4 + i * slot, y: y(whole(row.cost_usd)), width: Math.max(2, slot - 4),
      height: foot - y(whole(row.cost_usd)), rx: 2, class: row.status === "reverted" ? "cost fill-bad" : "cost fill", "data-hash": row.hash },
    svg("title", {}, `${row.action}, ${monthName(row.month)}: ${usd(whole(row.cost_usd))}, ${row.status}`))),
    svg("text", { x: left + 4, y: height - 4 }, `${plural(paid.length, "transaction", "transactions")}, oldest first; USD of gas`));
}
