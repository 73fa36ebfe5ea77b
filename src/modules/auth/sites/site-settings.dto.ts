// What can be set about any site, as it goes over HTTP: creating and changing accept it.
import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { PARTITIONS_MAX } from '../../../config/config.js';
import {
  type Consent,
  CONSENTS,
  type Exclusions,
  WEEK_STARTS,
  type WeekStart,
} from '../../../events/site.events.js';
import { IfGiven, IsCurrency, IsLine, IsTimezone, rule } from '../input-rules.js';
import { normaliseDomain } from './domain.js';
import {
  normaliseAddressBlock,
  normaliseCountry,
  normaliseHostPattern,
  normalisePagePattern,
  normaliseQueryParameter,
} from './setting-values.js';
import { SETTINGS_DEFAULT } from './site.aggregate.js';

const NAME_CHARACTERS_MAX = 120;
const TRACKING_IDS_MAX = 20;
const TRACKING_ID_CHARACTERS_MAX = 200;
const ALIASES_MAX = 50;
const HOSTS_MAX = 50;
const QUERY_PARAMETERS_MAX = 30;
const COUNTRIES_MAX = 250;
const ADDRESSES_MAX = 100;
const PAGES_MAX = 100;
export const TIMEZONE_DEFAULT = 'UTC';
export const CURRENCY_DEFAULT = 'EUR';

const Uppercase = () =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toUpperCase() : value));

interface ListOptions {
  readonly entriesMax: number;
  /** Undefined: it may not stand there. */
  readonly normalise: (entry: string) => string | undefined;
  readonly otherwise: string;
}

/** A list whose entries are brought to their one spelling before they are checked. */
const ListOf = ({ entriesMax, normalise, otherwise }: ListOptions) =>
  applyDecorators(
    IfGiven(),
    Transform(({ value }: { value: unknown }) =>
      Array.isArray(value)
        ? value.map((entry: unknown) => (typeof entry === 'string' ? (normalise(entry) ?? entry) : entry))
        : value,
    ),
    IsArray(),
    ArrayMaxSize(entriesMax),
    ArrayUnique(),
    rule('isEntry', {
      holds: (entry) => typeof entry === 'string' && normalise(entry) !== undefined,
      otherwise,
      each: true,
    }),
  );

export const ListOfHosts = () =>
  ListOf({
    entriesMax: HOSTS_MAX,
    normalise: normaliseHostPattern,
    otherwise: 'must be a host name such as shop.example or *.shop.example, without port or path',
  });

export class ExclusionsBody {
  @ApiPropertyOptional({
    description: "ISO 3166-1 alpha-2 codes of visitors' countries.",
    type: [String],
    maxItems: COUNTRIES_MAX,
    example: ['AQ'],
  })
  @ListOf({
    entriesMax: COUNTRIES_MAX,
    normalise: normaliseCountry,
    otherwise: 'must be an ISO 3166-1 country code of two letters such as AT',
  })
  countries?: string[];

  @ApiPropertyOptional({
    description: "Visitors' addresses, or blocks of them: an office, a monitoring service.",
    type: [String],
    maxItems: ADDRESSES_MAX,
    example: ['192.0.2.0/24', '2001:db8::1'],
  })
  @ListOf({
    entriesMax: ADDRESSES_MAX,
    normalise: normaliseAddressBlock,
    otherwise: 'must be an IPv4 or IPv6 address, or a block such as 192.0.2.0/24',
  })
  addresses?: string[];

  @ApiPropertyOptional({
    description: 'Paths, in which `*` stands for any characters but `/` and `**` for any at all.',
    type: [String],
    maxItems: PAGES_MAX,
    example: ['/admin/**'],
  })
  @ListOf({
    entriesMax: PAGES_MAX,
    normalise: normalisePagePattern,
    otherwise: 'must be a path such as /admin/**, of at most 300 characters and 5 wildcards',
  })
  pages?: string[];

  @ApiPropertyOptional({
    description: 'Hosts of pages; `*.` before a domain stands for every host below it.',
    type: [String],
    maxItems: HOSTS_MAX,
    example: ['staging.shop.example'],
  })
  @ListOfHosts()
  hostnames?: string[];
}

export class SiteSettingsBody {
  @ApiPropertyOptional({
    description: 'Further domains of the site, of this site only; it can be named by them as by its domain.',
    type: [String],
    maxItems: ALIASES_MAX,
    example: ['shop-old.example'],
  })
  @ListOf({
    entriesMax: ALIASES_MAX,
    normalise: normaliseDomain,
    otherwise: 'must be a host name such as example.com, without port or path',
  })
  aliases?: string[];

