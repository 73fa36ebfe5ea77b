import { type CliOptions, runAgainst } from '../../../test/running-cli.js';
import { StandInApi, type StandInReply } from '../../../test/servers/stand-in-api.js';
import type { Rebuild } from './api-answers.js';

let api: StandInApi;
beforeEach(async () => {
  api = await StandInApi.start();
});
afterEach(() => api.stop());

const run = (args: readonly string[], options?: CliOptions) => runAgainst(api.url, args, options);

const answering = (body: unknown, status = 200): void => {
  api.misbehave = () => ({ status, body });
};

/** One reply after the other; the last again and again. */
const answeringInTurn = (...replies: readonly (StandInReply | 'hang-up')[]): void => {
  const left = [...replies];
  api.misbehave = () => (left.length > 1 ? left.shift() : left[0]);
};

const rebuild = (more: Partial<Rebuild> = {}): Rebuild => ({
  ...{ id: 'r1', projection: 'sessions', version: 2, definition: 5, state: 'running', source: 'log' },
  scope: { sites: null, from: null, to: null },
  requestedAt: '2026-11-21T10:00:00.000Z',
  ...{ events: 50, eventsExpected: 200, eventsPerSecond: 25, secondsLeft: 6 },
  partitions: [{ partition: 0, phase: 'sorting', events: 50, eventsExpected: 200 }],
  ...more,
});

const found = (more: Partial<Rebuild> = {}): StandInReply => ({ status: 200, body: rebuild(more) });
const CAUGHT_UP = found({ state: 'caught_up', events: 200 });

const projections = (serving: number, states: Readonly<Record<number, string>>) => ({
  projections: ['sessions', 'traffic'].map((name) => ({
    name,
    meaning: 'One row per session.',
    servingVersion: serving,
    versions: Object.entries(states)
      .toReversed()
      .map(([version, state]) => ({
        ...{ version: Number(version), definition: 1, state, sites: null, fed: state !== 'building' },
        ...{ watermark: '2026-11-21T09:59:58.000Z', lagMs: 1_400 },
        partitions: [{ partition: 0, position: '40', endPosition: '52', lagEvents: 1_200 }],
      })),
  })),
});

const paths = (): string[] => api.requests.map(({ method, path }) => `${method} ${path}`);

describe('tidemark projections', () => {
  it('lists versions with their state and lag', async () => {
    answering(projections(1, { 2: 'building', 1: 'serving' }));
    const { exitCode, out } = await run(['projections']);
    expect(exitCode).toBe(0);
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['projection', 'version', 'definition', 'state', 'sites', 'complete up to', 'lag'],
      ['sessions', '2', '1', 'building, not fed', 'all', '2026-11-21T09:59:58.000Z', '1.4 s'],
      ['sessions', '1', '1', 'serving', 'all', '2026-11-21T09:59:58.000Z', '1.4 s'],
      ['traffic', '2', '1', 'building, not fed', 'all', '2026-11-21T09:59:58.000Z', '1.4 s'],
      ['traffic', '1', '1', 'serving', 'all', '2026-11-21T09:59:58.000Z', '1.4 s'],
      [''],
    ]);
    expect(paths()).toEqual(['GET /admin/v1/projections']);
  });

  it('shows partitions, and everything as JSON', async () => {
    const body = projections(1, { 1: 'serving' });
    answering(body);
    expect((await run(['projections', '--partitions'])).out).toMatch(
      /^sessions +1 +0 +40 +52 +1,200 events$/m,
    );
    expect(JSON.parse((await run(['projections', '--json'])).out)).toEqual(body);
  });

  it('leaves out what is retired, unless it is asked for', async () => {
    answering(projections(2, { 2: 'serving', 1: 'retired' }));
    expect((await run(['projections'])).out).not.toMatch(/retired/);
    expect((await run(['projections', '--all'])).out).toMatch(/^sessions +1 +1 +retired /m);
    expect((await run(['projections', '--json'])).out).toMatch(/retired/);
  });

  it('retires a version, and shows why it cannot', async () => {
    api.misbehave = () => ({ status: 204 });
    expect((await run(['projections', 'retire', '1'])).out).toMatch(/^Version 1 is retired/);
    expect(JSON.parse((await run(['projections', 'retire', '1', '--json'])).out)).toEqual({ retired: 1 });
    expect(JSON.parse((await run(['projections', '--json', 'retire', '1'])).out)).toEqual({ retired: 1 });
    expect(new Set(paths())).toEqual(new Set(['DELETE /admin/v1/projections/sessions/versions/1']));
    answering({ detail: 'Version 1 serves: promote another one first.' }, 409);
    const refused = await run(['projections', 'retire', '1']);
    expect(refused.exitCode).toBe(1);
    expect(refused.err).toBe(
      'error: Version 1 serves: promote another one first.\nSee "tidemark projections".\n',
    );
  });
});

