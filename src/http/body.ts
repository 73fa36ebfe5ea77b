// Request bodies, before any handler sees them: JSON, plain or compressed, with every dimension
// bounded (bytes on the wire, bytes inflated, nesting). Memory stays flat whatever is sent,
// because reading stops at the first byte too many. Keys that poison prototypes are refused.
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import {
  type BrotliDecompress,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  type Gunzip,
  gunzip,
  type Inflate,
} from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parse as parseWithoutPoison } from 'secure-json-parse';
import { ofStatus } from './problem-details.js';
import { Problem } from './problem.js';

export const BODY_BYTES_MAX = 1_048_576;
export const INFLATED_BYTES_MAX = 4_194_304;
export const NESTING_MAX = 64;

type Done = (error: Error | null, body?: unknown) => void;
type DoneReading = (error: Error | null, bytes?: Buffer) => void;

const INFLATERS: ReadonlyMap<string, () => Gunzip | Inflate | BrotliDecompress> = new Map([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
] as const);

const refused = (status: number, detail: string) => new Problem(ofStatus(status, detail));
const tooLarge = (bytesMax: number) => refused(413, `The body is larger than ${bytesMax} bytes.`);
const notJson = () => refused(415, 'Send the body as Content-Type: application/json.');

export function readJsonBodies(server: FastifyInstance): void {
  const parse = jsonParser(server);
  const readAndParse = (request: FastifyRequest, payload: IncomingMessage, done: Done) => {
    const { bodyText } = request.raw;
    if (bodyText !== undefined) return parse(request, bodyText, done);
    readBody(request, payload, (error, bytes) =>
      error ? done(error) : parse(request, bytes!.toString('utf8'), done),
    );
  };
  server.removeAllContentTypeParsers();
  const parsers = {
    'application/json': readAndParse,
    'text/plain': (request: FastifyRequest, payload: IncomingMessage, done: Done) => {
      if (request.routeOptions.config.intake) readAndParse(request, payload, done);
      else done(notJson());
    },
    '*': (_request: FastifyRequest, _payload: IncomingMessage, done: Done) => done(notJson()),
  };
  for (const [type, parser] of Object.entries(parsers)) {
    server.addContentTypeParser(type, (request: FastifyRequest, payload: IncomingMessage, done: Done) => {
      if (request.routeOptions.config.anyBody) readText(request, payload, done);
      else parser(request, payload, done);
    });
  }
}

function jsonParser(server: FastifyInstance) {
  const parseSafely = server.getDefaultJsonParser('error', 'error');
  return (request: FastifyRequest, text: string, done: Done): void => {
    if (text.length === 0) return done(Problem.badRequest('The body is empty: send JSON.'));
    if (isNestedDeeper(text)) return done(tooDeep());
    // Fastify types the result as a promise or a call of `done`; this parser always calls `done`.
    void parseSafely(request, text, (error: Error | null, body?: unknown) =>
      error ? done(Problem.badRequest(whyNotJson(text))) : done(null, body),
    );
  };
}

/**
 * JSON from anywhere in a request, under the rules of a body.
 * @throws Problem 400
 */
export function parseJson(text: string): unknown {
  if (isNestedDeeper(text)) throw tooDeep();
  try {
    return parseWithoutPoison(text, null, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw Problem.badRequest(whyNotJson(text));
  }
}

const tooDeep = () => Problem.badRequest(`The body is nested deeper than ${NESTING_MAX} levels.`);

/**
 * As text, whatever its content type. Whether it is gzip is seen by its first bytes: other vendors' clients
 * compress without saying so, and proxies inflate without unsaying it.
 */
function readText(request: FastifyRequest, payload: IncomingMessage, done: Done): void {
  const encoding = encodingOf(request);
  if (encoding !== 'identity' && !encoding.endsWith('gzip')) {
    return readBody(request, payload, (error, bytes) =>
      error ? done(error) : done(null, bytes!.toString('utf8')),
    );
  }
  if (isTooLong(request)) return done(tooLarge(BODY_BYTES_MAX));
  gather(payload, BODY_BYTES_MAX, (error, bytes) => {
    if (error) return done(error);
    if (bytes![0] !== 0x1f || bytes![1] !== 0x8b) return done(null, bytes!.toString('utf8'));
    gunzip(bytes!, { maxOutputLength: INFLATED_BYTES_MAX }, (failure, inflated) => {
      if (failure === null) done(null, inflated.toString('utf8'));
      else if ((failure as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        done(tooLarge(INFLATED_BYTES_MAX));
      else done(Problem.badRequest('The body begins like gzip and is none.'));
    });
  });
}

/** All of it, inflated, if it is within the limits. */
function readBody(request: FastifyRequest, payload: IncomingMessage, done: DoneReading): void {
  const encoding = encodingOf(request);
  if (isTooLong(request)) return done(tooLarge(BODY_BYTES_MAX));
  if (encoding === 'identity') return gather(payload, BODY_BYTES_MAX, done);
  const inflater = INFLATERS.get(encoding)?.();
  if (inflater) inflate(payload, inflater, done);
  else done(refused(415, `Content-Encoding may be gzip, deflate or br, not "${encoding}".`));
}

const encodingOf = ({ headers }: FastifyRequest): string =>
  headers['content-encoding']?.trim().toLowerCase() ?? 'identity';

const isTooLong = ({ headers }: FastifyRequest): boolean =>
  Number(headers['content-length']) > BODY_BYTES_MAX;

function inflate(payload: IncomingMessage, inflater: Transform, done: DoneReading): void {
  let receivedBytes = 0;
  let settled = false;
  const settle: DoneReading = (error, bytes) => {
    if (settled) return;
    settled = true;
    if (error) {
      payload.unpipe(inflater);
      inflater.destroy();
    }
    done(error, bytes);
  };
  payload.on('data', (chunk: Buffer) => {
    receivedBytes += chunk.length;
    if (receivedBytes > BODY_BYTES_MAX) {
      settle(tooLarge(BODY_BYTES_MAX));
    }
  });
  payload.on('error', () => settle(Problem.badRequest('The body broke off.')));
  inflater.on('error', () => settle(Problem.badRequest('The body is not what its Content-Encoding says.')));
  gather(payload.pipe(inflater), INFLATED_BYTES_MAX, settle);
}

/** All bytes of a stream, unless they are more than `bytesMax`. */
function gather(stream: NodeJS.ReadableStream, bytesMax: number, done: DoneReading): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= bytesMax) {
      chunks.push(chunk);
      return;
    }
    stop();
    done(tooLarge(bytesMax));
  };
  const onEnd = () => {
    stop();
    done(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, bytes));
  };
  const onError = () => {
    stop();
    done(Problem.badRequest('The body broke off.'));
  };
  const stop = () => {
    stream.off('data', onData).off('end', onEnd).off('error', onError);
    // A stream without an error listener would end the process if the client hangs up now.
    stream.on('error', () => {});
  };
  stream.on('data', onData).on('end', onEnd).on('error', onError);
}

const QUOTE = 34;
const BACKSLASH = 92;

/** Whether arrays and objects are nested too deep; looked at before parsing, since what parses may overflow the stack later. */
function isNestedDeeper(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    // `[` and `{` differ from `]` and `}` by 2, and from each other by bit 5.
    else if ((code | 32) === 123) {
      if (++depth > NESTING_MAX) return true;
    } else if ((code | 32) === 125) depth--;
  }
  return false;
}

function whyNotJson(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    return `The body is not valid JSON: ${(error as Error).message}.`;
  }
  return 'The body has a key named "__proto__" or "constructor.prototype"; such keys are refused.';
}
