import { pageview } from '../../../test/given.js';
import { DIRECT, weightOf } from './visit-event.js';

describe('the weight of an event', () => {
  it('is one where its texts are short', () => {
    expect(weightOf(pageview('10:00'))).toBe(1);
    expect(weightOf(pageview('10:00', { props: '{"plan":"basic"}', page: '/pricing' }))).toBe(1);
  });

  it('grows with its own texts, whichever they are', () => {
    const text = 'x'.repeat(1_024);
    expect(weightOf(pageview('10:00', { props: text }))).toBe(3);
    expect(weightOf(pageview('10:00', { page: text }))).toBe(3);
    // A channel is one of a few names, which all events share.
    for (const field of Object.keys(DIRECT).filter((name) => name !== 'channel')) {
      expect(weightOf(pageview('10:00', { origin: { ...DIRECT, [field]: text } }))).toBe(3);
    }
  });
});
