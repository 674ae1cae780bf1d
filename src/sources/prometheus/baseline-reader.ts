import type { Answer, Question } from '../metric-source.ts';
import { type Asker, type Asking, type Found, keyOf } from './asking.ts';
import { baselineOf, type HourRow, hoursOf } from './baseline.ts';
import type { Moment, Planned } from './planned.ts';
import { durationOf } from './promql.ts';
import { NOTHING, type Rows } from './recipe.ts';

const HOUR_S = 3_600;
const CACHED_MS = 30 * 60_000;

/** A week, with the expressions that ask for its hours, or for the whole of it at once. */
interface Week extends Planned {
  key: string;
  spanMs: number;
  askings: Record<string, Asking>;
}

/** Answers questions about the days before, which are asked for every half hour at most. */
export function baselineReader(asker: Asker, delayMs: number) {
  const cache = new Map<string, { untilMs: number; answer: Answer }>();
  return {
    async read(plans: readonly Planned[], moment: Moment): Promise<Map<Question, Answer>> {
      const nowMs = moment.now.getTime();
      for (const [key, { untilMs }] of cache) if (untilMs <= nowMs) cache.delete(key);
      const answers = new Map<Question, Answer>();
      const weeks = plans.map((plan) => weekOf(plan, delayMs));
      const open = weeks.filter((week) => !cache.has(week.key));
      const found = await asker.ask(
        open.flatMap(({ askings }) => Object.values(askings)),
        moment,
      );
      for (const week of weeks) {
        const answer = cache.get(week.key)?.answer ?? answerOf(week, found);
        answers.set(week.question, answer);
        if (answer.kind === 'reading' && !cache.has(week.key)) {
          cache.set(week.key, { untilMs: nowMs + CACHED_MS, answer });
        }
      }
      return answers;
    },
  };
}

function weekOf({ question, recipe }: Planned, delayMs: number): Week {
  const { service, environment, rule, measure, excluding = [] } = question;
  const to = new Date(question.to.getTime() - delayMs);
  const hours = hoursOf({ from: question.from, to });
  const spanMs = hours === null ? 0 : hours.last.getTime() - hours.first.getTime() + HOUR_S * 1000;
  const endS = (hours?.last.getTime() ?? 0) / 1000;
  const isWhole = recipe.baseline === 'whole';
  const startS = isWhole ? endS : (hours?.first.getTime() ?? 0) / 1000;
  const expressions = recipe.expressions(durationOf(isWhole ? spanMs : HOUR_S * 1000));
  const askings = Object.entries(expressions).map(([name, expression]) => [
    name,
    { expression, startS, endS },
  ]);
  const key = JSON.stringify([service, environment, rule, measure, startS, endS, excluding]);
  return { question, recipe, key, spanMs, askings: hours === null ? {} : Object.fromEntries(askings) };
}

function answerOf({ question, recipe, askings, spanMs }: Week, found: ReadonlyMap<string, Found>): Answer {
  const rows: Record<string, HourRow[]> = {};
  for (const [name, asking] of Object.entries(askings)) {
    const one = found.get(keyOf(asking));
    if (one !== undefined && 'problem' in one) return { kind: 'problem', problem: one.problem };
    rows[name] = (one?.points ?? []).map((point) => ({ ...point, at: new Date(point.atS * 1000) }));
  }
  try {
    return { kind: 'reading', reading: readingOf({ question, recipe }, rows, spanMs) };
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    return { kind: 'problem', problem: thrown.message };
  }
}

function readingOf({ question, recipe }: Planned, rows: Rows & Record<string, HourRow[]>, spanMs: number) {
  if (spanMs === 0) return NOTHING;
  if (recipe.baseline === 'whole') return recipe.read(rows, { windowMs: spanMs, rule: question.rule });
  return baselineOf(recipe, question, rows);
}
