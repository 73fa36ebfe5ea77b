import { type CliOptions, runAgainst } from '../../test/running-cli.js';
import { StandInApi } from '../../test/servers/stand-in-api.js';

let api: StandInApi;
beforeEach(async () => {
  api = await StandInApi.start();
});
afterEach(() => api.stop());

const run = (args: readonly string[], options?: CliOptions) => runAgainst(api.url, args, options);

const merchant = { id: 'm1', name: 'Example shops', createdAt: '2026-11-21T10:00:00.000Z' };

describe('tidemark merchants', () => {
  it('lists and searches them', async () => {
    const merchants = [{ ...merchant, members: 3, sites: 12 }];
    api.misbehave = () => ({ status: 200, body: { merchants, next_cursor: null } });
    const { exitCode, out } = await run(['merchants', 'list', '--search', 'shop']);
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^Example shops +3 +12 +2026-11-21 +m1$/m)]);
    expect(api.requests[0]!.path).toBe('/admin/v1/merchants?limit=100&search=shop');
    expect(JSON.parse((await run(['merchants', 'list', '--json'])).out)).toEqual({ merchants });
    expect(api.requests[1]!.path).toBe('/admin/v1/merchants?limit=100');
  });

  it('deletes one by its name, and says how far that is', async () => {
    const unsure = await run(['merchants', 'delete', 'm1']);
    expect([unsure.exitCode, unsure.err]).toEqual([2, expect.stringContaining('--name')]);
    expect(api.requests).toEqual([]);
    const deletion = { state: 'deleting', left: 1200, eraseAfter: '2026-11-28T10:00:00.000Z' };
    api.misbehave = () => ({ status: 202, body: deletion });
    const { exitCode, out, err } = await run(['merchants', 'delete', 'm1', '--name', 'Example shops']);
    expect([exitCode, out, err]).toEqual([
      ...[0, expect.stringContaining('deleting'), expect.stringMatching(/1.200 sites and keys/)],
    ]);
    const path = '/admin/v1/merchants/m1';
    expect(api.requests).toEqual([{ method: 'DELETE', path, body: { confirm: 'Example shops' } }]);
    const shown = await run(['merchants', 'delete', 'm1', '--name', 'm1', '--json']);
    expect(JSON.parse(shown.out)).toEqual(deletion);
  });

  it('creates one, and sites and keys of it', async () => {
    api.misbehave = () => ({ status: 201, body: merchant });
    const { out, err } = await run(['merchants', 'create', 'Example shops']);
    expect([out, err]).toEqual(['m1\n', expect.stringContaining('--merchant m1')]);
    expect(JSON.parse((await run(['merchants', 'create', 'Example shops', '--json'])).out)).toEqual(merchant);
    expect(api.requests[0]).toEqual({
      method: 'POST',
      path: '/admin/v1/merchants',
      body: { name: 'Example shops' },
    });
    api.misbehave = () => ({ status: 201, body: { trackingIds: [], key: 'tm_x', id: 'k1' } });
    await run(['sites', 'create', 'a.example', '--merchant', 'm1']);
    await run(['keys', 'create', 'server', '--scopes', 'stats:read', '--merchant', 'm1']);
    expect(api.requests.slice(2).map(({ path, body }) => [path, body])).toEqual([
      ['/v1/sites', { domain: 'a.example', merchant: 'm1' }],
      ['/v1/keys', { name: 'server', scopes: ['stats:read'], merchant: 'm1' }],
    ]);
  });
});
