// What the two places of keys have in common in the OpenAPI document.
import { ApiParam, ApiResponse } from '@nestjs/swagger';
import { revisionOf } from '../api-revision.js';
import { IssuedKeyAnswer, KeyAnswer } from './key.dto.js';

export const KEY_UNKNOWN = 'There is no such key here.';
export const CANNOT_CHANGE = 'It has changed since it was read, has expired, or was rotated.';
export const CANNOT_ROTATE = 'It has expired, or was rotated before.';
export const ROTATION =
  'Issues a key of the same name, scopes and reach, and lets the old one end after the overlap: time to put the new one in its place everywhere.';

const ETAG = revisionOf('key');

export const ApiKeyId = () => ApiParam({ name: 'id', description: "The key's id.", example: 'k7Gk2mQx9RtP' });

export const ApiIssuedKey = () =>
  ApiResponse({
    status: 201,
    type: IssuedKeyAnswer,
    headers: ETAG,
    description: 'The only answer that shows the key.',
  });

export const ApiShownKey = () => ApiResponse({ status: 200, type: KeyAnswer, headers: ETAG });
