// Which keys a request is about: those of the site in its path, or those good for all of a merchant's sites. Whatever
// belongs elsewhere answers as what does not exist.
import { createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../../../http/problem.js';
import { type Caller, requireReach } from '../access.js';
import { KeyDirectory } from '../directories/key.directory.js';
import { SiteDirectory } from '../directories/site.directory.js';
import { merchantFor } from '../merchants/acting.js';
import type { ApiKey } from './key.aggregate.js';
import type { IssueMerchantKeyBody } from './key.dto.js';
import { KEY_UNKNOWN } from './keys.openapi.js';
import { ownEndOf } from './own-end.js';

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

@Injectable()
export class OwnedKeys {
  constructor(
    private readonly keys: KeyDirectory,
    private readonly sites: SiteDirectory,
  ) {}

  /** @throws Problem 403, 404 */
  list(asked: KeysAsked): readonly ApiKey[] {
    const { merchant, site } = this.#ownerOf(asked);
    return site === null ? this.keys.listOfMerchant(merchant) : this.keys.listOfSite(site);
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

  newOwner(asked: KeysAsked, { merchant: named, scopes }: IssueMerchantKeyBody): IssuedFor {
    const { merchant, site } = this.#ownerOf(asked);
    if (merchant !== null && site !== null) return { merchant, site };
    if (scopes.includes('ingest')) throw ingestOfAllSites();
    return { merchant: merchantFor(asked.caller, named), site: null };
  }

  /** @throws Problem 404 unless the key belongs exactly there */
  find(asked: KeysAsked, id: string): ApiKey {
    const { merchant, site } = this.#ownerOf(asked);
    const key = this.keys.byId(id);
    if (key === undefined || key.site !== site) throw keyUnknown();
    if (merchant !== null && key.merchant !== merchant) throw keyUnknown();
    return key;
  }

  /** Null: it does not end by itself. */
  endOf(caller: Caller): Date | null {
    return ownEndOf(caller, this.keys);
  }
}

const ingestOfAllSites = (): Problem =>
  Problem.badRequest('Issue it under /v1/sites/{site}/keys.', [
    { path: 'scopes', message: 'ingest is for keys of one site' },
  ]);

export const keyUnknown = (): Problem => Problem.notFound(KEY_UNKNOWN);
