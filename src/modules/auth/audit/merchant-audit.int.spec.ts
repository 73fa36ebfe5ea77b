// What a merchant sees of the audit trail, and how the operator searches all of it, on the pool of the application,
// as the product runs it: people with real accounts, keys and operators at work, from several countries.
import { CommandBus } from '@nestjs/cqrs';
import { Pool } from 'pg';
import {
  type Answer,
  type CallOptions,
  type ControlPlane,
  OPERATOR_KEY,
  startControlPlane,
} from '../../../../test/servers/control-plane.js';
import { Members } from '../../../../test/servers/members.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import { asApplication } from '../../../postgres/database-roles.js';
import { inTenantTransaction } from '../../../postgres/tenant.js';
import { bySystem } from '../origin.js';
import { siteStream } from '../sites/site.aggregate.js';
import { ownMerchantOf, RegisterPerson } from '../people/register-person.command.js';
import { Sealer } from '../people/sealing.js';
import { ControlReadModels } from '../read-models/control-read-models.js';
import type { AuditEntryAnswer } from './audit.dto.js';

const ADMIN = '/admin/v1/audit';
const OWN = '/v1/merchant/audit';
const NETHERLANDS = {
  'x-forwarded-for': '193.0.6.139',
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
};
const BRAZIL = { 'x-forwarded-for': '200.160.2.3', 'user-agent': 'curl/8.5.0', 'x-request-id': 'of-brazil' };

let postgres: MigratedPostgres;
let pool: Pool;
let plane: ControlPlane;
let members: Members;

/** Two merchants: one in whose things people, keys and operators have a hand, and a neighbour. */
let owner: readonly [person: string, merchant: string];
let neighbour: readonly [person: string, merchant: string];
let site: { readonly id: string };
let key: { readonly id: string; readonly key: string; readonly prefix: string };

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  pool = new Pool({ ...(await asApplication(postgres.url)), max: 10 });
  plane = await startControlPlane(pool, { environment: { OPERATOR_KEY, TRUST_PROXY: '1' } });
  members = new Members(plane);
  owner = await registered('olga@shop.example');
  neighbour = await registered('nora@next.example');
  const merchant = owner[1];
  site = (await asOwner('POST', '/v1/sites', { domain: 'shop.example' })).body;
  key = (await asOwner('POST', '/v1/keys', { name: 'k', scopes: ['sites:admin', 'stats:read'] })).body;
  await plane.call('PATCH', `/v1/sites/${site.id}`, {
    ...{ key: key.key, body: { name: 'By a key' }, headers: BRAZIL },
  });
  await plane.call('PUT', `/admin/v1/merchants/${merchant}/quota`, {
    ...{ body: { eventsPerMonth: 1_000_000 }, headers: NETHERLANDS },
  });
  await members.call(neighbour, ['POST', '/v1/sites'], { body: { domain: 'next.example' } });
}, 60_000);
afterAll(async () => {
  await plane?.close();
  await pool?.end();
  await postgres?.stop();
});

async function registered(email: string): Promise<readonly [string, string]> {
  const registration = {
    ...{ email, name: 'Somebody', merchantName: undefined, passwordHash: null, isVerified: true },
  };
  const done = await plane.app
    .get(CommandBus)
    .execute(new RegisterPerson(registration, { request: 'r', country: 'NL', client: 'Firefox on Linux' }));
  if (done.outcome !== 'registered') throw new Error(done.outcome);
  return [done.person.id, ownMerchantOf(done.person.id)];
}

