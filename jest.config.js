// Application code is ESM; under Jest it is transformed to CommonJS, because Jest's ESM
// mode needs a newer Node than the one we promise to run on. Add an ESM-only dependency
// to `transformed` when Jest says "Must use import to load ES Module".
const transformed = [
  '@nestjs',
  'cookie',
  'content-disposition',
  'uid',
  'uuid',
  'hyparquet',
  'hyparquet-writer',
  'jose',
  'mime',
  'glob',
  'temporal-polyfill',
  'temporal-utils',
];

const swc = [
  '@swc/jest',
  {
    module: { type: 'commonjs' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
  },
];

export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testRegex: '\\.spec\\.ts$',
  transform: { '^.+\\.(t|j)s$': swc },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transformIgnorePatterns: [`/node_modules/(?!(${transformed.join('|')})/)`],
  setupFiles: ['<rootDir>/test/servers/jest-console.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/servers/second-try.ts'],
  globalSetup: '<rootDir>/test/servers/jest-setup.js',
  globalTeardown: '<rootDir>/test/servers/jest-teardown.js',
  // Of what hangs; on a machine that does other things too, much takes long.
  testTimeout: 120_000,
  // Suites mostly wait for the servers that they start: as many workers as processors would leave a small machine idle.
  maxWorkers: 3,
};
