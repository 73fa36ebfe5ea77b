import { ofStatus } from '../../../../http/problem-details.js';
import { googleErrors } from './google-error.js';

it.each([
  [400, 400, 'INVALID_ARGUMENT'],
  [401, 401, 'UNAUTHENTICATED'],
  [403, 403, 'PERMISSION_DENIED'],
  [404, 404, 'NOT_FOUND'],
  [413, 413, 'INVALID_ARGUMENT'],
  [422, 400, 'INVALID_ARGUMENT'],
  [429, 429, 'RESOURCE_EXHAUSTED'],
  [500, 500, 'INTERNAL'],
  [503, 503, 'UNAVAILABLE'],
])('says %i as Google does: %i %s', (status, code, name) => {
  expect(googleErrors(ofStatus(status, 'what is wrong'))).toEqual({
    status: code,
    body: { error: { code, message: 'what is wrong', status: name } },
  });
});
