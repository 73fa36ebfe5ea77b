// The field or parameter by which the operator says for which merchant a request is: see acting.ts.
import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IfGiven, IsLine } from '../input-rules.js';

const ID_CHARACTERS_MAX = 64;

export const MerchantNamed = () =>
  applyDecorators(
    ApiPropertyOptional({
      description: "The merchant's id. Only for the operator, whose own merchant it is by default.",
      example: 'default',
    }),
    IfGiven(),
    IsLine(ID_CHARACTERS_MAX),
  );
