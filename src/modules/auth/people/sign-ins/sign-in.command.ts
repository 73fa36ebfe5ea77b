// Signs somebody in by password and, if they have one, second factor. Whether there is no such account, the
// password is wrong or the address not verified makes no difference, neither in the answer nor in its time.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { CONFIG, type Config } from '../../../../config/config.js';
import { EventStore } from '../../../../event-store/event-store.js';
import type { SignInEvent } from '../../../../events/person.events.js';
import { failpoint } from '../../../../telemetry/failpoint.js';
import { originOfPerson } from '../../access.js';
import { placeOf } from '../../limits/client-network.js';
import { MemberDirectory } from '../../merchants/member.directory.js';
import type { Origin, Whence } from '../../origin.js';
import type { EmailHolder } from '../email-claim.js';
import { PasswordHashing } from '../passwords/password-hashing.js';
import { People } from '../people.js';
import type { Person } from '../person.aggregate.js';
import { GuessLimits } from './guess-limits.js';
import { SecondFactor } from './second-factor.js';
import type { SignIn } from './sign-in.entity.js';
import { signInStream } from './sign-in.stream.js';
import { newSignInId, SignIns } from './sign-ins.js';

export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** Of the second factor. */
  readonly code: string | undefined;
  /** For whom to act; undefined: whom they joined first. */
  readonly merchant: string | undefined;
  readonly byCookie: boolean;
}

export interface Client {
  readonly address: string;
  readonly userAgent: string | undefined;
  readonly whence: Whence;
}

export type SignInOutcome =
  | { readonly outcome: 'signed-in'; readonly signIn: SignIn; readonly secret: string }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'second-factor-required' }
  | { readonly outcome: 'second-factor-refused' }
  | { readonly outcome: 'no-member' };

export class SignInPerson extends Command<SignInOutcome> {
  constructor(
    readonly credentials: Credentials,
    readonly client: Client,
  ) {
    super();
  }
}

export const requiresVerifiedEmail = ({
  AUTH_EMAIL_VERIFICATION,
  SMTP_URL,
}: Pick<Config, 'AUTH_EMAIL_VERIFICATION' | 'SMTP_URL'>): boolean =>
  (AUTH_EMAIL_VERIFICATION ?? (SMTP_URL === undefined ? 'optional' : 'required')) === 'required';

@CommandHandler(SignInPerson)
export class SignInPersonHandler implements ICommandHandler<SignInPerson> {
  readonly #requiresVerifiedEmail: boolean;

  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    @Inject(CONFIG) config: Config,
    private readonly people: People,
    private readonly hashing: PasswordHashing,
    private readonly secondFactor: SecondFactor,
    private readonly limits: GuessLimits,
    private readonly members: MemberDirectory,
    private readonly signIns: SignIns,
  ) {
    this.#requiresVerifiedEmail = requiresVerifiedEmail(config);
  }

  /** @throws Problem 429 */
  async execute({ credentials, client }: SignInPerson): Promise<SignInOutcome> {
    const { email, password } = credentials;
    await this.#countGuess(email, client);
    const person = personOf(await this.people.holderOf(email));
    const verdict = await this.hashing.check(password, await this.people.passwordHashOf(person));
    if (person === undefined || !verdict.isRight) return { outcome: 'refused' };
    if (this.#requiresVerifiedEmail && !person.isEmailVerified) return { outcome: 'refused' };

    const origin = originOfPerson(person.id, client.whence);
    const second = await this.#checkSecondFactor(person, credentials, origin);
    if (second !== 'passed') return { outcome: second };
    if (verdict.isOutdated) await this.#rehash(person, password, origin);
    return this.#open(person, credentials, { client, origin });
  }

  async #countGuess(email: string, { address }: Client): Promise<void> {
    const isFamiliar = async () => {
      const person = personOf(await this.people.holderOf(email));
      return person !== undefined && this.signIns.isFrom(person.id, placeOf(address));
    };
    await this.limits.countGuess({ emailDigest: this.people.digestOf(email), address, isFamiliar });
  }

  async #checkSecondFactor(person: Person, { code }: Credentials, origin: Origin) {
    if (person.totp === null) return 'passed';
    if (code === undefined) return 'second-factor-required';
    await this.limits.countSecondFactor(person.id);
    return (await this.secondFactor.use(person, code, origin)) ? 'passed' : 'second-factor-refused';
  }

  async #rehash({ id, password: before }: Person, password: string, origin: Origin): Promise<void> {
    const hash = await this.people.seal(id, await this.hashing.hash(password));
    await this.people.change(id, origin, (person) =>
      person.password === before ? [{ type: 'PasswordRehashed', data: { person: id, password: hash } }] : [],
    );
  }

  async #open(
    { id: person, generation }: Person,
    { merchant: wanted, byCookie }: Credentials,
    { client, origin }: { readonly client: Client; readonly origin: Origin },
  ): Promise<SignInOutcome> {
    const merchants = this.members.merchantsOf(person).map(({ merchant }) => merchant);
    if (wanted !== undefined && !merchants.includes(wanted)) return { outcome: 'no-member' };
    const id = newSignInId();
    const event: SignInEvent = { type: 'SignedIn', data: { person, signIn: id } };
    await this.eventStore.append(signInStream(id), [{ ...event, metadata: origin }], 'none');
    failpoint('people.signed-in');
    const opened = await this.signIns.open({
      ...{ id, person, generation, byCookie },
      merchant: wanted ?? merchants[0] ?? null,
      network: placeOf(client.address),
      userAgent: client.userAgent ?? null,
    });
    await this.signIns.removeExpired();
    return { outcome: 'signed-in', ...opened };
  }
}

const personOf = (holder: EmailHolder): Person | undefined =>
  holder.is === 'registered' ? holder.person : undefined;
