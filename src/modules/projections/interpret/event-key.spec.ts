import { eventKey } from './event-key.js';

describe('event key', () => {
  it('never changes: rows of every version carry it', () => {
    expect(eventKey('0197a5c0-0000-7000-8000-000000000001')).toMatchInlineSnapshot(`"32df439e8e702da0"`);
    expect(eventKey('')).toMatchInlineSnapshot(`"944598b9ac96c13c"`);
  });

  it('keeps a million similar ids apart', () => {
    const keys = new Set<string>();
    for (let number = 0; number < 1_000_000; number++) keys.add(eventKey(`order-${number}`));
    expect(keys.size).toBe(1_000_000);
  });

  it('spreads its last six bits evenly, which decide where long sessions are cut', () => {
    const counts = new Array<number>(64).fill(0);
    for (let number = 0; number < 64_000; number++) {
      counts[Number.parseInt(eventKey(`id${number}`).slice(-2), 16) & 63]!++;
    }
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(200);
  });
});
