// An event's way to the log. To know what can happen to it, read this list. No bots, user agents,
// sources or sessions here: the projector interprets, so that a rebuild can correct it.
import type { Draft } from './draft.js';
import type { FieldCheck } from './native-event.schema.js';
import { checkFields } from './steps/check-fields.js';
import { checkOrigin } from './steps/check-origin.js';
import { checkPrivileges } from './steps/check-privileges.js';
import { checkQuota, type QuotaWait } from './steps/check-quota.js';
import { choosePartition, type SpreadAt } from './steps/choose-partition.js';
import { exclude } from './steps/exclude.js';
import { forgetAddress } from './steps/forget-address.js';
import { ignoreClaims } from './steps/ignore-claims.js';
import { identifyVisitor, type Hash } from './steps/identify-visitor.js';
import { limitRate, type SiteWait } from './steps/limit-rate.js';
import { locate, type PlaceOf } from './steps/locate.js';
import { redactUrls } from './steps/redact-urls.js';
import { resolveSite, type FindSite } from './steps/resolve-site.js';
import { respectConsent } from './steps/respect-consent.js';
import { type ExcessFor, sampleExcess } from './steps/sample-excess.js';
import { settleAddress, type AddressOf } from './steps/settle-address.js';
import { stampTimes } from './steps/stamp-times.js';
import { NEXT, type Step, type Verdict } from './verdict.js';

export interface PipelineDeps {
  readonly findSite: FindSite;
  readonly siteWaitSeconds: SiteWait;
  readonly quotaWaitSeconds: QuotaWait;
  readonly excessFor: ExcessFor;
  readonly checkInput: FieldCheck;
  readonly addressOf: AddressOf;
  readonly allowedQueryParameters: readonly string[];
  readonly placeOf: PlaceOf;
  readonly hash: Hash;
  readonly partitions: number;
  readonly spreadAt: SpreadAt;
}

export const pipeline = (deps: PipelineDeps): readonly Step<Draft>[] => [
  resolveSite(deps.findSite),
  limitRate(deps.siteWaitSeconds),
  checkQuota(deps.quotaWaitSeconds),
  checkOrigin(),
  ignoreClaims(),
  checkFields(deps.checkInput),
  respectConsent(),
  checkPrivileges(),
  stampTimes(),
  redactUrls(deps.allowedQueryParameters),
  settleAddress(deps.addressOf),
  locate(deps.placeOf),
  exclude(),
  identifyVisitor(deps.hash),
  sampleExcess(deps.excessFor),
  forgetAddress(), // no later line can see the address
  choosePartition(deps.partitions, deps.spreadAt),
];

/** Stops at the first verdict that is not `next`. */
export function run(steps: readonly Step<Draft>[], draft: Draft): Verdict {
  for (const step of steps) {
    const verdict = step(draft);
    if (verdict !== NEXT) return verdict;
  }
  return NEXT;
}