  @ApiPropertyOptional({ description: 'Shown to people. Default: the domain.', example: 'Example shop' })
  @IfGiven()
  @IsLine(NAME_CHARACTERS_MAX)
  name?: string;

  @ApiPropertyOptional({
    description: 'IANA name; days and hours of reports are of this zone.',
    default: TIMEZONE_DEFAULT,
    example: 'Europe/Vienna',
  })
  @IfGiven()
  @IsTimezone()
  timezone?: string;

  @ApiPropertyOptional({
    description: 'ISO 4217, of revenue reports.',
    default: CURRENCY_DEFAULT,
    example: 'EUR',
  })
  @IfGiven()
  @Uppercase()
  @IsCurrency()
  currency?: string;

  @ApiPropertyOptional({
    description: 'With which day weeks begin in reports that do not say otherwise.',
    enum: WEEK_STARTS,
    default: SETTINGS_DEFAULT.weekStart,
    example: 'monday',
  })
  @IfGiven()
  @IsIn(WEEK_STARTS)
  weekStart?: WeekStart;

  @ApiPropertyOptional({
    description: "Names by which other vendors' clients may call the site; each belongs to one site.",
    type: [String],
    maxItems: TRACKING_IDS_MAX,
    example: ['G-ABC123', '123456'],
  })
  @IfGiven()
  @IsArray()
  @ArrayMaxSize(TRACKING_IDS_MAX)
  @ArrayUnique()
  @IsLine(TRACKING_ID_CHARACTERS_MAX, 'each')
  trackingIds?: string[];

  @ApiPropertyOptional({
    description:
      'What visitors are taken to allow of whom an event does not say it (`consent`). `none`: their events are not kept. `cookieless`: they are counted without an id that lasts, and ids that a page gives are refused. `full`: the page may give a `visitorId` of its own. Keys of scope `ingest:server` are not bound by it.',
    enum: CONSENTS,
    default: SETTINGS_DEFAULT.consentMode,
    example: 'cookieless',
  })
  @IfGiven()
  @IsIn(CONSENTS)
  consentMode?: Consent;

  @ApiPropertyOptional({
    description:
      'Hosts whose pages may send events with a key that is public, by the Origin or Referer of the request; `*.` before a domain stands for every host below it. Empty: any. Keys of scope `ingest:server` are not bound by it.',
    type: [String],
    maxItems: HOSTS_MAX,
    example: ['shop.example', '*.shop.example'],
  })
  @ListOfHosts()
  allowedOrigins?: string[];

  @ApiPropertyOptional({
    description:
      'Hosts whose pages count, by the URL of the event; `*.` before a domain stands for every host below it. Empty: any.',
    type: [String],
    maxItems: HOSTS_MAX,
    example: ['shop.example', '*.shop.example'],
  })
  @ListOfHosts()
  hostnames?: string[];

  @ApiPropertyOptional({
    description:
      'Query parameters of page URLs that are kept, beside those that always are. All others are removed before anything is stored.',
    type: [String],
    maxItems: QUERY_PARAMETERS_MAX,
    example: ['page', 'category'],
  })
  @ListOf({
    entriesMax: QUERY_PARAMETERS_MAX,
    normalise: normaliseQueryParameter,
    otherwise: 'must be the name of a query parameter as it stands in URLs, of at most 100 characters',
  })
  queryParameters?: string[];

  @ApiPropertyOptional({
    description: 'Events that are not kept. Lists that are not given stay as they are.',
    type: () => ExclusionsBody,
  })
  @IfGiven()
  @IsObject()
  @ValidateNested()
  @Type(() => ExclusionsBody)
  exclusions?: ExclusionsBody;

  @ApiPropertyOptional({
    description:
      'Partitions of the tracking log over which visitors of a very busy site are spread, in force a minute later; more than there are is all of them. Only the operator may set it.',
    default: 1,
    minimum: 1,
    maximum: PARTITIONS_MAX,
    example: 1,
  })
  @IfGiven()
  @IsInt()
  @Min(1)
  @Max(PARTITIONS_MAX)
  spread?: number;
}

export class ExclusionsAnswer implements Exclusions {
  @ApiProperty({ type: [String], example: ['AQ'] }) countries!: readonly string[];
  @ApiProperty({ type: [String], example: ['192.0.2.0/24', '2001:db8::1'] }) addresses!: readonly string[];
  @ApiProperty({ type: [String], example: ['/admin/**'] }) pages!: readonly string[];
  @ApiProperty({ type: [String], example: ['staging.shop.example'] }) hostnames!: readonly string[];
}
