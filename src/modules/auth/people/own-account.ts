// The account of whoever is signed in, and whether it is really them at the keyboard: what a stolen token must not
// be enough for takes the password again.
import type { Origin } from '../origin.js';
import { Problem } from '../../../http/problem.js';
import { placeOf } from '../limits/client-network.js';
import type { PasswordHashing } from './passwords/password-hashing.js';
import type { People } from './people.js';
import type { Person } from './person.aggregate.js';
import type { GuessLimits } from './sign-ins/guess-limits.js';
import type { SecondFactor } from './sign-ins/second-factor.js';
import type { SignIns } from './sign-ins/sign-ins.js';
import type { SignedInPerson } from './tokens/access-tokens.js';

export interface OwnAccountDeps {
  readonly people: People;
  readonly hashing: PasswordHashing;
  readonly limits: GuessLimits;
  readonly signIns: SignIns;
  readonly secondFactor: SecondFactor;
}

/** What somebody gives again. */
export interface Presence {
  readonly password?: string;
  readonly code?: string;
}

export class OwnAccount {
  constructor(private readonly deps: OwnAccountDeps) {}

  /** @throws Problem 401 when there is no such account any more. */
  async of({ person: id }: SignedInPerson): Promise<Person> {
    const person = await this.deps.people.find(id);
    if (person === undefined) throw Problem.unauthorized('There is no such account any more.');
    return person;
  }

  /** @throws Problem 403, or 429 after too many tries. */
  async requirePassword(person: Person, password: string, address: string): Promise<void> {
    await this.countGuess(person, address);
    const { isRight } = await this.deps.hashing.check(
      password,
      await this.deps.people.passwordHashOf(person),
    );
    if (!isRight) throw Problem.forbidden('The password is wrong.');
  }

  /**
   * All that the account has: its password, its second factor, both, or nothing where another issuer signs them in.
   * @throws Problem 400, 403, or 429 after too many tries.
   */
  async requirePresence(
    person: Person,
    { password, code }: Presence,
    { address, origin }: { readonly address: string; readonly origin: Origin },
  ): Promise<void> {
    const missing = [
      ...(person.password !== null && password === undefined ? ['password'] : []),
      ...(person.totp !== null && code === undefined ? ['code'] : []),
    ];
    if (missing.length > 0) {
      const errors = missing.map((path) => ({ path, message: `${path} is needed` }));
      throw Problem.badRequest(`Send your ${missing.join(' and ')} too.`, errors);
    }
    if (person.password !== null) await this.requirePassword(person, password!, address);
    if (person.totp === null) return;
    await this.deps.limits.countSecondFactor(person.id);
    if (!(await this.deps.secondFactor.use(person, code!, origin)))
      throw Problem.forbidden('The code is wrong.');
  }

  /** @throws Problem 429 */
  async countGuess({ id, emailDigest }: Person, address: string): Promise<void> {
    const isFamiliar = () => this.deps.signIns.isFrom(id, placeOf(address));
    await this.deps.limits.countGuess({ emailDigest, address, isFamiliar });
  }
}
