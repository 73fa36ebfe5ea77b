// Who came by a shared link: whoever shows the token of a session, which is good for an hour and says only which link,
// and which of its passwords. Whether the link is still there, and has the same password, is looked up with every
// request, so that a link that is deleted, has expired or was given another password is over within seconds.
import type { Caller, Permission } from '../access.js';
import type { SigningKeys } from '../people/tokens/signing-keys.js';
import { SignedTokens } from '../people/tokens/signed-tokens.js';
import { type SharedLink, sharedLinkStream } from './shared-link.aggregate.js';
import type { SharedLinkDirectory } from './shared-link.directory.js';

export const SESSION_LIFE_SECONDS = 3_600;
/** No other kind of JWT is taken for one. */
const SESSION = { type: 'link+jwt', lifeSeconds: SESSION_LIFE_SECONDS, requiredClaims: ['generation'] };
const SCOPES: ReadonlySet<Permission> = new Set(['stats:view'] as const);

export interface LinkSessionsDeps {
  readonly keys: SigningKeys;
  readonly issuer: string;
  readonly links: SharedLinkDirectory;
  readonly nowMs?: () => number;
}

export class LinkSessions {
  readonly #tokens: SignedTokens;

  constructor(private readonly deps: LinkSessionsDeps) {
    const { keys, issuer, nowMs = Date.now } = deps;
    this.#tokens = new SignedTokens({ keys, issuer, kind: SESSION, nowMs });
  }

  begin({ id, generation }: SharedLink): Promise<string> {
    return this.#tokens.sign(id, { generation });
  }

  /** @param bearer what came as Authorization: Bearer. */
  async find(bearer: string): Promise<Caller | undefined> {
    const claims = await this.#tokens.verify(bearer);
    return claims && this.#callerOf({ link: claims.sub!, generation: Number(claims.generation) });
  }

  /** Of somebody who was found before: whether they still would be. */
  holds({ viaLink }: Caller): boolean {
    return viaLink !== undefined && this.#callerOf(viaLink) !== undefined;
  }

  #callerOf(viaLink: NonNullable<Caller['viaLink']>): Caller | undefined {
    const link = this.deps.links.open(viaLink.link);
    return link?.generation === viaLink.generation ? callerOf(link) : undefined;
  }
}

/** Whoever came by it: may see the numbers of its site. */
export const callerOf = ({ id, merchant, site, generation }: SharedLink): Caller => ({
  id: sharedLinkStream(id),
  merchant,
  site,
  scopes: SCOPES,
  viaLink: { link: id, generation },
});
