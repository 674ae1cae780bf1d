import type { Rule, RuleVerdict } from '../../src/detection/rule.ts';
import { rules } from '../../src/detection/rules.ts';
import { warningRules } from '../../src/detection/sequential/warning-rules.ts';
import { nextSignal, type Signal } from '../../src/detection/signal.ts';
import type { CallFacts } from '../../src/sources/call-facts.ts';
import { statsOf } from '../../src/sources/call-stats.ts';
import type { Measure, Reading } from '../../src/sources/metric-source.ts';
import { readingOf } from '../../src/sources/stats-reading.ts';
import { type Measurement, quantile } from '../measurement.ts';
import { atMost } from './bounded.ts';
import { type Chance, chanceFrom } from './chance.ts';
import { recorded } from './recorded.ts';

const FILE = 'azure-llm-code-2023.csv';
const SEED = 20_231_116;
const USERS = 20;
const POLL_MS = 15_000;
const MINUTE_MS = 60_000;
/** The looping user makes so many times its calls. */
const LOOP = 5;
/** When a loop begins, in minutes from the second half's beginning. */
const LOOP_STARTS: readonly number[] = [2, 7, 12, 17];
const LOOP_MS = 2 * MINUTE_MS;
/** Calls a minute from which on a user's loop must be seen within a minute. */
const BUSY = 10;
const NOTHING: CallFacts = {
  at: new Date(0),
  isSpan: true,
  failed: false,
  latencyMs: null,
  inputTokens: null,
  outputTokens: null,
  outputChars: null,
  inputChars: null,
  costUsd: null,
  userId: null,
  endpoint: null,
  quality: null,
  judge: null,
  similarity: null,
  formatOk: null,
  refused: null,
  hedged: null,
  contradicts: null,
  unsupported: null,
  words: null,
};

/** The token rules of one service, polled as in production over the second half of the trace. */
const tokenRules: readonly Rule[] = [...rules, ...warningRules].filter(({ id }) =>
  ['cost.tokens', 'cost.spike', 'cost.share'].includes(id),
);
const MEASURES: readonly Measure[] = ['tokens', 'largest', 'offender'];

interface Opened {
  rule: string;
  warning: boolean;
  at: Date;
  detail: string | null;
}

/**
 * One hour of a production service (Azure, Splitwise, ISCA 2024) with users drawn for its calls: the first half is the
 * baseline of every rule, the second half is watched.
 */
export function tokenTrace(): Measurement[] {
  const text = recorded(FILE);
  if (text === null) return [];
  const chance = chanceFrom(SEED);
  const calls = callsOf(text, chance);
  const [from, to] = [calls[0]?.at.getTime() ?? 0, calls.at(-1)?.at.getTime() ?? 0];
  const half = from + (to - from) / 2;
  const before = calls.filter(({ at }) => at.getTime() < half);
  const after = calls.filter(({ at }) => at.getTime() >= half);
  const baseline = baselineOf(before, { from: new Date(from), to: new Date(half) });
  const quiet = watched({ calls, baseline, from: half, to });
  for (const { rule, warning, detail } of quiet) console.error(`false alarm: ${rule} ${warning} ${detail}`);
  const found = delaysOf({ calls: after, before, baseline, half, chance });
  return [
    atMost({
      name: `token rules: false alarms of ${tokenRules.length} rules in the second half, beside the polls that could`,
      floor: Math.floor((to - half) / POLL_MS) * tokenRules.length,
      value: quiet.length,
      unit: 'alarms',
      limit: 0,
    }),
    loopFound(`${BUSY} calls a minute or more, slowest`, {
      found: found.busy,
      share: 1,
      withinMs: MINUTE_MS,
    }),
    loopFound(`fewer calls a minute, median`, { found: found.quiet, share: 0.5, withinMs: 2 * MINUTE_MS }),
  ];
}

function loopFound(
  who: string,
  { found, share, withinMs }: { found: readonly number[]; share: number; withinMs: number },
): Measurement {
  return atMost({
    name: `loop at ${LOOP} × the rate of one of ${USERS} users: seconds to a warning with its name, ${who} of ${found.length}`,
    floor: MINUTE_MS / 1_000,
    value: Math.ceil(quantile(found, share)),
    unit: 's',
    limit: withinMs / 1_000,
  });
}

