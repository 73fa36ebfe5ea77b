// From a visitor's events to sessions, as a pure function of the *set* of events: whatever the
// order of arrival, the repeats and the cut into runs, the same events give the same sessions.
//
// 1. Repeats: events of one visitor with one id are one event; the one received first wins.
// 2. Gaps: a visitor's events in order of time are one group as long as no gap exceeds 30 minutes.
// 3. Cuts: a group is cut into pieces by size and duration, so that no row grows without bound
//    (see `cutsBefore`). After a late event the cuts fall back into step.
// 4. Joins: when the daily salt changed, a visitor goes on under a new id. The group that starts
//    with an event naming its previous id continues that visitor's piece (see `joinPieces`).
// 5. Engagement events keep a group together and never open a session: those before the first
//    other event are kept aside and count nowhere, lest their pageview come late.
import { isEngagement, type VisitEvent, weightOf } from './visit-event.js';

/** A gap of exactly this long still continues a session. */
export const SESSION_GAP_MS = 30 * 60_000;
const SESSION_WEIGHT_SOFT_MAX = 500;
const SESSION_WEIGHT_HARD_MAX = 2_000;
const PROPS_CHARS_PER_WEIGHT = 512;
const LONG_SESSION_MS = 12 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

/** Events of one visitor id that belong together, in order, without repeats. Never changed in place. */
export interface Piece {
  readonly visitor: string;
  readonly events: readonly VisitEvent[];
  /** In memory. */
  readonly weight: number;
}

export interface Session {
  readonly site: string;
  readonly head: Piece;
  /** The continuation under the visitor's next daily id. */
  readonly tail: Piece | null;
  /** Engagement events before the first other event: kept, counted nowhere. */
  readonly waiting: readonly VisitEvent[];
  /** From the first event that is no engagement on. Empty: there is no session yet, all events wait. */
  readonly events: readonly VisitEvent[];
  readonly startedAt: number;
  /** The last event that is no engagement. */
  readonly endedAt: number;
  readonly pageviews: number;
  /** Events other than engagement. */
  readonly counted: number;
  readonly bounced: boolean;
}

/** All that is known of one visitor id. Never changed in place. */
export interface Timeline {
  readonly site: string;
  readonly visitor: string;
  /** Ordered by time; they never overlap. */
  readonly pieces: readonly Piece[];
  /** The session that each piece is part of, in the order of the pieces. */
  readonly sessions: readonly Session[];
}

export interface Change {
  readonly before: readonly Session[];
  readonly after: readonly Session[];
  readonly timelines: readonly Timeline[];
  readonly repeats: number;
  /** Repeats whose content differed. */
  readonly conflicts: number;
}

/**
 * Adds events to a closed group of visitor ids: every id that one of the events, old or new,
 * names as its previous one must be among the timelines.
 */
export function addEvents(timelines: readonly Timeline[], events: readonly VisitEvent[]): Change {
  const [only] = timelines;
  if (timelines.length === 1) return addAlone(only!, events);
  let repeats = 0;
  let conflicts = 0;
  const pieces = timelines.map((timeline) => {
    const merged = mergeEvents(
      timeline.pieces,
      events.filter((event) => event.visitor === timeline.visitor),
    );
    repeats += merged.repeats;
    conflicts += merged.conflicts;
    return spliced(timeline.pieces, recut(timeline.pieces, merged));
  });
  return { ...regroup(timelines, pieces), repeats, conflicts };
}

/** For a visitor whose id is linked to no other, as almost all are: no piece continues another. */
function addAlone({ site, visitor, pieces, sessions }: Timeline, events: readonly VisitEvent[]): Change {
  const merged = mergeEvents(pieces, events);
  const { repeats, conflicts } = merged;
  const change = recut(pieces, merged);
  const after = change.pieces.map((piece) => makeSession(site, piece, null));
  const timeline: Timeline = {
    site,
    visitor,
    pieces: spliced(pieces, change),
    sessions: spliced(sessions, { ...change, pieces: after }),
  };
  return { before: sessions.slice(change.from, change.to), after, timelines: [timeline], repeats, conflicts };
}

