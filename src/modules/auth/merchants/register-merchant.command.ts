// Registers a merchant, once.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { EventStore } from '../../../event-store/event-store.js';
import { merchantStream, registerMerchant } from './merchant.aggregate.js';
import type { Origin } from '../origin.js';

export type RegisterMerchantOutcome = 'registered' | 'registered-before';

export class RegisterMerchant extends Command<RegisterMerchantOutcome> {
  constructor(readonly merchant: { readonly id: string; readonly name: string; readonly origin: Origin }) {
    super();
  }
}

@CommandHandler(RegisterMerchant)
export class RegisterMerchantHandler implements ICommandHandler<RegisterMerchant> {
  constructor(@Inject(EventStore) private readonly eventStore: EventStore) {}

  async execute({ merchant: { id, name, origin } }: RegisterMerchant): Promise<RegisterMerchantOutcome> {
    const event = { ...registerMerchant(id, name), metadata: origin };
    const { outcome } = await this.eventStore.append(merchantStream(id), [event], 'none');
    return outcome === 'stored' ? 'registered' : 'registered-before';
  }
}
