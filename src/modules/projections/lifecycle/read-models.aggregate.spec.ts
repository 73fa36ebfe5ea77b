import type { ReadModelsEvent, RebuildScope } from '../../../events/read-models.events.js';
import {
  controlRebuild,
  type Decision,
  evolveReadModels,
  failRebuild,
  NO_READ_MODELS,
  promoteVersion,
  type ReadModels,
  type RebuildControl,
  requestRebuild,
  retireVersion,
  rollBack,
  servingFor,
} from './read-models.aggregate.js';

const RECORDED_AT = new Date('2026-11-21T10:00:00Z');
const EVERYTHING = { sites: null, from: null, to: null };

function after(...events: readonly ReadModelsEvent[]): ReadModels {
  return events.reduce((state, event, revision) => {
    const recorded = { ...event, revision, stream: 'read-models', position: '', recordedAt: RECORDED_AT };
    return evolveReadModels(state, { ...recorded, metadata: { by: 'k1' } });
  }, NO_READ_MODELS);
}

const FOUNDED: ReadModelsEvent = {
  type: 'ReadModelsFounded',
  data: { version: 1, definition: 1, fingerprint: 'f' },
};
const requested = (version: number, scope: RebuildScope = EVERYTHING, basis = 1): ReadModelsEvent => ({
  type: 'RebuildRequested',
  data: {
    ...{ rebuild: `r${version}`, projection: 'sessions', version, definition: 1, fingerprint: 'f' },
    ...{ scope, basis, source: 'log' },
  },
});
const said = (type: string, version: number) =>
  ({ type, data: { rebuild: `r${version}` } }) as ReadModelsEvent;
const built = (version: number, scope: RebuildScope = EVERYTHING, basis = 1) => [
  requested(version, scope, basis),
  said('RebuildStarted', version),
  said('RebuildCaughtUp', version),
];
const promoted = (version: number, previous: number): ReadModelsEvent => ({
  type: 'VersionPromoted',
  data: { version, previous, forced: false },
});

const request = (state: ReadModels, version?: number, scope: RebuildScope = EVERYTHING): Decision =>
  requestRebuild(state, {
    ...{ rebuild: 'new', projection: 'sessions', definition: 1, fingerprint: 'f', version },
    ...{ scope, source: 'log' },
  });
const control = (state: ReadModels, version: number, what: RebuildControl): Decision =>
  controlRebuild(state, state.rebuilds.get(`r${version}`)!, what);
const REFUSED = { refused: expect.any(String) };
const states = (state: ReadModels) => [...state.versions.values()].map((version) => version.state);

describe('a rebuild', () => {
  it('gets the next free number, or a higher one that was asked for', () => {
    const state = after(FOUNDED, ...built(2));
    expect(request(state)).toMatchObject({ event: { data: { version: 3 } } });
    expect(request(state, 7)).toMatchObject({ event: { data: { version: 7 } } });
    expect(request(state, 2)).toEqual(REFUSED);
  });

  it('never gets the number of a version that is gone', () => {
    const state = after(FOUNDED, ...built(2), { type: 'VersionRetired', data: { version: 2 } });
    expect(request(state)).toMatchObject({ event: { data: { version: 3 } } });
  });

  it.each(['requested', 'running', 'paused'] as const)('is refused while another is %s', (state) => {
    const more = { requested: [], running: ['RebuildStarted'], paused: ['RebuildPaused'] }[state];
    expect(request(after(FOUNDED, requested(2), ...more.map((type) => said(type, 2))))).toEqual(REFUSED);
  });

  it('is not held up by one that failed, which then cannot go on beside it', () => {
    const failed = after(FOUNDED, requested(2), {
      type: 'RebuildFailed',
      data: { rebuild: 'r2', error: 'an event' },
    });
    expect(states(failed)).toEqual(['serving', 'failed']);
    expect(request(failed)).toMatchObject({ event: { data: { version: 3 } } });
    expect(control(failed, 2, 'resume')).toMatchObject({ event: { type: 'RebuildResumed' } });
    const other = evolveReadModels(failed, { ...requested(3), recordedAt: RECORDED_AT } as never);
    expect(control(other, 2, 'resume')).toEqual(REFUSED);
  });

  it('catches up only while it runs, and fails only while it is under way', () => {
    expect(control(after(FOUNDED, requested(2)), 2, 'finish')).toEqual(REFUSED);
    expect(control(after(FOUNDED, requested(2), said('RebuildStarted', 2)), 2, 'finish')).toMatchObject({
      event: { type: 'RebuildCaughtUp' },
    });
    const caughtUp = after(FOUNDED, ...built(2));
    expect(failRebuild(caughtUp.rebuilds.get('r2')!, 'late')).toEqual(REFUSED);
  });

  it('cannot be cancelled once its version serves', () => {
    const state = after(FOUNDED, ...built(2), promoted(2, 1));
    expect(control(state, 2, 'cancel')).toEqual(REFUSED);
  });
});

