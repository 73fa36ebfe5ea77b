import { isSpamReferrer } from './referrer-spam.js';

it.each([
  ['https://semalt.com/', true],
  ['http://forum.semalt.com/crawler.php', true],
  ['https://notsemalt.com/', false],
  ['https://example.com/?u=semalt.com', false],
  ['https://www.google.com/', false],
])('%s: %s', (referrer, spam) => {
  expect(isSpamReferrer(referrer)).toBe(spam);
});
