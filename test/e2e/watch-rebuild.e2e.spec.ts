// Ctrl-C at a watched rebuild, with the real process and the real signal: it ends by itself, says that the
// rebuild goes on, and a script does not take it for an end of the rebuild.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { until } from '../redis-node.js';
import { builtApp } from '../servers/built-app.js';
import { STAND_IN_KEY, StandInApi } from '../servers/stand-in-api.js';

const RUNNING = {
  ...{ id: 'r1', projection: 'sessions', version: 2, definition: 2, state: 'running', source: 'log' },
  scope: { sites: null, from: null, to: null },
  requestedAt: '2026-11-21T10:00:00.000Z',
  ...{ events: 50, eventsExpected: 200, eventsPerSecond: 25, secondsLeft: 6 },
  partitions: [{ partition: 0, phase: 'sorting', events: 50, eventsExpected: 200 }],
};

let api: StandInApi;
beforeEach(async () => {
  api = await StandInApi.start();
});
afterEach(() => api.stop());

async function interrupted({ afterRequests }: { readonly afterRequests: number }) {
  const main = join(await builtApp(), 'src/cli/main.js');
  const child = spawn(process.execPath, [main, 'rebuilds', 'r1', '--watch', '--url', api.url], {
    env: { PATH: process.env['PATH'], OPERATOR_KEY: STAND_IN_KEY },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said = text(child.stderr);
  const ended = once(child, 'exit');
  await until(() => api.requests.length >= afterRequests);
  child.kill('SIGINT');
  const [exitCode, signal] = (await ended) as [number | null, string | null];
  return { exitCode, signal, said: await said };
}

const GOES_ON = /the rebuild goes on without it/;

describe('Ctrl-C at a watched rebuild', () => {
  it('ends the watching between two looks', async () => {
    api.misbehave = () => ({ status: 200, body: RUNNING });
    const { exitCode, signal, said } = await interrupted({ afterRequests: 2 });
    expect([exitCode, signal]).toEqual([1, null]);
    expect(said).toMatch(/^version 2 {2}running/);
    expect(said).toMatch(GOES_ON);
  });

  it('ends the watching while the server is silent', async () => {
    api.misbehave = () => 'silence';
    const { exitCode, signal, said } = await interrupted({ afterRequests: 1 });
    expect([exitCode, signal]).toEqual([1, null]);
    expect(said).toMatch(GOES_ON);
  });
});
