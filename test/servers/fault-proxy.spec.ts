// The proxy's own faults are what others' tests stand on, so each is shown from the client's side.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type FaultProxy, startFaultProxy } from './fault-proxy.js';

let echo: Server;
let received: string;
let proxy: FaultProxy;
const clients: Socket[] = [];

beforeEach(async () => {
  received = '';
  echo = createServer((socket) => {
    socket.on('data', (bytes) => (received += bytes.toString()));
    socket.on('error', () => undefined); // cut
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await startFaultProxy((echo.address() as { port: number }).port);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await proxy.close();
  await new Promise((resolve) => echo.close(resolve));
});

async function client(): Promise<{ socket: Socket; heard: () => string; failure: Promise<string> }> {
  const socket = connect(proxy.port, '127.0.0.1');
  clients.push(socket);
  let heard = '';
  socket.on('data', (bytes) => (heard += bytes.toString()));
  const failure = new Promise<string>((resolve) => {
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
  });
  await Promise.race([once(socket, 'connect'), failure]);
  return { socket, heard: () => heard, failure };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

describe('a fault proxy', () => {
  it('passes both directions, and the end of each', async () => {
    const { socket, heard } = await client();
    socket.write('hello');
    await until(() => heard() === 'hello');
    socket.end();
    await once(socket, 'close');
  });

  it('forwards nothing in either direction while it is a black hole, and everything afterwards', async () => {
    const { socket, heard } = await client();
    socket.write('before ');
    await until(() => heard() === 'before ');
    proxy.mode = 'blackhole';
    socket.write('during ');
    const late = await client();
    late.socket.write('late');
    await delay(200);
    expect(received).toBe('before ');
    expect(heard() + late.heard()).toBe('before ');
    expect([socket.destroyed, late.socket.destroyed]).toEqual([false, false]);
    proxy.mode = 'pass';
    await until(() => heard() === 'before during ' && late.heard() === 'late');
  });

  it('holds back what the server says while it is a black hole', async () => {
    const connected = once(echo, 'connection') as Promise<[Socket]>;
    const { heard } = await client();
    const [atServer] = await connected;
    proxy.mode = 'blackhole';
    atServer.write('news');
    await delay(200);
    expect(heard()).toBe('');
    proxy.mode = 'pass';
    await until(() => heard() === 'news');
  });

  it('resets what is open and takes nobody while it refuses, and serves again afterwards', async () => {
    const { failure } = await client();
    proxy.mode = 'refuse';
    expect(await failure).toBe('ECONNRESET');
    expect(await (await client()).failure).toBe('ECONNREFUSED');
    proxy.mode = 'pass';
    const { socket, heard } = await client();
    socket.write('again');
    await until(() => heard() === 'again');
  });

  it('cuts what is open and takes new connections at once', async () => {
    const { failure } = await client();
    proxy.cut();
    expect(await failure).toBe('ECONNRESET');
    const { socket, heard } = await client();
    socket.write('new');
    await until(() => heard() === 'new');
  });
});
