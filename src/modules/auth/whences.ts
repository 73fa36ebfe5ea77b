// Tells of a request from where it came, as far as that may be kept: the country that intake would tell of the
// address, and what kind of program sent it. The address goes no further than this file.
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { canonicalAddress } from '../../places/addresses.js';
import { Places } from '../../places/places.js';
import { clientName } from './client-name.js';
import type { Whence } from './origin.js';

@Injectable()
export class Whences {
  constructor(private readonly places: Places) {}

  of({ id, ip, headers }: Pick<FastifyRequest, 'id' | 'ip' | 'headers'>): Whence {
    const address = canonicalAddress(ip);
    const country = address === undefined ? undefined : this.places.of(address)?.country;
    const client = clientName(headers['user-agent']);
    return {
      request: id,
      ...(country !== undefined && { country }),
      ...(client !== undefined && { client }),
    };
  }
}
