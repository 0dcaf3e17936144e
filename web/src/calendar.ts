/** The periods of a fund and their names, as its calendar (`ICalendar`) and the keeper have them. Pure; Unix seconds. */

import { MONTHS } from "./amounts.js";
import type { Fund } from "./fund.js";

export type Timetable = Fund["timetable"];
/** A fund's timetables in order; each begins where the one before it ends. */
export type Timetables = readonly Timetable[];
export interface Period {
  start: bigint;
  end: bigint;
  execution: bigint;
}

const DAY = 86_400;

/** The one that was set last, and the one in effect until that begins. */
export function timetablesOf(fund: Pick<Fund, "timetable" | "former">): Timetables {
  return fund.former.length === 0 ? [fund.timetable] : [fund.former, fund.timetable];
}

/** The timetables once `next` is set: what it replaces before it began is none of them. */
export function withTimetable(tables: Timetables, next: Timetable): Timetables {
  return [...tables.filter((table) => table.first < next.first), next];
}

/** The period with this id. One of before the first timetable is counted back by that. */
export function periodOf(id: bigint | number, tables: Timetables): Period {
  const number = Number(id);
  const table = tableOf(number, tables);
  const after = tableOf(number + 1, tables);
  return {
    start: BigInt(startOf(number, table)),
    end: BigInt(startOf(number + 1, after)),
    execution: BigInt(executionOf(number, table)),
  };
}

/** "April 2021", "April to June 2021", "12 April 2021", or that with the time of day. */
export function periodName(id: bigint | number, tables: Timetables): string {
  const number = Number(id);
  const table = tableOf(number, tables);
  if (table.length === 1) return monthName(monthOf(number, table));
  if (table.length === 3) return quarterName(monthOf(number, table));
  const start = new Date(startOf(number, table) * 1000);
  const day = `${start.getUTCDate()} ${MONTHS[start.getUTCMonth()]} ${start.getUTCFullYear()}`;
  const whole = table.length % DAY === 0 && table.begins % DAY === 0;
  return whole ? day : `${day} ${start.toISOString().slice(11, 16)} UTC`;
}

/** "April 2021" of a calendar month: year * 12 + month - 1. */
export function monthName(month: number): string {
  return `${MONTHS[month % 12]} ${Math.floor(month / 12)}`;
}

function quarterName(month: number): string {
  const year = Math.floor((month + 2) / 12) === Math.floor(month / 12) ? "" : ` ${Math.floor(month / 12)}`;
  return `${MONTHS[month % 12]}${year} to ${monthName(month + 2)}`;
}

/** The timetable that a period belongs to. */
function tableOf(id: number, tables: Timetables): Timetable {
  return tables.findLast((table) => table.first <= id) ?? tables[0]!;
}

function ofMonths(table: Timetable): boolean {
  return table.length === 1 || table.length === 3;
}

/** First second of a period. */
function startOf(id: number, table: Timetable): number {
  if (id === table.first) return table.begins;
  if (ofMonths(table)) return monthStart(monthOf(id, table)) - table.notice;
  return table.begins + (id - table.first) * table.length;
}

/** First second at which a period may be started, but for the notice from its determination. */
function executionOf(id: number, table: Timetable): number {
  if (!ofMonths(table)) return startOf(id, table) + table.notice;
  const start = monthStart(monthOf(id, table));
  if (table.day === 1) return start - DAY;
  if (table.day === 2) return start + (table.fixedDay - 1) * DAY;
  const weekday = new Date(start * 1000).getUTCDay(); // 0 Sunday to 6 Saturday
  return start + (weekday === 0 ? 1 : weekday === 6 ? 2 : 0) * DAY;
}

/** First calendar month of a period: year * 12 + month - 1. */
function monthOf(id: number, table: Timetable): number {
  const first = new Date((table.begins + table.notice) * 1000);
  return first.getUTCFullYear() * 12 + first.getUTCMonth() + (id - table.first) * table.length;
}

function monthStart(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, 1) / 1000;
}
