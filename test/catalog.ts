// The newest definition: its projections as version 1, which an installation begins with, and its interpreter.
import { DEFINITIONS } from '../src/modules/projections/catalog/catalog.js';
import { projectionsOf } from '../src/modules/projections/definition.js';

const newest = DEFINITIONS.at(-1)!;

export const CATALOG = projectionsOf(newest, 1);
export const { createInterpreter } = newest;
