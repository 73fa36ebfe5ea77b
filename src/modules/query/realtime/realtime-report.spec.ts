import { MINUTES, numbersOf, type RealtimeRow, windowAt } from './realtime-report.js';

const NOW = Date.parse('2026-11-21T10:29:40.120Z');
const nobody = { visitors: 0, pageviews: 0, events: 0 };
const row = (panel: RealtimeRow['panel'], value: string | null, visitors: number): RealtimeRow => ({
  ...{ panel, value, visitors, pageviews: visitors + 1, events: visitors + 2 },
  visitors_now: panel === 'total' ? visitors - 1 : null,
});

describe('the window', () => {
  it('is the present minute and the 29 before it', () => {
    const { from, now, visitorsAfter } = windowAt(NOW);
    expect(new Date(from).toISOString()).toBe('2026-11-21T10:00:00.000Z');
    expect(now).toBe(NOW);
    expect(new Date(visitorsAfter).toISOString()).toBe('2026-11-21T10:24:40.120Z');
  });

  it('moves on with the first millisecond of a minute', () => {
    const minute = Date.parse('2026-11-21T10:30:00Z');
    expect(windowAt(minute).from - windowAt(minute - 1).from).toBe(60_000);
  });
});

describe('the numbers', () => {
  const window = windowAt(NOW);

  it('have a row for every minute, whether anything happened or not', () => {
    const { minutes } = numbersOf([row('minutes', '0', 3), row('minutes', '29', 1)], window);
    expect(minutes).toHaveLength(MINUTES);
    expect(minutes[0]).toEqual({ minute: '2026-11-21T10:00:00Z', visitors: 3, pageviews: 4, events: 5 });
    expect(minutes[1]).toEqual({ minute: '2026-11-21T10:01:00Z', ...nobody });
    expect(minutes[29]).toEqual({ minute: '2026-11-21T10:29:00Z', visitors: 1, pageviews: 2, events: 3 });
  });

  it('name the values of each list, in the order given', () => {
    const rows = [
      row('total', null, 9),
      ...[row('pages', '/b', 2), row('pages', '/a', 2)],
      ...[row('sources', 'Google', 5), row('countries', 'DE', 6), row('devices', 'Mobile', 7)],
    ];
    const numbers = numbersOf(rows, window);
    expect(numbers.visitors).toBe(8);
    expect(numbers.last_30_minutes).toEqual({ visitors: 9, pageviews: 10, events: 11 });
    expect(numbers.pages.map(({ page }) => page)).toEqual(['/b', '/a']);
    expect(numbers.sources).toEqual([{ source: 'Google', visitors: 5, pageviews: 6, events: 7 }]);
    expect(numbers.countries).toEqual([{ country: 'DE', visitors: 6, pageviews: 7, events: 8 }]);
    expect(numbers.devices).toEqual([{ device: 'Mobile', visitors: 7, pageviews: 8, events: 9 }]);
  });

  it('are zeros and empty lists where nobody was', () => {
    const numbers = numbersOf([], window);
    expect(numbers).toMatchObject({ visitors: 0, last_30_minutes: nobody, pages: [], devices: [] });
    expect(numbers.minutes.every(({ visitors }) => visitors === 0)).toBe(true);
  });
});
