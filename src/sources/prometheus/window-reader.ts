import type { Answer, Question, Reading } from '../metric-source.ts';
import type { Asker, Asking, Found } from './asking.ts';
import { isUncounted } from './custom-query.ts';
import { FIRST_WINDOW_MS, nextWindowMs } from './newest.ts';
import type { Moment, Planned } from './planned.ts';
import { durationOf } from './promql.ts';
import type { Rows } from './recipe.ts';

/** Times are even, so that replicas ask the same and a cache before the server can answer. */
const STEP_MS = 15_000;
const MOST_ROUNDS = 4;

interface Open extends Planned {
  windowMs: number;
  /** The names of the recipe's expressions, and the expressions in the same order. */
  names: readonly string[];
  askings: readonly Asking[];
}

/** Answers questions about now. It remembers how long a time "the newest calls" of a rule were. */
export function windowReader(asker: Asker, delayMs: number) {
  const learnedMs = new Map<string, number>();

  const firstOf = (plan: Planned): Open => {
    const { question } = plan;
    const longestMs = question.to.getTime() - question.from.getTime();
    if (question.newest === undefined) return opened(plan, longestMs, delayMs);
    const learned = learnedMs.get(learnedKey(question)) ?? FIRST_WINDOW_MS;
    return opened(plan, Math.min(longestMs, learned), delayMs);
  };

  return {
    async read(plans: readonly Planned[], moment: Moment): Promise<Map<Question, Answer>> {
      const answers = new Map<Question, Answer>();
      let open = plans.map(firstOf);
      for (let round = 0; round < MOST_ROUNDS && open.length > 0; round += 1) {
        const all = open.flatMap(({ askings }) => askings);
        const found = await asker.ask(all, moment);
        let next = 0;
        open = open.flatMap((one) => {
          const answer = answerOf(one, found.slice(next, next + one.askings.length));
          next += one.askings.length;
          if (isBetter(answer, answers.get(one.question), one.question)) {
            answers.set(one.question, answer);
            if (one.question.newest !== undefined) learnedMs.set(learnedKey(one.question), one.windowMs);
          }
          const windowMs = answer.kind === 'reading' ? nextFor(one, answer.reading) : null;
          return windowMs === null ? [] : [opened(one, windowMs, delayMs)];
        });
      }
      return answers;
    },
  };
}

function opened({ question, recipe }: Planned, windowMs: number, delayMs: number): Open {
  const atS = (Math.floor((question.to.getTime() - delayMs) / STEP_MS) * STEP_MS) / 1000;
  const expressions = recipe.expressions(durationOf(windowMs));
  const askings = Object.values(expressions).map((expression) => ({ expression, startS: atS, endS: atS }));
  return { question, recipe, windowMs, names: Object.keys(expressions), askings };
}

const learnedKey = ({ service, environment, rule, measure }: Question) =>
  JSON.stringify([service, environment, rule, measure]);

/** When looking for the newest calls, enough of them is better than too few. */
function isBetter(answer: Answer, before: Answer | undefined, { newest }: Question): boolean {
  if (before?.kind !== 'reading' || newest === undefined) return true;
  return answer.kind === 'reading' && (answer.reading.n >= newest || before.reading.n < newest);
}

function nextFor({ question, windowMs }: Open, reading: Reading): number | null {
  if (question.newest === undefined || isUncounted(reading)) return null;
  const longestMs = question.to.getTime() - question.from.getTime();
  return nextWindowMs({ windowMs, n: reading.n, newest: question.newest, longestMs });
}

function answerOf(open: Open, found: readonly Found[]): Answer {
  const { question, recipe, windowMs, names } = open;
  const rows: Record<string, Rows[string]> = {};
  for (const [place, one] of found.entries()) {
    if ('problem' in one) return { kind: 'problem', problem: one.problem };
    rows[names[place] ?? ''] = one.points;
  }
  try {
    const reading = recipe.read(rows, { windowMs, rule: question.rule });
    return { kind: 'reading', reading: withSpan(reading, open) };
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return { kind: 'problem', problem: thrown.message };
  }
}

function withSpan(reading: Reading, { question, windowMs }: Open): Reading {
  if (question.newest === undefined || reading.value === null || reading.about !== undefined) return reading;
  return { ...reading, about: `the calls of the last ${Math.round(windowMs / 60_000)} minutes` };
}
