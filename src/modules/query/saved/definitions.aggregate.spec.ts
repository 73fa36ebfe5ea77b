import type { NewEvent, RecordedEvent } from '../../../event-store/event-store.js';
import type { DefinitionKind } from '../../../events/definition.events.js';
import { Problem, type ProblemOptions } from '../../../http/problem.js';
import { annotations } from './annotations.js';
import type { DefinitionRules } from './definition.js';
import {
  decide,
  type DefinitionsState,
  definitionsStream,
  evolveDefinitions,
  NO_DEFINITIONS,
  type Refusal,
  siteOfDefinitions,
  type Wish,
} from './definitions.aggregate.js';
import { funnelOf, funnels } from './funnels.js';
import { goalOf, goals } from './goals.js';
import { segmentOf, segments } from './segments.js';

const SITE = 's1';
const at = (revision: number) => new Date(Date.UTC(2026, 10, 21, 10, revision));
const recorded = (event: NewEvent, revision: number): RecordedEvent => ({
  ...event,
  stream: definitionsStream(SITE),
  revision,
  position: `${revision}`,
  recordedAt: at(revision),
});

/** A site's definitions, and what is asked of them one after the other. */
class Site {
  state: DefinitionsState = NO_DEFINITIONS;
  #ids = 0;

  record(event: NewEvent): void {
    const revision = this.state.revision === 'none' ? 0 : this.state.revision + 1;
    this.state = evolveDefinitions(this.state, recorded(event, revision));
  }

  /** The event's data, null where there is none to be, or the refusal. */
  ask<Kind extends DefinitionKind>(rules: DefinitionRules<Kind>, wish: Wish): unknown {
    const decision = decide(this.state.definitions, { site: SITE, rules, wish });
    if ('refused' in decision) return decision;
    if (decision.event !== null) this.record(decision.event);
    return decision.event?.data ?? null;
  }

  create<Kind extends DefinitionKind>(rules: DefinitionRules<Kind>, body: object): unknown {
    return this.ask(rules, { wish: 'create', id: `${rules.idPrefix}${++this.#ids}`, body });
  }
}

const changed = (id: string, body: object, expected: number | 'any' = 'any'): Wish => ({
  ...{ wish: 'change', id, body, expected },
});
const deleted = (id: string, expected: number | 'any' = 'any'): Wish => ({ wish: 'delete', id, expected });

function refusal(act: () => unknown): ProblemOptions {
  try {
    act();
  } catch (error) {
    if (error instanceof Problem) return error.options;
    throw error;
  }
  throw new Error('It was not refused.');
}
const refusedPaths = (act: () => unknown) => refusal(act).errors!.map(({ path }) => path);
const conflict = expect.objectContaining({ refused: 'conflict' }) as Refusal;

