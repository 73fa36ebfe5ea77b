// `sessions` and `waiting` are also what the sessionizer's memory is refilled from.
import type { Definition } from '../definition.js';
import { createInterpreter } from '../interpret/interpret.js';
import { createOriginInterpreter } from '../interpret/source.1.js';
import { createClientInterpreter } from '../interpret/user-agent.1.js';
import { sessions } from './sessions.projection.js';
import { traffic } from './traffic.projection.js';
import { waiting } from './waiting.projection.js';

export const definition1: Definition = {
  number: 1,
  createInterpreter: () =>
    createInterpreter({ originOf: createOriginInterpreter(), clientOf: createClientInterpreter() }),
  projections: [sessions, waiting, traffic],
};