/** The timelines of a closed group of visitor ids as they were when these, all their events, had been added. */
export function restoreTimelines(
  site: string,
  eventsByVisitor: ReadonlyMap<string, readonly VisitEvent[]>,
): readonly Timeline[] {
  const empty = [...eventsByVisitor.keys()].map((visitor) => ({ site, visitor, pieces: [], sessions: [] }));
  const pieces = [...eventsByVisitor.values()].map((events) => cutIntoPieces([...events].sort(byTime)));
  return regroup(empty, pieces).timelines;
}

/** The session that consists of these events, in order, the first of which is no engagement. */
export const sessionOf = (site: string, events: readonly VisitEvent[]): Session =>
  makeSession(site, pieceOf(events), null);

/** Total order of events: by time, then by key. */
const byTime = (a: VisitEvent, b: VisitEvent): number =>
  a.at - b.at ||
  (a.key < b.key ? -1 : a.key > b.key ? 1 : a.visitor < b.visitor ? -1 : a.visitor > b.visitor ? 1 : 0);

interface Merged {
  readonly inserted: readonly VisitEvent[];
  readonly replaced: readonly VisitEvent[];
  readonly repeats: number;
  readonly conflicts: number;
}

/** Up to so many events a scan is cheaper than a map. */
const SCANNED_EVENTS_MAX = 16;

function mergeEvents(pieces: readonly Piece[], events: readonly VisitEvent[]): Merged {
  const find = finder(pieces, events.length);
  const inserted: VisitEvent[] = [];
  const replaced: VisitEvent[] = [];
  let repeats = 0;
  let conflicts = 0;
  for (const event of events) {
    const known = find.get(event.key);
    if (known === undefined) {
      inserted.push(event);
      find.set(event.key, event);
      continue;
    }
    repeats++;
    if (!sameContent(event, known)) conflicts++;
    if (!wins(event, known)) continue;
    const pending = inserted.indexOf(known);
    if (pending >= 0) inserted[pending] = event;
    else {
      replaced.push(known);
      inserted.push(event);
    }
    find.set(event.key, event);
  }
  return { inserted, replaced, repeats, conflicts };
}

/** The events known by key, those of the pieces and those set since. */
function finder(
  pieces: readonly Piece[],
  more: number,
): { get(key: string): VisitEvent | undefined; set(key: string, event: VisitEvent): void } {
  let total = more;
  for (const piece of pieces) total += piece.events.length;
  if (total > SCANNED_EVENTS_MAX) {
    const byKey = new Map<string, VisitEvent>();
    for (const piece of pieces) for (const event of piece.events) byKey.set(event.key, event);
    return byKey;
  }
  const known: VisitEvent[] = [];
  for (const piece of pieces) known.push(...piece.events);
  return {
    get: (key) => known.findLast((event) => event.key === key),
    set: (_, event) => known.push(event),
  };
}

/** The first received wins; among equals an arbitrary but fixed choice. */
function wins(event: VisitEvent, known: VisitEvent): boolean {
  if (event.receivedAt !== known.receivedAt) return event.receivedAt < known.receivedAt;
  if (event.at !== known.at) return event.at < known.at;
  return JSON.stringify(event) < JSON.stringify(known);
}

const sameContent = (a: VisitEvent, b: VisitEvent): boolean =>
  a.name === b.name &&
  a.page === b.page &&
  a.hostname === b.hostname &&
  a.props === b.props &&
  a.amount === b.amount;

/** The pieces from `from` up to but not including `to` give way to others. */
interface Splice<T> {
  readonly from: number;
  readonly to: number;
  readonly pieces: readonly T[];
}

const spliced = <T>(all: readonly T[], { from, to, pieces }: Splice<T>): readonly T[] =>
  from === 0 && to === all.length ? pieces : [...all.slice(0, from), ...pieces, ...all.slice(to)];

