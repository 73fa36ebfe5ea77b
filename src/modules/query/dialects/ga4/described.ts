// What GA4's dimensions and metrics have in common: how they are described, and which reports know them.

export type ReportKind = 'core' | 'realtime';

export interface Described {
  readonly uiName: string;
  readonly description: string;
  readonly category: string;
  /** The reports that know it. */
  readonly reports: readonly ReportKind[];
}

export const BOTH: readonly ReportKind[] = ['core', 'realtime'];
export const CORE: readonly ReportKind[] = ['core'];
export const REALTIME: readonly ReportKind[] = ['realtime'];

export type Text = readonly [uiName: string, description: string];
export const describe = ([uiName, description]: Text, category: string, reports = CORE): Described => ({
  uiName,
  description,
  category,
  reports,
});

type Table = Readonly<Record<string, Described>>;

/** In the order of the table. */
export const namesKnownTo = (table: Table, report: ReportKind): readonly string[] =>
  Object.keys(table).filter((name) => table[name]!.reports.includes(report));
