// Seals personal data before it goes into the event store, which forgets nothing: under a key of each subject's
// own, kept in a table outside it. Whoever's key is destroyed is forgotten everywhere at once, in every copy of
// the event store. The keys themselves are encrypted under the pepper, so that the database alone opens nothing.
// Keys are not remembered in memory: one that is destroyed opens nothing from then on, on any node.
import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Sealed } from '../../../events/person.events.js';
import type { KeyPepper } from '../keys/key-pepper.js';
import { decrypt, encrypt, KEY_BYTES } from './encryption.js';

/** The row that stays is the one that came first, which need not be this one. */
const KEEP = `
  INSERT INTO people.data_keys (subject, encrypted_key) VALUES ($1, $2) ON CONFLICT (subject) DO NOTHING`;
const FIND = `SELECT encrypted_key FROM people.data_keys WHERE subject = $1`;
const DESTROY = `DELETE FROM people.data_keys WHERE subject = $1`;

export class DataKeyUnreadableError extends Error {
  override readonly name = 'DataKeyUnreadableError';
}

export class Sealer {
  readonly #keyOfKeys: Buffer;

  constructor(
    private readonly pool: Pool,
    pepper: KeyPepper,
  ) {
    this.#keyOfKeys = pepper.derive('data keys');
  }

  /** @param subject whose data it is, such as `person-p7Gk2mQx9RtP`: gets a key if it has none. */
  async seal(subject: string, text: string): Promise<Sealed> {
    return encrypt(text, {
      key: (await this.#find(subject)) ?? (await this.#make(subject)),
      context: subject,
    });
  }

  /** Undefined: the subject's key has been destroyed. */
  async open(subject: string, sealed: Sealed): Promise<string | undefined> {
    const key = await this.#find(subject);
    return key && decrypt(sealed, { key, context: subject })?.toString();
  }

  /** For ever: what was sealed for the subject is lost. */
  async destroy(subject: string): Promise<void> {
    await this.pool.query(DESTROY, [subject]);
  }

  async #make(subject: string): Promise<Buffer> {
    const key = encrypt(randomBytes(KEY_BYTES), this.#encryptionOf(subject));
    await this.pool.query(KEEP, [subject, key]);
    return (await this.#find(subject))!;
  }

  async #find(subject: string): Promise<Buffer | undefined> {
    const { rows } = await this.pool.query<{ encrypted_key: string }>(FIND, [subject]);
    if (rows[0] === undefined) return undefined;
    const key = decrypt(rows[0].encrypted_key, this.#encryptionOf(subject));
    if (key === undefined) throw new DataKeyUnreadableError(`The data key of ${subject} is damaged.`);
    return key;
  }

  #encryptionOf(subject: string) {
    return { key: this.#keyOfKeys, context: `data key of ${subject}` };
  }
}
