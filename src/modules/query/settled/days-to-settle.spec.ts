import { daysOver } from './days-to-settle.js';

const at = Date.parse;
const starts = (...of: Parameters<typeof daysOver>) =>
  daysOver(...of).map(({ from }) => new Date(from).toISOString());

describe('days that are over', () => {
  const data = { since: at('2026-11-01T13:00:00Z'), until: at('2026-11-04T08:00:00Z') };

  it('are those of the zone, from that of the first hour to the last whose period of four hours is an hour past', () => {
    expect(starts(data, at('2026-11-04T00:59:59Z'), 'UTC')).toEqual([
      '2026-11-01T00:00:00.000Z',
      '2026-11-02T00:00:00.000Z',
    ]);
    expect(starts(data, at('2026-11-04T01:00:00Z'), 'UTC')).toHaveLength(3);
    // Midnight in Kolkata is at 18:30 UTC, within the period up to 20:00.
    expect(starts(data, at('2026-11-03T20:59:59Z'), 'Asia/Kolkata')).toHaveLength(2);
    expect(starts(data, at('2026-11-03T21:00:00Z'), 'Asia/Kolkata').at(-1)).toBe('2026-11-02T18:30:00.000Z');
  });

  it('end some time after the data does, and begin at most three years before', () => {
    expect(starts(data, at('2030-01-01T00:00:00Z'), 'UTC').at(-1)).toBe('2026-12-13T00:00:00.000Z');
    const long = { since: 0, until: data.until };
    expect(starts(long, at('2030-01-01T00:00:00Z'), 'Europe/Berlin')).toHaveLength(1_098);
  });

  it('are none on the first day', () => {
    expect(starts(data, at('2026-11-01T22:00:00Z'), 'UTC')).toEqual([]);
  });
});
