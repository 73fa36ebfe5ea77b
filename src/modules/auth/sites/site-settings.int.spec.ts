// What a site can be told, over HTTP and on a real PostgreSQL: every setting is kept as it is meant, and no
// domain is ever two sites'.
import { type ControlPlane, startControlPlane } from '../../../../test/servers/control-plane.js';
import { type MigratedPostgres, startMigratedPostgres } from '../../../../test/servers/postgres.js';
import { EventStore } from '../../../event-store/event-store.js';
import { nameStream } from './name-claim.js';

let postgres: MigratedPostgres;
let plane: ControlPlane;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  plane = await startControlPlane(postgres.pool);
});
afterAll(async () => {
  await plane.close();
  await postgres.stop();
});

let domains = 0;
const freshDomain = () => `settings-${++domains}.example`;
const create = async (body: Record<string, unknown> = {}) =>
  (await plane.call('POST', '/v1/sites', { body: { domain: freshDomain(), ...body } })).body;
const patch = (site: string, body: object) => plane.call('PATCH', `/v1/sites/${site}`, { body });
const read = async (name: string) => (await plane.call('GET', `/v1/sites/${name}`)).body;
const idOf = async (name: string): Promise<string | undefined> => (await read(name)).id;

const SETTINGS = {
  aliases: ['https://WWW.Alias-1.Example/', 'bücher-alias.example'],
  weekStart: 'saturday',
  consentMode: 'full',
  allowedOrigins: ['https://Shop.Example', '*.shop.example', 'localhost'],
  hostnames: ['shop.example'],
  queryParameters: ['page', 'filter[color]'],
  exclusions: {
    countries: ['at', 'UK'],
    addresses: ['192.0.2.0/24', '2001:DB8::1'],
    pages: ['/admin/***', '/über/*'],
    hostnames: ['*.staging.shop.example'],
  },
};
const NORMALISED = {
  ...SETTINGS,
  aliases: ['alias-1.example', 'xn--bcher-alias-thb.example'],
  allowedOrigins: ['shop.example', '*.shop.example', 'localhost'],
  exclusions: {
    countries: ['AT', 'GB'],
    addresses: ['192.0.2.0/24', '2001:db8::1'],
    pages: ['/admin/**', '/%C3%BCber/*'],
    hostnames: ['*.staging.shop.example'],
  },
};

