// Style as a test: what this repository promises about its own shape, and cannot be said in types.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { apiReference } from '../src/roles/api-reference.js';
import { configReference, envExample } from '../src/config/settings-reference.js';
import { withVocabularyTables } from '../src/modules/query/vocabulary/vocabulary-tables.js';

const ROOT = resolve(__dirname, '..');
const CRUISER = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const MODULES_MIN = 100;

const sources = ['src', 'test', 'bench'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path}`)
    .filter((path) => path.endsWith('.ts')),
);
const product = sources.filter((path) => path.startsWith('src/') && !path.endsWith('.spec.ts'));
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Without comments, so that prose may name what code must not use. */
const codeOf = (path: string) =>
  textOf(path)
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1');

interface CruiseSummary {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string }[] };
  };
}

function cruise(directory: string): CruiseSummary['summary'] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [CRUISER, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'],
    { cwd: directory, encoding: 'utf8', maxBuffer: 67_108_864 },
  );
  if (!stdout) throw new Error(`dependency-cruiser said nothing: ${stderr}`);
  return (JSON.parse(stdout) as CruiseSummary).summary;
}

describe('import directions', () => {
  it('hold everywhere', () => {
    const { violations, totalCruised } = cruise(ROOT);
    expect(violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
    expect(totalCruised).toBeGreaterThan(MODULES_MIN);
  });

  it('are refused, each by its rule, in a tree that breaks them all', () => {
    const tree: Record<string, readonly string[]> = {
      'src/config/config.ts': ['../telemetry/telemetry.js'],
      'src/telemetry/telemetry.ts': ['../postgres/pool.js'],
      'src/postgres/pool.ts': ['../event-store/event-store.js', './absent.js'],
      'src/event-store/event-store.ts': ['../modules/auth/access.js'],
      'src/modules/auth/access.ts': ['../ingestion/pipeline.js'],
      'src/modules/ingestion/pipeline.ts': ['../query/planner.js', '../projections/projector.js'],
      'src/modules/ingestion/steps/locate.ts': ['node:fs'],
      'src/modules/projections/projector.ts': ['../ingestion/pipeline.js', '../query/planner.js'],
      'src/modules/query/planner.ts': ['../projections/projector.js', '../../roles/api.role.js'],
      'src/roles/api.role.ts': ['../main.js', '../cli/main.js'],
      'src/main.ts': ['../test/given.js'],
      'src/cli/main.ts': ['../http/problem.js'],
      'src/http/problem.ts': [],
      'test/given.ts': [],
    };
    const directory = mkdtempSync(join(tmpdir(), 'tidemark-tidy-'));
    try {
      for (const [path, imports] of Object.entries(tree)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true });
        writeFileSync(
          join(directory, path),
          `${imports.map((to) => `import '${to}';`).join('\n')}\nexport {};\n`,
        );
      }
      for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json']) {
        copyFileSync(join(ROOT, name), join(directory, name));
      }
      const { violations, ruleSetUsed } = cruise(directory);
      const refusing = new Set(violations.map(({ rule }) => rule.name));
      expect(ruleSetUsed.forbidden.map(({ name }) => name).filter((name) => !refusing.has(name))).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('files', () => {
  it('that decide numbers have a spec beside them', () => {
    const decisive =
      /^src\/modules\/(ingestion\/steps\/|projections\/interpret\/|projections\/catalog\/.*\.projection|query\/reports\/).*\.ts$/;
    const without = product
      .filter((path) => decisive.test(path) && hasCode(path))
      .filter(
        (path) => !['.spec.ts', '.int.spec.ts'].some((end) => sources.includes(path.replace(/\.ts$/, end))),
      );
    expect(without).toEqual([]);
  });

  it('have names that say something', () => {
    const empty = /(^|[/.-])(utils?|helpers?|common|shared(?!-link)|misc|lib)([/.-]|$)|(^|\/)index\.ts$/;
    expect(sources.filter((path) => empty.test(path))).toEqual([]);
    expect(sources.filter((path) => !/^[a-z0-9.-]+$/.test(basename(path)))).toEqual([]);
  });

  it('open with their place in the flow', () => {
    expect(product.filter((path) => !textOf(path).startsWith('//'))).toEqual([]);
  });

  it('leave nothing unfinished, switched off or outside the repository', () => {
    const left =
      /\b(TODO|FIXME|XXX)\b|@ts-ignore|\b(describe|it|test)\.(only|skip)\(|\b(xit|fdescribe|fit)\(/;
    const outside = /(^|[^.\w])\/(work|root|home)\//m;
    const checked = sources.filter((path) => path !== 'test/tidy.spec.ts');
    expect(checked.filter((path) => left.test(textOf(path)))).toEqual([]);
    expect(checked.filter((path) => outside.test(codeOf(path)))).toEqual([]);
  });
});

describe('reach', () => {
  const users = (pattern: RegExp) => product.filter((path) => pattern.test(codeOf(path)));

  it('of the environment ends at the settings', () => {
    expect(users(/process\.env\b/)).toEqual(['src/config/config.ts']);
  });

  it('of the console ends at the CLI', () => {
    expect(users(/\bconsole\./).filter((path) => !path.startsWith('src/cli/'))).toEqual([]);
  });

  it('of the clock and of chance ends before what a rebuild repeats', () => {
    const pure =
      /^src\/(events|modules\/ingestion\/steps|modules\/projections\/(interpret|catalog))\/|^src\/modules\/projections\/(sessionizer|projection)\.ts$/;
    const impure =
      /\bDate\.now\(|\bnew Date\(\)|\bperformance\.|\bMath\.random\(|\brandomUUID\(|\bset(Timeout|Interval)\(/;
    expect(users(impure).filter((path) => pure.test(path))).toEqual([]);
    expect(product.filter((path) => pure.test(path)).length).toBeGreaterThan(20);
  });

  // Else a statement that forgot the site would see all of them: postgres/tenant.ts.
  it('of an answer about a site ends at its rows: only what works for all sites asks the pool itself', () => {
    const forAllSites =
      /^src\/modules\/query\/(?:freshness|settled\/sett\w+(?:-\w+)?|jobs\/(?:job-queue|job-reaper|result-store))\.ts$/;
    const asking = users(/\bpool\.(?:query|connect)\b/).filter((path) =>
      path.startsWith('src/modules/query/'),
    );
    expect(asking.filter((path) => !forAllSites.test(path))).toEqual([]);
    expect(asking.length).toBeGreaterThan(5);
  });
});

describe('the lockfile', () => {
  it('knows the packages of every platform, without which npm ci refuses it (else: scripts/complete-lockfile.mjs)', () => {
    const { packages } = JSON.parse(textOf('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const known = new Set(
      Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
    );
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(wanted.length).toBeGreaterThan(50);
    expect(wanted.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('generated files', () => {
  const { version } = JSON.parse(textOf('package.json')) as { version: string };

  it.each([
    ['.env.example', envExample],
    ['docs/reference/config.md', configReference],
    ['docs/reference/openapi.json', () => apiReference(version)],
    ['docs/reference/metrics.md', () => withVocabularyTables(textOf('docs/reference/metrics.md'))],
  ])('are current (else: npm run docs:generate): %s', async (path, make) => {
    expect(textOf(path)).toBe(await make());
  });
});

/** Types alone decide nothing. */
function hasCode(path: string): boolean {
  return /^export (default|async|function|const|class)/m.test(textOf(path));
}
