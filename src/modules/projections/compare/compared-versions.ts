// Which two versions of a projection are compared, and whether they can be. Pure.
import { Problem } from '../../../http/problem.js';
import type { Definition } from '../definition.js';
import { type ReadModels, servingForAll, type Version } from '../lifecycle/read-models.aggregate.js';
import { type Comparison, comparisonOf } from './comparison.js';

export interface Wanted {
  /** Of a projection that there is. */
  readonly name: string;
  /** Absent: the version that answers for the sites of the other. */
  readonly a: number | undefined;
  /** Absent: the newest of the others. */
  readonly b: number | undefined;
}

export interface ComparedVersions {
  readonly name: string;
  readonly a: number;
  readonly b: number;
  /** Those that both versions hold; null: all. */
  readonly sites: readonly string[] | null;
  readonly comparison: Comparison;
}

/** @throws Problem saying which of them is not there, or not complete */
export function comparedVersions(
  state: ReadModels,
  definitions: readonly Definition[],
  { name, ...wanted }: Wanted,
): ComparedVersions {
  const kept = [...state.versions.values()].filter((version) => version.state !== 'retired');
  const [top] = state.serving;
  const b = wanted.b ?? kept.findLast(({ version }) => version !== (wanted.a ?? top))?.version;
  const a = wanted.a ?? answeringInstead(state, b);
  if (a === undefined || b === undefined) {
    throw Problem.notFound('There is no version to compare with: rebuild the projection first.');
  }
  if (a === b) {
    throw Problem.badRequest('Name two different versions; a is by default the one that serves.', [
      { path: 'b', message: `is version ${b}, as a is` },
    ]);
  }
  const declaredBy = (number: number) => {
    const version = kept.find((one) => one.version === number);
    if (version === undefined) throw Problem.notFound(`There is no version ${number} of ${name}.`);
    requireComplete(version);
    return declarationOf(version, definitions, name);
  };
  const comparison = comparisonOf(declaredBy(a), declaredBy(b));
  if (comparison === null) {
    throw Problem.conflict(`Versions ${a} and ${b} of ${name} have different keys: no row is in both.`);
  }
  const [sitesOfA, sitesOfB] = [a, b].map((number) => state.versions.get(number)!.sites);
  const sites = inBoth(sitesOfA!, sitesOfB!);
  if (sites?.length === 0) throw Problem.conflict(`Versions ${a} and ${b} hold different sites.`);
  return { name, a, b, sites, comparison };
}

/** What answers now for the sites of a version that does not, or else what answers first. */
function answeringInstead(state: ReadModels, version: number | undefined): number | undefined {
  const sites = version === undefined ? undefined : state.versions.get(version)?.sites;
  const answering = sites ? servingForAll(state, sites) : state.serving.at(-1);
  return answering === undefined || answering === version ? state.serving[0] : answering;
}

function inBoth(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  if (a === null || b === null) return a ?? b;
  return a.filter((site) => b.includes(site));
}

/** What is not complete differs nearly everywhere, and says nothing. */
function requireComplete({ version, state, rebuild }: Version): void {
  if (state === 'building') {
    throw Problem.conflict(`Version ${version} is being built: compare it when it has caught up.`);
  }
  if (state === 'failed') {
    throw Problem.conflict(
      `Version ${version} is not complete, as its rebuild ${rebuild} failed: resume it, or cancel it and begin another.`,
    );
  }
}

function declarationOf({ version, definition }: Version, definitions: readonly Definition[], name: string) {
  const projections = definitions.find(({ number }) => number === definition)?.projections;
  if (projections === undefined) {
    throw Problem.conflict(
      `Version ${version} was made by definition ${definition}, which this release does not have: compare with a release that has it.`,
    );
  }
  const declared = projections.find((one) => one.name === name);
  if (declared === undefined) throw Problem.notFound(`There is no version ${version} of ${name}.`);
  return declared;
}
