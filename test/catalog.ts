// The projections of the newest definition as version 1, which an installation begins with.
import { DEFINITIONS } from '../src/modules/projections/catalog/catalog.js';
import { projectionsOf } from '../src/modules/projections/definition.js';

export const CATALOG = projectionsOf(DEFINITIONS.at(-1)!, 1);
