// Goals and segments of the sites asked about, one of each kind and some that are hard to get right.
import type { Goal, GoalMatch } from '../../src/modules/query/vocabulary/goal.js';
import type { Defined } from './gather.js';

const event = (name: string, props: Readonly<Record<string, string>> = {}): GoalMatch => ({
  kind: 'event',
  name,
  props,
});
const page = (page: string, props: Readonly<Record<string, string>> = {}): GoalMatch => ({
  kind: 'page',
  page,
  props,
});
const scroll = (scrollDepth: number, page: string): GoalMatch => ({
  kind: 'scroll',
  scrollDepth,
  page,
  props: {},
});

const GOALS: readonly (readonly [name: string, match: GoalMatch, currency?: string])[] = [
  ['Signup', event('signup')],
  ['Pro signup', event('signup', { plan: 'pro', seats: '5' })],
  ['Purchase', event('Purchase'), 'EUR'],
  ['Purchase in dollars', event('Purchase'), 'USD'],
  ['Visit /pricing', page('/pricing')],
  ['Visit /blog*', page('/blog*')],
  ['Visit /a_b', page('/a_b')],
  ['Visit /100%25', page('/100%25')],
  ['Visit *', page('*')],
  ['Free visit', page('/*', { plan: 'free' })],
  ['Scroll 50 on /blog*', scroll(50, '/blog*')],
  ['Scroll 100 on /', scroll(100, '/')],
  ["It's nowhere", event('nowhere')],
];

export const DEFINED: Defined = {
  goals: GOALS.map(([name, match, currency], number): Goal => ({
    id: `goal-${number}`,
    name,
    match,
    currency: currency ?? null,
  })),
  segments: new Map([
    ['germans', [['is', 'visit:country', ['DE']]]],
    [
      'readers',
      [
        ['contains', 'event:page', ['/blog'], { case_sensitive: false }],
        ['is_not', 'visit:device', ['Mobile']],
      ],
    ],
  ]),
};
