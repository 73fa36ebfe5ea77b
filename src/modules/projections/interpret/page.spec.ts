import { pageOf, withoutWww } from './page.js';

describe('page', () => {
  it.each([
    ['https://shop.example/a/b?utm_source=x#top', 'shop.example', '/a/b', 'utm_source=x'],
    ['https://shop.example/', 'shop.example', '/', ''],
    ['https://shop.example', 'shop.example', '/', ''],
    ['http://shop.example:8080/p', 'shop.example', '/p', ''],
    ['http://[::1]:3000/p?', '[::1]', '/p', ''],
    ['https://shop.example/p#?not=query', 'shop.example', '/p', ''],
  ])('takes %s apart', (url, hostname, path, query) => {
    expect(pageOf(url)).toEqual({ hostname, path, query });
  });

  it('has nothing to say without a URL', () => {
    expect(pageOf(undefined)).toEqual({ hostname: null, path: null, query: '' });
  });

  it('treats www as no part of a name', () => {
    expect(withoutWww('www.shop.example')).toBe('shop.example');
    expect(withoutWww('wwwshop.example')).toBe('wwwshop.example');
  });
});
