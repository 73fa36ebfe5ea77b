// What every wire format does once it has turned a body into inputs: run each through the pipeline,
// answer what was seen before, append the rest durably, and account for every single event. The
// acknowledgement comes after the durable append, or not at all.
import { encodeEvent, type EncodedEvent } from '../../tracking-log/batch-codec.js';
import type { Partition } from '../../tracking-log/tracking-log.js';
import type { SiteUsage } from '../auth/quotas/usage-tally.js';
import type { AppendBatcher, SubmitOutcome } from './append-batcher.js';
import { draftOf, type Draft, type RequestFacts, type Sender } from './draft.js';
import { newEventId } from './event-ids.js';
import type { IngestionTelemetry, UnavailableReason } from './ingestion.telemetry.js';
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
    }
  | { readonly outcome: 'unavailable'; readonly reason: UnavailableReason };

export interface IntakeRequest extends Omit<RequestFacts, 'salts'> {
  readonly inputs: readonly unknown[];
  readonly sender: Sender;
}

export interface IntakeDeps {
  readonly steps: readonly Step<Draft>[];
  readonly salts: Pick<Salts, 'at'>;
  readonly batcher: Pick<AppendBatcher, 'submit'>;
  readonly recentIds: RecentIds;
  readonly unsettledIds: UnsettledIds;
  /** Told what is durable. */
  readonly onAppended: (usage: Omit<SiteUsage, 'month'>, receivedAt: number) => void;
  readonly telemetry: IngestionTelemetry;
}

/**
 * What became of a request's events before any was appended. All that is kept of the request while
 * it waits for the log: what waits, the garbage collector carries along.
 */
interface Sorted {
  readonly receivedAt: number;
  readonly rejected: Rejection[];
  duplicates: number;
  dropped: number;
  accepted: number;
  /** The accepted events by site. */
  readonly usages: { readonly merchant: string; readonly site: string; events: number }[];
  readonly parts: { readonly partition: Partition; readonly events: EncodedEvent[] }[];
  /** Of the accepted events that came with ids. */
  readonly keysGiven: Set<string>;
  /** The accepted events that were given ids here. */
  readonly idsMade: EncodedEvent[];
}

export class Intake {
  constructor(private readonly deps: IntakeDeps) {}

  receive(request: IntakeRequest): Promise<IntakeOutcome> {
    const { salts, telemetry } = this.deps;
    const { receivedAt, caller, server, optedOut, clockOffsetMs } = request;
    telemetry.received(request.inputs.length);
    const pair = salts.at(receivedAt);
    if (pair === undefined) {
      telemetry.rejected('salt_unavailable', request.inputs.length);
      return Promise.resolve({ outcome: 'unavailable', reason: 'salt_unavailable' });
    }
    return this.append(
      this.sort(request, { receivedAt, caller, server, optedOut, clockOffsetMs, salts: pair }),
    );
  }

  private sort({ inputs, sender }: IntakeRequest, facts: RequestFacts): Sorted {
    const { steps, telemetry } = this.deps;
    const sorted: Sorted = {
      receivedAt: facts.receivedAt,
      rejected: [],
      duplicates: 0,
      dropped: 0,
      accepted: 0,
      usages: [],
      parts: [],
      keysGiven: new Set(),
      idsMade: [],
    };
    for (let index = 0; index < inputs.length; index++) {
      const draft = draftOf(inputs[index], facts, sender);
      const verdict = run(steps, draft);
      if (verdict.verdict === 'rejected') {
        telemetry.rejected(verdict.reason);
        const { reason, detail, retryAfterSeconds } = verdict;
        sorted.rejected.push({ index, reason, detail, retryAfterSeconds });
      } else if (verdict.verdict === 'dropped') {
        telemetry.dropped(verdict.reason);
        sorted.dropped++;
      } else if (draft.idGiven) {
        this.takeGiven(draft, sorted);
      } else {
        draft.event.id = this.deps.unsettledIds.take(draft.event) ?? newEventId();
        sorted.idsMade.push(take(draft, sorted));
      }
    }
    return sorted;
  }

  private takeGiven(draft: Draft, sorted: Sorted): void {
    const key = keyOf(draft.event);
    if (this.deps.recentIds.has(draft.event) || sorted.keysGiven.has(key)) {
      this.deps.telemetry.duplicates(1);
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
    const { recentIds, unsettledIds, telemetry } = this.deps;
    if (submitted.outcome === 'appended') {
      telemetry.accepted(sorted.accepted);
      for (const usage of sorted.usages) this.deps.onAppended(usage, sorted.receivedAt);
      for (const key of sorted.keysGiven) recentIds.add(key);
      return { outcome: 'settled', ...answerOf(sorted) };
    }
    telemetry.rejected(submitted.reason, sorted.accepted);
    // Also where nothing was handed to the log: an id taken from here may be one that is in it.
    for (const { json } of sorted.idsMade) unsettledIds.remember(json);
    return { outcome: 'unavailable', reason: submitted.reason };
  }
}

function answerOf({ accepted, duplicates, dropped, rejected }: Sorted) {
  return { accepted, duplicates, dropped, rejected };
}

function take({ event, merchant, partition }: Draft, sorted: Sorted): EncodedEvent {
  const encoded = encodeEvent(event);
  const part = sorted.parts.find((known) => known.partition === partition);
  if (part === undefined) sorted.parts.push({ partition, events: [encoded] });
  else part.events.push(encoded);
  const usage = sorted.usages.find(({ site }) => site === event.site);
  if (usage === undefined) sorted.usages.push({ merchant, site: event.site, events: 1 });
  else usage.events++;
  sorted.accepted++;
  return encoded;
}
