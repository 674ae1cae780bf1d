import type { Step, TargetState } from './plan.ts';

/**
 * What carries a mitigation out. `read` says what is true now, which is what makes a half-done run safe to resume.
 * Every failure is an ExternalError; `outcomeUnknown` is set when the change may have been made all the same.
 */
export interface Target {
  describe(): string;
  read(): Promise<TargetState>;
  /** The same `idempotencyKey` twice has one effect. */
  apply(step: Step, run: { planHash: string; idempotencyKey: string }): Promise<void>;
}

/** Longest that one request may take, and so the longest until a request of a crashed run can still land. */
export const LONGEST_REQUEST_MS = 10_000;
