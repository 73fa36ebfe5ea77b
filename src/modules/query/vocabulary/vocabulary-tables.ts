// The tables of docs/reference/metrics.md, made from what declares metrics and dimensions. Written by
// `npm run docs:generate`; a test holds the committed file equal to what is made here.
import { declaredDimensions } from './dimensions.js';
import { declarationOf, METRICS, REQUIREMENTS } from './metrics.js';

/** The document with its tables made anew: each stands between `<!-- name -->` and `<!-- /name -->`. */
export function withVocabularyTables(document: string): string {
  return [
    ['metrics', metricsTable()],
    ['dimensions', dimensionsTable()],
  ].reduce((text, [name, table]) => {
    const place = new RegExp(`(<!-- ${name} -->\n)[^]*(<!-- /${name} -->)`);
    if (!place.test(text)) throw new Error(`docs/reference/metrics.md has no place for ${name}`);
    return text.replace(place, (_, begin: string, end: string) => `${begin}\n${table}\n\n${end}`);
  }, document);
}

function metricsTable(): string {
  const rows = METRICS.map((metric) => {
    const { definition, unit, nothing, requires } = declarationOf(metric);
    const needs = requires === undefined ? '–' : REQUIREMENTS[requires].replace(/event:\w+/, '`$&`');
    return `| \`${metric}\` | ${definition} | ${unit} | ${nothing} | ${needs} |`;
  });
  return table('| metric | definition | unit | nothing there | refused without |', rows);
}

function dimensionsTable(): string {
  const rows = declaredDimensions().map(
    ({ name, meaning, missing }) =>
      `| \`${name}\` | ${meaning} | ${missing === null ? '–' : `\`${missing}\``} |`,
  );
  return table('| dimension | value | when missing |', rows);
}

function table(header: string, rows: readonly string[]): string {
  return [header, header.replace(/[^|]+/g, ' --- '), ...rows].join('\n');
}
