import type { Rebuild, RebuildPartition } from './api-answers.js';
import { barLines, nextStepText, plainLine, progressText, scopeText } from './rebuild-text.js';

const partition = (number: number, more: Partial<RebuildPartition> = {}): RebuildPartition => ({
  ...{ partition: number, phase: 'sorting', events: 50, eventsExpected: 200 },
  ...more,
});

const rebuild = (more: Partial<Rebuild> = {}): Rebuild => ({
  ...{ id: 'r1', projection: 'sessions', version: 2, definition: 5, state: 'running', source: 'log' },
  scope: { sites: null, from: null, to: null },
  requestedAt: '2026-11-21T10:00:00.000Z',
  ...{ events: 500_000, eventsExpected: 1_000_000, eventsPerSecond: 12_345.6, secondsLeft: 90 },
  partitions: [partition(0), partition(1, { phase: 'following', events: 0, eventsExpected: 0 })],
  ...more,
});

describe('plainLine', () => {
  it('says how far, how fast and how long still', () => {
    expect(plainLine(rebuild())).toBe(
      'version 2  running  50 %  500,000 of 1,000,000 events  12,346 events/s  1:30 left',
    );
  });

  it('says no more than is known', () => {
    const unknown = { eventsPerSecond: null, secondsLeft: null, events: 0, eventsExpected: 0 };
    expect(plainLine(rebuild({ ...unknown, state: 'requested' }))).toBe(
      'version 2  requested  0 %  0 of 0 events  waiting for a projector',
    );
    expect(plainLine(rebuild(unknown))).toBe('version 2  running  0 %  0 of 0 events');
    expect(plainLine(rebuild({ state: 'paused' }))).not.toMatch(/events\/s|left/);
  });

  it('says what is left to do when all rows are written', () => {
    const partitions = [partition(0, { phase: 'following' })];
    expect(plainLine(rebuild({ partitions }))).toMatch(/1,000,000 events {2}making indexes, catching up$/);
    expect(plainLine(rebuild({ partitions, state: 'caught_up' }))).not.toMatch(/indexes/);
    expect(plainLine(rebuild({ partitions: [] }))).not.toMatch(/indexes/);
  });

  it('never says more than everything, although what is expected is an estimate', () => {
    expect(plainLine(rebuild({ events: 150, eventsExpected: 100 }))).toMatch(/100 % {2}150 of 150 events/);
  });
});

describe('progressText', () => {
  it('says nothing of what is over and removed', () => {
    const removed = { events: 0, eventsExpected: 0, partitions: [] };
    expect(progressText(rebuild({ ...removed, state: 'cancelled' }))).toBe('');
    expect(progressText(rebuild({ ...removed, state: 'running', secondsLeft: null }))).toMatch(
      /^0 of 0 events/,
    );
  });
});

describe('barLines', () => {
  it('draws every partition and all of them together', () => {
    const lines = barLines(rebuild(), 24);
    expect(lines).toEqual([
      'rebuild r1  version 2  running',
      `partition 0   sorting    ${'█'.repeat(6)}${'░'.repeat(18)}  25 %  50 of 200 events`,
      `partition 1   following  ${'█'.repeat(24)} 100 %  0 of 0 events`,
      `all                      ${'█'.repeat(12)}${'░'.repeat(12)}  50 %  500,000 of 1,000,000 events  12,346 events/s  1:30 left`,
    ]);
    expect(new Set(lines.slice(1).map((line) => line.search(/[█░]/))).size).toBe(1);
  });

  it('counts nothing of a partition that has not begun', () => {
    const waiting = partition(0, { phase: 'waiting', events: 0, eventsExpected: 0 });
    expect(barLines(rebuild({ partitions: [waiting] }), 24)[1]).toMatch(
      /^partition 0 {3}waiting {4}░+ +0 %$/,
    );
  });

  it('is never higher than it may be, and shows the unfinished partitions first', () => {
    const partitions = Array.from({ length: 40 }, (_, number) =>
      partition(number, { phase: number < 36 ? 'following' : 'writing' }),
    );
    const lines = barLines(rebuild({ partitions }), 10);
    expect(lines).toHaveLength(10);
    expect(lines.slice(1, -1).map((line) => line.split(/ {2,}/)[0])).toEqual([
      ...['partition 0', 'partition 1', 'partition 2'],
      ...['partition 36', 'partition 37', 'partition 38', 'partition 39'],
      'and 33 more',
    ]);
    expect(barLines(rebuild({ partitions }), 43)).toHaveLength(42);
  });
});

describe('nextStepText', () => {
  it.each([
    ['requested', /tidemark rebuilds r1 --watch/],
    ['running', /tidemark rebuilds r1 --watch/],
    ['paused', /tidemark rebuilds resume r1/],
    ['caught_up', /tidemark compare; .*tidemark promote 2/],
    ['promoted', /tidemark rollback/],
    ['cancelled', /was cancelled/],
    ['failed', /failed: a bad event\n.*tidemark rebuilds resume r1\n.*tidemark rebuilds cancel r1/],
  ] as const)('says what to do with one that is %s', (state, said) => {
    expect(nextStepText(rebuild({ state, error: 'a bad event' }))).toMatch(said);
  });
});

describe('scopeText', () => {
  it.each([
    [{ sites: null, from: null, to: null }, 'everything'],
    [{ sites: ['s1', 's2'], from: null, to: null }, 's1, s2'],
    [{ sites: null, from: '2026-11-01', to: null }, '2026-11-01 to …'],
    [{ sites: ['s1'], from: null, to: '2026-11-07' }, 's1; … to 2026-11-07'],
  ])('of %j', (scope, text) => {
    expect(scopeText(scope)).toBe(text);
  });
});
