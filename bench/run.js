// Runs benchmarks as plain modules: `node bench/run.js [name…] [--json] [--save]`; without names,
// all of them, one after the other. Plain JavaScript, because it is what compiles the rest.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformFileSync } from '@swc/core';

const root = fileURLToPath(new URL('../', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'tidemark');
mkdirSync(cache, { recursive: true });
const { code } = transformFileSync(join(root, 'test/servers/built-app.ts'), {
  module: { type: 'es6' },
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
});
const compiler = join(cache, `built-app.${process.pid}.mjs`);
writeFileSync(compiler, code);
const { builtApp } = await import(pathToFileURL(compiler).href);
const tree = await builtApp(root);

const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const known = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.bench.ts'))
  .map((name) => name.slice(0, -'.bench.ts'.length));
for (const name of chosen) {
  if (!known.includes(name))
    throw new Error(`There is no benchmark "${name}"; there are ${known.join(', ')}`);
}

for (const name of chosen.length > 0 ? chosen : known) {
  const program = join(tree, 'bench', `${name}.bench.js`);
  const { status } = spawnSync(process.execPath, [program, ...options], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
