// The oracle: what the read models must say of a list of events, written as plainly as possible and
// sharing nothing with the projector but the hash that decides where very long sessions are cut.
// Quadratic where that is simpler. Rules: docs/reference/sessions.md.
import type { TrackedEvent } from '../src/events/tracked-event.js';
import { eventKey } from '../src/modules/projections/interpret/event-key.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface NaiveSession {
  site: string;
  visitor: string;
  startedAt: number;
  endedAt: number;
  pageviews: number;
  events: number;
  bounced: boolean;
  entryPage: string | null;
  exitPage: string | null;
  userAgent: string | null;
  country: string | null;
  referrer: string | null;
  all: TrackedEvent[];
}

export interface NaiveTraffic {
  site: string;
  hour: number;
  bot: boolean;
  pageviews: number;
  events: number;
  sessionsStarted: number;
  sessionsActive: number;
  bouncesStarted: number;
  bouncesActive: number;
  durationStartedMs: number;
  durationActiveMs: number;
  visitors: number;
}

const earlier = (a: TrackedEvent, b: TrackedEvent) =>
  a.occurredAt - b.occurredAt ||
  (eventKey(a.id) < eventKey(b.id)
    ? -1
    : eventKey(a.id) > eventKey(b.id)
      ? 1
      : a.visitor < b.visitor
        ? -1
        : 1);
const counts = (event: TrackedEvent) => event.name !== 'engagement';
const groupBy = <T>(items: T[], key: (item: T) => string): T[][] => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
};

export function naiveSessions(log: readonly TrackedEvent[]): NaiveSession[] {
  const once = groupBy([...log], (event) => JSON.stringify([event.site, event.visitor, event.id])).map(
    (repeats) => repeats.sort((a, b) => a.receivedAt - b.receivedAt)[0]!,
  );
  return groupBy(once, (event) => event.site).flatMap((events) => sessionsOfSite(events));
}

function sessionsOfSite(events: TrackedEvent[]): NaiveSession[] {
  const groups = groupBy(events, (event) => event.visitor).flatMap((own) => gapGroups(own.sort(earlier)));
  const pieces = groups.flatMap((group) =>
    cuts(group).map((piece, index) => ({ piece, startsGroup: index === 0 })),
  );
  const continued = new Map<TrackedEvent[], TrackedEvent[]>();
  const byStart = [...pieces].sort((a, b) => earlier(a.piece[0]!, b.piece[0]!));
  for (const { piece, startsGroup } of byStart) {
    const first = piece[0]!;
    if (!startsGroup || !first.previousVisitor || first.previousVisitor === first.visitor) continue;
    const head = byStart
      .map((candidate) => candidate.piece)
      .findLast(
        (other) => other[0]!.visitor === first.previousVisitor && other[0]!.occurredAt <= first.occurredAt,
      );
    if (!head || head[0]!.previousVisitor || continued.has(head)) continue;
    const last = head.findLast((event) => event.occurredAt <= first.occurredAt)!;
    if (first.occurredAt - last.occurredAt > 30 * MINUTE) continue;
    if (first.occurredAt - head[0]!.occurredAt >= 12 * HOUR) continue;
    continued.set(head, piece);
  }
  const tails = new Set(continued.values());
  return pieces
    .filter(({ piece }) => !tails.has(piece))
    .map(({ piece }) => [...piece, ...(continued.get(piece) ?? [])].sort(earlier))
    .filter((all) => all.some(counts))
    .map((all) => sessionOf(all.slice(all.findIndex(counts))));
}

function gapGroups(ordered: TrackedEvent[]): TrackedEvent[][] {
  const groups: TrackedEvent[][] = [];
  for (const event of ordered) {
    const current = groups.at(-1);
    if (current && event.occurredAt - current.at(-1)!.occurredAt <= 30 * MINUTE) current.push(event);
    else groups.push([event]);
  }
  return groups;
}

