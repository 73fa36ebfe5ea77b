import { sourceOfHost, sourceOfTag } from './known-sources.js';

describe('known sources', () => {
  it.each([
    ['google.com', 'Google', 'search'],
    ['google.co.uk', 'Google', 'search'],
    ['images.google.de', 'Google', 'search'],
    ['mail.google.com', 'Gmail', 'email'],
    ['gemini.google.com', 'Gemini', 'assistant'],
    ['docs.google.com', 'Google Docs', 'other'],
    ['m.facebook.com', 'Facebook', 'social'],
    ['chat.openai.com', 'ChatGPT', 'assistant'],
    ['t.co', 'Twitter', 'social'],
    ['smile.amazon.de', 'Amazon', 'shopping'],
    ['chatgpt.com', 'ChatGPT', 'assistant'],
    ['www.perplexity.ai', 'Perplexity', 'assistant'],
    ['claude.ai', 'Claude', 'assistant'],
    ['copilot.microsoft.com', 'Microsoft Copilot', 'assistant'],
    ['chat.deepseek.com', 'DeepSeek', 'assistant'],
    ['chat.mistral.ai', 'Le Chat', 'assistant'],
    ['lnkd.in', 'LinkedIn', 'social'],
    ['lm.facebook.com', 'Facebook', 'social'],
    ['out.reddit.com', 'Reddit', 'social'],
    ['news.ycombinator.com', 'Hacker News', 'social'],
    ['go.bsky.app', 'Bluesky', 'social'],
    ['away.vk.com', 'VK', 'social'],
    ['m.youtube.com', 'YouTube', 'video'],
    ['yandex.com.tr', 'Yandex', 'search'],
    ['uk.search.yahoo.com', 'Yahoo!', 'search'],
    ['r.search.yahoo.com', 'Yahoo!', 'search'],
    ['search.brave.com', 'Brave Search', 'search'],
    ['kagi.com', 'Kagi', 'search'],
    ['m.search.naver.com', 'Naver', 'search'],
    ['search.seznam.cz', 'Seznam', 'search'],
    ['email.seznam.cz', 'Seznam Email', 'email'],
    ['outlook.live.com', 'Outlook', 'email'],
    ['mail.yahoo.com', 'Yahoo! Mail', 'email'],
    ['webmail.firm.example', 'webmail.firm.example', 'email'],
    ['www.ebay.co.uk', 'eBay', 'shopping'],
    ['shopping.naver.com', 'Naver Shopping', 'shopping'],
    ['plurk.com', 'Plurk', 'social'],
    ['academia.edu', 'Academia.edu', 'social'],
    ['www.gutefrage.net', 'gutefrage.net', 'social'],
  ])('knows the host %s as %s (%s)', (host, name, kind) => {
    expect(sourceOfHost(host)).toEqual({ name, kind });
  });

  it.each(['fb.example.com', 'notgoogle.com', 'co', 'localhost', '10.0.0.7', 'ask.fm', 'ig.com'])(
    'does not know %s',
    (host) => {
      expect(sourceOfHost(host)).toBeUndefined();
    },
  );

  it.each([
    ['fb', 'Facebook'],
    ['google', 'Google'],
    ['hacker news', 'Hacker News'],
    ['m.youtube.com', 'YouTube'],
  ])('knows the tag %s as %s', (tag, name) => {
    expect(sourceOfTag(tag)?.name).toBe(name);
  });

  it.each(['constructor', 'newsletter', 'google.*', ''])('does not know the tag %s', (tag) => {
    expect(sourceOfTag(tag)).toBeUndefined();
  });
});
