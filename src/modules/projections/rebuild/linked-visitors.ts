// Which visitor ids are linked, each to the id that it continues, directly or through others. Their
// sessions may join, so their events are needed together, whichever buckets they are in.
import { bucketOf } from './bucket-plan.js';
import type { Link } from './bucket-file.js';

export class LinkedVisitors {
  readonly #parent = new Map<string, string>();

  constructor(links: Iterable<Link>) {
    for (const [visitor, previous] of links) this.#join(visitor, previous);
  }

  get size(): number {
    return this.#parent.size;
  }

  has(visitor: string): boolean {
    return this.#parent.has(visitor);
  }

  /** Which of `parts` the visitor's whole group is in. */
  partOf(visitor: string, parts: number): number {
    return bucketOf(this.#rootOf(visitor), parts);
  }

  /** The ids of every group among these, each id in one group; ids that are not linked alone. */
  groups(visitors: Iterable<string>): readonly (readonly string[])[] {
    const byRoot = new Map<string, string[]>();
    for (const visitor of visitors) {
      const root = this.#rootOf(visitor);
      const group = byRoot.get(root);
      if (group === undefined) byRoot.set(root, [visitor]);
      else group.push(visitor);
    }
    return [...byRoot.values()];
  }

  #join(a: string, b: string): void {
    const first = this.#rootOf(a);
    const second = this.#rootOf(b);
    // By name, so that it does not matter in which order the links came.
    const [root, other] = first < second ? [first, second] : [second, first];
    this.#parent.set(root, root);
    this.#parent.set(other, root);
  }

  #rootOf(visitor: string): string {
    let root = visitor;
    for (let parent = this.#parent.get(root); parent !== undefined && parent !== root;) {
      root = parent;
      parent = this.#parent.get(root);
    }
    this.#compress(visitor, root);
    return root;
  }

  #compress(visitor: string, root: string): void {
    let at = visitor;
    for (let parent = this.#parent.get(at); parent !== undefined && parent !== root;) {
      this.#parent.set(at, root);
      at = parent;
      parent = this.#parent.get(at);
    }
  }
}
