import type { CallFacts } from './call-facts.ts';
import type { CallWindow, ServiceName } from './call-statistics-store.ts';
import type { Measure } from './metric-source.ts';
import type { Rollup, Span } from './rollup-store.ts';
import type { Stretch } from './stretch.ts';

/** Where the calls of a service are read from: the database, or memory. */
export interface CallRecords {
  /** Roll-ups that start within one of the stretches, oldest first; the stretches do not overlap. */
  rollups(of: ServiceName & { span: Span; stretches: readonly Stretch[] }): Promise<Rollup[]>;
  /** For each stretch a number that rises whenever one of its roll-ups changes. */
  versions(of: ServiceName & { stretches: readonly (Stretch & { span: Span })[] }): Promise<number[]>;
  /** Calls within one of the stretches, oldest first; the stretches do not overlap. */
  facts(of: ServiceName & { stretches: readonly Stretch[]; withWords: boolean }): Promise<CallFacts[]>;
  /** The newest calls that say something about the measure, oldest first. */
  newest(of: ServiceName & Stretch & { measure: Measure; limit: number }): Promise<CallFacts[]>;
  /** Safety events of a rule that were noted in the window. */
  safety(window: CallWindow & { rule: string }): Promise<{ n: number; kinds: string[] }>;
}