describe('a goal', () => {
  it.each([
    [{ eventName: 'Signup' }, 'Signup', { kind: 'event', name: 'Signup', props: {} }],
    [{ pagePath: '/blog*' }, 'Visit /blog*', { kind: 'page', page: '/blog*', props: {} }],
    [
      { pagePath: '/blog*', scrollDepth: 50, props: { lang: 'de' } },
      'Scroll 50 on /blog*',
      { kind: 'scroll', page: '/blog*', scrollDepth: 50, props: { lang: 'de' } },
    ],
  ])('%j is named %s unless it is given a name', (body, name, match) => {
    const site = new Site();
    expect(site.create(goals, body)).toEqual({ site: SITE, id: 'g1', ...body, name });
    expect(site.create(goals, { ...body, name: 'Mine' })).toMatchObject({ name: 'Mine' });
    const [first, second] = [...site.state.definitions.Goal.values()].map(goalOf);
    expect(first).toEqual({ id: 'g1', name, match, currency: null });
    expect(second).toEqual({ ...first, id: 'g2', name: 'Mine' });
  });

  it('compares properties as text, and has its currency in capitals', () => {
    const body = { eventName: 'Buy', props: { plan: 'pro', seats: 3, trial: false }, currency: 'eur' };
    expect(new Site().create(goals, body)).toMatchObject({
      props: { plan: 'pro', seats: '3', trial: 'false' },
      currency: 'EUR',
    });
  });

  it.each([
    [{}, ['eventName']],
    [{ name: 'Only a name' }, ['eventName']],
    [{ eventName: 'a', pagePath: '/a' }, ['pagePath']],
    [{ eventName: 'a', scrollDepth: 5 }, ['scrollDepth']],
    [{ pagePath: '/a', currency: 'EUR' }, ['currency']],
    [{ eventName: 'engagement' }, ['eventName']],
    [{ eventName: '' }, ['eventName']],
    [{ eventName: 5 }, ['eventName']],
    [{ pagePath: 'blog' }, ['pagePath']],
    [{ pagePath: '/*a*a*a*a*a*a*a*a*a*a*a' }, ['pagePath']],
    [{ pagePath: '/a', scrollDepth: 101 }, ['scrollDepth']],
    [{ pagePath: '/a', scrollDepth: '50' }, ['scrollDepth']],
    [{ eventName: 'a', currency: 'XXZ' }, ['currency']],
    [{ eventName: 'a', props: ['b'] }, ['props']],
    [{ eventName: 'a', props: { b: { c: 1 } } }, ['props.b']],
    [{ eventName: 'a', props: { b: 'a\0' } }, ['props.b']],
    [{ eventName: 'a', props: { 'b\ud800': 'a' } }, ['props.b\ud800']],
    [{ eventName: 'a', props: Object.fromEntries([...'abcdefghijk'].map((key) => [key, '1'])) }, ['props']],
    [{ eventName: 'a', name: 'b\nc' }, ['name']],
    [{ event_name: 'a' }, ['event_name']],
  ])('%j is refused, by its path', (body, paths) => {
    const site = new Site();
    expect(refusedPaths(() => site.create(goals, body)).slice(0, 1)).toEqual(paths);
    expect(site.state).toBe(NO_DEFINITIONS);
  });

  it('is refused where it is too long', () => {
    const long = (charactersMax: number) => 'x'.repeat(charactersMax + 1);
    const create = (body: object) => refusedPaths(() => new Site().create(goals, body));
    expect(create({ eventName: long(120) })).toEqual(['eventName']);
    expect(create({ pagePath: `/${long(499)}` })).toEqual(['pagePath']);
    expect(create({ eventName: 'a', name: long(520) })).toEqual(['name']);
    expect(create({ eventName: 'a', props: { b: long(2_000) } })).toEqual(['props.b']);
    expect(create({ eventName: 'a', props: { [long(300)]: 'b' } })).toEqual([`props.${long(300)}`]);
  });

  it('changes its name and currency, and takes its default name back', () => {
    const site = new Site();
    site.create(goals, { eventName: 'Signup' });
    expect(site.ask(goals, changed('g1', { name: 'New', currency: 'USD' }))).toEqual({
      ...{ site: SITE, id: 'g1', eventName: 'Signup' },
      ...{ name: 'New', currency: 'USD' },
    });
    expect(site.ask(goals, changed('g1', { name: null, currency: null }))).toEqual({
      ...{ site: SITE, id: 'g1', eventName: 'Signup', name: 'Signup' },
    });
    expect(site.state.definitions.Goal.get('g1')).toMatchObject({ createdAt: at(0), revision: 2 });
  });

  it('goes on matching what it matched', () => {
    const site = new Site();
    site.create(goals, { eventName: 'Signup' });
    expect(refusedPaths(() => site.ask(goals, changed('g1', { eventName: 'Other' })))).toEqual(['eventName']);
  });

  it('of the longest path can be changed like any other', () => {
    const site = new Site();
    site.create(goals, { pagePath: `/${'x'.repeat(499)}`, scrollDepth: 100 });
    expect(site.ask(goals, changed('g1', { name: 'Short' }))).toMatchObject({ name: 'Short' });
    expect(site.ask(goals, changed('g1', { name: null }))).toMatchObject({
      name: expect.stringMatching(/^Scroll 100 on \/x{499}$/) as string,
    });
  });
});

