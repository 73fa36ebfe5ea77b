// A second factor for somebody's sign-ins, or none any more. Enrolling is confirmed by a first code, so that nobody
// locks themselves out with an app that has it wrong.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { originOfPerson } from '../../access.js';
import type { Whence } from '../../origin.js';
import { People } from '../people.js';
import { MailedTokens } from '../tokens/mailed-tokens.js';
import { SecondFactor } from './second-factor.js';

export type EnableTotpOutcome =
  | { readonly outcome: 'enabled'; readonly recoveryCodes: readonly string[] }
  | { readonly outcome: 'enrolment-refused' }
  | { readonly outcome: 'code-refused' }
  | { readonly outcome: 'enabled-before' };

export class EnableTotp extends Command<EnableTotpOutcome> {
  constructor(
    readonly request: {
      readonly person: string;
      readonly enrolment: string;
      readonly code: string;
      readonly from: Whence;
    },
  ) {
    super();
  }
}

@CommandHandler(EnableTotp)
export class EnableTotpHandler implements ICommandHandler<EnableTotp> {
  constructor(
    private readonly people: People,
    private readonly tokens: MailedTokens,
    private readonly secondFactor: SecondFactor,
  ) {}

  async execute({ request: { person: id, enrolment, code, from } }: EnableTotp): Promise<EnableTotpOutcome> {
    const enrolled = this.tokens.open('enrol-totp', enrolment);
    if (enrolled?.person !== id) return { outcome: 'enrolment-refused' };
    const secret = Buffer.from(enrolled.secret, 'base64url');
    if (!(await this.secondFactor.useCode(id, secret, code))) return { outcome: 'code-refused' };
    const { shown, digests } = this.secondFactor.recoveryCodes(id);
    const sealed = await this.people.seal(id, enrolled.secret);
    const origin = originOfPerson(id, from);
    const changed = await this.people.change(id, origin, ({ totp }) =>
      totp === null
        ? [{ type: 'TotpEnabled', data: { person: id, secret: sealed, recoveryCodes: digests } }]
        : null,
    );
    return changed ? { outcome: 'enabled', recoveryCodes: shown } : { outcome: 'enabled-before' };
  }
}

export class DisableTotp extends Command<'disabled' | 'code-refused'> {
  constructor(
    readonly person: string,
    readonly code: string,
    readonly from: Whence,
  ) {
    super();
  }
}

@CommandHandler(DisableTotp)
export class DisableTotpHandler implements ICommandHandler<DisableTotp> {
  constructor(
    private readonly people: People,
    private readonly secondFactor: SecondFactor,
  ) {}

  async execute({ person: id, code, from }: DisableTotp): Promise<'disabled' | 'code-refused'> {
    const origin = originOfPerson(id, from);
    const person = await this.people.find(id);
    if (person === undefined || !(await this.secondFactor.use(person, code, origin))) return 'code-refused';
    await this.people.change(id, origin, ({ totp }) =>
      totp === null ? [] : [{ type: 'TotpDisabled', data: { person: id } }],
    );
    return 'disabled';
  }
}
