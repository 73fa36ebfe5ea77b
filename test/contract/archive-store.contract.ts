// The laws of the archive's store, the same for every driver. A driver's spec says how an empty store is
// opened, imports this suite and passes it.
import { randomBytes } from 'node:crypto';
import { type ArchiveStore, MissingObjectError } from '../../src/archive/archive-store.js';

export interface ArchiveStoreDriver {
  /** An empty store; `again` opens the same one as another process would. */
  fresh(): Promise<{ readonly store: ArchiveStore; again(): Promise<ArchiveStore> }>;
}

const MEGABYTE = 1_048_576;

export function archiveStoreContract(name: string, driver: ArchiveStoreDriver): void {
  describe(`the archive's store in ${name}`, () => {
    let store: ArchiveStore;
    let again: () => Promise<ArchiveStore>;

    beforeEach(async () => {
      ({ store, again } = await driver.fresh());
    });

    const listed = async (prefix: string): Promise<string[]> => {
      const names: string[] = [];
      for await (const object of store.list(prefix)) names.push(object);
      return names.sort();
    };
    const text = async (object: string): Promise<string> =>
      Buffer.from(await store.get(object)).toString('utf8');

    it.each([0, 1, 5 * MEGABYTE])('gives back an object of %i bytes, to every process', async (bytes) => {
      const content = randomBytes(bytes);
      await store.put('partition-0000/a.parquet', content);
      for (const reader of [store, await again()]) {
        const back = await reader.get('partition-0000/a.parquet');
        expect(Buffer.compare(content, back)).toBe(0);
      }
    });

    it('replaces an object as a whole', async () => {
      await store.put('partition-0000/manifest.json', Buffer.from('the first, which is longer'));
      await store.put('partition-0000/manifest.json', Buffer.from('the second'));
      expect(await text('partition-0000/manifest.json')).toBe('the second');
    });

    it('shows one of two whole objects, never a mixture, while one replaces the other', async () => {
      const contents = [Buffer.alloc(MEGABYTE, 'a'), Buffer.alloc(2 * MEGABYTE, 'b')];
      await store.put('x/contested', contents[0]!);
      let isDone = false;
      const writing = (async () => {
        for (let round = 1; round < 20; round++) await store.put('x/contested', contents[round % 2]!);
        isDone = true;
      })();
      while (!isDone) {
        const back = await store.get('x/contested');
        expect(contents.some((content) => Buffer.compare(content, back) === 0)).toBe(true);
      }
      await writing;
    });

    it('lists the names that begin with a prefix, and no others', async () => {
      const names = ['p/1/a', 'p/1/b.c_d-e', 'p/10/a', 'p/2/a', 'q'];
      for (const object of names) await store.put(object, Buffer.from(object));
      expect(await listed('')).toEqual(names.toSorted());
      expect(await listed('p/1/')).toEqual(['p/1/a', 'p/1/b.c_d-e']);
      expect(await listed('p/1')).toEqual(['p/1/a', 'p/1/b.c_d-e', 'p/10/a']);
      expect(await listed('nothing/')).toEqual([]);
    });

    it('lists more names than a store tells at a time', async () => {
      const names = Array.from({ length: 1_050 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
      for (let start = 0; start < names.length; start += 50) {
        await Promise.all(
          names.slice(start, start + 50).map((object) => store.put(object, Buffer.from('1'))),
        );
      }
      expect(await listed('many/')).toEqual(names);
    });

    it('deletes, also what is not there', async () => {
      await store.put('p/a', Buffer.from('a'));
      await store.delete('p/a');
      await store.delete('p/a');
      await store.delete('never/was');
      expect(await listed('')).toEqual([]);
      await expect(store.get('p/a')).rejects.toThrow(new MissingObjectError('p/a'));
    });

    it('says that an object is missing', async () => {
      await expect(store.get('partition-0000/none')).rejects.toThrow(MissingObjectError);
    });
  });
}