/** Cuts anew the pieces that the change can reach, and leaves all others as they are. */
function recut(pieces: readonly Piece[], { inserted, replaced }: Merged): Splice<Piece> {
  if (inserted.length === 0) return { from: 0, to: 0, pieces: [] };
  let earliest = Number.POSITIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  for (const changed of [inserted, replaced]) {
    for (const { at } of changed) {
      if (at < earliest) earliest = at;
      if (at > latest) latest = at;
    }
  }
  let from = pieces.length;
  while (from > 0 && lastAt(pieces[from - 1]!) >= earliest - SESSION_GAP_MS) from--;
  let to = from;
  while (to < pieces.length && firstAt(pieces[to]!) <= latest + SESSION_GAP_MS) to++;

  let pool: VisitEvent[] = [];
  for (const { events } of pieces.slice(from, to)) pool.push(...events);
  if (replaced.length > 0) pool = pool.filter((event) => !replaced.includes(event));
  pool.push(...inserted);
  if (pool.length > 1) pool.sort(byTime);
  let cut = cutIntoPieces(pool);
  // A piece that follows without a gap was cut off from these: go on until a cut falls on an old one.
  while (to < pieces.length && firstAt(pieces[to]!) - pool.at(-1)!.at <= SESSION_GAP_MS) {
    const following = pieces[to]!;
    pool = [...pool, ...following.events];
    cut = cutIntoPieces(pool);
    const inStep = cut.findIndex((piece) => piece.events[0] === following.events[0]);
    if (inStep >= 0) return { from, to, pieces: cut.slice(0, inStep) };
    to++;
  }
  return { from, to, pieces: cut };
}

