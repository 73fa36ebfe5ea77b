// What it takes to know a million sites and two million keys: a process of each role as `npm start` runs it,
// from its start until it is ready, first on nothing but events, then from the snapshot that the first one left;
// what it holds; and, in this process, what a look-up takes. The first one has kept the control plane's tables when
// the next ones start, which is what a projector knows the deleted sites by. --sites=1000000 --keys-per-site=2
// --sites-per-merchant=4; --heap=224 megabytes, by default what `npm start` says; --boots=0: only the
// look-ups.
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RecordedEvent } from '../src/event-store/event-store.js';
import { KeyDirectory } from '../src/modules/auth/directories/key.directory.js';
import { SiteDirectory } from '../src/modules/auth/directories/site.directory.js';
import { KeyPepper } from '../src/modules/auth/keys/key-pepper.js';
import { migrate } from '../src/postgres/migrate.js';
import { random } from '../test/traffic.js';
import { fillEventStore, keyOf, populated, siteOf } from './filled-event-store.js';
import { type Fact, quantile, report, seconds } from './measure.js';
import { option } from './option.js';
import { cpuSeconds, KEY_PEPPER, Product, progress, residentMegabytes } from './product.js';
import { startCommand } from './start-command.js';

const POPULATION = {
  sites: option('sites', 1_000_000),
  keysPerSite: option('keys-per-site', 2),
  sitesPerMerchant: option('sites-per-merchant', 4),
};
const KEYS = POPULATION.sites * POPULATION.keysPerSite;
const HEAP_MEGABYTES = option('heap', 0);
/** The first finds no snapshot. */
const ROLES = ['api', 'ingest', 'api', 'projector', 'all'];
const READY_SECONDS_MAX = 30;
const RESOLVE_NS_MAX = 1_000;
const LOOKUPS = 200_000;
/** Timed together: one alone takes less than reading the clock. */
const LOOKUPS_TOGETHER = 10;
/** Those that most requests are about. */
const HOT = 1_000;

const pepper = new KeyPepper(KEY_PEPPER);

async function boots(): Promise<Fact[]> {
  const facts: Fact[] = [];
  const product = await Product.start();
  try {
    await migrate(product.postgresUrl);
    let events = 0;
    const filling = await seconds(async () => {
      events = await fillEventStore(product.pool, populated(POPULATION, pepper));
    });
    progress(`${events} events filled in ${Math.round(filling)} s`);
    facts.push({ name: 'events', value: events, unit: '' });
    for (const [index, role] of ROLES.entries()) {
      const name = index === 0 ? `${role}, from events alone` : role;
      const meanwhile = index === 0 ? () => tablesKept(product, events) : undefined;
      facts.push(...(await boot(product, { role, name, meanwhile })));
    }
    return facts;
  } finally {
    await product.stop();
  }
}

/** Long after it was ready. */
async function tablesKept({ pool }: Product, events: number): Promise<void> {
  for (;;) {
    const { rows } = await pool.query<{ position: string | null }>(
      'SELECT position FROM control.read_models',
    );
    if (Number(rows[0]?.position) >= events) return;
    await sleep(500);
  }
}

interface Boot {
  readonly role: string;
  readonly name: string;
  readonly meanwhile: (() => Promise<void>) | undefined;
}

