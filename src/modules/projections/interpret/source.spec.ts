import { createOriginInterpreter } from './source.js';
import { DIRECT } from '../visit-event.js';

const PAGE = 'https://shop.example/p';

describe('origin', () => {
  const interpret = createOriginInterpreter();

  it.each([
    ['https://www.google.co.uk/search', 'Google', 'google.co.uk/search'],
    ['https://t.co/abc', 'Twitter', 't.co/abc'],
    ['https://news.ycombinator.com/', 'Hacker News', 'news.ycombinator.com'],
    ['https://blog.somebody.example/post', 'blog.somebody.example', 'blog.somebody.example/post'],
    ['http://10.0.0.7/wiki', '10.0.0.7', '10.0.0.7/wiki'],
  ])('names the source of the referrer %s', (referrer, source, shown) => {
    expect(interpret(PAGE, referrer)).toEqual({ ...DIRECT, referrer: shown, source });
  });

  it("does not take the site's own host for a referrer, with www or without", () => {
    expect(interpret(PAGE, 'https://www.shop.example/other')).toBe(DIRECT);
    expect(interpret('https://www.shop.example/p', 'https://shop.example/')).toBe(DIRECT);
    expect(interpret(PAGE, 'https://blog.shop.example/')).toMatchObject({ source: 'blog.shop.example' });
  });

  it('believes utm_source before source before ref before the referrer', () => {
    const referrer = 'https://bing.com/';
    expect(interpret(`${PAGE}?ref=a&source=b&utm_source=c`, referrer).source).toBe('c');
    expect(interpret(`${PAGE}?ref=a&source=b`, referrer).source).toBe('b');
    expect(interpret(`${PAGE}?ref=a`, referrer).source).toBe('a');
    expect(interpret(`${PAGE}?other=a`, referrer).source).toBe('Bing');
  });

  it('keeps the campaign as it was tagged and names the source as people know it', () => {
    const url = `${PAGE}?utm_source=fb&utm_medium=paid%20social&utm_campaign=Spring&utm_content=x&utm_term=y`;
    expect(interpret(url, undefined)).toEqual({
      referrer: null,
      source: 'Facebook',
      utmSource: 'fb',
      utmMedium: 'paid social',
      utmCampaign: 'Spring',
      utmContent: 'x',
      utmTerm: 'y',
    });
  });

  it('gives equal origins the same object', () => {
    const once = interpret(`${PAGE}?utm_source=a`, undefined);
    expect(interpret(`https://shop.example/q?utm_source=a`, undefined)).toBe(once);
  });

  it('is not confused by names that every object has', () => {
    expect(interpret(`${PAGE}?utm_source=constructor`, undefined).source).toBe('constructor');
  });
});
