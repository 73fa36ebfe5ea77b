// What a client's headers ask of an answer: nothing if it has it already, CSV if it prefers that.
import type { FastifyReply } from 'fastify';
import { isKnown } from '../../http/etag.js';

/** As they are sent of themselves. */
export const JSON_TYPE = 'application/json; charset=utf-8';
export const CSV = 'text/csv; charset=utf-8';

type RequestHeaders = Readonly<Record<string, string | undefined>>;

export interface TaggedAnswer {
  readonly etag: string;
  /** Or its text. */
  readonly json: object | (() => string);
  /** Absent: there is only JSON. */
  readonly csv?: () => string;
  /** With CSV only: what JSON says in its `meta`. */
  readonly csvHeaders?: () => Readonly<Record<string, string>>;
}

export function sendTagged(
  reply: FastifyReply,
  headers: RequestHeaders,
  { etag, json, csv, csvHeaders }: TaggedAnswer,
): void {
  const table = csv !== undefined && prefersCsv(headers.accept) ? csv : undefined;
  // Who has one form does not have the other.
  const tag = table === undefined ? etag : etag.replace(/"$/, '.csv"');
  void reply.headers({ etag: tag, vary: 'accept', 'cache-control': 'private, no-cache' });
  if (isKnown(tag, headers['if-none-match'])) return void reply.status(304).send();
  if (table === undefined) return sendJson(reply, json);
  void reply.headers({ ...csvHeaders?.(), 'content-type': CSV }).send(table());
}

function sendJson(reply: FastifyReply, json: TaggedAnswer['json']): void {
  if (typeof json === 'object') return void reply.send(json);
  void reply.header('content-type', JSON_TYPE).send(json());
}

/** Whether CSV is named with a weight at least as high as JSON's. */
export const prefersCsv = (accept: string | undefined): boolean => prefers('text/csv', accept);

/** Whether events are. */
export const prefersEventStream = (accept: string | undefined): boolean =>
  prefers('text/event-stream', accept);

function prefers(type: string, accept: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of (accept ?? '').toLowerCase().split(',')) {
    const [named, ...parameters] = part.split(';').map((text) => text.trim());
    const quality = parameters.find((text) => text.startsWith('q='))?.slice(2);
    weights.set(named!, quality === undefined ? 1 : Number(quality));
  }
  const weight = weights.get(type) ?? 0;
  return weight > 0 && weight >= (weights.get('application/json') ?? 0);
}
