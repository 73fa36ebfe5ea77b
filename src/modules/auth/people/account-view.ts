// What is shown of an account: to its person, and to the operator.
import { Inject, Injectable } from '@nestjs/common';
import { EventStore } from '../../../event-store/event-store.js';
import { load } from '../aggregate.js';
import { MemberDirectory } from '../merchants/member.directory.js';
import { merchantFold, merchantStream, presentMerchant } from '../merchants/merchant.aggregate.js';
import type { MembershipAnswer, PersonAnswer } from './me.dto.js';
import { People } from './people.js';
import type { Person } from './person.aggregate.js';

@Injectable()
export class AccountView {
  constructor(
    @Inject(EventStore) private readonly eventStore: EventStore,
    private readonly people: People,
    private readonly members: MemberDirectory,
  ) {}

  async person(person: Person): Promise<PersonAnswer> {
    const { email, name } = await this.people.profileOf(person);
    return {
      ...{ id: person.id, email, emailVerified: person.isEmailVerified, name },
      totp: person.totp !== null,
      registeredAt: person.registeredAt.toISOString(),
    };
  }

  async merchantsOf(person: string): Promise<readonly MembershipAnswer[]> {
    return Promise.all(
      this.members.merchantsOf(person).map(async ({ merchant: id, role }) => {
        const { state } = await load(this.eventStore, merchantStream(id), merchantFold);
        return { id, name: presentMerchant(state)?.name ?? '', role };
      }),
    );
  }
}
