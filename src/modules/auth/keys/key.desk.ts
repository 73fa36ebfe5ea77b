// What the endpoints of keys do, wherever the keys belong: reads from the directory, changes through
// commands. Who administers sites decides who may send to them and read them, but for no longer than
// they may themselves.
import { createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { type Caller, requireReach, siteUnknown } from '../access.js';
import { KeyDirectory } from '../directories/key.directory.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { changedMeanwhile } from '../entity-tag.js';
import type { Found } from '../found.js';
import { merchantFor } from '../merchants/acting.js';
import { pageOf } from '../page.js';
import type { IdSource } from '../random-ids.js';
import type { ListParameters } from '../sites/site.dto.js';
import { ChangeKey } from './change-key.command.js';
import { IssueKey } from './issue-key.command.js';
import { type ApiKey, type KeyChange, outlasts } from './key.aggregate.js';
import {
  type ChangeKeyBody,
  type IssueMerchantKeyBody,
  keyAnswer,
  type KeyListAnswer,
  type RotateKeyBody,
} from './key.dto.js';
import { KeyUsage } from './key-usage.js';
import { KEY_UNKNOWN } from './keys.openapi.js';
import { RevokeKey } from './revoke-key.command.js';
import { RotateKey } from './rotate-key.command.js';

/** Who asks for keys, and where. */
export interface KeysAsked {
  readonly caller: Caller;
  /** Id or domain; undefined: for those good for all of a merchant's sites. */
  readonly site: string | undefined;
}

/** What a request says of it. */
export const Asked = createParamDecorator((_: unknown, context: ExecutionContext): KeysAsked => {
  const { caller, params } = context
    .switchToHttp()
    .getRequest<FastifyRequest<{ Params: { site?: string } }> & { readonly caller: Caller }>();
  return { caller, site: params.site };
});

type IssuedFor = Pick<ApiKey, 'merchant' | 'site'>;

interface Owner {
  /** Null: every merchant. */
  readonly merchant: string | null;
  /** Null: all of the merchant's sites. */
  readonly site: string | null;
}

const REFUSALS = {
  expired: 'The key has expired: issue another one.',
  rotated: 'The key was rotated: it can end sooner, not later.',
  'rotated-before': 'The key was rotated before: rotate its successor, or issue another one.',
  revoked: 'The key that this request had issued was revoked since.',
} as const;

@Injectable()
export class KeyDesk {
  constructor(
    private readonly commands: CommandBus,
    private readonly keys: KeyDirectory,
    private readonly usage: KeyUsage,
    private readonly sites: SiteDirectory,
  ) {}

  async list(asked: KeysAsked, { limit, cursor }: ListParameters): Promise<KeyListAnswer> {
    const { merchant, site } = this.#ownerOf(asked);
    const all = site === null ? this.keys.listOfMerchant(merchant) : this.keys.listOfSite(site);
    const { items, nextCursor } = pageOf(all, { limit, cursor, nameOf: ({ id }) => id });
    const uses = await this.usage.lastUses(items.map(({ id }) => id));
    return { keys: items.map((key) => keyAnswer(key, uses.get(key.id))), next_cursor: nextCursor };
  }

  async get(asked: KeysAsked, id: string): Promise<Found> {
    return this.#found(this.#keyOf(asked, id));
  }

  async issue(asked: KeysAsked, body: IssueMerchantKeyBody, ids: IdSource): Promise<Found> {
    const { caller } = asked;
    const { name, scopes, expiresAt } = body;
    const draft = { ...this.#newOwner(asked, body), name, scopes };
    const limit = this.#endOf(caller);
    const end = expiresAt === undefined ? limit : new Date(expiresAt);
    refuseOutlasting(end, limit);
    const issued = await this.commands.execute(
      new IssueKey({ ...draft, expiresAt: end, by: caller.id }, ids),
    );
    if (issued.outcome === 'owner-unknown') throw draft.site === null ? merchantUnknown() : siteUnknown();
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
    const changed = await this.commands.execute(new ChangeKey({ key, change, expected, by: caller.id }));
    if (changed.outcome === 'changed') return this.#found(changed.key);
    if (changed.outcome === 'key-unknown') throw keyUnknown();
    if (changed.outcome === 'revision-differs') throw changedMeanwhile('key', changed.actual);
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
    const request = { key: old.id, overlapSeconds, expiresAt: end, by: caller.id };
    const rotated = await this.commands.execute(new RotateKey(request, ids));
    if (rotated.outcome === 'rotated') return shownOnce(rotated);
    if (rotated.outcome === 'key-unknown') throw keyUnknown();
    throw Problem.conflict(REFUSALS[rotated.outcome]);
  }

  async revoke(asked: KeysAsked, id: string): Promise<void> {
    const { id: key } = this.#keyOf(asked, id);
    const outcome = await this.commands.execute(new RevokeKey(key, asked.caller.id));
    if (outcome === 'key-unknown') throw keyUnknown();
  }

  /** @throws Problem 404 where the site is out of reach, 403 where a key of one site asks for its merchant's */
  #ownerOf({ caller, site }: KeysAsked): Owner {
    if (site !== undefined) {
      const { id, merchant } = requireReach(caller, this.sites.find(site));
      return { merchant, site: id };
    }
    if (caller.site === null) return { merchant: caller.merchant, site: null };
    throw Problem.forbidden('A key of one site manages the keys of that site only.');
  }

  #newOwner(asked: KeysAsked, { merchant: named, scopes }: IssueMerchantKeyBody): IssuedFor {
    const { merchant, site } = this.#ownerOf(asked);
    if (merchant !== null && site !== null) return { merchant, site };
    if (scopes.includes('ingest')) throw ingestOfAllSites();
    return { merchant: merchantFor(asked.caller, named), site: null };
  }

  /** @throws Problem 404 unless the key belongs exactly there */
  #keyOf(asked: KeysAsked, id: string): ApiKey {
    const { merchant, site } = this.#ownerOf(asked);
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

const ingestOfAllSites = (): Problem =>
  Problem.badRequest('Issue it under /v1/sites/{site}/keys.', [
    { path: 'scopes', message: 'ingest is for keys of one site' },
  ]);

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
