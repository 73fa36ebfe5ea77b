// Who is meant and who is shown: between the ids that events name accounts by and the addresses that people know.
// Addresses are opened while they are read, so that whoever was erased since is an id. A merchant has to do with the
// accounts that are its members, and with no others.
import { Injectable } from '@nestjs/common';
import { MemberDirectory } from '../merchants/member.directory.js';
import { normaliseEmail } from '../people/email-address.js';
import { People } from '../people/people.js';
import { personStream } from '../people/person.aggregate.js';
import type { AuditRecord, Reader } from './audit-table.js';

const PERSONS = personStream('');

@Injectable()
export class AuditNames {
  constructor(
    private readonly people: People,
    private readonly members: MemberDirectory,
  ) {}

  /** As events call whoever has the id or the address; none: nobody has. */
  async meant(by: string, reader: Reader): Promise<readonly string[]> {
    if (!by.includes('@')) return [by, PERSONS + by];
    const holder = await this.people.holderOf(normaliseEmail(by));
    if (holder.is !== 'registered' || !this.#concerns(holder.person.id, reader)) return [];
    return [PERSONS + holder.person.id];
  }

  /** The addresses of whoever did what the rows tell, by what these call them. */
  async emailsOf(
    rows: readonly AuditRecord[],
    reader: Reader,
  ): Promise<ReadonlyMap<string | null, string | null>> {
    const people = new Set(rows.map(personOf).filter((id) => id !== undefined));
    const profiles = await this.people.profilesOf([...people].filter((id) => this.#concerns(id, reader)));
    return new Map([...profiles].map(([person, { email }]) => [PERSONS + person, email]));
  }

  #concerns(person: string, reader: Reader): boolean {
    return reader === null || this.members.callerOf(person, reader.merchant) !== undefined;
  }
}

const personOf = ({ by, kind }: AuditRecord): string | undefined =>
  kind === 'account' && by?.startsWith(PERSONS) === true ? by.slice(PERSONS.length) : undefined;
