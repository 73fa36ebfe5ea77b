// A revision as ETag, and back: whoever changes something can say which revision they saw.
import { Problem } from '../../http/problem.js';

export const entityTag = (revision: number): string => `"${revision}"`;

export const changedSince = (thing: string): string =>
  `The ${thing} has changed since it was read: read it again. ETag is its revision now.`;

/** For who has seen an older revision of the `thing` than there is. */
export const changedMeanwhile = (thing: string, revision: number): Problem =>
  Problem.changedMeanwhile(changedSince(thing), entityTag(revision));

/** @throws Problem unless absent, `*` or one strong tag as this API gives them out. */
export function expectedRevision(ifMatch: string | undefined): number | 'any' {
  if (ifMatch === undefined || ifMatch.trim() === '*') return 'any';
  const tag = /^\s*"(\d{1,9})"\s*$/.exec(ifMatch);
  if (!tag) throw Problem.badRequest('Send If-Match with the ETag as last read, such as "3".');
  return Number(tag[1]);
}
