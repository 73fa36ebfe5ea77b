// Which bytes of a result a request wants (RFC 9110 §14). One range is served; of several, all bytes are, as
// is allowed. A range of another result than the one the client has a part of is no range.
import type { ByteSpan } from './result-store.js';

export type AskedBytes =
  | { readonly outcome: 'all' }
  | { readonly outcome: 'part'; readonly span: ByteSpan }
  | { readonly outcome: 'unsatisfiable' };

export interface RangeHeaders {
  readonly range?: string | undefined;
  readonly 'if-range'?: string | undefined;
}

export interface WholeResult {
  readonly bytes: number;
  /** Strong. */
  readonly etag: string;
  readonly lastModified: Date;
}

const ALL: AskedBytes = { outcome: 'all' };
/** Digits that a number holds exactly. */
const RANGE = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i;

export function askedBytes(headers: RangeHeaders, whole: WholeResult): AskedBytes {
  const [, first, last] = RANGE.exec(headers.range ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return ALL;
  if (!isOf(headers['if-range'], whole)) return ALL;
  if (first === '') {
    const count = Number(last);
    if (count === 0 || whole.bytes === 0) return { outcome: 'unsatisfiable' };
    return part(Math.max(0, whole.bytes - count), whole.bytes);
  }
  const from = Number(first);
  if (last !== '' && Number(last) < from) return ALL;
  if (from >= whole.bytes) return { outcome: 'unsatisfiable' };
  return part(from, last === '' ? whole.bytes : Math.min(Number(last) + 1, whole.bytes));
}

const part = (from: number, to: number): AskedBytes => ({ outcome: 'part', span: { from, to } });

/** Strong comparison: a weak tag never matches, nor does a date that is only about right. */
function isOf(ifRange: string | undefined, { etag, lastModified }: WholeResult): boolean {
  if (ifRange === undefined) return true;
  const said = ifRange.trim();
  return said.startsWith('"') ? said === etag : said === lastModified.toUTCString();
}
