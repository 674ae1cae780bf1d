import { type CallFacts, isHallucinating } from '../sources/call-facts.ts';
import type { Inspected } from '../sources/inspected-call.ts';
import type { EndedEarly } from './replay-through.ts';

/** What a recorded call can have failed, and what its replay is looked at for. */
export type Check =
  | 'answer'
  | 'format'
  | 'score'
  | 'length'
  | 'refusal'
  | 'hallucination'
  | 'pii'
  | 'policy'
  | 'classifier'
  | 'user-flag';

export type Side = 'failing' | 'good';
export type Verdict = 'pass' | 'fail' | 'unjudged';

/** What is known of a recorded call. */
export interface RecordedFacts extends Pick<CallFacts, 'hedged' | 'contradicts' | 'unsupported' | 'refused'> {
  error: string | null;
  formatOk: boolean | null;
  quality: number | null;
  outputChars: number | null;
  /** Rules of single events that it tripped: "safety.pii". */
  safetyRules: readonly string[];
}

/** Where the line is between a bad answer and one that will do. */
export interface Bars {
  passScore: number;
  /** Null where no usual length is known. */
  minChars: number | null;
}

const RULE_CHECKS: Readonly<Record<string, Check>> = {
  'quality.score': 'score',
  'quality.format': 'format',
  'quality.length': 'length',
  'quality.refusal': 'refusal',
  'quality.hallucination': 'hallucination',
  'outage.errors': 'answer',
  'safety.pii': 'pii',
  'safety.policy': 'policy',
  'safety.classifier': 'classifier',
  'safety.user_flag': 'user-flag',
};

/** What the rule looks at in a single call; null for a rule that looks at many together, such as a cost. */
export function checkOf(rule: string | null): Check | null {
  return rule === null ? null : (RULE_CHECKS[rule] ?? null);
}

/** What the recorded call failed. */
export function failedChecks(facts: RecordedFacts, { passScore, minChars }: Bars): Check[] {
  const failed: [Check, boolean][] = [
    ['answer', facts.error !== null],
    ['format', facts.formatOk === false],
    ['score', facts.quality !== null && facts.quality < passScore],
    ['length', minChars !== null && facts.outputChars !== null && facts.outputChars < minChars],
    ['refusal', facts.refused === true],
    ['hallucination', isHallucinating(facts) === true],
    ...facts.safetyRules.flatMap((rule): [Check, boolean][] => {
      const check = checkOf(rule);
      return check === null ? [] : [[check, true]];
    }),
  ];
  return failed.filter(([, isSo]) => isSo).map(([check]) => check);
}

/**
 * The checks by which all replays of an incident are judged. Policy: the one of the rule that tripped; where no rule did,
 * or one that looks at no single call, what the failing calls failed of score, format, answers and safety.
 */
export function checksFor(rule: string | null, failing: readonly (readonly Check[])[]): Check[] {
  const own = checkOf(rule);
  if (own !== null) return [own];
  const declared: readonly Check[] = [
    'answer',
    'format',
    'score',
    'pii',
    'policy',
    'classifier',
    'user-flag',
  ];
  return declared.filter((check) => failing.some((failed) => failed.includes(check)));
}

/** What can be seen of a replayed output; null: nothing here can tell. */
export interface SeenOutput {
  output: string;
  score: number | null;
  formatOk: boolean | null;
  classified: boolean | null;
  inspected: Inspected;
}

type Passed = Readonly<Record<Check, boolean | null>>;

export function passedBy(seen: SeenOutput, { passScore, minChars }: Bars): Passed {
  const { output, inspected } = seen;
  const { refused } = inspected.features;
  const hallucinating = isHallucinating(inspected.features);
  return {
    answer: output.trim() !== '',
    format: seen.formatOk ?? inspected.formatOk,
    score: seen.score === null ? null : seen.score >= passScore,
    length: minChars === null ? null : output.length >= minChars,
    refusal: refused === null ? null : !refused,
    hallucination: hallucinating === null ? null : !hallucinating,
    pii: !inspected.leaks.some(({ rule }) => rule === 'safety.pii'),
    policy: !inspected.leaks.some(({ rule }) => rule === 'safety.policy'),
    classifier: seen.classified,
    'user-flag': null,
  };
}

/** No answer may fail these, whatever the incident is about. */
const ALWAYS: readonly Check[] = ['answer', 'format', 'pii', 'policy'];

export interface Judged {
  verdict: Verdict;
  /** The check that decided it. */
  by: Check | null;
}

/**
 * Policy: a replay fails when it fails one of the incident's checks, gives no answer, breaks the format or leaks; it passes
 * when everything that the recorded call failed was looked at and is well now. What nothing here can look at is unjudged,
 * never a pass.
 */
export function judgeReplay(
  passed: Passed,
  { side, checks, failed }: { side: Side; checks: readonly Check[]; failed: readonly Check[] },
): Judged {
  const looked = [...new Set([...checks, ...ALWAYS])];
  const broken = looked.find((check) => passed[check] === false);
  if (broken !== undefined) return { verdict: 'fail', by: broken };
  const decisive = side === 'failing' ? looked.filter((check) => failed.includes(check)) : checks;
  const unseen = decisive.find((check) => passed[check] === null);
  if (decisive.length === 0) return { verdict: 'unjudged', by: null };
  if (unseen !== undefined) return { verdict: 'unjudged', by: unseen };
  return { verdict: 'pass', by: decisive[0] ?? null };
}

/** One replay as it is kept. */
export interface ReplayRecord {
  side: Side;
  verdict: Verdict;
  kind: 'answered' | 'failed' | 'timed-out';
  /** The check that decided it, or what went wrong, in our words. */
  note: string | null;
  costUsd: number | null;
}

/** What a rehearsal found. */
export interface RehearsalResult {
  /** Failing calls that pass now, of those that were judged. */
  fixed: number;
  failing: number;
  /** Good calls that fail now, of those that were judged. */
  broken: number;
  good: number;
  /** Replays that gave no answer, and count as failing; those of them that gave none in time. */
  unanswered: number;
  timedOut: number;
  unjudged: number;
  /** Chosen calls that were not replayed: their text is gone, or the run ended before. */
  withoutText: number;
  notSent: number;
  endedEarly: EndedEarly | null;
  /** About what it cost; null where nothing is known of that. */
  costUsd: number | null;
}

export function resultOf(
  records: readonly ReplayRecord[],
  missed: Pick<RehearsalResult, 'withoutText' | 'notSent' | 'endedEarly'>,
): RehearsalResult {
  const count = (is: (record: ReplayRecord) => boolean) => records.filter(is).length;
  const judged = (side: Side) => count((one) => one.side === side && one.verdict !== 'unjudged');
  const costs = records.flatMap(({ costUsd }) => costUsd ?? []);
  return {
    fixed: count(({ side, verdict }) => side === 'failing' && verdict === 'pass'),
    failing: judged('failing'),
    broken: count(({ side, verdict }) => side === 'good' && verdict === 'fail'),
    good: judged('good'),
    unanswered: count(({ kind }) => kind !== 'answered'),
    timedOut: count(({ kind }) => kind === 'timed-out'),
    unjudged: count(({ verdict }) => verdict === 'unjudged'),
    ...missed,
    costUsd: costs.length === 0 ? null : costs.reduce((total, cost) => total + cost, 0),
  };
}
