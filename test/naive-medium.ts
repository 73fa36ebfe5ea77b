// The medium of a visit by the table in docs/reference/channels.md, for tests that count what queries count.

/** Columns of a session's row; missing ones are null or absent. */
type About = Readonly<Record<string, string | null | undefined>>;

export function naiveMedium({ utm_medium, utm_source, source, channel }: About): string {
  if (utm_medium) return utm_medium;
  if (!source) return '(none)';
  if (channel === 'Paid Search') return 'cpc';
  if (utm_source) return '(not set)';
  return channel === 'Organic Search' ? 'organic' : 'referral';
}

export const naiveSourceMedium = (about: About): string =>
  `${about.source ?? '(direct)'} / ${naiveMedium(about)}`;
