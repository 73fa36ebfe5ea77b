import { checkClock, checkNode } from './doctor.command.js';

describe('checkNode', () => {
  it.each([
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
    ['20.18.9', 'failed'],
    ['18.20.0', 'failed'],
  ])('judges %s: %s', (version, state) => {
    expect(checkNode(version).state).toBe(state);
  });
});

describe('checkClock', () => {
  const at = (date: string) => {
    const headers = new Headers(date ? { date } : {});
    return checkClock(
      { outcome: 'answered', status: 200, headers, body: undefined },
      Date.UTC(2026, 10, 21, 12, 0, 0),
    );
  };

  it('allows for whole seconds and slow answers', () => {
    expect(at('Sat, 21 Nov 2026 11:59:58 GMT')).toMatchObject({ state: 'ok' });
  });

  it.each(['Sat, 21 Nov 2026 11:50:00 GMT', 'Sat, 21 Nov 2026 12:10:00 GMT'])(
    'reports a server at %s',
    (date) => {
      expect(at(date)).toMatchObject({
        state: 'failed',
        detail: expect.stringMatching(/^600 s (ahead|behind)/),
      });
    },
  );

  it('says nothing where the server tells no time', () => {
    expect(at('')).toMatchObject({ state: 'skipped' });
  });
});
