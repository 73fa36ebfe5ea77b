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
import { isEngagement, type VisitEvent } from './interpret/visit-event.js';

/** A gap of exactly this long still continues a session. */
export const SESSION_GAP_MS = 30 * 60_000;
const SESSION_WEIGHT_SOFT_MAX = 500;
const SESSION_WEIGHT_HARD_MAX = 2_000;
const PROPS_CHARS_PER_WEIGHT = 512;
const LONG_SESSION_MS = 12 * 3_600_000;
const DAY_MS = 24 * 3_600_000;
/** Part of the fingerprint of every projection of sessions. */
export const SESSION_RULES = 'sessions 1';

/** Events of one visitor id that belong together, in order, without repeats. Never changed in place. */
export interface Piece {
  readonly visitor: string;
  readonly events: readonly VisitEvent[];
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
  /** The session that each piece is part of. */
  readonly sessions: ReadonlyMap<Piece, Session>;
}

export interface Change {
  readonly before: readonly Session[];
  readonly after: readonly Session[];
  readonly timelines: readonly Timeline[];
  readonly repeats: number;
  /** Repeats whose content differed. */
  readonly conflicts: number;
}

const emptyTimeline = (site: string, visitor: string): Timeline => ({
  site,
  visitor,
  pieces: [],
  sessions: new Map(),
});

/**
 * Adds events to a closed group of visitor ids: every id that one of the events, old or new,
 * names as its previous one must be among the timelines.
 */
export function addEvents(timelines: readonly Timeline[], events: readonly VisitEvent[]): Change {
  const [only] = timelines;
  if (timelines.length === 1 && only!.pieces.length === 0 && events.length === 1)
    return firstEvent(only!, events);
  let repeats = 0;
  let conflicts = 0;
  const pieces = timelines.map((timeline) => {
    const own =
      timelines.length === 1 ? events : events.filter((event) => event.visitor === timeline.visitor);
    if (own.length === 0) return timeline.pieces;
    const merged = mergeEvents(timeline.pieces, own);
    repeats += merged.repeats;
    conflicts += merged.conflicts;
    return recut(timeline.pieces, merged);
  });
  const regrouped = timelines.length === 1 ? regroupAlone(only!, pieces[0]!) : regroup(timelines, pieces);
  return { ...regrouped, repeats, conflicts };
}

/** A visitor's first event, half of all live work: what the general way would give, without its bookkeeping. */
function firstEvent({ site, visitor }: Timeline, events: readonly VisitEvent[]): Change {
  const piece: Piece = { visitor, events };
  const session = makeSession(site, piece, null);
  const timeline: Timeline = { site, visitor, pieces: [piece], sessions: new Map([[piece, session]]) };
  return { before: [], after: [session], timelines: [timeline], repeats: 0, conflicts: 0 };
}

/** The timelines of a closed group of visitor ids as they were when these, all their events, had been added. */
export function restoreTimelines(
  site: string,
  eventsByVisitor: ReadonlyMap<string, readonly VisitEvent[]>,
): readonly Timeline[] {
  const empty = [...eventsByVisitor.keys()].map((visitor) => emptyTimeline(site, visitor));
  const pieces = [...eventsByVisitor.values()].map((events) => cutIntoPieces([...events].sort(byTime)));
  return regroup(empty, pieces).timelines;
}

/** Total order of events: by time, then by key. */
const byTime = (a: VisitEvent, b: VisitEvent): number =>
  a.at - b.at ||
  (a.key < b.key ? -1 : a.key > b.key ? 1 : a.visitor < b.visitor ? -1 : a.visitor > b.visitor ? 1 : 0);

interface Merged {
  readonly inserted: readonly VisitEvent[];
  readonly replaced: ReadonlySet<VisitEvent>;
  readonly repeats: number;
  readonly conflicts: number;
}

