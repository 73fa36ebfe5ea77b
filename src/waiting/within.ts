// Patience with something that cannot be told to stop: whoever asks goes on, and so does what was asked.

/** Undefined when it takes longer; it goes on nevertheless. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
