// The archive in a directory, local or mounted. An object is written beside its place, synced, and renamed
// into it: a reader sees it whole or not at all, and a power cut takes back nothing acknowledged.
import { randomUUID } from 'node:crypto';
import { mkdir, open, opendir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ArchiveStore, ArchiveStoreError, MissingObjectError, type ObjectName } from './archive-store.js';

const UNFINISHED = '.unfinished';
/** No write takes so long: what is older was left by a process that was killed. */
const UNFINISHED_AGE_MAX_MS = 86_400_000;

export class DirectoryArchiveStore extends ArchiveStore {
  private constructor(private readonly directory: string) {
    super();
  }

  /** @throws ArchiveStoreError when the directory cannot be made or written to */
  static async open(directory: string): Promise<DirectoryArchiveStore> {
    try {
      await makeDirectory(directory);
      await removeUnfinished(directory);
    } catch (error) {
      throw new ArchiveStoreError(
        `The archive in ${directory} cannot be opened: ${(error as Error).message}. ` +
          'ARCHIVE_URL must be s3://… or a directory that this process may write to.',
        { cause: error },
      );
    }
    return new DirectoryArchiveStore(directory);
  }

  override async put(name: ObjectName, bytes: Uint8Array): Promise<void> {
    const path = join(this.directory, name);
    const unfinished = join(dirname(path), `.${randomUUID()}${UNFINISHED}`);
    await makeDirectory(dirname(path));
    try {
      const file = await open(unfinished, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    await syncDirectory(dirname(path));
  }

  override async get(name: ObjectName): Promise<Uint8Array> {
    try {
      return await readFile(join(this.directory, name));
    } catch (error) {
      if (isAbsent(error)) throw new MissingObjectError(name);
      throw error;
    }
  }

  override async *list(prefix: string): AsyncGenerator<ObjectName, void, undefined> {
    // The last part of a prefix may be the beginning of a name.
    const from = join(this.directory, prefix.slice(0, prefix.lastIndexOf('/') + 1));
    for await (const path of filesBelow(from)) {
      const name = relative(this.directory, path);
      if (name.startsWith(prefix) && !name.endsWith(UNFINISHED)) yield name;
    }
  }

  override async delete(name: ObjectName): Promise<void> {
    try {
      await unlink(join(this.directory, name));
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
}

async function* filesBelow(directory: string): AsyncGenerator<string, void, undefined> {
  try {
    for await (const entry of await opendir(directory, { recursive: true })) {
      if (entry.isFile()) yield join(entry.parentPath, entry.name);
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

async function removeUnfinished(directory: string): Promise<void> {
  for await (const path of filesBelow(directory)) {
    if (!path.endsWith(UNFINISHED)) continue;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > UNFINISHED_AGE_MAX_MS) await rm(path, { force: true });
  }
}

/** Its name, and those of the directories made for it, are as durable as what will be in it. */
async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = directory; made.length >= first.length; made = dirname(made)) {
    await syncDirectory(dirname(made));
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';
