// The versions of the read models and their rebuilds: what the stream folds to, and which events a
// command on it leads to. Pure.
import type { RecordedEvent } from '../../../event-store/event-store.js';
import type { ReadModelsEvent, RebuildScope, RebuildSource } from '../../../events/read-models.events.js';

export const READ_MODELS_STREAM = 'read-models';

/** `building`: not complete yet. `caught_up`: as good as the serving one, and fed as that is. */
export type VersionState = 'building' | 'caught_up' | 'serving' | 'retired' | 'failed';

export interface Version {
  readonly version: number;
  /** By which it was built and is fed. */
  readonly definition: number;
  readonly state: VersionState;
  /** The rebuild that made it; null for the first. */
  readonly rebuild: string | null;
  /** The sites whose rows it holds; null: all. */
  readonly sites: readonly string[] | null;
}

export type RebuildState =
  'requested' | 'running' | 'paused' | 'caught_up' | 'promoted' | 'cancelled' | 'failed';

export interface Rebuild {
  readonly id: string;
  readonly projection: string;
  readonly version: number;
  readonly definition: number;
  readonly fingerprint: string;
  readonly scope: RebuildScope;
  /** The version that held the rows of the scope when it was asked for: what is out of a range of days is copied from it. */
  readonly basis: number;
  readonly source: RebuildSource;
  readonly state: RebuildState;
  /** Why it failed. */
  readonly error: string | null;
  readonly requestedAt: Date;
  readonly requestedBy: string;
}

export interface ReadModels {
  /** By number; retired ones stay, so that no number is used twice. */
  readonly versions: ReadonlyMap<number, Version>;
  readonly rebuilds: ReadonlyMap<string, Rebuild>;
  /**
   * Those that answer, uppermost first: the first that holds a site answers for it. All but the last hold some
   * sites only. Empty before the installation was founded.
   */
  readonly serving: readonly number[];
  /** What answered before, oldest first; may be retired by now. */
  readonly servedBefore: readonly (readonly number[])[];
}

export const NO_READ_MODELS: ReadModels = {
  versions: new Map(),
  rebuilds: new Map(),
  serving: [],
  servedBefore: [],
};

/** Between `requested` and an end: then no other may begin. */
const UNDER_WAY: ReadonlySet<RebuildState> = new Set(['requested', 'running', 'paused']);

export const rebuildUnderWay = ({ rebuilds }: ReadModels): Rebuild | undefined =>
  [...rebuilds.values()].find(({ state }) => UNDER_WAY.has(state));

export const nextVersion = ({ versions }: ReadModels): number => Math.max(0, ...versions.keys()) + 1;

/** What to return to: the last versions that answered together and are all kept. */
export const rollbackTarget = ({ versions, servedBefore }: ReadModels): readonly number[] | undefined =>
  servedBefore.findLast((layers) => layers.every((version) => isComplete(versions.get(version))));

const isComplete = (version: Version | undefined): boolean =>
  version?.state === 'caught_up' || version?.state === 'serving';

const holds = ({ sites }: Version, site: string): boolean => sites === null || sites.includes(site);

/** The version that answers for a site; undefined before the installation was founded. */
export const servingFor = ({ versions, serving }: ReadModels, site: string): number | undefined =>
  serving.find((version) => holds(versions.get(version)!, site));

/** The version that answers for all of these sites, or for every site; undefined where it is not one alone. */
export function servingForAll(state: ReadModels, sites: readonly string[] | null): number | undefined {
  const [top] = state.serving;
  if (sites === null) return state.serving.length === 1 ? top : undefined;
  const [first, ...others] = new Set(sites.map((site) => servingFor(state, site)));
  return others.length === 0 ? first : undefined;
}

