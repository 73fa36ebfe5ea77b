// The public keys by which others can tell that an access token is ours.
import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiOpenProblems } from '../../api-answers.js';
import { SigningKeys } from './signing-keys.js';

class JwksAnswer {
  @ApiProperty({ type: 'array', items: { type: 'object', additionalProperties: true } })
  keys!: readonly object[];
}

@ApiTags('Accounts')
@Controller('.well-known')
export class JwksController {
  constructor(private readonly keys: SigningKeys) {}

  @Get('jwks.json')
  @Header('cache-control', 'public, max-age=300')
  @ApiOperation({
    security: [],
    operationId: 'readSigningKeys',
    summary: 'Read the keys of access tokens (RFC 7517)',
  })
  @ApiResponse({ status: 200, type: JwksAnswer })
  @ApiOpenProblems({})
  async read(): Promise<JwksAnswer> {
    return { keys: await this.keys.published() };
  }
}
