// For which merchant a request is, and as whom whoever sent it acts.
import { Problem } from '../../../http/problem.js';
import { type Caller, personOf } from '../access.js';
import { OPERATORS_MERCHANT } from './merchant.aggregate.js';
import type { Actor } from './merchant.decisions.js';

/**
 * The caller's own; of the operator, the one that is named.
 * @throws Problem 403 when anybody else names one, which tells nothing about whether it exists.
 */
export function merchantFor(caller: Caller, named: string | undefined): string {
  if (caller.merchant === null) return named ?? OPERATORS_MERCHANT;
  if (named !== undefined) throw Problem.forbidden('Only the operator names a merchant: leave it out.');
  return caller.merchant;
}

export function actorOf(caller: Caller): Actor {
  if (caller.merchant === null) return 'operator';
  const person = personOf(caller);
  return person === undefined ? 'key' : { person };
}
