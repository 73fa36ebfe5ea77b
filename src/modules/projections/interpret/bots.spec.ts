import { botOf } from './bots.js';

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36';
const like = (product: string) =>
  `Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ${product})`;

describe('bots', () => {
  it.each([
    [like('GPTBot/1.2; +https://openai.com/gptbot'), 'GPTBot', 'AI crawler'],
    [like('ClaudeBot/1.0; +claudebot@anthropic.com'), 'ClaudeBot', 'AI crawler'],
    ['CCBot/2.0 (https://commoncrawl.org/faq/)', 'CCBot', 'AI crawler'],
    [like('ChatGPT-User/1.0; +https://openai.com/bot'), 'ChatGPT-User', 'AI assistant'],
    [like('OAI-SearchBot/1.0; +https://openai.com/searchbot'), 'OAI-SearchBot', 'AI assistant'],
    [like('PerplexityBot/1.0; +https://perplexity.ai/perplexitybot'), 'PerplexityBot', 'AI assistant'],
    [like('Claude-User/1.0; +Claude-User@anthropic.com'), 'Claude-User', 'AI assistant'],
    [
      'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
      'Googlebot',
      'Search engine',
    ],
    ['Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)', 'YandexBot', 'Search engine'],
    ['Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)', 'Feedly', 'Feed reader'],
    ['Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)', 'AhrefsBot', 'SEO tool'],
    ['facebookexternalhit/1.1', 'facebookexternalhit', 'Link preview'],
    ['Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)', 'UptimeRobot', 'Monitoring'],
    [CHROME.replace('Chrome', 'HeadlessChrome'), 'HeadlessChrome', 'Browser automation'],
    ['curl/8.4.0', 'curl', 'HTTP library'],
    ['python-requests/2.32.3', 'python-requests', 'HTTP library'],
    ['Mozilla/5.0 (compatible; SomeNewBot/1.0)', null, 'Other'],
    [`${CHROME} GTmetrix`, 'GTmetrix', 'Monitoring'],
  ])('knows %s as %s, %s', (userAgent, name, kind) => {
    expect(botOf(userAgent)).toEqual({ name, kind });
  });

  it.each([
    CHROME,
    'Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.91 Mobile Safari/537.36',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 390.0.0.28.85',
  ])('takes %s for a person', (userAgent) => {
    expect(botOf(userAgent)).toBeNull();
  });
});
