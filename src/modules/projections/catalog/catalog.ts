// Every projection there is. They are folded together: one read of the log, one sessionizer, one
// transaction. `sessions` and `waiting` are also what the sessionizer's memory is refilled from.
import type { Projection } from '../projection.js';
import { sessions } from './sessions.projection.js';
import { traffic } from './traffic.projection.js';
import { waiting } from './waiting.projection.js';

export const CATALOG: readonly Projection[] = [sessions, waiting, traffic];
