// Another name for somebody: sealed, like the one before.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { type Origin, People } from './people.js';
import { type Person, personStream } from './person.aggregate.js';

/** Undefined: there is no such person. */
export class RenamePerson extends Command<Person | undefined> {
  constructor(
    readonly person: string,
    readonly name: string,
    readonly from: string,
  ) {
    super();
  }
}

@CommandHandler(RenamePerson)
export class RenamePersonHandler implements ICommandHandler<RenamePerson> {
  constructor(private readonly people: People) {}

  async execute({ person: id, name, from }: RenamePerson): Promise<Person | undefined> {
    const sealed = await this.people.seal(id, name);
    const origin: Origin = { by: personStream(id), from };
    return this.people.change(id, origin, () => [
      { type: 'PersonRenamed', data: { person: id, name: sealed } },
    ]);
  }
}
