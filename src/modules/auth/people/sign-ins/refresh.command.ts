// A refresh token for the next one, and for a fresh access token. One that comes a second time was stolen, or
// stole: its sign-in ends for both. There is no time of grace: within it a thief would pass unnoticed, and a
// client that lost an answer signs in again.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../../event-store/event-store.js';
import type { SignInEvent } from '../../../../events/person.events.js';
import { originOfPerson } from '../../access.js';
import { load } from '../../aggregate.js';
import { DirectoryFollower } from '../../directories/directory-follower.js';
import { MemberDirectory } from '../../merchants/member.directory.js';
import type { Whence } from '../../origin.js';
import { People } from '../people.js';
import type { SignIn } from './sign-in.entity.js';
import { signInFold, signInStream } from './sign-in.stream.js';
import { SignIns } from './sign-ins.js';

export type RefreshOutcome =
  | { readonly outcome: 'refreshed'; readonly signIn: SignIn; readonly secret: string }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'no-member' };

export class RefreshSignIn extends Command<RefreshOutcome> {
  constructor(
    readonly request: {
      readonly refreshToken: string;
      /** For whom to act from now on; undefined: as before. */
      readonly merchant: string | undefined;
      readonly from: Whence;
    },
  ) {
    super();
  }
}

@CommandHandler(RefreshSignIn)
export class RefreshSignInHandler implements ICommandHandler<RefreshSignIn> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly people: People,
    private readonly members: MemberDirectory,
    private readonly directories: DirectoryFollower,
    private readonly signIns: SignIns,
  ) {}

  async execute({ request }: RefreshSignIn): Promise<RefreshOutcome> {
    const { refreshToken, merchant: wanted, from } = request;
    const found = await this.signIns.byRefreshToken(refreshToken);
    if (found === undefined) return { outcome: 'refused' };
    const { signIn, isPresent } = found;
    if (!isPresent) return this.#end(signIn, from);
    if (!(await this.#isOpen(signIn))) {
      await this.signIns.remove(signIn.id);
      return { outcome: 'refused' };
    }
    if (wanted !== undefined && this.members.callerOf(signIn.person, wanted) === undefined) {
      return { outcome: 'no-member' };
    }
    const merchant = wanted ?? signIn.merchant;
    const secret = await this.signIns.rotate(signIn, merchant);
    if (secret === undefined) return this.#end(signIn, from);
    return { outcome: 'refreshed', signIn: Object.assign(signIn, { merchant }), secret };
  }

  /** The rows may be older than what ended them. */
  async #isOpen({ id, person, generation }: SignIn): Promise<boolean> {
    const { state } = await load(this.eventStore, signInStream(id), signInFold);
    return state === 'open' && (await this.people.find(person))?.generation === generation;
  }

  async #end({ id, person }: SignIn, from: Whence): Promise<RefreshOutcome> {
    const event: SignInEvent = { type: 'RefreshTokenReused', data: { person, signIn: id } };
    const metadata = originOfPerson(person, from);
    await this.eventStore.append(signInStream(id), [{ ...event, metadata }], 'any');
    await this.signIns.remove(id);
    await this.directories.settle();
    return { outcome: 'refused' };
  }
}
