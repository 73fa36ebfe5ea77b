// What a site's last half hour looks like: the windows that are counted, and the answer made of the
// counted rows. Pure; the rows come from realtime-sql.ts.

export const MINUTE_MS = 60_000;
export const MINUTES = 30;
const VISITORS_NOW_MS = 5 * MINUTE_MS;

/** Lists of values, each value with who was there, best first. */
export const PANELS = ['pages', 'sources', 'countries', 'devices'] as const;
export type Panel = (typeof PANELS)[number];

/** How a value is called in its list's rows. */
export const VALUE_NAMES = {
  pages: 'page',
  sources: 'source',
  countries: 'country',
  devices: 'device',
} as const satisfies Record<Panel, string>;

/** Epoch milliseconds. */
export interface RealtimeWindow {
  /** The present minute and the 29 whole ones before it: from here, inclusive … */
  readonly from: number;
  /** … to the present, inclusive. */
  readonly now: number;
  /** Visitors now: seen after this. */
  readonly visitorsAfter: number;
}

export function windowAt(now: number): RealtimeWindow {
  const minute = now - (now % MINUTE_MS);
  return { from: minute - (MINUTES - 1) * MINUTE_MS, now, visitorsAfter: now - VISITORS_NOW_MS };
}

/** Of events other than engagement, of sessions that are not bots'. */
export interface Tally {
  readonly visitors: number;
  readonly pageviews: number;
  readonly events: number;
}

export interface MinuteTally extends Tally {
  /** Start, UTC, such as `2026-11-21T10:29:00Z`. */
  readonly minute: string;
}

type PanelRow<P extends Panel> = Readonly<Record<(typeof VALUE_NAMES)[P], string>> & Tally;

export type RealtimeNumbers = {
  /** Distinct visitors of the last five minutes. */
  readonly visitors: number;
  readonly last_30_minutes: Tally;
  /** All thirty, oldest first; the last is still going on. */
  readonly minutes: readonly MinuteTally[];
} & { readonly [P in Panel]: readonly PanelRow<P>[] };

/** As realtime-sql.ts gives them, in order. */
export interface RealtimeRow extends Tally {
  readonly panel: 'total' | 'minutes' | Panel;
  /** Minutes since the window's start, or the value; null for the total. */
  readonly value: string | null;
  /** Of the total only. */
  readonly visitors_now: number | null;
}

export function numbersOf(rows: readonly RealtimeRow[], { from }: RealtimeWindow): RealtimeNumbers {
  const total = rows.find(({ panel }) => panel === 'total');
  const minutes = new Map(
    rows.filter(({ panel }) => panel === 'minutes').map((row) => [Number(row.value), row]),
  );
  return {
    visitors: total?.visitors_now ?? 0,
    last_30_minutes: tallyOf(total),
    minutes: Array.from({ length: MINUTES }, (_, index) => ({
      minute: `${new Date(from + index * MINUTE_MS).toISOString().slice(0, 19)}Z`,
      ...tallyOf(minutes.get(index)),
    })),
    pages: panelOf(rows, 'pages'),
    sources: panelOf(rows, 'sources'),
    countries: panelOf(rows, 'countries'),
    devices: panelOf(rows, 'devices'),
  };
}

const panelOf = <P extends Panel>(rows: readonly RealtimeRow[], panel: P): readonly PanelRow<P>[] =>
  rows
    .filter((row) => row.panel === panel)
    .map((row) => ({ [VALUE_NAMES[panel]]: row.value, ...tallyOf(row) }) as PanelRow<P>);

const tallyOf = (row: Tally | undefined): Tally => ({
  visitors: row?.visitors ?? 0,
  pageviews: row?.pageviews ?? 0,
  events: row?.events ?? 0,
});
