// What a client's headers ask of an answer: nothing if it has it already, CSV if it prefers that.
import type { FastifyReply } from 'fastify';
import type { KnownAnswer } from '../../http/early-answers.js';
import { isKnown } from '../../http/etag.js';
import { flat } from '../../http/security-headers.js';

/** As they are sent of themselves. */
export const JSON_TYPE = 'application/json; charset=utf-8';
export const CSV = 'text/csv; charset=utf-8';

type RequestHeaders = Readonly<Record<string, string | undefined>>;

export interface TaggedAnswer {
  readonly etag: string;
  /** Or its bytes. */
  readonly json: object | (() => Buffer);
  /** Absent: there is only JSON. */
  readonly csv?: () => string;
  /** With CSV only: what JSON says in its `meta`. */
  readonly csvHeaders?: () => Readonly<Record<string, string>>;
}

/** Whoever has an answer is asked to compare it each time. */
const COMPARED = { vary: 'accept', 'cache-control': 'private, no-cache' } as const;
const COMPARED_FLAT = flat(COMPARED);

export function sendTagged(
  reply: FastifyReply,
  headers: RequestHeaders,
  { etag, json, csv, csvHeaders }: TaggedAnswer,
): void {
  const table = csv !== undefined && prefersCsv(headers.accept) ? csv : undefined;
  // Who has one form does not have the other.
  const tag = table === undefined ? etag : etag.replace(/"$/, '.csv"');
  void reply.headers({ etag: tag, ...COMPARED });
  if (isKnown(tag, headers['if-none-match'])) return void reply.status(304).send();
  if (table === undefined) return sendJson(reply, json);
  void reply.headers({ ...csvHeaders?.(), 'content-type': CSV }).send(table());
}

/** What `sendTagged` would send of JSON. */
export function taggedJson(
  ifNoneMatch: string | undefined,
  { etag, bytes }: { readonly etag: string; readonly bytes: () => string },
): KnownAnswer {
  const headers = ['etag', etag, ...COMPARED_FLAT];
  if (isKnown(etag, ifNoneMatch)) return { status: 304, headers };
  return { status: 200, headers: [...headers, 'content-type', JSON_TYPE], body: bytes() };
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
  const named = accept?.toLowerCase();
  if (named?.includes(type) !== true) return false;
  const weights = new Map<string, number>();
  for (const part of named.split(',')) {
    const [of, ...parameters] = part.split(';').map((text) => text.trim());
    const quality = parameters.find((text) => text.startsWith('q='))?.slice(2);
    weights.set(of!, quality === undefined ? 1 : Number(quality));
  }
  const weight = weights.get(type) ?? 0;
  return weight > 0 && weight >= (weights.get('application/json') ?? 0);
}
