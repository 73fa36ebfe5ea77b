// What every wire format does once it has turned a body into inputs: run each through the pipeline,
// answer what was seen before, append the rest durably, and account for every single event. The
// acknowledgement comes after the durable append, or not at all.
import { encodeEvent, type EncodedEvent } from '../../tracking-log/batch-codec.js';
import type { Partition } from '../../tracking-log/tracking-log.js';
import { nearerOf, type Standing } from '../auth/limits/standing.js';
import { NO_EVENTS, type SiteUsage } from '../auth/quotas/usage-tally.js';
import type { AppendBatcher, SubmitOutcome } from './append-batcher.js';
import { draftOf, type Draft, type RequestFacts, type Sender } from './draft.js';
import { newEventId } from './event-ids.js';
import {
  ADDRESS_LIMITED,
  type IngestionTelemetry,
  type UnavailableReason,
  type WireTally,
} from './ingestion.telemetry.js';
import { run } from './pipeline.js';
import { keyOf, type RecentIds } from './recent-ids.js';
import type { Salts } from './salts.js';
import type { UnsettledIds } from './unsettled-ids.js';
import type { RejectionReason, Step } from './verdict.js';

export interface Rejection {
  readonly index: number;
  readonly reason: RejectionReason;
  readonly detail: string;
  /** Of what would be taken later. */
  readonly retryAfterSeconds?: number;
}

export type IntakeOutcome =
  | {
      readonly outcome: 'settled';
      /** Durable. */
      readonly accepted: number;
      readonly duplicates: number;
      readonly dropped: number;
      readonly rejected: readonly Rejection[];
      /** How the sender stands with the limit that is nearest; undefined: with none. */
      readonly standing: Standing | undefined;
    }
  /** Nothing was looked at: the address has sent too much. */
  | { readonly outcome: 'held-off'; readonly standing: Standing }
  | { readonly outcome: 'unavailable'; readonly reason: UnavailableReason };

export interface IntakeRequest extends Omit<RequestFacts, 'salts'> {
  readonly inputs: readonly unknown[];
  /** What the request held besides, of kinds that are not counted here. */
  readonly uncounted?: number;
  readonly sender: Sender;
}

export interface IntakeDeps {
  readonly steps: readonly Step<Draft>[];
  readonly salts: Pick<Salts, 'at'>;
  readonly batcher: Pick<AppendBatcher, 'submit'>;
  readonly recentIds: RecentIds;
  readonly unsettledIds: UnsettledIds;
  /** Takes tokens of the sender's address; undefined: it has no limit. */
  readonly addressStanding: ((address: string, events: number, nowMs: number) => Standing) | undefined;
  /** How the site stands with its rate, as far as this node knows. */
  readonly siteStanding: (site: string, nowMs: number) => Standing | undefined;
  /** Told what was not taken because only a share of the visitors is. */
  readonly onSampledOut: (
    of: { readonly merchant: string; readonly site: string },
    receivedAt: number,
  ) => void;
  /** Told what is durable. */
  readonly onAppended: (usage: Omit<SiteUsage, 'month'>, receivedAt: number) => void;
  readonly telemetry: IngestionTelemetry;
}

/**
 * What became of a request's events before any was appended. All that is kept of the request while
 * it waits for the log: what waits, the garbage collector carries along.
 */
interface Sorted {
  readonly tally: WireTally;
  readonly receivedAt: number;
  readonly rejected: Rejection[];
  duplicates: number;
  dropped: number;
  accepted: number;
  /** The accepted events by site. */
  readonly usages: MutableUsage[];
  standing: Standing | undefined;
  readonly parts: { readonly partition: Partition; readonly events: EncodedEvent[] }[];
  /** Of the accepted events that came with ids. */
  readonly keysGiven: Set<string>;
  /** The accepted events that were given ids here. */
  readonly idsMade: EncodedEvent[];
}

type MutableUsage = { -readonly [Field in keyof Omit<SiteUsage, 'month'>]: SiteUsage[Field] };

export class Intake {
  constructor(private readonly deps: IntakeDeps) {}

