// What the endpoints of keys do, wherever the keys belong: reads from the directory, changes through
// commands. Who administers sites decides who may send to them and read them, but for no longer than
// they may themselves.
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { Problem } from '../../../http/problem.js';
import { originOf, siteUnknown } from '../access.js';
import { changedMeanwhile } from '../entity-tag.js';
import type { Found } from '../found.js';
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
import { type KeysAsked, keyUnknown, OwnedKeys } from './owned-keys.js';
import { refuseOutlasting } from './own-end.js';
import { RevokeKey } from './revoke-key.command.js';
import { RotateKey } from './rotate-key.command.js';

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
    private readonly owned: OwnedKeys,
    private readonly usage: KeyUsage,
  ) {}

  async list(asked: KeysAsked, { limit, cursor }: ListParameters): Promise<KeyListAnswer> {
    const { items, nextCursor } = pageOf(this.owned.list(asked), { limit, cursor, nameOf: ({ id }) => id });
    const uses = await this.usage.lastUses(items.map(({ id }) => id));
    return { keys: items.map((key) => keyAnswer(key, uses.get(key.id))), next_cursor: nextCursor };
  }

  async get(asked: KeysAsked, id: string): Promise<Found> {
    return this.#found(this.owned.find(asked, id));
  }

  async issue(asked: KeysAsked, body: IssueMerchantKeyBody, ids: IdSource): Promise<Found> {
    const { caller } = asked;
    const { name, scopes, expiresAt } = body;
    const draft = { ...this.owned.newOwner(asked, body), name, scopes };
    const limit = this.owned.endOf(caller);
    const end = expiresAt === undefined ? limit : new Date(expiresAt);
    refuseOutlasting(end, limit);
    const issued = await this.commands.execute(
      new IssueKey({ ...draft, expiresAt: end, origin: originOf(caller) }, ids),
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
    const { id: key } = this.owned.find(asked, id);
    const { name, expiresAt } = body;
    const end = typeof expiresAt === 'string' ? new Date(expiresAt) : expiresAt;
    if (end !== undefined) refuseOutlasting(end, this.owned.endOf(caller));
    const change: KeyChange = {
      ...(name !== undefined && { name }),
      ...(end !== undefined && { expiresAt: end }),
    };
    const changed = await this.commands.execute(
      new ChangeKey({ key, change, expected, origin: originOf(caller) }),
    );
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
    const old = this.owned.find(asked, id);
    const limit = this.owned.endOf(caller);
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
    const { id: key } = this.owned.find(asked, id);
    const outcome = await this.commands.execute(new RevokeKey(key, originOf(asked.caller)));
    if (outcome === 'key-unknown') throw keyUnknown();
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