describe('a segment', () => {
  const filters = [
    [
      'or',
      [
        ['is', 'visit:country', ['DE']],
        ['not', ['contains', 'event:page', ['/a']]],
      ],
    ],
  ];

  it('keeps its filters as they were sent', () => {
    const site = new Site();
    expect(site.create(segments, { name: 'DE', filters })).toMatchObject({ filters });
    expect(segmentOf(site.state.definitions.Segment.get('sg1')!)).toEqual({ id: 'sg1', name: 'DE', filters });
  });

  it.each([
    [[], 'filters'],
    [['is'], 'filters[0]'],
    [[['equals', 'visit:country', ['DE']]], 'filters[0][0]'],
    [[['is', 'visit:planet', ['DE']]], 'filters[0][1]'],
    [[['and', [['is', 'visit:country', ['DE\0']]]]], 'filters[0][1][0][2][0]'],
    [[['is', 'visit:country', ['\udfff']]], 'filters[0][2][0]'],
    [[['matches', 'event:page', ['(?=a)']]], 'filters[0][2][0]'],
    [[['not', ['is', 'segment', ['sg1']]]], 'filters[0][1][1]'],
    [5, 'filters'],
  ])('of %j is refused at %s', (wrong, path) => {
    expect(refusedPaths(() => new Site().create(segments, { name: 'n', filters: wrong }))[0]).toBe(path);
  });

  it('of too many filters, or of too deep ones, is refused before they are looked into', () => {
    const deep = Array.from({ length: 60 }).reduce(
      (inner) => ['not', inner],
      ['is', 'visit:country', ['DE']],
    );
    const many = Array.from({ length: 51 }, () => ['is', 'visit:country', ['DE']]);
    for (const wrong of [[deep], many]) {
      const problem = refusal(() => new Site().create(segments, { name: 'n', filters: wrong }));
      expect(problem.status).toBe(422);
    }
  });

  it('is bounded in all', () => {
    const values = Array.from({ length: 100 }, (_, index) => `${index}`.padEnd(330, 'x'));
    const wrong = { name: 'n', filters: [['is', 'event:page', values]] };
    expect(refusedPaths(() => new Site().create(segments, wrong))).toEqual(['']);
  });
});

describe('a funnel', () => {
  const given = () => {
    const site = new Site();
    site.create(goals, { eventName: 'Signup', currency: 'EUR' });
    const steps = [{ pagePath: '/pricing*' }, { goal: 'Signup' }];
    return { site, steps, created: site.create(funnels, { name: 'F', steps, windowSeconds: 3_600 }) };
  };

  it('keeps the goal that a step names, whatever it is called later', () => {
    const { site, created } = given();
    expect(created).toMatchObject({ steps: [{ pagePath: '/pricing*' }, { goal: 'g1' }] });
    site.ask(goals, changed('g1', { name: 'Registered' }));
    const { definitions } = site.state;
    expect(funnelOf(definitions.Funnel.get('f2')!, definitions)).toEqual({
      ...{ id: 'f2', name: 'F', windowSeconds: 3_600 },
      steps: [
        { name: 'Visit /pricing*', match: { kind: 'page', page: '/pricing*', props: {} } },
        { name: 'Registered', match: { kind: 'event', name: 'Signup', props: {} } },
      ],
    });
  });

  it('is changed in the words in which it is shown', () => {
    const { site } = given();
    site.ask(goals, changed('g1', { name: 'Registered' }));
    expect(site.ask(funnels, changed('f2', { windowSeconds: null, name: 'G' }))).toEqual({
      ...{ site: SITE, id: 'f2', name: 'G' },
      steps: [{ pagePath: '/pricing*' }, { goal: 'g1' }],
    });
  });

  it('holds its goals until it is gone', () => {
    const { site } = given();
    expect(site.ask(goals, deleted('g1'))).toEqual(conflict);
    site.ask(funnels, deleted('f2'));
    expect(site.ask(goals, deleted('g1'))).toEqual({ site: SITE, id: 'g1' });
  });

  it.each([
    [{ steps: [{ goal: 'Signup' }] }, 'steps'],
    [{ steps: Array.from({ length: 11 }, () => ({ goal: 'Signup' })) }, 'steps'],
    [{ steps: [{ goal: 'Signup' }, { goal: 'Sold' }] }, 'steps[1].goal'],
    [{ steps: [{ goal: 'Signup' }, { goal: 'Signup', eventName: 'a' }] }, 'steps[1].eventName'],
    [{ steps: [{ goal: 'Signup' }, {}] }, 'steps[1].eventName'],
    [{ steps: [{ goal: 'Signup' }, { eventName: 'a', scrollDepth: 5 }] }, 'steps[1].scrollDepth'],
    [{ steps: 'Signup' }, 'steps'],
    [{ windowSeconds: 0 }, 'windowSeconds'],
    [{ windowSeconds: 1e9 }, 'windowSeconds'],
  ])('of %j is refused', (wrong, path) => {
    const { site, steps } = given();
    expect(refusedPaths(() => site.create(funnels, { name: 'New', steps, ...wrong }))[0]).toBe(path);
  });
});

