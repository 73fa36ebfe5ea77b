import type { TrackedEvent } from '../../../events/tracked-event.js';
import { DIRECT, NOWHERE } from '../visit-event.js';
import { createInterpreter } from '../../../../test/catalog.js';

const received: TrackedEvent = {
  id: 'e1',
  site: 's1',
  name: 'pageview',
  occurredAt: 1_000,
  receivedAt: 1_005,
  visitor: '00000000000000a1',
};

describe('interpret', () => {
  const interpret = createInterpreter();

  it('knows what to say of an event that says next to nothing', () => {
    expect(interpret(received)).toEqual({
      key: expect.stringMatching(/^[0-9a-f]{16}$/),
      at: 1_000,
      receivedAt: 1_005,
      visitor: '00000000000000a1',
      previousVisitor: null,
      name: 'pageview',
      page: null,
      hostname: null,
      interactive: true,
      engagementMs: null,
      scrollDepth: null,
      props: null,
      amount: null,
      currency: null,
      origin: DIRECT,
      client: expect.objectContaining({ browser: null, bot: false }),
      place: NOWHERE,
    });
  });

  it('brings every interpreter’s answer together', () => {
    const event = interpret({
      ...received,
      url: 'https://shop.example/buy?utm_source=fb',
      referrer: 'https://m.facebook.com/',
      userAgent: 'curl/8.4.0',
      language: 'de',
      place: { country: 'AT', city: 'Graz' },
      interactive: false,
      revenue: { amount: '9.90', currency: 'EUR' },
    });
    expect(event).toMatchObject({
      page: '/buy',
      hostname: 'shop.example',
      origin: { source: 'Facebook', utmSource: 'fb', referrer: 'm.facebook.com' },
      client: { bot: true, language: 'de' },
      place: { country: 'AT', region: null, city: 'Graz' },
      interactive: false,
      amount: '9.90',
      currency: 'EUR',
    });
  });

  it('writes equal properties as equal text', () => {
    const one = interpret({ ...received, props: { b: 1, a: 'x' } });
    const other = interpret({ ...received, props: { a: 'x', b: 1 } });
    expect(one.props).toBe('{"a":"x","b":1}');
    expect(other.props).toBe(one.props);
    expect(interpret({ ...received, props: {} }).props).toBeNull();
  });

  it('lets events share the objects that many have in common', () => {
    const place = { country: 'DE' };
    expect(interpret({ ...received, place }).place).toBe(
      interpret({ ...received, place: { ...place } }).place,
    );
  });
});
