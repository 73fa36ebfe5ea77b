// Servers that Maven Central has as jars: fetched with Maven once per user, then found again, and run by Java
// 17 or newer. Synchronous, because Jest must know while it collects tests whether a suite can run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const JAVA_MIN = 17;
const FETCH_TIMEOUT_MS = 600_000;

export interface JarsWanted {
  /** Path of the pom whose dependencies they are. */
  readonly pom: string;
  /** With the version, so that another one is fetched anew. */
  readonly name: string;
}

export type Jars =
  | { readonly source: 'jars'; readonly java: string; readonly directory: string }
  | { readonly source: 'none'; readonly why: string };

export function findJars({ pom, name }: JarsWanted): Jars {
  const home = process.env['JAVA_HOME'];
  const java = home ? join(home, 'bin/java') : 'java';
  const said = spawnSync(java, ['-version'], { encoding: 'utf8' }).stderr ?? '';
  const major = Number(/version "(\d+)/.exec(said)?.[1] ?? 0);
  if (major < JAVA_MIN) return { source: 'none', why: `no Java ${JAVA_MIN} or newer, and no Docker` };

  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const directory = join(cache, 'tidemark', name);
  if (existsSync(directory)) return { source: 'jars', java, directory };
  const failure = fetchJars(pom, directory);
  return failure === undefined ? { source: 'jars', java, directory } : { source: 'none', why: failure };
}

/** Whole or not at all, whoever else is fetching. Answers why not. */
function fetchJars(pom: string, directory: string): string | undefined {
  mkdirSync(join(directory, '..'), { recursive: true });
  const unfinished = mkdtempSync(`${directory}-unfinished-`);
  try {
    const { status, stdout, error } = spawnSync(
      'mvn',
      [
        ...['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime'],
        `-DoutputDirectory=${unfinished}`,
      ],
      { encoding: 'utf8', timeout: FETCH_TIMEOUT_MS },
    );
    if (error)
      return `Maven cannot be run (${(error as NodeJS.ErrnoException).code}), and there is no Docker`;
    if (status !== 0) return `Maven could not fetch the jars of ${pom}: ${stdout.trim().split('\n')[0]}`;
    renameSync(unfinished, directory);
    return undefined;
  } catch (error) {
    if (!existsSync(directory)) throw error;
    return undefined; // another process was faster
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
