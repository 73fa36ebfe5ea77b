import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { STAND_IN_KEY, StandInApi } from '../../../test/servers/stand-in-api.js';
import { ApiClient } from '../api-client.js';
import { importAccessLog, type ImportOutcome, sum } from './import-access-log.js';

let api: StandInApi;
beforeEach(async () => {
  api = await StandInApi.start();
});
afterEach(() => api.stop());

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

const importBytes = (bytes: AsyncIterable<Buffer>): Promise<ImportOutcome> =>
  importAccessLog(bytes, {
    client: new ApiClient({ url: api.url, key: STAND_IN_KEY }),
    site: { id: 's1', domain: 'semicomplete.com' },
    apiKey: STAND_IN_KEY,
    sleep: () => Promise.resolve(),
  });

const importText = (text: string): Promise<ImportOutcome> => importBytes(once(Buffer.from(text, 'latin1')));

const logLine = (
  path: string,
  { second = 14, agent = 'Mozilla/5.0 Firefox/25.0', referrer = '-' } = {},
): string =>
  `93.114.45.13 - - [17/May/2015:00:05:${second} +0000] "GET ${path} HTTP/1.1" 200 5 "${referrer}" "${agent}"\n`;

const sent = () => [...api.events.values()];

describe('importAccessLog', () => {
  it('sends a page view as an event that stands for its visitor', async () => {
    await importText(logLine('/a?b=1', { referrer: 'http://g.example/' }));
    expect(sent()).toEqual([
      {
        site: 's1',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        name: 'pageview',
        url: 'https://semicomplete.com/a?b=1',
        referrer: 'http://g.example/',
        occurredAt: Date.UTC(2015, 4, 17, 0, 5, 14),
        userAgent: 'Mozilla/5.0 Firefox/25.0',
        ip: '93.114.45.13',
        visitorId: expect.stringMatching(/^[0-9a-f]{32}$/),
        previousVisitorId: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ]);
  });

  it('sends neither agent nor referrer for the common format, and no address where there is a name', async () => {
    await importText('a.example.net - - [17/May/2015:12:05:14 +0000] "GET / HTTP/1.0" 200 5\n');
    expect(Object.keys(sent()[0]!).sort()).toEqual(['id', 'name', 'occurredAt', 'site', 'url', 'visitorId']);
  });

  it('accounts for every line', async () => {
    const text = [
      logLine('/'),
      logLine('/'),
      logLine('/b', { agent: 'Googlebot/2.1 (+http://www.google.com/bot.html)' }),
      logLine('/a.css'),
      logLine('/feed/'),
      logLine('/.env'),
      logLine('http://other.example/'),
      logLine('/').replace('GET', 'POST'),
      logLine('/').replace(' 200 ', ' 404 '),
      'garbage\n',
      ' \n',
      `${'x'.repeat(70_000)}\n`,
    ].join('');
    const result = await importText(text);
    expect(result).toEqual({
      outcome: 'complete',
      account: {
        lines: 12,
        imported: 3,
        bots: 1,
        skipped: {
          empty: 1,
          too_long: 1,
          malformed: 1,
          method: 1,
          status: 1,
          other_host: 1,
          probe: 1,
          feed: 1,
          asset: 1,
        },
        duplicates: 0,
        rejected: {},
        firstDay: '2015-05-17',
        lastDay: '2015-05-17',
      },
    });
    expect(new Set(sent().map(({ visitorId }) => visitorId)).size).toBe(2);
  });

  it('accounts for every line of any garbage', async () => {
    const piece = fc.constantFrom(
      ...[
        logLine('/x'),
        logLine('/a.css'),
        '"',
        '\\',
        '[',
        ' ',
        '\n',
        '\0',
        '\u00ff',
        'GET /',
        '] "',
        '" 200 5',
      ],
      '1.2.3.4 - - [17/May/2015:10:05:14 +0000] "',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 60 }), async (pieces) => {
        const text = pieces.join('');
        const { outcome, account } = await importText(text);
        const lines = text.split('\n').length - (text === '' || text.endsWith('\n') ? 1 : 0);
        expect(outcome).toBe('complete');
        expect(account.lines).toBe(lines);
        expect(account.imported + account.duplicates + sum(account.rejected) + sum(account.skipped)).toBe(
          lines,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('sends the same events again from the same lines, plain, gzipped, or after a part of them', async () => {
    const lines = Array.from({ length: 40 }, (_, index) =>
      logLine(`/${index % 7}`, { second: 10 + (index % 3) }),
    );
    await importText(lines.slice(0, 15).join(''));
    await importText(lines.join(''));
    const events = new Map(api.events);
    expect(events.size).toBe(40);
    await importBytes(once(gzipSync(lines.join(''))));
    expect(api.events).toEqual(events);
  });

  it('keeps the order of page views in one second', async () => {
    await importText(logLine('/first') + logLine('/second') + logLine('/other', { agent: 'Opera' }));
    const start = Date.UTC(2015, 4, 17, 0, 5, 14);
    expect(sent().map(({ url, occurredAt }) => [new URL(url).pathname, occurredAt - start])).toEqual([
      ['/first', 0],
      ['/second', 1],
      ['/other', 0],
    ]);
  });

  it('cuts the query of a URL that is too long, rather than losing the page view', async () => {
    await importText(
      logLine(`/a?${'x'.repeat(3_000)}`, { referrer: `http://g.example/?${'y'.repeat(3_000)}` }),
    );
    expect(sent()[0]).toMatchObject({ url: 'https://semicomplete.com/a', referrer: 'http://g.example/' });
    await importText(logLine('/b', { referrer: `http://g.example/${'y'.repeat(3_000)}` }));
    expect(sent()[1]).not.toHaveProperty('referrer');
  });

  it('says how far it came when the server goes away, and completes when run again', async () => {
    const text = Array.from({ length: 8_000 }, (_, index) => logLine(`/${index}`)).join('');
    api.misbehave = () => (api.requests.length > 3 ? 'hang-up' : undefined);
    const stopped = await importText(text);
    expect(stopped).toMatchObject({ outcome: 'stopped', reason: expect.stringMatching(/^Gave up after/) });
    expect(stopped.account.imported).toBe(3_000);
    api.misbehave = () => undefined;
    expect(await importText(text)).toMatchObject({
      outcome: 'complete',
      account: { imported: 5_000, duplicates: 3_000 },
    });
    expect(api.events.size).toBe(8_000);
  });

  it('keeps what was read of gzip that is cut off, and says so', async () => {
    const text = Array.from({ length: 3_000 }, (_, index) => logLine(`/${index * 7919}`)).join('');
    const whole = gzipSync(text);
    const result = await importBytes(once(whole.subarray(0, whole.length - 2_000)));
    expect(result).toMatchObject({ outcome: 'stopped', reason: expect.stringMatching(/cut off/) });
    expect(result.account.imported).toBe(result.account.lines);
    expect(api.events.size).toBeGreaterThan(1_000);
  });
});
