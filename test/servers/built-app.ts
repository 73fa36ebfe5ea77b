// The project compiled to plain modules, so that tests can run real processes of it and kill them:
// src/, test/ and bench/ as `node` takes them, and the built tracker, in a directory that other packages resolve from.
// Made once per state of the sources and found again by their content, whichever worker asks first.
import { createHash } from 'node:crypto';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const FOLDERS = ['src', 'test', 'bench', 'tracker/dist'];
const UNUSED_DAYS_MAX = 1;

/**
 * Path of the compiled tree: `node ${await builtApp()}/src/main.js` is the product,
 * `…/test/crash/….js` a program of a test. `root` is the repository.
 */
export async function builtApp(root = fileURLToPath(new URL('../../', import.meta.url))): Promise<string> {
  const sources = await readSources(root);
  const sum = createHash('sha256');
  for (const [path, content] of sources) sum.update(path).update('\0').update(content).update('\0');
  const name = `tidemark-built-${sum.update(root).digest('hex').slice(0, 16)}`;
  const tree = join(tmpdir(), name);
  if (await exists(tree)) {
    await utimes(tree, new Date(), new Date());
    return tree;
  }

  const unfinished = await mkdtemp(`${tree}-unfinished-`);
  for (const [path, content] of sources) await build(unfinished, { path, content });
  await cp(join(root, 'package.json'), join(unfinished, 'package.json'));
  await symlink(join(root, 'node_modules'), join(unfinished, 'node_modules'));
  try {
    await rename(unfinished, tree);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!(await exists(tree))) throw error; // else another worker was faster
  }
  await removeUnused(tree);
  return tree;
}

interface Source {
  readonly path: string;
  readonly content: Buffer;
}

async function readSources(root: string): Promise<[path: string, content: Buffer][]> {
  const sources: [string, Buffer][] = [];
  for (const folder of FOLDERS) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      if (!entry.isFile() || /\.(spec|d)\.ts$/.test(entry.name)) continue;
      const path = join(entry.parentPath, entry.name);
      sources.push([relative(root, path), await readFile(path)]);
    }
  }
  return sources.sort(([a], [b]) => (a < b ? -1 : 1));
}

async function build(tree: string, { path, content }: Source): Promise<void> {
  const target = join(tree, path.replace(/\.ts$/, '.js'));
  await mkdir(dirname(target), { recursive: true });
  if (!path.endsWith('.ts')) return writeFile(target, content);
  const { code } = await transform(content.toString('utf8'), {
    filename: path,
    module: { type: 'es6' },
    sourceMaps: 'inline',
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
  });
  await writeFile(target, code);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function removeUnused(current: string): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const path = join(tmpdir(), name);
    if (!name.startsWith('tidemark-built-') || path === current) continue;
    // What another one was building is renamed meanwhile.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > UNUSED_DAYS_MAX * 86_400_000) await rm(path, { recursive: true, force: true });
  }
}
