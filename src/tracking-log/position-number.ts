// For logs that count their batches: the number which a position is the text of.
import { InvalidPositionError, type Position } from './tracking-log.js';

/** @throws InvalidPositionError */
export function numberOf(position: Position, first = 0): number {
  const number = Number(position);
  if (Number.isSafeInteger(number) && number >= first && String(number) === position) return number;
  throw new InvalidPositionError(`"${position}" is not a position of this log`);
}
