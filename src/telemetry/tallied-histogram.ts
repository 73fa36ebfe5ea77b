// A histogram for what happens many thousand times a second: plain numbers, made into samples when somebody reads
// them. prom-client's own spends up to 4 µs on the labels of each observation.
import type { Metric, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string | number>>;

interface TalliedHistogramOptions {
  readonly name: string;
  readonly help: string;
  /** Ascending. */
  readonly boundsSeconds: readonly number[];
}

/** What was observed under the same labels. */
class Tally {
  /** How many took at most the bound at the same place; longer ones are in `count` only. */
  readonly #withinBound: number[];
  #count = 0;
  #sumSeconds = 0;

  constructor(
    private readonly labels: Labels,
    private readonly options: TalliedHistogramOptions,
  ) {
    this.#withinBound = options.boundsSeconds.map(() => 0);
  }

  observe(seconds: number): void {
    const { boundsSeconds } = this.options;
    this.#count += 1;
    this.#sumSeconds += seconds;
    for (let at = boundsSeconds.length - 1; at >= 0 && seconds <= boundsSeconds[at]!; at--)
      this.#withinBound[at]! += 1;
  }

  samples() {
    const { labels } = this;
    const { name, boundsSeconds } = this.options;
    const buckets = boundsSeconds.map((le, at) => ({ le, value: this.#withinBound[at]! }));
    return [
      ...[...buckets, { le: '+Inf', value: this.#count }].map(({ le, value }) => ({
        metricName: `${name}_bucket`,
        labels: { le, ...labels },
        value,
      })),
      { metricName: `${name}_sum`, labels, value: this.#sumSeconds },
      { metricName: `${name}_count`, labels, value: this.#count },
    ];
  }
}

export class TalliedHistogram {
  readonly #tallies = new Map<string, Tally>();

  constructor(
    registry: Registry,
    private readonly options: TalliedHistogramOptions,
  ) {
    const described = { name: options.name, help: options.help, type: 'histogram' } as const;
    const get = async () => ({
      ...described,
      values: [...this.#tallies.values()].flatMap((tally) => tally.samples()),
    });
    registry.registerMetric({ ...described, get } as unknown as Metric);
  }

  /** `key` stands for the labels, which are asked for once. */
  of(key: string, labelsOf: () => Labels): Tally {
    let tally = this.#tallies.get(key);
    if (tally === undefined) this.#tallies.set(key, (tally = new Tally(labelsOf(), this.options)));
    return tally;
  }
}
