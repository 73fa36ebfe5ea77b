// The secret under which API keys are stored: a stolen database without it opens nothing. From
// KEY_PEPPER, or from a file made once under DATA_DIR. Its fingerprint is in the event store, so
// that a node with another pepper, which would refuse every key, refuses to boot instead.
import { createHmac, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Config, ConfigError } from '../../../config/config.js';
import type { EventStore } from '../../../event-store/event-store.js';
import type { InstallationEvent } from '../../../events/installation.events.js';
import { bySystem } from '../origin.js';

const PEPPER_STREAM = 'pepper';
const PEPPER_BYTES = 32;
const PEPPER_CHARACTERS_MIN = 32;

type PepperConfig = Pick<Config, 'KEY_PEPPER' | 'DATA_DIR'>;

export class KeyPepper {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** @throws ConfigError when this is not the installation's pepper, or it cannot be kept safe. */
  static async open(config: PepperConfig, eventStore: EventStore): Promise<KeyPepper> {
    const path = join(config.DATA_DIR, 'secrets', 'key-pepper');
    const chosen = await chosenFingerprint(eventStore);
    const given = config.KEY_PEPPER ?? (await readPepper(path));
    if (given === undefined && chosen !== undefined) throw wrongPepper(path);
    const pepper = new KeyPepper(given ?? (await makePepper(path)));
    if ((chosen ?? (await choose(pepper, eventStore))) !== pepper.fingerprint) throw wrongPepper(path);
    return pepper;
  }

  /** What is stored of a key. */
  digest(key: string): string {
    return createHmac('sha256', this.#secret).update(key).digest('hex');
  }

  /** The same in fewer characters, as it is looked up. */
  shortDigest(key: string): string {
    return createHmac('sha256', this.#secret).update(key).digest('base64url');
  }

  /** 32 bytes that nobody can tell without the secret. A purpose has a space in it, which no key has. */
  derive(purpose: string): Buffer {
    return createHmac('sha256', this.#secret).update(purpose).digest();
  }

  get fingerprint(): string {
    return createHmac('sha256', this.#secret)
      .update('fingerprint of the key pepper')
      .digest('hex')
      .slice(0, 32);
  }
}

function wrongPepper(path: string): ConfigError {
  return new ConfigError([
    `KEY_PEPPER: this installation's keys were stored under another pepper. Set KEY_PEPPER to it, ` +
      `or copy the file from the node that was started first to ${path}`,
  ]);
}

async function chosenFingerprint(eventStore: EventStore): Promise<string | undefined> {
  for await (const event of eventStore.readStream(PEPPER_STREAM)) return event.data.fingerprint as string;
  return undefined;
}

/** The fingerprint that holds: this one's, or that of a node that was faster. */
async function choose(pepper: KeyPepper, eventStore: EventStore): Promise<string | undefined> {
  const event: InstallationEvent = { type: 'PepperChosen', data: { fingerprint: pepper.fingerprint } };
  const { outcome } = await eventStore.append(
    PEPPER_STREAM,
    [{ ...event, metadata: bySystem('first boot') }],
    'none',
  );
  return outcome === 'stored' ? pepper.fingerprint : chosenFingerprint(eventStore);
}

async function readPepper(path: string): Promise<string | undefined> {
  const entry = await stat(path).catch(absent);
  if (entry === undefined) return undefined;
  if ((entry.mode & 0o077) !== 0) {
    throw new ConfigError([`KEY_PEPPER: others can read ${path}; run chmod 600 on it`]);
  }
  const pepper = (await readFile(path, 'utf8')).trim();
  if (pepper.length < PEPPER_CHARACTERS_MIN) throw new ConfigError([`KEY_PEPPER: ${path} is damaged`]);
  return pepper;
}

/** On disk before any key is stored under it; never over one that another process just made. */
async function makePepper(path: string): Promise<string> {
  const directory = dirname(path);
  const pepper = randomBytes(PEPPER_BYTES).toString('hex');
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeDurably(draft, pepper);
  try {
    await link(draft, path);
  } catch (error) {
    const other = (error as NodeJS.ErrnoException).code === 'EEXIST' ? await readPepper(path) : undefined;
    if (other === undefined) throw error;
    return other;
  } finally {
    await rm(draft, { force: true });
  }
  await syncDirectory(directory);
  return pepper;
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