describe('an annotation', () => {
  it.each([
    [{ date: '2026-11-21' }, { from: '2026-11-21', to: '2026-11-21' }],
    [
      { from: '2026-11-21', to: '2026-11-23' },
      { from: '2026-11-21', to: '2026-11-23' },
    ],
  ])('of %j is of the days %j', (days, kept) => {
    expect(new Site().create(annotations, { ...days, text: 'Sale' })).toMatchObject({
      ...kept,
      text: 'Sale',
    });
  });

  it('is moved to another day, or to others', () => {
    const site = new Site();
    site.create(annotations, { date: '2026-11-21', text: 'Sale' });
    const moved = (body: object) => site.ask(annotations, changed('a1', body));
    expect(moved({ to: '2026-11-22' })).toMatchObject({ from: '2026-11-21', to: '2026-11-22' });
    expect(moved({ date: '2026-12-01' })).toMatchObject({ from: '2026-12-01', to: '2026-12-01' });
    expect(moved({ text: 'Over' })).toMatchObject({ from: '2026-12-01', text: 'Over' });
    expect(refusedPaths(() => moved({ to: '2026-11-22' }))).toEqual(['to']);
  });

  it.each([
    [{}, 'date'],
    [{ date: '2026-02-29' }, 'date'],
    [{ date: 20261121 }, 'date'],
    [{ date: '2026-11-21', to: '2026-11-22' }, 'date'],
    [{ from: '2026-11-21' }, 'to'],
    [{ to: '2026-11-21' }, 'from'],
    [{ from: '2026-11-22', to: '2026-11-21' }, 'to'],
    [{ date: '2026-11-21', text: '' }, 'text'],
    [{ date: '2026-11-21', text: 'a\0' }, 'text'],
    [{ date: '2026-11-21', text: '\ud800' }, 'text'],
  ])('of %j is refused', (wrong, path) => {
    expect(refusedPaths(() => new Site().create(annotations, { text: 'Sale', ...wrong }))[0]).toBe(path);
  });

  it('has up to 500 characters, and lines', () => {
    const create = (text: string) => new Site().create(annotations, { date: '2026-11-21', text });
    expect(create('x\n'.repeat(250))).toMatchObject({ text: 'x\n'.repeat(250) });
    expect(refusedPaths(() => create('x'.repeat(501)))).toEqual(['text']);
  });

  it('is within days that touch its own', () => {
    const within = (from?: string, to?: string) =>
      annotations.isWithin!({ from: '2026-11-10', to: '2026-11-12', text: '' }, { from, to });
    expect([within(), within('2026-11-12'), within(undefined, '2026-11-10')]).toEqual([true, true, true]);
    expect([within('2026-11-13'), within(undefined, '2026-11-09')]).toEqual([false, false]);
  });
});

