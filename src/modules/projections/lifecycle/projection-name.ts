// The projections that there are, by name.
import { Problem } from '../../../http/problem.js';
import { DEFINITIONS } from '../catalog/catalog.js';

/** @throws Problem 404 */
export function requireProjection(name: string): string {
  const { projections } = DEFINITIONS.at(-1)!;
  if (projections.some((projection) => projection.name === name)) return name;
  const names = projections.map((projection) => projection.name).join(', ');
  throw Problem.notFound(`There is no projection ${name}; there are ${names}.`);
}
