// Lists of more than a thousand, as merchants of agencies have them: each thing on one page, once, in order, while
// others are made and taken away, and no page late.
import { setTimeout as sleep } from 'node:timers/promises';
import { type ControlPlane, OPERATOR_KEY, startControlPlane } from '../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../test/servers/postgres.js';
import type { NewEvent } from '../../event-store/event-store.js';
import { DirectoryFollower } from './directories/directory-follower.js';
import { issueKey, keyStream } from './keys/key.aggregate.js';
import { merchantStream, registerMerchant } from './merchants/merchant.aggregate.js';
import { createSharedLink, sharedLinkStream } from './shared-links/shared-link.aggregate.js';
import { createSite, siteStream } from './sites/site.aggregate.js';

const MERCHANT = 'mAgency';
const MEMBERS = 1_000;
const THINGS = 1_200;
const LIMIT = 100;
/** Of a page, on a machine that runs other specs. */
const PAGE_MS_MAX = 2_000;
/** The stream of each member on it is read, some at a time. */
const MEMBERS_PAGE_MS_MAX = 20_000;

const MEMBERS_THERE = `SELECT count(*)::integer AS members FROM control.members WHERE merchant = '${MERCHANT}'`;

let postgres: MigratedPostgres;
let plane: ControlPlane;

type Stored = readonly [stream: string, event: NewEvent, revision?: number];

const numbered = (prefix: string, n: number): string => `${prefix}${String(n).padStart(6, '0')}`;
const KEY = {
  merchant: MERCHANT,
  name: 'k',
  scopes: ['stats:read'] as const,
  prefix: 'tm_0000',
  expiresAt: null,
};
const digestOf = (n: number): string => n.toString(16).padStart(64, '0');
const LINK = {
  merchant: MERCHANT,
  name: 'l',
  embeddable: false,
  allowedHosts: [],
  password: null,
  expiresAt: null,
};

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool, {
    environment: { OPERATOR_KEY, KEY_REQUESTS_PER_MINUTE_MAX: '1000000' },
  });
  const joined = Array.from({ length: MEMBERS }, (_, n): Stored => {
    const data = { merchant: MERCHANT, person: numbered('p', n), role: n === 0 ? 'owner' : 'viewer' };
    return [merchantStream(MERCHANT), { type: 'MemberJoined', data }, n + 1];
  });
  const things = Array.from({ length: THINGS }, (_, n) => thingsOf(n)).flat();
  await store([[merchantStream(MERCHANT), registerMerchant(MERCHANT, 'Agency')], ...joined, ...things]);
  while (!(await plane.app.get(DirectoryFollower).settle())) continue;
  // Tables follow by themselves, and lists wait for them only so long.
  const tables = () => postgres.pool.query<{ members: number }>(MEMBERS_THERE);
  while ((await tables()).rows[0]!.members < MEMBERS) await sleep(100);
}, 300_000);
afterAll(async () => {
  await plane?.close();
  await postgres?.stop();
});

/** In one statement: appending each for itself would take minutes. */
async function store(events: readonly Stored[]): Promise<void> {
  const rows = events.map(([stream, { type, data }, revision = 0]) => ({ stream, type, data, revision }));
  await postgres.pool.query(
    `INSERT INTO event_store.events (position, stream, revision, type, data)
     SELECT (SELECT coalesce(max(position), 0) FROM event_store.events) + n,
            e->>'stream', (e->>'revision')::integer, e->>'type', e->'data'
     FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given (e, n)`,
    [JSON.stringify(rows)],
  );
}

/** One of each kind: a site, a key for all of them, and of the first one a key and a link. */
function thingsOf(n: number): readonly Stored[] {
  const site = numbered('s', n);
  const [key, siteKey, link] = [numbered('k', n), numbered('kS', n), numbered('l', n)];
  const draft = {
    merchant: MERCHANT,
    domain: `${site}.example`,
    name: site,
    timezone: 'UTC',
    currency: 'EUR',
  };
  return [
    [siteStream(site), createSite(site, { ...draft, trackingIds: [] })],
    [keyStream(key), issueKey(key, { ...KEY, site: null, digest: digestOf(n) })],
    [keyStream(siteKey), issueKey(siteKey, { ...KEY, site: numbered('s', 0), digest: digestOf(n + THINGS) })],
    [sharedLinkStream(link), createSharedLink(link, { ...LINK, site: numbered('s', 0) })],
  ];
}

interface List {
  readonly path: string;
  readonly field: string;
  readonly id?: string;
  readonly count: number;
}

const FIRST = `/v1/sites/${numbered('s', 0)}`;
const LISTS: readonly (readonly [string, List])[] = [
  ['sites', { path: '/v1/sites', field: 'sites', count: THINGS }],
  ['keys', { path: '/v1/keys', field: 'keys', count: THINGS }],
  ['keys of a site', { path: `${FIRST}/keys`, field: 'keys', count: THINGS }],
  ['shared links', { path: `${FIRST}/shared-links`, field: 'sharedLinks', count: THINGS }],
  [
    'members',
    { path: `/v1/merchant/members?merchant=${MERCHANT}`, field: 'members', id: 'person', count: MEMBERS },
  ],
];

it.each(LISTS)(
  '%s: each on one page, once, in order, and soon',
  async (_, { path, field, id = 'id', count }) => {
    const seen: string[] = [];
    let slowestMs = 0;
    let cursor: string | null = '';
    while (cursor !== null) {
      const startedAt = performance.now();
      const query: string = `limit=${LIMIT}${cursor && `&cursor=${cursor}`}`;
      const { status, body } = await plane.call('GET', `${path}${path.includes('?') ? '&' : '?'}${query}`);
      slowestMs = Math.max(slowestMs, performance.now() - startedAt);
      expect(status).toBe(200);
      expect(body[field].length).toBeLessThanOrEqual(LIMIT);
      seen.push(...body[field].map((item: Record<string, string>) => item[id]));
      cursor = body.next_cursor;
    }
    expect(seen).toHaveLength(count);
    expect(new Set(seen).size).toBe(count);
    expect(seen).toEqual(seen.toSorted());
    expect(slowestMs).toBeLessThan(field === 'members' ? MEMBERS_PAGE_MS_MAX : PAGE_MS_MAX);
  },
);

it('one page may hold a thousand, and no more', async () => {
  const { body } = await plane.call('GET', '/v1/sites?limit=1000');
  expect([body.sites.length, typeof body.next_cursor]).toEqual([1_000, 'string']);
  expect((await plane.call('GET', '/v1/sites?limit=1001')).status).toBe(400);
});

it('what is made and taken away meanwhile neither repeats nor hides anything else', async () => {
  const page = (cursor = '') => plane.call('GET', `/v1/sites?limit=${LIMIT}${cursor && `&cursor=${cursor}`}`);
  const first = (await page()).body;
  await plane.call('DELETE', `/v1/sites/${first.sites.at(-1).id as string}`);
  await plane.call('POST', '/v1/sites', { body: { domain: 'made-meanwhile.example' } });
  const second = (await page(first.next_cursor)).body;
  expect(second.sites[0].id).toBe(numbered('s', LIMIT));
});
