// What an HTTP client is told when something is wrong: RFC 9457 problem details. Code that cannot
// answer throws a Problem; the filter beside it writes the body.

export interface ProblemField {
  /** JSON path of the offending input, such as `filters[0][1]`. */
  readonly path: string;
  readonly message: string;
}

export interface ProblemOptions {
  readonly status: number;
  /** Last segment of the problem's type URI, stable: programs may switch on it. */
  readonly type: string;
  readonly title: string;
  /** What to do about it. */
  readonly detail?: string;
  readonly errors?: readonly ProblemField[];
  readonly retryAfterSeconds?: number;
  /** Of what there is now, where a client has seen something older. */
  readonly etag?: string;
}

export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(readonly options: ProblemOptions) {
    super(options.detail ?? options.title);
  }

  static badRequest(detail: string, errors?: readonly ProblemField[]): Problem {
    return new Problem({
      status: 400,
      type: 'invalid-request',
      title: 'The request is invalid',
      detail,
      errors,
    });
  }

  static unauthorized(detail: string): Problem {
    return new Problem({ status: 401, type: 'unauthorized', title: 'No valid key was given', detail });
  }

  static forbidden(detail: string): Problem {
    return new Problem({ status: 403, type: 'forbidden', title: 'The key does not allow this', detail });
  }

  /** The same answer for what does not exist and for what belongs to somebody else. */
  static notFound(detail: string): Problem {
    return new Problem({ status: 404, type: 'not-found', title: 'There is no such thing', detail });
  }

  static conflict(detail: string): Problem {
    return new Problem({ status: 409, type: 'conflict', title: 'The state has changed', detail });
  }

  static changedMeanwhile(detail: string, etag: string): Problem {
    return new Problem({ ...Problem.conflict(detail).options, etag });
  }

  static unavailable(detail: string, retryAfterSeconds: number): Problem {
    return new Problem({
      status: 503,
      type: 'unavailable',
      title: 'Temporarily unavailable',
      detail,
      retryAfterSeconds,
    });
  }
}
