// The wire formats that intake understands. Every event is counted under the one it came by.
export const WIRES = [
  'native',
  'plausible',
  'measurement-protocol',
  'gtag',
  'segment',
  'umami',
  'posthog',
  'matomo',
  'snowplow',
] as const;
export type Wire = (typeof WIRES)[number];
