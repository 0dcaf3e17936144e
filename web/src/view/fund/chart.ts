/** NAV a share as a line. */

import { day, usd } from "../../amounts.js";
import type { Sample } from "../../history.js";
import { type Child, h, s, table } from "../dom.js";

const [WIDTH, HEIGHT, FOOT] = [640, 200, 22];

export function navChart(samples: readonly Sample[], whole: boolean): Child[] {
  const first = samples[0],
    last = samples.at(-1);
  if (!first || !last || samples.length < 2) return [h("p", { class: "quiet" }, "There is no history yet.")];
  const navs = samples.map((x) => Number(x.nav) / 1e18);
  const [low, high] = [Math.min(...navs), Math.max(...navs)];
  const room = Math.max((high - low) * 0.12, high * 0.002);
  const [bottom, top] = [low - room, high + room];
  const span = Number(last.time - first.time) || 1;
  const x = (time: bigint) => (Number(time - first.time) / span) * WIDTH;
  const y = (nav: number) => (HEIGHT - FOOT) * (1 - (nav - bottom) / (top - bottom));
  const points = samples.map((p, i) => `${x(p.time).toFixed(1)},${y(navs[i] ?? 0).toFixed(1)}`);
  const label = `NAV of a share from ${usd(first.nav)} on ${day(first.time)} to ${usd(last.nav)} on ${day(last.time)}; lowest ${low.toFixed(2)}, highest ${high.toFixed(2)} dollars.`;
  const reading = h("p", { class: "reading", "aria-hidden": "true" }, `${day(last.time)}: ${usd(last.nav)}`);
  // A line of no length: a circle would be stretched with the chart.
  const at = (sample: Sample) => `M${x(sample.time).toFixed(1)} ${y(Number(sample.nav) / 1e18).toFixed(1)}h0`;
  const dot = s("path", { class: "dot", d: at(last), "vector-effect": "non-scaling-stroke" });
  const svg = s(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": label,
      class: "chart",
      preserveAspectRatio: "none",
    },
    s("polygon", { class: "area", points: `0,${HEIGHT - FOOT} ${points.join(" ")} ${WIDTH},${HEIGHT - FOOT}` }),
    s("polyline", { class: "line", points: points.join(" "), "vector-effect": "non-scaling-stroke" }),
    dot,
  );
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const wanted = ((event.clientX - box.left) / box.width) * WIDTH;
    const near = samples.reduce((best, p) =>
      Math.abs(x(p.time) - wanted) < Math.abs(x(best.time) - wanted) ? p : best,
    );
    reading.textContent = `${day(near.time)}: ${usd(near.nav)}`;
    dot.setAttribute("d", at(near));
  });
  const rows = [...samples].reverse().map((p) => [day(p.time), usd(p.nav)]);
  return [
    reading,
    svg,
    h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, day(first.time)), h("span", {}, day(last.time))),
    whole
      ? null
      : h("p", { class: "quiet" }, "The endpoint does not know the past; these are the months' starts, from events."),
    h(
      "details",
      {},
      h("summary", {}, "As a table"),
      table("NAV of a share over time", [{ head: "Day" }, { head: "NAV", figure: true }], rows),
    ),
  ];
}