describe('tidemark rebuild', () => {
  it('asks for everything by default and says how to follow it', async () => {
    answering(rebuild({ state: 'requested' }), 202);
    const { exitCode, out } = await run(['rebuild']);
    expect(exitCode).toBe(0);
    expect(out).toBe(
      'Rebuild r1 builds version 2 by definition 5 (everything).\nWatch it: tidemark rebuilds r1 --watch\n',
    );
    expect(api.requests).toEqual([
      { method: 'POST', path: '/admin/v1/projections/sessions/rebuilds', body: {} },
    ]);
  });

  it('asks for what it was told, "--version" being the rebuild\'s', async () => {
    answering(rebuild(), 202);
    const scope = ['--site', 'a.example,b.example', '--site', 'c.example', '--from', '2026-11-01'];
    const more = ['--to', '2026-11-07', '--source', 'archive+log', '--version', '7'];
    expect((await run(['rebuild', 'traffic', ...scope, ...more])).exitCode).toBe(0);
    expect(api.requests).toEqual([
      {
        method: 'POST',
        path: '/admin/v1/projections/traffic/rebuilds',
        body: {
          ...{ version: 7, sites: ['a.example', 'b.example', 'c.example'] },
          ...{ from: '2026-11-01', to: '2026-11-07', source: 'archive+log' },
        },
      },
    ]);
  });

  it('shows which rebuild is in the way', async () => {
    answering({ detail: 'Rebuild r0 of version 2 is running: wait or cancel it.' }, 409);
    const { exitCode, err } = await run(['rebuild', '--watch']);
    expect(exitCode).toBe(1);
    expect(err).toBe(
      'error: Rebuild r0 of version 2 is running: wait or cancel it.\nSee "tidemark rebuilds".\n',
    );
  });

  it('watches it to its end', async () => {
    answeringInTurn({ status: 202, body: rebuild({ state: 'requested' }) }, found(), CAUGHT_UP);
    const { exitCode, out, err } = await run(['rebuild', '--watch']);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^Version 2 has caught up\. .*tidemark promote 2\n$/);
    expect(err.split('\n')).toEqual([
      'Rebuild r1 builds version 2 by definition 5 (everything).',
      'version 2  running  25 %  50 of 200 events  25 events/s  0:06 left',
      'version 2  caught_up  100 %  200 of 200 events',
      '',
    ]);
  });
});

