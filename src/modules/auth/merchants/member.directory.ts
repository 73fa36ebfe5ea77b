// Who belongs to which merchant and as what, in memory, so that each request of somebody who is signed in is
// answered by the role they have now. Current by following the event store; nothing else changes it. Flat,
// because most people belong to one merchant, and most merchants have one member: two entries for each.
import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { MerchantEvent, Role } from '../../../events/merchant.events.js';
import { type Caller, memberCaller, personOf } from '../access.js';
import type { Directory } from '../directories/directory.js';
import { DirectoryFollower } from '../directories/directory-follower.js';

export interface Membership {
  readonly merchant: string;
  readonly role: Role;
}

@Injectable()
export class MemberDirectory implements Directory {
  readonly name = 'members';
  readonly format = 2;
  readonly #roles = new Map<string, Role>();
  /** One merchant's id, or those of several in the order of joining. */
  readonly #merchants = new Map<string, string | readonly string[]>();

  constructor(follower: DirectoryFollower) {
    follower.follow(this);
  }

  /** Undefined: no member. */
  callerOf(person: string, merchant: string): Caller | undefined {
    const role = this.#roles.get(membership(person, merchant));
    return role === undefined ? undefined : memberCaller(person, merchant, role);
  }

  /** In the order of joining. */
  merchantsOf(person: string): readonly Membership[] {
    return this.#merchantIdsOf(person).map((merchant) => ({
      merchant,
      role: this.#roles.get(membership(person, merchant))!,
    }));
  }

  /** Of somebody who was let in before: whether they still may as much. */
  holds(caller: Caller): boolean {
    const person = personOf(caller);
    if (person === undefined || caller.merchant === null) return false;
    const now = this.callerOf(person, caller.merchant);
    return now !== undefined && [...caller.scopes].every((scope) => now.scopes.has(scope));
  }

  apply(recorded: RecordedEvent): void {
    const event = recorded as unknown as RecordedEvent & MerchantEvent;
    switch (event.type) {
      case 'MemberJoined': {
        const { merchant, person, role } = event.data;
        this.#roles.set(membership(person, merchant), role);
        const others = this.#merchantIdsOf(person).filter((id) => id !== merchant);
        this.#merchants.set(person, others.length === 0 ? merchant : [...others, merchant]);
        break;
      }
      case 'MemberRoleChanged': {
        const { merchant, person, role } = event.data;
        const key = membership(person, merchant);
        if (this.#roles.has(key)) this.#roles.set(key, role);
        break;
      }
      case 'MemberLeft':
        this.#remove(event.data.person, event.data.merchant);
        break;
      case 'MerchantDeleted':
        for (const person of event.data.members) this.#remove(person, event.data.merchant);
        break;
      default:
    }
  }

  *lines(): Iterable<string> {
    for (const person of this.#merchants.keys()) {
      const memberships = this.merchantsOf(person).map(({ merchant, role }) => [merchant, role]);
      yield JSON.stringify([person, memberships]);
    }
  }

  restore(line: string): void {
    const [person, memberships] = JSON.parse(line) as [string, readonly (readonly [string, Role])[]];
    const merchants = memberships.map(([merchant]) => merchant);
    this.#merchants.set(person, merchants.length === 1 ? merchants[0]! : merchants);
    for (const [merchant, role] of memberships) this.#roles.set(membership(person, merchant), role);
  }

  clear(): void {
    this.#roles.clear();
    this.#merchants.clear();
  }

  #remove(person: string, merchant: string): void {
    this.#roles.delete(membership(person, merchant));
    const [first, ...more] = this.#merchantIdsOf(person).filter((id) => id !== merchant);
    if (first === undefined) this.#merchants.delete(person);
    else this.#merchants.set(person, more.length === 0 ? first : [first, ...more]);
  }

  #merchantIdsOf(person: string): readonly string[] {
    const found = this.#merchants.get(person) ?? [];
    return typeof found === 'string' ? [found] : found;
  }
}

const membership = (person: string, merchant: string): string => `${person} ${merchant}`;
