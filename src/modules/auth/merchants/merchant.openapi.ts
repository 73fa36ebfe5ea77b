// How the endpoints about one merchant document what they have in common. The revision of the merchant's stream is
// their ETag: members and invitations are part of it, and a change of one changes the merchant's.
import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiParam } from '@nestjs/swagger';

export const ApiIfMatch = () =>
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The ETag of the merchant as last read.',
  });

export const ETAG = {
  ETag: {
    description: "The merchant's revision, for If-Match.",
    schema: { type: 'string', example: '"0"' },
  },
} as const;

export const ApiPerson = () =>
  applyDecorators(
    ApiParam({ name: 'person', description: "The person's id, as listed.", example: 'p7Gk2mQx9RtP' }),
    ApiIfMatch(),
  );
