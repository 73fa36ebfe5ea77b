import { type CliOptions, runAgainst } from '../../test/running-cli.js';
import { StandInApi, type StandInRequest } from '../../test/servers/stand-in-api.js';

let api: StandInApi;
beforeEach(async () => {
  api = await StandInApi.start();
});
afterEach(() => api.stop());

const run = (args: readonly string[], options?: CliOptions) => runAgainst(api.url, args, options);

const letter = (n: number) => ({
  ...{ id: `sessions-1-0-${n}-0`, projection: 'sessions', version: 1, partition: 0, position: String(n) },
  ...{ events: 1, site: 's1', eventId: `e${n}`, error: `a bug met e${n}` },
  failedAt: '2026-11-21T10:00:00.123456Z',
});

/** Two pages, of which the second is asked for with the first one's cursor. */
function listing({ method, path }: StandInRequest) {
  if (method !== 'GET') return undefined;
  const isSecond = path.includes('cursor=next');
  const deadLetters = isSecond ? [letter(1)] : [letter(3), letter(2)];
  return { status: 200, body: { deadLetters, next_cursor: isSecond ? null : 'next' } };
}

const decided = () =>
  api.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);

describe('tidemark dead-letters', () => {
  it('lists, also without a command of its own, up to a limit, and says if there are more', async () => {
    api.misbehave = listing;
    const { exitCode, out, err } = await run(['dead-letters', '--site', 'a.example', '--limit', '2']);
    expect([exitCode, err]).toEqual([0, 'There are more: --limit takes up to 10000.\n']);
    expect(out).toMatch(/2026-11-21 10:00:00 +s1 +1 +a bug met e3 +sessions-1-0-3-0\n/);
    expect(out).not.toContain('sessions-1-0-1-0');
    expect(api.requests[0]!.path).toBe('/admin/v1/dead-letters?limit=100&site=a.example');
    const all = await run(['dead-letters', 'list', '--json']);
    expect(JSON.parse(all.out)).toEqual({ deadLetters: [letter(3), letter(2), letter(1)], more: false });
  });

  it('says so when there are none', async () => {
    api.misbehave = () => ({ status: 200, body: { deadLetters: [], next_cursor: null } });
    expect(await run(['dead-letters'])).toMatchObject({
      out: '',
      err: expect.stringMatching(/no dead letters/),
    });
  });

  it('shows one with its event, harmless', async () => {
    api.misbehave = () => ({ status: 200, body: { ...letter(1), event: { id: 'e1', title: '\u009b31m' } } });
    const { out } = await run(['dead-letters', 'show', 'sessions-1-0-1-0']);
    expect(JSON.parse(out)).toMatchObject({ event: { id: 'e1' } });
    expect(out).not.toContain('\u009b');
    expect(api.requests[0]!.path).toBe('/admin/v1/dead-letters/sessions-1-0-1-0');
  });

  it('replays and deletes one, and says if that is still to come', async () => {
    api.misbehave = () => ({ status: 202, body: { id: 'x/1', done: true } });
    expect((await run(['dead-letters', 'replay', 'x/1'])).out).toBe('x/1 is replayed.\n');
    expect((await run(['dead-letters', 'delete', 'x/1', '--yes'])).out).toBe('x/1 is deleted.\n');
    expect(decided()).toEqual([
      'POST /admin/v1/dead-letters/x%2F1/replay',
      'DELETE /admin/v1/dead-letters/x%2F1',
    ]);
    api.misbehave = () => ({ status: 202, body: { id: 'x', done: false } });
    expect((await run(['dead-letters', 'replay', 'x'])).out).toMatch(/^x will be replayed as soon as/);
    expect(JSON.parse((await run(['dead-letters', 'replay', 'x', '--json'])).out)).toEqual({
      id: 'x',
      done: false,
    });
  });

  it('replays all that there are, page by page, and accounts for each', async () => {
    api.misbehave = (request) => {
      const { path } = request;
      if (path.includes('-3-0/')) return { status: 202, body: { id: '3', done: true } };
      if (path.includes('-2-0/')) return { status: 409, body: { detail: 'its schema is newer' } };
      if (path.includes('-1-0/')) return { status: 202, body: { id: '1', done: false } };
      return listing(request);
    };
    const { exitCode, out, err } = await run(['dead-letters', 'replay', '--all', '--projection', 'sessions']);
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^1 replayed\.\n1 will be replayed as soon as/);
    expect(err).toBe('sessions-1-0-2-0: its schema is newer\nerror: 1 could not be replayed.\n');
    expect(decided()).toHaveLength(3);
    expect(api.requests[0]!.path).toBe('/admin/v1/dead-letters?limit=100&projection=sessions');
  });

  it('deletes all, and does not mind letters that are gone meanwhile', async () => {
    api.misbehave = (request) =>
      request.path.includes('-2-0')
        ? { status: 404 }
        : (listing(request) ?? { status: 202, body: { done: true } });
    const { exitCode, out } = await run(['dead-letters', 'delete', '--all', '--yes', '--json']);
    expect([exitCode, JSON.parse(out)]).toEqual([0, { deleted: 2, requested: 0, refused: [] }]);
  });

  it('stops at a failure, says how far it came and that it can be run again', async () => {
    api.misbehave = (request) =>
      request.path.includes('-2-0')
        ? { status: 503, headers: { 'retry-after': '2' } }
        : (listing(request) ?? { status: 202, body: { done: true } });
    const { exitCode, out, err } = await run(['dead-letters', 'replay', '--all']);
    expect([exitCode, out]).toEqual([1, '1 replayed.\n']);
    expect(err).toMatch(/busy or not ready[^]*Run the same command again/);
  });
});
