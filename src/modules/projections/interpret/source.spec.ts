import { createOriginInterpreter } from './source.js';
import { DIRECT } from '../visit-event.js';

const PAGE = 'https://shop.example/p';

describe('origin', () => {
  const interpret = createOriginInterpreter();

  it.each([
    ['https://www.google.co.uk/search', 'Google', 'google.co.uk/search', 'Organic Search'],
    ['https://mail.google.com/mail/u/0/', 'Gmail', 'mail.google.com/mail/u/0/', 'Email'],
    ['https://t.co/abc', 'Twitter', 't.co/abc', 'Organic Social'],
    ['https://news.ycombinator.com/', 'Hacker News', 'news.ycombinator.com', 'Organic Social'],
    ['https://blog.somebody.example/post', 'blog.somebody.example', 'blog.somebody.example/post', 'Referral'],
    ['http://10.0.0.7/wiki', '10.0.0.7', '10.0.0.7/wiki', 'Referral'],
  ])('names source and channel of the referrer %s', (referrer, source, shown, channel) => {
    expect(interpret(PAGE, referrer)).toEqual({ ...DIRECT, referrer: shown, source, channel });
  });

  it.each([
    ['fb-ads', 'Facebook', 'Paid Social'],
    ['FB', 'Facebook', 'Organic Social'],
    ['Google Ads', 'Google', 'Paid Search'],
    ['bingads', 'Bing', 'Paid Search'],
    ['adwords', 'Google', 'Paid Search'],
    ['amazon_ad', 'Amazon', 'Paid Shopping'],
    ['threads', 'Threads', 'Organic Social'],
    ['nobody-ads', 'nobody-ads', 'Referral'],
    ['ads', 'ads', 'Referral'],
    ['chatgpt.com', 'ChatGPT', 'AI Assistants'],
  ])('takes the tag %s for %s and its channel for %s', (tag, source, channel) => {
    for (const name of ['utm_source', 'source', 'ref']) {
      const url = `${PAGE}?${name}=${encodeURIComponent(tag)}`;
      expect(interpret(url, undefined)).toMatchObject({ source, channel });
    }
  });

  it.each([
    ['gclid=%5Btoken%5D', 'https://www.google.com/', 'Paid Search'],
    ['gclid', 'https://www.google.com/', 'Paid Search'],
    ['msclkid=1a', 'https://www.bing.com/', 'Paid Search'],
    ['msclkid=1a', 'https://www.google.com/', 'Organic Search'],
    ['gclid', 'https://www.bing.com/', 'Organic Search'],
    ['utm_medium=cpc&utm_campaign=shop', 'https://www.google.com/', 'Paid Shopping'],
  ])('makes the channel of what the log kept: %s from %s', (query, referrer, channel) => {
    expect(interpret(`${PAGE}?${query}`, referrer).channel).toBe(channel);
  });

  it.each([
    ['gclid', 'Google', 'Paid Search'],
    ['gbraid', 'Google', 'Paid Search'],
    ['msclkid', 'Bing', 'Paid Search'],
    ['yclid', 'Yandex', 'Paid Search'],
    ['ttclid', 'TikTok', 'Paid Social'],
    ['li_fat_id', 'LinkedIn', 'Paid Social'],
    ['fbclid', 'Facebook', 'Organic Social'],
    ['igsh', 'Instagram', 'Organic Social'],
    ['mc_cid', 'Mailchimp', 'Email'],
    ['mc_cid&gclid', 'Google', 'Paid Search'],
  ])('takes the source that only a click id names: %s', (query, source, channel) => {
    expect(interpret(`${PAGE}?${query}`, undefined)).toMatchObject({ source, channel, referrer: null });
  });

  it.each([
    ['fbclid&utm_medium=cpc', undefined, 'Facebook', 'Paid Social'],
    ['fbclid', 'https://l.instagram.com/', 'Instagram', 'Organic Social'],
    ['fbclid', 'https://www.google.com/', 'Google', 'Organic Search'],
    ['gclid', 'https://www.youtube.com/', 'YouTube', 'Paid Video'],
    ['gclid', 'https://blog.example/', 'blog.example', 'Referral'],
    ['msclkid', 'https://duckduckgo.com/', 'DuckDuckGo', 'Paid Search'],
    ['gclid&utm_source=newsletter', undefined, 'newsletter', 'Email'],
  ])('lets a click id tell what it can beside a source: %s from %s', (query, referrer, source, channel) => {
    expect(interpret(`${PAGE}?${query}`, referrer)).toMatchObject({ source, channel });
  });

  it.each([
    ['com.google.android.gm', 'Gmail', 'Email'],
    ['com.google.android.googlequicksearchbox', 'Google', 'Organic Search'],
    ['com.linkedin.android', 'LinkedIn', 'Organic Social'],
    ['org.telegram.messenger', 'Telegram', 'Organic Social'],
    ['com.openai.chatgpt', 'ChatGPT', 'AI Assistants'],
    ['com.example.reader', 'com.example.reader', 'Referral'],
  ])('knows the app %s as %s', (app, source, channel) => {
    const referrer = `android-app://${app}/`;
    expect(interpret(PAGE, referrer)).toMatchObject({ source, channel, referrer: `android-app://${app}` });
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
      channel: 'Paid Social',
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
