import { parseLogLine } from './parse-line.js';

const COMBINED =
  '93.114.45.13 - - [17/May/2015:10:05:14 +0000] "GET /articles/?a=1 HTTP/1.1" 200 18848 "http://www.google.ro/?q=a" "Mozilla/5.0 (X11; rv:25.0)"';

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('parseLogLine', () => {
  it('reads the combined format', () => {
    expect(parseLogLine(COMBINED)).toEqual({
      host: '93.114.45.13',
      method: 'GET',
      target: '/articles/?a=1',
      status: 200,
      time: Date.UTC(2015, 4, 17, 10, 5, 14),
      referrer: 'http://www.google.ro/?q=a',
      userAgent: 'Mozilla/5.0 (X11; rv:25.0)',
    });
  });

  it('reads the common format, which names neither referrer nor user agent', () => {
    const line = parseLogLine(
      'in24.inetnebr.com - - [01/Aug/1995:00:00:01 -0400] "GET /a.html HTTP/1.0" 200 1839',
    );
    expect(line).toEqual({
      host: 'in24.inetnebr.com',
      method: 'GET',
      target: '/a.html',
      status: 200,
      time: Date.UTC(1995, 7, 1, 4, 0, 1),
      referrer: undefined,
      userAgent: undefined,
    });
  });

  it.each([
    ['+0000', 0],
    ['-0400', 4 * 60],
    ['+0530', -(5 * 60 + 30)],
  ])('honours the offset %s', (offset, minutes) => {
    const time = parseLogLine(COMBINED.replace('+0000', offset))?.time;
    expect(time).toBe(Date.UTC(2015, 4, 17, 10, 5, 14) + minutes * 60_000);
  });

  it.each([
    ['a dash for a missing referrer and agent', '"-" "-"', undefined, undefined],
    ['empty referrer and agent', '"" ""', undefined, undefined],
    ['escaped quotes', String.raw`"http://a/\"b\"" "M \"x\" 5"`, 'http://a/"b"', 'M "x" 5'],
    ['bare quotes inside the agent', '"-" "M x"y 5"', undefined, 'M x"y 5'],
    ['an escaped backslash before the closing quote', String.raw`"-" "M\\"`, undefined, 'M\\'],
    ['extra fields after the agent', '"-" "M" "10.0.0.1" 0.004', undefined, 'M'],
    [
      'an agent cut off by the end of the line',
      '"http://a/" "Mozilla/5.0 (X11',
      'http://a/',
      'Mozilla/5.0 (X11',
    ],
    ['a referrer without an agent', '"http://a/"', 'http://a/', undefined],
  ])('takes %s', (_, fields, referrer, userAgent) => {
    const line = parseLogLine(`1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET / HTTP/1.1" 200 5 ${fields}`);
    expect(line).toMatchObject({ target: '/', status: 200 });
    expect([line?.referrer, line?.userAgent]).toEqual([referrer, userAgent]);
  });

  it.each([
    ['no protocol', 'GET /old', 'GET', '/old'],
    ['spaces in the target', 'GET /a b c HTTP/1.1', 'GET', '/a b c'],
    ['several spaces', 'GET  /a  HTTP/1.1', 'GET', '/a'],
    ['an unescaped quote', 'GET /say"hi" HTTP/1.0', 'GET', '/say"hi"'],
    ['an escaped quote', String.raw`GET /say\"hi\" HTTP/1.0`, 'GET', '/say"hi"'],
    ['an absolute target', 'GET http://a.example/b HTTP/1.1', 'GET', 'http://a.example/b'],
    ['CONNECT', 'CONNECT a.example:443 HTTP/1.1', 'CONNECT', 'a.example:443'],
    ['bytes escaped by the server', String.raw`GET /\xd0\xbf HTTP/1.1`, 'GET', '/\u00d0\u00bf'],
  ])('takes a request with %s', (_, request, method, target) => {
    const line = parseLogLine(`1.2.3.4 - - [17/May/2015:10:05:14 +0000] "${request}" 200 5`);
    expect(line).toMatchObject({ method, target, status: 200 });
  });

  it.each([
    ['an IPv6 address', '2001:db8::1 - - ', '2001:db8::1'],
    ['a user name', '1.2.3.4 - frank ', '1.2.3.4'],
    ['a user name with spaces and brackets', '1.2.3.4 - John [x] Doe ', '1.2.3.4'],
  ])('takes %s', (_, head, host) => {
    expect(parseLogLine(COMBINED.replace('93.114.45.13 - - ', head))?.host).toBe(host);
  });

  it('takes a line without a byte count', () => {
    expect(parseLogLine('1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET / HTTP/1.1" 304')).toMatchObject({
      status: 304,
    });
    expect(parseLogLine('1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET / HTTP/1.1" 304 -')).toMatchObject({
      status: 304,
    });
  });

  it('reads an agent as UTF-8, escaped or not, and without control characters', () => {
    const line = (agent: string) =>
      `1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET / HTTP/1.1" 200 5 "-" "${agent}"`;
    expect(parseLogLine(latin1(line('Браузер')))?.userAgent).toBe('Браузер');
    expect(parseLogLine(line(String.raw`\xd0\x91`))?.userAgent).toBe('Б');
    expect(parseLogLine(line(String.raw`a\x00\x1b[31mb`))?.userAgent).toBe('a[31mb');
  });

  it.each([
    ['nothing', ''],
    ['words', 'hello world'],
    ['no request', '1.2.3.4 - - [17/May/2015:10:05:14 +0000] "-" 408 0'],
    ['an empty request', '1.2.3.4 - - [17/May/2015:10:05:14 +0000] "" 400 0'],
    ['a TLS handshake', String.raw`1.2.3.4 - - [17/May/2015:10:05:14 +0000] "\x16\x03\x01 \x02" 400 226`],
    ['a cut request', '1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET /a'],
    ['no status', '1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET /a HTTP/1.1" x 5'],
    ['no such day', '1.2.3.4 - - [31/Feb/2015:10:05:14 +0000] "GET / HTTP/1.1" 200 5'],
    ['no such month', '1.2.3.4 - - [01/Foo/2015:10:05:14 +0000] "GET / HTTP/1.1" 200 5'],
    ['no such hour', '1.2.3.4 - - [01/May/2015:24:05:14 +0000] "GET / HTTP/1.1" 200 5'],
    ['no host', ' - - [17/May/2015:10:05:14 +0000] "GET / HTTP/1.1" 200 5'],
    ['JSON', '{"remote_addr":"1.2.3.4","request":"GET / HTTP/1.1"}'],
  ])('refuses %s', (_, line) => {
    expect(parseLogLine(line)).toBeNull();
  });

  it('takes time in proportion to the length of hostile lines', () => {
    const head = '1.2.3.4 - - [17/May/2015:10:05:14 +0000] "GET /';
    const begunAt = performance.now();
    for (const character of ['"', '\\', '[', ' ', '\\"', '" ', ' [17/May/2015', '\\x', ' HTTP/']) {
      const hostile = character.repeat(65_000 / character.length);
      parseLogLine(hostile);
      parseLogLine(head + hostile);
      parseLogLine(`${head} HTTP/1.1" 200 5 "${hostile}`);
    }
    expect(performance.now() - begunAt).toBeLessThan(2_000);
  });
});
