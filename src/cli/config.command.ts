// `tidemark config`: every setting with its value here, its default and its meaning. Reads the same list
// as the server's boot, so what it shows is what a server started from this environment would use.
import type { Command } from 'commander';
import { type Config, SETTINGS, type SettingName } from '../config/config.js';
import { type CommandContext, type SharedOptions, withJson } from './command-context.js';

interface SettingRow {
  readonly name: string;
  readonly value: string | null;
  readonly default: string | null;
  readonly secret: boolean;
  readonly meaning: string;
}

export function configCommand(program: Command, context: CommandContext): void {
  withJson(
    program
      .command('config')
      .description('list every setting: its value in this environment, its default, its meaning')
      .addHelpText(
        'after',
        '\nA setting is an environment variable; NAME_FILE, where given, names a file that holds the value.',
      ),
  ).action((options: SharedOptions) => {
    const rows = settingRows(context.config());
    if (options.json) {
      context.terminal.json({ settings: rows });
      return;
    }
    for (const row of rows) {
      context.terminal.heading(row.name);
      context.terminal.print(`  ${row.meaning}`);
      context.terminal.print(`  value    ${row.value ?? 'not set'}`);
      if (row.default !== row.value) context.terminal.print(`  default  ${row.default ?? 'not set'}`);
      context.terminal.print();
    }
  });
}

function settingRows(config: Config): SettingRow[] {
  return (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const { meaning, check, ...rest } = SETTINGS[name];
    const secret = 'secret' in rest;
    const value = valueText(config[name]);
    return {
      name,
      value: secret && value !== null ? 'set (hidden)' : value,
      default: valueText(check.safeParse(undefined).data),
      secret,
      meaning,
    };
  });
}

function valueText(value: unknown): string | null {
  if (value === undefined) return null;
  if (value === false) return 'none';
  return Array.isArray(value) ? value.join(',') : String(value);
}
