// What every wire format does once it has turned a body into inputs: run each through the pipeline,
// answer what was seen before, append the rest durably, and account for every single event. The
// acknowledgement comes after the durable append, or not at all.
import { encodeEvent, type EncodedEvent } from '../../tracking-log/batch-codec.js';
import type { Partition } from '../../tracking-log/tracking-log.js';
import type { AppendBatcher, Part, SubmitOutcome } from './append-batcher.js';
import { draftOf, type Draft, type RequestFacts, type Sender } from './draft.js';
import { newEventId } from './event-ids.js';
import type { IngestionTelemetry, UnavailableReason } from './ingestion.telemetry.js';
import { run } from './pipeline.js';
import type { RecentIds } from './recent-ids.js';
import type { Salts } from './salts.js';
import type { UnsettledIds } from './unsettled-ids.js';
import type { RejectionReason, Step } from './verdict.js';

export interface Rejection {
  readonly index: number;
  readonly reason: RejectionReason;
  readonly detail: string;
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
  readonly telemetry: IngestionTelemetry;
}

/** What became of a request's events before any was appended. */
interface Sorted {
  readonly fresh: Draft[];
  readonly rejected: Rejection[];
  duplicates: number;
  dropped: number;
}

export class Intake {
  constructor(private readonly deps: IntakeDeps) {}

  async receive(request: IntakeRequest): Promise<IntakeOutcome> {
    const { salts, telemetry, batcher } = this.deps;
    telemetry.received(request.inputs.length);
    const pair = salts.at(request.receivedAt);
    if (pair === undefined) {
      telemetry.rejected('salt_unavailable', request.inputs.length);
      return { outcome: 'unavailable', reason: 'salt_unavailable' };
    }
    const { receivedAt, holder, server, optedOut } = request;
    const sorted = this.sort(request, { receivedAt, holder, server, optedOut, salts: pair });
    const accepted = sorted.fresh.length;
    if (accepted > 0) {
      const outcome = await batcher.submit(partsOf(sorted.fresh));
      const reason = this.settle(sorted.fresh, outcome);
      if (reason !== undefined) return { outcome: 'unavailable', reason };
    }
    const { duplicates, dropped, rejected } = sorted;
    return { outcome: 'settled', accepted, duplicates, dropped, rejected };
  }

  private sort({ inputs, sender }: IntakeRequest, facts: RequestFacts): Sorted {
    const { steps, telemetry } = this.deps;
    const sorted: Sorted = { fresh: [], rejected: [], duplicates: 0, dropped: 0 };
    const idsOfRequest = inputs.length > 1 ? new Set<string>() : undefined;
    for (let index = 0; index < inputs.length; index++) {
      const draft = draftOf(inputs[index], facts, sender);
      const verdict = run(steps, draft);
      if (verdict.verdict === 'rejected') {
        telemetry.rejected(verdict.reason);
        sorted.rejected.push({ index, reason: verdict.reason, detail: verdict.detail });
      } else if (verdict.verdict === 'dropped') {
        telemetry.dropped(verdict.reason);
        sorted.dropped++;
      } else if (this.isRepeated(draft, idsOfRequest)) {
        telemetry.duplicates(1);
        sorted.duplicates++;
      } else {
        sorted.fresh.push(draft);
      }
    }
    return sorted;
  }

  /** Gives an event without an id one; says which of those with ids were seen before. */
  private isRepeated({ event, idGiven }: Draft, idsOfRequest: Set<string> | undefined): boolean {
    if (!idGiven) {
      event.id = this.deps.unsettledIds.take(event) ?? newEventId();
      return false;
    }
    if (this.deps.recentIds.has(event)) return true;
    if (idsOfRequest === undefined) return false;
    const events = idsOfRequest.size;
    return idsOfRequest.add(`${event.visitor} ${event.site} ${event.id}`).size === events;
  }

  /** Undefined: everything is durable. */
  private settle(fresh: readonly Draft[], submitted: SubmitOutcome): UnavailableReason | undefined {
    const { recentIds, unsettledIds, telemetry } = this.deps;
    if (submitted.outcome === 'appended') {
      telemetry.accepted(fresh.length);
      for (const { event, idGiven } of fresh) if (idGiven) recentIds.add(event);
      return undefined;
    }
    telemetry.rejected(submitted.reason, fresh.length);
    // Also where nothing was handed to the log: an id taken from here may be one that is in it.
    for (const { event, idGiven } of fresh) if (!idGiven) unsettledIds.remember(event);
    return submitted.reason;
  }
}

function partsOf(drafts: readonly Draft[]): readonly Part[] {
  const first = drafts[0]!;
  if (drafts.length === 1) return [{ partition: first.partition, events: [encodeEvent(first.event)] }];
  const byPartition = new Map<Partition, EncodedEvent[]>();
  for (const { partition, event } of drafts) {
    const events = byPartition.get(partition);
    if (events === undefined) byPartition.set(partition, [encodeEvent(event)]);
    else events.push(encodeEvent(event));
  }
  return [...byPartition].map(([partition, events]) => ({ partition, events }));
}
