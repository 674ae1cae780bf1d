import { checkAssertion } from './assertion.ts';
import type { EvalCase } from './eval-case.ts';

/** What became of one case against a candidate. */
export interface CaseOutcome {
  readonly of: EvalCase;
  readonly kind: 'pass' | 'fail' | 'unanswered';
  /** Which assertions failed, or why there was no answer. */
  readonly why: string;
}

export interface Immunity {
  readonly cases: number;
  readonly passed: number;
  /** The incidents that would return, each with its failing cases. */
  readonly returning: readonly {
    readonly incident: string;
    readonly cases: readonly { readonly call: string; readonly description: string; readonly why: string }[];
  }[];
  readonly unanswered: number;
  /** Why those were not answered, each reason once. */
  readonly problems: readonly string[];
}

/** Policy: a case counts when it is proven and something in it can be checked without a model. */
export function countingCases(cases: readonly EvalCase[], service: string): EvalCase[] {
  return cases.filter(
    (one) =>
      one.proven &&
      (one.service === undefined || one.service === service) &&
      one.assertions.some(({ type }) => type !== 'llm-rubric'),
  );
}

/** What an answer is to a case: each assertion must hold that can be checked. */
export function outcomeOf(of: EvalCase, output: string): CaseOutcome {
  const failed = of.assertions.filter((assertion) => checkAssertion(assertion, output) === 'fail');
  const why = failed.map(({ type }) => type).join(', ');
  return { of, kind: failed.length > 0 ? 'fail' : 'pass', why };
}

export function immunityOf(outcomes: readonly CaseOutcome[]): Immunity {
  const failing = outcomes.filter(({ kind }) => kind === 'fail');
  const silent = outcomes.filter(({ kind }) => kind === 'unanswered');
  const incidents = Map.groupBy(failing, ({ of }) => of.incidentId);
  return {
    cases: outcomes.length,
    passed: outcomes.filter(({ kind }) => kind === 'pass').length,
    returning: [...incidents].map(([incident, found]) => ({
      incident,
      cases: found.map(({ of, why }) => ({ call: of.callId, description: of.description, why })),
    })),
    unanswered: silent.length,
    problems: [...new Set(silent.map(({ why }) => why))],
  };
}
