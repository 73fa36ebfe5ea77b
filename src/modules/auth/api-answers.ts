// The answers that every endpoint of the control plane shares, for the OpenAPI document.
import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';

const TITLES = {
  400: ['invalid-request', 'The request is invalid'],
  401: ['unauthorized', 'No valid key was given'],
  403: ['forbidden', 'The key does not allow this'],
  404: ['not-found', 'There is no such thing'],
  409: ['conflict', 'The state has changed'],
  429: ['too-many-requests', 'Too many requests'],
  503: ['unavailable', 'Temporarily unavailable'],
} as const;

type ProblemStatus = keyof typeof TITLES;

/** Documents problems, besides those that any request may meet. */
export const ApiProblems = (problems: Partial<Record<ProblemStatus, string>>) =>
  applyDecorators(
    ...Object.entries({
      401: 'No key, or none that is known.',
      403: 'The key lacks the scope.',
      429: 'More requests in a minute than one key may make, or than one address may make without. Try again after Retry-After.',
      503: 'Try again after Retry-After.',
      ...problems,
    }).map(([code, description]) => {
      const status = Number(code) as ProblemStatus;
      const [type, title] = TITLES[status];
      const example = { type: `/problems/${type}`, title, status, detail: description };
      return ApiResponse({ status, description, content: { 'application/problem+json': { example } } });
    }),
  );
