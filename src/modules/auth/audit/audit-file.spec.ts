import { fileOf } from './audit-file.js';

const ENTRY = {
  ...{ entry: 7, at: '2026-11-21T10:00:00.000Z', by: 'k1', kind: 'key', email: null, request: 'r1' },
  ...{ country: 'AT', client: 'curl', stream: 'site-s1', revision: 2, type: 'SiteChanged', merchant: 'm1' },
  ...{ site: 's1', data: { name: '=cmd()', tags: ['a,b'] } },
};

async function* pages(...all: readonly (readonly (typeof ENTRY)[])[]) {
  yield* all;
}

async function textOf(...[format, all]: ['csv' | 'ndjson', readonly (readonly (typeof ENTRY)[])[]]) {
  let text = '';
  for await (const part of fileOf(pages(...all), format)) text += part;
  return text;
}

it('is a line of JSON for each entry', async () => {
  const text = await textOf('ndjson', [[ENTRY, ENTRY], [ENTRY]]);
  expect(text.endsWith('\n')).toBe(true);
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([ENTRY, ENTRY, ENTRY]);
  expect(await textOf('ndjson', [])).toBe('');
});

it('is a row of CSV for each entry, after a header', async () => {
  const header = 'entry,at,by,kind,email,request,country,client,stream,revision,type,merchant,site,data\r\n';
  expect(await textOf('csv', [[ENTRY]])).toBe(
    `${header}7,2026-11-21T10:00:00.000Z,k1,key,,r1,AT,curl,site-s1,2,SiteChanged,m1,s1,` +
      `"{""name"":""=cmd()"",""tags"":[""a,b""]}"\r\n`,
  );
  expect(await textOf('csv', [])).toBe(header);
});

it('runs nothing in a spreadsheet', async () => {
  const text = await textOf('csv', [[{ ...ENTRY, by: '=1+1', stream: '@SUM(A1)', request: '-2' }]]);
  expect(text).toContain(`,'=1+1,`);
  expect(text).toContain(`,'@SUM(A1),`);
  expect(text).toContain(`,'-2,`);
});
