// Access logs know whole seconds only. So that a visitor's page views of one second keep the log's order
// (which was the entry page?), each is set one millisecond after the one before. The same lines from the
// same beginning give the same times.

const REMEMBERED_MAX = 16_384;
const MILLISECOND_MAX = 999;

export class OrderInSecond {
  /** How many page views a visitor had in a second; least recently used first. */
  private readonly counts = new Map<string, number>();

  /** @param time a whole second, epoch ms */
  next(visitorId: string, time: number): number {
    const key = `${visitorId}${time}`;
    const count = this.counts.get(key) ?? 0;
    this.counts.delete(key);
    this.counts.set(key, count + 1);
    if (this.counts.size > REMEMBERED_MAX) this.counts.delete(this.counts.keys().next().value!);
    return time + Math.min(count, MILLISECOND_MAX);
  }
}
