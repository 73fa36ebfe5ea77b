// Since 2: client hints, bots by name and kind, click ids, apps as referrers, more sources, Google's rule for
// the medium `organic`.
import type { Definition } from '../definition.js';
import { createInterpreter } from '../interpret/interpret.js';
import { createOriginInterpreter } from '../interpret/source.js';
import { createClientInterpreter } from '../interpret/user-agent.js';
import { sessions } from './sessions.projection.js';
import { traffic } from './traffic.projection.js';
import { waiting } from './waiting.projection.js';

export const definition2: Definition = {
  number: 2,
  createInterpreter: () =>
    createInterpreter({ originOf: createOriginInterpreter(), clientOf: createClientInterpreter() }),
  projections: [sessions, waiting, traffic],
};
