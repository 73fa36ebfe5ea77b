// How `npm start` runs node, for benchmarks that start the product as it is deployed.
import { readFileSync } from 'node:fs';

export interface StartCommand {
  readonly environment: Readonly<Record<string, string>>;
  readonly nodeFlags: readonly string[];
}

/** Of the script start:prod: `NAME=value … exec node --flag … dist/main.js`. */
export function startCommand(): StartCommand {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const words = scripts['start:prod']!.split(' ');
  const node = words.indexOf('node');
  return {
    environment: Object.fromEntries(
      words.slice(0, words.indexOf('exec')).map((word) => word.split('=') as [string, string]),
    ),
    nodeFlags: words.slice(node + 1, -1),
  };
}
