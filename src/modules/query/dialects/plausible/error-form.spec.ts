import { Problem } from '../../../../http/problem.js';
import { plausibleErrors } from './error-form.js';

it('tells a key that is not known, may not read or does not reach the site by nothing', () => {
  const answers = [Problem.unauthorized('a'), Problem.forbidden('b'), Problem.notFound('c')].map(
    ({ options }) => plausibleErrors(options),
  );
  expect(answers[0]).toEqual({ status: 401, body: { error: expect.stringContaining('site_id') } });
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
});

it('says what to narrow as 400', () => {
  const { options } = new Problem({
    status: 422,
    type: 'query-too-costly',
    title: 'Too much',
    detail: 'Narrow it.',
  });
  expect(plausibleErrors(options)).toEqual({ status: 400, body: { error: 'Narrow it.' } });
});

it.each([
  [Problem.badRequest('metrics: none').options, 400, 'metrics: none'],
  [Problem.unavailable('Later.', 2).options, 503, 'Later.'],
  [
    { status: 500, type: 'internal', title: 'Something is wrong on our side' },
    500,
    'Something is wrong on our side',
  ],
])('keeps other statuses', (problem, status, error) => {
  expect(plausibleErrors(problem)).toEqual({ status, body: { error } });
});
