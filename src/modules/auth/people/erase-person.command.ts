// Erases somebody's account: ends their memberships, then the account and all sign-ins by one event, then destroys
// what opens their name and address, wherever those are. Before the event the account is whole, and whoever asked
// can ask again; after it the rest is done by whoever finds that it is not (../deletion/person-remover.ts).
import { Inject } from '@nestjs/common';
import { Command, CommandBus, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { failpoint } from '../../../telemetry/failpoint.js';
import { load } from '../aggregate.js';
import { DirectoryFollower } from '../directories/directory-follower.js';
import { ChangeMerchant } from '../merchants/change-merchant.command.js';
import { MemberDirectory } from '../merchants/member.directory.js';
import {
  type Merchant,
  merchantFold,
  merchantStream,
  presentMerchant,
} from '../merchants/merchant.aggregate.js';
import { isLastOwner } from '../merchants/merchant.decisions.js';
import { PersonalData } from './personal-data.js';
import type { Origin } from '../origin.js';
import { People } from './people.js';
import { personFold, personStream } from './person.aggregate.js';

export type ErasePersonOutcome =
  /** Now, or before. */
  | { readonly outcome: 'erased' }
  | { readonly outcome: 'person-unknown' }
  /** They would be left without an owner. */
  | { readonly outcome: 'owner-needed'; readonly merchants: readonly Pick<Merchant, 'id' | 'name'>[] };

export class ErasePerson extends Command<ErasePersonOutcome> {
  constructor(
    readonly person: string,
    readonly origin: Origin,
  ) {
    super();
  }
}

@CommandHandler(ErasePerson)
export class ErasePersonHandler implements ICommandHandler<ErasePerson> {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly commands: CommandBus,
    private readonly people: People,
    private readonly members: MemberDirectory,
    private readonly directories: DirectoryFollower,
    private readonly data: PersonalData,
  ) {}

  async execute({ person, origin }: ErasePerson): Promise<ErasePersonOutcome> {
    if ((await this.#stateOf(person)) === 'absent') return { outcome: 'person-unknown' };
    await this.directories.settle();
    const merchants = await this.#merchantsOf(person);
    const orphaned = merchants.filter((one) => isLastOwner(one, person));
    if (orphaned.length > 0) return { outcome: 'owner-needed', merchants: orphaned };
    for (const merchant of merchants) {
      const wish = { wish: 'remove', person } as const;
      const request = {
        merchant: merchant.id,
        wish,
        actor: { person },
        expected: 'any',
        origin,
      } as const;
      const left = await this.commands.execute(new ChangeMerchant(request));
      // The other owner was faster.
      if (left.outcome === 'refused' && left.refusal === 'last-owner') {
        return { outcome: 'owner-needed', merchants: [merchant] };
      }
    }
    await this.people.change(person, origin, () => [{ type: 'PersonErased', data: { person } }]);
    failpoint('deletion.person-erased');
    await this.data.forget(person);
    return { outcome: 'erased' };
  }

  async #stateOf(person: string): Promise<'absent' | 'there' | 'erased'> {
    const { state } = await load(this.eventStore, personStream(person), personFold);
    return typeof state === 'string' ? state : 'there';
  }

  async #merchantsOf(person: string): Promise<readonly Merchant[]> {
    const merchants: Merchant[] = [];
    for (const { merchant } of this.members.merchantsOf(person)) {
      const { state } = await load(this.eventStore, merchantStream(merchant), merchantFold);
      const present = presentMerchant(state);
      if (present?.members.has(person)) merchants.push(present);
    }
    return merchants;
  }
}
