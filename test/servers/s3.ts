// A store that speaks S3 for whoever asks: the one that TEST_S3_URL names (https://key:secret@host/bucket),
// else S3Proxy, a server that installations do put before their disks: it checks signatures and the sums of
// bodies as Amazon's does, but it is not Amazon's. Each who asks gets a part of the bucket for himself.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AwsClient } from 'aws4fetch';
import { freePort } from './free-port.js';
import { findJars, type Jars } from './java-jars.js';
import { serverDirectory } from './run-directory.js';
import { accepts, type ServerProcess, startServer } from './server-process.js';

export interface TestS3 {
  readonly endpoint: string;
  readonly bucket: string;
  /** Nobody else's. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** @throws when read, if the server is a given one */
  readonly process: ServerProcess;
  stop(): Promise<void>;
}

export type S3Source = { readonly source: 'given'; readonly url: URL } | Jars;

const POM = fileURLToPath(new URL('s3proxy.pom.xml', import.meta.url));
const BUCKET = 'tidemark-test';
const KEY = { accessKeyId: 'test-key', secretAccessKey: 'test-secret' };
const QUIET = `<configuration>
  <appender name="err" class="ch.qos.logback.core.ConsoleAppender"><target>System.err</target>
    <encoder><pattern>%d %level %logger{0}: %msg%n</pattern></encoder></appender>
  <root level="warn"><appender-ref ref="err"/></root>
</configuration>`;

let jars: Jars | undefined;

/** `own`: one that a test may kill, so never a given one. */
export function findS3(kind: 'any' | 'own'): S3Source {
  const given = process.env['TEST_S3_URL'];
  if (kind === 'any' && given) return { source: 'given', url: new URL(given) };
  const version = /<artifactId>s3proxy<\/artifactId>\s*<version>([^<]+)</.exec(
    readFileSync(POM, 'utf8'),
  )![1]!;
  return (jars ??= findJars({ pom: POM, name: `s3proxy-${version}` }));
}

export async function startS3({ own = false }: { readonly own?: boolean } = {}): Promise<TestS3> {
  const found = findS3(own ? 'own' : 'any');
  const prefix = `${randomBytes(6).toString('hex')}/`;
  if (found.source === 'none') throw new Error(`There is no S3 for tests: ${found.why}`);
  if (found.source === 'given') return { ...given(found.url), prefix };
  const directory = serverDirectory('s3');
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  await writeFile(join(directory, 'logback.xml'), QUIET);
  await writeFile(join(directory, 's3proxy.properties'), propertiesOf(endpoint));
  const process = await startServer({
    command: found.java,
    args: [
      ...['-Xmx192m', `-Dlogback.configurationFile=${join(directory, 'logback.xml')}`],
      ...['-cp', join(found.directory, '*'), 'org.gaul.s3proxy.Main'],
      ...['--properties', join(directory, 's3proxy.properties')],
    ],
    directory,
    answers: () => accepts(port),
  });
  const { status } = await new AwsClient({ ...KEY, service: 's3', region: 'us-east-1' }).fetch(
    `${endpoint}/${BUCKET}`,
    { method: 'PUT' },
  );
  if (status !== 200) throw new Error(`The bucket could not be made: ${status}`);
  return {
    ...{ endpoint, prefix, process, bucket: BUCKET },
    ...KEY,
    async stop() {
      await process.kill();
      await rm(directory, { recursive: true });
    },
  };
}

function given(url: URL): Omit<TestS3, 'prefix'> {
  return {
    endpoint: url.origin,
    bucket: url.pathname.slice(1),
    accessKeyId: decodeURIComponent(url.username),
    secretAccessKey: decodeURIComponent(url.password),
    get process(): never {
      throw new Error('TEST_S3_URL names a server that tests may not kill: ask for an own one');
    },
    stop: async () => {},
  };
}

function propertiesOf(endpoint: string): string {
  return Object.entries({
    's3proxy.endpoint': endpoint,
    's3proxy.authorization': 'aws-v4',
    's3proxy.identity': KEY.accessKeyId,
    's3proxy.credential': KEY.secretAccessKey,
    // In memory: its stores on disk read an object's size before they open it, and so can answer with one
    // object's size and another's bytes.
    'jclouds.provider': 'transient',
    'jclouds.identity': 'local',
    'jclouds.credential': 'local',
  })
    .map((pair) => pair.join('='))
    .join('\n');
}
