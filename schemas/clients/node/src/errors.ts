// The error of a call: what the worker answered, or what kept the command from it.

export type StowageErrorCategory = 'INVALID' | 'NOT_FOUND' | 'CONFLICT' | 'UNSUPPORTED' | 'TIMEOUT' | 'UNAVAILABLE' | 'INTERNAL';

/** The fields of the Avro record mastra.Error. */
export interface StowageErrorFields {
  /** Stable, in upper snake case: THREAD_NOT_FOUND. */
  code: string;
  category: StowageErrorCategory;
  message: string;
  /** Whether sending the command again may succeed. */
  retryable: boolean;
  details?: unknown;
}

export class StowageError extends Error {
  override readonly name = 'StowageError';
  readonly code: string;
  readonly category: StowageErrorCategory;
  readonly retryable: boolean;
  readonly details: unknown;
  /** The command that failed, such as memory.saveThread. */
  readonly command: string | undefined;

  constructor(fields: StowageErrorFields, command?: string, cause?: unknown) {
    super(fields.message, cause === undefined ? undefined : { cause });
    this.code = fields.code;
    this.category = fields.category;
    this.retryable = fields.retryable;
    this.details = fields.details;
    this.command = command;
  }
}

export function invalid(message: string, command?: string): StowageError {
  return new StowageError({ code: 'INVALID_REQUEST', category: 'INVALID', message, retryable: false }, command);
}

export function unavailable(message: string, command?: string, cause?: unknown, retryable = true): StowageError {
  return new StowageError({ code: 'KAFKA_UNAVAILABLE', category: 'UNAVAILABLE', message, retryable }, command, cause);
}
