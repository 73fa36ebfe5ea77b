// The promises of the test Redis: real, killable, empty when it comes back, and gone at the end.
import { Redis } from 'ioredis';
import { describeWith } from './describe-with.js';
import { startRedis, type TestRedis } from './redis.js';

describeWith('own-redis', 'a Redis of one’s own', () => {
  let redis: TestRedis;
  let client: Redis;

  beforeEach(async () => {
    redis = await startRedis({ own: true });
    client = new Redis(redis.url, { retryStrategy: () => 20 });
    client.on('error', () => undefined); // killed on purpose
  });
  afterEach(async () => {
    client.disconnect();
    await redis.stop();
  });

  it('comes back on the same port, empty, after kill -9', async () => {
    await client.set('key', 'value');
    expect(await client.get('key')).toBe('value');
    await redis.process.kill();
    await redis.process.start();
    expect(await client.get('key')).toBeNull();
  });

  it('hangs while it is paused', async () => {
    await client.ping();
    redis.process.pause();
    let answered = false;
    const asking = client.ping().then(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(answered).toBe(false);
    redis.process.resume();
    await asking;
  });

  it('is not there any more after the end', async () => {
    const other = await startRedis({ own: true });
    const { pid } = other.process;
    await other.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('is another one for everybody', async () => {
    const other = await startRedis({ own: true });
    expect(other.url).not.toBe(redis.url);
    await other.stop();
  });
});

describe('a Redis that the environment names', () => {
  it('is used, and cannot be killed', async () => {
    process.env['TEST_REDIS_URL'] = 'redis://127.0.0.1:1';
    try {
      const redis = await startRedis();
      expect(redis.url).toBe('redis://127.0.0.1:1');
      expect(() => redis.process).toThrow('may not kill');
    } finally {
      delete process.env['TEST_REDIS_URL'];
    }
  });
});
