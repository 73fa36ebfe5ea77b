// The second factor of somebody who has one: a code by the clock, each accepted once by whichever node sees it
// first, or a recovery code, of which each is good once.
import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { KeyPepper } from '../../keys/key-pepper.js';
import { newRecoveryCode } from '../../random-ids.js';
import type { Origin } from '../../origin.js';
import { People } from '../people.js';
import type { Person } from '../person.aggregate.js';
import { stepOfCode } from '../totp.js';

const RECOVERY_CODES = 10;

/** Later steps only: a code that was seen, or one before it, is not accepted again. */
const USE_STEP = `
  INSERT INTO people.one_time_codes AS used (person, last_step) VALUES ($1, $2)
  ON CONFLICT (person) DO UPDATE SET last_step = $2 WHERE used.last_step < $2`;

@Injectable()
export class SecondFactor {
  constructor(
    private readonly pool: Pool,
    private readonly people: People,
    private readonly pepper: KeyPepper,
  ) {}

  /** Whether the code is good; it is not any more then. */
  async use(person: Person, code: string, origin: Origin): Promise<boolean> {
    if (person.totp === null) return true;
    const secret = await this.people.open(person.id, person.totp.secret);
    if (secret === undefined) return false;
    const given = code.replaceAll(/[\s-]/g, '');
    return (
      (await this.useCode(person.id, Buffer.from(secret, 'base64url'), given)) ||
      (await this.#useRecoveryCode(person.id, given, origin))
    );
  }

  async useCode(person: string, secret: Buffer, code: string): Promise<boolean> {
    const step = stepOfCode(secret, code, Date.now());
    if (step === undefined) return false;
    const { rowCount } = await this.pool.query(USE_STEP, [person, step]);
    return rowCount === 1;
  }

  /** As they are shown, once, and as they are kept. */
  recoveryCodes(person: string): { readonly shown: readonly string[]; readonly digests: readonly string[] } {
    const codes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
    return {
      shown: codes.map((code) => `${code.slice(0, 5)}-${code.slice(5)}`),
      digests: codes.map((code) => this.#digestOf(person, code)),
    };
  }

  async #useRecoveryCode(id: string, code: string, origin: Origin): Promise<boolean> {
    const recoveryCode = this.#digestOf(id, code);
    const used = await this.people.change(id, origin, ({ totp }) =>
      totp?.recoveryCodes.includes(recoveryCode)
        ? [{ type: 'RecoveryCodeUsed', data: { person: id, recoveryCode } }]
        : null,
    );
    return used !== undefined;
  }

  #digestOf(person: string, code: string): string {
    return this.pepper.digest(`recovery code of ${person} ${code}`);
  }
}
