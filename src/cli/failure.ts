// How a command ends when it cannot do what was asked: one sentence that says what to do next.
// Exit codes: 0 done, 1 failed, 2 wrong usage.
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

export class CliFailure extends Error {
  override readonly name = 'CliFailure';
  constructor(
    message: string,
    readonly exitCode: typeof EXIT_FAILED | typeof EXIT_USAGE = EXIT_FAILED,
  ) {
    super(message);
  }
}

export const usageError = (message: string): CliFailure => new CliFailure(message, EXIT_USAGE);

/**
 * Nothing went wrong, but what a script goes on with after exit code 0 is not so: two versions differ, or
 * nobody waited for the end.
 */
export class NegativeOutcome extends Error {
  override readonly name = 'NegativeOutcome';
}