describe('settings', () => {
  it('are kept, each in its one spelling, by creation and by change', async () => {
    const created = await create(SETTINGS);
    expect(created).toMatchObject(NORMALISED);
    expect(await read(created.id)).toEqual(created);
    expect((await plane.call('DELETE', `/v1/sites/${created.id}`)).status).toBe(204);
    const { id } = await create();
    const changed = await patch(id, SETTINGS);
    expect(changed).toMatchObject({ status: 200, body: NORMALISED, headers: { etag: '"1"' } });
    expect(await read(id)).toEqual(changed.body);
    expect(await patch(id, NORMALISED)).toMatchObject({ status: 200, headers: { etag: '"1"' } });
  });

  it('are taken back by empty lists, and exclusions list by list', async () => {
    const { exclusions } = NORMALISED;
    const { id } = await create({ ...SETTINGS, aliases: [] });
    const changed = await patch(id, { allowedOrigins: [], exclusions: { pages: [] } });
    expect(changed.body).toMatchObject({ allowedOrigins: [], exclusions: { ...exclusions, pages: [] } });
  });

  it.each([
    [{ aliases: ['not a domain'] }, ['aliases']],
    [{ aliases: 'a.example' }, ['aliases']],
    [{ aliases: ['a.example', 'www.a.example'] }, ['aliases']],
    [{ aliases: Array.from({ length: 51 }, (_, n) => `n${n}.example`) }, ['aliases']],
    [{ weekStart: 'friday' }, ['weekStart']],
    [{ weekStart: null }, ['weekStart']],
    [{ consentMode: 'some' }, ['consentMode']],
    [{ allowedOrigins: ['https://shop.example:8080'] }, ['allowedOrigins']],
    [{ allowedOrigins: ['*'] }, ['allowedOrigins']],
    [{ allowedOrigins: ['shop.*'] }, ['allowedOrigins']],
    [{ allowedOrigins: ['*.192.0.2.1'] }, ['allowedOrigins']],
    [{ hostnames: [7] }, ['hostnames']],
    [{ queryParameters: ['a&b'] }, ['queryParameters']],
    [{ queryParameters: ['a=b'] }, ['queryParameters']],
    [{ queryParameters: [''] }, ['queryParameters']],
    [{ queryParameters: ['x'.repeat(101)] }, ['queryParameters']],
    [{ exclusions: [] }, ['exclusions']],
    [{ exclusions: null }, ['exclusions']],
    [{ exclusions: { surprise: [] } }, ['exclusions.surprise']],
    [{ exclusions: { countries: ['AUT'] } }, ['exclusions.countries']],
    [{ exclusions: { countries: ['ZZ'] } }, ['exclusions.countries']],
    [{ exclusions: { countries: ['XX'] } }, ['exclusions.countries']],
    [{ exclusions: { addresses: ['192.0.2.0/33'] } }, ['exclusions.addresses']],
    [{ exclusions: { addresses: ['192.0.2.0/'] } }, ['exclusions.addresses']],
    [{ exclusions: { addresses: ['192.0.2.0/24/8'] } }, ['exclusions.addresses']],
    [{ exclusions: { addresses: ['192.0.2'] } }, ['exclusions.addresses']],
    [{ exclusions: { addresses: ['fe80::1%eth0'] } }, ['exclusions.addresses']],
    [{ exclusions: { addresses: ['::ffff:192.0.2.0/120'] } }, ['exclusions.addresses']],
    [{ exclusions: { pages: ['admin'] } }, ['exclusions.pages']],
    [{ exclusions: { pages: ['/a?b'] } }, ['exclusions.pages']],
    [{ exclusions: { pages: [`/${'*a'.repeat(6)}`] } }, ['exclusions.pages']],
    [{ exclusions: { pages: [`/${'x'.repeat(300)}`] } }, ['exclusions.pages']],
    [{ exclusions: { pages: ['/\ud800'] } }, ['exclusions.pages']],
    [{ exclusions: { hostnames: [''] } }, ['exclusions.hostnames']],
  ])('refuses %j, naming what is wrong', async (body, paths) => {
    const { id } = await create();
    for (const answer of [
      await patch(id, body),
      await plane.call('POST', '/v1/sites', { body: { domain: freshDomain(), ...body } }),
    ]) {
      expect([answer.status, answer.body.type]).toEqual([400, '/problems/invalid-request']);
      expect(answer.body.errors.map(({ path }: { path: string }) => path)).toEqual(paths);
    }
    expect((await plane.call('GET', `/v1/sites/${id}`)).headers.etag).toBe('"0"');
  });
});

