// A Kafka that wants a name, a password and TLS: settings that fit are let in, others end the boot
// with a line that says what to look at.
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchNamed } from '../../test/crash/named-batches.js';
import { describeWith } from '../../test/servers/describe-with.js';
import { freePort } from '../../test/servers/free-port.js';
import { startKafka, type TestKafka } from '../../test/servers/kafka.js';
import { readConfig } from '../config/config.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { openTrackingLog } from './tracking-log.module.js';
import { type TrackingLog, TrackingLogUnusableError } from './tracking-log.js';

describeWith('own-kafka', 'a guarded Kafka', () => {
  let directory: string;
  let kafka: TestKafka;
  let environment: Record<string, string>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-guarded-'));
    const { keyFile, certificateFile } = await makeCertificate(directory);
    const port = await freePort();
    const guarded = { port, keyFile, username: 'tidemark', password: 'secret-of-the-test' };
    kafka = await startKafka({ own: true, guarded });
    environment = {
      KAFKA_BROKERS: `127.0.0.1:${port}`,
      KAFKA_TLS: 'on',
      KAFKA_TLS_CA_FILE: certificateFile,
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: guarded.username,
      KAFKA_SASL_PASSWORD: guarded.password,
    };
  }, 240_000);
  afterAll(async () => {
    await kafka?.stop();
    await rm(directory, { recursive: true });
  });

  const open = (settings: Record<string, string>): Promise<TrackingLog> =>
    openTrackingLog(
      readConfig({ ...environment, KAFKA_TOPIC: `log-${randomUUID()}`, ...settings }),
      new Telemetry('silent'),
    );
  const refusal = async (settings: Record<string, string>): Promise<string> => {
    const error: unknown = await open(settings).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TrackingLogUnusableError);
    const { name, message } = error as Error;
    return `${name}: ${message}`;
  };

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
    'lets in by %s: appends and reads',
    async (mechanism) => {
      const log = await open({ KAFKA_SASL_MECHANISM: mechanism });
      const batch = batchNamed('a', 3);
      expect(await log.append(0, batch)).toEqual({ outcome: 'appended', position: '0' });
      for await (const { events } of log.read(0, null, { follow: false })) expect(events).toEqual(batch);
      expect(await log.end(0)).toBe('0');
      await log.close();
    },
  );

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])(
    'refuses a wrong password by %s',
    async (mechanism) => {
      const settings = { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_PASSWORD: 'wrong' };
      const message = await refusal(settings);
      expect(message).toMatch(
        /^TrackingLogUnusableError: .* refuses the credentials .* check KAFKA_SASL_MECHANISM/,
      );
      expect(message).not.toContain('wrong');
    },
  );

  it('is not spoken to when its certificate is nobody’s', async () => {
    expect(await refusal({ KAFKA_TLS_CA_FILE: '' })).toMatch(
      /^TrackingLogUnusableError: .*self-signed certificate.*KAFKA_TLS/,
    );
  });

  it('does not answer those without TLS', async () => {
    expect(await refusal({ KAFKA_TLS: 'off', KAFKA_TLS_CA_FILE: '' })).toMatch(/KAFKA_TLS/);
  });

  it('says so when TLS is asked of a listener that has none', async () => {
    expect(await refusal({ KAFKA_BROKERS: kafka.brokers[0]! })).toMatch(/KAFKA_TLS/);
  });
});

async function makeCertificate(directory: string): Promise<{ keyFile: string; certificateFile: string }> {
  const [key, certificateFile, keyFile] = ['key', 'certificate', 'both'].map((name) =>
    join(directory, `${name}.pem`),
  ) as [string, string, string];
  const subject = ['-subj', '/CN=kafka', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', key, '-out', certificateFile];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...subject, ...files], {
    stdio: 'ignore',
  });
  await writeFile(keyFile, readFileSync(key, 'utf8') + readFileSync(certificateFile, 'utf8'));
  return { keyFile, certificateFile };
}
