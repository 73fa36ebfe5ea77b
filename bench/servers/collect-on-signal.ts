// Loaded before the product by a benchmark of memory: SIGUSR2 collects all garbage, so that what is
// resident afterwards is in use.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
process.on('SIGUSR2', () => collect());
