import { givenDraft, givenEvent, givenServerEvent, PAGE } from '../../../../test/given-draft.js';
import type { NativeEvent } from '../draft.js';
import { compileFieldCheck } from '../native-event.schema.js';
import { NEXT } from '../verdict.js';
import { checkFields } from './check-fields.js';

const step = checkFields(compileFieldCheck());
const LONE_SURROGATE = '\ud83d';

describe('rejects', () => {
  it.each<[reason: string, fields: Record<string, unknown>]>([
    ['id_invalid', { id: '' }],
    ['id_invalid', { id: 'x'.repeat(65) }],
    ['id_invalid', { id: 5 }],
    ['name_invalid', { name: '' }],
    ['name_invalid', { name: null }],
    ['name_too_long', { name: 'x'.repeat(121) }],
    ['url_invalid', { url: 5 }],
    ['url_too_long', { url: `https://a.example/${'x'.repeat(2048)}` }],
    ['referrer_invalid', { referrer: {} }],
    ['referrer_invalid', { referrer: 'x'.repeat(2049) }],
    ['title_invalid', { title: 'x'.repeat(513) }],
    ['occurred_at_invalid', { occurredAt: true }],
    ['occurred_at_invalid', { occurredAt: Infinity }],
    ['props_invalid', { props: [] }],
    ['props_invalid', { props: { a: null } }],
    ['props_invalid', { props: { a: {} } }],
    ['props_invalid', { props: { a: [] } }],
    ['props_invalid', { props: { a: Infinity } }],
    ['props_invalid', { props: { a: 2 ** 53 } }],
    ['props_invalid', { props: { a: 'x'.repeat(2001) } }],
    ['props_invalid', { props: { '': 1 } }],
    ['props_invalid', { props: { ['x'.repeat(301)]: 1 } }],
    ['props_invalid', { props: Object.fromEntries(Array.from({ length: 31 }, (_, n) => [n, 1])) }],
    ['props_invalid', { props: { constructor: 1 } }],
    ['props_invalid', { props: { prototype: 1 } }],
    ['props_invalid', { props: JSON.parse('{"__proto__":1}') }],
    ['revenue_invalid', { revenue: 5 }],
    ['revenue_invalid', { revenue: { amount: 5 } }],
    ['revenue_invalid', { revenue: { amount: 5, currency: 'EURO' } }],
    ['revenue_invalid', { revenue: { amount: 5, currency: 'E\0R' } }],
    ['revenue_invalid', { revenue: { amount: true, currency: 'EUR' } }],
    ['interactive_invalid', { interactive: 'no' }],
    ['engagement_ms_invalid', { engagementMs: -1 }],
    ['engagement_ms_invalid', { engagementMs: 0.5 }],
    ['scroll_depth_invalid', { scrollDepth: 101 }],
    ['visitor_id_invalid', { visitorId: '' }],
    ['previous_visitor_id_invalid', { previousVisitorId: '' }],
    ['user_id_invalid', { userId: 'x'.repeat(257) }],
    ['ip_invalid', { ip: 5 }],
    ['user_agent_invalid', { userAgent: 5 }],
    ['client_hints_invalid', { clientHints: 'Chrome' }],
    ['client_hints_invalid', { clientHints: { brands: 5 } }],
    ['client_hints_invalid', { clientHints: { model: 'x'.repeat(257) } }],
    ['language_invalid', { language: 'x'.repeat(36) }],
    ['screen_invalid', { screen: 5 }],
    ['site_invalid', { site: 'x'.repeat(254) }],
    ['text_invalid', { id: 'a\0' }],
    ['text_invalid', { name: LONE_SURROGATE }],
    ['text_invalid', { userId: '\udc00' }],
    ['text_invalid', { visitorId: 'a\0' }],
    ['text_invalid', { props: { 'a\0': 1 } }],
    ['text_invalid', { props: { [LONE_SURROGATE]: 1 } }],
    ['url_required', { url: undefined }],
  ])('%s: %j', (reason, fields) => {
    expect(step(givenEvent(fields))).toMatchObject({
      verdict: 'rejected',
      reason,
      detail: expect.any(String),
    });
  });

  it("with a detail that does not repeat the client's own text", () => {
    const verdict = step(givenEvent({ props: { 'jane@example.com': {} } }));
    expect(JSON.stringify(verdict)).not.toContain('jane');
  });
});

describe('accepts', () => {
  it('an event of defaults', () => {
    const draft = givenDraft();
    expect(step(draft)).toBe(NEXT);
    expect(draft.event).toMatchObject({ name: 'pageview', id: '' });
    expect(draft.idGiven).toBe(false);
  });

  it('the limits themselves, counted in UTF-16 units', () => {
    const fields = {
      id: 'x'.repeat(64),
      name: '😀'.repeat(60),
      title: 'x'.repeat(512),
      props: { ['k'.repeat(300)]: 'v'.repeat(2000), n: Number.MAX_SAFE_INTEGER, f: 1e-7, b: false },
      engagementMs: 86_400_000,
      scrollDepth: 100,
    };
    const draft = givenEvent(fields);
    expect(step(draft)).toBe(NEXT);
    expect(draft.event).toMatchObject(fields);
  });

  it('fields it does not know, without keeping them', () => {
    const draft = givenEvent({
      futureField: { deep: [[[1]]] },
      revenue: { amount: 1, currency: 'EUR', tax: 2 },
    });
    expect(step(draft)).toBe(NEXT);
    expect(JSON.stringify(draft.event)).not.toMatch(/futureField|tax/);
  });

  it('a server event without a URL', () => {
    const draft = givenDraft({ input: { name: 'renewal' }, request: { server: true } });
    expect(step(draft)).toBe(NEXT);
  });

  it('interactive: true as the default it is', () => {
    const yes = givenEvent({ interactive: true });
    const no = givenEvent({ interactive: false });
    step(yes);
    step(no);
    expect([yes.event.interactive, no.event.interactive]).toEqual([undefined, false]);
  });
});

