// Batches that say of themselves whether they are whole: every event carries the batch's name, its
// own place and how many there must be.
import type { TrackedEvent } from '../../src/events/tracked-event.js';
import type { Batch } from '../../src/tracking-log/tracking-log.js';

export function batchNamed(name: string, events: number): Batch {
  const receivedAt = Date.now();
  return Array.from({ length: events }, (_, index): TrackedEvent => ({
    id: `${name}/${index}/${events}`,
    site: 'site-1',
    name: 'pageview',
    occurredAt: receivedAt,
    receivedAt,
    visitor: '00a1b2c3d4e5f607',
    url: `https://shop.example/products/${index}`,
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  }));
}

/** @throws if the batch is not whole. */
export function nameOfWhole(batch: Batch): string {
  const [name, , events] = batch[0]!.id.split('/');
  for (const [index, event] of batch.entries()) {
    if (event.id !== `${name}/${index}/${events}`) throw new Error(`${event.id} is out of its place`);
  }
  if (batch.length !== Number(events)) throw new Error(`${name} has ${batch.length} of ${events} events`);
  return name!;
}

/** Of a batch that the spool may have joined from several. @throws if one of them is not whole. */
export function namesOfWholes(batch: Batch): string[] {
  const names: string[] = [];
  for (let start = 0; start < batch.length;) {
    const events = Number(batch[start]!.id.split('/')[2]);
    names.push(nameOfWhole(batch.slice(start, start + events)));
    start += events;
  }
  return names;
}
