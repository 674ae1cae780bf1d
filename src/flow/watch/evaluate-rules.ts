import { setImmediate } from 'node:timers/promises';
import type { Trouble } from '../../db/trouble-store.ts';
import type { Readings, RuleVerdict } from '../../detection/rule.ts';
import { questionsOf, type WatchedRule } from '../../detection/watched-rule.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import type { Interval } from '../../sources/call.ts';
import type { Answer, MetricSource, Question, Reading } from '../../sources/metric-source.ts';

/** What one rule said, and the source that its numbers came from. */
export interface Evaluated {
  watched: WatchedRule;
  verdict: RuleVerdict;
  source: string;
}

interface Asked {
  watched: WatchedRule;
  name: string;
  question: Question;
  source: MetricSource;
}

export interface Evaluating {
  now: Date;
  /** When something was wrong with the service: a baseline leaves it out. */
  troubledTimes(service: { service: string; environment: string }): readonly Interval[];
  sourceFor(question: Question): MetricSource;
}

/** A source has its own timeout; one that breaks even that must not hold up the tick. */
const LONGEST_READ_MS = 45_000;
/** So long rules are judged before everything else, `POST /v1/check` above all, has its turn. */
const TURN_MS = 10;

/**
 * Asks every source once for all that the rules need, and judges. A source that cannot be reached, a query that fails
 * and a rule that throws are troubles with a name; none stops the others. A rule whose source has no such measure is
 * left out.
 */
export async function evaluateRules(
  watched: readonly WatchedRule[],
  around: Evaluating,
): Promise<{ evaluated: Evaluated[]; troubles: Trouble[] }> {
  const asked = watched.flatMap((one) => {
    const troubled = around.troubledTimes(one);
    return questionsOf(one, { now: around.now, troubled }).map(([name, question]): Asked => {
      return { watched: one, name, question, source: around.sourceFor(question) };
    });
  });
  const answers = new Map<Question, Answer>();
  const troubles: Trouble[] = [];
  const bySource = Map.groupBy(asked, (one) => one.source);
  await Promise.all(
    [...bySource].map(async ([source, ofSource]) => {
      const questions = ofSource.map((one) => one.question);
      const read = await readAll(source, questions, around.now);
      read.answers.forEach((answer, i) => {
        answers.set(questions[i] as Question, answer);
      });
      troubles.push(...read.troubles);
    }),
  );
  const blind: Blindness[] = [];
  const evaluated: Evaluated[] = [];
  let turnSince = performance.now();
  for (const [one, ofRule] of Map.groupBy(asked, (each) => each.watched)) {
    const judged = judge(one, ofRule, answers);
    troubles.push(...judged.troubles);
    if (judged.problem !== null) blind.push({ watched: one, problem: judged.problem });
    if (judged.verdict !== null) {
      evaluated.push({ watched: one, verdict: judged.verdict, source: ofRule[0]?.source.name ?? '' });
    }
    if (performance.now() - turnSince < TURN_MS) continue;
    await setImmediate();
    turnSince = performance.now();
  }
  return { evaluated, troubles: [...troubles, ...blindTroubles(blind)] };
}

async function readAll(
  source: MetricSource,
  questions: readonly Question[],
  now: Date,
): Promise<{ answers: Answer[]; troubles: Trouble[] }> {
  try {
    const answers = await withinLimit(source, source.read(questions, now));
    if (answers.length !== questions.length)
      throw new Error(`answered ${answers.length} of ${questions.length} questions`);
    return { answers: answers.map(withoutNaN), troubles: [] };
  } catch (thrown) {
    const problem = `source ${source.name}: ${messageOf(thrown)}`;
    const answers = questions.map((): Answer => ({ kind: 'problem', problem }));
    return { answers, troubles: [{ key: `source:${source.name}`, problem }] };
  }
}

