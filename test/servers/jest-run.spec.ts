// What a killed run leaves behind is cleared away by the next one, and nothing else is. Asked in a
// process of its own, as Jest asks it: jest-run.js is plain JavaScript.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startServer } from './server-process.js';

let run: string;
let serverDirectory: string;
let other: ChildProcess;

beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), 'tidemark-abandoned-'));
  serverDirectory = join(run, 'servers', 'sleeper-1');
  mkdirSync(serverDirectory, { recursive: true });
  other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
});
afterEach(async () => {
  rmSync(run, { recursive: true, force: true });
  const exit = once(other, 'exit');
  other.kill('SIGKILL');
  await exit;
});

async function removeRun(): Promise<void> {
  const module = pathToFileURL(join(__dirname, 'jest-run.js')).href;
  const code = `import(${JSON.stringify(module)}).then(({ removeRun }) => removeRun(${JSON.stringify(run)}))`;
  const [exitCode] = (await once(spawn(process.execPath, ['-e', code], { stdio: 'inherit' }), 'close')) as [
    number,
  ];
  expect(exitCode).toBe(0);
}

describe('removing an abandoned run', () => {
  it('kills its servers, even one that hangs, and deletes the directory', async () => {
    const server = await startServer({
      command: process.execPath,
      args: ['-e', 'setInterval(() => {}, 1000)', serverDirectory],
      directory: serverDirectory,
      answers: async () => true,
    });
    server.pause();
    await removeRun();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    expect(existsSync(run)).toBe(false);
  });

  it('spares a process that was given the number of a dead server', async () => {
    writeFileSync(join(serverDirectory, 'server.pid'), String(other.pid));
    await removeRun();
    expect(other.exitCode ?? other.signalCode).toBeNull();
    expect(() => process.kill(other.pid!, 0)).not.toThrow();
    expect(existsSync(run)).toBe(false);
  });
});

describe('starting a server', () => {
  it('tells the end of its log when it ends instead', async () => {
    const starting = startServer({
      command: process.execPath,
      args: ['-e', 'console.error("no such luck"); process.exit(3)', serverDirectory],
      directory: serverDirectory,
      answers: async () => false,
    });
    await expect(starting).rejects.toThrow(/ended\. Its log ends with:\nno such luck/);
  });
});