/** Ordered events of one visitor, starting where a piece starts. */
function cutIntoPieces(events: readonly VisitEvent[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  let weight = 0;
  let counted: VisitEvent | null = null;
  for (let index = 0; index < events.length; index++) {
    const event = events[index]!;
    if (index > start) {
      const gap = event.at - events[index - 1]!.at > SESSION_GAP_MS;
      if (gap || cutsBefore(event, { startedAt: events[start]!.at, weight, counted })) {
        pieces.push(pieceOf(events.slice(start, index)));
        start = index;
        weight = 0;
        counted = null;
      }
    }
    weight += 1 + Math.floor((event.props?.length ?? 0) / PROPS_CHARS_PER_WEIGHT);
    if (!isEngagement(event)) counted = event;
  }
  if (start === events.length) return pieces;
  // Not pushed: an array that grew keeps room for sixteen more, and almost every visitor has one piece.
  const last = pieceOf(events.slice(start));
  return pieces.length === 0 ? [last] : pieces.concat(last);
}

function pieceOf(events: readonly VisitEvent[]): Piece {
  let weight = 0;
  for (const event of events) weight += weightOf(event);
  return { visitor: events[0]!.visitor, events, weight };
}

/**
 * Past a weight of 500 (an event weighs 1, and 1 more for every 512 characters of properties) a
 * piece ends before the first event whose key ends in six zero bits; at 2,000 before any event. A
 * piece of 12 hours or more ends before its first counted event of another UTC day. The bits and
 * the days do not move when a late event shifts the count.
 */
function cutsBefore(
  event: VisitEvent,
  piece: { readonly startedAt: number; readonly weight: number; readonly counted: VisitEvent | null },
): boolean {
  if (piece.weight >= SESSION_WEIGHT_HARD_MAX) return true;
  if (isEngagement(event)) return false;
  if (piece.weight >= SESSION_WEIGHT_SOFT_MAX && endsInSixZeroBits(event.key)) return true;
  if (event.at - piece.startedAt < LONG_SESSION_MS) return false;
  return piece.counted === null || utcDay(piece.counted.at) !== utcDay(event.at);
}

const endsInSixZeroBits = (key: string): boolean => (Number.parseInt(key.slice(-2), 16) & 0b111111) === 0;
const utcDay = (at: number): number => Math.floor(at / DAY_MS);
const firstAt = (piece: Piece): number => piece.events[0]!.at;
const lastAt = (piece: Piece): number => piece.events.at(-1)!.at;

/** Makes sessions of the new pieces and says which sessions went and came. Unchanged ones stay the same objects. */
function regroup(
  timelines: readonly Timeline[],
  pieces: readonly (readonly Piece[])[],
): Pick<Change, 'before' | 'after' | 'timelines'> {
  const known = new Map<Piece, Session>();
  for (const timeline of timelines) {
    for (const session of timeline.sessions) known.set(session.head, session);
  }
  const tails = joinPieces(timelines, pieces);
  const continuations = new Set(tails.values());
  const before = new Set(known.values());
  const after: Session[] = [];
  const sessionOf = new Map<Piece, Session>();
  for (const [index, { site }] of timelines.entries()) {
    for (const piece of pieces[index]!) {
      if (continuations.has(piece)) continue;
      const tail = tails.get(piece) ?? null;
      let session = known.get(piece);
      if (session?.tail === tail) before.delete(session);
      else after.push((session = makeSession(site, piece, tail)));
      sessionOf.set(piece, session);
      if (tail !== null) sessionOf.set(tail, session);
    }
  }
  const changed = timelines.map(({ site, visitor }, index) => {
    const own = pieces[index]!;
    return { site, visitor, pieces: own, sessions: own.map((piece) => sessionOf.get(piece)!) };
  });
  return { before: [...before], after, timelines: changed };
}

/**
 * Which piece continues which. B continues A when B's group starts with an event that names A's
 * visitor as its previous id, at most 30 minutes after the last of A's events that came before it
 * and less than 12 hours after A's first; A itself must not start with such an event. Of several
 * that would continue one A, the earliest does.
 */
function joinPieces(
  timelines: readonly Timeline[],
  pieces: readonly (readonly Piece[])[],
): ReadonlyMap<Piece, Piece> {
  const tails = new Map<Piece, Piece>();
  const byVisitor = new Map(timelines.map(({ visitor }, index) => [visitor, pieces[index]!]));
  for (const own of pieces) {
    for (const [index, piece] of own.entries()) {
      const first = piece.events[0]!;
      if (first.previousVisitor === null || first.previousVisitor === first.visitor) continue;
      if (index > 0 && first.at - lastAt(own[index - 1]!) <= SESSION_GAP_MS) continue;
      const head = byVisitor
        .get(first.previousVisitor)
        ?.findLast((candidate) => firstAt(candidate) <= first.at);
      if (head === undefined || !continuesFrom(head, first)) continue;
      const rival = tails.get(head);
      if (rival === undefined || byTime(first, rival.events[0]!) < 0) tails.set(head, piece);
    }
  }
  return tails;
}

function continuesFrom(head: Piece, first: VisitEvent): boolean {
  if (head.events[0]!.previousVisitor !== null || first.at - firstAt(head) >= LONG_SESSION_MS) return false;
  const last = head.events.findLast((event) => event.at <= first.at)!;
  return first.at - last.at <= SESSION_GAP_MS;
}

const NONE: readonly VisitEvent[] = [];

function makeSession(site: string, head: Piece, tail: Piece | null): Session {
  const all = tail === null ? head.events : [...head.events, ...tail.events].sort(byTime);
  const opening = all.findIndex((event) => !isEngagement(event));
  const events = opening < 0 ? [] : opening === 0 ? all : all.slice(opening);
  let pageviews = 0;
  let counted = 0;
  let interactions = 0;
  let endedAt = 0;
  for (const event of events) {
    if (isEngagement(event)) continue;
    counted++;
    endedAt = event.at;
    if (event.name === 'pageview') pageviews++;
    else if (event.interactive) interactions++;
  }
  return {
    site,
    head,
    tail,
    waiting: opening < 0 ? all : opening === 0 ? NONE : all.slice(0, opening),
    events,
    startedAt: events[0]?.at ?? 0,
    endedAt,
    pageviews,
    counted,
    bounced: pageviews < 2 && interactions === 0,
  };
}
