import { event as given } from '../../../test/given.js';
import { decodeCarry, encodeCarry } from './session-carry.js';
import { DIRECT, NOWHERE, type VisitEvent } from './visit-event.js';

const event = (change: Partial<VisitEvent>): VisitEvent =>
  given('00:00', { key: '00000000000000aa', at: 1_000, receivedAt: 1_000, ...change });
const { client } = event({});

describe('carry', () => {
  it('gives back keys and times of receipt, before or long after the event', () => {
    const after = [0, 1, 63, 64, 350_000_000_000, -1, -300_000];
    const bytes = encodeCarry(after.map((ms) => event({ receivedAt: 1_000 + ms })));
    expect(decodeCarry(bytes, after.length).map(({ receivedAfterMs }) => receivedAfterMs)).toEqual(after);
    expect(decodeCarry(bytes, after.length)[0]!.key).toBe('00000000000000aa');
  });

  it('needs nine bytes an event when there is nothing unusual', () => {
    const usual = event({ receivedAt: 1_050 });
    expect(encodeCarry([usual, usual, usual]).length).toBe(1 + 3 * 9 + 0);
  });

  it('gives back what an event says differently from the first', () => {
    const origin = { ...DIRECT, referrer: 'google.com', source: 'Google', channel: 'Organic Search' };
    const phone = { ...client, browser: 'Safari', bot: true };
    const events = [
      event({ origin }),
      event({ origin, client: phone, place: { country: 'DE', region: null, city: 'Köln' } }),
      event({ previousVisitor: '00000000000000ff', amount: '-12.50' }),
    ];
    expect(decodeCarry(encodeCarry(events), 3)).toEqual([
      expect.objectContaining({
        origin: null,
        client: null,
        place: null,
        previousVisitor: null,
        amount: null,
      }),
      expect.objectContaining({
        origin,
        client: phone,
        place: { country: 'DE', region: null, city: 'Köln' },
      }),
      expect.objectContaining({ origin: DIRECT, previousVisitor: '00000000000000ff', amount: '-12.50' }),
    ]);
  });

  it('has one encoding for equal events, whether they share objects or not', () => {
    const copied = event({ origin: { ...DIRECT }, client: { ...client }, place: { ...NOWHERE } });
    expect(encodeCarry([event({}), copied])).toEqual(encodeCarry([event({}), event({})]));
  });

  it('refuses a format it does not know', () => {
    expect(() => decodeCarry(Buffer.of(7), 0)).toThrow('Unknown carry format 7');
  });
});
