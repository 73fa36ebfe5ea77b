import { evaluate, namesOf, parseExpression, staysWhole } from './metric-expression.js';

const VALUES: Readonly<Record<string, number>> = { sessions: 8, engagedSessions: 5, nothing: 0 };

function parsed(text: string) {
  const outcome = parseExpression(text);
  if (outcome.outcome === 'refused') throw new Error(outcome.reason);
  return outcome.expression;
}

const valueOf = (text: string) => evaluate(parsed(text), (name) => VALUES[name]!);

it.each([
  ['sessions - engagedSessions', 3],
  ['sessions-engagedSessions-1', 2],
  ['engagedSessions / sessions', 0.625],
  ['1 + 2 * 3', 7],
  ['(1 + 2) * 3', 9],
  ['-(sessions) + 10', 2],
  ['2 - -3', 5],
  ['8 / 2 / 2', 2],
  ['sessions * 0.5', 4],
  ['sessions / nothing', 0],
  ['(sessions - engagedSessions) / (nothing)', 0],
])('reckons %s', (text, value) => {
  expect(valueOf(text)).toBe(value);
});

it.each([
  ['', 'ends too early'],
  ['sessions -', 'ends too early'],
  ['sessions sessions', 'does not go on with sessions'],
  ['(sessions', 'leaves a parenthesis open'],
  ['sessions)', 'does not go on with )'],
  ['* 2', 'has * in place of a number or a metric'],
  ['sessions % 2', 'may hold numbers'],
  ['sessions; drop', 'may hold numbers'],
  [`${'('.repeat(21)}1${')'.repeat(21)}`, 'must not nest deeper'],
  [`${'-'.repeat(400)}1`, 'must not nest deeper'],
  ['1+'.repeat(300), 'must have at most 500 characters'],
])('refuses %j', (text, reason) => {
  expect(parseExpression(text)).toMatchObject({
    outcome: 'refused',
    reason: expect.stringContaining(reason),
  });
});

it('names what it reckons with', () => {
  expect(namesOf(parsed('(a + b) / -a * keyEvents:signup'))).toEqual(['a', 'b', 'a', 'keyEvents:signup']);
});

it.each([
  ['whole * whole - 2', true],
  ['-(whole + 1)', true],
  ['whole / whole', false],
  ['whole + part', false],
  ['whole * 0.5', false],
])('knows whether %s stays whole: %s', (text, whole) => {
  expect(staysWhole(parsed(text), (name) => name === 'whole')).toBe(whole);
});