const asOwner = (method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> =>
  members.call(owner, [method, path], { ...(body && { body }), headers: NETHERLANDS });

async function entriesOf(path: string, options: CallOptions = {}): Promise<readonly AuditEntryAnswer[]> {
  const { status, body } = await plane.call('GET', path, options);
  expect([status, body.up_to_date]).toEqual([200, true]);
  return body.entries;
}

const ownEntries = async (query = ''): Promise<readonly AuditEntryAnswer[]> => {
  const { status, body } = await asOwner('GET', `${OWN}?limit=1000${query}`);
  expect(status).toBe(200);
  return body.entries;
};

const typesOf = (entries: readonly AuditEntryAnswer[]) => entries.map(({ type }) => type);

describe("a merchant's own audit trail", () => {
  it('says who did what, when and from where, and that operators were operators', async () => {
    const entries = await ownEntries();
    const person = { by: `person-${owner[0]}`, kind: 'account', email: 'olga@shop.example' };
    const from = { country: 'NL', client: 'Firefox on Linux' };
    expect(entries).toMatchObject([
      { ...person, ...from, type: 'MerchantRegistered', request: 'r' },
      { ...person, type: 'MemberJoined' },
      { ...person, ...from, type: 'DomainClaimed', site: site.id },
      { ...person, ...from, type: 'SiteCreated', site: site.id, data: { domain: 'shop.example' } },
      { ...person, type: 'KeyIssued', data: { key: key.id } },
      {
        ...{ by: key.id, kind: 'key', email: null, country: 'BR', client: 'curl', request: 'of-brazil' },
        ...{ type: 'SiteChanged', data: { name: 'By a key' } },
      },
      { by: 'operator', kind: 'operator', email: null, country: null, client: null, type: 'QuotaSet' },
    ]);
    expect(new Set(entries.map(({ merchant }) => merchant))).toEqual(new Set([owner[1]]));
    expect(JSON.stringify(entries)).not.toMatch(
      /SignedIn|PersonRegistered|EmailClaimed|next\.example|digest/,
    );
  });

  it('is for owners and admins, keys that stand as such, and the operator', async () => {
    await members.register('pAdmin');
    await members.register('pEditor');
    await members.join('pAdmin', owner[1], 'admin');
    await members.join('pEditor', owner[1], 'editor');
    const statusOf = async (person: string) => (await members.call([person, owner[1]], ['GET', OWN])).status;
    expect([await statusOf('pAdmin'), await statusOf('pEditor')]).toEqual([200, 403]);
    expect((await plane.call('GET', OWN, { key: key.key })).status).toBe(200);
    const ofSite = { name: 'k', scopes: ['sites:admin'] };
    const narrow = (await plane.call('POST', `/v1/sites/${site.id}/keys`, { body: ofSite })).body;
    expect((await plane.call('GET', OWN, { key: narrow.key })).status).toBe(403);
    expect((await plane.call('GET', OWN, { key: null })).status).toBe(401);
    const named = await members.call(owner, ['GET', `${OWN}?merchant=${neighbour[1]}`]);
    expect(named.status).toBe(403);
    const asked = await entriesOf(`${OWN}?merchant=${owner[1]}&limit=1000`);
    expect(asked).toEqual(await ownEntries());
    expect((await plane.call('GET', `${OWN}?merchant=mNobody`)).status).toBe(404);
    expect((await plane.call('GET', `${OWN}/export`, { key: narrow.key })).status).toBe(403);
  });

  it("shows nothing of another merchant's, whatever is asked for", async () => {
    const theirs = await entriesOf(`${ADMIN}?merchant=${neighbour[1]}`);
    expect(typesOf(theirs)).toContain('SiteCreated');
    for (const entry of theirs) {
      expect(await ownEntries(`&stream=${entry.stream}`)).toEqual([]);
    }
    const queries = [`&site=${theirs.at(-1)!.site}`, `&by=${neighbour[0]}`, '&by=nora@next.example'];
    for (const query of queries) expect(await ownEntries(query)).toEqual([]);
    // The predicate forgotten, PostgreSQL shows the merchant's rows all the same.
    const seen = await inTenantTransaction(pool, { merchant: owner[1] }, (client) =>
      client.query<{ merchant: string }>('SELECT DISTINCT merchant FROM control.audit'),
    );
    expect(seen.rows).toEqual([{ merchant: owner[1] }]);
    const none = await inTenantTransaction(pool, {}, (client) => client.query('SELECT FROM control.audit'));
    expect(none.rows).toEqual([]);
  });

  it('does not tell which key an operator used, not to whoever guesses either', async () => {
    expect(typesOf(await ownEntries('&by=operator'))).toContain('QuotaSet');
    const bys = new Set((await ownEntries('&kind=operator')).map(({ by }) => by));
    expect(bys).toEqual(new Set(['operator']));
  });

  it('names by address whoever is a member, and nobody who left', async () => {
    const guest = await registered('guest@people.example');
    const [person] = guest;
    const body = { email: 'guest@people.example', role: 'owner' };
    await asOwner('POST', '/v1/merchant/invitations', body);
    const token = members.tokenFor(body.email);
    const accepted = await members.call(guest, ['POST', '/v1/invitations/accept'], { body: { token } });
    expect(accepted.status).toBe(200);
    const acting: readonly [string, string] = [person, owner[1]];
    const name = 'Renamed by a guest';
    const done = await members.call(acting, ['PATCH', '/v1/merchant'], { body: { name } });
    expect(done.body).toMatchObject({ name });
    const renamed = async () => (await ownEntries('&type=MerchantRenamed'))[0];
    expect(await renamed()).toMatchObject({ by: `person-${person}`, email: 'guest@people.example' });
    expect(await ownEntries('&by=guest@people.example&type=MerchantRenamed')).toHaveLength(1);
    await members.call(owner, ['DELETE', `/v1/merchant/members/${person}`]);
    expect(await renamed()).toMatchObject({ by: `person-${person}`, email: null });
    expect(await ownEntries('&by=guest@people.example')).toEqual([]);
  });
});

describe('what the operator asks the audit trail', () => {
  const all = () => entriesOf(`${ADMIN}?limit=1000`);

  it.each<[string, () => string, (entry: AuditEntryAnswer) => boolean]>([
    ['an e-mail address', () => 'by=Olga@shop.example', ({ by }) => by === `person-${owner[0]}`],
    ['the id of an account', () => `by=${owner[0]}`, ({ by }) => by === `person-${owner[0]}`],
    ['the prefix of a key', () => `by=${key.prefix}`, ({ by }) => by === key.id],
    ['the operator', () => 'by=operator', ({ kind }) => kind === 'operator'],
    ['a part of the program', () => 'by=first%20boot', ({ by }) => by === 'first boot'],
    ['a kind of caller', () => 'kind=account', ({ kind }) => kind === 'account'],
    ['a type', () => 'type=SiteChanged', ({ type }) => type === 'SiteChanged'],
    ['types', () => 'type=KeyIssued,SiteCreated', ({ type }) => /^(KeyIssued|SiteCreated)$/.test(type)],
    ['a stream', () => `stream=key-${key.id}`, ({ stream }) => stream === `key-${key.id}`],
    ['a site', () => `site=${site.id}`, (entry) => entry.site === site.id],
    ['a merchant', () => `merchant=${owner[1]}`, ({ merchant }) => merchant === owner[1]],
    ['both', () => `merchant=${owner[1]}&kind=key`, ({ by }) => by === key.id],
  ])('by %s', async (_, query, holds) => {
    const expected = (await all()).filter(holds);
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.length).toBeLessThan((await all()).length);
    expect(await entriesOf(`${ADMIN}?limit=1000&${query()}`)).toEqual(expected);
  });

  it.each(['by=nobody@people.example', 'by=tm_1234567', 'stream=site-nobody', 'site=%27', 'merchant=x'])(
    'finds nothing by %s',
    async (query) => expect(await entriesOf(`${ADMIN}?${query}`)).toEqual([]),
  );

  it('by time, not before one and before another', async () => {
    const entries = await all();
    const { at } = entries[Math.floor(entries.length / 2)]!;
    const since = await entriesOf(`${ADMIN}?limit=1000&since=${at}`);
    const until = await entriesOf(`${ADMIN}?limit=1000&until=${at}`);
    expect(since).toEqual(entries.filter((entry) => entry.at >= at));
    expect([...until, ...since]).toEqual(entries);
  });

  it('page by page, from either end', async () => {
    const entries = await all();
    for (const order of ['oldest', 'newest'] as const) {
      const read: AuditEntryAnswer[] = [];
      for (let cursor = ''; ;) {
        const { body } = await plane.call('GET', `${ADMIN}?limit=4&order=${order}${cursor}`);
        read.push(...body.entries);
        if (body.next_cursor === null) break;
        cursor = `&cursor=${body.next_cursor}`;
      }
      expect(read).toEqual(order === 'oldest' ? entries : entries.toReversed());
    }
  });

  it.each([
    ['type=Unheard', 'type'],
    ['type=', 'type'],
    ['type=SiteCreated&type=SiteDeleted', 'type'],
    ['kind=anybody', 'kind'],
    ['order=random', 'order'],
    ['since=yesterday', 'since'],
    ['until=2026-02-30T00:00:00Z', 'until'],
    ['by=', 'by'],
    ['frob=1', 'frob'],
    ['format=csv', 'format'],
  ])('refuses ?%s, naming %s', async (query, path) => {
    const answer = await plane.call('GET', `${ADMIN}?${query}`);
    expect([answer.status, answer.body.errors[0].path]).toEqual([400, path]);
  });

  it('signing in, with from where: it is no merchant’s concern', async () => {
    const login = { email: 'olga@shop.example', password: 'wrong password, but long' };
    await plane.call('POST', '/v1/auth/login', { key: null, body: login, headers: BRAZIL });
    const entries = await entriesOf(`${ADMIN}?stream=person-${owner[0]}`);
    expect(entries[0]).toMatchObject({ type: 'PersonRegistered', merchant: null, country: 'NL' });
  });

  it('shows of whoever was erased the id only', async () => {
    const [person] = await registered('gone@people.example');
    const ofPerson = `${ADMIN}?by=${person}`;
    expect((await entriesOf(ofPerson))[0]).toMatchObject({ email: 'gone@people.example' });
    await plane.app.get(Sealer).destroy(`person-${person}`);
    const after = await entriesOf(ofPerson);
    expect(after.length).toBeGreaterThan(2);
    expect(new Set(after.map(({ by, email }) => `${by} ${email}`))).toEqual(
      new Set([`person-${person} null`]),
    );
  });

  it('says when it may lag behind', async () => {
    const models = plane.app.get(ControlReadModels);
    const settle = jest.spyOn(models, 'settle').mockResolvedValue(false);
    const { body } = await plane.call('GET', ADMIN);
    const file = await plane.app.inject({
      ...{ method: 'GET', url: `${ADMIN}/export`, headers: { authorization: `Bearer ${OPERATOR_KEY}` } },
    });
    settle.mockRestore();
    expect([body.up_to_date, file.headers['tidemark-up-to-date']]).toEqual([false, 'false']);
  });
});

