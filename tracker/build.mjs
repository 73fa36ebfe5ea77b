// Makes tracker/dist: the scripts that intake serves, and the package for bundlers with its types. Prints what the
// scripts weigh as they travel, and fails where that is more than every page should have to carry.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { minifySync } from '@swc/core';
import { buildSync } from 'esbuild';
import ts from 'typescript';

const SCRIPTS = [
  { file: 't.js', full: true, gzippedBytesMax: 2_000 },
  { file: 't.core.js', full: false, gzippedBytesMax: 1_000 },
];
const TYPES = ['module', 'options'];

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/** esbuild makes one file of many and leaves out what is switched off; swc takes a twentieth less room than its minifier. */
function bundle({ entry, full, format }) {
  const { outputFiles } = buildSync({
    entryPoints: [at(`src/${entry}.ts`)],
    bundle: true,
    write: false,
    format,
    target: 'es2021',
    define: { FULL: String(full) },
    // Not the repository's, whose settings are for Node.
    tsconfigRaw: '{}',
    minifySyntax: true,
    logLevel: 'warning',
  });
  const { code } = minifySync(outputFiles[0].text, {
    ecma: 2020,
    module: format === 'esm',
    compress: { ecma: 2020, passes: 4, unsafe: true, unsafe_arrows: true, unsafe_methods: true },
    mangle: { toplevel: true },
  });
  return code;
}

/** Whole or not at all: another process may be reading. */
function write(file, content) {
  const unfinished = at(`dist/${file}.${process.pid}`);
  writeFileSync(unfinished, content);
  renameSync(unfinished, at(`dist/${file}`));
}

mkdirSync(at('dist'), { recursive: true });
let isTooLarge = false;
for (const { file, full, gzippedBytesMax } of SCRIPTS) {
  const code = bundle({ entry: 'script', full, format: 'iife' });
  const gzippedBytes = gzipSync(code, { level: 9 }).length;
  isTooLarge ||= gzippedBytes > gzippedBytesMax;
  write(file, code);
  process.stdout.write(
    `${file}: ${code.length} bytes, ${gzippedBytes} gzipped of at most ${gzippedBytesMax}\n`,
  );
}
write('module.js', bundle({ entry: 'module', full: true, format: 'esm' }));
for (const name of TYPES) {
  const source = readFileSync(at(`src/${name}.ts`), 'utf8');
  write(`${name}.d.ts`, ts.transpileDeclaration(source, {}).outputText);
}
if (isTooLarge) {
  process.stderr.write('The tracker has become too large for the pages of others.\n');
  process.exitCode = 1;
}
