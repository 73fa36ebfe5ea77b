import { domainKey, normaliseDomain } from './domain.js';

describe('a domain', () => {
  it.each([
    ['example.com', 'example.com'],
    ['WWW.Example.COM', 'example.com'],
    ['https://www.example.com/', 'example.com'],
    ['shop.example.co.uk.', 'shop.example.co.uk'],
    [' example.com ', 'example.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['localhost', 'localhost'],
    ['192.168.1.20', '192.168.1.20'],
    ['www2.example.com', 'www2.example.com'],
  ])('%s is claimed as %s', (text, domain) => {
    expect(normaliseDomain(text)).toBe(domain);
  });

  it.each([
    '',
    '.',
    'nonsense',
    'www.',
    'example..com',
    '-example.com',
    'example.com/blog',
    'example.com:8080',
    'user@example.com',
    'exa mple.com',
    'example.com\u0000',
    '1.2.3',
    '1.2.3.256',
    'ftp://example.com',
    '<script>.com',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(130)}com`,
  ])('%j is refused', (text) => {
    expect(normaliseDomain(text)).toBeUndefined();
  });

  it('is looked up whatever its case and leading www.', () => {
    expect(domainKey('WWW.Example.com')).toBe('example.com');
    expect(domainKey('example.com')).toBe('example.com');
  });
});
