// The way in: a process that serves, or one that builds a partition of a rebuild. Each loads only what it
// needs: a builder would spend more than a second on the rest.
import { REBUILD_ARGUMENT } from './modules/projections/rebuild/rebuild-process.js';

const isBuilder = process.argv[2] === REBUILD_ARGUMENT;
void (isBuilder
  ? import('./modules/projections/rebuild/rebuild-program.js').then((program) => program.runRebuildProgram())
  : import('./server.js').then((server) => server.startServer()));
