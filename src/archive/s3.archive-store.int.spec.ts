// The S3 driver before a server that speaks S3: the contract, and what it says when the store refuses, hangs
// or is away.
import { AwsClient } from 'aws4fetch';
import { archiveStoreContract } from '../../test/contract/archive-store.contract.js';
import { describeWith } from '../../test/servers/describe-with.js';
import { type FaultProxy, startFaultProxy } from '../../test/servers/fault-proxy.js';
import { startS3, type TestS3 } from '../../test/servers/s3.js';
import { ArchiveStoreError } from './archive-store.js';
import { S3ArchiveStore, type S3ArchiveStoreOptions } from './s3.archive-store.js';

describeWith('s3', 'S3', () => {
  let s3: TestS3;
  let stores = 0;

  beforeAll(async () => {
    s3 = await startS3();
  });
  afterAll(() => s3.stop());

  const open = (overrides: Partial<S3ArchiveStoreOptions> = {}): S3ArchiveStore =>
    new S3ArchiveStore({ ...s3, region: 'us-east-1', prefix: `${s3.prefix}${stores}/`, ...overrides });

  archiveStoreContract('S3', {
    fresh: async () => {
      stores++;
      return { store: open(), again: async () => open() };
    },
  });

  it('needs no prefix, and no slash at the end of its endpoint', async () => {
    const store = open({ prefix: '', endpoint: `${s3.endpoint}/` });
    const name = `${s3.prefix}alone`;
    await store.put(name, Buffer.from('a'));
    const listed: string[] = [];
    for await (const object of store.list(name)) listed.push(object);
    expect(listed).toEqual([name]);
    await store.delete(name);
  });

  it.each([
    ['the key is wrong', { secretAccessKey: 'wrong' }, /answered 403 .*ARCHIVE_S3_/],
    ['there is no such bucket', { bucket: 'no-such-bucket-here' }, /answered 404 NoSuchBucket/],
    [
      'nobody is there',
      { endpoint: 'http://127.0.0.1:1' },
      /127\.0\.0\.1:1 failed: .*(ECONNREFUSED|bad port)/,
    ],
  ])('says so when %s', async (_, overrides, message) => {
    const store = open(overrides);
    for (const request of [() => store.put('p/a', Buffer.from('a')), () => store.get('p/a')]) {
      const failure = await request().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ArchiveStoreError);
      expect((failure as Error).message).toMatch(message);
      expect((failure as Error).message).not.toContain(s3.secretAccessKey);
    }
  });

  it('signs what it sends, so that the store refuses a body that was changed on the way', async () => {
    const { endpoint, bucket, accessKeyId, secretAccessKey } = s3;
    const client = new AwsClient({ accessKeyId, secretAccessKey, service: 's3', region: 'us-east-1' });
    jest.spyOn(globalThis, 'fetch').mockImplementationOnce(async (request) => {
      const signed = request as Request;
      jest.restoreAllMocks();
      return fetch(signed.url, { method: 'PUT', headers: signed.headers, body: 'another' });
    });
    await expect(open().put('p/changed', Buffer.from('content'))).rejects.toThrow(/answered 4\d\d/);
    const { status } = await client.fetch(`${endpoint}/${bucket}/${s3.prefix}${stores}/p/changed`);
    expect(status).toBe(404);
  });

  describe('behind a network that fails', () => {
    let proxy: FaultProxy;
    beforeAll(async () => {
      proxy = await startFaultProxy(Number(new URL(s3.endpoint).port));
    });
    afterAll(() => proxy.close());

    it('stops waiting when it is told to', async () => {
      const store = open({ endpoint: `http://127.0.0.1:${proxy.port}` });
      await store.put('p/a', Buffer.from('a'));
      proxy.mode = 'blackhole';
      const startedAt = performance.now();
      await expect(store.put('p/b', Buffer.from('b'), AbortSignal.timeout(300))).rejects.toThrow(
        ArchiveStoreError,
      );
      expect(performance.now() - startedAt).toBeLessThan(20_000);
      proxy.mode = 'pass';
    });
  });
});
