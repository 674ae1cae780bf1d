import type { ConfigFile } from '../../config/config-file.ts';
import type { Category, Severity } from '../../db/schema.ts';
import type { Trouble } from '../../db/trouble-store.ts';
import { categoryOf, type RuleId, severityOf } from '../../detection/rule.ts';
import { allRules } from '../../detection/rules.ts';
import { watchedRulesOf } from '../../detection/settings.ts';
import { type NextSignal, nextSignal } from '../../detection/signal.ts';
import type { WatchedRule } from '../../detection/watched-rule.ts';
import type { Interval } from '../../sources/call.ts';
import type { ServiceName } from '../../sources/call-statistics-store.ts';
import type { MetricSource } from '../../sources/metric-source.ts';
import { type Evaluated, evaluateRules } from './evaluate-rules.ts';

/** One episode of one rule: what would have opened, and the numbers that it would have opened with. */
export interface Episode extends ServiceName {
  rule: RuleId;
  category: Category;
  severity: Severity;
  at: Date;
  value: number | null;
  baseline: number | null;
  threshold: number | null;
  n: number;
  warning: boolean;
  shadow: boolean;
  detail: string | null;
  /** When it closed; null when it fires until the end. */
  until: Date | null;
}

/** One value of one rule at one tick, for the chart. */
export interface Point extends ServiceName {
  rule: RuleId;
  warning: boolean;
  at: Date;
  value: number;
  threshold: number | null;
}

export interface BacktestResult {
  ticks: number;
  episodes: Episode[];
  points: Point[];
  troubles: Trouble[];
}

interface History {
  config: Pick<ConfigFile, 'rules' | 'services' | 'environment'>;
  services: readonly ServiceName[];
  from: Date;
  to: Date;
  tickMs?: number;
  sourceFor(service: ServiceName): MetricSource;
}

const MINUTE_MS = 60_000;

/**
 * Runs the rules over history, one tick a minute of it, by the same verdicts and the same signal states as the live
 * bot. While a rule fires, its service's time is left out of the baselines, as an incident's would be.
 */
export async function backtest(history: History): Promise<BacktestResult> {
  const watched = history.services.flatMap((service) => watchedRulesOf(history.config, allRules, service));
  const signals = new Map<WatchedRule, NextSignal>();
  const open = new Map<WatchedRule, Episode>();
  const result: BacktestResult = { ticks: 0, episodes: [], points: [], troubles: [] };
  const tickMs = history.tickMs ?? MINUTE_MS;
  const first = Math.floor(history.from.getTime() / tickMs + 1) * tickMs;
  for (let at = first; at < history.to.getTime() + tickMs; at += tickMs) {
    const now = new Date(at);
    const { evaluated, troubles } = await evaluateRules(watched, {
      now,
      troubledTimes: (service) => troubledTimes(result.episodes, service, now),
      sourceFor: history.sourceFor,
    });
    result.ticks += 1;
    noteNew(result.troubles, troubles);
    for (const one of evaluated) {
      const signal = nextSignal(signals.get(one.watched) ?? null, one.verdict, {
        settings: one.watched.settings,
        now,
      });
      signals.set(one.watched, signal);
      if (signal.opened) result.episodes.push(begin(open, one, now));
      if (signal.cleared) end(open, one.watched, now);
      if (one.verdict.value !== null) result.points.push(pointOf(one, now));
    }
  }
  return result;
}

function begin(open: Map<WatchedRule, Episode>, { watched, verdict }: Evaluated, now: Date): Episode {
  const { service, environment, settings } = watched;
  const { value, baseline, threshold, n, warning, detail } = verdict;
  const about = { service, environment, rule: verdict.rule, category: categoryOf(verdict.rule) };
  const numbers = { value, baseline, threshold, n, detail };
  const episode: Episode = {
    ...about,
    ...numbers,
    severity: severityOf(verdict),
    at: now,
    warning,
    shadow: settings.shadow,
    until: null,
  };
  open.set(watched, episode);
  return episode;
}

function end(open: Map<WatchedRule, Episode>, watched: WatchedRule, now: Date): void {
  const episode = open.get(watched);
  if (episode !== undefined) episode.until = now;
  open.delete(watched);
}

/** Warnings and shadow rules open no incident, so they take nothing out of a baseline. */
function troubledTimes(episodes: readonly Episode[], service: ServiceName, now: Date): Interval[] {
  return episodes
    .filter((one) => one.service === service.service && one.environment === service.environment)
    .filter((one) => !one.warning && !one.shadow)
    .map((one) => ({ from: one.at, to: one.until ?? now }));
}

function noteNew(known: Trouble[], found: readonly Trouble[]): void {
  const keys = new Set(known.map((trouble) => trouble.key));
  known.push(...found.filter((trouble) => !keys.has(trouble.key)));
}

function pointOf({ watched, verdict }: Evaluated, at: Date): Point {
  const { service, environment } = watched;
  const { rule, warning, threshold } = verdict;
  return { service, environment, rule, warning, at, value: verdict.value as number, threshold };
}