describe('a domain of the site', () => {
  it('names it as well as any other, in paths too, until it is given up', async () => {
    const [alias, another] = [freshDomain(), freshDomain()];
    const { id, domain } = await create({ aliases: [alias] });
    expect(await Promise.all([alias, domain, `www.${alias}`].map(idOf))).toEqual([id, id, id]);
    expect((await plane.call('GET', `/v1/sites/${alias}/keys`)).status).toBe(200);
    expect((await patch(alias, { aliases: [another] })).status).toBe(200);
    expect(await Promise.all([alias, another].map(idOf))).toEqual([undefined, id]);
    const other = await create({ domain: alias });
    expect(await idOf(alias)).toBe(other.id);
  });

  it('is nobody else’s, as a domain or as an alias', async () => {
    const alias = freshDomain();
    const { domain } = await create({ aliases: [alias] });
    const { id } = await create();
    for (const taken of [alias, domain]) {
      const answers = [
        await plane.call('POST', '/v1/sites', { body: { domain: taken } }),
        await plane.call('POST', '/v1/sites', { body: { domain: freshDomain(), aliases: [taken] } }),
        await patch(id, { domain: taken }),
        await patch(id, { aliases: [freshDomain(), taken] }),
      ];
      for (const { status, body } of answers) {
        expect([status, body.detail]).toEqual([409, expect.stringContaining(taken)]);
      }
    }
  });

  it('is free again for others where a command that claimed it was refused', async () => {
    const [free, taken] = [freshDomain(), freshDomain()];
    await create({ domain: taken });
    const { id } = await create();
    expect((await patch(id, { aliases: [free, taken] })).status).toBe(409);
    expect((await plane.call('POST', '/v1/sites', { body: { domain: free, aliases: [taken] } })).status).toBe(
      409,
    );
    expect((await create({ domain: free })).domain).toBe(free);
  });

  it('can be exchanged for another, and stays as an alias where that is said', async () => {
    const [first, second, third] = [freshDomain(), freshDomain(), freshDomain()];
    const { id } = await create({ domain: first });
    expect((await patch(id, { domain: second, aliases: [first] })).body).toMatchObject({
      id,
      domain: second,
      aliases: [first],
    });
    expect(await Promise.all([first, second].map(idOf))).toEqual([id, id]);
    expect((await patch(id, { domain: third })).body).toMatchObject({ domain: third, aliases: [first] });
    expect(await Promise.all([first, second, third].map(idOf))).toEqual([id, undefined, id]);
    expect((await patch(id, { domain: first })).body).toMatchObject({ domain: first, aliases: [] });
    expect((await create({ domain: third })).domain).toBe(third);
  });

  it('is freed with the site', async () => {
    const alias = freshDomain();
    const { id } = await create({ aliases: [alias] });
    expect((await plane.call('DELETE', `/v1/sites/${id}`)).status).toBe(204);
    expect((await create({ domain: alias })).domain).toBe(alias);
  });

  it('goes to one of many sites that want it at once, and the others are told 409', async () => {
    const wanted = freshDomain();
    const sites = await Promise.all(Array.from({ length: 20 }, () => create()));
    const answers = await Promise.all(
      sites.map(({ id }, n) => patch(id, n % 2 === 0 ? { aliases: [wanted] } : { domain: wanted })),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      200,
      ...Array.from({ length: 19 }, () => 409),
    ]);
    const winner = answers.find(({ status }) => status === 200)!;
    expect(await idOf(wanted)).toBe(winner.body.id);
  });

  it('is never held without a claim, however its site takes it and gives it up at once', async () => {
    const wanted = freshDomain();
    const { id } = await create();
    for (let round = 0; round < 25; round++) {
      await Promise.all(
        Array.from({ length: 6 }, (_, n) => patch(id, { aliases: n % 2 === 0 ? [wanted] : [] })),
      );
      const { aliases } = await read(id);
      const other = await plane.call('POST', '/v1/sites', { body: { domain: wanted } });
      if (aliases.includes(wanted)) expect(other.status).toBe(409);
      else if (other.status === 201) await plane.call('DELETE', `/v1/sites/${other.body.id}`);
    }
  });
});

describe('a claim whose command died', () => {
  /** As a process leaves it that is killed between the claim and the change, or the change and the release. */
  async function leaveClaim(site: string, domain: string, minutesAgo: number): Promise<void> {
    const event = { type: 'DomainClaimed', data: { domain, site }, metadata: { by: 'the dead' } };
    await plane.app.get(EventStore).append(nameStream({ domain }), [event], 'none');
    await postgres.pool.query(
      `UPDATE event_store.events SET recorded_at = recorded_at - $2 * interval '1 minute' WHERE stream = $1`,
      [nameStream({ domain }), minutesAgo],
    );
  }

  it('is the site’s own at once when it is asked again', async () => {
    const { id } = await create();
    const domain = freshDomain();
    await leaveClaim(id, domain, 0);
    expect((await patch(id, { aliases: [domain] })).status).toBe(200);
    expect(await idOf(domain)).toBe(id);
  });

  it('goes to others once whoever made it can no longer be at work', async () => {
    const { id } = await create();
    const [young, old] = [freshDomain(), freshDomain()];
    await leaveClaim(id, young, 0);
    await leaveClaim(id, old, 1);
    expect((await plane.call('POST', '/v1/sites', { body: { domain: young } })).status).toBe(409);
    const taken = await create({ domain: old });
    expect(taken.domain).toBe(old);
    // Whoever was merely slow stores nothing: the site was touched meanwhile.
    expect(await plane.call('GET', `/v1/sites/${id}`)).toMatchObject({
      body: { aliases: [] },
      headers: { etag: '"1"' },
    });
    expect((await patch(id, { aliases: [old] })).status).toBe(409);
  });

  it('does not go to others while the site has the domain, however old it is', async () => {
    const domain = freshDomain();
    const { id } = await create({ aliases: [domain] });
    await postgres.pool.query(
      `UPDATE event_store.events SET recorded_at = recorded_at - interval '1 day' WHERE stream = $1`,
      [nameStream({ domain })],
    );
    expect((await plane.call('POST', '/v1/sites', { body: { domain } })).status).toBe(409);
    expect(await idOf(domain)).toBe(id);
  });
});
