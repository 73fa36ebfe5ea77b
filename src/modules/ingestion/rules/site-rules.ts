// What a site's settings ask of its events at intake, made ready to be asked of each of them: lists
// become sets and functions once per change of the site, not once per event. Almost all sites have no
// rules, and share one object. Pure: what compares addresses is given.
import type { Consent } from '../../../events/site.events.js';
import type { Site } from '../../auth/sites/site.aggregate.js';
import { compileHosts, type HostMatch } from './host-patterns.js';
import { compilePages, type PageMatch } from './page-patterns.js';

export type AddressMatch = (address: string) => boolean;
/** Of addresses and blocks of them. */
export type CompileAddresses = (blocks: readonly string[]) => AddressMatch;

export interface SiteRules {
  readonly consentMode: Consent;
  /** Whose pages may send with a public key; undefined: any host's. */
  readonly allowsOrigin: HostMatch | undefined;
  /** Kept beside those of the installation. */
  readonly queryParameters: ReadonlySet<string> | undefined;
  /** Undefined: nothing is excluded. */
  readonly exclusions: ExclusionRules | undefined;
}

export interface ExclusionRules {
  readonly countries: ReadonlySet<string> | undefined;
  readonly matchesAddress: AddressMatch | undefined;
  readonly matchesPage: PageMatch | undefined;
  readonly matchesHost: HostMatch | undefined;
  /** Any other host is excluded. */
  readonly countsHost: HostMatch | undefined;
}

export type RuledSite = Pick<
  Site,
  'consentMode' | 'allowedOrigins' | 'hostnames' | 'queryParameters' | 'exclusions'
>;

export const NO_RULES: SiteRules = Object.freeze({
  consentMode: 'cookieless',
  allowsOrigin: undefined,
  queryParameters: undefined,
  exclusions: undefined,
});

export function compileRules(site: RuledSite, compileAddresses: CompileAddresses): SiteRules {
  const rules: SiteRules = {
    consentMode: site.consentMode,
    allowsOrigin: compileHosts(site.allowedOrigins),
    queryParameters: setOf(site.queryParameters),
    exclusions: exclusionsOf(site, compileAddresses),
  };
  const isPlain = (Object.keys(rules) as (keyof SiteRules)[]).every((rule) => rules[rule] === NO_RULES[rule]);
  return isPlain ? NO_RULES : rules;
}

function exclusionsOf(
  { exclusions, hostnames }: RuledSite,
  compileAddresses: CompileAddresses,
): ExclusionRules | undefined {
  const rules: ExclusionRules = {
    countries: setOf(exclusions.countries),
    matchesAddress: exclusions.addresses.length > 0 ? compileAddresses(exclusions.addresses) : undefined,
    matchesPage: compilePages(exclusions.pages),
    matchesHost: compileHosts(exclusions.hostnames),
    countsHost: compileHosts(hostnames),
  };
  return Object.values(rules).some((rule) => rule !== undefined) ? rules : undefined;
}

const setOf = (values: readonly string[]): ReadonlySet<string> | undefined =>
  values.length > 0 ? new Set(values) : undefined;
