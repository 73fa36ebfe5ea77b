import { judge } from './page-view.js';
import type { LogLine } from './parse-line.js';

const DOMAIN = 'shop.example';

const line = (fields: Partial<LogLine>): LogLine => ({
  host: '1.2.3.4',
  method: 'GET',
  target: '/',
  status: 200,
  time: 0,
  ...fields,
});

const verdict = (fields: Partial<LogLine>) => {
  const judged = judge(line(fields), DOMAIN);
  return judged.verdict === 'skipped' ? judged.reason : judged.pageView.path;
};

describe('judge', () => {
  it.each([
    ['/', '/'],
    ['/a/b/', '/a/b/'],
    ['/index.html', '/index.html'],
    ['/index.php?id=3', '/index.php?id=3'],
    ['/slides.xhtml', '/slides.xhtml'],
    ['/puppet.pdf.html', '/puppet.pdf.html'],
    ['/v1.2', '/v1.2'],
    ['/john.smith', '/john.smith'],
    ['/a?image=b.png', '/a?image=b.png'],
    ['/a b', '/a%20b'],
    ['/\u00d0\u00bf', '/%D0%BF'],
    ['/a\\b"', '/a%5Cb"'],
    ['http://shop.example/a?b', '/a?b'],
    ['https://WWW.shop.example:443/a', '/a'],
    ['http://shop.example', '/'],
    ['http://shop.example?b', '/?b'],
  ])('takes %s as a view of %s', (target, path) => {
    expect(verdict({ target })).toBe(path);
  });

  it.each([
    ['malformed', { method: 'GET', target: 'nonsense' }],
    ['malformed', { method: 'HELLO', target: 'world' }],
    ['method', { method: 'HEAD' }],
    ['method', { method: 'POST', target: '/form' }],
    ['method', { method: 'OPTIONS', target: '*' }],
    ['method', { method: 'CONNECT', target: 'a.example:443' }],
    ['status', { status: 301 }],
    ['status', { status: 404 }],
    ['status', { status: 500 }],
    ['status', { status: 199 }],
    ['other_host', { target: 'http://other.example/' }],
    ['other_host', { target: 'http://notshop.example/' }],
    ['probe', { target: '/.git/config' }],
    ['probe', { target: '/.well-known/security.txt' }],
    ['probe', { target: '/wp-login.php?x=1' }],
    ['probe', { target: '/wp-json/wp/v2/users' }],
    ['probe', { target: '/server-status' }],
    ['feed', { target: '/feed/' }],
    ['feed', { target: '/blog/feed' }],
    ['feed', { target: '/news.rss' }],
    ['feed', { target: '/blog/tags/puppet?flav=rss20' }],
    ['feed', { target: '/?a=b&feed=atom' }],
    ['asset', { target: '/a.css' }],
    ['asset', { target: '/a.css/' }],
    ['asset', { target: '/A.PNG?v=3' }],
    ['asset', { target: '/a.min.js#x' }],
    ['asset', { target: '/robots.txt' }],
    ['asset', { target: '/favicon.ico' }],
    ['asset', { target: '/sitemap.xml' }],
    ['asset', { target: '/files/tool.tar.gz' }],
    ['asset', { target: '/paper.pdf' }],
  ] as const)('skips as %s: %j', (reason, fields) => {
    expect(verdict(fields)).toBe(reason);
  });

  it.each([200, 204, 206, 299, 304])('counts the status %i', (status) => {
    expect(verdict({ status })).toBe('/');
  });

  it('gives the first reason that holds', () => {
    expect(verdict({ method: 'POST', status: 404, target: '/a.css' })).toBe('method');
    expect(verdict({ status: 404, target: '/a.css' })).toBe('status');
  });

  it('takes time in proportion to the length of hostile targets', () => {
    const begunAt = performance.now();
    for (const character of ['?', '&', '/.', '.', '=', '?a', '%', '\u00ff']) {
      verdict({ target: `/${character.repeat(65_000 / character.length)}` });
    }
    expect(performance.now() - begunAt).toBeLessThan(2_000);
  });
});
