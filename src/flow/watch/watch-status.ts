import { troublesNow } from '../../db/trouble-store.ts';
import { categoryOf } from '../../detection/rule.ts';
import { ruleOf } from '../../detection/rules.ts';
import { settingsIn } from '../../detection/settings.ts';
import { type StoredSignal, signalsOf } from '../../detection/signal-store.ts';
import type { Flow } from '../flow.ts';

/** What the bot sees now, and where it is blind. */
export interface WatchStatus {
  signals: (StoredSignal & { shadow: boolean })[];
  troubles: { key: string; problem: string; since: Date }[];
}

export async function watchStatus(flow: Pick<Flow, 'db' | 'config'>): Promise<WatchStatus> {
  const signals = await signalsOf(flow.db);
  return {
    signals: signals.map((signal) => ({ ...signal, shadow: isShadow(flow, signal) })),
    troubles: await troublesNow(flow.db),
  };
}

function isShadow(flow: Pick<Flow, 'config'>, signal: StoredSignal): boolean {
  const rule = ruleOf(signal.rule, signal.warning);
  return rule !== undefined && settingsIn(flow.config, rule, signal).shadow;
}

/**
 * The status in lines of text, the worst first: "support-answers quality.score: firing since 02:31 UTC". Signals without
 * enough data are one line a service; those that are ok are only counted. What is private by category is left out.
 */
export function describeWatch(status: WatchStatus): string[] {
  const { troubles } = status;
  const signals = status.signals.filter(({ rule }) => categoryOf(rule) !== 'safety');
  const speaking = SPEAKING.flatMap((state) => signals.filter((signal) => signal.state === state));
  const ok = signals.filter((signal) => signal.state === 'ok').length;
  return [
    ...speaking.map(lineOf),
    ...troubles.map(({ problem, since }) => `blind since ${minute(since)}: ${problem}`),
    ...lackLines(signals),
    `${ok} of ${signals.length} signals ok`,
  ];
}

const SPEAKING = ['firing', 'recovering', 'pending'] as const;

function lineOf(signal: WatchStatus['signals'][number]): string {
  const kind = [signal.warning ? 'early warning' : null, signal.shadow ? 'shadow' : null];
  const marks = kind.filter((mark) => mark !== null);
  const suffix = marks.length === 0 ? '' : ` (${marks.join(', ')})`;
  return `${signal.service} ${signal.rule}${suffix}: ${signal.state} since ${minute(signal.since)}`;
}

function lackLines(signals: WatchStatus['signals']): string[] {
  const lacking = signals.filter(({ state, warning }) => !warning && LACKS.has(state));
  return [...Map.groupBy(lacking, ({ service }) => service)].map(([service, its]) => {
    const said = [...Map.groupBy(its, ({ state }) => state)].map(
      ([state, rules]) => `${LACKS.get(state)} for ${rules.map(({ rule }) => rule).join(', ')}`,
    );
    return `${service}: ${said.join('; ')}`;
  });
}

const LACKS = new Map<string, string>([
  ['no-data', 'no data'],
  ['insufficient', 'too little data'],
]);

const minute = (at: Date) => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
