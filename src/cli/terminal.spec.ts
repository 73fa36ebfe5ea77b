import { bar, durationText, neutralise, shareBar, Terminal } from './terminal.js';

function recorder(more: { isTTY?: boolean; hasColors?: () => boolean } = {}) {
  const written: string[] = [];
  return { ...more, write: (text: string) => written.push(text), text: () => written.join('') };
}

const HOSTILE = 'a\u001b[31mb\u009b2Jc\u0007\r\n\u202ed\u007f';

describe('Terminal', () => {
  it('shows control characters of others instead of obeying them', () => {
    expect(neutralise(HOSTILE)).toBe('a\\x1b[31mb\\x9b2Jc\\x07\\x0d\\x0a\\u202ed\\x7f');
    const [stdout, stderr] = [recorder(), recorder()];
    const terminal = new Terminal(stdout, stderr);
    terminal.table([{ heading: HOSTILE }], [[HOSTILE]]);
    terminal.heading(HOSTILE);
    terminal.print(HOSTILE);
    terminal.json({ [HOSTILE]: HOSTILE });
    terminal.jsonLine({ [HOSTILE]: HOSTILE });
    terminal.note(HOSTILE);
    terminal.error(HOSTILE);
    terminal.errorJson({ message: HOSTILE, exitCode: 1 });
    for (const text of [stdout.text(), stderr.text()]) {
      expect(text).toContain('a');
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });

  it('writes JSON that reads back as it was', () => {
    const stdout = recorder();
    new Terminal(stdout, recorder()).json({ text: HOSTILE });
    expect(JSON.parse(stdout.text())).toEqual({ text: HOSTILE });
  });

  it('colours only on a terminal that wants colours', () => {
    const headingOn = (stream: ReturnType<typeof recorder>): string => {
      new Terminal(stream, recorder()).heading('x');
      return stream.text();
    };
    expect(headingOn(recorder({ isTTY: true, hasColors: () => true }))).toBe('\u001b[1mx\u001b[22m\n');
    expect(headingOn(recorder({ isTTY: true, hasColors: () => false }))).toBe('x\n');
    expect(headingOn(recorder({ isTTY: false, hasColors: () => true }))).toBe('x\n');
  });

  it('lines columns up', () => {
    const stdout = recorder();
    new Terminal(stdout, recorder()).table(
      [{ heading: 'page' }, { heading: 'views', align: 'right' }],
      [
        ['/a', '5'],
        ['/longer', '12,345'],
      ],
    );
    expect(stdout.text()).toBe('page      views\n/a            5\n/longer  12,345\n');
  });
});

describe('bar', () => {
  it.each([
    [0, 10, ''],
    [10, 10, '█'.repeat(24)],
    [5, 10, '█'.repeat(12)],
    [1, 100_000, '▏'],
    [NaN, 10, ''],
    [5, 0, ''],
  ])('draws %d of %d', (value, max, drawn) => {
    expect(bar(value, max)).toBe(drawn);
  });
});

describe('durationText', () => {
  it.each([
    [7, '0:07'],
    [750.4, '12:30'],
    [3_723, '1:02:03'],
  ])('writes %d s as %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

describe('shareBar', () => {
  it.each([
    [0, '░'.repeat(24), '  0'],
    [0.5, '█'.repeat(12) + '░'.repeat(12), ' 50'],
    [0.999, '█'.repeat(24), ' 99'],
    [1, '█'.repeat(24), '100'],
    [1.5, '█'.repeat(24), '100'],
    [-1, '░'.repeat(24), '  0'],
  ])('draws %d', (share, drawn, percent) => {
    expect(shareBar(share)).toBe(`${drawn} ${percent} %`);
  });
});
