// Sites over HTTP: reads from the directory, changes through commands. A site that the key does not
// reach answers as one that does not exist.
import { Body, Delete, Get, HttpCode, Param, Patch, Post, Query, UseInterceptors } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { SiteName } from '../../../events/site.events.js';
import { Problem } from '../../../http/problem.js';
import { hasScope, type Caller, requireReach, siteUnknown, originOf } from '../access.js';
import { ApiProblems } from '../api-answers.js';
import { ApiIfMatch, revisionOf } from '../api-revision.js';
import { ApiSite, SITE_UNKNOWN } from '../api-site.js';
import { ChangeSite, type ChangeSiteOutcome } from './change-site.command.js';
import { CreateSite, type CreateSiteOutcome } from './create-site.command.js';
import { DeleteSite, type DeleteSiteOutcome } from './delete-site.command.js';
import { type Site, SiteDirectory } from '../directories/site.directory.js';
import { ControlPlaneController } from '../control-plane-controller.js';
import { changedMeanwhile, changedSince } from '../entity-tag.js';
import { Ids, Repeatable } from '../idempotency/repeatable.js';
import { Calling, NeedsScope } from '../caller.guard.js';
import { merchantFor } from '../merchants/acting.js';
import { pageOf } from '../page.js';
import type { IdSource } from '../random-ids.js';
import { SiteAnswerInterceptor, type SiteTarget, Target } from './site-exchange.js';
import {
  ChangeSiteBody,
  CreateSiteBody,
  ListParameters,
  SiteAnswer,
  siteAnswer,
  SiteListAnswer,
} from './site.dto.js';
import { CURRENCY_DEFAULT, SiteSettingsBody, TIMEZONE_DEFAULT } from './site-settings.dto.js';

const ETAG = revisionOf('site');

@ControlPlaneController('v1/sites', { tag: 'Sites' })
export class SitesController {
  constructor(
    private readonly commands: CommandBus,
    private readonly sites: SiteDirectory,
  ) {}

  @Post()
  @UseInterceptors(SiteAnswerInterceptor)
  @Repeatable()
  @NeedsScope('sites:admin')
  @ApiOperation({ operationId: 'createSite', summary: 'Create a site' })
  @ApiResponse({
    status: 201,
    type: SiteAnswer,
    headers: ETAG,
    description: 'Created, and ready for events.',
  })
  @ApiProblems({
    400: 'Some fields are not valid.',
    409: 'The domain, an alias or a tracking id belongs to another site.',
  })
  async create(@Body() body: CreateSiteBody, @Calling() caller: Caller, @Ids() ids: IdSource): Promise<Site> {
    if (caller.site !== null) throw Problem.forbidden('A key of one site cannot create another.');
    requireOperatorForSpread(body, caller);
    const { domain, name = domain, timezone = TIMEZONE_DEFAULT, currency = CURRENCY_DEFAULT } = body;
    const merchant = merchantFor(caller, body.merchant);
    const { trackingIds = [], aliases, spread, weekStart, consentMode } = body;
    const { allowedOrigins, hostnames, queryParameters, exclusions } = body;
    const draft = {
      ...{ merchant, domain, name, timezone, currency, trackingIds, aliases, spread, weekStart },
      ...{ consentMode, allowedOrigins, hostnames, queryParameters, exclusions },
    };
    const created = await this.commands.execute(new CreateSite(draft, originOf(caller), ids));
    if (created.outcome === 'created') return created.site;
    throw refusal(created);
  }

