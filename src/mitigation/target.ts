import type { Step } from './plan.ts';
import type { Setting, TargetState } from './serving.ts';

/**
 * What carries a mitigation out. `read` says what is true now, which is what makes a half-done run safe to resume.
 * Every failure is an ExternalError; `outcomeUnknown` is set when the change may have been made all the same.
 */
export interface Target {
  /** "webhook 127.0.0.1:9000"; it is part of the plan, so it must not change with the state. */
  describe(): string;
  /** Whether it can change this setting at all; asked before anything is proposed. */
  can(setting: Setting): boolean;
  /**
   * The settings that it knows, with their values now. `about`: those that a plan is about, for a target that cannot list
   * all of a kind, such as the limits of every user.
   */
  read(about?: readonly Setting[]): Promise<TargetState>;
  /** Why it cannot make this change at all, before anyone votes on it; null when it can try. */
  refuses?(step: Pick<Step, 'setting' | 'to'>): string | null;
  /** The same `idempotencyKey` twice has one effect. Changes the step's setting from `from` to `to`. */
  apply(step: Step, run: TargetRun): Promise<void>;
  /** Who changed its settings after `since`, where its own record says; newest first. */
  changes?(since: Date): Promise<TargetChange[]>;
  /** Where a person switches it by hand when the bot is away: named in every page. */
  byHand?(): string;
}

/** `isGivenBack`: the step returns what an earlier mitigation took, so nothing has to be kept of it. */
export interface TargetRun {
  planHash: string;
  idempotencyKey: string;
  isGivenBack?: boolean;
}

/** A change of a setting, by the target's own record. */
export interface TargetChange {
  setting: Setting;
  at: Date;
  by: string | null;
  /** The vendor's word for it, e.g. "feature-environment-disabled". */
  what: string;
}

/** Longest that one request may take, and so the longest until a request of a crashed run can still land. */
export const LONGEST_REQUEST_MS = 10_000;
