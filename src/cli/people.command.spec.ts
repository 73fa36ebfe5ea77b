import { type CliOptions, runAgainst } from '../../test/running-cli.js';
import { StandInApi } from '../../test/servers/stand-in-api.js';

let api: StandInApi;
beforeEach(async () => {
  api = await StandInApi.start();
});
afterEach(() => api.stop());

const run = (args: readonly string[], options?: CliOptions) => runAgainst(api.url, args, options);

const account = {
  person: { id: 'p1', email: 'kim@shop.example', name: 'Kim' },
  merchants: [{ id: 'm1', name: 'My sites', role: 'owner' }],
};

describe('tidemark people', () => {
  it('finds an account by its address, which stands in no URL', async () => {
    api.misbehave = () => ({ status: 200, body: account });
    const { exitCode, out } = await run(['people', 'find', 'kim@shop.example']);
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/id +p1[^]+owner +My sites \(m1\)/)]);
    expect(api.requests).toEqual([
      { method: 'POST', path: '/admin/v1/people/lookup', body: { email: 'kim@shop.example' } },
    ]);
    const shown = await run(['people', 'find', 'kim@shop.example', '--json']);
    expect(JSON.parse(shown.out)).toEqual(account);
  });

  it('erases one if that is meant', async () => {
    const unsure = await run(['people', 'erase', 'kim@shop.example']);
    expect([unsure.exitCode, api.requests]).toEqual([2, []]);
    api.misbehave = ({ method }) => (method === 'POST' ? { status: 200, body: account } : { status: 204 });
    const { exitCode, out } = await run(['people', 'erase', 'kim@shop.example', '--yes']);
    expect([exitCode, out]).toEqual([0, 'p1 is erased.\n']);
    expect(api.requests[1]).toMatchObject({ method: 'DELETE', path: '/admin/v1/people/p1' });
    api.misbehave = ({ method }) =>
      method === 'POST'
        ? { status: 200, body: account }
        : { status: 409, body: { title: 'The state has changed', detail: 'Hand it over.' } };
    const refused = await run(['people', 'erase', 'kim@shop.example', '--yes']);
    expect([refused.exitCode, refused.err]).toEqual([1, expect.stringContaining('Hand it over.')]);
  });
});
