// Passwords as scrypt hashes: computed in libuv's threads, so many at a time that file and name look-ups have
// threads left and memory stays bounded; whoever waits too long in line is told to come again. A hash names its
// cost, so that one of an older cost is still checked, and known to be outdated.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Config } from '../../../../config/config.js';
import { Problem } from '../../../../http/problem.js';

const BLOCK_SIZE = 8;
/** With r = 8 and N = 2^15 as good as N = 2^17 with p = 1 (OWASP), at a quarter of the memory. */
const PARALLELISM = 3;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const AT_ONCE = 2;
const WAITING_MAX = 100;
const RETRY_AFTER_SECONDS = 5;

interface Cost {
  readonly log2N: number;
  readonly blockSize: number;
  readonly parallelism: number;
}

export interface Verdict {
  readonly isRight: boolean;
  /** Of another cost than today's: hash it anew while the password is at hand. */
  readonly isOutdated: boolean;
}

const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/;

export class PasswordHashing {
  readonly #cost: Cost;
  /** Checked where there is no account, which takes as long. */
  readonly #decoy: string;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ PASSWORD_HASH_COST }: Pick<Config, 'PASSWORD_HASH_COST'>) {
    this.#cost = { log2N: PASSWORD_HASH_COST, blockSize: BLOCK_SIZE, parallelism: PARALLELISM };
    this.#decoy = written(this.#cost, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));
  }

  /** @throws Problem 503 when too many wait. */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    return written(this.#cost, salt, await this.#derive(password, salt, this.#cost));
  }

  /**
   * @param hash undefined: there is no such account; takes as long and is never right.
   * @throws Problem 503 when too many wait.
   */
  async check(password: string, hash: string | undefined): Promise<Verdict> {
    const [, log2N, blockSize, parallelism, salt, expected] = FORM.exec(hash ?? this.#decoy)!;
    const cost = { log2N: Number(log2N), blockSize: Number(blockSize), parallelism: Number(parallelism) };
    const derived = await this.#derive(password, Buffer.from(salt!, 'base64url'), cost);
    const isEqual = timingSafeEqual(derived, Buffer.from(expected!, 'base64url'));
    return {
      isRight: isEqual && hash !== undefined,
      isOutdated: cost.log2N !== this.#cost.log2N || cost.parallelism !== this.#cost.parallelism,
    };
  }

  async #derive(password: string, salt: Buffer, { log2N, blockSize, parallelism }: Cost): Promise<Buffer> {
    await this.#turn();
    const N = 2 ** log2N;
    const maxmem = 128 * blockSize * (N + parallelism + 2);
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        const options = { N, r: blockSize, p: parallelism, maxmem };
        scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, derived) =>
          error ? reject(error) : resolve(derived),
        );
      });
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** First come, first served. */
  async #turn(): Promise<void> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= WAITING_MAX) {
        throw Problem.unavailable('Too many people sign in at the moment.', RETRY_AFTER_SECONDS);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running++;
  }
}

const written = ({ log2N, blockSize, parallelism }: Cost, salt: Buffer, hash: Buffer): string =>
  `$scrypt$ln=${log2N},r=${blockSize},p=${parallelism}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
