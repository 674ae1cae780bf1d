import type { Answer, Question, Reading } from '../metric-source.ts';
import { type Asker, type Asking, type Found, keyOf } from './asking.ts';
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
}

/** Answers questions about now. It remembers how long a time "the newest calls" of a rule were. */
export function windowReader(asker: Asker, delayMs: number) {
  const learnedMs = new Map<string, number>();

  const firstOf = (plan: Planned): Open => {
    const { question } = plan;
    const longestMs = question.to.getTime() - question.from.getTime();
    if (question.newest === undefined) return { ...plan, windowMs: longestMs };
    return { ...plan, windowMs: Math.min(longestMs, learnedMs.get(learnedKey(question)) ?? FIRST_WINDOW_MS) };
  };

  return {
    async read(plans: readonly Planned[], moment: Moment): Promise<Map<Question, Answer>> {
      const answers = new Map<Question, Answer>();
      let open = plans.map(firstOf);
      for (let round = 0; round < MOST_ROUNDS && open.length > 0; round += 1) {
        const found = await asker.ask(
          open.flatMap((one) => Object.values(askingsOf(one, delayMs))),
          moment,
        );
        open = open.flatMap((one) => {
          const answer = answerOf(one, { found, delayMs });
          if (isBetter(answer, answers.get(one.question), one.question)) {
            answers.set(one.question, answer);
            if (one.question.newest !== undefined) learnedMs.set(learnedKey(one.question), one.windowMs);
          }
          const windowMs = answer.kind === 'reading' ? nextFor(one, answer.reading) : null;
          return windowMs === null ? [] : [{ ...one, windowMs }];
        });
      }
      return answers;
    },
  };
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

function askingsOf({ question, recipe, windowMs }: Open, delayMs: number): Record<string, Asking> {
  const atS = (Math.floor((question.to.getTime() - delayMs) / STEP_MS) * STEP_MS) / 1000;
  return Object.fromEntries(
    Object.entries(recipe.expressions(durationOf(windowMs))).map(([name, expression]) => [
      name,
      { expression, startS: atS, endS: atS },
    ]),
  );
}

function answerOf(
  open: Open,
  { found, delayMs }: { found: ReadonlyMap<string, Found>; delayMs: number },
): Answer {
  const { question, recipe, windowMs } = open;
  const askings = Object.entries(askingsOf(open, delayMs));
  const rows = rowsOf(askings, found);
  if ('problem' in rows) return { kind: 'problem', problem: rows.problem };
  try {
    const reading = recipe.read(rows.rows, { windowMs, rule: question.rule });
    return { kind: 'reading', reading: withSpan(reading, open) };
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return { kind: 'problem', problem: thrown.message };
  }
}

/** What was found of all expressions of one question, or the problem of the first that has one. */
function rowsOf(
  askings: readonly (readonly [string, Asking])[],
  found: ReadonlyMap<string, Found>,
): { rows: Rows } | { problem: string } {
  const rows: Record<string, Rows[string]> = {};
  for (const [name, asking] of askings) {
    const one = found.get(keyOf(asking));
    if (one !== undefined && 'problem' in one) return one;
    rows[name] = one?.points ?? [];
  }
  return { rows };
}

function withSpan(reading: Reading, { question, windowMs }: Open): Reading {
  if (question.newest === undefined || reading.value === null || reading.about !== undefined) return reading;
  return { ...reading, about: `the calls of the last ${Math.round(windowMs / 60_000)} minutes` };
}
