import { compileHosts } from './host-patterns.js';

it('knows a host by its name, with or without www.', () => {
  const matches = compileHosts(['shop.example'])!;
  for (const host of ['shop.example', 'www.shop.example', 'SHOP.example']) expect(matches(host)).toBe(true);
  for (const host of ['a.shop.example', 'shop.example.com', 'ashop.example', ''])
    expect(matches(host)).toBe(false);
});

it('knows every host below a domain, but not the domain', () => {
  const matches = compileHosts(['*.shop.example'])!;
  for (const host of ['a.shop.example', 'b.a.shop.example', 'www.shop.example'])
    expect(matches(host)).toBe(true);
  for (const host of ['shop.example', 'ashop.example', '.shop.example.com'])
    expect(matches(host)).toBe(false);
});

it('is nothing where nothing is listed', () => {
  expect(compileHosts([])).toBeUndefined();
});
