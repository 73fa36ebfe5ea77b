// The secret under which visitor ids are hashed: random, one per UTC day, the same on every node.
// A day's salt is made the day before, so that Postgres may be away at midnight, and deleted 48 h
// after its day began. Where none is to be had intake is unavailable: it is never a predictable one.
// Postgres decides which salt is right, Redis carries it, and nodes that know it make good what either
// has lost (docs/adr/0012).
import { randomBytes } from 'node:crypto';
import type { SaltPair } from './draft.js';
import type { IngestionTelemetry } from './ingestion.telemetry.js';
import type { SaltCopies } from './salt-copies.js';
import { dateOf, type DecidedSalt, fingerprintOf, type SaltRegister } from './salt-register.js';

const DAY_MS = 86_400_000;
/** How long after midnight an event also carries the visitor's id of the day before. */
const OVERLAP_MS = 30 * 60_000;
const SALT_BYTES = 32;
const REFRESH_INTERVAL_MS = 5_000;
/** While there is none for today. */
const RETRY_INTERVAL_MS = 1_000;
/** Until then a node that knows the salt has looked, and would have put it into Redis if it could. */
const MISSING_AFTER_MS = 7_000;
/** A salt that no node has brought back by then is given up: each had several refreshes to do so. */
const LOST_AFTER_MS = 15_000;

export interface SaltsDeps {
  readonly register: SaltRegister;
  readonly copies: SaltCopies;
  readonly telemetry: Pick<IngestionTelemetry, 'saltsNotRefreshed' | 'saltReplaced'>;
  readonly now: () => number;
}

/** What was found out about the salts at one moment. */
interface Findings {
  readonly today: number;
  readonly register: ReadonlyMap<number, DecidedSalt>;
  /** Undefined: Redis does not answer. */
  readonly copies: ReadonlyMap<number, string | null> | undefined;
  /** Redis is not to be waited for: what others need is written to Postgres. */
  readonly withoutRedis: boolean;
}

export class Salts {
  /** By day number: yesterday's, today's, tomorrow's. */
  private readonly byDay = new Map<number, string>();
  private readonly lacking = new Map<number, { readonly fingerprint: string; readonly since: number }>();
  private redisMisses = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private cached: { readonly pair: SaltPair; readonly from: number; readonly to: number } | undefined;

  constructor(private readonly deps: SaltsDeps) {}

  /** Undefined: none is known for that moment, and nothing may be received. */
  at(time: number): SaltPair | undefined {
    if (this.cached !== undefined && time >= this.cached.from && time < this.cached.to)
      return this.cached.pair;
    const day = Math.floor(time / DAY_MS);
    const current = this.byDay.get(day);
    if (current === undefined) return undefined;
    const overlapEnd = day * DAY_MS + OVERLAP_MS;
    const overlapping = time < overlapEnd;
    this.cached = {
      pair: { current, previous: overlapping ? this.byDay.get(day - 1) : undefined },
      from: overlapping ? day * DAY_MS : overlapEnd,
      to: overlapping ? overlapEnd : (day + 1) * DAY_MS,
    };
    return this.cached.pair;
  }

  /** Keeps the salts current until `stop`. Settles after the first attempt, whatever its outcome. */
  async start(): Promise<void> {
    await this.deps.copies.ready();
    await this.keepCurrent();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async keepCurrent(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      this.deps.telemetry.saltsNotRefreshed(error);
      this.forgetOld();
    }
    if (this.stopped) return;
    const delayMs = this.at(this.deps.now()) === undefined ? RETRY_INTERVAL_MS : REFRESH_INTERVAL_MS;
    this.timer = setTimeout(() => void this.keepCurrent(), delayMs);
    this.timer.unref();
  }

  /** Makes today's and tomorrow's where missing, learns what was decided, brings back what was lost, deletes old ones. */
  async refresh(): Promise<void> {
    const { register, now } = this.deps;
    const today = Math.floor(now() / DAY_MS);
    const findings = await this.decideMissing(await this.look(today));
    for (const day of [today - 1, today, today + 1]) await this.settle(day, findings);
    if ([...findings.register.keys()].some((day) => day < today - 1)) await register.forgetBefore(today - 1);
    this.forgetOld();
  }

  private async look(today: number): Promise<Findings> {
    const copies = await this.deps.copies.read([today - 1, today, today + 1]);
    this.redisMisses = copies === undefined ? this.redisMisses + 1 : 0;
    return {
      today,
      register: await this.deps.register.read(),
      copies,
      // One late answer is no reason to write a salt to a disk, unless there is none to work with.
      withoutRedis: copies === undefined && (this.redisMisses > 1 || !this.byDay.has(today)),
    };
  }

  private async decideMissing(found: Findings): Promise<Findings> {
    const { register, copies, withoutRedis, today } = found;
    if (copies === undefined && !withoutRedis) return found;
    const missing = [today - 1, today, today + 1].filter((day) => {
      const decided = register.get(day);
      return decided?.fingerprint === undefined && (day >= today || decided?.written !== undefined);
    });
    for (const day of missing) {
      const salt = register.get(day)?.written ?? this.byDay.get(day) ?? newSalt();
      if (await this.deps.register.decide({ day, salt, write: withoutRedis })) this.byDay.set(day, salt);
    }
    return missing.length === 0 ? found : { ...found, register: await this.deps.register.read() };
  }

  private async settle(day: number, found: Findings): Promise<void> {
    const decided = found.register.get(day);
    if (decided?.fingerprint === undefined) return;
    const copy = found.copies?.get(day) ?? undefined;
    const salt = [this.byDay.get(day), copy, decided.written].find(
      (known) => known !== undefined && fingerprintOf(known) === decided.fingerprint,
    );
    if (salt === undefined) return this.lack(day, decided.fingerprint, found);
    this.byDay.set(day, salt);
    this.lacking.delete(day);
    if (found.copies !== undefined && copy !== salt) await this.deps.copies.put(day, salt);
    const wanted = found.withoutRedis || decided.askedFor;
    if (wanted && decided.written !== salt) await this.deps.register.write(day, salt);
  }

  /** Asks the nodes that know the salt; if none answers, it is gone for good and another is made. */
  private async lack(day: number, fingerprint: string, found: Findings): Promise<void> {
    const { register, copies, telemetry, now } = this.deps;
    const before = this.lacking.get(day);
    const since = before?.fingerprint === fingerprint ? before.since : now();
    this.lacking.set(day, { fingerprint, since });
    const lackingMs = now() - since;
    if (found.withoutRedis || lackingMs >= MISSING_AFTER_MS) await register.askFor(day);
    if (day < found.today || lackingMs < LOST_AFTER_MS) return;
    const salt = this.byDay.get(day) ?? newSalt();
    const write = found.copies === undefined;
    if (!(await register.decide({ day, salt, instead: fingerprint, write }))) return;
    telemetry.saltReplaced(dateOf(day));
    this.byDay.set(day, salt);
    await copies.put(day, salt);
  }

  /** Also while Postgres is away: what must be gone is gone from memory. */
  private forgetOld(): void {
    this.cached = undefined;
    const yesterday = Math.floor(this.deps.now() / DAY_MS) - 1;
    for (const known of [this.byDay, this.lacking])
      for (const day of known.keys()) if (day < yesterday) known.delete(day);
  }
}

const newSalt = (): string => randomBytes(SALT_BYTES).toString('hex');