describe('watching', () => {
  const watch = (options?: CliOptions) => run(['rebuilds', 'r1', '--watch'], options);

  it('says something every few seconds where nothing can be drawn, and at every change', async () => {
    const running = Array.from({ length: 12 }, (_, second) => found({ events: second }));
    const stuck = Array.from({ length: 20 }, () => found({ events: 11 }));
    answeringInTurn(...running, ...stuck, found({ state: 'paused' }), found({ events: 60 }), CAUGHT_UP);
    const { err } = await watch();
    expect(err.split('\n').map((line) => line.match(/(\w+) {2}\d+ % {2}(\d+)/)?.slice(1))).toEqual([
      ...[
        ['running', '0'],
        ['running', '5'],
        ['running', '10'],
        ['running', '11'],
      ],
      ...[['paused', '50'], ['running', '60'], ['caught_up', '200'], undefined],
    ]);
  });

  it('draws in place on a terminal and leaves the last picture there', async () => {
    answeringInTurn(found(), found({ events: 100 }), CAUGHT_UP);
    const { err } = await watch({ terminalRows: 10 });
    const drawings = err.split('\u001b[?7l').slice(1);
    expect(drawings).toHaveLength(3);
    expect(drawings.map((drawn) => drawn.match(/all +[█░]+ +(\d+) %/)?.[1])).toEqual(['25', '50', '100']);
    for (const drawn of drawings.slice(0, -1)) expect(drawn).toMatch(/\r\u001b\[3A$/);
    expect(err).toMatch(/\u001b\[J$/);
  });

  it('prints a line of JSON for every change', async () => {
    answeringInTurn(found(), found(), found({ events: 60 }), found({ events: 60 }), CAUGHT_UP);
    const { exitCode, out, err } = await run(['rebuilds', 'r1', '--watch', '--json']);
    expect([exitCode, err]).toEqual([0, '']);
    const lines = out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      ...[rebuild(), rebuild({ events: 60 })],
      CAUGHT_UP.body,
    ]);
  });

  it.each([
    ['promoted', 0, /tidemark rollback/],
    ['failed', 1, /error: The rebuild of version 2 failed: Partition 0: bad[^]*rebuilds resume r1/],
    ['cancelled', 1, /error: The rebuild of version 2 was cancelled/],
  ] as const)('ends when it is %s', async (state, exitCode, said) => {
    answeringInTurn(found(), found({ state, error: 'Partition 0: bad' }));
    const ended = await watch();
    expect(ended.exitCode).toBe(exitCode);
    expect(ended.out + ended.err).toMatch(said);
  });

  it('tells once what keeps a partition from getting on, and again when it comes back', async () => {
    const stuck = (error?: string) =>
      found({
        partitions: [
          { partition: 3, phase: 'sorting', events: 1, eventsExpected: 2, ...(error && { error }) },
        ],
      });
    answeringInTurn(stuck('ENOSPC'), stuck('ENOSPC'), stuck(), stuck('ENOSPC'), CAUGHT_UP);
    const { err } = await watch();
    expect(err.match(/partition 3: ENOSPC; it is tried again/g)).toHaveLength(2);
  });

  it('waits for a server that is away for a while', async () => {
    answeringInTurn(found(), 'hang-up', 'hang-up', { status: 503 }, CAUGHT_UP);
    const { exitCode, err } = await watch();
    expect(exitCode).toBe(0);
    expect(err.match(/gives no answer/g)).toHaveLength(2);
  });

  it('waits anew each time that it is away', async () => {
    const away = Array.from({ length: 100 }, () => 'hang-up' as const);
    answeringInTurn(...away, found(), ...away, CAUGHT_UP);
    expect((await watch()).exitCode).toBe(0);
  });

  it('does not wait for ever', async () => {
    answeringInTurn(found(), 'hang-up');
    let waitedMs = 0;
    const { exitCode, err } = await watch({ onSleep: (ms) => (waitedMs += ms) });
    expect(exitCode).toBe(1);
    expect(waitedMs).toBeGreaterThan(110_000);
    expect(waitedMs).toBeLessThan(130_000);
    expect(err).toMatch(/cannot be reached[^]*the rebuild goes on without it/);
  });

  it('does not wait where waiting is of no use', async () => {
    answering({ detail: 'There is no such rebuild.' }, 404);
    expect(await watch()).toEqual({ exitCode: 1, out: '', err: 'error: There is no such rebuild.\n' });
    expect(api.requests).toHaveLength(1);
  });

  it('ends with Ctrl-C, while the rebuild goes on', async () => {
    answering(rebuild());
    const { exitCode, err } = await watch({ onSleep: (_, interrupt) => interrupt() });
    expect(exitCode).toBe(1);
    expect(err).toMatch(/\nWatching has ended; the rebuild goes on without it\..*rebuilds cancel r1\n$/);
    expect(paths()).toEqual(['GET /admin/v1/rebuilds/r1']);
  });

  it('finds the one that is under way by itself', async () => {
    const ended = rebuild({ id: 'r0', state: 'promoted' });
    answeringInTurn({ status: 200, body: { rebuilds: [ended, rebuild()], next_cursor: null } }, CAUGHT_UP);
    expect((await run(['rebuilds', '--watch'])).exitCode).toBe(0);
    expect(paths()).toEqual(['GET /admin/v1/rebuilds?limit=100', 'GET /admin/v1/rebuilds/r1']);
    answering({ rebuilds: [ended], next_cursor: null });
    expect((await run(['rebuilds', '--watch'])).err).toMatch(/No rebuild is under way/);
  });
});

