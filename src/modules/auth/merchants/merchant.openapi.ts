// How the endpoints about one merchant document what they have in common. The revision of the merchant's stream is
// their ETag: members and invitations are part of it, and a change of one changes the merchant's.
import { applyDecorators } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import { ApiIfMatch, revisionOf } from '../api-revision.js';

export const ETAG = revisionOf('merchant');

export const ApiPerson = () =>
  applyDecorators(
    ApiParam({ name: 'person', description: "The person's id, as listed.", example: 'p7Gk2mQx9RtP' }),
    ApiIfMatch('merchant'),
  );
