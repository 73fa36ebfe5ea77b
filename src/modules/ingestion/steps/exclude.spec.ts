import type { RuledSite } from '../rules/site-rules.js';
import { givenDraft, givenRules } from '../../../../test/given-draft.js';
import { NEXT } from '../verdict.js';
import { exclude } from './exclude.js';

const step = exclude();

interface About {
  readonly url?: string;
  readonly country?: string;
  readonly address?: string;
}

function judged(settings: Partial<RuledSite>, { url, country, address }: About) {
  const draft = givenDraft({ rules: givenRules(settings) });
  draft.event.url = url;
  draft.event.place = country === undefined ? undefined : { country };
  draft.address = address;
  const verdict = step(draft);
  return verdict === NEXT ? 'kept' : verdict;
}

const excluding = (lists: Partial<RuledSite['exclusions']>): Partial<RuledSite> => ({
  exclusions: { countries: [], addresses: [], pages: [], hostnames: [], ...lists },
});

const WHOLE = { url: 'https://shop.example/admin/users?ref=x', country: 'AT', address: '192.0.2.7' };

it.each<[string, Partial<RuledSite>, string]>([
  ['country', excluding({ countries: ['DE', 'AT'] }), 'from this country'],
  ['address', excluding({ addresses: ['192.0.2.0/24'] }), 'from this address'],
  ['page', excluding({ pages: ['/admin/*'] }), 'of this page'],
  ['host', excluding({ hostnames: ['shop.example'] }), 'of this host'],
  ['host that is not among those that count', { hostnames: ['other.example'] }, 'of this host'],
])('refuses by its %s, and says so', (_what, settings, what) => {
  expect(judged(settings, WHOLE)).toEqual({
    verdict: 'rejected',
    reason: 'excluded',
    detail: `the site keeps no events ${what}`,
  });
});

it.each<[string, Partial<RuledSite>]>([
  ['a site without rules', {}],
  ['another country', excluding({ countries: ['DE'] })],
  ['another address', excluding({ addresses: ['192.0.3.0/24', '2001:db8::/32'] })],
  ['another page', excluding({ pages: ['/admin'] })],
  ['another host', excluding({ hostnames: ['*.shop.example'] })],
  ['a host that counts', { hostnames: ['shop.example'] }],
  ['rules of other things', { ...excluding({}), consentMode: 'full', queryParameters: ['x'] }],
])('keeps an event of %s', (_what, settings) => {
  expect(judged(settings, WHOLE)).toBe('kept');
});

it('keeps what it knows nothing of', () => {
  const everything = excluding({ countries: ['AT'], addresses: ['0.0.0.0/1'], pages: ['/**'] });
  expect(judged({ ...everything, hostnames: ['other.example'] }, {})).toBe('kept');
});
