// The CLI's only way to a running instance: HTTP with a bearer key. `send` reports what happened;
// `call` is for commands that need the answer and fails with what the operator should do next.
import { CliFailure } from './failure.js';

const REQUEST_TIMEOUT_MS = 60_000;
/** By which the audit trail tells an operator at the command line. */
const USER_AGENT = 'tidemark-cli';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The ETag of what is to be changed, as it was read. */
  readonly ifMatch?: string;
  /** Sent as it is, in place of `body`: JSON, already gzipped. */
  readonly gzippedBody?: Buffer;
  /** Gives up before the time is over. */
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export type ApiReply =
  | {
      readonly outcome: 'answered';
      readonly status: number;
      readonly headers: Headers;
      /** Undefined when the answer is not JSON. */
      readonly body: unknown;
    }
  | { readonly outcome: 'unreachable'; readonly code: string };

export interface OpenOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export type OpenedReply =
  | ApiReply
  | {
      readonly outcome: 'opened';
      readonly status: number;
      readonly headers: Headers;
      readonly body: AsyncIterable<Uint8Array>;
    };

export type AnsweredReply = Extract<ApiReply, { outcome: 'answered' }>;

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;

export interface ApiClientOptions {
  readonly url: string;
  readonly key: string | undefined;
}

export class ApiClient {
  readonly url: string;
  readonly key: string | undefined;

  constructor({ url, key }: ApiClientOptions) {
    this.url = url.replace(/\/+$/, '');
    this.key = key;
  }

  async send(request: ApiRequest): Promise<ApiReply> {
    try {
      const response = await fetch(`${this.url}${request.path}`, {
        method: request.method,
        headers: this.headersOf(request),
        body: request.gzippedBody ?? (request.body === undefined ? undefined : JSON.stringify(request.body)),
        // A redirect would carry the key to another address.
        redirect: 'manual',
        signal: AbortSignal.any([
          AbortSignal.timeout(request.timeoutMs ?? REQUEST_TIMEOUT_MS),
          ...(request.signal ? [request.signal] : []),
        ]),
      });
      const text = await response.text();
      return { outcome: 'answered', status: response.status, headers: response.headers, body: parsed(text) };
    } catch (error) {
      return { outcome: 'unreachable', code: networkErrorCode(error) };
    }
  }

  /** For an answer that is larger than memory: whoever asked reads it. No time limit but the signal's. */
  async open(path: string, { headers, signal }: OpenOptions): Promise<OpenedReply> {
    try {
      const response = await fetch(`${this.url}${path}`, {
        headers: { ...this.headersOf({ method: 'GET', path }), accept: '*/*', ...headers },
        redirect: 'manual',
        signal,
      });
      if (isSuccess(response.status) && response.body !== null) {
        return { outcome: 'opened', status: response.status, headers: response.headers, body: response.body };
      }
      const body = parsed(await response.text());
      return { outcome: 'answered', status: response.status, headers: response.headers, body };
    } catch (error) {
      return { outcome: 'unreachable', code: networkErrorCode(error) };
    }
  }

  /**
   * @param onConflict what to do about a 409, which stands below what the server says of it
   * @throws CliFailure unless the answer is 2xx.
   */
  async call<T>(request: ApiRequest, onConflict?: string): Promise<T> {
    const reply = await this.send(request);
    if (reply.outcome === 'answered' && isSuccess(reply.status)) return reply.body as T;
    const advice = onConflict !== undefined && reply.outcome === 'answered' && reply.status === 409;
    throw new CliFailure(advice ? `${this.explain(reply)}\n${onConflict}` : this.explain(reply));
  }

  /** What the operator should know and do about an answer that is not the wanted one. */
  explain(reply: ApiReply): string {
    if (reply.outcome === 'unreachable') return this.explainUnreachable(reply.code);
    const said = problemText(reply.body);
    switch (reply.status) {
      case 401:
        return this.key === undefined
          ? `No key was given. ${WHERE_THE_KEY_IS}`
          : `${this.url} does not know this key. ${WHERE_THE_KEY_IS}`;
      case 403:
        return `This key may not do that${sentenceEnd(said)} Use the operator's key, or one with the scope it names.`;
      case 429:
      case 503:
        return `${this.url} is busy or not ready${sentenceEnd(said)} Try again in ${reply.headers.get('retry-after') ?? 'a few'} seconds; "tidemark doctor" says more.`;
      default:
        if (reply.status >= 300 && reply.status < 400) {
          return `${this.url} redirects to ${reply.headers.get('location') ?? 'another address'}. Give the final address with --url.`;
        }
        return said || `${this.url} answered ${reply.status}. Is it Tidemark's address? See --url.`;
    }
  }

  private explainUnreachable(code: string): string {
    switch (code) {
      case 'ECONNREFUSED':
        return `Nothing listens at ${this.url}. Start Tidemark with "npm start", or name its address with --url.`;
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
        return `The host of ${this.url} is not known. Check --url.`;
      case 'TimeoutError':
        return `${this.url} gave no answer in time. "tidemark doctor" says more.`;
      default:
        return `${this.url} cannot be reached (${code}). Check --url, and that the server runs.`;
    }
  }

  private headersOf(request: ApiRequest): Record<string, string> {
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': USER_AGENT };
    if (this.key !== undefined) headers['authorization'] = `Bearer ${this.key}`;
    if (request.body !== undefined || request.gzippedBody) headers['content-type'] = 'application/json';
    if (request.gzippedBody) headers['content-encoding'] = 'gzip';
    if (request.ifMatch !== undefined) headers['if-match'] = request.ifMatch;
    return headers;
  }
}

/** With what the server says, which may be nothing, a title, or sentences. */
const sentenceEnd = (said: string): string => (said === '' ? '.' : `: ${said.replace(/\.$/, '')}.`);

const WHERE_THE_KEY_IS =
  "The operator's key is printed once, at the server's first boot. Give it in OPERATOR_KEY, in the file that OPERATOR_KEY_FILE names, or with --key-file FILE.";

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface ProblemBody {
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly errors?: unknown;
}

/** RFC 9457, in one line per error. Empty when the body is none. */
function problemText(body: unknown): string {
  if (typeof body !== 'object' || body === null) return '';
  const { title, detail, errors } = body as ProblemBody;
  const lines = [typeof detail === 'string' ? detail : typeof title === 'string' ? title : ''];
  for (const error of Array.isArray(errors) ? errors : []) {
    const { path, message } = error as { path?: unknown; message?: unknown };
    const line = `${String(path ?? '')}: ${String(message ?? '')}`;
    // The detail may be the first error already.
    if (line !== detail) lines.push(`  ${line}`);
  }
  return lines.filter(Boolean).join('\n');
}

/** fetch hides the reason in `cause`, which for two addresses of one host is an AggregateError. */
function networkErrorCode(error: unknown): string {
  const cause = (error as { cause?: unknown }).cause as
    { code?: string; errors?: { code?: string }[] } | undefined;
  return cause?.code ?? cause?.errors?.[0]?.code ?? (error instanceof Error ? error.name : 'unknown');
}