  @Get()
  @NeedsScope('sites:admin', 'stats:read')
  @ApiOperation({ operationId: 'listSites', summary: 'List the sites that the key reaches' })
  @ApiResponse({ status: 200, type: SiteListAnswer })
  @ApiProblems({ 400: 'limit or cursor is not valid.' })
  list(@Query() { limit, cursor }: ListParameters, @Calling() caller: Caller): SiteListAnswer {
    const page = pageOf(this.#reachedBy(caller), { limit, cursor, nameOf: ({ domain }) => domain });
    return { sites: page.items.map(siteAnswer), next_cursor: page.nextCursor };
  }

  @Get(':site')
  @UseInterceptors(SiteAnswerInterceptor)
  @NeedsScope('sites:admin', 'stats:read')
  @ApiSite()
  @ApiOperation({ operationId: 'getSite', summary: 'Read a site' })
  @ApiResponse({ status: 200, type: SiteAnswer, headers: ETAG })
  @ApiProblems({ 404: SITE_UNKNOWN })
  get(@Param('site') idOrDomain: string, @Calling() caller: Caller): Site {
    return requireReach(caller, this.sites.find(idOrDomain));
  }

  @Patch(':site')
  @UseInterceptors(SiteAnswerInterceptor)
  @NeedsScope('sites:admin')
  @ApiSite()
  @ApiIfMatch('site')
  @ApiOperation({ operationId: 'changeSite', summary: "Change a site's settings" })
  @ApiResponse({ status: 200, type: SiteAnswer, headers: ETAG })
  @ApiProblems({
    400: 'Some fields are not valid.',
    404: SITE_UNKNOWN,
    409: `The domain, an alias or a tracking id belongs to another site; or: ${changedSince('site')}`,
  })
  async change(
    @Target() { idOrDomain, expected }: SiteTarget,
    @Body() change: ChangeSiteBody,
    @Calling() caller: Caller,
  ): Promise<Site> {
    const { id: site } = requireReach(caller, this.sites.find(idOrDomain));
    requireOperatorForSpread(change, caller);
    const changed = await this.commands.execute(
      new ChangeSite({ site, change, expected, origin: originOf(caller) }),
    );
    if (changed.outcome === 'changed') return changed.site;
    throw refusal(changed);
  }

  @Delete(':site')
  @NeedsScope('sites:admin')
  @HttpCode(204)
  @ApiSite()
  @ApiIfMatch('site')
  @ApiOperation({ operationId: 'deleteSite', summary: 'Delete a site and release its domain' })
  @ApiResponse({ status: 204, description: 'Deleted.' })
  @ApiProblems({ 404: SITE_UNKNOWN, 409: changedSince('site') })
  async delete(@Target() { idOrDomain, expected }: SiteTarget, @Calling() caller: Caller): Promise<void> {
    const { id: site } = requireReach(caller, this.sites.find(idOrDomain));
    const deleted = await this.commands.execute(new DeleteSite({ site, expected, origin: originOf(caller) }));
    if (deleted.outcome !== 'deleted') throw refusal(deleted);
  }

  #reachedBy({ merchant, site }: Caller): readonly Site[] {
    if (site === null) return this.sites.list(merchant ?? undefined);
    const own = this.sites.find(site);
    return own ? [own] : [];
  }
}

/** It decides about the load of machines that all merchants share. */
function requireOperatorForSpread({ spread }: SiteSettingsBody, caller: Caller): void {
  if (spread === undefined || hasScope(caller, 'operator')) return;
  throw Problem.forbidden('Only the operator may spread a site over partitions.');
}

type Refused =
  | Exclude<CreateSiteOutcome, { outcome: 'created' }>
  | Exclude<ChangeSiteOutcome, { outcome: 'changed' }>
  | Exclude<DeleteSiteOutcome, { outcome: 'deleted' }>;

function refusal(refused: Refused): Problem {
  switch (refused.outcome) {
    case 'name-taken':
      return Problem.conflict(`${textOf(refused.name)} belongs to a site already.`);
    case 'merchant-unknown':
      return Problem.badRequest('The site would belong to nobody.', [
        { path: 'merchant', message: 'is the id of no merchant' },
      ]);
    case 'revision-differs':
      return changedMeanwhile('site', refused.actual);
    case 'site-unknown':
      break;
  }
  return siteUnknown();
}

const textOf = (name: SiteName): string =>
  'domain' in name ? `The domain ${name.domain}` : `The tracking id ${name.trackingId}`;
