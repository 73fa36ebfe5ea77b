// How many partitions are a member's: all get as many, and the first in line one more where they do
// not divide. Every member computes the same from the same list.
export function fairShare(
  partitions: number,
  { members, self }: { readonly members: readonly number[]; readonly self: number },
): number {
  // Who does not see himself yet is the latest of all.
  const others = members.filter((member) => member !== self);
  const place = members.includes(self) ? members.indexOf(self) : others.length;
  const count = others.length + 1;
  return Math.floor(partitions / count) + (place < partitions % count ? 1 : 0);
}
