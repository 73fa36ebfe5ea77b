// What a request tells of its sender beside its body.
import type { FastifyRequest } from 'fastify';
import type { Sender } from '../draft.js';
import { clientHintsOf } from './client-hints.js';

const LANGUAGE_CHARACTERS_MAX = 35;

export function senderOf(request: FastifyRequest): Sender {
  const accepted = request.headers['accept-language'];
  return {
    address: request.ip,
    userAgent: request.headers['user-agent'],
    clientHints: clientHintsOf(request.headers),
    // The language it would like best is named first.
    language: accepted && /^[\w-]+/.exec(accepted)?.[0].slice(0, LANGUAGE_CHARACTERS_MAX),
    origin: request.headers.origin ?? request.headers.referer,
  };
}

/** Global Privacy Control. */
export const optedOut = ({ headers }: FastifyRequest): boolean => headers['sec-gpc'] === '1';
