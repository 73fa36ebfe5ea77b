import { sourceOfHost } from './known-sources.js';
import { SHOPS } from './shops.js';

it('makes shops of all that it names', () => {
  const hosts = Object.entries(SHOPS).flatMap(([name, words]) =>
    words
      .split(' ')
      .filter((word) => word.includes('.'))
      .map((word) => ({ name, host: word.replace('.*', '.com') })),
  );
  expect(hosts.length).toBeGreaterThan(50);
  for (const { name, host } of hosts) expect(sourceOfHost(host)).toEqual({ name, kind: 'shopping' });
});
