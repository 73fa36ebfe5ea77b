// What the endpoints of keys do, wherever the keys belong: reads from the directory, changes through
// commands. Who administers sites decides who may send to them and read them, but for no longer than
// they may themselves.
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Problem } from '../../../http/problem.js';
import { type Caller, siteUnknown, originOf } from '../access.js';
import { KeyDirectory } from '../directories/key.directory.js';
import type { Found } from '../found.js';
import { OPERATORS_MERCHANT } from '../merchants/merchant.aggregate.js';
import { pageOf } from '../page.js';
import type { IdSource } from '../random-ids.js';
import type { ListParameters } from '../sites/site.dto.js';
import { ChangeKey } from './change-key.command.js';
import { IssueKey } from './issue-key.command.js';
import { type ApiKey, type KeyChange, outlasts } from './key.aggregate.js';
import {
  type ChangeKeyBody,
  type IssueKeyBody,
  keyAnswer,
  type KeyListAnswer,
  type RotateKeyBody,
} from './key.dto.js';
import { KeyUsage } from './key-usage.js';
import { KEY_UNKNOWN } from './keys.openapi.js';
import { RevokeKey } from './revoke-key.command.js';
import { RotateKey } from './rotate-key.command.js';

/** Whose keys a request is about, and who asks. */
export interface KeysAsked {
  readonly caller: Caller;
  /** Null: every merchant's. */
  readonly merchant: string | null;
  /** Null: those good for all of the merchant's sites. */
  readonly site: string | null;
}

const REFUSALS = {
  expired: 'The key has expired: issue another one.',
  rotated: 'The key was rotated: it can end sooner, not later.',
  'rotated-before': 'The key was rotated before: rotate its successor, or issue another one.',
  'revision-differs': 'The key has changed since it was read: read it again.',
  revoked: 'The key that this request had issued was revoked since.',
} as const;

@Injectable()
export class KeyDesk {
  constructor(
    private readonly commands: CommandBus,
    private readonly keys: KeyDirectory,
    private readonly usage: KeyUsage,
  ) {}

  async list(asked: KeysAsked, { limit, cursor }: ListParameters): Promise<KeyListAnswer> {
    const all =
      asked.site === null ? this.keys.listOfMerchant(asked.merchant) : this.keys.listOfSite(asked.site);
    const { items, nextCursor } = pageOf(all, { limit, cursor, nameOf: ({ id }) => id });
    const uses = await this.usage.lastUses(items.map(({ id }) => id));
    return { keys: items.map((key) => keyAnswer(key, uses.get(key.id))), next_cursor: nextCursor };
  }

  async get(asked: KeysAsked, id: string): Promise<Found> {
    return this.#found(this.#keyOf(asked, id));
  }

  async issue(asked: KeysAsked, { name, scopes, expiresAt }: IssueKeyBody, ids: IdSource): Promise<Found> {
    const { caller, merchant, site } = asked;
    const draft = { merchant: merchant ?? OPERATORS_MERCHANT, site, name, scopes };
    const limit = this.#endOf(caller);
    const end = expiresAt === undefined ? limit : new Date(expiresAt);
    refuseOutlasting(end, limit);
    const issued = await this.commands.execute(
      new IssueKey({ ...draft, expiresAt: end, origin: originOf(caller) }, ids),
    );
    if (issued.outcome === 'owner-unknown') throw site === null ? merchantUnknown() : siteUnknown();
    if (issued.outcome === 'revoked') throw Problem.conflict(REFUSALS.revoked);
    return shownOnce(issued);
  }

  async change(
    asked: KeysAsked,
    id: string,
    { body, expected }: { readonly body: ChangeKeyBody; readonly expected: number | 'any' },
  ): Promise<Found> {
    const { caller } = asked;
    const { id: key } = this.#keyOf(asked, id);
    const { name, expiresAt } = body;
    const end = typeof expiresAt === 'string' ? new Date(expiresAt) : expiresAt;
    if (end !== undefined) refuseOutlasting(end, this.#endOf(caller));
    const change: KeyChange = {
      ...(name !== undefined && { name }),
      ...(end !== undefined && { expiresAt: end }),
    };
    const changed = await this.commands.execute(
      new ChangeKey({ key, change, expected, origin: originOf(caller) }),
    );
    if (changed.outcome === 'changed') return this.#found(changed.key);
    if (changed.outcome === 'key-unknown') throw keyUnknown();
    throw Problem.conflict(REFUSALS[changed.outcome]);
  }

  async rotate(
    asked: KeysAsked,
    id: string,
    { body, ids }: { readonly body: RotateKeyBody; readonly ids: IdSource },
  ): Promise<Found> {
    const { caller } = asked;
    const { overlapSeconds, expiresAt } = body;
    const old = this.#keyOf(asked, id);
    const limit = this.#endOf(caller);
    const usual = outlasts(old.expiresAt, limit) ? limit : old.expiresAt;
    const end = expiresAt === undefined ? usual : new Date(expiresAt);
    refuseOutlasting(end, limit);
    const request = { key: old.id, overlapSeconds, expiresAt: end, origin: originOf(caller) };
    const rotated = await this.commands.execute(new RotateKey(request, ids));
    if (rotated.outcome === 'rotated') return shownOnce(rotated);
    if (rotated.outcome === 'key-unknown') throw keyUnknown();
    throw Problem.conflict(REFUSALS[rotated.outcome]);
  }

  async revoke(asked: KeysAsked, id: string): Promise<void> {
    const { id: key } = this.#keyOf(asked, id);
    const outcome = await this.commands.execute(new RevokeKey(key, originOf(asked.caller)));
    if (outcome === 'key-unknown') throw keyUnknown();
  }

  /** @throws Problem 404 unless the key belongs exactly there */
  #keyOf({ merchant, site }: KeysAsked, id: string): ApiKey {
    const key = this.keys.byId(id);
    if (key === undefined || key.site !== site) throw keyUnknown();
    if (merchant !== null && key.merchant !== merchant) throw keyUnknown();
    return key;
  }

  /** Null: it does not end by itself. */
  #endOf(caller: Caller): Date | null {
    return this.keys.byId(caller.id)?.expiresAt ?? null;
  }

  async #found(key: ApiKey): Promise<Found> {
    const uses = await this.usage.lastUses([key.id]);
    return { path: pathOf(key), revision: key.revision, answer: keyAnswer(key, uses.get(key.id)) };
  }
}

function shownOnce({ issued, key }: { readonly issued: ApiKey; readonly key: string }): Found {
  const answer = Object.assign(keyAnswer(issued, undefined), { key });
  return { path: pathOf(issued), revision: issued.revision, answer };
}

const pathOf = ({ id, site }: ApiKey): string =>
  site === null ? `/v1/keys/${id}` : `/v1/sites/${site}/keys/${id}`;

const merchantUnknown = (): Problem =>
  Problem.badRequest('The key would belong to nobody.', [
    { path: 'merchant', message: 'is the id of no merchant' },
  ]);

const keyUnknown = (): Problem => Problem.notFound(KEY_UNKNOWN);

/** @throws Problem 403 */
function refuseOutlasting(expiresAt: Date | null, limit: Date | null): void {
  if (limit === null || !outlasts(expiresAt, limit)) return;
  throw Problem.forbidden(
    `The key that asks ends at ${limit.toISOString()}, and cannot give another one more time.`,
  );
}
