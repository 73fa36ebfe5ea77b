// How much a merchant may send in a month, and an address in a second: part of the list of settings in config.ts.
import { z } from 'zod';
import { wholeNumber } from './checks.js';
import { setting } from './setting.js';

export const QUOTA_SETTINGS = {
  MERCHANT_EVENTS_PER_MONTH_MAX: setting(
    'Events that a merchant may send in a month of UTC where the operator has set no quota for it. Absent: no limit.',
    wholeNumber(0, 1_000_000_000_000).optional(),
  ),
  MERCHANT_EVENTS_GRACE_PERCENT: setting(
    'How much more is taken where MERCHANT_EVENTS_PER_MONTH_MAX holds, in percent of it.',
    wholeNumber(0, 1_000).prefault('0'),
  ),
  MERCHANT_QUOTA_POLICY: setting(
    'What becomes of events beyond quota and grace where MERCHANT_EVENTS_PER_MONTH_MAX holds, and where a quota is set without a policy. refuse: intake answers 429 until the month ends; hide: they are kept, and no answer shows them until more is allowed; sample: those of a share of the visitors are kept.',
    z.enum(['refuse', 'hide', 'sample']).prefault('refuse'),
  ),
  MERCHANT_QUOTA_SAMPLE_PERCENT: setting(
    'Share of the visitors whose events are kept beyond a quota with the policy sample, in percent, where the quota does not say it.',
    wholeNumber(1, 99).prefault('10'),
  ),
  INTAKE_ADDRESS_EVENTS_PER_SECOND_MAX: setting(
    'Events in a second that intake takes from one client address (IPv6: /64), on each node; beyond that it answers 429. Not of keys with the scope ingest:server, whose address is a server. 0: any number. An office or a mobile network may be one address.',
    wholeNumber(0, 1_000_000).prefault('30000'),
  ),
};
