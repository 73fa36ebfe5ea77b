import { SOURCES, sourceOfHost, sourceOfTag } from './known-sources.1.js';

describe('known sources', () => {
  it('gives every word to one source, and every source one line', () => {
    const lines = Object.values(SOURCES).flatMap((sources) => Object.entries(sources));
    for (const all of [lines.flatMap(([, words]) => words.split(' ')), lines.map(([name]) => name)]) {
      expect(all.filter((one, index) => all.indexOf(one) !== index)).toEqual([]);
    }
  });

  it('spells hosts and tags in lower case', () => {
    const words = Object.values(SOURCES).flatMap((sources) => Object.values(sources));
    expect(words.filter((word) => word !== word.toLowerCase() || /^ | {2}| $/.test(word))).toEqual([]);
  });

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
