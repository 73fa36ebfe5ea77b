// The directory of the embedded PostgreSQL: DATA_DIR/postgres. It appears whole (made beside,
// then renamed), so a first boot killed half-way or run twice at once leaves no half cluster.
// It stays under DATA_DIR even where the server's user may not walk to it (a parent such as
// /root closed to others): there the server is started inside the directory and given
// /proc/self/cwd as its name, which Linux resolves without looking at the parents.
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedServerError } from './postgres.errors.js';
import { canEnter, run, type ServerBinaries, type ServerUser } from './server-binaries.js';

export interface Cluster {
  readonly directory: string;
  /** What the server, started inside `directory`, must call it. */
  readonly serverPath: string;
  readonly binaries: ServerBinaries;
  readonly password: string;
}

export interface ClusterOptions {
  readonly dataDirectory: string;
  readonly binaries: ServerBinaries;
  /** Beyond `SETTINGS`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export const SUPERUSER = 'tidemark';
const PASSWORD_FILE = 'tidemark.password';
const STAGING_AGE_MS_MAX = 600_000;

/** Sized for a small machine; durability is PostgreSQL's own default. */
const SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: '128MB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  effective_cache_size: '1GB',
  max_wal_size: '1GB',
  wal_compression: 'on',
  checkpoint_timeout: '15min',
  jit: 'off',
  random_page_cost: '1.1',
  max_parallel_workers_per_gather: '2',
  log_timezone: 'UTC',
  timezone: 'UTC',
  datestyle: 'iso, mdy',
  lc_messages: 'C',
  lc_monetary: 'C',
  lc_numeric: 'C',
  lc_time: 'C',
  default_text_search_config: 'pg_catalog.english',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] %a ',
};

/** Opens DATA_DIR/postgres, making it first if there is none. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { dataDirectory, binaries, settings = {} } = options;
  const directory = join(dataDirectory, 'postgres');
  await checkOwner(directory, binaries.user);
  if (!(await exists(join(directory, 'PG_VERSION')))) {
    await removeAbandoned(dataDirectory);
    await createCluster(directory, binaries);
  }
  await checkVersion(directory, binaries.major);
  await own(directory, binaries.user);
  await writeSettings(directory, { user: binaries.user, settings: { ...SETTINGS, ...settings } });
  const password = (await readFile(join(directory, PASSWORD_FILE), 'utf8')).trim();
  return { directory, serverPath: await serverPath(directory, binaries.user), binaries, password };
}

async function createCluster(directory: string, binaries: ServerBinaries): Promise<void> {
  const staging = `${directory}.new-${process.pid}-${randomBytes(4).toString('hex')}`;
  const password = randomBytes(24).toString('base64url');
  const passwordPath = `${staging}.password`;
  await mkdir(staging, { mode: 0o700 });
  await writeFile(passwordPath, `${password}\n`, { mode: 0o600 });
  const passwordFile = await open(passwordPath);
  try {
    await give(staging, binaries.user);
    await give(passwordPath, binaries.user);
    const path = await serverPath(staging, binaries.user);
    const { code, output } = await run(
      binaries.initdb,
      [
        `--pgdata=${path}`,
        // By descriptor, because the file's path may not be reachable either.
        `--pwfile=${path === staging ? passwordPath : '/proc/self/fd/3'}`,
        `--username=${SUPERUSER}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
      ],
      { user: binaries.user, cwd: staging, stdio: ['ignore', 'pipe', 'pipe', passwordFile.fd] },
    );
    if (code !== 0) {
      throw new EmbeddedServerError(
        `PostgreSQL could not make its directory ${directory}:\n${output.trim()}`,
      );
    }
    await rename(passwordPath, join(staging, PASSWORD_FILE));
    await rename(staging, directory);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error; // else another process was faster
  } finally {
    await passwordFile.close();
    await rm(passwordPath, { force: true });
  }
}

/** Leftovers of first boots that were killed; in a container the process id may be ours again. */
async function removeAbandoned(dataDirectory: string): Promise<void> {
  for (const name of await readdir(dataDirectory)) {
    const owner = /^postgres\.new-(\d+)-/.exec(name)?.[1];
    if (owner === undefined) continue;
    const path = join(dataDirectory, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (isAlive(Number(owner)) && Date.now() - mtimeMs < STAGING_AGE_MS_MAX) continue;
    await rm(path, { recursive: true, force: true });
  }
}

async function checkVersion(directory: string, major: number): Promise<void> {
  if (!(await exists(join(directory, 'PG_VERSION')))) {
    throw new EmbeddedServerError(`${directory} is not empty, and not a directory of PostgreSQL.`);
  }
  const found = (await readFile(join(directory, 'PG_VERSION'), 'utf8')).trim();
  if (found === String(major)) return;
  throw new EmbeddedServerError(
    `${directory} was made by PostgreSQL ${found}, and this Tidemark runs PostgreSQL ${major}. ` +
      `Nothing was changed. Start the Tidemark that made it, or serve the directory with PostgreSQL ${found} ` +
      'and set DATABASE_URL; to move on, dump it there with pg_dump and restore the dump here.',
  );
}

async function checkOwner(directory: string, user: ServerUser | undefined): Promise<void> {
  if (user || !(await exists(directory))) return; // root may change the owner
  const { uid } = await stat(directory);
  if (uid === process.getuid?.()) return;
  throw new EmbeddedServerError(
    `${directory} belongs to user id ${uid}, and this process runs as ${process.getuid?.()}. ` +
      'Run it as the same user as before, or chown the directory.',
  );
}

/** The user may differ from last time: another machine, or a `postgres` installed since. */
async function own(directory: string, user: ServerUser | undefined): Promise<void> {
  if (!user || (await stat(directory)).uid === user.uid) return;
  for (const entry of await readdir(directory, { recursive: true })) await give(join(directory, entry), user);
  await give(directory, user);
}

async function give(path: string, user: ServerUser | undefined): Promise<void> {
  if (user) await chown(path, user.uid, user.gid);
}

/** Written anew at every boot; what `ALTER SYSTEM` sets is kept elsewhere and wins. */
async function writeSettings(
  directory: string,
  options: { user: ServerUser | undefined; settings: Readonly<Record<string, string>> },
): Promise<void> {
  const lines = Object.entries(options.settings).map(([name, value]) => `${name} = '${value}'`);
  const path = join(directory, 'postgresql.conf');
  const staging = `${path}.new-${randomBytes(4).toString('hex')}`;
  const note = '# Written by Tidemark at every boot. To change a setting, use ALTER SYSTEM: it wins.';
  await writeFile(staging, `${note}\n${lines.join('\n')}\n`);
  await chmod(staging, 0o600);
  await give(staging, options.user);
  await rename(staging, path);
}

async function serverPath(directory: string, user: ServerUser | undefined): Promise<string> {
  if (!user || (await canEnter(directory, user))) return directory;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new EmbeddedServerError(
    `User ${user.name}, whom PostgreSQL must run as, may not enter ${directory}. ` +
      'Choose a DATA_DIR whose parents others may enter, do not run as root, or set DATABASE_URL.',
  );
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
