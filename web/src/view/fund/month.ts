/** The month: where it stands, what comes next, and its three moments. */

import { day, distance, percent, when } from "../../amounts.js";
import { type Period, periodName, periodOf, timetablesOf } from "../../calendar.js";
import { Action, Phase, Reason } from "../../fund.js";
import type { App } from "../app.js";
import { type Child, h } from "../dom.js";

/** Where the month stands, and what comes next. */
function standing(app: App): { now: string; next: string } {
  const { fund } = app.snapshot!;
  const { month, time } = fund;
  const tables = timetablesOf(fund);
  const current = fund.current.id;
  const determinable = month.phase === Phase.Idle && fund.action === Action.Determine;
  const name = periodName(determinable ? current : month.period || current, tables);
  const at = fund.next ? `${when(fund.next)} (${distance(fund.next, time)})` : "";
  if (fund.reason === Reason.Paused)
    return { now: "Paused by the guardian.", next: `It goes on ${at}. You can mint and redeem meanwhile.` };
  if (fund.reason === Reason.NotSeeded) return { now: "The fund has not been founded yet.", next: "" };
  if (fund.reason === Reason.Refused)
    return {
      now: "The rule refuses to go on: a price or supply is missing.",
      next: "Mint and redeem go on meanwhile.",
    };
  if (month.phase === Phase.Trading && fund.action !== Action.Close) {
    const sold = fund.progress.surplus;
    return {
      now: `${name} is being traded towards its targets.`,
      next: `${percent(sold)} of the fund is left to sell. It ends when that is done, at the latest on ${day(fund.opening.end + 1)}.`,
    };
  }
  if (fund.action === Action.Determine)
    return {
      now: `${periodName(current, tables)} can be determined now.`,
      next: "Anyone may call it; a keeper does so within minutes.",
    };
  if (fund.action === Action.Start)
    return {
      now: `${name} is determined and can start now.`,
      next: "Anyone may call it; a keeper does so within minutes.",
    };
  if (fund.action === Action.Close) return { now: `${name} is over and can be closed now.`, next: "" };
  if (month.phase === Phase.Determined && fund.reason === Reason.NotYet) {
    return {
      now: `${name} is determined: the new weights are known.`,
      next: `Trading starts ${at}. Until then you can leave at the old weights.`,
    };
  }
  if (month.phase === Phase.Vetoed || fund.reason === Reason.Vetoed)
    return { now: `${name} passes without trades: it was vetoed.`, next: at && `The next period begins ${at}.` };
  if (fund.reason === Reason.TooLate)
    return {
      now: `${name} passes without trades: too little time is left.`,
      next: at && `The next period begins ${at}.`,
    };
  const period = current + (fund.next && fund.next >= fund.current.end ? 1n : 0n);
  return {
    now: `${name} is done.`,
    next:
      at &&
      `The weights of ${periodName(period, tables)} are determined ${at}; trading starts ${dated(periodOf(period, tables), "execution")}.`,
  };
}

export function month(app: App): Child[] {
  const { fund } = app.snapshot!;
  const { now, next } = standing(app);
  const period = periodOf(fund.month.period || fund.current.id, timetablesOf(fund));
  const { start, execution: begin, end } = period;
  const along = (time: bigint) =>
    `${Math.max(0, Math.min(100, (Number(time - start) / Number(end - start)) * 100)).toFixed(2)}%`;
  const track = h(
    "div",
    { class: "track", "aria-hidden": "true" },
    h("span", { class: "passed" }),
    h("span", { class: "mark" }),
    h("span", { class: "today" }),
  );
  const [passed, mark, today] = track.children as unknown as HTMLElement[];
  passed!.style.width = along(fund.time);
  mark!.style.left = along(begin);
  today!.style.left = along(fund.time);
  return [
    h("p", { class: "lead", id: "standing" }, now),
    h("p", { id: "next" }, next),
    track,
    h(
      "ol",
      { class: "steps" },
      h(
        "li",
        {},
        h("b", {}, "Determined"),
        ` ${fund.month.determinedAt && fund.month.period ? when(fund.month.determinedAt) : `from ${dated(period, "start")}`}`,
      ),
      h("li", {}, h("b", {}, "Trading from"), ` ${dated(period, "execution")}`),
      h("li", {}, h("b", {}, "Ends by"), ` ${dated(period, "end")}`),
    ),
  ];
}

/** A moment of a period: its day, and in periods of a few days the time too. */
function dated(period: Period, moment: keyof Period): string {
  return period.end - period.start < 864_000n ? when(period[moment]) : day(period[moment]);
}