/** Policy: what is not a finite number is no number; it neither fires nor clears anything. */
function withoutNaN(answer: Answer): Answer {
  if (answer.kind !== 'reading') return answer;
  const { n, value, sd } = answer.reading;
  const isFine =
    Number.isFinite(n) && n >= 0 && [value, sd].every((it) => it === null || Number.isFinite(it));
  return isFine ? answer : { kind: 'problem', problem: `answered n = ${n}, value = ${value}, sd = ${sd}` };
}

async function withinLimit<T>(source: MetricSource, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `did not answer within ${LONGEST_READ_MS / 1000} s`;
      reject(new ExternalError(message, { service: source.name, retryable: true }));
    }, LONGEST_READ_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

interface Judged {
  /** Null when the source has no such measure, or the rule itself failed. */
  verdict: RuleVerdict | null;
  troubles: Trouble[];
  /** Why it is blind, where the source itself is there. */
  problem: string | null;
}

function judge(watched: WatchedRule, asked: readonly Asked[], answers: Map<Question, Answer>): Judged {
  const { rule, settings, service } = watched;
  const given = asked.map(({ name, question }): [string, Answer] => [
    name,
    answers.get(question) ?? { kind: 'unsupported' },
  ]);
  const isWindowUnsupported = asked.every(
    ({ question }) => question.isBaseline || answers.get(question)?.kind === 'unsupported',
  );
  if (isWindowUnsupported) return { verdict: null, troubles: [], problem: null };
  const problems = given.flatMap(([, answer]) => (answer.kind === 'problem' ? [answer.problem] : []));
  const readings = Object.fromEntries(
    given.map(([name, answer]): [string, Reading | null] => [
      name,
      answer.kind === 'reading' ? answer.reading : null,
    ]),
  );
  try {
    const isBlind =
      problems.length > 0 &&
      asked.every(({ name, question }) => question.isBaseline || readings[name] === null);
    const verdict = isBlind ? blind(watched, problems) : judgeWith(watched, readings);
    const own = problems.filter((problem) => !problem.startsWith('source '));
    return { verdict, troubles: [], problem: own[0] ?? null };
  } catch (thrown) {
    const problem = `rule ${rule.id} of ${service} failed with these settings (threshold ${settings.threshold}): ${messageOf(thrown)}`;
    return { verdict: null, troubles: [{ key: `rule:${nameOf(watched)}`, problem }], problem: null };
  }
}

function judgeWith({ rule, settings }: WatchedRule, readings: Readings<string>): RuleVerdict {
  const verdict = rule.judge(readings, settings);
  if (verdict.value !== null && !Number.isFinite(verdict.value)) throw new Error(`value ${verdict.value}`);
  return verdict;
}

interface Blindness {
  watched: WatchedRule;
  problem: string;
}

/** What makes several rules of one service blind is one trouble, with the key of the first of them. */
function blindTroubles(blind: readonly Blindness[]): Trouble[] {
  const groups = Map.groupBy(blind, ({ watched: { service, environment }, problem }) =>
    JSON.stringify([environment, service, problem]),
  );
  return [...groups.values()].map((its) => {
    const [{ watched, problem }] = its as [Blindness];
    const ids = [...new Set(its.map((one) => one.watched.rule.id))];
    const who = ids.length === 1 ? `rule ${ids[0]}` : `rules ${ids.join(', ')}`;
    const are = ids.length === 1 ? 'is' : 'are';
    return {
      key: `rule:${nameOf(watched)}`,
      problem: `${who} of ${watched.service} ${are} blind: ${problem}`,
    };
  });
}

function blind({ rule, settings }: WatchedRule, problems: readonly string[]): RuleVerdict {
  return {
    rule: rule.id,
    warning: rule.warning,
    state: 'no-data',
    value: null,
    baseline: null,
    n: 0,
    baselineN: 0,
    lower: null,
    upper: null,
    threshold: settings.threshold,
    pastBound: false,
    unmistakable: false,
    isClear: false,
    detail: problems[0] ?? null,
  };
}

function nameOf({ rule, service, environment }: WatchedRule): string {
  return `${environment}/${service}/${rule.id}${rule.warning ? ' (early warning)' : ''}`;
}
