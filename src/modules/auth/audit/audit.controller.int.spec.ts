// The audit trail over HTTP, the same over both event stores.
import { freshStreams, startEventStoreDbDouble } from '../../../../test/doubles/eventstoredb.js';
import {
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { EventStore, type RecordedEvent } from '../../../event-store/event-store.js';

const PATH = '/admin/v1/audit';

let postgres: MigratedPostgres;
beforeAll(async () => {
  postgres = await startMigratedPostgres();
});
afterAll(() => postgres.stop());

interface Entry {
  readonly at: string;
  readonly by: string | null;
  readonly stream: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

function suite(environment: () => Promise<Record<string, string>>): void {
  let plane: ControlPlane;
  let site: { id: string };
  let admin: { id: string; key: string };

  beforeAll(async () => {
    plane = await startControlPlane(postgres.pool, {
      environment: { OPERATOR_KEY, ...(await environment()) },
    });
    site = (await plane.call('POST', '/v1/sites', { body: { domain: 'audited.example' } })).body;
    const scopes = ['sites:admin'];
    admin = (await plane.call('POST', `/v1/sites/${site.id}/keys`, { body: { name: 'a', scopes } })).body;
    for (let n = 0; n < 12; n++) {
      await plane.call('PATCH', `/v1/sites/${site.id}`, { key: admin.key, body: { name: `Name ${n}` } });
    }
  });
  afterAll(() => plane.close());

  async function all(query: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await plane.call(
        'GET',
        `${PATH}?${query}${cursor === null ? '' : `&cursor=${cursor}`}`,
      );
      entries.push(...body.entries);
      cursor = body.next_cursor;
    } while (cursor !== null);
    return entries;
  }

  it('tells who did what to what, oldest first, whatever the size of its pages', async () => {
    const entries = await all('limit=1000');
    expect(await all('limit=3')).toEqual(entries);
    const times = entries.map(({ at }) => at);
    expect(times).toEqual([...times].sort());
    const ofSite = entries.filter(({ stream }) => stream === `site-${site.id}`);
    expect(ofSite[0]).toMatchObject({
      ...{ by: 'operator', kind: 'operator', client: 'another program', request: expect.any(String) },
      type: 'SiteCreated',
      data: { domain: 'audited.example' },
    });
    expect(ofSite.slice(1).map(({ by, type, data }) => [by, type, data['name']])).toEqual(
      Array.from({ length: 12 }, (_, n) => [admin.id, 'SiteChanged', `Name ${n}`]),
    );
  });

  it('can be narrowed to one stream', async () => {
    const entries = await all(`stream=site-${site.id}&limit=5`);
    expect(entries).toEqual((await all('limit=1000')).filter(({ stream }) => stream === `site-${site.id}`));
    expect(entries).toHaveLength(13);
    expect(await all('stream=site-nobody')).toEqual([]);
  });

  it('holds nothing that helps to find out a key', async () => {
    const stored: RecordedEvent[] = [];
    for await (const event of plane.app.get(EventStore).readAll(null)) stored.push(event);
    const secrets = stored.flatMap(({ data }) => [data['digest'], data['fingerprint']]).filter(Boolean);
    expect(secrets.length).toBeGreaterThan(1);
    const shown = JSON.stringify(await all('limit=1000'));
    expect(shown).toContain('KeyIssued');
    for (const secret of [...secrets, admin.key]) expect(shown).not.toContain(secret);
  });

  it('is for the operator, and for nobody else', async () => {
    expect((await plane.call('GET', PATH, { key: null })).status).toBe(401);
    const refused = await plane.call('GET', PATH, { key: admin.key });
    expect([refused.status, refused.headers['content-type']]).toEqual([
      403,
      'application/problem+json; charset=utf-8',
    ]);
    const posted = await plane.call('POST', PATH);
    expect([posted.status, posted.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  const cursorOf = (text: string): string => `cursor=${Buffer.from(text).toString('base64url')}`;

  it.each([
    ['limit=1001', 'limit'],
    ['cursor=!', 'cursor'],
    [cursorOf('x'), 'cursor'],
    [cursorOf('-1'), 'cursor'],
    [cursorOf('9'.repeat(19)), 'cursor'],
    [cursorOf('1/2'), 'cursor'],
    ['stream=%00', 'stream'],
  ])('refuses ?%s, naming %s', async (query, path) => {
    const answer = await plane.call('GET', `${PATH}?${query}`);
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, path]);
  });
}

describe('the audit trail over PostgreSQL', () => {
  suite(async () => ({}));
});

describe('the audit trail over EventStoreDB (protocol double, not a server)', () => {
  let double: Awaited<ReturnType<typeof startEventStoreDbDouble>>;
  suite(async () => {
    double = await startEventStoreDbDouble();
    return { EVENT_STORE: 'eventstoredb', ...freshStreams(double.url) };
  });
  afterAll(() => double.stop());
});
