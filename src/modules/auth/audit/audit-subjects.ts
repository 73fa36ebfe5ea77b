// Whose concern an event is: of which merchant, and of which of its sites. By what the event itself says, or the
// site that it names, or, in the stream of a key or link, what came before. Of what people do to their accounts: no
// merchant's. Pure; what was found out before is handed in and added to, so that it makes no difference how the
// events are cut into batches.
import type { RecordedEvent } from '../../../event-store/event-store.js';
import { textOf } from './audit-entry.js';

export interface Subject {
  readonly merchant: string | null;
  readonly site: string | null;
}

/** As far as it is known. */
export interface KnownSubjects {
  /** Of streams of keys and links. */
  readonly ofStreams: Map<string, Subject>;
  /** The merchants of sites. */
  readonly ofSites: Map<string, string>;
}

const OF_PEOPLE = /^(person|email|sign-in)-/;
/** Their first event names merchant and site for all. */
const NAMED_ONCE = /^(key|link)-/;

export const isNamedOnce = (stream: string): boolean => NAMED_ONCE.test(stream);

/** Which site an event is about, if it says so. */
export const siteNamed = ({ stream, data }: RecordedEvent): string | null =>
  OF_PEOPLE.test(stream) ? null : textOf(data['site']);

export function subjectOf(event: RecordedEvent, known: KnownSubjects): Subject {
  const { stream, data, type } = event;
  if (OF_PEOPLE.test(stream)) return { merchant: null, site: null };
  const before = known.ofStreams.get(stream);
  const site = siteNamed(event) ?? before?.site ?? null;
  const named = textOf(data['merchant']);
  if (type === 'SiteCreated' && named !== null && site !== null) known.ofSites.set(site, named);
  const ofSite = site === null ? undefined : known.ofSites.get(site);
  const subject = { merchant: named ?? ofSite ?? before?.merchant ?? null, site };
  if (isNamedOnce(stream)) known.ofStreams.set(stream, subject);
  return subject;
}