export function evolveReadModels(state: ReadModels, recorded: RecordedEvent): ReadModels {
  const event = recorded as unknown as RecordedEvent & ReadModelsEvent;
  switch (event.type) {
    case 'ReadModelsFounded': {
      const { version, definition } = event.data;
      const founded: Version = { version, definition, state: 'serving', rebuild: null, sites: null };
      return { ...state, versions: new Map([[version, founded]]), serving: [version] };
    }
    case 'RebuildRequested': {
      const { rebuild: id, version, definition, ...asked } = event.data;
      const rebuild: Rebuild = {
        ...{ id, version, definition, ...asked },
        state: 'requested',
        error: null,
        requestedAt: event.recordedAt,
        requestedBy: String(event.metadata?.['by'] ?? 'unknown'),
      };
      const { sites } = asked.scope;
      const building: Version = { version, definition, state: 'building', rebuild: id, sites };
      return {
        ...state,
        versions: new Map(state.versions).set(version, building),
        rebuilds: new Map(state.rebuilds).set(id, rebuild),
      };
    }
    case 'RebuildStarted':
      return changed(state, event.data.rebuild, { state: 'running' });
    case 'RebuildPaused':
      return changed(state, event.data.rebuild, { state: 'paused' });
    case 'RebuildResumed':
      return changed(state, event.data.rebuild, { state: 'running', error: null });
    case 'RebuildCancelled':
      return changed(state, event.data.rebuild, { state: 'cancelled' });
    case 'RebuildFailed':
      return changed(state, event.data.rebuild, { state: 'failed', error: event.data.error });
    case 'RebuildCaughtUp':
      return changed(state, event.data.rebuild, { state: 'caught_up' });
    case 'VersionPromoted': {
      const { version } = event.data;
      const rebuild = state.versions.get(version)?.rebuild;
      const promoted = rebuild ? changed(state, rebuild, { state: 'promoted' }) : state;
      return serving(promoted, layersWith(state, version), [...state.servedBefore, state.serving]);
    }
    case 'VersionRolledBack': {
      const { version } = event.data;
      const layers = rollbackTarget(state) ?? [version];
      return serving(state, layers, state.servedBefore.slice(0, state.servedBefore.lastIndexOf(layers)));
    }
    case 'VersionRetired':
      return inState(state, event.data.version, 'retired');
    default:
      return state;
  }
}

function inState(state: ReadModels, version: number, to: VersionState): ReadModels {
  const known = state.versions.get(version);
  if (known === undefined) return state;
  return { ...state, versions: new Map(state.versions).set(version, { ...known, state: to }) };
}

function changed(state: ReadModels, id: string, change: Partial<Rebuild>): ReadModels {
  const known = state.rebuilds.get(id);
  if (known === undefined) return state;
  const rebuilds = new Map(state.rebuilds).set(id, { ...known, ...change });
  const next = { ...state, rebuilds };
  const versionState = change.state && VERSION_AFTER[change.state];
  return versionState === undefined ? next : inState(next, known.version, versionState);
}

/** What becomes of a version with its rebuild, where it changes. */
const VERSION_AFTER: Partial<Record<RebuildState, VersionState>> = {
  running: 'building',
  cancelled: 'retired',
  failed: 'failed',
  caught_up: 'caught_up',
};

/** One that holds all sites answers alone; another lies upon those that answer now. */
function layersWith({ versions, serving }: ReadModels, version: number): readonly number[] {
  if (versions.get(version)?.sites === null) return [version];
  const at = serving.indexOf(version);
  return at < 0 ? [version, ...serving] : serving.slice(at);
}

function serving(
  state: ReadModels,
  layers: readonly number[],
  servedBefore: readonly (readonly number[])[],
): ReadModels {
  const before = state.serving.reduce((all, version) => inState(all, version, 'caught_up'), state);
  const after = layers.reduce((all, version) => inState(all, version, 'serving'), before);
  return { ...after, serving: layers, servedBefore };
}

// --- Decisions: the events of a command, or why it cannot be.

/** The event is null where all is as decided already. */
export type Decision = { readonly event: ReadModelsEvent | null } | { readonly refused: string };

export interface RebuildRequest {
  readonly rebuild: string;
  readonly projection: string;
  readonly definition: number;
  readonly fingerprint: string;
  readonly version: number | undefined;
  readonly scope: RebuildScope;
  readonly source: RebuildSource;
}

export function requestRebuild(state: ReadModels, { version, ...request }: RebuildRequest): Decision {
  // Stored when the same request was sent before.
  if (state.rebuilds.has(request.rebuild)) return { event: null };
  const running = rebuildUnderWay(state);
  if (running !== undefined) {
    return refused(
      `Rebuild ${running.id} of version ${running.version} is ${running.state}: ${waysOut(running)}.`,
    );
  }
  const next = nextVersion(state);
  if (version !== undefined && version < next) {
    return refused(`Version ${version} is there already: the next free number is ${next}.`);
  }
  const basis =
    request.scope.from === null && request.scope.to === null
      ? state.serving.at(-1)
      : servingForAll(state, request.scope.sites);
  if (basis === undefined) {
    return refused(
      `Versions ${state.serving.join(' and ')} answer for these sites: name sites of one of them in each rebuild.`,
    );
  }
  return { event: { type: 'RebuildRequested', data: { ...request, basis, version: version ?? next } } };
}

