// Adds a flush's deltas to the counters, and merges its visitors into the stored sketches. The only
// writer of its partition's rows (the checkpoint sees to that), so sketches may be remembered.
import { LRUCache } from 'lru-cache';
import type { PoolClient } from 'pg';
import type { CounterDelta, CountersFlush } from './flush.js';
import { keyParameters, keysSql } from './key-columns.js';
import { type CountersProjection, tableOf } from './projection.js';
import {
  changeSketch,
  decodeSketch,
  EMPTY_SKETCH,
  encodeSketch,
  type Sketch,
} from './read-models/visitor-sketch.js';

/** About 100 bytes each. */
const REMEMBERED_VISITORS_MAX = 50_000;
const DENSE_SKETCH_SIZE = 200;

interface Changed {
  readonly name: string;
  readonly delta: CounterDelta;
}

export class CounterWriter {
  readonly #sketches = new LRUCache<string, Sketch>({
    maxSize: REMEMBERED_VISITORS_MAX,
    sizeCalculation: (sketch) => (sketch.exact ? sketch.sessionsByVisitor.size + 1 : DENSE_SKETCH_SIZE),
  });

  reset(): void {
    this.#sketches.clear();
  }

  async write(client: PoolClient, { projection, deltas }: CountersFlush, partition: number): Promise<void> {
    const changed = [...deltas]
      .map(([key, delta]) => ({ name: `${tableOf(projection)}\n${key}`, delta }))
      .filter(({ delta }) => delta.sessionsByVisitor.size > 0 || delta.sums.some((sum) => sum !== 0))
      // One order for all writers, so that none waits for the other in a circle.
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    if (changed.length === 0) return;
    const keys = keyParameters(
      projection,
      keyColumns(projection),
      changed.map(({ delta }) => delta.key),
    );
    const sums = projection.sums.map((_, index) => changed.map(({ delta }) => delta.sums[index]!));
    const sketches = projection.sketch
      ? [(await this.#changeSketches(client, { projection, changed, partition })).map(encodeSketch)]
      : [];
    await client.query(upsertSql(projection), [partition, ...keys, ...sums, ...sketches]);
    if (changed.some(({ delta }) => delta.sums.some((sum) => sum < 0))) {
      await client.query(deleteEmptySql(projection), [partition, ...keys]);
    }
  }

  async #changeSketches(
    client: PoolClient,
    {
      projection,
      changed,
      partition,
    }: { projection: CountersProjection; changed: readonly Changed[]; partition: number },
  ): Promise<Sketch[]> {
    const stored = new Map<string, Sketch>();
    const unknown: Changed[] = [];
    for (const one of changed) {
      const sketch = this.#sketches.get(one.name);
      if (sketch === undefined) unknown.push(one);
      else stored.set(one.name, sketch);
    }
    if (unknown.length > 0) {
      const keys = unknown.map(({ delta }) => delta.key);
      const { rows } = await client.query<{ place: string; sketch: Buffer }>(readSketchesSql(projection), [
        partition,
        ...keyParameters(projection, keyColumns(projection), keys),
      ]);
      for (const { place, sketch } of rows)
        stored.set(unknown[Number(place) - 1]!.name, decodeSketch(sketch));
    }
    return changed.map(({ name, delta }) => {
      const sketch = changeSketch(stored.get(name) ?? EMPTY_SKETCH, delta.sessionsByVisitor);
      this.#sketches.set(name, sketch);
      return sketch;
    });
  }
}

/** Of a counters projection's key, what a contribution names: all but the partition, which is $1. */
const keyColumns = ({ primaryKey }: CountersProjection): readonly string[] => primaryKey.slice(0, -1);

const matches = (projection: CountersProjection): string =>
  [
    ...keyColumns(projection).map((column) => `stored.${column} = wanted.${column}`),
    'stored.partition = $1',
  ].join(' AND ');

function upsertSql(projection: CountersProjection): string {
  const { sums, sketch, primaryKey } = projection;
  const keys = keyColumns(projection);
  const values = sketch ? [...sums, sketch] : sums;
  const arrays = values.map(
    (column, index) => `$${keys.length + 2 + index}::${column === sketch ? 'bytea' : 'bigint'}[]`,
  );
  const updates = [
    ...sums.map((column) => `${column} = stored.${column} + excluded.${column}`),
    ...(sketch ? [`${sketch} = excluded.${sketch}`] : []),
  ];
  return `INSERT INTO ${tableOf(projection)} AS stored (${[...keys, 'partition', ...values].join(', ')})
    SELECT ${keys.map((key) => `keys.${key}`).join(', ')}, $1, ${values.map((column) => `said.${column}`).join(', ')}
    FROM (${keysSql(projection, keys, 2)}) AS keys
    JOIN unnest(${arrays.join(', ')}) WITH ORDINALITY AS said(${[...values, 'place'].join(', ')}) USING (place)
    ORDER BY place
    ON CONFLICT (${primaryKey.join(', ')}) DO UPDATE SET ${updates.join(', ')}`;
}

function readSketchesSql(projection: CountersProjection): string {
  return `SELECT wanted.place, stored.${projection.sketch} AS sketch
    FROM (${keysSql(projection, keyColumns(projection), 2)}) AS wanted
    JOIN ${tableOf(projection)} AS stored ON ${matches(projection)}`;
}

/** A row that says nothing any more was never there: the same rows as if its sessions had come in order. */
function deleteEmptySql(projection: CountersProjection): string {
  return `DELETE FROM ${tableOf(projection)} AS stored
    USING (${keysSql(projection, keyColumns(projection), 2)}) AS wanted
    WHERE ${matches(projection)} AND ${projection.sums.map((column) => `stored.${column} = 0`).join(' AND ')}`;
}