function mergeEvents(pieces: readonly Piece[], events: readonly VisitEvent[]): Merged {
  const winners = new Map<string, VisitEvent>();
  for (const piece of pieces) for (const event of piece.events) winners.set(event.key, event);
  const inserted = new Set<VisitEvent>();
  const replaced = new Set<VisitEvent>();
  let repeats = 0;
  let conflicts = 0;
  for (const event of events) {
    const known = winners.get(event.key);
    if (known !== undefined) {
      repeats++;
      if (!sameContent(event, known)) conflicts++;
      if (!wins(event, known)) continue;
      if (!inserted.delete(known)) replaced.add(known);
    }
    winners.set(event.key, event);
    inserted.add(event);
  }
  return { inserted: [...inserted], replaced, repeats, conflicts };
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

/** Cuts anew the pieces that the change can reach, and leaves all others as they are. */
function recut(pieces: readonly Piece[], { inserted, replaced }: Merged): readonly Piece[] {
  if (inserted.length === 0) return pieces;
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const changed of [inserted, replaced]) {
    for (const { at } of changed) {
      if (at < from) from = at;
      if (at > to) to = at;
    }
  }
  let first = pieces.length;
  while (first > 0 && lastAt(pieces[first - 1]!) >= from - SESSION_GAP_MS) first--;
  let next = first;
  while (next < pieces.length && firstAt(pieces[next]!) <= to + SESSION_GAP_MS) next++;

  let pool = [...inserted];
  for (const piece of pieces.slice(first, next)) {
    for (const event of piece.events) if (!replaced.has(event)) pool.push(event);
  }
  pool.sort(byTime);
  let cut = cutIntoPieces(pool);
  // A piece that follows without a gap was cut off from these: go on until a cut falls on an old one.
  while (next < pieces.length && firstAt(pieces[next]!) - pool.at(-1)!.at <= SESSION_GAP_MS) {
    const following = pieces[next]!;
    pool = [...pool, ...following.events];
    cut = cutIntoPieces(pool);
    const inStep = cut.findIndex((piece) => piece.events[0] === following.events[0]);
    if (inStep >= 0) {
      cut = cut.slice(0, inStep);
      break;
    }
    next++;
  }
  return [...pieces.slice(0, first), ...cut, ...pieces.slice(next)];
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
        pieces.push({ visitor: event.visitor, events: events.slice(start, index) });
        start = index;
        weight = 0;
        counted = null;
      }
    }
    weight += 1 + Math.floor((event.props?.length ?? 0) / PROPS_CHARS_PER_WEIGHT);
    if (!isEngagement(event)) counted = event;
  }
  if (start < events.length) pieces.push({ visitor: events[start]!.visitor, events: events.slice(start) });
  return pieces;
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
  const tails = joinPieces(timelines, pieces);
  const continuations = new Set(tails.values());
  const before = new Set<Session>();
  const kept = new Set<Session>();
  const after: Session[] = [];
  const sessionOf = new Map<Piece, Session>();
  for (const [index, { site, sessions }] of timelines.entries()) {
    for (const session of sessions.values()) before.add(session);
    for (const piece of pieces[index]!) {
      if (continuations.has(piece)) continue;
      const tail = tails.get(piece) ?? null;
      const known = sessions.get(piece);
      const session = known?.head === piece && known.tail === tail ? known : makeSession(site, piece, tail);
      if (session === known) kept.add(session);
      else after.push(session);
      sessionOf.set(piece, session);
      if (tail !== null) sessionOf.set(tail, session);
    }
  }
  return {
    before: [...before].filter((session) => !kept.has(session)),
    after,
    timelines: timelines.map(({ site, visitor }, index) => ({
      site,
      visitor,
      pieces: pieces[index]!,
      sessions: new Map(pieces[index]!.map((piece) => [piece, sessionOf.get(piece)!])),
    })),
  };
}

/** The same for a visitor whose id is linked to no other: no piece continues another. */
function regroupAlone(
  { site, visitor, sessions }: Timeline,
  pieces: readonly Piece[],
): Pick<Change, 'before' | 'after' | 'timelines'> {
  const remaining = new Map<Piece, Session>();
  const after: Session[] = [];
  for (const piece of pieces) {
    let session = sessions.get(piece);
    if (session === undefined) after.push((session = makeSession(site, piece, null)));
    remaining.set(piece, session);
  }
  const before: Session[] = [];
  for (const [piece, session] of sessions) if (!remaining.has(piece)) before.push(session);
  return { before, after, timelines: [{ site, visitor, pieces, sessions: remaining }] };
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
    waiting: opening < 0 ? all : all.slice(0, opening),
    events,
    startedAt: events[0]?.at ?? 0,
    endedAt,
    pageviews,
    counted,
    bounced: pageviews < 2 && interactions === 0,
  };
}