/** Seconds from the beginning of a loop to the first warning about it, for every user and beginning. */
function delaysOf(of: {
  calls: readonly CallFacts[];
  before: readonly CallFacts[];
  baseline: Readonly<Record<string, Reading>>;
  half: number;
  chance: Chance;
}): { busy: number[]; quiet: number[] } {
  const { calls, before, baseline, half, chance } = of;
  const windows = (baseline['offender']?.coveredMs ?? 1) / LOOP_MS;
  const delays = { busy: [] as number[], quiet: [] as number[] };
  for (const [user, own] of Map.groupBy(before, ({ userId }) => userId)) {
    const isBusy = own.length / windows >= (BUSY * LOOP_MS) / MINUTE_MS;
    for (const minutes of LOOP_STARTS) {
      const start = half + minutes * MINUTE_MS;
      const extra = (own.length / windows) * (LOOP - 1);
      const loop = Array.from({ length: Math.round(extra) }, (_, i) => ({
        ...chance.pick(own),
        at: new Date(start + ((i + 0.5) / extra) * LOOP_MS),
      }));
      const all = [...calls, ...loop].sort((a, b) => a.at.getTime() - b.at.getTime());
      const opened = watched({ calls: all, baseline, from: start, to: start + LOOP_MS });
      const first = opened.find(
        ({ rule, detail }) => rule === 'cost.share' && detail?.startsWith(`user ${user},`),
      );
      const seconds = first === undefined ? Number.POSITIVE_INFINITY : (first.at.getTime() - start) / 1_000;
      delays[isBusy ? 'busy' : 'quiet'].push(seconds);
    }
  }
  return delays;
}

/** What the token rules open between two times, each with its own shipped settings. */
function watched(of: {
  calls: readonly CallFacts[];
  baseline: Readonly<Record<string, Reading>>;
  from: number;
  to: number;
}): Opened[] {
  const opened: Opened[] = [];
  const signals = new Map<Rule, Signal>();
  for (let time = of.from + POLL_MS; time <= of.to; time += POLL_MS) {
    const now = new Date(time);
    const windows = new Map<string, Reading>();
    for (const rule of tokenRules) {
      const verdict = verdictOf(rule, { calls: of.calls, baseline: of.baseline, now, windows });
      const next = nextSignal(signals.get(rule) ?? null, verdict, { settings: rule.defaults, now });
      signals.set(rule, next);
      if (next.opened) opened.push({ rule: rule.id, warning: rule.warning, at: now, detail: verdict.detail });
    }
  }
  return opened;
}

function verdictOf(
  rule: Rule,
  at: {
    calls: readonly CallFacts[];
    baseline: Readonly<Record<string, Reading>>;
    now: Date;
    windows: Map<string, Reading>;
  },
): RuleVerdict {
  const readings = Object.entries(rule.asks(rule.defaults)).map(([name, { measure, over }]) => {
    if (over.kind !== 'window') return [name, at.baseline[measure] ?? null];
    const from = new Date(at.now.getTime() - over.minutes * MINUTE_MS);
    const key = `${measure} ${over.minutes}`;
    const known = at.windows.get(key) ?? reading(at.calls, { measure, from, to: at.now });
    at.windows.set(key, known);
    return [name, known];
  });
  return rule.judge(Object.fromEntries(readings), rule.defaults);
}

function baselineOf(
  calls: readonly CallFacts[],
  between: { from: Date; to: Date },
): Readonly<Record<string, Reading>> {
  return Object.fromEntries(MEASURES.map((measure) => [measure, reading(calls, { measure, ...between })]));
}

function reading(calls: readonly CallFacts[], question: { measure: Measure; from: Date; to: Date }): Reading {
  const within = calls.filter(({ at }) => at >= question.from && at < question.to);
  return readingOf(
    statsOf(within, ['tokens', 'perMinute', 'perRequest', 'maxTokens', 'parts', 'firstMs']),
    question,
  );
}

/** Users by a Zipf law with exponent ½: the busiest makes about 13 % of the calls, the quietest 3 %. */
function callsOf(text: string, chance: Chance): CallFacts[] {
  const weights = Array.from({ length: USERS }, (_, i) => (i + 1) ** -0.5);
  const total = weights.reduce((sum, one) => sum + one, 0);
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [time = '', input, output] = line.split(',');
      let left = chance.next() * total;
      const user = weights.findIndex((weight) => {
        left -= weight;
        return left < 0;
      });
      return {
        ...NOTHING,
        at: new Date(`${time.slice(0, 23).replace(' ', 'T')}Z`),
        inputTokens: Number(input),
        outputTokens: Number(output),
        userId: `u${user}`,
      };
    });
}
