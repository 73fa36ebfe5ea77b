// After a Jest run: stops the server of specs that did not, and leaves nothing in the
// temporary directory.
import { removeRun } from './jest-run.js';

export default async function tearDown() {
  await removeRun(process.env.TIDEMARK_JEST_RUN_DIRECTORY);
}
