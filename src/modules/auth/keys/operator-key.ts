// First boot: registers the merchant that owns what the operator creates, and makes the operator's
// key unless OPERATOR_KEY gives one. The key is printed by the one process that stored its digest,
// once, and cannot be shown again.
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { CONFIG, type Config } from '../../../config/config.js';
import { IssueOperatorKey } from './issue-operator-key.command.js';
import { RegisterMerchant } from '../merchants/register-merchant.command.js';
import { OPERATORS_MERCHANT } from '../merchants/merchant.aggregate.js';
import { bySystem } from '../origin.js';

const FIRST_BOOT = bySystem('first boot');

@Injectable()
export class OperatorKey implements OnApplicationBootstrap {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly commands: CommandBus,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.commands.execute(
      new RegisterMerchant({ id: OPERATORS_MERCHANT, name: 'Default', origin: FIRST_BOOT }),
    );
    if (this.config.OPERATOR_KEY !== undefined) return;
    const made = await this.commands.execute(new IssueOperatorKey(FIRST_BOOT));
    if (made.outcome === 'issued') process.stdout.write(announcement(made.key));
  }
}

/** Between rules rather than in a frame, so that a copied line holds nothing else. */
function announcement(key: string): string {
  const lines = [
    "  This installation's operator key, shown only this once:",
    '',
    `    export OPERATOR_KEY=${key}`,
    '',
    '  Keep it safe: it may do everything. Lost? Start Tidemark with OPERATOR_KEY',
    '  set to a new one of at least 32 characters, which then replaces it.',
  ];
  const rule = '─'.repeat(Math.max(...lines.map((line) => line.length)) + 2);
  return ['', rule, ...lines, rule, ''].map((line) => `${line}\n`).join('');
}
