import { type MigratedPostgres, startMigratedPostgres } from '../../test/servers/postgres.js';
import { type Manifest, Manifests } from './manifest.js';
import { objectNameOf, type Segment } from './segment.js';

let postgres: MigratedPostgres;
let manifests: Manifests;
let partition = 0;

beforeAll(async () => {
  postgres = await startMigratedPostgres();
  manifests = new Manifests(postgres.pool);
});
afterAll(() => postgres.stop());
beforeEach(() => {
  partition++;
});

function segment(number: number, revision = number): Segment {
  const described = {
    ...{ partition, after: number === 0 ? null : `p${number - 1}`, first: `p${number}`, last: `p${number}` },
    ...{ events: number + 1, bytes: 2 ** 33, sha256: String(revision).padStart(64, 'a'), schema: 1 },
    ...{ firstAppendedAt: 1_793_786_400_000, lastAppendedAt: 1_793_786_400_001 },
  };
  return { ...described, object: objectNameOf(described, revision) };
}

async function added(count: number): Promise<Manifest> {
  for (let number = 0; number < count; number++) {
    expect(await manifests.change(await manifests.read(partition), { added: segment(number) })).toBe(true);
  }
  return manifests.read(partition);
}

describe('the manifest of a partition', () => {
  it('is empty before anything is archived', async () => {
    expect(await manifests.read(partition)).toEqual({ partition, revision: 0, position: null, segments: [] });
  });

  it('has the segments in the order in which they were added, and the position of the last', async () => {
    expect(await added(3)).toEqual({
      ...{ partition, revision: 3, position: 'p2' },
      segments: [segment(0), segment(1), segment(2)],
    });
  });

  it('is changed from the revision that was seen, or not at all', async () => {
    const seen = await added(2);
    const next = segment(2);
    expect(await manifests.change(seen, { added: next })).toBe(true);
    const now = await manifests.read(partition);
    expect(await manifests.change(seen, { added: segment(2, 99) })).toBe(false);
    expect(await manifests.change(seen, { removed: [segment(0)] })).toBe(false);
    expect(await manifests.change(seen, {})).toBe(false);
    expect(await manifests.replace(seen, { ...seen, revision: 50 })).toBe(false);
    expect(await manifests.read(partition)).toEqual(now);
  });

  it.each([0, 2])('is changed by one of many who try at once, from revision %i', async (revision) => {
    const seen = await added(revision);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, rival) =>
        manifests.change(seen, { added: segment(revision, 100 + rival) }),
      ),
    );
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    const { segments } = await manifests.read(partition);
    expect(segments.slice(revision)).toEqual([segment(revision, 100 + outcomes.indexOf(true))]);
  });

  it('keeps its order and its position when segments in the middle become one', async () => {
    const seen = await added(5);
    const merged = { ...segment(1), object: 'merged', last: 'p3' };
    await manifests.change(seen, { removed: seen.segments.slice(1, 4), added: merged });
    const now = await manifests.read(partition);
    expect(now).toMatchObject({ revision: 6, position: 'p4' });
    expect(now.segments).toEqual([segment(0), merged, segment(4)]);
    await manifests.change(now, { added: segment(5) });
    expect((await manifests.read(partition)).segments.at(-1)).toEqual(segment(5));
  });

  it('keeps its position when everything is removed', async () => {
    const seen = await added(2);
    await manifests.change(seen, { removed: seen.segments });
    expect(await manifests.read(partition)).toEqual({ partition, revision: 3, position: 'p1', segments: [] });
  });

  it('is replaced as a whole by one of a higher revision', async () => {
    const seen = await added(3);
    const other = { partition, revision: 40, position: 'p9', segments: [segment(7), segment(8), segment(9)] };
    expect(await manifests.replace(seen, other)).toBe(true);
    expect(await manifests.read(partition)).toEqual(other);
  });
});
