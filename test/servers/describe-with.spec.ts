// A suite whose service is missing is never silently green: it is skipped aloud, or fails under CI.
import { describeWith } from './describe-with.js';

jest.mock('./haproxy.js', () => ({ findHaproxy: () => ({ source: 'none', why: 'not on the PATH' }) }));

interface Declared {
  readonly suites: string[];
  readonly skipped: string[];
  readonly tests: (() => void)[];
  readonly said: string[];
}

const environment = { ...process.env };
afterEach(() => {
  process.env = { ...environment };
  jest.restoreAllMocks();
});

/** What `describeWith` declares where HAProxy is not installed. */
function declareWithout(settings: Readonly<Record<string, string>>): Declared {
  const declared: Declared = { suites: [], skipped: [], tests: [], said: [] };
  process.env = { ...settings };
  const { describe: realDescribe, it: realIt } = globalThis;
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => declared.said.push(String(text)) > 0);
  const recorder = (name: string, suite: () => void) => {
    declared.suites.push(name);
    suite();
  };
  Object.assign(globalThis, {
    describe: Object.assign(recorder, { skip: (name: string) => declared.skipped.push(name) }),
    it: (_: string, test: () => void) => declared.tests.push(test),
  });
  try {
    describeWith('haproxy', 'a balancer', () => undefined);
  } finally {
    Object.assign(globalThis, { describe: realDescribe, it: realIt });
  }
  return declared;
}

describe('a suite whose service is missing', () => {
  it('is skipped, and one line says why', () => {
    const { suites, skipped, said } = declareWithout({});
    expect([suites, skipped]).toEqual([[], ['a balancer']]);
    expect(said).toEqual(['Skipped: a balancer needs haproxy: not on the PATH\n']);
  });

  it('fails under CI', () => {
    const { suites, skipped, tests } = declareWithout({ CI: 'true' });
    expect([suites, skipped]).toEqual([['a balancer'], []]);
    expect(tests).toHaveLength(1);
    expect(tests[0]).toThrow('needs haproxy: not on the PATH');
  });
});
