// What stands beside a report: the site's currency and time zone, how much of each date range was read
// where a sample was, and what is left of the key's requests where Google has its quotas of tokens. Pure.
import { SAMPLE_STEPS } from '../../facts/facts-query.js';

/** What was read for a date range. */
export interface Completeness {
  /** Of visitors: 1 where all were read. */
  readonly sampleRate: number;
  /** Rare values are in one row. */
  readonly hasOtherRow: boolean;
  /** Something is hidden or was not taken, because of a quota. */
  readonly isIncomplete: boolean;
}

export const COMPLETE: Completeness = { sampleRate: 1, hasOtherRow: false, isIncomplete: false };

export const lesserOf = (a: Completeness, b: Completeness): Completeness => ({
  sampleRate: Math.min(a.sampleRate, b.sampleRate),
  hasOtherRow: a.hasOtherRow || b.hasOtherRow,
  isIncomplete: a.isIncomplete || b.isIncomplete,
});

interface Ga4Metadata {
  readonly currencyCode: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly dataLossFromOtherRow?: true;
  /** Google's word for it that something is withheld. */
  readonly subjectToThresholding?: true;
  /** One for each date range; absent where all was read. */
  readonly samplingMetadatas?: readonly {
    readonly samplesReadCount: string;
    readonly samplingSpaceSize: string;
  }[];
}

export function reportMetadata(
  { currency, timezone }: { readonly currency: string; readonly timezone: string },
  ranges: readonly Completeness[],
): Ga4Metadata {
  return {
    currencyCode: currency,
    timeZone: timezone,
    ...(ranges.some(({ hasOtherRow }) => hasOtherRow) && { dataLossFromOtherRow: true }),
    ...(ranges.some(({ isIncomplete }) => isIncomplete) && { subjectToThresholding: true }),
    ...(ranges.some(({ sampleRate }) => sampleRate < 1) && { samplingMetadatas: ranges.map(samplingOf) }),
  };
}

/** Visitors are picked by parts of a hash, so parts are what is counted. */
const samplingOf = ({ sampleRate }: Completeness) => ({
  samplesReadCount: String(Math.round(sampleRate * SAMPLE_STEPS)),
  samplingSpaceSize: String(SAMPLE_STEPS),
});

/** What programs print of Google's is all there, so that none stumbles over what is missing. */
export function propertyQuota(requestsLeft: number) {
  const asked = { consumed: 1, remaining: requestsLeft };
  const unlimited = { consumed: 0, remaining: requestsLeft };
  return {
    tokensPerDay: asked,
    tokensPerHour: asked,
    concurrentRequests: unlimited,
    serverErrorsPerProjectPerHour: unlimited,
    potentiallyThresholdedRequestsPerHour: unlimited,
    tokensPerProjectPerHour: asked,
  };
}