describe('a version', () => {
  it('serves after it was promoted, and the one before is kept', () => {
    const state = after(FOUNDED, ...built(2), promoted(2, 1));
    expect(state.serving).toEqual([2]);
    expect(states(state)).toEqual(['caught_up', 'serving']);
    expect(state.rebuilds.get('r2')!.state).toBe('promoted');
  });

  it('is promoted before it has caught up only by force', () => {
    const state = after(FOUNDED, requested(2), said('RebuildStarted', 2));
    expect(promoteVersion(state, { version: 2, force: false })).toEqual(REFUSED);
    expect(promoteVersion(state, { version: 2, force: true })).toMatchObject({
      event: { data: { version: 2, previous: 1, forced: true } },
    });
  });

  it('that failed is not promoted, not even by force', () => {
    const state = after(FOUNDED, requested(2), {
      type: 'RebuildFailed',
      data: { rebuild: 'r2', error: 'an event' },
    });
    expect(promoteVersion(state, { version: 2, force: true })).toEqual(REFUSED);
  });

  it('that serves or is gone is not promoted', () => {
    const state = after(FOUNDED, ...built(2), said('RebuildCancelled', 2));
    expect(promoteVersion(state, { version: 1, force: true })).toEqual(REFUSED);
    expect(promoteVersion(state, { version: 2, force: true })).toEqual(REFUSED);
    expect(promoteVersion(state, { version: 9, force: true })).toEqual(REFUSED);
  });

  it('gives way to the one before it, as long as that is kept', () => {
    const twice = after(FOUNDED, ...built(2), promoted(2, 1), ...built(3), promoted(3, 2));
    expect(rollBack(twice)).toMatchObject({ event: { data: { version: 2, previous: 3 } } });
    const without2 = evolveReadModels(twice, { type: 'VersionRetired', data: { version: 2 } } as never);
    expect(rollBack(without2)).toMatchObject({ event: { data: { version: 1 } } });
    expect(rollBack(after(FOUNDED))).toEqual(REFUSED);
  });

  it('can be rolled back to once, not to and fro', () => {
    const back = after(FOUNDED, ...built(2), promoted(2, 1), {
      type: 'VersionRolledBack',
      data: { version: 1, previous: 2 },
    });
    expect(back.serving).toEqual([1]);
    expect(states(back)).toEqual(['serving', 'caught_up']);
    expect(rollBack(back)).toEqual(REFUSED);
    expect(promoteVersion(back, { version: 2, force: false })).toMatchObject({ event: {} });
  });

  it('is retired only when it neither serves nor is being built', () => {
    const state = after(FOUNDED, ...built(2), requested(3));
    expect(retireVersion(state, 1)).toEqual(REFUSED);
    expect(retireVersion(state, 3)).toEqual(REFUSED);
    expect(retireVersion(state, 2)).toMatchObject({ event: { type: 'VersionRetired' } });
  });
});

