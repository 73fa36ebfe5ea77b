// The same number of a definition must mean the same for as long as a version is fed by it: otherwise a
// version would be one thing before a deployment and another after it, and no rebuild would tell.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFINITIONS, fingerprintOf } from '../src/modules/projections/catalog/catalog.js';

const ROOT = join(__dirname, '..');

function fingerprints(root: string): Readonly<Record<string, string>> {
  const program = `import('${join(ROOT, 'scripts/fingerprints.mjs')}')
    .then(({ fingerprints }) => process.stdout.write(JSON.stringify(fingerprints(process.argv[1]))))`;
  return JSON.parse(execFileSync(process.execPath, ['-e', program, root], { encoding: 'utf8' }));
}

it('refuses a definition whose meaning has changed under its number', () => {
  const actual = fingerprints(ROOT);
  const recorded = Object.fromEntries(DEFINITIONS.map(({ number }) => [number, fingerprintOf(number)]));
  // If this fails: keep the definition as it was and add the next one, as
  // docs/runbooks/rebuild-a-projection.md says. Only if the change cannot change any row, record it
  // with `npm run fingerprints`.
  expect(actual).toEqual(recorded);
});

describe('a fingerprint', () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'tidemark-fingerprints-'));
    cpSync(join(ROOT, 'src'), join(copy, 'src'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(copy, 'package.json'));
  });
  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  const change = (path: string, from: string, to: string): void => {
    const source = readFileSync(join(copy, path), 'utf8');
    expect(source).toContain(from);
    writeFileSync(join(copy, path), source.replace(from, to));
  };

  it.each([
    [
      'an interpreter',
      'src/modules/projections/interpret/page.ts',
      'export function',
      'const more = 1;\nexport function',
    ],
    ['the sessionizer', 'src/modules/projections/sessionizer.ts', '30 * 60_000', '20 * 60_000'],
    ['a projection', 'src/modules/projections/catalog/traffic.projection.ts', '3_600_000', '1_800_000'],
    ['a package', 'package.json', '"isbot": "', '"isbot": "9'],
  ])('changes with %s', (_, path, from, to) => {
    change(path, from, to);
    expect(fingerprints(copy)).not.toEqual(fingerprints(ROOT));
  });

  it('does not change with a comment', () => {
    change('src/modules/projections/catalog/traffic.projection.ts', '// Site ×', '// Another word: site ×');
    expect(fingerprints(copy)).toEqual(fingerprints(ROOT));
  });
});
