// What decides the meaning of each definition of the read models, as one hash each: the code that is
// reached from catalog/definition.N.ts and what all share, without types and comments, and the versions of
// the packages that it uses. `node scripts/fingerprints.mjs` records them; test/fingerprints.spec.ts refuses a change.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const IMPORT = /^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'/gm;

/** What every definition goes through, and so a part of the meaning of each. */
const SHARED = ['sessionizer.ts', 'read-models/visitor-sketch.ts'];

/** @param {string} root the repository */
export function fingerprints(root) {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const catalog = join(root, 'src/modules/projections/catalog');
  const definitions = readdirSync(catalog).filter((name) => /^definition\.\d+\.ts$/.test(name));
  return Object.fromEntries(
    definitions.map((name) => [name.split('.')[1], fingerprint(join(catalog, name), { root, dependencies })]),
  );
}

function fingerprint(entry, { root, dependencies }) {
  const sources = new Map();
  const packages = new Set();
  const waiting = [entry, ...SHARED.map((name) => join(root, 'src/modules/projections', name))];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (sources.has(path)) continue;
    const source = meaningOf(readFileSync(path, 'utf8'));
    sources.set(path, source);
    for (const [, from, alone] of source.matchAll(IMPORT)) {
      const specifier = from ?? alone;
      if (specifier.startsWith('.')) waiting.push(resolve(dirname(path), specifier.replace(/\.js$/, '.ts')));
      else
        packages.add(
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/'),
        );
    }
  }
  const sum = createHash('sha256');
  for (const [path, source] of [...sources].sort(([a], [b]) => (a < b ? -1 : 1)))
    sum.update(`${relative(root, path)}\0${source}\0`);
  for (const name of [...packages].sort((a, b) => (a < b ? -1 : 1)))
    sum.update(`${name}@${dependencies[name] ?? ''}\0`);
  return sum.digest('hex').slice(0, 16);
}

const meaningOf = (source) =>
  ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, removeComments: true },
  }).outputText;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const known = Object.entries(fingerprints(root));
  const lines = known.map(([definition, hash]) => `  ${definition}: '${hash}',`);
  writeFileSync(
    join(root, 'src/modules/projections/catalog/fingerprints.ts'),
    `// Made by scripts/fingerprints.mjs: what each definition meant when a version was last built by it. A change
// of meaning is a new definition, never another fingerprint for an old one.
export const FINGERPRINTS: Readonly<Record<number, string>> = {
${lines.join('\n')}
};
`,
  );
  for (const [definition, hash] of known) process.stdout.write(`definition ${definition}: ${hash}\n`);
}
