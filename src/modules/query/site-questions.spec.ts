// That a remembered question is the right one: everything that makes another question of it is changed in turn.
import { Pool } from 'pg';
import type { Excess } from '../auth/quotas/excess.js';
import type { ReadModelsState } from './freshness.js';
import { parseReportRequest } from './request/report-request.js';
import { type ReportSite, SiteQuestions } from './site-questions.js';
import type { Goal } from './vocabulary/goal.js';

const STATE = {} as ReadModelsState; // looked into for the range `all` alone
const NOON = Date.parse('2026-11-20T12:00:00Z');
const HOUR_MS = 3_600_000;
const SITE: ReportSite = { id: 'shop', merchant: 'm', timezone: 'UTC', weekStart: 'monday' };
const GOAL: Goal = {
  id: 'g1',
  name: 'Thanks',
  match: { kind: 'page', page: '/thanks', props: {} },
  currency: null,
};

let goals: readonly Goal[];
let country: string;
let excesses: readonly Excess[];
let questions: SiteQuestions;

beforeEach(() => {
  goals = [GOAL];
  country = 'DE';
  excesses = [];
  questions = new SiteQuestions(
    new Pool(),
    {
      of: () => goals,
      goalsOf: () => goals,
      segmentOf: (_, id) => ({ id, name: id, filters: [['is', 'visit:country', [country]]] }),
      funnelOf: () => undefined,
    },
    { excessesOf: () => excesses },
  );
});

const request = (body: object = {}) =>
  parseReportRequest({ metrics: ['visitors'], date_range: '7d', ...body });
const ask = (body: object = {}, { site = SITE, now = NOON } = {}) =>
  questions.normalised({ site, now, request: request(body) }, STATE);

it('gives the same object for the same question', async () => {
  expect(await ask()).toBe(await ask());
  expect(await ask({}, { now: NOON + 60_000 })).toBe(await ask());
});

it.each([
  ['another site', () => ask({}, { site: { ...SITE, id: 'other' } }), 'site'],
  ['another zone', () => ask({}, { site: { ...SITE, timezone: 'Asia/Tokyo' } }), 'range'],
  ['another start of the week', () => ask({}, { site: { ...SITE, weekStart: 'sunday' } }), 'weekStart'],
  ['another start in the request', () => ask({ week_start: 'sunday' }), 'weekStart'],
  ['the next day', () => ask({}, { now: NOON + 12 * HOUR_MS }), 'range'],
  ['other metrics', () => ask({ metrics: ['visits'] }), 'metrics'],
  ['other filters', () => ask({ filters: [['is', 'visit:os', ['iOS']]] }), 'filters'],
  ['bots', () => ask({ include: { bots: true } }), 'include'],
  ['another page', () => ask({ pagination: { offset: 1 } }), 'pagination'],
] as const)('makes %s another question', async (_, other, part) => {
  const first = await ask();
  expect((await other())[part]).not.toEqual(first[part]);
  expect(await ask()).toEqual(first);
});

it('sees the midnight of a zone that is not a whole hour away', async () => {
  const site = { ...SITE, timezone: 'Asia/Kathmandu' };
  const midnight = Date.parse('2026-11-20T18:15:00Z');
  const [before, after] = [
    await ask({}, { site, now: midnight - 1 }),
    await ask({}, { site, now: midnight }),
  ];
  expect(after.range.to - before.range.to).toBe(24 * HOUR_MS);
});

it('moves the last 24 hours every second', async () => {
  const body = { date_range: '24h' };
  const [one, next] = [await ask(body), await ask(body, { now: NOON + 1_000 })];
  expect(next.range.to - one.range.to).toBe(1_000);
});

it('takes goals and segments as they are now', async () => {
  const body = { dimensions: ['event:goal'], filters: [['is', 'segment', ['s1']]] };
  const first = await ask(body);
  goals = [{ ...GOAL, name: 'Done' }];
  country = 'AT';
  const second = await ask(body);
  expect([first.goals[0]!.name, second.goals[0]!.name]).toEqual(['Thanks', 'Done']);
  expect(second.filters).not.toEqual(first.filters);
});

it('knows what is hidden, as it is now, and of what the question is about', async () => {
  const hidden: Excess = {
    policy: 'hide',
    month: '2026-11',
    from: NOON - 24 * HOUR_MS,
    to: Date.parse('2026-12-01T00:00:00Z'),
    samplePercent: null,
    eventsMax: 1,
  };
  const standing = questions.standingOf({ site: SITE, now: NOON, request: request() })!;
  expect((await ask()).incomplete).toBeUndefined();
  excesses = [hidden];
  expect((await ask()).incomplete).toEqual([hidden]);
  expect((await ask({ date_range: ['2026-10-01', '2026-10-31'] })).incomplete).toBeUndefined();
  expect(questions.stands(standing, { site: SITE, now: NOON })).toBe(false);
  excesses = [];
  expect((await ask()).incomplete).toBeUndefined();
});
