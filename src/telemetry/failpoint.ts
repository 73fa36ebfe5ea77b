// Named places where a crash test kills this process, as `kill -9` would: between the steps whose
// order carries a guarantee. Armed only by the FAILPOINT setting, and one comparison otherwise.
import type { FAILPOINTS } from '../config/failpoints.js';

export type Failpoint = (typeof FAILPOINTS)[number];

let armed: Failpoint | null = null;
let passesLeft = 0;

/** @param passes how often the point is passed unharmed first */
export function armFailpoint(name: Failpoint, passes: number): void {
  armed = name;
  passesLeft = passes;
}

export function failpoint(name: Failpoint): void {
  if (armed !== name) return;
  if (passesLeft-- <= 0) process.kill(process.pid, 'SIGKILL');
}
