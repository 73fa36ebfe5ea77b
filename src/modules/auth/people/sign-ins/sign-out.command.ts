// Ends one sign-in, or all that a person has. The event ends it, on every node within seconds; the row goes after.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../../event-store/event-store.js';
import type { SignInEvent } from '../../../../events/person.events.js';
import { originOfPerson } from '../../access.js';
import { DirectoryFollower } from '../../directories/directory-follower.js';
import type { Whence } from '../../origin.js';
import { People } from '../people.js';
import { signInStream } from './sign-in.stream.js';
import { SignIns } from './sign-ins.js';

export class SignOut extends Command<void> {
  constructor(
    readonly request: {
      readonly person: string;
      /** Null: all of them. */
      readonly signIn: string | null;
      readonly from: Whence;
    },
  ) {
    super();
  }
}

@CommandHandler(SignOut)
export class SignOutHandler implements ICommandHandler<SignOut> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly people: People,
    private readonly directories: DirectoryFollower,
    private readonly signIns: SignIns,
  ) {}

  async execute({ request: { person, signIn, from } }: SignOut): Promise<void> {
    const metadata = originOfPerson(person, from);
    if (signIn === null) {
      const after = await this.people.change(person, metadata, () => [
        { type: 'SignedOutEverywhere', data: { person } },
      ]);
      if (after) await this.signIns.removeOfPerson(person, after.generation);
      return;
    }
    const event: SignInEvent = { type: 'SignedOut', data: { person, signIn } };
    await this.eventStore.append(signInStream(signIn), [{ ...event, metadata }], 'any');
    await this.signIns.remove(signIn);
    await this.directories.settle();
  }
}
