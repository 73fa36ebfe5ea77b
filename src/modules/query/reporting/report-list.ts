// Every report there is beside the native query. A new one is a file in `reports/`, its spec, and a line here.
import { funnels } from '../reports/funnels.js';
import { journeys } from '../reports/journeys.js';
import { retention } from '../reports/retention.js';
import type { Report } from './report-definition.js';

export const REPORTS: readonly Report[] = [funnels, retention, journeys];
