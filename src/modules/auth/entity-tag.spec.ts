import { Problem } from '../../http/problem.js';
import { entityTag, expectedRevision } from './entity-tag.js';

describe('the entity tag', () => {
  it('says a revision, and is read back', () => {
    expect(entityTag(12)).toBe('"12"');
    expect(expectedRevision(entityTag(12))).toBe(12);
  });

  it.each([undefined, '*', ' * '])('%j expects any revision', (ifMatch) => {
    expect(expectedRevision(ifMatch)).toBe('any');
  });

  it.each(['', '3', 'W/"3"', '"a"', '"1", "2"', '"12345678901"'])('%j is refused', (ifMatch) => {
    expect(() => expectedRevision(ifMatch)).toThrow(Problem);
  });
});