const CONTROLS = {
  start: { type: 'RebuildStarted', from: ['requested'] },
  pause: { type: 'RebuildPaused', from: ['requested', 'running'] },
  resume: { type: 'RebuildResumed', from: ['paused', 'failed'] },
  cancel: { type: 'RebuildCancelled', from: ['requested', 'running', 'paused', 'caught_up', 'failed'] },
  finish: { type: 'RebuildCaughtUp', from: ['running'] },
} as const satisfies Record<string, { type: ReadModelsEvent['type']; from: readonly RebuildState[] }>;

export type RebuildControl = keyof typeof CONTROLS;

export function controlRebuild(state: ReadModels, rebuild: Rebuild, control: RebuildControl): Decision {
  const { type, from } = CONTROLS[control];
  if (!(from as readonly RebuildState[]).includes(rebuild.state)) {
    return refused(`Rebuild ${rebuild.id} is ${rebuild.state}: it cannot ${control} now.`);
  }
  if (state.serving.includes(rebuild.version)) {
    return refused(`Version ${rebuild.version} serves: roll back or promote another one first.`);
  }
  const other = rebuildUnderWay(state);
  if (control === 'resume' && other !== undefined && other.id !== rebuild.id) {
    return refused(`Rebuild ${other.id} is ${other.state}: ${waysOut(other)}.`);
  }
  return { event: { type, data: { rebuild: rebuild.id } } };
}

export function failRebuild(rebuild: Rebuild, error: string): Decision {
  if (!UNDER_WAY.has(rebuild.state)) return refused(`Rebuild ${rebuild.id} is ${rebuild.state}.`);
  return { event: { type: 'RebuildFailed', data: { rebuild: rebuild.id, error } } };
}

export function promoteVersion(
  state: ReadModels,
  { version, force }: { readonly version: number; readonly force: boolean },
): Decision {
  const candidate = state.versions.get(version);
  const [previous] = state.serving;
  if (candidate === undefined || candidate.state === 'retired' || previous === undefined) {
    return refused(`There is no version ${version}.`);
  }
  if (version === previous) return refused(`Version ${version} serves already.`);
  if (candidate.state === 'failed') return refused(`Version ${version} failed: resume its rebuild first.`);
  if (candidate.state === 'building' && !force) {
    return refused(`Version ${version} is building, not caught up. Wait, or send "force": true.`);
  }
  const outdated = outdatedBasis(state, candidate);
  if (outdated !== null) return refused(outdated);
  return {
    event: { type: 'VersionPromoted', data: { version, previous, forced: candidate.state === 'building' } },
  };
}

/** What a rebuild of some days copied must be what answers now, or promoting it would undo what came between. */
function outdatedBasis(state: ReadModels, { version, rebuild, sites }: Version): string | null {
  const made = rebuild === null ? undefined : state.rebuilds.get(rebuild);
  if (made === undefined || (made.scope.from === null && made.scope.to === null)) return null;
  const holder = servingForAll(state, sites);
  if (holder === made.basis || state.serving.includes(version)) return null;
  return (
    `Version ${version} took all other days from version ${made.basis}, which does not answer for its sites ` +
    'any more: roll back to it, or request the rebuild again.'
  );
}

export function rollBack(state: ReadModels): Decision {
  const [version] = rollbackTarget(state) ?? [];
  const [previous] = state.serving;
  if (version === undefined || previous === undefined) {
    return refused('No version that served before is kept.');
  }
  return { event: { type: 'VersionRolledBack', data: { version, previous } } };
}

export function retireVersion({ versions, serving }: ReadModels, version: number): Decision {
  const known = versions.get(version);
  switch (known?.state) {
    case undefined:
    case 'retired':
      return refused(`There is no version ${version}.`);
    case 'serving':
      return refused(
        serving[0] === version
          ? `Version ${version} serves: promote another one first.`
          : `Version ${version} answers for all sites that version ${serving[0]} does not hold: promote one that holds them first.`,
      );
    case 'building':
      return refused(`Version ${version} is being built: cancel its rebuild.`);
    default:
      return { event: { type: 'VersionRetired', data: { version } } };
  }
}

const waysOut = ({ state }: Rebuild): string =>
  state === 'paused' ? 'resume or cancel it' : 'wait or cancel it';

const refused = (reason: string): Decision => ({ refused: reason });