describe('tidemark rebuilds', () => {
  it('lists all, page by page', async () => {
    const page = (id: string, next: string | null): StandInReply => ({
      status: 200,
      body: { rebuilds: [rebuild({ id })], next_cursor: next },
    });
    answeringInTurn(page('r2', 'n'), page('r1', null));
    const { out } = await run(['rebuilds']);
    expect(out).toMatch(/^r2 +2 +running +everything +log +2026-11-21T10:00:00\.000Z +50 of 200 events/m);
    expect(out).toMatch(/^r1 /m);
    answering({ rebuilds: [], next_cursor: null });
    expect((await run(['rebuilds'])).err).toMatch(/tidemark rebuild --watch/);
    expect(JSON.parse((await run(['rebuilds', '--json'])).out)).toEqual({ rebuilds: [] });
  });

  it('shows one with its partitions', async () => {
    answering(rebuild());
    const { exitCode, out } = await run(['rebuilds', 'r/1']);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^ +0 {2}sorting +█+░+ +25 % +50 of 200 events$/m);
    expect(out).toMatch(/tidemark rebuilds r1 --watch\n$/);
    expect(paths()).toEqual(['GET /admin/v1/rebuilds/r%2F1']);
    expect(JSON.parse((await run(['rebuilds', 'r1', '--json'])).out)).toEqual(rebuild());
  });

  it('pauses, resumes and cancels', async () => {
    answering(rebuild({ state: 'paused' }));
    expect((await run(['rebuilds', 'pause', 'r1'])).out).toMatch(/Go on: tidemark rebuilds resume r1/);
    await run(['rebuilds', 'resume', 'r1']);
    expect(JSON.parse((await run(['rebuilds', 'cancel', 'r1', '--json'])).out)).toMatchObject({ id: 'r1' });
    expect(paths()).toEqual(
      ['pause', 'resume', 'cancel'].map((control) => `POST /admin/v1/rebuilds/r1/${control}`),
    );
    answering({ detail: 'Rebuild r1 is cancelled: it cannot pause now.' }, 409);
    expect((await run(['rebuilds', 'pause', 'r1'])).err).toMatch(/it cannot pause now\.\nSee "tidemark reb/);
  });
});

describe('tidemark promote and rollback', () => {
  it('says what serves and how to go back', async () => {
    answering({ name: 'sessions', servingVersion: 2, previousVersion: 1 });
    const { exitCode, out } = await run(['promote', '2']);
    expect([exitCode, out]).toEqual([
      0,
      'Version 2 serves. Back to version 1, which is kept: tidemark rollback\n',
    ]);
    await run(['promote', '3', '--force']);
    answering({ name: 'sessions', servingVersion: 1, previousVersion: null });
    expect((await run(['rollback'])).out).toBe('Version 1 serves.\n');
    expect(JSON.parse((await run(['rollback', '--json'])).out)).toMatchObject({ servingVersion: 1 });
    expect(api.requests.slice(0, 3)).toEqual([
      { method: 'POST', path: '/admin/v1/projections/sessions/promote', body: { version: 2 } },
      { method: 'POST', path: '/admin/v1/projections/sessions/promote', body: { version: 3, force: true } },
      { method: 'POST', path: '/admin/v1/projections/sessions/rollback', body: undefined },
    ]);
  });

  it('says how to promote what has not caught up', async () => {
    answering({ detail: 'Version 2 is building, not caught up.' }, 409);
    const { exitCode, err } = await run(['promote', '2']);
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^error: Version 2 is building, not caught up\.\n.*with --force a version may serve/);
  });
});