describe('all that a site has defined', () => {
  it('has a name once among its kind, and may have it again in another', () => {
    const site = new Site();
    const filters = [['is', 'visit:country', ['DE']]];
    site.create(goals, { eventName: 'Pro' });
    expect(site.create(goals, { eventName: 'Other', name: 'Pro' })).toEqual(conflict);
    site.create(segments, { name: 'Pro', filters });
    site.create(goals, { eventName: 'Second' });
    expect(site.ask(goals, changed('g4', { name: 'Pro' }))).toEqual(conflict);
    site.ask(goals, deleted('g1'));
    expect(site.ask(goals, changed('g4', { name: 'Pro' }))).toMatchObject({ name: 'Pro' });
    for (let n = 0; n < 2; n++) {
      expect(site.create(annotations, { date: '2026-11-21', text: 'Same' })).toMatchObject({ text: 'Same' });
    }
  });

  it('has an end', () => {
    const site = new Site();
    for (let n = 0; n < goals.itemsMax; n++) site.create(goals, { eventName: `E${n}` });
    expect(site.create(goals, { eventName: 'One more' })).toEqual(conflict);
    site.ask(goals, deleted('g1'));
    expect(site.create(goals, { eventName: 'One more' })).toMatchObject({ name: 'One more' });
  });

  it('is changed by who has seen it as it is, and by who does not care', () => {
    const site = new Site();
    site.create(goals, { eventName: 'A' });
    site.create(goals, { eventName: 'B' });
    expect(site.ask(goals, changed('g1', { name: 'C' }, 1))).toEqual({
      refused: 'revision-differs',
      actual: 0,
    });
    expect(site.ask(goals, changed('g1', { name: 'C' }, 0))).toMatchObject({ name: 'C' });
    expect(site.ask(goals, deleted('g1', 0))).toEqual({ refused: 'revision-differs', actual: 2 });
    expect(site.ask(goals, changed('g1', { name: 'C' }))).toBeNull();
    expect(site.ask(goals, deleted('g1', 2))).toEqual({ site: SITE, id: 'g1' });
    for (const wish of [changed('g1', {}), deleted('g1'), changed('constructor', {})]) {
      expect(site.ask(goals, wish)).toEqual({ refused: 'unknown' });
    }
  });

  it('is not moved by events that are not known, but counts them', () => {
    const site = new Site();
    site.create(goals, { eventName: 'A' });
    const { definitions } = site.state;
    site.record({ type: 'GoalOfALaterRelease', data: { site: SITE, id: 'g1' } });
    expect(site.state).toEqual({ definitions, revision: 1 });
  });

  it('is read as the first release wrote it', () => {
    const site = new Site();
    const data = { site: SITE, id: 'x' };
    const golden = [
      {
        type: 'GoalCreated',
        data: { ...data, name: 'n', eventName: 'e', props: { p: 'v' }, currency: 'EUR' },
      },
      { type: 'SegmentCreated', data: { ...data, name: 'n', filters: [['is', 'visit:country', ['DE']]] } },
      { type: 'FunnelCreated', data: { ...data, name: 'n', steps: [{ goal: 'x' }, { pagePath: '/' }] } },
      { type: 'AnnotationCreated', data: { ...data, from: '2026-11-21', to: '2026-11-22', text: 't' } },
      { type: 'GoalChanged', data: { ...data, name: 'm', pagePath: '/', scrollDepth: 50 } },
      { type: 'AnnotationDeleted', data },
    ];
    for (const event of golden) site.record(event);
    const { Goal, Segment, Funnel, Annotation } = site.state.definitions;
    expect(Goal.get('x')).toEqual({
      ...{ id: 'x', createdAt: at(0), revision: 4 },
      fields: { name: 'm', pagePath: '/', scrollDepth: 50 },
    });
    expect(Segment.get('x')?.fields).toEqual({ name: 'n', filters: [['is', 'visit:country', ['DE']]] });
    expect(Funnel.get('x')?.fields).toEqual({ name: 'n', steps: [{ goal: 'x' }, { pagePath: '/' }] });
    expect(Annotation.size).toBe(0);
  });

  it('is in a stream of its own', () => {
    expect(siteOfDefinitions(recorded({ type: 'GoalDeleted', data: {} }, 0))).toBe(SITE);
    expect(siteOfDefinitions({ ...recorded({ type: 'SiteDeleted', data: {} }, 0), stream: 'site-s1' })).toBe(
      undefined,
    );
  });
});
