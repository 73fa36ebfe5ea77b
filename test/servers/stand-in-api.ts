// A small HTTP stand-in for Tidemark's API, for specs of the CLI: keeps what it was sent, drops repeats
// by event id as the real intake's readers do, and misbehaves on request. The e2e specs use the real one.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export const STAND_IN_KEY = 'stand-in-key-of-at-least-32-characters';

export interface SentEvent {
  readonly site: string;
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly referrer?: string;
  readonly occurredAt: number;
  readonly userAgent?: string;
  readonly ip?: string;
  readonly visitorId: string;
  readonly previousVisitorId?: string;
}

export interface StandInReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface StandInRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** Undefined: answer as usual. 'hang-up': close the connection without an answer; 'silence': keep it open. */
export type Misbehaviour = (request: StandInRequest) => StandInReply | 'hang-up' | 'silence' | undefined;

export class StandInApi {
  readonly requests: StandInRequest[] = [];
  readonly events = new Map<string, SentEvent>();
  misbehave: Misbehaviour = () => undefined;
  readonly url: string;

  private constructor(private readonly server: ReturnType<typeof createServer>) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => void this.answer(request, response));
  }

  static async start(): Promise<StandInApi> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new StandInApi(server);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** On whoever is connected. */
  hangUp(): void {
    this.server.closeAllConnections();
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await read(incoming);
    this.requests.push(request);
    const reply = this.misbehave(request) ?? this.usual(request, incoming.headers.authorization);
    if (reply === 'silence') return;
    if (reply === 'hang-up') {
      incoming.socket.destroy();
      return;
    }
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.body === undefined ? '' : JSON.stringify(reply.body));
  }

  private usual({ method, path, body }: StandInRequest, authorization: string | undefined): StandInReply {
    if (path.startsWith('/health/live')) return { status: 200, body: { status: 'live' } };
    if (authorization !== `Bearer ${STAND_IN_KEY}`) return { status: 401, body: { title: 'No valid key' } };
    if (method === 'GET' && (path === '/v1/sites/semicomplete.com' || path === '/v1/sites/s1')) {
      return { status: 200, body: { id: 's1', domain: 'semicomplete.com' } };
    }
    if (method === 'POST' && path === '/v1/events') return this.take(body as SentEvent[]);
    return { status: 404, body: { title: 'There is no such thing', detail: `${path} does not exist` } };
  }

  private take(events: readonly SentEvent[]): StandInReply {
    let duplicates = 0;
    for (const event of events) {
      if (this.events.has(event.id)) duplicates++;
      this.events.set(event.id, event);
    }
    return { status: 202, body: { accepted: events.length - duplicates, duplicates, rejected: [] } };
  }
}

async function read(incoming: IncomingMessage): Promise<StandInRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const bytes = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    body: bytes.length > 0 ? (JSON.parse(bytes.toString('utf8')) as unknown) : undefined,
  };
}
