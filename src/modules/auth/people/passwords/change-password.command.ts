// Another password, by somebody who knows the old one, or who has a mail because they forgot it. Ends all sign-ins
// of the person: who has the account by the old password loses it.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { PersonEvent } from '../../../../events/person.events.js';
import { failpoint } from '../../../../telemetry/failpoint.js';
import { originOfPerson } from '../../access.js';
import type { Whence } from '../../origin.js';
import { People } from '../people.js';
import type { Person } from '../person.aggregate.js';
import { SignIns } from '../sign-ins/sign-ins.js';
import { PasswordHashing } from './password-hashing.js';
import { passwordFault } from './password-rules.js';

export type ChangePasswordOutcome =
  | { readonly outcome: 'changed'; readonly person: Person }
  | { readonly outcome: 'refused' }
  | { readonly outcome: 'unfit'; readonly fault: string };

/** What the right to change it follows from. */
export type Proof =
  | { readonly oldPassword: string }
  /** Of the person when the mail was sent: it is good once, because using it ends the generation. */
  | { readonly mailedTo: number };

export class ChangePassword extends Command<ChangePasswordOutcome> {
  constructor(
    readonly change: {
      readonly person: string;
      readonly password: string;
      readonly proof: Proof;
      readonly from: Whence;
    },
  ) {
    super();
  }
}

@CommandHandler(ChangePassword)
export class ChangePasswordHandler implements ICommandHandler<ChangePassword> {
  constructor(
    private readonly people: People,
    private readonly hashing: PasswordHashing,
    private readonly signIns: SignIns,
  ) {}

  async execute({
    change: { person: id, password, proof, from },
  }: ChangePassword): Promise<ChangePasswordOutcome> {
    const before = await this.people.find(id);
    if (before === undefined || !(await this.#holds(proof, before))) return { outcome: 'refused' };
    const { email } = await this.people.profileOf(before);
    const fault = passwordFault(password, email ?? '');
    if (fault !== undefined) return { outcome: 'unfit', fault };
    const hash = await this.people.seal(id, await this.hashing.hash(password));
    const origin = originOfPerson(id, from);
    const byMail = 'mailedTo' in proof;
    const changed = await this.people.change(id, origin, (person) => {
      if (person.generation !== before.generation) return null;
      const event: PersonEvent = { type: 'PasswordChanged', data: { person: id, password: hash, byMail } };
      return byMail ? [event, ...provenByMail(person)] : [event];
    });
    if (changed === undefined) return { outcome: 'refused' };
    failpoint('people.password-changed');
    await this.signIns.removeOfPerson(id, changed.generation);
    return { outcome: 'changed', person: changed };
  }

  async #holds(proof: Proof, person: Person): Promise<boolean> {
    if ('mailedTo' in proof) return proof.mailedTo === person.generation;
    const { isRight } = await this.hashing.check(proof.oldPassword, await this.people.passwordHashOf(person));
    return isRight;
  }
}

/**
 * The mail was read, so the address is verified. Until then anybody could have registered with it: what they set
 * up must not keep out whose address it is.
 */
function provenByMail({ id, emailDigest, isEmailVerified, totp }: Person): readonly PersonEvent[] {
  if (isEmailVerified) return [];
  const verified: PersonEvent = { type: 'EmailVerified', data: { person: id, emailDigest } };
  return totp === null ? [verified] : [verified, { type: 'TotpDisabled', data: { person: id } }];
}
