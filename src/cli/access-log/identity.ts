// Fourth stage of the import: who, and which event. Both ids are keyed hashes under secrets derived from
// the API key and the site, so that running an import again gives the same ids, and whoever holds only the
// database can find no address in them. Nothing is stored. Another API key gives other ids.
import { createHmac, hkdfSync } from 'node:crypto';

/** Identical lines further apart than this many distinct page views count from one again. */
export const REMEMBERED_LINES_MAX = 16_384;

const DAY_MS = 86_400_000;
/** Longer than a session's longest pause, so that a session survives midnight. */
const PREVIOUS_DAY_GIVEN_MS = 30 * 60_000;

export interface IdentitySecrets {
  readonly apiKey: string;
  readonly site: string;
}

const derive = ({ apiKey, site }: IdentitySecrets, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', apiKey, site, `tidemark access-log import: ${purpose}`, 32));

/** Event ids from the line's bytes; the n-th of several identical lines is an event of its own. */
export class EventIds {
  private readonly key: Buffer;
  /** Least recently seen first. */
  private readonly occurrences = new Map<string, number>();

  constructor(
    secrets: IdentitySecrets,
    private readonly rememberedMax = REMEMBERED_LINES_MAX,
  ) {
    this.key = derive(secrets, 'event');
  }

  next(line: Buffer): string {
    const digest = createHmac('sha256', this.key).update(line).digest('base64url').slice(0, 22);
    const occurrence = (this.occurrences.get(digest) ?? 0) + 1;
    this.occurrences.delete(digest);
    this.occurrences.set(digest, occurrence);
    if (this.occurrences.size > this.rememberedMax) {
      this.occurrences.delete(this.occurrences.keys().next().value!);
    }
    const id = createHmac('sha256', this.key).update(digest).update(`#${occurrence}`).digest();
    return uuid(id);
  }
}

/** RFC 9562 version 8: a hash of our own making. */
function uuid(bytes: Buffer): string {
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export interface VisitorIdentity {
  readonly visitorId: string;
  readonly previousVisitorId?: string;
}

export interface Visit {
  /** Epoch ms. */
  readonly time: number;
  readonly host: string;
  readonly userAgent?: string;
}

/** Like the cookieless ids of live traffic: address and user agent, for one UTC day. */
export class VisitorIds {
  private readonly key: Buffer;

  constructor(secrets: IdentitySecrets) {
    this.key = derive(secrets, 'visitor');
  }

  of(visit: Visit): VisitorIdentity {
    const day = Math.floor(visit.time / DAY_MS);
    const visitorId = this.onDay(day, visit);
    if (visit.time - day * DAY_MS >= PREVIOUS_DAY_GIVEN_MS) return { visitorId };
    return { visitorId, previousVisitorId: this.onDay(day - 1, visit) };
  }

  private onDay(day: number, { host, userAgent = '' }: Visit): string {
    return createHmac('sha256', this.key).update(`${day}\n${host}\n${userAgent}`).digest('hex').slice(0, 32);
  }
}
