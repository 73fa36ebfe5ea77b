// Who may import whom (ARCHITECTURE.md, "Import direction"). Run by test/tidy.spec.ts.
// Imports go left only:
//   config, events, waiting ← telemetry, http, places ← postgres, redis ← tracking-log, archive, event-store ← modules/auth
//     ← modules/ingestion | modules/projections ← modules/query ← roles ← server, main

/** Left to right; a layer's folders may import each other unless a rule below says no. */
const LAYERS = [
  '^src/(config|events|waiting)/',
  '^src/(telemetry|http|places)/',
  '^src/(postgres|redis)/',
  '^src/(tracking-log|archive|event-store)/',
  '^src/modules/auth/',
  '^src/modules/(ingestion|projections)/',
  '^src/modules/query/',
  '^src/roles/',
  '^src/(server|main)\\.ts$',
];

const SPEC = '\\.spec\\.ts$';

const leftOnly = LAYERS.slice(0, -1).map((layer, index) => ({
  name: `left-only-${index + 1}`,
  comment: 'Imports go towards the foundations, never back.',
  severity: 'error',
  from: { path: layer, pathNot: SPEC },
  to: { path: LAYERS.slice(index + 1).join('|') },
}));

/** What computes the same from the same input, whenever and wherever it runs. */
const PURE = [
  '^src/events/',
  '^src/modules/ingestion/steps/',
  '^src/modules/projections/(interpret|catalog)/',
  '^src/modules/projections/(sessionizer|projection)\\.ts$',
].join('|');

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...leftOnly,
    {
      name: 'ingestion-never-sees-projections',
      comment: 'They meet only at the tracking log.',
      severity: 'error',
      from: { path: '^src/modules/ingestion/' },
      to: { path: '^src/modules/projections/' },
    },
    {
      name: 'projections-never-see-ingestion',
      comment: 'They meet only at the tracking log.',
      severity: 'error',
      from: { path: '^src/modules/projections/' },
      to: { path: '^src/modules/ingestion/' },
    },
    {
      name: 'query-sees-only-read-models',
      comment: 'Projections and query meet only at the read models.',
      severity: 'error',
      from: { path: '^src/modules/query/', pathNot: SPEC },
      to: { path: '^src/modules/(projections/(?!read-models/)|ingestion/)' },
    },
    {
      name: 'cli-speaks-http-only',
      comment: 'The CLI is a client like any other; only the list of settings is shared.',
      severity: 'error',
      from: { path: '^src/cli/' },
      to: { path: '^src/(?!cli/|config/config\\.ts$)' },
    },
    {
      name: 'nobody-imports-the-cli',
      severity: 'error',
      from: { path: '^src/(?!cli/)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'pure-code-imports-no-framework-and-no-node',
      comment: 'Lookups, salts and time arrive as arguments, so that a rebuild computes the same.',
      severity: 'error',
      from: { path: PURE, pathNot: SPEC },
      to: {
        path: [
          'node_modules/(@nestjs|typeorm|pg|ioredis|pino|prom-client|fastify|lmdb)/',
          '^(node:)?(fs|net|http|os|path|crypto|child_process|worker_threads|process|timers|stream|zlib|url|util|buffer|perf_hooks)(/|$)',
        ],
      },
    },
    {
      name: 'no-test-code-in-the-product',
      severity: 'error',
      from: { path: '^src/', pathNot: SPEC },
      to: { path: `^(test|bench)/|${SPEC}` },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js'],
    },
    builtInModules: { override: require('node:module').builtinModules },
  },
};
