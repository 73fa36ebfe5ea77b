// A TCP proxy between a client and a server on this machine that fails on command: it falls silent,
// refuses, or cuts what is open. What is silent goes on where it stopped, as after a network's outage.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.js';

/**
 * pass: as if it were not there. blackhole: takes and keeps connections, forwards nothing in either
 * direction. refuse: nobody listens, and what was open is reset.
 */
export type FaultMode = 'pass' | 'blackhole' | 'refuse';

export interface FaultProxy {
  readonly port: number;
  /** May be set at any time. */
  mode: FaultMode;
  /** Resets every open connection. */
  cut(): void;
  close(): Promise<void>;
}

export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const proxy = new TcpFaultProxy(await freePort(), targetPort);
  await proxy.listen();
  return proxy;
}

class TcpFaultProxy implements FaultProxy {
  #mode: FaultMode = 'pass';
  #server: Server | undefined;
  readonly #links = new Set<Link>();

  constructor(
    readonly port: number,
    private readonly targetPort: number,
  ) {}

  get mode(): FaultMode {
    return this.#mode;
  }

  set mode(mode: FaultMode) {
    this.#mode = mode;
    if (mode === 'refuse') {
      this.#server?.close();
      this.#server = undefined;
      this.cut();
      return;
    }
    if (!this.#server) void this.listen();
    for (const link of this.#links) link.obey(mode);
  }

  async listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    this.#server = server;
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
  }

  cut(): void {
    for (const link of this.#links) link.reset();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cut();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  #accept(client: Socket): void {
    const link = new Link(client, this.targetPort);
    this.#links.add(link);
    client.once('close', () => this.#links.delete(link));
    link.obey(this.#mode);
  }
}

/** One client's connection and, once something may pass, its continuation to the server. */
class Link {
  #upstream: Socket | undefined;

  constructor(
    private readonly client: Socket,
    private readonly targetPort: number,
  ) {
    client.pause();
    client.setNoDelay(true);
    client.on('error', () => this.reset());
  }

  obey(mode: FaultMode): void {
    for (const socket of [this.client, this.#upstream]) {
      socket?.unpipe();
      socket?.pause();
    }
    if (mode !== 'pass') return;
    this.#upstream ??= this.#connect();
    this.client.pipe(this.#upstream);
    this.#upstream.pipe(this.client);
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.#upstream?.resetAndDestroy();
  }

  #connect(): Socket {
    const upstream = connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true });
    upstream.setNoDelay(true);
    upstream.on('error', () => this.reset());
    return upstream;
  }
}
