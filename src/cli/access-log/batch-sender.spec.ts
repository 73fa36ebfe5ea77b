import { type Misbehaviour, STAND_IN_KEY, StandInApi } from '../../../test/servers/stand-in-api.js';
import { ApiClient } from '../api-client.js';
import { BATCH_BYTES_MAX, BATCH_EVENTS_MAX, BatchSender } from './batch-sender.js';

let api: StandInApi;
let waits: number[];

beforeEach(async () => {
  api = await StandInApi.start();
  waits = [];
});
afterEach(() => api.stop());

const senderTo = (url: string): BatchSender =>
  new BatchSender({
    client: new ApiClient({ url, key: STAND_IN_KEY }),
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  });

const event = (index: number, more: object = {}): object => ({ id: `e${index}`, ...more });

async function send(count: number, sender = senderTo(api.url)): Promise<BatchSender> {
  for (let index = 0; index < count; index++) await sender.add(event(index));
  await sender.finish();
  return sender;
}

const batches = (): unknown[][] => api.requests.map(({ body }) => body as unknown[]);

/** Misbehaves for the first requests only. */
function atFirst(times: number, misbehaviour: Misbehaviour): Misbehaviour {
  let left = times;
  return (request) => (left-- > 0 ? misbehaviour(request) : undefined);
}

describe('BatchSender', () => {
  it('sends every event once, in batches of at most the limit', async () => {
    const { account } = await send(2 * BATCH_EVENTS_MAX + 1);
    expect(account).toEqual({ imported: 2 * BATCH_EVENTS_MAX + 1, duplicates: 0, rejected: {} });
    expect(
      batches()
        .map((batch) => batch.length)
        .sort((a, b) => b - a),
    ).toEqual([1000, 1000, 1]);
    expect(api.events.size).toBe(2 * BATCH_EVENTS_MAX + 1);
  });

  it('keeps every batch under the limit of bytes', async () => {
    const sender = senderTo(api.url);
    for (let index = 0; index < 30; index++) await sender.add(event(index, { url: 'ü'.repeat(50_000) }));
    await sender.finish();
    expect(sender.account.imported).toBe(30);
    for (const batch of batches()) {
      expect(Buffer.byteLength(JSON.stringify(batch))).toBeLessThanOrEqual(BATCH_BYTES_MAX);
    }
    expect(batches().length).toBe(4);
  });

  it('sends nothing when there is nothing', async () => {
    expect((await send(0)).account.imported).toBe(0);
    expect(api.requests).toEqual([]);
  });

  it.each([429, 503, 502])('waits and sends again after %i', async (status) => {
    api.misbehave = atFirst(2, () => ({ status, body: { title: 'busy' } }));
    expect((await send(3)).account.imported).toBe(3);
    expect(batches().length).toBe(3);
    expect(waits.length).toBe(2);
    expect(waits[1]).toBeGreaterThan(waits[0]! * 1.1);
  });

  it('waits as long as the server asks', async () => {
    api.misbehave = atFirst(1, () => ({ status: 503, headers: { 'retry-after': '7' } }));
    await send(1);
    expect(waits).toEqual([7_000]);
  });

  it('sends the same batch again when the connection breaks before the answer', async () => {
    api.misbehave = atFirst(1, () => 'hang-up');
    expect((await send(3)).account.imported).toBe(3);
    expect(batches()[0]).toEqual(batches()[1]);
  });

  it('counts a batch that was taken although its answer was lost as duplicates, not twice', async () => {
    api.misbehave = atFirst(1, ({ body }) => {
      for (const sent of body as { id: string }[]) api.events.set(sent.id, sent as never);
      return 'hang-up';
    });
    expect((await send(3)).account).toEqual({ imported: 0, duplicates: 3, rejected: {} });
  });

  it('sends a batch again of which a part came too fast, and counts what was taken before once', async () => {
    api.misbehave = atFirst(1, ({ body }) => {
      const [first] = body as { id: string }[];
      api.events.set(first!.id, first as never);
      const rejected = [1, 2].map((index) => ({ index, reason: 'rate_limited', detail: '' }));
      return { status: 202, body: { accepted: 1, duplicates: 0, rejected } };
    });
    expect((await send(3)).account).toEqual({ imported: 3, duplicates: 0, rejected: {} });
    expect(batches()[0]).toEqual(batches()[1]);
    expect([waits.length, api.events.size]).toEqual([1, 3]);
  });

  it('gives up after a bounded number of attempts', async () => {
    api.misbehave = () => ({ status: 503, body: { detail: 'The log is full.' } });
    await expect(send(1)).rejects.toThrow(/Gave up after 10 attempts\..*The log is full/s);
    expect(api.requests.length).toBe(10);
  });

  it('gives up at once on what no repetition mends', async () => {
    api.misbehave = () => ({ status: 401, body: { title: 'No valid key' } });
    await expect(send(1)).rejects.toThrow(/does not know this key/);
    expect(api.requests.length).toBe(1);
  });

  it('stops taking events soon after a failure', async () => {
    api.misbehave = () => ({ status: 403, body: { detail: 'needs ingest:server' } });
    const sender = senderTo(api.url);
    const endless = async () => {
      for (let index = 0; ; index++) await sender.add(event(index));
    };
    await expect(endless()).rejects.toThrow(/needs ingest:server/);
    expect(api.requests.length).toBeLessThanOrEqual(5);
  });

  it('counts what the server rejects by its reason, a batch without anything acceptable too', async () => {
    const rejected = [
      { index: 0, reason: 'url_invalid' },
      { index: 1, reason: 'ip_invalid' },
      { index: 2, reason: 'url_invalid' },
    ];
    api.misbehave = () => ({ status: 202, body: { accepted: 4, duplicates: 1, rejected } });
    expect((await send(8)).account).toEqual({
      imported: 4,
      duplicates: 1,
      rejected: { url_invalid: 2, ip_invalid: 1 },
    });
    api.misbehave = () => ({ status: 400, body: { title: 'Nothing acceptable', errors: rejected } });
    expect((await send(3)).account).toEqual({
      imported: 0,
      duplicates: 0,
      rejected: { url_invalid: 2, ip_invalid: 1 },
    });
  });

  it('refuses an answer that does not account for every event', async () => {
    api.misbehave = () => ({ status: 202, body: { accepted: 1, duplicates: 0, rejected: [] } });
    await expect(send(2)).rejects.toThrow(/accounted for 1 of 2 events/);
  });
});
