// What /docs says about keys, wherever they belong: one wording, with the place filled in.
import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiResponse } from '@nestjs/swagger';
import { ApiProblems } from '../api-answers.js';
import { ApiIfMatch, revisionOf } from '../api-revision.js';
import { SITE_UNKNOWN } from '../api-site.js';
import { changedSince } from '../entity-tag.js';
import { ChangeKeyBody, IssuedKeyAnswer, KeyAnswer, KeyListAnswer, RotateKeyBody } from './key.dto.js';
import type { KeyPlace } from './key-places.js';

export const KEY_UNKNOWN = 'There is no such key here.';
const INVALID = 'Some fields are not valid.';
const CANNOT_CHANGE = `It has expired, or was rotated; or: ${changedSince('key')}`;
const CANNOT_ROTATE = 'It has expired, or was rotated before.';
const ROTATION =
  'Issues a key of the same name, scopes and reach, and lets the old one end after the overlap: time to put the new one in its place everywhere.';

const ETAG = revisionOf('key');

const Shown = () => ApiResponse({ status: 200, type: KeyAnswer, headers: ETAG });
const Issued = () =>
  ApiResponse({
    status: 201,
    type: IssuedKeyAnswer,
    headers: ETAG,
    description: 'The only answer that shows the key.',
  });

export function documentationOf({ thing, issueBody, isOfSite, ...place }: KeyPlace) {
  const { ApiPlace, oneKey, allKeys, newKey } = place;
  const placeUnknown = isOfSite ? { 404: SITE_UNKNOWN } : {};
  const keyUnknown = { 404: isOfSite ? `${SITE_UNKNOWN} Or: ${KEY_UNKNOWN}` : KEY_UNKNOWN };
  const Operation = (does: string, summary: string, more: { readonly description?: string } = {}) =>
    ApiOperation({ operationId: `${does}${thing}`, summary, ...more });
  const ApiKeyId = () =>
    applyDecorators(
      ApiParam({ name: 'id', type: String, description: "The key's id.", example: 'k7Gk2mQx9RtP' }),
      ApiPlace(),
    );
  return {
    Issue: () =>
      applyDecorators(
        ApiPlace(),
        Operation('issue', `Issue ${newKey}`),
        ApiBody({ type: issueBody }),
        Issued(),
        ApiProblems({ 400: INVALID, ...placeUnknown }),
      ),
    List: () =>
      applyDecorators(
        ApiPlace(),
        ApiOperation({ operationId: `list${thing}s`, summary: `List ${allKeys}` }),
        ApiResponse({ status: 200, type: KeyListAnswer }),
        ApiProblems({ 400: 'limit or cursor is not valid.', ...placeUnknown }),
      ),
    Get: () =>
      applyDecorators(
        ApiKeyId(),
        Operation('get', `Read about ${oneKey}`),
        Shown(),
        ApiProblems({ ...keyUnknown }),
      ),
    Change: () =>
      applyDecorators(
        ApiKeyId(),
        ApiIfMatch('key'),
        Operation('change', `Rename ${oneKey}, or change when it expires`),
        ApiBody({ type: ChangeKeyBody }),
        Shown(),
        ApiProblems({ 400: INVALID, ...keyUnknown, 409: CANNOT_CHANGE }),
      ),
    Rotate: () =>
      applyDecorators(
        ApiKeyId(),
        Operation('rotate', `Put a new key in the place of ${oneKey.replace(/^a key/, 'one')}`, {
          description: ROTATION,
        }),
        ApiBody({ type: RotateKeyBody }),
        Issued(),
        ApiProblems({ 400: INVALID, ...keyUnknown, 409: CANNOT_ROTATE }),
      ),
    Revoke: () =>
      applyDecorators(
        ApiKeyId(),
        Operation('revoke', `Revoke ${oneKey}, for ever`),
        ApiResponse({ status: 204, description: 'Revoked.' }),
        ApiProblems({ ...keyUnknown }),
      ),
  };
}
