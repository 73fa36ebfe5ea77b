// Where there are keys: at a merchant, good for all of its sites, and at each site. What is done with them is the
// same, and written once (keys.controller.ts).
import { applyDecorators, type Type } from '@nestjs/common';
import { ApiSite } from '../api-site.js';
import { IssueKeyBody, IssueMerchantKeyBody } from './key.dto.js';

export interface KeyPlace {
  readonly path: string;
  /** Whether the path names a site. */
  readonly isOfSite: boolean;
  readonly issueBody: Type<IssueMerchantKeyBody>;
  /** What follows the verb in the names of its operations. */
  readonly thing: string;
  /** As they are called in sentences. */
  readonly newKey: string;
  readonly oneKey: string;
  readonly allKeys: string;
  readonly ApiPlace: () => MethodDecorator;
}

const OF_MERCHANT: KeyPlace = {
  path: 'v1/keys',
  isOfSite: false,
  issueBody: IssueMerchantKeyBody,
  thing: 'Key',
  newKey: "a key for all of a merchant's sites",
  oneKey: "a key good for all of a merchant's sites",
  allKeys: "the keys good for all of a merchant's sites",
  ApiPlace: () => applyDecorators(),
};

const OF_SITE: KeyPlace = {
  path: 'v1/sites/:site/keys',
  isOfSite: true,
  issueBody: IssueKeyBody,
  thing: 'SiteKey',
  newKey: 'a key for one site',
  oneKey: 'a key of a site',
  allKeys: 'the keys of a site',
  ApiPlace: ApiSite,
};

/** In the order in which they are documented. */
export const KEY_PLACES: readonly KeyPlace[] = [OF_SITE, OF_MERCHANT];
