import { ProgressBar, progressText } from './progress-bar.js';

describe('progressText', () => {
  it('shows share, rate and time left', () => {
    const text = progressText({ lines: 50_000, bytesRead: 250 }, { seconds: 10, totalBytes: 1_000 });
    expect(text).toBe(`${'█'.repeat(6)}${'░'.repeat(18)}  25 %  50,000 lines  5,000 lines/s  0:30 left`);
  });

  it('shows only counts where the size is not known', () => {
    const state = { lines: 1_000, bytesRead: 0 };
    expect(progressText(state, { seconds: 2, totalBytes: undefined })).toBe('1,000 lines  500 lines/s');
  });

  it('survives an empty file and a beginning without time passed', () => {
    const state = { lines: 0, bytesRead: 0 };
    expect(progressText(state, { seconds: 0, totalBytes: 0 })).toBe('0 lines  0 lines/s');
    expect(progressText(state, { seconds: 0, totalBytes: 10 })).not.toMatch(/NaN|Infinity|left/);
  });
});

describe('ProgressBar', () => {
  const drawn = (isTTY: boolean, times: readonly number[]): string[] => {
    const written: string[] = [];
    const clock = [...times];
    const bar = new ProgressBar({
      stream: { isTTY, columns: 40, write: (text) => written.push(text) },
      totalBytes: 100,
      now: () => clock.shift()!,
    });
    for (let update = 1; update < times.length; update++) bar.update({ lines: 1, bytesRead: 50 });
    bar.clear();
    return written;
  };

  it('draws at most ten times a second, on one line, and clears it', () => {
    const written = drawn(true, [1_000, 1_101, 1_150, 1_202]);
    expect(written.length).toBe(3);
    for (const text of written) expect(text).toMatch(/^\r[^\r\n]{0,39}\u001b\[K$/);
  });

  it('writes nothing where there is no terminal', () => {
    expect(drawn(false, [1_000, 1_200, 1_400])).toEqual([]);
  });
});
