// Another name for somebody: sealed, like the one before.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { originOfPerson } from '../access.js';
import type { Whence } from '../origin.js';
import { People } from './people.js';
import type { Person } from './person.aggregate.js';

/** Undefined: there is no such person. */
export class RenamePerson extends Command<Person | undefined> {
  constructor(
    readonly person: string,
    readonly name: string,
    readonly from: Whence,
  ) {
    super();
  }
}

@CommandHandler(RenamePerson)
export class RenamePersonHandler implements ICommandHandler<RenamePerson> {
  constructor(private readonly people: People) {}

  async execute({ person: id, name, from }: RenamePerson): Promise<Person | undefined> {
    const sealed = await this.people.seal(id, name);
    const origin = originOfPerson(id, from);
    return this.people.change(id, origin, () => [
      { type: 'PersonRenamed', data: { person: id, name: sealed } },
    ]);
  }
}