async function boot(product: Product, { role, name, meanwhile }: Boot): Promise<Fact[]> {
  const flags = startCommand().nodeFlags.filter(
    (flag) => HEAP_MEGABYTES === 0 || !flag.startsWith('--max-old'),
  );
  if (HEAP_MEGABYTES > 0) flags.push(`--max-old-space-size=${HEAP_MEGABYTES}`);
  const environment = { NODE_OPTIONS: flags.join(' '), LOG_LEVEL: 'info' };
  const startedAt = performance.now();
  const running = await product.role(role, { environment });
  const ready = (performance.now() - startedAt) / 1_000;
  const facts: Fact[] = [
    { name: `${name}: ready`, value: ready, unit: 's', ...(name === role && { atMost: READY_SECONDS_MAX }) },
    { name: `${name}: CPU until then`, value: cpuSeconds(running.pid), unit: 's' },
    { name: `${name}: resident when ready`, value: residentMegabytes(running.pid), unit: 'MB' },
  ];
  await meanwhile?.();
  for (const line of running.printed) if (/director|deleted/.test(line)) progress(`${name}: ${line}`);
  progress(facts.map(({ value, unit }) => `${value.toFixed(1)} ${unit}`).join(', '));
  await running.stop();
  return facts;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heldBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What `fill` leaves behind. */
function bytesOf(fill: () => void): number {
  const before = heldBytes();
  fill();
  return heldBytes() - before;
}

function* recorded(type: string): Iterable<RecordedEvent> {
  let position = 0;
  for (const { stream, event } of populated(POPULATION, pepper)) {
    if (event.type !== type) continue;
    // As parsed from the store: no string is shared with another event's.
    const data = JSON.parse(JSON.stringify(event.data)) as RecordedEvent['data'];
    yield { stream, revision: 0, position: String(++position), type, data, recordedAt: new Date() };
  }
}

function lookups(): Fact[] {
  const sites = new SiteDirectory();
  const keys = new KeyDirectory({ OPERATOR_KEY: undefined }, pepper);
  const perSite =
    bytesOf(() => {
      for (const event of recorded('SiteCreated')) sites.apply(event);
    }) / POPULATION.sites;
  const perKey =
    bytesOf(() => {
      for (const event of recorded('KeyIssued')) keys.apply(event);
    }) / KEYS;
  const next = random(1);
  const any = (count: number): number => Math.floor(next() * count);
  const site = (): string => siteOf(any(POPULATION.sites)).id;
  const domain = (): string => siteOf(any(POPULATION.sites)).domain;
  const busyDomain = (): string => siteOf(any(HOT)).domain;
  const tracked = (): string => siteOf(any(POPULATION.sites / 4) * 4).trackingId;
  const key = (): string => keyOf(any(KEYS));
  const find = (text: string): unknown => sites.find(text);
  const check = (text: string): unknown => keys.find(text);
  return [
    { name: 'a site', value: perSite, unit: 'bytes' },
    { name: 'a key', value: perKey, unit: 'bytes' },
    ...timed('site by id', { find, pick: site }),
    ...timed('site by domain', { find, pick: domain }),
    ...timed('site by domain, one of the busy', { find, pick: busyDomain }),
    ...timed('site by tracking id', { find: (id) => sites.findByTrackingId(id), pick: tracked }),
    ...timed('unknown site', { find, pick: () => `un${domain()}` }),
    ...timed('known key, one of the busy', { find: check, pick: () => keyOf(any(HOT)) }),
    ...timed('known key, any of all', { find: check, pick: key }),
    ...timed('unknown key', { find: check, pick: () => `un${key()}` }),
    ...timed('(a digest alone)', { find: (text) => pepper.digest(text), pick: key }),
  ];
}

interface Lookup {
  find(text: string): unknown;
  pick(): string;
}

/** Quantiles over groups of look-ups, each group's mean; what the arguments take to make is taken off. */
function timed(name: string, { find, pick }: Lookup): Fact[] {
  const means: number[] = [];
  for (let group = 0; group < LOOKUPS / LOOKUPS_TOGETHER; group++) {
    const picked = Array.from({ length: LOOKUPS_TOGETHER }, pick);
    const startedAt = process.hrtime.bigint();
    for (const text of picked) find(text);
    means.push(Number(process.hrtime.bigint() - startedAt) / LOOKUPS_TOGETHER);
  }
  const settled = means.slice(means.length / 4);
  return [
    { name: `${name}, p50`, value: quantile(settled, 0.5), unit: 'ns', atMost: RESOLVE_NS_MAX },
    { name: `${name}, p99`, value: quantile(settled, 0.99), unit: 'ns' },
  ];
}

const facts = lookups();
for (const { name, value, unit } of facts) progress(`${name}: ${value.toFixed(0)} ${unit}`);
report('directories', [], [...(option('boots', 1) === 0 ? [] : await boots()), ...facts]);
