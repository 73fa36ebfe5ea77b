// What is remembered or shared is one site's, however alike two sites are asked: by two merchants in the same
// words at the same moment, and by the next owner of a domain.
import { CommandBus } from '@nestjs/cqrs';
import { insertSessions } from '../../../test/read-model-rows.js';
import { type QuerySide, startQuerySide } from '../../../test/servers/query-side.js';
import { RegisterMerchant } from '../auth/merchants/register-merchant.command.js';
import { CHANCE } from '../auth/random-ids.js';
import { bySystem } from '../auth/origin.js';
import { CreateSite } from '../auth/sites/create-site.command.js';

const A_TEST = bySystem('a test');
const NEXT_OWNER = 'next-owner';
const NEIGHBOUR = 'neighbour.example';
const BODY = { metrics: ['visits', 'visitors'], date_range: 'all', dimensions: ['event:page'] };
const ASKED_AT_ONCE = 8;

let side: QuerySide;
let commands: CommandBus;

beforeAll(async () => {
  side = await startQuerySide();
  commands = side.plane.app.get(CommandBus);
  await commands.execute(new RegisterMerchant({ id: NEXT_OWNER, name: 'Next', origin: A_TEST }));
});
afterAll(() => side?.stop());

async function siteOf(merchant: string, domain: string): Promise<{ id: string; reader: string }> {
  const draft = { merchant, domain, name: domain, timezone: 'UTC', currency: 'EUR', trackingIds: [] };
  const created = await commands.execute(new CreateSite(draft, A_TEST, CHANCE));
  if (created.outcome !== 'created') throw new Error(created.outcome);
  return { id: created.site.id, reader: await side.keyFor(created.site.id, ['stats:read']) };
}

const visited = (site: string, page: string, count: number) =>
  insertSessions(
    side.postgres.pool,
    Array.from({ length: count }, (_, index) => ({
      site,
      visitor: BigInt(index),
      events: [{ at: Date.now() - 60_000 - index, page }],
    })),
  );

interface Said {
  readonly report: unknown;
  readonly visitors: unknown;
  readonly jobs: unknown;
}

async function saidOf(site: string, key: string): Promise<Said> {
  const { call } = side.plane;
  const report = await call('POST', `/v1/sites/${site}/query`, { key, body: BODY });
  const realtime = await call('GET', `/v1/sites/${site}/realtime`, { key });
  const jobs = await call('GET', `/v1/sites/${site}/jobs`, { key });
  return {
    report: report.body.results ?? report.status,
    visitors: realtime.body.visitors ?? realtime.status,
    jobs: jobs.body.jobs?.length ?? jobs.status,
  };
}

it('two merchants who ask in the same words at the same moment get their own', async () => {
  const neighbour = await siteOf(NEXT_OWNER, NEIGHBOUR);
  await visited(side.site, '/ours', 3);
  await visited(neighbour.id, '/theirs', 5);
  const turns = Array.from({ length: ASKED_AT_ONCE }, (_, index) => index % 2 === 0);
  for (const _ of ['computed', 'remembered']) {
    const answers = await Promise.all(
      turns.map((ours) => (ours ? saidOf(side.site, side.reader) : saidOf(neighbour.id, neighbour.reader))),
    );
    for (const [index, { report }] of answers.entries()) {
      const page = turns[index] ? [['/ours'], [3, 3]] : [['/theirs'], [5, 5]];
      expect(report).toEqual([{ dimensions: page[0], metrics: page[1] }]);
    }
  }
});

it("a domain's next owner sees nothing of the one before, and that one nothing more", async () => {
  const domain = 'sold.example';
  const before = await siteOf('default', domain);
  await visited(before.id, '/secret', 4);
  await side.plane.call('POST', `/v1/sites/${domain}/exports`, {
    key: before.reader,
    body: { what: 'events', date_range: 'all' },
  });
  const known = await saidOf(domain, before.reader);
  expect(known.report).toEqual([{ dimensions: ['/secret'], metrics: [4, 4] }]);
  expect(known.jobs).toBe(1);

  expect((await side.plane.call('DELETE', `/v1/sites/${domain}`)).status).toBe(204);
  const after = await siteOf(NEXT_OWNER, domain);
  expect(after.id).not.toBe(before.id);
  for (const name of [domain, after.id]) {
    expect(await saidOf(name, after.reader)).toEqual({ report: [], visitors: 0, jobs: 0 });
  }
  const refusals = new Set<unknown>();
  for (const [name, key] of [
    [domain, before.reader],
    [before.id, before.reader],
    [before.id, after.reader],
  ] as const) {
    refusals.add(JSON.stringify(await saidOf(name, key)));
  }
  const gone = (status: number) => JSON.stringify({ report: status, visitors: status, jobs: status });
  // The key went with its site.
  expect([...refusals].every((said) => said === gone(401) || said === gone(404))).toBe(true);
});
