// Suites that need a service beside this repository. Where it can neither be found nor started, they
// are skipped and one line says why; with CI=true that is a failure, so that nothing passes by absence.
import { findChromium } from './chromium.js';
import { findHaproxy } from './haproxy.js';
import { findKafka } from './kafka-source.js';
import { findRedis } from './redis.js';
import { findS3 } from './s3.js';

/** `own-…`: one that tests may kill or hang, so never one that the environment names. */
export type Service =
  'kafka' | 'own-kafka' | 'redis' | 'own-redis' | 's3' | 'own-s3' | 'haproxy' | 'chromium';

const FINDERS: Readonly<Record<Service, () => { readonly source: string; readonly why?: string }>> = {
  kafka: () => findKafka('any'),
  'own-kafka': () => findKafka('own'),
  redis: () => findRedis('any'),
  'own-redis': () => findRedis('own'),
  s3: () => findS3('any'),
  'own-s3': () => findS3('own'),
  haproxy: findHaproxy,
  chromium: findChromium,
};

export function describeWith(services: Service | readonly Service[], name: string, suite: () => void): void {
  const missing = [services]
    .flat()
    .map((service) => ({ service, ...FINDERS[service]() }))
    .find(({ source }) => source === 'none');
  if (missing === undefined) {
    describe(name, suite);
    return;
  }
  const reason = `needs ${missing.service}: ${missing.why}`;
  if (process.env['CI'] === 'true') {
    describe(name, () => {
      it('has the services it needs', () => {
        throw new Error(reason);
      });
    });
    return;
  }
  process.stderr.write(`Skipped: ${name} ${reason}\n`);
  const skipped = describe.skip;
  skipped(name, suite);
}
