// The two ways PostgreSQL can keep Tidemark from booting. Their messages are meant for the
// person who started the process: main prints them without a stack and exits with code 1.

/** The PostgreSQL that Tidemark would run itself cannot be run here. */
export class EmbeddedServerError extends Error {
  override readonly name = 'EmbeddedServerError';
}

/** The PostgreSQL of DATABASE_URL cannot be used. Never contains the password. */
export class DatabaseUnavailableError extends Error {
  override readonly name = 'DatabaseUnavailableError';
}
