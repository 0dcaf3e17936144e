/** Numbers as people write and read them. Amounts are bigint throughout: a number is never rounded on its way. */

export const WAD = 10n ** 18n;
export const YEAR_S = 31_536_000n;

export type Parsed = { ok: true; value: bigint } | { ok: false; why: string };

const PLAIN = /^(\d+)(?:\.(\d+))?$/;

/** A decimal amount in units of 10^-decimals. Digits and one point: no sign, no exponent, no separators, whatever the
 * reader's country. */
export function parseAmount(text: string, decimals: number): Parsed {
  const trimmed = text.trim();
  if (trimmed === "") return { ok: false, why: "Enter an amount." };
  if (/^\d[\d,]*,\d+(\.\d+)?$/.test(trimmed)) {
    return { ok: false, why: "Write the amount without commas; a point separates the decimals, as in 1234.5." };
  }
  const match = PLAIN.exec(trimmed);
  if (match === null)
    return { ok: false, why: "Write the amount in digits, with a point before the decimals: 1234.5." };
  const [, whole = "", part = ""] = match;
  if (part.length > decimals) return { ok: false, why: `At most ${decimals} decimals.` };
  if (whole.length > 40) return { ok: false, why: "That is too large." };
  const value = BigInt(whole + part.padEnd(decimals, "0"));
  if (value === 0n) return { ok: false, why: "The amount is zero." };
  return { ok: true, value };
}

/** All digits of an amount, such as "1.05"; what `parseAmount` takes back. */
export function exact(value: bigint, decimals: number): string {
  const sign = value < 0n ? "-" : "";
  const digits = abs(value)
    .toString()
    .padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const part = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return sign + whole + (part && `.${part}`);
}

/** An amount with separators and so many decimals, rounded towards zero, or up away from it. */
export function fixed(value: bigint, decimals: number, places: number, up = false): string {
  const shown = Math.min(places, decimals);
  const cut = 10n ** BigInt(decimals - shown);
  const size = abs(value);
  const rounded = up ? ceilDiv(size, cut) : size / cut;
  const digits = rounded.toString().padStart(shown + 1, "0");
  const whole = digits.slice(0, digits.length - shown).replace(/\B(?=(\d{3})+$)/g, ",");
  const part = digits.slice(digits.length - shown);
  return (value < 0n && rounded > 0n ? "−" : "") + whole + (part && `.${part}`);
}

/** An amount of a token for reading: about six digits that count. `up`: what is owed is never shown smaller. */
export function amount(value: bigint, decimals: number, up = false): string {
  if (value === 0n) return "0";
  const whole = (abs(value) / 10n ** BigInt(decimals)).toString();
  if (whole !== "0") return fixed(value, decimals, Math.max(2, 6 - whole.length), up);
  const leading = decimals - abs(value).toString().length;
  return fixed(value, decimals, leading + 4, up);
}

/** Shares, or what else somebody has entered: at most six decimals, without zeros at the end. */
export function tidy(value: bigint, decimals = 18): string {
  const text = fixed(value, decimals, 6);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** US dollars of a value with 18 decimals; cents below ten thousand, whole dollars above. */
export function usd(value: bigint, places?: number): string {
  const shown = places ?? (abs(value) < 10_000n * WAD ? 2 : 0);
  const half = 5n * 10n ** BigInt(17 - shown);
  const text = fixed(value < 0n ? value - half : value + half, 18, shown);
  if (value !== 0n && !/[1-9]/.test(text))
    return `${value < 0n ? "−" : ""}< $${shown ? `0.${"0".repeat(shown - 1)}1` : "1"}`;
  return text.startsWith("−") ? `−$${text.slice(1)}` : `$${text}`;
}

/** A fraction with 18 decimals in percent, to the nearest. */
export function percent(fraction: bigint, places = 2): string {
  const half = 5n * 10n ** BigInt(15 - places);
  return `${fixed(fraction < 0n ? fraction - half : fraction + half, 16, places)} %`;
}

/** The most that may be taken: `value` and a margin (18-decimal fraction) more, rounded up. */
export function most(value: bigint, margin: bigint): bigint {
  return ceilDiv(value * (WAD + margin), WAD);
}

/** The least that is accepted: `value` less a margin (18-decimal fraction), rounded down. */
export function least(value: bigint, margin: bigint): bigint {
  return (value * (WAD - margin)) / WAD;
}

export function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

export function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

export const MONTHS = "January February March April May June July August September October November December".split(" ");

/** "1 Apr 2021, 14:05 UTC" of Unix seconds. */
export function when(seconds: bigint | number): string {
  return `${day(seconds)}, ${new Date(Number(seconds) * 1000).toISOString().slice(11, 16)} UTC`;
}

/** "1 Apr 2021". */
export function day(seconds: bigint | number): string {
  const at = new Date(Number(seconds) * 1000);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]?.slice(0, 3)} ${at.getUTCFullYear()}`;
}

/** "in 3 days", "2 hours ago": from `now`, both Unix seconds. */
export function distance(to: bigint, now: bigint): string {
  const seconds = abs(to - now);
  const [size, name] = seconds >= 172_800n ? [86_400n, "day"] : seconds >= 7_200n ? [3_600n, "hour"] : [60n, "minute"];
  const count = seconds / size;
  if (count === 0n) return "now";
  const words = `${count} ${name}${count === 1n ? "" : "s"}`;
  return to > now ? `in ${words}` : `${words} ago`;
}

/** "0x1234…abcd". */
export function short(hex: string): string {
  return `${hex.slice(0, 6)}…${hex.slice(-4)}`;
}

/** A name or symbol from a token: one line, no marks that turn or hide text, not longer than fits. */
export function plain(text: string, longest = 32): string {
  const clean = text
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  const letters = [...clean];
  return letters.length > longest ? `${letters.slice(0, longest - 1).join("")}…` : clean;
}
