// A benchmark's numeric options, `--name=value`: sizes, so that a small run works everywhere.

export function option(name: string, otherwise: number): number {
  const given = process.argv.find((argument) => argument.startsWith(`--${name}=`))?.split('=')[1];
  const value = Number(given ?? otherwise);
  if (!Number.isFinite(value)) throw new Error(`--${name}=${given} is no number`);
  return value;
}
