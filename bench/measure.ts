// What every benchmark shares: contenders take turns within each round, so that what else the
// machine does hits them alike; a ratio is the median over rounds of both in the same round.
// --json prints the result as data, --save keeps it, dated, under bench/results/.
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, release, totalmem } from 'node:os';

export interface Contender {
  readonly name: string;
  /** One turn: does `amount` of work, of which only what lasts `seconds` counts. */
  run(): Promise<{ readonly amount: number; readonly seconds: number }>;
}

export interface Ratio {
  readonly of: string;
  readonly over: string;
  readonly atLeast?: number;
}

export interface Benchmark {
  readonly name: string;
  readonly unit: string;
  readonly contenders: readonly Contender[];
  readonly ratios: readonly Ratio[];
  /** At least 5. One more is run before them and thrown away. */
  readonly rounds: number;
}

interface Rates {
  readonly name: string;
  readonly perSecond: readonly number[];
}

export interface BenchmarkResult {
  readonly name: string;
  readonly unit: string;
  readonly rates: readonly {
    readonly name: string;
    readonly median: number;
    readonly min: number;
    readonly max: number;
  }[];
  readonly ratios: readonly (Ratio & { readonly median: number })[];
}

/** What is no rate: told beside the rates. */
export interface Fact {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly atMost?: number;
}

export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.hrtime.bigint();
  await work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

export async function measure(benchmark: Benchmark): Promise<BenchmarkResult> {
  const rates: (Rates & { perSecond: number[] })[] = benchmark.contenders.map(({ name }) => ({
    name,
    perSecond: [],
  }));
  for (let round = 0; round <= benchmark.rounds; round++) {
    for (const [index, contender] of benchmark.contenders.entries()) {
      const turn = await contender.run();
      if (round > 0) rates[index]!.perSecond.push(turn.amount / turn.seconds);
    }
  }
  return {
    name: benchmark.name,
    unit: benchmark.unit,
    rates: rates.map(({ name, perSecond }) => ({
      name,
      median: median(perSecond),
      min: Math.min(...perSecond),
      max: Math.max(...perSecond),
    })),
    ratios: benchmark.ratios.map((ratio) => ({ ...ratio, median: medianRatio(rates, ratio) })),
  };
}

/** Prints the results of one file of benchmarks, and saves them if asked to. */
export function report(
  title: string,
  results: readonly BenchmarkResult[],
  facts: readonly Fact[] = [],
): void {
  const date = new Date().toISOString();
  const data = { title, date, machine: machine(), results, ...(facts.length > 0 ? { facts } : {}) };
  const json = `${JSON.stringify(data, null, 2)}\n`;
  process.stdout.write(process.argv.includes('--json') ? json : asText(data));
  if (process.argv.includes('--save')) {
    mkdirSync('bench/results', { recursive: true });
    writeFileSync(`bench/results/${date.slice(0, 10)}-${title}.json`, json);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1]! + sorted[middle]!) / 2 : sorted[Math.floor(middle)]!;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

function medianRatio(rates: readonly Rates[], { of, over }: Ratio): number {
  const rateOf = (name: string): readonly number[] => {
    const found = rates.find((rate) => rate.name === name);
    if (!found) throw new Error(`There is no contender "${name}"`);
    return found.perSecond;
  };
  const below = rateOf(over);
  return median(rateOf(of).map((rate, round) => rate / below[round]!));
}

function machine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} × ${model}, ${gigabytes} GB, ${process.platform} ${release()} ${arch()}, Node ${process.version}`;
}

function asText(data: {
  readonly title: string;
  readonly date: string;
  readonly machine: string;
  readonly results: readonly BenchmarkResult[];
  readonly facts?: readonly Fact[];
}): string {
  const whole = (value: number): string => Math.round(value).toLocaleString('en').padStart(12);
  const lines = [`${data.title}, ${data.date}`, data.machine];
  for (const { name, unit, rates, ratios } of data.results) {
    lines.push('', `${name} (${unit}/s: median, lowest, highest)`);
    for (const rate of rates) {
      lines.push(`  ${rate.name.padEnd(44)}${whole(rate.median)}${whole(rate.min)}${whole(rate.max)}`);
    }
    for (const ratio of ratios) {
      const goal =
        ratio.atLeast === undefined
          ? ''
          : ` (goal ${ratio.atLeast}: ${ratio.median >= ratio.atLeast ? 'reached' : 'MISSED'})`;
      lines.push(`  ${ratio.of} ÷ ${ratio.over}: ${ratio.median.toFixed(2)}${goal}`);
    }
  }
  if (data.facts) lines.push('');
  for (const { name, value, unit, atMost } of data.facts ?? []) {
    const goal = atMost === undefined ? '' : ` (goal ${atMost}: ${value <= atMost ? 'reached' : 'MISSED'})`;
    lines.push(
      `  ${name.padEnd(44)}${value.toLocaleString('en', { maximumFractionDigits: 2 }).padStart(12)} ${unit}${goal}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
