// What a clock and a calendar on the wall show, from Intl alone and by looking: the oracle's own idea of
// time zones. Offsets change on quarters of an hour only, which holds for every zone since 1972.
export const QUARTER_MS = 900_000;
export const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const formats = new Map<string, Intl.DateTimeFormat>();
/** Zone → quarter of an hour → what the wall shows as it begins, as if it showed UTC. */
const walls = new Map<string, Map<number, Wall>>();

interface Wall {
  readonly ms: number;
  /** `2026-11-01T14:15` */
  readonly minute: string;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const two = '2-digit';
  const digits = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...digits });
  formats.set(zone, made);
  return made;
}

function wallOf(quarter: number, zone: string): Wall {
  let ofZone = walls.get(zone);
  if (ofZone === undefined) walls.set(zone, (ofZone = new Map()));
  const known = ofZone.get(quarter);
  if (known !== undefined) return known;
  const part = Object.fromEntries(
    formatOf(zone)
      .formatToParts(quarter * QUARTER_MS)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const ms = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
  const wall = { ms, minute: new Date(ms).toISOString().slice(0, 16) };
  ofZone.set(quarter, wall);
  return wall;
}

/** The wall's clock, as if it showed UTC. */
export function wallMs(at: number, zone: string): number {
  const quarter = Math.floor(at / QUARTER_MS);
  return wallOf(quarter, zone).ms + at - quarter * QUARTER_MS;
}

/** `2026-11-01T14:05` */
export const wallMinute = (at: number, zone: string): string =>
  at % QUARTER_MS === 0
    ? wallOf(at / QUARTER_MS, zone).minute
    : new Date(wallMs(at, zone)).toISOString().slice(0, 16);
export const wallDate = (at: number, zone: string): string => wallMinute(at, zone).slice(0, 10);

/** The first instant that has the date, or a later one where the date does not exist. */
export function midnight(date: string, zone: string): number {
  for (let at = Date.parse(`${date}T00:00Z`) - 15 * HOUR_MS; ; at += QUARTER_MS) {
    if (wallDate(at, zone) >= date) return at;
  }
}

export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/** The last day of a shorter month stands for those it lacks. */
export function addMonths(date: string, months: number): string {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number];
  const lastDay = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(day, lastDay))).toISOString().slice(0, 10);
}

/** 0: Sunday. */
export const weekday = (date: string): number => new Date(`${date}T00:00Z`).getUTCDay();
