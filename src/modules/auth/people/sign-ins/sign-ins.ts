// Who is signed in where: rows that any node may read and write. A sign-in is held by a secret, `id.secret`, of
// which the row has the digest: a cookie, or the refresh token, which changes with every use. A row is not the
// whole truth: whether a sign-in has ended is in the event store (see person.directory.ts), and rows go after it.
import { type DataSource, LessThan, MoreThan, type Repository } from 'typeorm';
import type { Config } from '../../../../config/config.js';
import type { KeyPepper } from '../../keys/key-pepper.js';
import { CHANCE, newSecret } from '../../random-ids.js';
import { SignIn } from './sign-in.entity.js';

const DAY_MS = 86_400_000;
/** How exact "last used" is: a dashboard asks many times a minute. */
const USE_NOTED_AFTER_MS = 60_000;
const USER_AGENT_CHARACTERS_MAX = 200;
const FORM = /^(si[1-9A-HJ-NP-Za-km-z]{11})\.([0-9A-Za-z]{32})$/;

export type SignInDraft = Pick<
  SignIn,
  'person' | 'merchant' | 'generation' | 'byCookie' | 'network' | 'userAgent'
> & {
  readonly id: string;
};

export const newSignInId = (): string => CHANCE.newId('si');

export class SignIns {
  readonly #rows: Repository<SignIn>;

  constructor(
    source: DataSource,
    private readonly pepper: KeyPepper,
    private readonly config: Pick<Config, 'AUTH_SIGN_IN_IDLE_DAYS' | 'AUTH_SIGN_IN_DAYS_MAX'>,
  ) {
    this.#rows = source.getRepository(SignIn);
  }

  /** The secret that holds it, in the form in which it is sent. */
  async open(draft: SignInDraft): Promise<{ readonly signIn: SignIn; readonly secret: string }> {
    const now = Date.now();
    const secret = `${draft.id}.${newSecret()}`;
    const endsAt = new Date(now + this.config.AUTH_SIGN_IN_DAYS_MAX * DAY_MS);
    const signIn: SignIn = {
      ...draft,
      userAgent: draft.userAgent?.slice(0, USER_AGENT_CHARACTERS_MAX) ?? null,
      digest: this.pepper.digest(secret),
      createdAt: new Date(now),
      lastUsedAt: new Date(now),
      expiresAt: this.#expiry(now, endsAt),
      endsAt,
    };
    await this.#rows.insert(signIn);
    return { signIn, secret };
  }

  /** Undefined: of no sign-in that there is. `isPresent` false: it was good once, and is used up. */
  async byRefreshToken(
    given: string,
  ): Promise<{ readonly signIn: SignIn; readonly isPresent: boolean } | undefined> {
    const signIn = await this.#alive(given);
    if (signIn === null || signIn.byCookie) return undefined;
    return { signIn, isPresent: signIn.digest === this.pepper.digest(given) };
  }

  /** The next refresh token, for one of any number who show the same; undefined: this is not the one. */
  async rotate(signIn: SignIn, merchant: string | null): Promise<string | undefined> {
    const secret = `${signIn.id}.${newSecret()}`;
    const { affected } = await this.#rows.update(
      { id: signIn.id, digest: signIn.digest },
      { digest: this.pepper.digest(secret), merchant, ...this.#used(signIn) },
    );
    return affected === 1 ? secret : undefined;
  }

  async byCookie(given: string): Promise<SignIn | undefined> {
    const signIn = await this.#alive(given);
    if (signIn === null || !signIn.byCookie || signIn.digest !== this.pepper.digest(given)) return undefined;
    if (Date.now() - signIn.lastUsedAt.getTime() > USE_NOTED_AFTER_MS) {
      await this.#rows.update({ id: signIn.id }, this.#used(signIn));
    }
    return signIn;
  }

  /** Those that have not expired, the last used first. */
  async ofPerson(person: string): Promise<readonly SignIn[]> {
    return this.#rows.find({
      where: { person, expiresAt: MoreThan(new Date()) },
      order: { lastUsedAt: 'DESC', id: 'ASC' },
    });
  }

  /** Whether the person is signed in from there. */
  async isFrom(person: string, network: string): Promise<boolean> {
    return this.#rows.existsBy({ person, network, expiresAt: MoreThan(new Date()) });
  }

  async remove(id: string): Promise<void> {
    await this.#rows.delete({ id });
  }

  async removeOfPerson(person: string, before: number): Promise<void> {
    await this.#rows.delete({ person, generation: LessThan(before) });
  }

  async removeExpired(): Promise<void> {
    await this.#rows.delete({ expiresAt: LessThan(new Date()) });
  }

  async #alive(given: string): Promise<SignIn | null> {
    const [, id] = FORM.exec(given) ?? [];
    return id === undefined ? null : this.#rows.findOneBy({ id, expiresAt: MoreThan(new Date()) });
  }

  #used({ endsAt }: SignIn): Pick<SignIn, 'lastUsedAt' | 'expiresAt'> {
    const now = Date.now();
    return { lastUsedAt: new Date(now), expiresAt: this.#expiry(now, endsAt) };
  }

  #expiry(nowMs: number, endsAt: Date): Date {
    return new Date(Math.min(nowMs + this.config.AUTH_SIGN_IN_IDLE_DAYS * DAY_MS, endsAt.getTime()));
  }
}
