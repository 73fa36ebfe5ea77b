import { type CliOptions, runAgainst } from '../../test/running-cli.js';
import { StandInApi } from '../../test/servers/stand-in-api.js';

let api: StandInApi;
beforeEach(async () => {
  api = await StandInApi.start();
});
afterEach(() => api.stop());

const run = (args: readonly string[], options?: CliOptions) => runAgainst(api.url, args, options);

const PATH = '/admin/v1/merchants/m1/quota';
const quota = {
  ...{ merchant: 'm1', eventsPerMonth: 1_000_000, gracePercent: 10, policy: 'hide', samplePercent: 10 },
  ...{ isDefault: false, month: '2026-11', usedEvents: 1_234_567, warnedPercent: 110, isOver: true },
  ...{ hiddenEvents: 34_567, droppedEvents: 0 },
  excesses: [
    {
      ...{ policy: 'hide', from: '2026-11-20T10:00:00.000Z', to: '2026-12-01T00:00:00.000Z' },
      samplePercent: null,
    },
  ],
};

describe('tidemark quotas', () => {
  beforeEach(() => {
    api.misbehave = () => ({ status: 200, body: quota, headers: { etag: '"3"' } });
  });

  it('shows what is allowed, used and hidden', async () => {
    const { exitCode, out } = await run(['quotas', 'show', 'm1']);
    expect(exitCode).toBe(0);
    for (const said of ['1,000,000', '10 %', 'hide', '1,234,567', '34,567', '2026-12-01']) {
      expect(out).toContain(said);
    }
    expect(JSON.parse((await run(['quotas', 'show', 'm1', '--json'])).out)).toEqual(quota);
  });

  it('sets one, and takes it back', async () => {
    await run(['quotas', 'set', 'm1', '5000', '--grace', '5', '--policy', 'sample', '--sample', '20']);
    await run(['quotas', 'set', 'm1', 'unlimited']);
    await run(['quotas', 'remove', 'm1']);
    expect(api.requests).toMatchObject([
      {
        ...{ method: 'PUT', path: PATH },
        body: { eventsPerMonth: 5000, gracePercent: 5, policy: 'sample', samplePercent: 20 },
      },
      { method: 'PUT', path: PATH, body: { eventsPerMonth: null } },
      { method: 'DELETE', path: PATH },
    ]);
  });

  it('changes the policy and leaves the rest as it is', async () => {
    expect((await run(['quotas', 'policy', 'm1', 'refuse'])).exitCode).toBe(0);
    expect(api.requests[1]).toMatchObject({
      method: 'PUT',
      body: { eventsPerMonth: 1_000_000, gracePercent: 10, policy: 'refuse', samplePercent: 10 },
    });
    api.misbehave = () => ({ status: 200, body: { ...quota, isDefault: true } });
    const { exitCode, err } = await run(['quotas', 'policy', 'm1', 'hide']);
    expect([exitCode, err]).toEqual([1, expect.stringContaining('tidemark quotas set m1')]);
  });

  it('reveals a month', async () => {
    const { out } = await run(['quotas', 'reveal', 'm1', '--month', '2026-10']);
    expect(out).toContain('2026-10');
    expect(api.requests).toEqual([{ method: 'POST', path: `${PATH}/reveal`, body: { month: '2026-10' } }]);
  });

  it.each([
    ['set', 'm1', 'many'],
    ['set', 'm1', '5', '--policy', 'show'],
    ['set', 'm1', '5', '--sample', '100'],
    ['policy', 'm1', 'drop'],
    ['reveal', 'm1', '--month', '2026-13'],
    ['show'],
  ])('refuses %s %s %s %s', async (...args) => {
    expect((await run(['quotas', ...args])).exitCode).toBe(2);
    expect(api.requests).toEqual([]);
  });
});

describe('tidemark usage', () => {
  const used = { events: 1_234, hiddenEvents: 34, droppedEvents: 5 };

  it('of every merchant', async () => {
    const merchants = [{ id: 'm1', name: 'Example shops' }];
    api.misbehave = ({ path }) =>
      path.startsWith('/admin/')
        ? { status: 200, body: { merchants, next_cursor: null } }
        : { status: 200, body: { merchant: 'm1', month: '2026-10', policy: 'hide', ...used, sites: [] } };
    const { exitCode, out } = await run(['usage', '--month', '2026-10']);
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^Example shops +m1 +1,234 +34 +5$/m)]);
    expect(api.requests[1]!.path).toBe('/v1/merchant/usage?merchant=m1&month=2026-10&limit=1');
    expect(JSON.parse((await run(['usage', '--month', '2026-10', '--json'])).out)).toEqual({
      month: '2026-10',
      merchants: [{ merchant: 'm1', name: 'Example shops', month: '2026-10', policy: 'hide', ...used }],
    });
  });

  it('of the sites of one', async () => {
    const sites = [
      { site: 's1', domain: 'shop.example', ...used },
      { site: 's2', domain: null, ...used },
    ];
    api.misbehave = () => ({ status: 200, body: { sites, next_cursor: null } });
    const { out } = await run(['usage', '--merchant', 'm1', '--month', '2026-10']);
    expect(out).toMatch(/^shop\.example +s1 +1,234 +34 +5$/m);
    expect(out).toMatch(/^\(deleted\) +s2 /m);
    expect((await run(['usage', '--month', 'november'])).exitCode).toBe(2);
  });
});
