// Which versions of the read models a projector keeps current: all that are being built or kept, and
// whose definition is in this program.
import type { RebuildScope, RebuildSource } from '../../events/read-models.events.js';
import type { Definition } from './definition.js';
import type { ReadModels, Rebuild, Version } from './lifecycle/read-models.aggregate.js';

export interface FedVersion {
  readonly version: number;
  readonly definition: Definition;
  /** It has to be built from this before it can be projected as ever; null: it began with the installation. */
  readonly source: RebuildSource | null;
  /** What of the log goes into it, and from which version comes what is copied; null: all of the log, and nothing. */
  readonly scope: (RebuildScope & { readonly basis: number }) | null;
}

export interface FedVersions {
  readonly fed: readonly FedVersion[];
  /** Kept, but made by a definition that this program does not have: they stand still. */
  readonly unknown: readonly Version[];
}

export function fedVersions(
  { versions, rebuilds }: ReadModels,
  definitions: readonly Definition[],
): FedVersions {
  const fed: FedVersion[] = [];
  const unknown: Version[] = [];
  for (const kept of versions.values()) {
    if (kept.state === 'retired' || kept.state === 'failed') continue;
    const rebuild = kept.rebuild === null ? undefined : rebuilds.get(kept.rebuild);
    if (rebuild?.state === 'paused') continue;
    const definition = definitions.find(({ number }) => number === kept.definition);
    if (definition === undefined) unknown.push(kept);
    else {
      const { version } = kept;
      fed.push({ version, definition, source: rebuild?.source ?? null, scope: partialScope(rebuild) });
    }
  }
  return { fed, unknown };
}

function partialScope(rebuild: Rebuild | undefined): FedVersion['scope'] {
  if (rebuild === undefined) return null;
  const { scope, basis } = rebuild;
  return scope.sites === null && scope.from === null && scope.to === null ? null : { ...scope, basis };
}
