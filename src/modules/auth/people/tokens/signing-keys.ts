// The keys that sign access tokens (ES256), in a table that all nodes share, the private parts encrypted under the
// pepper. Each signs for a month. The next is there an hour before it signs, so that whoever keeps the published
// ones for a while knows it in time; the last is kept until every token that it signed has long expired.
import { exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import type { Pool } from 'pg';
import type { KeyPepper } from '../../keys/key-pepper.js';
import { CHANCE } from '../../random-ids.js';
import { decrypt, encrypt } from '../encryption.js';

export const ALGORITHM = 'ES256';
const HOUR_MS = 3_600_000;
const SIGNS_FOR_MS = 30 * 24 * HOUR_MS;
const KNOWN_BEFORE_MS = HOUR_MS;
const KEPT_AFTER_MS = 24 * HOUR_MS;
const READ_AGAIN_AFTER_MS = 5 * 60_000;
/** For ids that nobody knows: an attacker makes up as many as they like. */
const READ_AGAIN_SOON_MS = 5_000;
/** Any constant will do, as long as nothing else in the database locks the same one. */
const ROTATION_LOCK = 7_433_031;

interface KeyRow {
  readonly id: string;
  readonly public_key: JWK;
  readonly encrypted_key: string;
  readonly signs_from: Date;
}

interface SigningKey {
  readonly id: string;
  readonly signsFromMs: number;
  readonly jwk: JWK;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
}

const READ = `
  SELECT id, public_key, encrypted_key, signs_from FROM people.signing_keys ORDER BY signs_from, id`;
const INSERT = `
  INSERT INTO people.signing_keys (id, public_key, encrypted_key, signs_from) VALUES ($1, $2, $3, $4)`;
/** Those whose successor has signed for long enough. */
const DELETE_RETIRED = `
  DELETE FROM people.signing_keys WHERE signs_from <
    (SELECT max(signs_from) FROM people.signing_keys WHERE signs_from < $1)`;

export class SigningKeys {
  readonly #secret: Buffer;
  #keys: readonly SigningKey[] = [];
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    pepper: KeyPepper,
    private readonly nowMs: () => number = Date.now,
  ) {
    this.#secret = pepper.derive('signing keys');
  }

  /** The one that signs now; made if there is none, or the next if its time is near. */
  async signing(): Promise<{ readonly id: string; readonly privateKey: CryptoKey }> {
    await this.#readUnlessReadWithin(READ_AGAIN_AFTER_MS);
    if (this.#needsNext()) await this.#rotate();
    return this.#keys.findLast(({ signsFromMs }) => signsFromMs <= this.nowMs())!;
  }

  /** Undefined: none of ours. */
  async verifying(id: string): Promise<CryptoKey | undefined> {
    await this.#readUnlessReadWithin(READ_AGAIN_AFTER_MS);
    const find = () => this.#keys.find((key) => key.id === id)?.publicKey;
    if (find() === undefined) await this.#readUnlessReadWithin(READ_AGAIN_SOON_MS);
    return find();
  }

  async published(): Promise<readonly JWK[]> {
    await this.#readUnlessReadWithin(READ_AGAIN_AFTER_MS);
    return this.#keys.map(({ jwk }) => jwk);
  }

  #needsNext(): boolean {
    const newest = this.#keys.at(-1);
    return newest === undefined || newest.signsFromMs + SIGNS_FOR_MS - KNOWN_BEFORE_MS <= this.nowMs();
  }

  async #rotate(): Promise<void> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT pg_advisory_xact_lock($1)', [ROTATION_LOCK]);
      // Another node may have been faster.
      await this.#take((await client.query<KeyRow>(READ)).rows);
      if (this.#needsNext()) {
        const signsFromMs = this.nowMs() + (this.#keys.length === 0 ? 0 : KNOWN_BEFORE_MS);
        await client.query(INSERT, [...(await this.#make()), new Date(signsFromMs)]);
        await client.query(DELETE_RETIRED, [new Date(this.nowMs() - KEPT_AFTER_MS)]);
        await this.#take((await client.query<KeyRow>(READ)).rows);
      }
      await client.query('COMMIT');
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  async #make(): Promise<[id: string, publicKey: string, encryptedKey: string]> {
    const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
    const id = CHANCE.newId('sk');
    const published = { ...(await exportJWK(publicKey)), kid: id, alg: ALGORITHM, use: 'sig' };
    const secret = JSON.stringify(await exportJWK(privateKey));
    return [id, JSON.stringify(published), encrypt(secret, { key: this.#secret, context: id })];
  }

  /** Whoever comes meanwhile waits for the same reading. */
  async #readUnlessReadWithin(ms: number): Promise<void> {
    if (this.nowMs() - this.#readAtMs < ms) return;
    this.#reading ??= this.pool
      .query<KeyRow>(READ)
      .then(({ rows }) => this.#take(rows))
      .finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #take(rows: readonly KeyRow[]): Promise<void> {
    this.#keys = await Promise.all(rows.map((row) => this.#open(row)));
    this.#readAtMs = this.nowMs();
  }

  async #open({ id, public_key: jwk, encrypted_key, signs_from }: KeyRow): Promise<SigningKey> {
    const known = this.#keys.find((key) => key.id === id);
    if (known) return known;
    const secret = decrypt(encrypted_key, { key: this.#secret, context: id });
    if (secret === undefined) throw new Error(`The signing key ${id} is damaged: delete it from the table.`);
    const [publicKey, privateKey] = await Promise.all(
      [jwk, JSON.parse(secret.toString()) as JWK].map((key) => importJWK(key, ALGORITHM)),
    );
    return {
      ...{ id, jwk, signsFromMs: signs_from.getTime() },
      publicKey: publicKey as CryptoKey,
      privateKey: privateKey as CryptoKey,
    };
  }
}
