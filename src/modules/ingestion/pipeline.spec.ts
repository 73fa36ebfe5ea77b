import { givenDraft, givenServerEvent, RECEIVED_AT } from '../../../test/given-draft.js';
import { canonicalAddress } from '../../places/addresses.js';
import { compileFieldCheck } from './native-event.schema.js';
import { pipeline, run } from './pipeline.js';
import { NO_RULES } from './rules/site-rules.js';
import { NEXT, rejected } from './verdict.js';

const steps = pipeline({
  findSite: (id) => ({ id, merchant: 'merchant', currency: 'EUR', rules: NO_RULES }),
  siteWaitSeconds: () => 0,
  quotaWaitSeconds: () => 0,
  excessFor: () => undefined,
  checkInput: compileFieldCheck(),
  addressOf: canonicalAddress,
  allowedQueryParameters: [],
  placeOf: () => ({ country: 'DE' }),
  hash: (text) => `${text.length}`.padStart(64, '0'),
  partitions: 4,
  spreadAt: () => 1,
});

it('makes of a page view the event that is appended, field by field', () => {
  const draft = givenDraft({
    input: {
      id: 'e',
      url: 'https://shop.example/a?q=1#x',
      referrer: 'https://search.example/?q=secret',
      title: 'A',
      occurredAt: RECEIVED_AT - 1,
      props: { a: 1 },
      revenue: { amount: 9.9, currency: 'EUR' },
      interactive: false,
      engagementMs: 5,
      scrollDepth: 50,
      screen: '800x600',
      surprise: 1,
    },
  });
  expect(run(steps, draft)).toBe(NEXT);
  expect(JSON.parse(JSON.stringify(draft.event))).toEqual({
    id: 'e',
    site: 'site',
    name: 'pageview',
    occurredAt: RECEIVED_AT - 1,
    receivedAt: RECEIVED_AT,
    visitor: expect.stringMatching(/^[0-9a-f]{16}$/),
    url: 'https://shop.example/a',
    referrer: 'https://search.example/',
    title: 'A',
    userAgent: 'Browser/1',
    language: 'de',
    screen: '800x600',
    place: { country: 'DE' },
    props: { a: 1 },
    revenue: { amount: '9.9', currency: 'EUR' },
    interactive: false,
    engagementMs: 5,
    scrollDepth: 50,
  });
});

it('lets no address reach the event or survive in the draft, whoever gave it', () => {
  for (const draft of [givenDraft(), givenServerEvent({ ip: '192.0.2.77', visitorId: 'v' })]) {
    expect(run(steps, draft)).toBe(NEXT);
    expect(JSON.stringify(draft)).not.toContain('192.0.2');
  }
});

it('stops at the first verdict that is not next', () => {
  const seen: string[] = [];
  const verdict = run(
    [
      () => (seen.push('first'), NEXT),
      () => (seen.push('second'), rejected('url_invalid', 'no')),
      () => (seen.push('third'), NEXT),
    ],
    givenDraft(),
  );
  expect(verdict).toMatchObject({ reason: 'url_invalid' });
  expect(seen).toEqual(['first', 'second']);
});
