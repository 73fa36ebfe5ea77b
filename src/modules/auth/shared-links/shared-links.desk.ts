// What the endpoints of shared links do for those who manage them: reads from the directory, changes through
// commands. A link of another site answers as one that does not exist.
import { Inject, Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { CONFIG, type Config } from '../../../config/config.js';
import { Problem } from '../../../http/problem.js';
import { type Caller, originOf, siteUnknown } from '../access.js';
import { KeyDirectory } from '../directories/key.directory.js';
import { changedMeanwhile } from '../entity-tag.js';
import type { Found } from '../found.js';
import { ownEndOf, refuseOutlasting } from '../keys/own-end.js';
import { pageOf } from '../page.js';
import { PasswordHashing } from '../people/passwords/password-hashing.js';
import { passwordFault } from '../people/passwords/password-rules.js';
import { publicUrlOf } from '../people/tokens/access-tokens.js';
import type { IdSource } from '../random-ids.js';
import type { ListParameters } from '../sites/site.dto.js';
import type { Site } from '../sites/site.aggregate.js';
import { ChangeSharedLink } from './change-shared-link.command.js';
import { CreateSharedLink } from './create-shared-link.command.js';
import { LinkSecrets } from './link-secrets.js';
import type { SharedLink, SharedLinkChange } from './shared-link.aggregate.js';
import { SharedLinkDirectory } from './shared-link.directory.js';
import {
  type ChangeSharedLinkBody,
  type CreateSharedLinkBody,
  sharedLinkAnswer,
  type SharedLinkListAnswer,
} from './shared-link.dto.js';

const ID_PREFIX = 'l';
export const LINK_UNKNOWN = 'The site has no such shared link.';

/** One link of a site, as whoever asks has seen it. */
export interface LinkAsked {
  readonly site: Site;
  readonly id: string;
  readonly expected: number | 'any';
  readonly caller: Caller;
}

@Injectable()
export class SharedLinksDesk {
  readonly #publicUrl: string;

  constructor(
    @Inject(CONFIG) config: Config,
    private readonly commands: CommandBus,
    private readonly links: SharedLinkDirectory,
    private readonly secrets: LinkSecrets,
    private readonly hashing: PasswordHashing,
    private readonly keys: KeyDirectory,
  ) {
    this.#publicUrl = publicUrlOf(config);
  }

  list({ id }: Site, { limit, cursor }: ListParameters): SharedLinkListAnswer {
    const page = pageOf(this.links.listOfSite(id), { limit, cursor, nameOf: (link) => link.id });
    return { sharedLinks: page.items.map((link) => this.#answer(link)), next_cursor: page.nextCursor };
  }

  get(site: Site, id: string): Found {
    return this.#found(this.#linkOf(site, id));
  }

  async create(
    { id: site, merchant }: Site,
    { body, caller, ids }: { body: CreateSharedLinkBody; caller: Caller; ids: IdSource },
  ): Promise<Found> {
    const { name, embeddable = false, allowedHosts = [], expiresAt, password } = body;
    const ownEnd = ownEndOf(caller, this.keys);
    const end = expiresAt === undefined ? ownEnd : new Date(expiresAt);
    refuseOutlasting(end, ownEnd);
    const id = ids.newId(ID_PREFIX);
    const draft = {
      ...{ merchant, site, name, embeddable, allowedHosts },
      password: password === undefined ? null : await this.#sealed(id, password),
      expiresAt: end,
    };
    const created = await this.commands.execute(new CreateSharedLink(id, draft, originOf(caller)));
    if (created.outcome === 'created') return this.#found(created.link);
    if (created.outcome === 'site-unknown') throw siteUnknown();
    throw Problem.conflict('The link that this request had created was deleted since.');
  }

  async change(asked: LinkAsked, body: ChangeSharedLinkBody): Promise<Found> {
    const { id } = this.#linkOf(asked.site, asked.id);
    const { name, embeddable, allowedHosts, password, expiresAt } = body;
    const end = typeof expiresAt === 'string' ? new Date(expiresAt) : expiresAt;
    if (end !== undefined) refuseOutlasting(end, ownEndOf(asked.caller, this.keys));
    const link = await this.#carryOut(asked, {
      ...{ name, embeddable, allowedHosts },
      password: typeof password === 'string' ? await this.#sealed(id, password) : password,
      expiresAt: end,
    });
    if (typeof link === 'string') throw linkUnknown();
    return this.#found(link);
  }

  async delete(asked: LinkAsked): Promise<void> {
    this.#linkOf(asked.site, asked.id);
    await this.#carryOut(asked, 'delete');
  }

  /** @throws Problem 404, 409 */
  async #carryOut({ id, expected, caller }: LinkAsked, change: SharedLinkChange | 'delete') {
    const done = await this.commands.execute(
      new ChangeSharedLink({ id, change, expected, origin: originOf(caller) }),
    );
    if (done.outcome === 'done') return done.link;
    if (done.outcome === 'link-unknown') throw linkUnknown();
    throw changedMeanwhile('link', done.actual);
  }

  /** @throws Problem 404 */
  #linkOf(site: Site, id: string): SharedLink {
    const link = this.links.byId(id);
    if (link?.site !== site.id) throw linkUnknown();
    return link;
  }

  /** @throws Problem 400 for a password that is easy to guess */
  async #sealed(id: string, password: string): Promise<string> {
    const fault = passwordFault(password, '');
    if (fault !== undefined) {
      throw Problem.badRequest('Choose another password.', [
        { path: 'password', message: `password ${fault}` },
      ]);
    }
    return this.secrets.sealPassword(id, await this.hashing.hash(password));
  }

  #answer(link: SharedLink) {
    return sharedLinkAnswer(link, {
      token: this.secrets.tokenOf(link.id),
      publicUrl: this.#publicUrl,
    });
  }

  #found(link: SharedLink): Found {
    const path = `/v1/sites/${link.site}/shared-links/${link.id}`;
    return { path, revision: link.revision, answer: this.#answer(link) };
  }
}

const linkUnknown = (): Problem => Problem.notFound(LINK_UNKNOWN);
