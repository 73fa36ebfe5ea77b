import { Problem } from '../../../http/problem.js';
import { traffic } from '../catalog/traffic.projection.js';
import { waiting } from '../catalog/waiting.projection.js';
import type { Definition } from '../definition.js';
import { NO_READ_MODELS, type ReadModels, type VersionState } from '../lifecycle/read-models.aggregate.js';
import { comparedVersions } from './compared-versions.js';

const definition = (number: number, projections: Definition['projections']): Definition => ({
  number,
  createInterpreter: () => () => {
    throw new Error('Nothing is interpreted here');
  },
  projections,
});
const DEFINITIONS = [
  definition(1, [traffic]),
  definition(2, [traffic, waiting]),
  definition(3, [{ ...traffic, primaryKey: ['site', 'hour'] }]),
];

/** In the order of their numbers, each by definition 1 unless said otherwise. */
function versions(...states: readonly (VersionState | readonly [VersionState, number])[]): ReadModels {
  const all = states.map((given, index) => {
    const [state, made] = typeof given === 'string' ? [given, 1] : given;
    const rebuild = index === 0 ? null : `r${index + 1}`;
    return { version: index + 1, definition: made, state, rebuild, sites: null };
  });
  return {
    ...NO_READ_MODELS,
    versions: new Map(all.map((version) => [version.version, version])),
    serving: [all.find(({ state }) => state === 'serving')!.version],
  };
}

const choose = (state: ReadModels, a?: number, b?: number, name = 'traffic') => {
  const { a: first, b: second } = comparedVersions(state, DEFINITIONS, { name, a, b });
  return [first, second];
};

function refusal(state: ReadModels, a?: number, b?: number, name?: string): readonly [number, string] {
  try {
    choose(state, a, b, name);
  } catch (error) {
    if (error instanceof Problem) return [error.options.status, error.message];
    throw error;
  }
  throw new Error('It was not refused');
}

it('takes what is named, either way round', () => {
  const state = versions('caught_up', 'serving', 'caught_up');
  expect(choose(state, 3, 1)).toEqual([3, 1]);
  expect(choose(state, 1)).toEqual([1, 3]);
  expect(choose(state, undefined, 1)).toEqual([2, 1]);
});

it('takes the serving one and the newest other one that is kept', () => {
  expect(choose(versions('caught_up', 'serving', 'caught_up', 'retired'))).toEqual([2, 3]);
  expect(choose(versions('caught_up', 'retired', 'serving'))).toEqual([3, 1]);
});

it('refuses a version with itself', () => {
  expect(refusal(versions('serving', 'caught_up'), 2, 2)[0]).toBe(400);
  expect(refusal(versions('serving', 'caught_up'), undefined, 1)[0]).toBe(400);
});

it('knows nothing of what is not there', () => {
  const state = versions('serving', 'retired', ['caught_up', 2]);
  expect(refusal(state, 1, 2)).toEqual([404, 'There is no version 2 of traffic.']);
  expect(refusal(state, 7)).toEqual([404, 'There is no version 7 of traffic.']);
  expect(refusal(state, 1, 3, 'waiting')).toEqual([404, 'There is no version 1 of waiting.']);
  expect(refusal(versions('serving'))[0]).toBe(404);
});

it('refuses what is not complete, and says what to do', () => {
  expect(refusal(versions('serving', 'building'))).toEqual([
    409,
    'Version 2 is being built: compare it when it has caught up.',
  ]);
  expect(refusal(versions('serving', 'failed'))).toEqual([
    409,
    'Version 2 is not complete, as its rebuild r2 failed: resume it, or cancel it and begin another.',
  ]);
});

it('refuses what cannot be compared', () => {
  expect(refusal(versions('serving', ['caught_up', 9]))).toEqual([
    409,
    'Version 2 was made by definition 9, which this release does not have: compare with a release that has it.',
  ]);
  expect(refusal(versions('serving', ['caught_up', 3]))).toEqual([
    409,
    'Versions 1 and 2 of traffic have different keys: no row is in both.',
  ]);
});

describe('of versions that hold some sites only', () => {
  const holding = (...versions: readonly (readonly string[] | null)[]): ReadModels => ({
    ...NO_READ_MODELS,
    versions: new Map(
      versions.map((sites, index) => {
        const made = { definition: 1, state: 'caught_up' as const, rebuild: null };
        return [index + 1, { version: index + 1, ...made, sites }];
      }),
    ),
    serving: [2, 1],
  });
  const compared = (state: ReadModels, a?: number, b?: number) => {
    const {
      comparison: _,
      name: __,
      ...chosen
    } = comparedVersions(state, DEFINITIONS, { name: 'traffic', a, b });
    return chosen;
  };

  it('compares the sites that both hold', () => {
    const state = holding(null, ['x', 'y'], ['y', 'z']);
    expect(compared(state, 1, 2)).toEqual({ a: 1, b: 2, sites: ['x', 'y'] });
    expect(compared(state, 3, 2)).toEqual({ a: 3, b: 2, sites: ['y'] });
    expect(refusal(holding(null, ['x'], ['y']), 2, 3)[0]).toBe(409);
  });

  it('takes what answers for the sites of the newest one', () => {
    expect(compared(holding(null, ['x'], ['x']))).toEqual({ a: 2, b: 3, sites: ['x'] });
    expect(compared(holding(null, ['x'], ['y']))).toEqual({ a: 1, b: 3, sites: ['y'] });
    expect(compared(holding(null, ['x'], null))).toEqual({ a: 1, b: 3, sites: null });
    expect(compared(holding(null, ['x']))).toEqual({ a: 2, b: 1, sites: ['x'] });
  });
});
