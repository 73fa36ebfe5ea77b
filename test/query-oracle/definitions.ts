// Goals and segments of the sites asked about, one of each kind and some that are hard to get right.
import type { Goal, GoalMatch } from '../../src/modules/query/vocabulary/goal.js';
import type { ControlPlane } from '../servers/control-plane.js';
import type { WireFilter } from './filters.js';
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

const SEGMENTS: readonly { readonly name: string; readonly filters: readonly WireFilter[] }[] = [
  { name: 'Germans', filters: [['is', 'visit:country', ['DE']]] },
  {
    name: 'Readers',
    filters: [
      ['contains', 'event:page', ['/blog'], { case_sensitive: false }],
      ['is_not', 'visit:device', ['Mobile']],
    ],
  },
];

/** As people do it who define them. */
export async function define({ call }: ControlPlane, site: string): Promise<Defined> {
  const create = async (kind: string, body: object): Promise<string> => {
    const answer = await call('POST', `/v1/sites/${site}/${kind}`, { body });
    expect([answer.status, answer.body]).toEqual([201, expect.objectContaining(body)]);
    return answer.body.id as string;
  };
  const goals: Goal[] = [];
  for (const [name, match, currency] of GOALS) {
    const id = await create('goals', { name, ...wireOf(match), ...(currency !== undefined && { currency }) });
    goals.push({ id, name, match, currency: currency ?? null });
  }
  const segments = new Map<string, readonly WireFilter[]>();
  for (const segment of SEGMENTS) segments.set(await create('segments', segment), segment.filters);
  return { goals, segments };
}

function wireOf(match: GoalMatch): object {
  const { props } = match;
  if (match.kind === 'event') return { eventName: match.name, props };
  return { pagePath: match.page, props, ...(match.kind === 'scroll' && { scrollDepth: match.scrollDepth }) };
}
