// The directory driver: the contract, and what a kill or a foreign file leaves.
import { chmod, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveStoreContract } from '../../test/contract/archive-store.contract.js';
import { ArchiveStoreError } from './archive-store.js';
import { DirectoryArchiveStore } from './directory.archive-store.js';

let directory: string;

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'tidemark-archive-')), 'made', 'by-us');
});
afterEach(() => rm(join(directory, '../..'), { recursive: true }));

archiveStoreContract('a directory', {
  fresh: async () => ({
    store: await DirectoryArchiveStore.open(directory),
    again: () => DirectoryArchiveStore.open(directory),
  }),
});

describe('a directory as the archive’s store', () => {
  it('lets nobody else read what is in it', async () => {
    const store = await DirectoryArchiveStore.open(directory);
    await store.put('p/a', Buffer.from('a'));
    expect((await stat(directory)).mode & 0o077).toBe(0);
    expect((await stat(join(directory, 'p/a'))).mode & 0o077).toBe(0);
  });

  it('does not show what a killed process was writing, and removes it after a day', async () => {
    const store = await DirectoryArchiveStore.open(directory);
    await mkdir(join(directory, 'p'));
    const [old, young] = ['.old.unfinished', '.young.unfinished'].map((name) => join(directory, 'p', name));
    for (const path of [old!, young!]) await writeFile(path, 'half an obj');
    const twoDaysAgo = Date.now() / 1_000 - 172_800;
    await utimes(old!, twoDaysAgo, twoDaysAgo);
    const listed: string[] = [];
    for await (const name of store.list('p/')) listed.push(name);
    expect(listed).toEqual([]);
    await DirectoryArchiveStore.open(directory);
    expect(await readdir(join(directory, 'p'))).toEqual(['.young.unfinished']);
  });

  it('leaves nothing behind of what it could not write', async () => {
    const store = await DirectoryArchiveStore.open(directory);
    await mkdir(join(directory, 'p', 'a'), { recursive: true });
    await writeFile(join(directory, 'p', 'a', 'in-the-way'), '');
    await expect(store.put('p/a', Buffer.from('a'))).rejects.toThrow();
    expect(await readdir(join(directory, 'p'))).toEqual(['a']);
  });

  it('says which setting to look at when it cannot be opened', async () => {
    await mkdir(join(directory, '..'), { recursive: true });
    await writeFile(directory, 'a file');
    await expect(DirectoryArchiveStore.open(directory)).rejects.toThrow(ArchiveStoreError);
    await expect(DirectoryArchiveStore.open(directory)).rejects.toThrow(/ARCHIVE_URL/);
    await chmod(join(directory, '..'), 0o700);
  });
});
