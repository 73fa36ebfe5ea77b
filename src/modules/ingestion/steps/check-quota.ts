// A merchant that has used up the month's quota, and its grace, sends no more events until the month ends, where that is
// its quota's policy; under others `sample-excess` decides.
import type { Draft } from '../draft.js';
import { NEXT, rejected, type Step } from '../verdict.js';

/** Until the merchant may send again, in seconds, or 0. */
export type QuotaWait = (merchant: string, receivedAt: number) => number;

const DETAIL = "the month's quota of events is used up";

export const checkQuota =
  (waitSeconds: QuotaWait): Step<Draft> =>
  ({ merchant, request }) => {
    const retryAfterSeconds = waitSeconds(merchant, request.receivedAt);
    return retryAfterSeconds === 0 ? NEXT : rejected('quota_exceeded', DETAIL, retryAfterSeconds);
  };
