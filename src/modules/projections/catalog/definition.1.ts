// `sessions` and `waiting` are also what the sessionizer's memory is refilled from.
import type { Definition } from '../definition.js';
import { createInterpreter } from '../interpret/interpret.js';
import { sessions } from './sessions.projection.js';
import { traffic } from './traffic.projection.js';
import { waiting } from './waiting.projection.js';

export const definition1: Definition = {
  number: 1,
  createInterpreter,
  projections: [sessions, waiting, traffic],
};
