// What the endpoints of every kind of definition do: reads from the directory, changes through the
// command. A site that the key does not reach answers as one that does not exist.
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { DefinitionKind } from '../../../events/definition.events.js';
import { Problem } from '../../../http/problem.js';
import { type Caller, requireReach, siteUnknown, originOf } from '../../auth/access.js';
import { SiteDirectory } from '../../auth/directories/site.directory.js';
import { changedMeanwhile } from '../../auth/entity-tag.js';
import type { Found } from '../../auth/found.js';
import { pageOf } from '../../auth/page.js';
import type { IdSource } from '../../auth/random-ids.js';
import { ChangeDefinitions } from './commands/change-definitions.command.js';
import type { Definition, DefinitionRules } from './definition.js';
import type { Refusal, Wish } from './definitions.aggregate.js';
import { DefinitionsDirectory } from './definitions.directory.js';
import { listParameters } from './list-parameters.js';

export interface Asked {
  readonly rules: DefinitionRules<DefinitionKind>;
  readonly caller: Caller;
  readonly idOrDomain: string;
}

@Injectable()
export class DefinitionsDesk {
  constructor(
    private readonly commands: CommandBus,
    private readonly sites: SiteDirectory,
    private readonly definitions: DefinitionsDirectory,
  ) {}

  list(asked: Asked, query: unknown): object {
    const { rules } = asked;
    const site = this.#siteOf(asked);
    const { limit, cursor, from, to } = listParameters(rules, query);
    const items = [...this.definitions.of(site).definitions[rules.kind].values()];
    const { items: shown, nextCursor } = pageOf(
      rules.isWithin ? items.filter(({ fields }) => rules.isWithin!(fields, { from, to })) : items,
      { limit, cursor, nameOf: ({ id, fields }) => `${rules.orderOf(fields)}\0${id}` },
    );
    return {
      [rules.plural]: shown.map((item) => this.#found(asked, site, item).answer),
      next_cursor: nextCursor,
    };
  }

  get(asked: Asked, id: string): Found {
    const site = this.#siteOf(asked);
    const item = this.definitions.of(site).definitions[asked.rules.kind].get(id);
    if (item === undefined) throw unknownItem(asked);
    return this.#found(asked, site, item);
  }

  create(asked: Asked, body: object, ids: IdSource): Promise<Found> {
    return this.save(asked, { wish: 'create', id: ids.newId(asked.rules.idPrefix), body });
  }

  /** @throws Problem also where the site is gone by the time that it is done */
  async save(asked: Asked, wish: Wish): Promise<Found> {
    const site = this.#siteOf(asked);
    const item = await this.#carryOut(asked, site, wish);
    if (item === undefined) throw siteUnknown();
    return this.#found(asked, site, item);
  }

  async delete(asked: Asked, wish: Wish): Promise<void> {
    await this.#carryOut(asked, this.#siteOf(asked), wish);
  }

  async #carryOut(asked: Asked, site: string, wish: Wish): Promise<Definition<DefinitionKind> | undefined> {
    const { rules, caller } = asked;
    const outcome = await this.commands.execute(
      new ChangeDefinitions({ site, rules, wish }, originOf(caller)),
    );
    switch (outcome.outcome) {
      case 'done':
        return outcome.definition;
      case 'site-unknown':
        throw siteUnknown();
      case 'refused':
        throw problemOf(asked, outcome);
    }
  }

  #siteOf({ caller, idOrDomain }: Asked): string {
    return requireReach(caller, this.sites.find(idOrDomain)).id;
  }

  #found({ rules }: Asked, site: string, item: Definition<DefinitionKind>): Found {
    const { id, fields, revision, createdAt } = item;
    const shown = rules.shown?.(fields, this.definitions.of(site).definitions) ?? fields;
    return {
      path: `/v1/sites/${site}/${rules.plural}/${id}`,
      revision,
      answer: { id, ...shown, createdAt: createdAt.toISOString() },
    };
  }
}

const unknownItem = ({ rules }: Asked): Problem => Problem.notFound(`There is no such ${rules.singular}.`);

function problemOf(asked: Asked, refusal: Refusal): Problem {
  switch (refusal.refused) {
    case 'unknown':
      return unknownItem(asked);
    case 'revision-differs':
      return changedMeanwhile(asked.rules.singular, refusal.actual);
    case 'conflict':
      return Problem.conflict(refusal.reason);
  }
}
