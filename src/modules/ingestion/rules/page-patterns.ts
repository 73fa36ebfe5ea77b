// Whether a page is one of those that a site lists: paths in which `*` stands for any characters but
// `/`, and `**` for any at all. Not by regular expressions, which backtrack: the effort is at most
// the length of the path for each piece of a pattern, whoever chose the path. Pure.

export type PageMatch = (path: string) => boolean;

interface Pattern {
  /** Before the first wildcard. */
  readonly start: string;
  readonly pieces: readonly Piece[];
}

interface Piece {
  /** What stands between this piece and the one before may hold a `/`. */
  readonly crossesSlashes: boolean;
  readonly text: string;
}

/** Undefined where nothing is listed. */
export function compilePages(patterns: readonly string[]): PageMatch | undefined {
  if (patterns.length === 0) return undefined;
  const compiled = patterns.map(compile);
  return (path) => compiled.some((pattern) => matches(pattern, path));
}

function compile(pattern: string): Pattern {
  const [start = '', ...rest] = pattern.split(/(\*+)/);
  const pieces: Piece[] = [];
  for (let at = 0; at < rest.length; at += 2) {
    pieces.push({ crossesSlashes: rest[at]!.length > 1, text: rest[at + 1]! });
  }
  return { start, pieces };
}

function matches({ start, pieces }: Pattern, path: string): boolean {
  if (!path.startsWith(start)) return false;
  // Where the pieces so far can end.
  let ends: readonly number[] = [start.length];
  for (const piece of pieces) {
    ends = endsAfter(piece, path, ends);
    if (ends.length === 0) return false;
  }
  return ends.at(-1) === path.length;
}

/** Ascending, as `ends` are. */
function endsAfter({ crossesSlashes, text }: Piece, path: string, ends: readonly number[]): number[] {
  const after: number[] = [];
  let next = 0;
  let reachable = false;
  for (let at = ends[0]!; at + text.length <= path.length; at++) {
    if (ends[next] === at) {
      reachable = true;
      next++;
    }
    if (reachable && path.startsWith(text, at)) after.push(at + text.length);
    if (!crossesSlashes && path[at] === '/') reachable = false;
  }
  return after;
}
