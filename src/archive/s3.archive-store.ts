// The archive in a bucket of any store that speaks S3: four requests, signed (version 4), path-style, each
// within its time. Nothing more is asked of the store than to show what it acknowledged: no conditional
// writes, no versions, no multipart uploads.
import { createHash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import { ArchiveStore, ArchiveStoreError, MissingObjectError, type ObjectName } from './archive-store.js';

/** A segment of 64 MiB, at half a MiB a second. */
const REQUEST_TIMEOUT_MS = 120_000;
/** Of answers that say "try again". Whoever calls tries again later, too. */
const RETRIES = 3;
const ERROR_CHARACTERS_TOLD = 300;

export interface S3ArchiveStoreOptions {
  /** Such as https://s3.eu-central-1.amazonaws.com. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Before every name; empty or ending with a slash. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

interface S3Request {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly name?: ObjectName;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export class S3ArchiveStore extends ArchiveStore {
  readonly #client: AwsClient;

  constructor(private readonly options: S3ArchiveStoreOptions) {
    super();
    const { accessKeyId, secretAccessKey, region } = options;
    this.#client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: RETRIES });
  }

  override async put(name: ObjectName, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#request({ method: 'PUT', name, body: bytes, signal });
  }

  override async get(name: ObjectName, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#request({ method: 'GET', name, signal });
  }

  override async *list(prefix: string): AsyncGenerator<ObjectName, void, undefined> {
    const before = this.options.prefix;
    let token: string | undefined;
    do {
      const query = {
        'list-type': '2',
        prefix: before + prefix,
        ...(token && { 'continuation-token': token }),
      };
      const page = Buffer.from(await this.#request({ method: 'GET', query })).toString('utf8');
      // A key that would need decoding is none of ours.
      for (const [, key] of page.matchAll(/<Key>([a-zA-Z0-9._/-]+)<\/Key>/g)) yield key!.slice(before.length);
      token = textWithin(page, 'NextContinuationToken');
    } while (token !== undefined);
  }

  override async delete(name: ObjectName): Promise<void> {
    await this.#request({ method: 'DELETE', name });
  }

  async #request({ method, name = '', query = {}, body, signal }: S3Request): Promise<Uint8Array> {
    const { endpoint, bucket, prefix } = this.options;
    const url = new URL(`${endpoint.replace(/\/+$/, '')}/${bucket}${name && `/${prefix}${name}`}`);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    try {
      const answer = await this.#client.fetch(url, {
        method,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        // The store refuses a body that was damaged on the way.
        headers: {
          'X-Amz-Content-Sha256': createHash('sha256')
            .update(body ?? '')
            .digest('hex'),
        },
        ...(body && { body }),
      });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (answer.ok) return bytes;
      throw this.#refusal(answer.status, { text: Buffer.from(bytes).toString('utf8'), method, name });
    } catch (error) {
      if (error instanceof MissingObjectError || error instanceof ArchiveStoreError) throw error;
      const { message, cause } = error as { message: string; cause?: { message?: string } };
      const reason = cause?.message ? `${message} (${cause.message})` : message;
      throw new ArchiveStoreError(`${method} of the archive at ${endpoint} failed: ${reason}`, {
        cause: error,
      });
    }
  }

  #refusal(
    status: number,
    { text, method, name }: { readonly text: string; readonly method: string; readonly name: ObjectName },
  ): Error {
    const code = textWithin(text, 'Code');
    if (status === 404 && name !== '' && code !== 'NoSuchBucket') return new MissingObjectError(name);
    const reason = textWithin(text, 'Message') ?? text.slice(0, ERROR_CHARACTERS_TOLD);
    const { endpoint, bucket } = this.options;
    return new ArchiveStoreError(
      `${method} in bucket ${bucket} at ${endpoint} was answered ${status} ${code ?? ''}: ${reason}. ` +
        'Check ARCHIVE_URL and ARCHIVE_S3_*: the key must be allowed to put, get, list and delete there.',
    );
  }
}

function textWithin(xml: string, element: string): string | undefined {
  return new RegExp(`<${element}>([^<]+)</${element}>`)
    .exec(xml)?.[1]
    ?.replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
