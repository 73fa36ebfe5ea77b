// Puts the packages of every platform into package-lock.json. `npm install` leaves out those that its
// registry does not carry, and `npm ci` then refuses the lockfile as incomplete, on every platform.
// Run after `npm install`; test/tidy.spec.ts says when it is needed.
import { readFileSync, writeFileSync } from 'node:fs';

const PLATFORM =
  /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|loong64|ppc64|riscv64|s390x|x64)(?:-(gnu|musl))?/;

const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { '': project, ...packages } = lockfile.packages;

for (const dependent of Object.values(packages)) {
  for (const [name, version] of Object.entries(dependent.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (Object.keys(packages).some((known) => known === path || known.endsWith(`/${path}`))) continue;
    const [, os, cpu, abi] = PLATFORM.exec(name) ?? [];
    if (os === undefined) throw new Error(`${name} names no platform: add it to package-lock.json by hand`);
    packages[path] = {
      version,
      cpu: [cpu],
      ...(dependent.dev && { dev: true }),
      ...(os === 'linux' && abi && { libc: [abi === 'gnu' ? 'glibc' : 'musl'] }),
      optional: true,
      os: [os],
    };
  }
}

const sorted = Object.entries(packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'));
lockfile.packages = { '': project, ...Object.fromEntries(sorted) };
writeFileSync('package-lock.json', `${JSON.stringify(lockfile, null, 2)}\n`);
