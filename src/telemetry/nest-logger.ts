// Nest's own messages, written by the process's one logger, so that every line on standard output
// is JSON of one shape. Nest announces each route and module at boot: that is debug here.
import type { LoggerService } from '@nestjs/common';
import type { Telemetry } from './telemetry.js';

export class NestLogger implements LoggerService {
  constructor(private readonly telemetry: Telemetry) {}

  log(message: unknown, ...details: unknown[]): void {
    this.write('debug', message, details);
  }

  warn(message: unknown, ...details: unknown[]): void {
    this.write('warn', message, details);
  }

  error(message: unknown, ...details: unknown[]): void {
    this.write('error', message, details);
  }

  fatal(message: unknown, ...details: unknown[]): void {
    this.write('fatal', message, details);
  }

  /** Nest passes the name of the speaking class last. */
  private write(level: 'debug' | 'warn' | 'error' | 'fatal', message: unknown, details: unknown[]): void {
    const context = details.at(-1);
    const error = [message, ...details].find((item) => item instanceof Error);
    this.telemetry.log[level](
      { ...(typeof context === 'string' && { context }), ...(error && { err: error }) },
      error ? error.message : String(message),
    );
  }
}