describe('makes canonical', () => {
  it('text that PostgreSQL could not store', () => {
    const draft = givenEvent({
      title: `a\0b${LONE_SURROGATE}`,
      screen: '😀',
      props: { a: `\0${LONE_SURROGATE}😀` },
    });
    expect(step(draft)).toBe(NEXT);
    expect(draft.event).toMatchObject({
      title: 'a\ufffdb\ufffd',
      screen: '😀',
      props: { a: '\ufffd\ufffd😀' },
    });
  });

  it('−0', () => {
    const draft = givenEvent({ props: { a: -0 } });
    step(draft);
    expect(Object.is(draft.event.props!['a'], 0)).toBe(true);
  });

  it('empty text, which is none', () => {
    const draft = givenEvent({ title: '', language: '', screen: '' });
    expect(step(draft)).toBe(NEXT);
    expect(draft.event).toMatchObject({ title: undefined, screen: undefined });
  });

  it.each<[amount: unknown, text: string | undefined]>([
    [9.9, '9.9'],
    ['9.90', '9.9'],
    ['007', '7'],
    ['-0.00', '0'],
    [-0, '0'],
    ['-12.50', '-12.5'],
    [0.1 + 0.2, '0.3'],
    [1e-7, '0'],
    ['0.000001', '0.000001'],
    ['123456789012.123456', '123456789012.123456'],
    ['1234567890123', undefined],
    ['0.0000001', undefined],
    ['1e3', undefined],
    ['', undefined],
    ['.5', undefined],
    ['5.', undefined],
    ['1 000', undefined],
    ['١', undefined],
    ['NaN', undefined],
    [1e21, undefined],
    [1e12, undefined],
    [Infinity, undefined],
  ])('the amount %j as %j', (amount, text) => {
    const draft = givenEvent({ revenue: { amount, currency: 'eur' } });
    const verdict = step(draft);
    if (text === undefined) expect(verdict).toMatchObject({ reason: 'revenue_invalid' });
    else expect(draft.event.revenue).toEqual({ amount: text, currency: 'EUR' });
  });

  it('a user agent of any length, cut without half a character', () => {
    const draft = givenDraft({ sender: { userAgent: `${'x'.repeat(511)}😀` } });
    step(draft);
    expect(draft.event.userAgent).toBe(`${'x'.repeat(511)}\ufffd`);
  });
});

describe('takes the agent and language', () => {
  it('of the connection for a page', () => {
    const draft = givenDraft();
    step(draft);
    expect(draft.event).toMatchObject({ userAgent: 'Browser/1', language: 'de' });
  });

  it('of the event first', () => {
    const draft = givenEvent({ language: 'fr' });
    step(draft);
    expect(draft.event.language).toBe('fr');
  });

  it('and what the browser says of itself in client hints, or a server of it', () => {
    const clientHints = { platform: '"Windows"', mobile: '?0' } as const;
    const page = givenDraft({ sender: { clientHints } });
    step(page);
    expect(page.event.clientHints).toMatchObject(clientHints);
    const relayed = givenServerEvent({
      clientHints: {
        ...clientHints,
        brands: '"a";v="1"',
        fullVersions: '"a";v="1.2"',
        model: '',
        more: 'x',
      } as object,
    });
    step(relayed);
    expect(JSON.parse(JSON.stringify(relayed.event.clientHints))).toEqual({
      ...clientHints,
      fullVersions: '"a";v="1.2"',
    });
    const empty = givenServerEvent({ clientHints: { model: '' } });
    step(empty);
    expect(empty.event.clientHints).toBeUndefined();
  });

  it.each<[NativeEvent]>([[{ visitorId: 'v' }], [{ ip: '192.0.2.9' }], [{ userAgent: 'Other/1' }]])(
    'never of a connection that speaks for another: %j',
    (fields) => {
      const sender = { clientHints: { platform: '"Linux"' } };
      const draft = givenDraft({ input: { url: PAGE, ...fields }, request: { server: true }, sender });
      step(draft);
      expect(draft.event.userAgent).toBe(fields.userAgent);
      expect(draft.event.language).toBeUndefined();
      expect(draft.event.clientHints).toBeUndefined();
    },
  );
});

it('lets an event, but no pageview, of another vendor be without a page', () => {
  const without = (name: string) => givenDraft({ input: { name }, request: { wire: 'snowplow' } });
  expect(step(without('signup'))).toBe(NEXT);
  expect(step(without('pageview'))).toMatchObject({ reason: 'url_required' });
});
