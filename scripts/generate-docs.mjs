// Writes the generated files from the built product: `npm run docs:generate`. test/tidy.spec.ts
// fails when a committed file differs from what its source says.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { apiReference } from '../dist/roles/api-reference.js';
import { withVocabularyTables } from '../dist/modules/query/vocabulary/vocabulary-tables.js';
import { configReference, envExample } from '../dist/config/settings-reference.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

mkdirSync('docs/reference', { recursive: true });
writeFileSync('.env.example', envExample());
writeFileSync('docs/reference/config.md', configReference());
writeFileSync('docs/reference/openapi.json', await apiReference(version));
writeFileSync(
  'docs/reference/metrics.md',
  withVocabularyTables(readFileSync('docs/reference/metrics.md', 'utf8')),
);
