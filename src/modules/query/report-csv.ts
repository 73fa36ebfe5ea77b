// A report's answer as CSV, for whoever sends one: its table, and what has no place in it in a header.
import { toCsv } from './csv.js';
import { incompleteHeader } from './incomplete.js';
import type { TaggedAnswer } from './negotiation.js';
import type { Answer } from './report-text.js';

export const csvOf = (answer: Pick<Answer, 'report'>): Pick<TaggedAnswer, 'csv' | 'csvHeaders'> => ({
  csv: () => toCsv(answer.report),
  csvHeaders: () => incompleteHeader(answer.report.meta),
});