function cuts(group: TrackedEvent[]): TrackedEvent[][] {
  const pieces: TrackedEvent[][] = [[]];
  for (const event of group) {
    const piece = pieces.at(-1)!;
    const weight = piece.reduce(
      (sum, { props }) => sum + 1 + (props ? Math.floor(JSON.stringify(props).length / 512) : 0),
      0,
    );
    const zeroBits = BigInt(`0x${eventKey(event.id)}`) % 64n === 0n;
    const longSince = piece.length > 0 && event.occurredAt - piece[0]!.occurredAt >= 12 * HOUR;
    const countedToday = piece.some(
      (other) => counts(other) && Math.floor(other.occurredAt / DAY) === Math.floor(event.occurredAt / DAY),
    );
    const cut =
      weight >= 2_000 || (counts(event) && ((weight >= 500 && zeroBits) || (longSince && !countedToday)));
    if (cut && piece.length > 0) pieces.push([event]);
    else piece.push(event);
  }
  return pieces;
}

function sessionOf(all: TrackedEvent[]): NaiveSession {
  const counted = all.filter(counts);
  const views = counted.filter((event) => event.name === 'pageview');
  const interactive = counted.filter((event) => event.name !== 'pageview' && event.interactive !== false);
  const first = all[0]!;
  const path = (event: TrackedEvent | undefined) => (event?.url ? new URL(event.url).pathname : null);
  return {
    site: first.site,
    visitor: first.visitor,
    startedAt: first.occurredAt,
    endedAt: counted.at(-1)!.occurredAt,
    pageviews: views.length,
    events: counted.length,
    bounced: views.length < 2 && interactive.length === 0,
    entryPage: path(views[0]),
    exitPage: path(views.at(-1)),
    userAgent: first.userAgent ?? null,
    country: first.place?.country ?? null,
    referrer: first.referrer ?? null,
    all,
  };
}

export function naiveTraffic(
  log: readonly TrackedEvent[],
  isBot: (userAgent: string | null) => boolean,
): NaiveTraffic[] {
  const sessions = naiveSessions(log);
  const rows: NaiveTraffic[] = [];
  for (const site of new Set(sessions.map((session) => session.site))) {
    for (const bot of [false, true]) {
      const own = sessions.filter((session) => session.site === site && isBot(session.userAgent) === bot);
      const hours = new Set(own.flatMap((session) => hoursOf(session.startedAt, session.endedAt)));
      for (const hour of hours) rows.push({ site, hour, bot, ...countsOf(own, hour) });
    }
  }
  return rows.sort((a, b) =>
    a.site < b.site ? -1 : a.site > b.site ? 1 : a.hour - b.hour || Number(a.bot) - Number(b.bot),
  );
}

function hoursOf(from: number, to: number): number[] {
  const hours = [];
  for (let hour = Math.floor(from / HOUR); hour <= Math.floor(to / HOUR); hour++) hours.push(hour * HOUR);
  return hours;
}

function countsOf(sessions: NaiveSession[], hour: number): Omit<NaiveTraffic, 'site' | 'hour' | 'bot'> {
  const within = (at: number) => at >= hour && at < hour + HOUR;
  const events = sessions
    .flatMap((session) => session.all)
    .filter((event) => counts(event) && within(event.occurredAt));
  const started = sessions.filter((session) => within(session.startedAt));
  const active = sessions.filter((session) => session.startedAt < hour + HOUR && session.endedAt >= hour);
  const duration = (some: NaiveSession[]) =>
    some.reduce((sum, { startedAt, endedAt }) => sum + endedAt - startedAt, 0);
  return {
    pageviews: events.filter((event) => event.name === 'pageview').length,
    events: events.length,
    sessionsStarted: started.length,
    sessionsActive: active.length,
    bouncesStarted: started.filter((session) => session.bounced).length,
    bouncesActive: active.filter((session) => session.bounced).length,
    durationStartedMs: duration(started),
    durationActiveMs: duration(active),
    visitors: new Set(events.map((event) => event.visitor)).size,
  };
}
