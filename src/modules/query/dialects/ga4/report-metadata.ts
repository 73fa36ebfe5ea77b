// What stands beside a report: the site's currency and time zone, how much of each date range was read
// where a sample was, and what is left of the key's requests where Google has its quotas of tokens. Pure.
import { SAMPLE_STEPS } from '../../facts/facts-query.js';

interface Ga4Metadata {
  readonly currencyCode: string;
  /** IANA name. */
  readonly timeZone: string;
  /** One for each date range; absent where all was read. */
  readonly samplingMetadatas?: readonly {
    readonly samplesReadCount: string;
    readonly samplingSpaceSize: string;
  }[];
}

export function reportMetadata(
  { currency, timezone }: { readonly currency: string; readonly timezone: string },
  sampleRates: readonly number[],
): Ga4Metadata {
  return {
    currencyCode: currency,
    timeZone: timezone,
    ...(sampleRates.some((rate) => rate < 1) && { samplingMetadatas: sampleRates.map(samplingOf) }),
  };
}

/** Visitors are picked by parts of a hash, so parts are what is counted. */
const samplingOf = (rate: number) => ({
  samplesReadCount: String(Math.round(rate * SAMPLE_STEPS)),
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
