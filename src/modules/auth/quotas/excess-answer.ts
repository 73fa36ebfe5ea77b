// A time over the quota as it is answered, beside quotas and usage.
import { ApiProperty } from '@nestjs/swagger';
import { type Excess, type ExcessPolicy } from './excess.js';

export class ExcessAnswer {
  @ApiProperty({ enum: ['hide', 'sample'], example: 'hide' }) policy!: ExcessPolicy;
  @ApiProperty({ format: 'date-time', example: '2026-11-20T10:00:00.000Z' }) from!: string;
  @ApiProperty({
    format: 'date-time',
    description: 'The end of the month, unless more was allowed before.',
    example: '2026-12-01T00:00:00.000Z',
  })
  to!: string;
  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Of the visitors, that are taken; null: all.',
    example: null,
  })
  samplePercent!: number | null;

  static of(this: void, { policy, from, to, samplePercent }: Excess): ExcessAnswer {
    return {
      policy,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      samplePercent,
    };
  }
}

/** Since when events of a month are hidden; null: they are not. */
export const hiddenFromOf = (excesses: readonly Excess[]): number | null =>
  excesses.find(({ policy }) => policy === 'hide')?.from ?? null;