describe('a version of some sites', () => {
  const only = (...sites: string[]): RebuildScope => ({ ...EVERYTHING, sites });
  const oneWeek = (...sites: string[]): RebuildScope => ({ sites, from: '2026-11-02', to: '2026-11-08' });
  const rolledBack = (version: number, previous: number): ReadModelsEvent => ({
    type: 'VersionRolledBack',
    data: { version, previous },
  });
  const answering = (state: ReadModels) => ['a', 'b', 'c'].map((site) => servingFor(state, site));
  const twoLayers = [FOUNDED, ...built(2, only('a')), promoted(2, 1)];

  it('answers for them, and the one before for all others', () => {
    const state = after(...twoLayers);
    expect(answering(state)).toEqual([2, 1, 1]);
    expect(states(state)).toEqual(['serving', 'serving']);
    expect(retireVersion(state, 1)).toEqual(REFUSED);
    expect(control(state, 2, 'cancel')).toEqual(REFUSED);
  });

  it('lies upon others, and is taken off them', () => {
    const three = [...twoLayers, ...built(3, only('a', 'b')), promoted(3, 2)];
    expect(answering(after(...three))).toEqual([3, 3, 1]);
    expect(rollBack(after(...three))).toMatchObject({ event: { data: { version: 2, previous: 3 } } });
    expect(answering(after(...three, rolledBack(2, 3)))).toEqual([2, 1, 1]);
    expect(answering(after(...three, rolledBack(2, 3), rolledBack(1, 2)))).toEqual([1, 1, 1]);
  });

  it('gives way to one of all sites, and is rolled back to only with what lay under it', () => {
    const whole = [...twoLayers, ...built(3), promoted(3, 2)];
    expect(answering(after(...whole))).toEqual([3, 3, 3]);
    expect(answering(after(...whole, rolledBack(2, 3)))).toEqual([2, 1, 1]);
    const retired = [...whole, { type: 'VersionRetired', data: { version: 1 } } as const];
    expect(rollBack(after(...retired))).toEqual(REFUSED);
    expect(answering(after(...retired, promoted(2, 3)))).toEqual([2, 3, 3]);
  });

  it('is left for the version under it by promoting that', () => {
    expect(promoteVersion(after(...twoLayers), { version: 2, force: true })).toEqual(REFUSED);
    expect(promoteVersion(after(...twoLayers), { version: 1, force: false })).toMatchObject({ event: {} });
    expect(answering(after(...twoLayers, promoted(1, 2)))).toEqual([1, 1, 1]);
  });

  it('takes other days from the one version that answers for the sites', () => {
    const state = after(...twoLayers);
    const basis = (...sites: string[]) => request(state, undefined, oneWeek(...sites));
    expect(basis('a')).toMatchObject({ event: { data: { basis: 2 } } });
    expect(basis('b', 'c')).toMatchObject({ event: { data: { basis: 1 } } });
    expect(basis('a', 'b')).toEqual(REFUSED);
    expect(request(state, undefined, { sites: null, from: '2026-11-02', to: null })).toEqual(REFUSED);
    expect(request(state, undefined, only('a', 'b'))).toMatchObject({ event: { data: { basis: 1 } } });
  });

  it('is not promoted once another answers for the days it took over', () => {
    const built3 = built(3, oneWeek('a'), 1);
    const promote3 = (...events: readonly ReadModelsEvent[]) =>
      promoteVersion(after(...events), { version: 3, force: true });
    expect(promote3(FOUNDED, ...built3)).toMatchObject({ event: {} });
    expect(promote3(FOUNDED, ...built3, ...built(4, only('b')), promoted(4, 1))).toMatchObject({ event: {} });
    expect(promote3(FOUNDED, ...built3, ...built(4, only('a')), promoted(4, 1))).toEqual(REFUSED);
    expect(promote3(FOUNDED, ...built3, ...built(4), promoted(4, 1))).toEqual(REFUSED);
  });
});
