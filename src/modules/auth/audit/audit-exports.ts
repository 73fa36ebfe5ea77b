// Sends the audit trail as a file, for as long as whoever asked for it still may have it: a key that is revoked
// meanwhile ends the answer in the middle.
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Caller } from '../access.js';
import { CallerStanding } from '../caller-standing.js';
import type { CallersRequest } from '../callers.js';
import { type AuditEntryAnswer, auditEntryAnswer } from './audit.dto.js';
import { type AuditFormat, fileOf, MEDIA_TYPES } from './audit-file.js';
import { type AuditQuestion, AuditTrail } from './audit-trail.js';

export class NotLetInAnyMoreError extends Error {
  override readonly name = 'NotLetInAnyMoreError';
}

export interface AuditExport {
  readonly request: CallersRequest;
  readonly reply: FastifyReply;
  readonly format: AuditFormat;
}

@Injectable()
export class AuditExports {
  constructor(
    private readonly trail: AuditTrail,
    private readonly standing: CallerStanding,
  ) {}

  async send(question: AuditQuestion, { request, reply, format }: AuditExport): Promise<void> {
    const upToDate = await this.trail.settle();
    const pages = await begun(this.#pages(question, request.caller!));
    void reply.headers({
      'content-type': MEDIA_TYPES[format],
      'content-disposition': `attachment; filename="audit.${format}"`,
      'tidemark-up-to-date': String(upToDate),
      'cache-control': 'no-store',
    });
    // HEAD comes here too.
    const file = request.method === 'HEAD' ? [] : fileOf(pages, format);
    await reply.send(Readable.from(file, { objectMode: false }));
  }

  async *#pages(
    question: AuditQuestion,
    caller: Caller,
  ): AsyncGenerator<readonly AuditEntryAnswer[], void, undefined> {
    for await (const entries of this.trail.pages(question)) {
      if (!this.standing.holds(caller)) throw new NotLetInAnyMoreError('Who asked was let in before.');
      yield entries.map(auditEntryAnswer);
    }
  }
}

/** The first page is read at once: what fails by then is answered as any other request. */
async function begun<Page>(pages: AsyncGenerator<Page, void, undefined>): Promise<AsyncIterable<Page>> {
  const first = await pages.next();
  return (async function* () {
    if (first.done === true) return;
    yield first.value;
    yield* pages;
  })();
}
