// The answers that the endpoints behind a key share, for the OpenAPI document.
import { applyDecorators } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  ApiSchema,
  getSchemaPath,
} from '@nestjs/swagger';

const TITLES = {
  400: ['invalid-request', 'The request is invalid'],
  401: ['unauthorized', 'No valid key was given'],
  403: ['forbidden', 'The key does not allow this'],
  404: ['not-found', 'There is no such thing'],
  409: ['conflict', 'The state has changed'],
  422: ['query-too-costly', 'The query asks for too much at once'],
  429: ['too-many-requests', 'Too many requests'],
  503: ['unavailable', 'Temporarily unavailable'],
} as const;

class FieldAnswer {
  @ApiProperty({ example: 'filters[0][1]' }) path!: string;
  @ApiProperty() message!: string;
}

@ApiSchema({ name: 'Problem', description: 'RFC 9457.' })
class ProblemAnswer {
  @ApiProperty({ example: '/problems/invalid-request' }) type!: string;
  @ApiProperty() title!: string;
  @ApiProperty({ example: 400 }) status!: number;
  @ApiPropertyOptional({ description: 'For people.' }) detail?: string;
  @ApiPropertyOptional({ type: [FieldAnswer], description: 'All that is wrong, each with its place.' })
  errors?: readonly FieldAnswer[];
}

type ProblemStatus = keyof typeof TITLES;

type Problems = Partial<Record<ProblemStatus, string>>;

/** Documents problems, besides those that any request may meet. */
export const ApiProblems = (problems: Problems) =>
  ApiOpenProblems({
    401: 'No key, or none that is known.',
    403: 'The key lacks the scope.',
    429: 'More requests in a minute than one key may make, or than one address may make without. Try again after Retry-After.',
    ...problems,
  });

/** The same of endpoints that need no key. */
export const ApiOpenProblems = (problems: Problems) =>
  applyDecorators(
    ApiExtraModels(ProblemAnswer),
    ...Object.entries({ 503: 'Try again after Retry-After.', ...problems }).map(([code, description]) => {
      const status = Number(code) as ProblemStatus;
      const [type, title] = TITLES[status];
      const example = { type: `/problems/${type}`, title, status, detail: description };
      const schema = { $ref: getSchemaPath(ProblemAnswer) };
      return ApiResponse({
        status,
        description,
        content: { 'application/problem+json': { schema, example } },
      });
    }),
  );
