import { SETTINGS_DEFAULT } from '../../auth/sites/site.aggregate.js';
import { compileRules, NO_RULES, type RuledSite } from './site-rules.js';

const rulesOf = (settings: Partial<RuledSite> = {}) =>
  compileRules({ ...SETTINGS_DEFAULT, ...settings }, (blocks) => (address) => blocks.includes(address));
const nothing = SETTINGS_DEFAULT.exclusions;

it('is one object for all sites that ask nothing', () => {
  expect(rulesOf()).toBe(NO_RULES);
});

it.each<[keyof RuledSite, Partial<RuledSite>]>([
  ['consentMode', { consentMode: 'none' }],
  ['allowedOrigins', { allowedOrigins: ['shop.example'] }],
  ['hostnames', { hostnames: ['shop.example'] }],
  ['queryParameters', { queryParameters: ['page'] }],
  ['exclusions', { exclusions: { ...nothing, countries: ['AT'] } }],
])('is another one where %s is set', (_setting, settings) => {
  expect(rulesOf(settings)).not.toBe(NO_RULES);
});

it('keeps apart what is excluded by what', () => {
  const { exclusions } = rulesOf({ exclusions: { ...nothing, addresses: ['192.0.2.1'], pages: ['/a'] } });
  expect(exclusions).toMatchObject({ countries: undefined, matchesHost: undefined, countsHost: undefined });
  expect([exclusions!.matchesAddress!('192.0.2.1'), exclusions!.matchesPage!('/b')]).toEqual([true, false]);
});
