import { LiveLines } from './live-lines.js';

/** As much of a terminal as LiveLines uses: what it shows after all that was written. */
class Screen {
  readonly isTTY = true;
  readonly #lines: string[] = [''];
  #row = 0;
  #wraps = true;

  constructor(
    readonly rows: number,
    readonly columns: number,
  ) {}

  get text(): string {
    return this.#lines.join('\n');
  }

  get wraps(): boolean {
    return this.#wraps;
  }

  write(text: string): void {
    for (const [, sequence, character = ''] of text.matchAll(/\u001b\[(\??\d*[A-Za-z])|([^])/g)) {
      if (sequence !== undefined) this.#obey(sequence);
      else if (character === '\n') this.#down();
      else if (character !== '\r') this.#put(character);
    }
  }

  #obey(sequence: string): void {
    if (sequence === '?7l' || sequence === '?7h') this.#wraps = sequence === '?7h';
    else if (sequence === 'J') this.#lines.splice(this.#row, this.#lines.length, '');
    else if (sequence.endsWith('A')) {
      const top = Math.max(0, this.#lines.length - this.rows);
      this.#row = Math.max(top, this.#row - Number.parseInt(sequence, 10));
      this.#fresh = true;
    } else if (sequence !== 'K') throw new Error(`No terminal should be told ${sequence}`);
  }

  #fresh = true;

  #put(character: string): void {
    if (this.#fresh) this.#lines[this.#row] = '';
    this.#fresh = false;
    if (this.#lines[this.#row]!.length >= this.columns) {
      if (!this.#wraps) return;
      this.#down();
      this.#lines[this.#row] = '';
      this.#fresh = false;
    }
    this.#lines[this.#row] += character;
  }

  #down(): void {
    this.#row++;
    this.#fresh = true;
    if (this.#row === this.#lines.length) this.#lines.push('');
  }
}

describe('LiveLines', () => {
  it('draws in the same place, whether there is more or less than before', () => {
    const screen = new Screen(24, 80);
    screen.write('$ tidemark\n');
    const live = new LiveLines(screen);
    live.draw(['one']);
    live.draw(['one, more', 'two', 'three']);
    expect(screen.text).toBe('$ tidemark\none, more\ntwo\nthree\n');
    live.draw(['four', 'five']);
    expect(screen.text).toBe('$ tidemark\nfour\nfive\n');
  });

  it('makes room for what is said beside it', () => {
    const screen = new Screen(24, 80);
    const live = new LiveLines(screen);
    live.draw(['one', 'two']);
    live.clear();
    screen.write('beside\n');
    live.draw(['three']);
    expect(screen.text).toBe('beside\nthree\n');
  });

  it('cuts off what is too long or too much, so that nothing scrolls away', () => {
    const screen = new Screen(4, 10);
    const live = new LiveLines(screen);
    expect(live.rowsMax).toBe(3);
    for (const round of ['a', 'b', 'c']) live.draw([round.repeat(50), '2', '3', '4', '5']);
    expect(screen.text).toBe(`${'c'.repeat(10)}\n2\n3\n`);
    expect(screen.wraps).toBe(true);
  });

  it('obeys nothing that others said', () => {
    const screen = new Screen(24, 80);
    new LiveLines(screen).draw(['a\u001b[2Jb\nc']);
    expect(screen.text).toBe('a\\x1b[2Jb\\x0ac\n');
  });
});
