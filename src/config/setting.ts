// What a setting is: its meaning for whoever sets it, and its check, from text to value.
import type { z } from 'zod';

export interface Setting<T extends z.ZodType = z.ZodType> {
  readonly meaning: string;
  /** Shown instead of the value wherever settings are listed. */
  readonly secret?: true;
  readonly check: T;
}

export const setting = <T extends z.ZodType>(meaning: string, check: T): Setting<T> => ({ meaning, check });
export const secret = <T extends z.ZodType>(meaning: string, check: T): Setting<T> => ({
  meaning,
  check,
  secret: true,
});
