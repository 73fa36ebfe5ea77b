import { PassThrough } from 'node:stream';
import { EventStream, messageOf } from './event-stream.js';
import type { Snapshot } from './snapshots.js';

const say = (stream: EventStream, text: string) => stream.offer(text, Buffer.from(`data: ${text}\n\n`));
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What the stream has said to a reader that takes everything. */
function heardFrom(stream: EventStream): string[] {
  const heard: string[] = [];
  stream.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
  return heard;
}

describe('an event stream', () => {
  it('says when to come back, then what is new, once', async () => {
    const stream = new EventStream({ retryMs: 1_234 });
    say(stream, 'a');
    const heard = heardFrom(stream);
    await turn();
    say(stream, 'a');
    say(stream, 'b');
    await turn();
    say(stream, 'a');
    await turn();
    expect(heard).toEqual(['retry: 1234\n\n', 'data: a\n\n', 'data: b\n\n', 'data: a\n\n']);
  });

  it('says nothing that the client has already', async () => {
    const stream = new EventStream({ retryMs: 1, lastEventId: 'a' });
    const heard = heardFrom(stream);
    say(stream, 'a');
    await turn();
    say(stream, 'b');
    await turn();
    expect(heard.slice(1)).toEqual(['data: b\n\n']);
  });

  it('keeps one message for a reader that does not read, the latest', async () => {
    const stream = new EventStream({ retryMs: 1 });
    const socket = new PassThrough({ highWaterMark: 1 });
    stream.pipe(socket);
    await turn();
    for (let n = 0; n < 1_000; n++) {
      say(stream, `number ${n}`);
      if (n % 100 === 0) await turn();
    }
    await turn();
    expect(stream.readableLength + socket.readableLength + socket.writableLength).toBeLessThan(100);
    const heard: string[] = [];
    socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    await turn();
    await turn();
    expect(heard.at(-1)).toBe('data: number 999\n\n');
    expect(heard.length).toBeLessThan(6);
  });

  it('gives a sign of life when it has been silent for 15 seconds', async () => {
    const stream = new EventStream({ retryMs: 1 });
    const heard = heardFrom(stream);
    await turn();
    const now = performance.now();
    stream.keepAlive(now + 14_000);
    await turn();
    expect(heard).toHaveLength(1);
    stream.keepAlive(now + 15_000);
    await turn();
    expect(heard.at(-1)).toBe(':\n\n');
  });

  it('hangs up on a reader that has taken nothing for a minute', async () => {
    const stream = new EventStream({ retryMs: 1 });
    say(stream, 'a');
    const now = performance.now();
    stream.keepAlive(now + 59_000);
    expect(stream.destroyed).toBe(false);
    stream.keepAlive(now + 60_000);
    expect(stream.destroyed).toBe(true);
  });

  it('ends when told to, and says nothing after that', async () => {
    const stream = new EventStream({ retryMs: 1 });
    const heard = heardFrom(stream);
    await turn();
    stream.hangUp();
    stream.hangUp();
    say(stream, 'a');
    stream.keepAlive(performance.now() + 20_000);
    await turn();
    expect([heard.length, stream.readableEnded]).toEqual([1, true]);
  });
});

it('makes the bytes of a snapshot once for all', () => {
  const snapshot = { digest: 'd', report: { visitors: 3 }, freshUntil: 0 } as Snapshot;
  expect(messageOf(snapshot).toString()).toBe('id: d\ndata: {"visitors":3}\n\n');
  expect(messageOf(snapshot)).toBe(messageOf(snapshot));
});
