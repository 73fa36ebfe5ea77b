import { Readiness } from './health-check.js';

const up = { dependency: 'postgres', check: () => ({ status: 'up' }) as const };

it('is ready when nothing is down', async () => {
  const readiness = new Readiness([
    up,
    {
      dependency: 'directories',
      check: () => ({ status: 'degraded', reason: 'old', facts: { ageMs: 70_000 } }),
    },
  ]);
  expect(await readiness.report()).toEqual({
    status: 'ready',
    dependencies: {
      postgres: { status: 'up' },
      directories: { status: 'degraded', reason: 'old', facts: { ageMs: 70_000 } },
    },
  });
});

it('is not ready when a check throws, and says no more than the kind of error', async () => {
  const check = () => {
    throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:5432'), { code: 'ECONNREFUSED' });
  };
  const report = await new Readiness([up, { dependency: 'log', check }]).report();
  expect(report.status).toBe('not-ready');
  expect(report.dependencies.log).toEqual({ status: 'down', reason: 'ECONNREFUSED' });
});

it('takes a dependency that hangs for one that is down', async () => {
  const readiness = new Readiness([up, { dependency: 'log', check: () => new Promise(() => {}) }]);
  const report = await readiness.report();
  expect(report.dependencies.log).toEqual({ status: 'down', reason: 'no answer within 2000 ms' });
});

it.each([
  ['hangs', () => new Promise<never>(() => {})],
  ['throws', () => Promise.reject(new Error('gone'))],
])('is ready though a dependency %s that it can do without', async (_, check) => {
  const report = await new Readiness([up, { dependency: 'log', check, otherwise: 'degraded' }]).report();
  expect([report.status, report.dependencies.log?.status]).toEqual(['ready', 'degraded']);
});

it('asks once for all who ask at the same time, and again later', async () => {
  let asked = 0;
  const readiness = new Readiness([{ dependency: 'log', check: async () => (asked++, { status: 'up' }) }]);
  await Promise.all([readiness.report(), readiness.report(), readiness.report()]);
  expect(asked).toBe(1);
  await readiness.report();
  expect(asked).toBe(2);
});

it('wants no traffic once it drains, whatever is up', async () => {
  const readiness = new Readiness([up]);
  readiness.startDraining();
  expect((await readiness.report()).status).toBe('draining');
});
