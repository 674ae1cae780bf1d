import type { Answer, Question } from '../metric-source.ts';
import type { Asker, Asking, Found } from './asking.ts';
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
  names: readonly string[];
  askings: readonly Asking[];
}

/** Answers questions about the days before, which are asked for every half hour at most. */
export function baselineReader(asker: Asker, delayMs: number) {
  const cache = new Map<string, { untilMs: number; answer: Answer }>();
  return {
    async read(plans: readonly Planned[], moment: Moment): Promise<Map<Question, Answer>> {
      const nowMs = moment.now.getTime();
      for (const [key, { untilMs }] of cache) if (untilMs <= nowMs) cache.delete(key);
      const answers = new Map<Question, Answer>();
      const fresh = new Map<string, Answer>();
      const weeks = plans.map((plan) => weekOf(plan, delayMs));
      const open = weeks.filter((week) => !cache.has(week.key));
      const all = open.flatMap(({ askings }) => askings);
      const found = await asker.ask(all, moment);
      let next = 0;
      for (const week of weeks) {
        const kept = cache.get(week.key)?.answer;
        const answer = kept ?? answerOf(week, found.slice(next, next + week.askings.length));
        if (kept === undefined) next += week.askings.length;
        answers.set(week.question, answer);
        if (answer.kind === 'reading' && kept === undefined) fresh.set(week.key, answer);
      }
      for (const [key, answer] of fresh) cache.set(key, { untilMs: nowMs + CACHED_MS, answer });
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
  const key = JSON.stringify([service, environment, rule, measure, startS, endS, excluding]);
  if (hours === null) return { question, recipe, key, spanMs, names: [], askings: [] };
  const askings = Object.values(expressions).map((expression) => ({ expression, startS, endS }));
  return { question, recipe, key, spanMs, names: Object.keys(expressions), askings };
}

function answerOf({ question, recipe, names, spanMs }: Week, found: readonly Found[]): Answer {
  const rows: Record<string, HourRow[]> = {};
  for (const [place, one] of found.entries()) {
    if ('problem' in one) return { kind: 'problem', problem: one.problem };
    rows[names[place] ?? ''] = one.points.map((point) => ({ ...point, at: new Date(point.atS * 1000) }));
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
