// Everything that decides what the log comes to mean: how events are interpreted and which projections
// there are. Its number is raised with every change of meaning, and each version of the read models
// remembers by which definition it was built and is fed. So a version that still serves goes on as it
// began while the next is built by the next definition.
import type { Interpret } from './interpret/interpret.js';
import type { DeclaredProjection, Projection } from './projection.js';

export interface Definition {
  readonly number: number;
  readonly createInterpreter: () => Interpret;
  /** Folded together: one read of the log, one sessionizer, one transaction, one version. */
  readonly projections: readonly DeclaredProjection[];
}

export const projectionsOf = (
  { projections }: Pick<Definition, 'projections'>,
  version: number,
): readonly Projection[] => projections.map((declared) => ({ ...declared, version }));
