// A month of UTC as an option, by default the present one.
import type { CommandContext } from './command-context.js';
import { usageError } from './failure.js';

/** What commander's `option` takes. */
export const monthOption = (what: string, context: CommandContext) =>
  [
    '--month <month>',
    `${what}, such as 2026-11, of UTC`,
    (text: string): string => {
      if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
      throw usageError(`"${text}" is not a month such as 2026-11.`);
    },
    new Date(context.now()).toISOString().slice(0, 7),
  ] as const;
