// Second stage of the import: one line of the common or combined format into its fields, or null when it
// is neither. Tolerant of what real servers write: quotes escaped or not, user names with spaces, host
// names for addresses, no byte count, no protocol, a cut end, extra fields. Linear in the line's length.

export interface LogLine {
  /** Address, or name where the server looks names up. */
  readonly host: string;
  readonly method: string;
  /** As received: origin form, absolute form or whatever a scanner sent. One character per byte. */
  readonly target: string;
  readonly status: number;
  /** Epoch ms. */
  readonly time: number;
  /** One character per byte. */
  readonly referrer?: string;
  readonly userAgent?: string;
}

const TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;
const TIME_CHARACTERS = '17/May/2015:10:05:03 +0000'.length;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const STATUS_AFTER_REQUEST = /^ (\d{3})(?: |$)/;
const METHOD = /^[A-Za-z-]{1,32}$/;

/** @param line one character per byte (latin1) */
export function parseLogLine(line: string): LogLine | null {
  const hostEnd = line.indexOf(' ');
  if (hostEnd <= 0) return null;
  const stamp = findTime(line, hostEnd);
  if (stamp === null) return null;
  const afterTime = stamp.end + '] '.length;
  if (!line.startsWith('] "', stamp.end)) return null;
  const request = readRequest(line, afterTime + 1);
  if (request === null) return null;
  const split = splitRequest(unescapeBytes(line.slice(afterTime + 1, request.end)));
  if (split === null) return null;
  const referrer = readQuoted(line, line.indexOf('"', request.end + ' 200 '.length));
  const userAgent = referrer && readQuoted(line, line.indexOf('"', referrer.end + 1));
  return {
    host: line.slice(0, hostEnd),
    ...split,
    status: request.status,
    time: stamp.time,
    referrer: given(referrer?.text),
    userAgent: userAgent && readableText(given(userAgent.text)),
  };
}

/** A user name may hold spaces and brackets, so the first bracket need not open the time. */
function findTime(line: string, from: number): { time: number; end: number } | null {
  for (let open = line.indexOf('[', from); open >= 0; open = line.indexOf('[', open + 1)) {
    const end = open + 1 + TIME_CHARACTERS;
    const time = line[end] === ']' ? parseTime(line.slice(open + 1, end)) : null;
    if (time !== null) return { time, end };
  }
  return null;
}

function parseTime(text: string): number | null {
  const parts = TIME.exec(text);
  if (parts === null) return null;
  const month = MONTHS.indexOf(parts[2]!);
  const [day, year, hour, minute, second] = [1, 3, 4, 5, 6].map((index) => Number(parts[index]));
  const offsetMinutes = Number(parts[8]) * 60 + Number(parts[9]);
  const local = Date.UTC(year!, month, day, hour, minute, second);
  if (month < 0 || new Date(local).getUTCDate() !== day || hour! > 23 || minute! > 59 || second! > 60) {
    return null;
  }
  return local - (parts[7] === '-' ? -1 : 1) * offsetMinutes * 60_000;
}

/** Where the request ends: at a quote that a status follows, since some servers leave inner quotes bare. */
function readRequest(line: string, from: number): { end: number; status: number } | null {
  for (let end = closingQuote(line, from); end >= 0; end = closingQuote(line, end + 1)) {
    const status = STATUS_AFTER_REQUEST.exec(line.slice(end + 1, end + 6));
    if (status !== null) return { end, status: Number(status[1]) };
  }
  return null;
}

/** A quoted field; one that the line's end cuts off is taken as far as it goes. */
function readQuoted(line: string, open: number): { text: string; end: number } | undefined {
  if (open < 0) return undefined;
  let end = closingQuote(line, open + 1);
  while (end >= 0 && end + 1 < line.length && line[end + 1] !== ' ') end = closingQuote(line, end + 1);
  if (end < 0) end = line.length;
  return { text: unescapeBytes(line.slice(open + 1, end)), end };
}

function closingQuote(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (at - 1 - backslashes >= from && line[at - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return -1;
}

function splitRequest(request: string): { method: string; target: string } | null {
  const methodEnd = request.indexOf(' ');
  if (methodEnd < 0) return null;
  const method = request.slice(0, methodEnd);
  // HTTP/0.9 and broken clients name no protocol; a target may hold spaces.
  const protocol = request.lastIndexOf(' HTTP/');
  const target = request.slice(methodEnd + 1, protocol > methodEnd ? protocol : undefined).trim();
  return METHOD.test(method) && target !== '' ? { method: method.toUpperCase(), target } : null;
}

const ESCAPED = /\\(?:x([0-9a-fA-F]{2})|(["\\ntrbfv]))/g;
const ESCAPED_CHARACTERS: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
};

/** Undoes the escapes of Apache and nginx. */
function unescapeBytes(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPED, (_, hex: string | undefined, character: string) =>
    hex === undefined ? (ESCAPED_CHARACTERS[character] ?? character) : String.fromCharCode(parseInt(hex, 16)),
  );
}

const given = (field: string | undefined): string | undefined =>
  field === undefined || field === '' || field === '-' ? undefined : field;

/** Bytes as UTF-8, without control characters. */
function readableText(bytes: string | undefined): string | undefined {
  if (bytes === undefined || /^[\x20-\x7e]*$/.test(bytes)) return bytes;
  return given(
    Buffer.from(bytes, 'latin1')
      .toString('utf8')
      .replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
      .trim(),
  );
}
