// How the OpenAPI document tells of revisions: what is answered with one, and what may expect one (entity-tag.ts).
import { ApiHeader } from '@nestjs/swagger';

/** Of an answer about a `thing`. */
export const revisionOf = (thing: string) => ({
  ETag: {
    description: `The ${thing}'s revision, for If-Match.`,
    schema: { type: 'string', example: '"0"' },
  } as const,
});

export const ApiIfMatch = (thing: string) =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: `The ETag of the ${thing} as last read.`,
    example: '"0"',
  });
