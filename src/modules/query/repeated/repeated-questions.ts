// POST /v1/sites/{site}/query whose very text was asked before: answered as soon as the text is there. Nothing is
// decided here: who may ask, how often, and what the answer is, is asked of those who decide it for the controller;
// and whatever is not as it was when the controller answered is left to it.
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { EarlyRequest } from '../../../http/early-answers.js';
import { reaches } from '../../auth/access.js';
import { Callers } from '../../auth/callers.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { sendTagged } from '../negotiation.js';
import { csvOf } from '../report-csv.js';
import { type KnownReport, KnownReports } from './known-reports.js';

/** Name of the route's early answers, and what its key must allow. */
export const REPEATED_QUESTIONS = 'repeated questions';
export const QUERY_SCOPE = 'stats:view';

/** More than there are answers in memory: of those that Redis has, too, the question need not be understood again. */
const QUESTIONS_MAX = 25_000;
const CHARACTERS_MAX = 16_777_216;
const QUESTION_CHARACTERS_MAX = 16_384;
/** Of what is known of a question, about. */
const KNOWN_CHARACTERS = 300;

@Injectable()
export class RepeatedQuestions implements OnModuleInit {
  readonly #known = new LRUCache<string, KnownReport>({
    max: QUESTIONS_MAX,
    maxSize: CHARACTERS_MAX,
    maxEntrySize: QUESTION_CHARACTERS_MAX,
    sizeCalculation: (_, key) => key.length + KNOWN_CHARACTERS,
  });

  constructor(
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(Callers) private readonly callers: Callers,
    @Inject(SiteDirectory) private readonly sites: SiteDirectory,
    @Inject(KnownReports) private readonly reports: KnownReports,
  ) {}

  onModuleInit(): void {
    const server: FastifyInstance = this.http.httpAdapter.getInstance();
    server.earlyAnswers.give(REPEATED_QUESTIONS, (asked) => this.answer(asked));
  }

  get size(): number {
    return this.#known.size;
  }

  /** Of a request that the controller has answered. */
  remember({ site, text }: { readonly site: string; readonly text: string }, known: KnownReport): void {
    this.#known.set(keyOf(site, text), known);
  }

  private async answer({ request, reply, text }: EarlyRequest): Promise<void> {
    if (request.headers.prefer !== undefined) return;
    const { site: name } = request.params as { readonly site: string };
    const known = this.#known.get(keyOf(name, text));
    if (known === undefined) return;
    const caller = this.callers.find(request, QUERY_SCOPE);
    const site = this.sites.find(name);
    if (caller === undefined || site === undefined || !reaches(caller, site)) return;
    await this.callers.count(caller, request, reply);
    const answer = await this.reports.again(known, site, Date.now());
    if (answer === undefined) return;
    const { etag, json } = answer;
    const headers = request.headers as Readonly<Record<string, string | undefined>>;
    sendTagged(reply, headers, { etag, json, ...csvOf(answer) });
  }
}

const keyOf = (site: string, text: string): string => `${site}\n${text}`;