  receive(request: IntakeRequest): Promise<IntakeOutcome> {
    const { salts, telemetry } = this.deps;
    const {
      wire,
      inputs,
      sender,
      receivedAt,
      caller,
      server,
      optedOut,
      clockOffsetMs,
      uncounted = 0,
    } = request;
    const tally = telemetry.of(wire);
    const count = inputs.length + uncounted;
    tally.received += count;
    // A server's address says nothing of whose events it sends.
    const standing = server ? undefined : this.deps.addressStanding?.(sender.address, count, receivedAt);
    if (standing !== undefined && standing.waitSeconds > 0) {
      tally.reject(ADDRESS_LIMITED, count);
      return Promise.resolve({ outcome: 'held-off', standing });
    }
    const pair = salts.at(receivedAt);
    if (pair === undefined) {
      tally.reject('salt_unavailable', count);
      return Promise.resolve({ outcome: 'unavailable', reason: 'salt_unavailable' });
    }
    if (uncounted > 0) tally.drop('not_counted', uncounted);
    const facts = { wire, receivedAt, caller, server, optedOut, clockOffsetMs, salts: pair };
    const sorted = this.sort(request, facts);
    sorted.standing = nearerOf(standing, sorted.standing);
    return this.append(sorted);
  }

  private sort({ inputs, sender, uncounted = 0 }: IntakeRequest, facts: RequestFacts): Sorted {
    const { steps, telemetry } = this.deps;
    const tally = telemetry.of(facts.wire);
    const sorted: Sorted = {
      tally,
      receivedAt: facts.receivedAt,
      rejected: [],
      duplicates: 0,
      dropped: uncounted,
      accepted: 0,
      usages: [],
      standing: undefined,
      parts: [],
      keysGiven: new Set(),
      idsMade: [],
    };
    let site = '';
    for (let index = 0; index < inputs.length; index++) {
      const draft = draftOf(inputs[index], facts, sender);
      const verdict = run(steps, draft);
      if (verdict.verdict === 'rejected') {
        tally.reject(verdict.reason);
        const { reason, detail, retryAfterSeconds } = verdict;
        sorted.rejected.push({ index, reason, detail, retryAfterSeconds });
      } else if (verdict.verdict === 'dropped') {
        tally.drop(verdict.reason);
        sorted.dropped++;
        if (verdict.reason === 'quota_sampled') this.sampledOut(draft);
      } else if (draft.idGiven) {
        this.takeGiven(draft, sorted);
      } else {
        draft.event.id = this.deps.unsettledIds.take(draft.event) ?? newEventId();
        sorted.idsMade.push(take(draft, sorted));
      }
      if (draft.event.site !== '') site = draft.event.site;
    }
    if (site !== '') sorted.standing = this.deps.siteStanding(site, facts.receivedAt);
    return sorted;
  }

  private sampledOut({ merchant, event: { site, receivedAt } }: Draft): void {
    this.deps.onSampledOut({ merchant, site }, receivedAt);
  }

  private takeGiven(draft: Draft, sorted: Sorted): void {
    const key = keyOf(draft.event);
    if (this.deps.recentIds.has(draft.event) || sorted.keysGiven.has(key)) {
      sorted.tally.duplicates++;
      sorted.duplicates++;
      return;
    }
    sorted.keysGiven.add(key);
    take(draft, sorted);
  }

  private append(sorted: Sorted): Promise<IntakeOutcome> {
    if (sorted.accepted === 0) return Promise.resolve({ outcome: 'settled', ...answerOf(sorted) });
    return this.deps.batcher.submit(sorted.parts).then((submitted) => this.settle(sorted, submitted));
  }

  private settle(sorted: Sorted, submitted: SubmitOutcome): IntakeOutcome {
    const { recentIds, unsettledIds } = this.deps;
    if (submitted.outcome === 'appended') {
      sorted.tally.accepted += sorted.accepted;
      for (const usage of sorted.usages) this.deps.onAppended(usage, sorted.receivedAt);
      for (const key of sorted.keysGiven) recentIds.add(key);
      return { outcome: 'settled', ...answerOf(sorted) };
    }
    sorted.tally.reject(submitted.reason, sorted.accepted);
    // Also where nothing was handed to the log: an id taken from here may be one that is in it.
    for (const { json } of sorted.idsMade) unsettledIds.remember(json);
    return { outcome: 'unavailable', reason: submitted.reason };
  }
}

function answerOf({ accepted, duplicates, dropped, rejected, standing }: Sorted) {
  return { accepted, duplicates, dropped, rejected, standing };
}

function take({ event, merchant, partition, hiddenFrom }: Draft, sorted: Sorted): EncodedEvent {
  const encoded = encodeEvent(event);
  const part = sorted.parts.find((known) => known.partition === partition);
  if (part === undefined) sorted.parts.push({ partition, events: [encoded] });
  else part.events.push(encoded);
  let usage = sorted.usages.find(({ site }) => site === event.site);
  if (usage === undefined) sorted.usages.push((usage = { ...NO_EVENTS, merchant, site: event.site }));
  usage.events++;
  if (hiddenFrom > 0) {
    usage.hiddenFrom = hiddenFrom;
    usage.hiddenEvents++;
  }
  sorted.accepted++;
  return encoded;
}
