// The list of settings as documents: `.env.example` and docs/reference/config.md. Written by
// `npm run docs:generate`; a test holds the committed files equal to what is made here.
import type { z } from 'zod';
import { SETTINGS } from './config.js';

interface DocumentedSetting {
  readonly name: string;
  readonly meaning: string;
  readonly secret: boolean;
  /** As it would be written in the environment; undefined: none. */
  readonly defaultText: string | undefined;
}

export function documentedSettings(): readonly DocumentedSetting[] {
  return Object.entries(SETTINGS).map(([name, setting]) => ({
    name,
    meaning: setting.meaning,
    secret: 'secret' in setting,
    defaultText: defaultTextOf(setting.check),
  }));
}

export function envExample(): string {
  const entries = documentedSettings().map(
    ({ name, meaning, defaultText }) => `# ${meaning}\n#${name}=${defaultText ?? ''}\n`,
  );
  return `# Every setting, with its default. Tidemark reads the environment, not this file: pass it with
# \`node --env-file=.env dist/main.js\` or your service manager. NAME_FILE instead of NAME reads the
# value from a file. Made from src/config/config.ts by \`npm run docs:generate\`; do not edit.

${entries.join('\n')}`;
}

export function configReference(): string {
  const rows = documentedSettings().map(
    ({ name, meaning, secret, defaultText }) =>
      `| \`${name}\` | ${meaning}${secret ? ' Secret.' : ''} | ${defaultText ? `\`${defaultText}\`` : '–'} |`,
  );
  return `# Settings

Made from \`src/config/config.ts\` by \`npm run docs:generate\`; do not edit.

Each is an environment variable. \`NAME_FILE\` instead of \`NAME\` names a file that holds the value.
All are checked when the process starts: a malformed value, or an unknown \`TIDEMARK_*\` variable, stops
the boot with a readable message and exit code 1. \`bin/tidemark config\` lists what is in force.

| setting | meaning | default |
|---|---|---|
${rows.join('\n')}
`;
}

/** The text given to \`prefault\`, wherever it stands in the chain of checks. */
function defaultTextOf(check: z.ZodType): string | undefined {
  const definition = check.def as { type: string; in?: z.ZodType; defaultValue?: unknown };
  if (definition.type === 'prefault') return String(definition.defaultValue);
  return definition.in && defaultTextOf(definition.in);
}
