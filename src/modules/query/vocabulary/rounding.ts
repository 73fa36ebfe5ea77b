// Rounding to whole numbers, ties to even, in JavaScript and in SQL alike: answers show the one and are
// ordered by the other.

export function roundTiesToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Of the exact quotient; the divisor is positive. */
export function divideTiesToEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend % divisor;
  const twice = 2n * (rest < 0n ? -rest : rest);
  const away = twice > divisor || (twice === divisor && quotient % 2n !== 0n);
  return away ? quotient + (dividend < 0n ? -1n : 1n) : quotient;
}

/** PostgreSQL's round(float8) rounds ties to even; null where the divisor is 0. */
export const ratioSql = (dividend: string, divisor: string): string =>
  `round((${dividend})::float8 / nullif(${divisor}, 0))`;

/** `divideTiesToEven` for numeric columns; null where the divisor is 0. */
export function exactRatioSql(dividend: string, divisor: string): string {
  const [n, d] = [`(${dividend})::numeric`, `nullif(${divisor}, 0)::numeric`];
  const twice = `2 * abs(mod(${n}, ${d}))`;
  const away = `${twice} > ${d} OR (${twice} = ${d} AND mod(div(${n}, ${d}), 2) <> 0)`;
  return `(div(${n}, ${d}) + CASE WHEN ${away} THEN sign(${n}) ELSE 0 END)`;
}
