/** One recorded call of the service, as it was sent and answered. */
export interface RecordedCall {
  readonly callId: string;
  readonly input: string;
  readonly output: string;
  readonly score?: number | undefined;
  readonly formatOk?: boolean | undefined;
  readonly model?: string | undefined;
  readonly promptName?: string | undefined;
  readonly promptVersion?: string | undefined;
  /** Ids of the user and the session. */
  readonly people?: readonly string[] | undefined;
}

/** What the service declares a well-formed output to be. */
export interface OutputShape {
  readonly jsonSchema?: Readonly<Record<string, unknown>> | undefined;
  readonly pattern?: string | undefined;
}
