// Before each test file: when a disk is full, lmdb writes to the console what it also throws, and to that
// of the first file in this worker that loaded it. Jest takes that for a test that was not waited for.
const DISK_FULL = 'Error: No space left on device: Attempting to write page';
const say = console.error.bind(console);

console.error = (...said: unknown[]): void => {
  if (!String(said[0]).startsWith(DISK_FULL)) say(...said);
};