describe('tidemark compare', () => {
  const comparison = (differences: readonly object[], more: object = {}) => ({
    ...{ a: 1, b: 2, sites: null, tolerance: '0', within: differences.length === 0, positions_differ: false },
    ...{ days: 'site', columns_not_compared: [], differences_total: differences.length, differences },
    totals: [{ metric: 'visits', a: 1_000, b: 900, difference: -100 }],
    next_cursor: null,
    ...more,
  });
  const difference = { site: 's1', date: '2026-11-20', metric: 'visits', a: 0, b: 12, difference: 12 };

  it('ends with 0 when nothing differs', async () => {
    answering(comparison([]));
    const { exitCode, out, err } = await run(['compare']);
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toMatch(/^metric +version 1 +version 2 +difference$/m);
    expect(out).toMatch(/^visits +1,000 +900 +-100 +-10\.0 %$/m);
    expect(out).toMatch(/\n\nNothing differs\.\n$/);
    answering(comparison([], { tolerance: '0.5%' }));
    expect((await run(['compare', '--tolerance', '0.5%'])).out).toMatch(
      /Nothing differs by more than 0\.5%\./,
    );
    expect(paths()[0]).toBe('GET /admin/v1/projections/sessions/compare?limit=20');
  });

  it('ends with 1 when something differs, and shows it', async () => {
    const body = comparison([difference], { differences_total: 1_234, next_cursor: 'next' });
    answering(body);
    const { exitCode, out, err } = await run(['compare', '--limit', '1']);
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^site +day +metric /m);
    expect(out).toMatch(/^s1 +2026-11-20 +visits +0 +12 +\+12$/m);
    expect(err).toBe('1 of 1,234 differences: --limit shows more.\nVersions 1 and 2 differ.\n');
    const json = await run(['compare', '--limit', '1', '--json']);
    expect(json.exitCode).toBe(1);
    expect(JSON.parse(json.out)).toEqual(body);
    expect(JSON.parse(json.err)).toMatchObject({ error: { exitCode: 1 } });
  });

  it('says what makes a comparison less than it seems', async () => {
    const less = { sites: ['s1', 's2'], positions_differ: true, columns_not_compared: ['city'], days: 'utc' };
    answering(comparison([], less));
    expect((await run(['compare'])).err.split('\n')).toEqual([
      expect.stringMatching(/sites that both versions hold: s1, s2\.$/),
      expect.stringMatching(/has read more of the log/),
      expect.stringMatching(/only one version has them: city\.$/),
      '',
    ]);
  });

  it('asks for what it was told, and reads as many pages as it takes', async () => {
    const rows = (count: number) => Array.from({ length: count }, () => difference);
    answeringInTurn(
      { status: 200, body: comparison(rows(1_000), { next_cursor: 'n1' }) },
      { status: 200, body: comparison(rows(500), { next_cursor: 'n2' }) },
    );
    const options = ['--a', '1', '--b', '2', '--site', 'a.example', '--tolerance', '0.5%', '--json'];
    const days = ['--from', '2026-11-01', '--to', '2026-11-20'];
    const { out } = await run(['compare', 'traffic', ...options, ...days, '--limit', '1500']);
    expect((JSON.parse(out) as { differences: unknown[] }).differences).toHaveLength(1_500);
    const asked = 'a=1&b=2&site=a.example&from=2026-11-01&to=2026-11-20&tolerance=0.5%25';
    expect(paths()).toEqual([
      `GET /admin/v1/projections/traffic/compare?${asked}&limit=1000`,
      `GET /admin/v1/projections/traffic/compare?${asked}&limit=500&cursor=n1`,
    ]);
  });
});
