// Where a crash test may have the process killed, and how it says so (the FAILPOINT setting).
import { z } from 'zod';

/** Between steps whose order carries a guarantee. */
export const FAILPOINTS = [
  'intake.before-append',
  'intake.after-append',
  'projector.before-transaction',
  'projector.before-commit',
  'projector.after-commit',
  'clustering.before-commit',
  'rebuild.sorted',
  'rebuild.before-commit',
  'rebuild.after-commit',
  'dead-letters.before-delete',
  'event-store.after-append',
  'people.email-claimed',
  'people.merchant-registered',
  'people.registered',
  'people.signed-in',
  'people.password-changed',
  'repeatable.before-answer',
  'deletion.merchant-deleted',
  'deletion.site-deleted',
  'deletion.key-revoked',
  'deletion.person-erased',
  'deletion.before-commit',
  'deletion.after-commit',
] as const;

/** `place:passes` → how often the place is passed unharmed first. */
export const failpointCheck = z.string().transform((text, context) => {
  const [, place, passes] = /^([a-z.-]+):(\d{1,6})$/.exec(text) ?? [];
  const name = FAILPOINTS.find((known) => known === place);
  if (name === undefined) {
    context.addIssue({
      code: 'custom',
      message: `must be place:passes; the places are ${FAILPOINTS.join(', ')}`,
    });
    return z.NEVER;
  }
  return { name, passes: Number(passes) };
});