describe('the audit trail as a file', () => {
  const fetched = (url: string, token = OPERATOR_KEY) =>
    plane.app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } });

  it('holds what the pages hold, over several pages of the table', async () => {
    for (let append = 0; append < 6; append++) {
      const events = Array.from({ length: 90 }, (_, n) => ({
        ...{ type: 'SiteChanged', data: { site: site.id, name: `Renamed ${append} ${n}` } },
        metadata: bySystem('a test'),
      }));
      await plane.app.get(EventStore).append(siteStream(site.id), events, 'any');
    }
    const query = `site=${site.id}&type=SiteChanged`;
    const lines = (await fetched(`${ADMIN}/export?${query}`)).payload.trimEnd().split('\n');
    const entries: AuditEntryAnswer[] = await entriesOf(`${ADMIN}?limit=1000&${query}`).then((all) => [
      ...all,
    ]);
    expect(lines.map((line) => JSON.parse(line))).toEqual(entries);
    expect(entries.length).toBe(541);
    const newest = await fetched(`${ADMIN}/export?${query}&order=newest`);
    expect(newest.payload.trimEnd().split('\n')).toEqual(lines.toReversed());
  });

  it('is CSV for a spreadsheet, which runs nothing in it', async () => {
    await plane.call('PATCH', `/v1/sites/${site.id}`, { body: { name: '=HYPERLINK("x")' } });
    const file = await fetched(`${OWN}/export?format=csv&type=MemberJoined,SiteCreated`, key.key);
    expect([file.headers['content-type'], file.headers['content-disposition']]).toEqual([
      'text/csv; charset=utf-8',
      'attachment; filename="audit.csv"',
    ]);
    const [header, ...rows] = file.payload.trimEnd().split('\r\n');
    expect(header).toMatch(/^entry,at,by,kind,email,/);
    expect(rows.length).toBeGreaterThan(2);
    for (const row of rows) expect(row).toContain(owner[1]);
    expect(file.payload).not.toContain('next.example');
  });

  it('is refused before it begins where something is not valid', async () => {
    const refused = await fetched(`${ADMIN}/export?format=xls`);
    expect([refused.statusCode, refused.json().errors[0].path]).toEqual([400, 'format']);
    expect((await fetched(`${ADMIN}/export`, key.key)).statusCode).toBe(403);
    expect((await fetched(`${ADMIN}/export?limit=3`)).statusCode).toBe(400);
  });
});
