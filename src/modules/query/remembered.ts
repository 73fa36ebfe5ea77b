// What follows from an object that never changes, for as long as anybody holds that.

/** The same result for the same object. */
export function remembered<Of extends object, Result extends object | string>(
  derive: (of: Of) => Result,
): (of: Of) => Result {
  const known = new WeakMap<Of, Result>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined) return before;
    const result = derive(of);
    known.set(of, result);
    return result;
  };
}
