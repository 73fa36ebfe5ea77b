// What is answered where more is sent than may be: 429, and when to try again.
import { ofStatus } from '../../../http/problem-details.js';
import type { ProblemOptions } from '../../../http/problem.js';

export const siteTooBusy = (retryAfterSeconds: number): ProblemOptions => ({
  ...ofStatus(429, `More events of this site arrive than it may send. Try again in ${retryAfterSeconds} s.`),
  retryAfterSeconds,
});

export const quotaUsedUp = (retryAfterSeconds: number): ProblemOptions => ({
  ...{ status: 429, type: 'quota-exceeded', title: "The month's quota is used up", retryAfterSeconds },
  detail: 'The merchant has sent as many events as it may in this month: ask the operator for more.',
});
