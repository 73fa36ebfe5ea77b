// How often anybody may guess: per client address whatever the account, per account and address, and per account
// whatever the address, so that many machines are no better than one. Counted alike whether or not there is such
// an account. Nobody is locked out: tries come back with time, and who is signed in already from the network they
// ask from is not held up by what others try.
import type { Config } from '../../../../config/config.js';
import { ofStatus } from '../../../../http/problem-details.js';
import { Problem } from '../../../../http/problem.js';
import type { AuthTelemetry } from '../../auth.telemetry.js';
import { networkOf } from '../../limits/client-network.js';
import type { RateLimit, RateLimits } from '../../limits/rate-limits.js';
import type { KeyPepper } from '../../keys/key-pepper.js';

const WINDOW_MS = 600_000;
const ADDRESSES_OF_ACCOUNT = 5;
const SECOND_FACTORS = { name: 'second-factor', requestsMax: 10, windowMs: 3_600_000 } as const;
/** However many machines try the password of one shared link. */
const OF_LINK = { name: 'guess-at-link', requestsMax: 300, windowMs: WINDOW_MS } as const;
const MAILS = { name: 'mail-to', requestsMax: 5, windowMs: 3_600_000 } as const;
const INVITATIONS = { name: 'invitation-to', requestsMax: 5, windowMs: 3_600_000 } as const;
const SUBJECT_CHARACTERS = 32;

export interface GuessLimitsDeps {
  readonly config: Pick<Config, 'AUTH_GUESSES_PER_ACCOUNT_MAX' | 'AUTH_GUESSES_PER_ADDRESS_MAX'>;
  readonly limits: RateLimits;
  readonly pepper: KeyPepper;
  readonly telemetry: AuthTelemetry;
}

export interface Guess {
  /** HMAC of the e-mail address. */
  readonly emailDigest: string;
  readonly address: string;
  /** Whether the account is in use from where this comes from. Asked only when others used up its tries. */
  readonly isFamiliar: () => Promise<boolean>;
}

export class GuessLimits {
  readonly #ofAddress: RateLimit;
  readonly #ofAccountAndAddress: RateLimit;
  readonly #ofAccount: RateLimit;

  constructor(private readonly deps: GuessLimitsDeps) {
    const { AUTH_GUESSES_PER_ACCOUNT_MAX: requestsMax, AUTH_GUESSES_PER_ADDRESS_MAX } = deps.config;
    this.#ofAddress = {
      name: 'guess-from',
      requestsMax: AUTH_GUESSES_PER_ADDRESS_MAX,
      windowMs: WINDOW_MS,
    };
    this.#ofAccountAndAddress = { name: 'guess', requestsMax, windowMs: WINDOW_MS };
    this.#ofAccount = {
      name: 'guess-at',
      requestsMax: requestsMax * ADDRESSES_OF_ACCOUNT,
      windowMs: WINDOW_MS,
    };
  }

  /** @throws Problem 429 */
  async countGuess({ emailDigest, address, isFamiliar }: Guess): Promise<void> {
    await this.countAddress(address);
    await this.#take(this.#ofAccountAndAddress, `${emailDigest} from ${networkOf(address)}`);
    const { admitted, retryAfterSeconds } = await this.#admission(this.#ofAccount, emailDigest);
    if (!admitted && !(await isFamiliar())) throw this.#refused(retryAfterSeconds);
  }

  /** @throws Problem 429 */
  async countAddress(address: string): Promise<void> {
    await this.#take(this.#ofAddress, networkOf(address));
  }

  /**
   * At the password of a shared link, which many people know: nobody is familiar, and those who were let in
   * before go on as long as their session does.
   * @throws Problem 429
   */
  async countLinkGuess(link: string, address: string): Promise<void> {
    await this.countAddress(address);
    await this.#take(this.#ofAccountAndAddress, `link ${link} from ${networkOf(address)}`);
    await this.#take(OF_LINK, link);
  }

  /** Of six digits, that is: tighter, since whoever gets here knows the password. @throws Problem 429 */
  async countSecondFactor(person: string): Promise<void> {
    await this.#take(SECOND_FACTORS, person);
  }

  /** Mails to one address, whoever asks for them. @throws Problem 429 */
  async countMail(emailDigest: string): Promise<void> {
    await this.#take(MAILS, emailDigest);
  }

  /** Likewise, but by people with an account: none of them uses up what the address's owner may ask for. @throws Problem 429 */
  async countInvitation(emailDigest: string): Promise<void> {
    await this.#take(INVITATIONS, emailDigest);
  }

  async #take(limit: RateLimit, subject: string): Promise<void> {
    const { admitted, retryAfterSeconds } = await this.#admission(limit, subject);
    if (!admitted) throw this.#refused(retryAfterSeconds);
  }

  /** Hashed: what stands in Redis tells neither addresses nor accounts. */
  #admission(limit: RateLimit, subject: string) {
    const { limits, pepper } = this.deps;
    return limits.take(limit, pepper.digest(`${limit.name} ${subject}`).slice(0, SUBJECT_CHARACTERS));
  }

  #refused(retryAfterSeconds: number): Problem {
    this.deps.telemetry.refused('too-many-guesses');
    const detail = `Too many tries. Try again in ${retryAfterSeconds} s.`;
    return new Problem({ ...ofStatus(429, detail), retryAfterSeconds });
  }
}
