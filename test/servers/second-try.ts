// In CI, a test against running servers that fails is tried once more, and .ci/run names it: what a busy
// machine held up does not refuse a change, and what fails for another reason fails twice. Not so where chance
// draws what is tested, or when a process dies: there a failure that does not come back is a finding, too.
const path = expect.getState().testPath ?? '';
const meetsServers = /\.(int|e2e)\.spec\.ts$/.test(path);
const isDrawn = /\/test\/(property|crash)\//.test(path);
if (process.env['CI'] === 'true' && meetsServers && !isDrawn) {
  jest.retryTimes(1, { logErrorsBeforeRetry: true });
}
