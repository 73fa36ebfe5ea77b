// POST /v1/sites/{site}/query whose very text was asked before: answered as soon as the text is there. Nothing is
// decided here: who may ask, how often, and what the answer is, is asked of those who decide it for the controller;
// and whatever is not as it was when the controller answered is left to it.
import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { EarlyRequest, KnownAnswer } from '../../../http/early-answers.js';
import { type Caller, reaches } from '../../auth/access.js';
import { Callers } from '../../auth/callers.js';
import { type Site, SiteDirectory } from '../../auth/directories/site.directory.js';
import type { Admission } from '../../auth/limits/rate-limits.js';
import { prefersCsv, taggedJson } from '../negotiation.js';
import type { Answer } from '../report-text.js';
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

interface Question {
  /** Id or domain, as the URL has it. */
  readonly site: string;
  readonly report: KnownReport;
}

/** By somebody who may see the site, and whether they may ask once more. */
interface Asked {
  readonly request: IncomingMessage;
  readonly caller: Caller;
  readonly site: Site;
  readonly question: Question;
  readonly token: Admission;
}

@Injectable()
export class RepeatedQuestions implements OnModuleInit {
  readonly #known = new LRUCache<string, Question>({
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
    server.earlyAnswers.give(REPEATED_QUESTIONS, (asked) => this.#answer(asked));
  }

  get size(): number {
    return this.#known.size;
  }

  /** Of a request that the controller has answered. */
  remember({ request: { url }, text }: EarlyRequest, question: Question): void {
    this.#known.set(keyOf(url!, text), question);
  }

  #answer({ request, text }: EarlyRequest): KnownAnswer | undefined | Promise<KnownAnswer | undefined> {
    const question = this.#known.get(keyOf(request.url!, text));
    if (question === undefined) return undefined;
    const { headers } = request;
    if (headers.prefer !== undefined || prefersCsv(headers.accept)) return undefined;
    const caller = this.callers.find(request, QUERY_SCOPE);
    const site = this.sites.find(question.site);
    if (caller === undefined || site === undefined || !reaches(caller, site)) return undefined;
    const token = this.callers.take(caller);
    const ask = (given: Admission) => this.#ask({ request, caller, site, question, token: given });
    return token instanceof Promise ? token.then(ask) : ask(token);
  }

  #ask(asked: Asked): KnownAnswer | undefined | Promise<KnownAnswer | undefined> {
    if (!asked.token.admitted) return this.#said(asked, undefined);
    const answer = this.reports.again(asked.question.report, asked.site, Date.now());
    if (!(answer instanceof Promise)) return this.#said(asked, answer);
    // The controller meets what failed, too, and says it.
    const failed = () => this.#said(asked, undefined);
    return answer.then((found) => this.#said(asked, found), failed);
  }

  #said({ request, caller, token }: Asked, answer: Answer | undefined): KnownAnswer | undefined {
    if (answer === undefined) {
      this.callers.counted(request, { caller, token });
      return undefined;
    }
    const { headers, ...rest } = taggedJson(request.headers['if-none-match'], answer);
    return { ...rest, headers: [...headers, ...this.callers.headersOf(token)] };
  }
}

const keyOf = (url: string, text: string): string => `${url}\n${text}`;
