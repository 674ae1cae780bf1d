import type { Trouble } from '../../db/trouble-store.ts';
import type { RuleVerdict } from '../../detection/rule.ts';
import type { NextSignal } from '../../detection/signal.ts';
import type { WatchedRule } from '../../detection/watched-rule.ts';

interface Judged {
  watched: WatchedRule;
  verdict: RuleVerdict;
  signal: NextSignal;
}

/** Traffic has its pauses: only what is silent for so long is said. */
const SILENT_AFTER_MS = 60 * 60_000;

/**
 * What the rules cannot see. Policy: a metric that had numbers and has had none for an hour is reported, for silence is
 * never health; when a service has none at all, that is said once for all of its metrics. A judge that changed is said
 * instead of that quality fell.
 */
export function blindSpots(judged: readonly Judged[], now: Date): Trouble[] {
  const byService = Map.groupBy(
    judged.filter(({ watched }) => !watched.rule.warning),
    ({ watched }) => `${watched.environment}/${watched.service}`,
  );
  return [...byService].flatMap(([name, its]) => [
    ...silencesOf(name, its, now),
    ...judgeChangesOf(name, its),
  ]);
}

function silencesOf(name: string, its: readonly Judged[], now: Date): Trouble[] {
  const watching = its.filter(({ watched }) => watched.rule.unit !== 'events');
  const silent = watching.filter(({ signal }) => isSilent(signal, now));
  if (silent.length === 0) return [];
  const { service } = (silent[0] as Judged).watched;
  if (watching.every(({ verdict }) => verdict.state === 'no-data' || looksFarBack(verdict, watching))) {
    const problem = `${service} went silent: no calls and no metrics for an hour`;
    return [{ key: silenceOf(name), problem }];
  }
  return silent.map(({ watched, verdict }) => ({
    key: `silent:${name}/${watched.rule.id}`,
    problem: `${watched.rule.metric} of ${service} went silent for an hour: ${verdict.detail ?? 'no data where there was some before'}`,
  }));
}

/** The key of a service that sends nothing at all; `name` is ENVIRONMENT/SERVICE. */
export const silenceOf = (name: string) => `silent:${name}`;

const isSilent = (signal: NextSignal, now: Date) =>
  signal.state === 'no-data' && now.getTime() - signal.since.getTime() >= SILENT_AFTER_MS;

/** Rules over the newest calls still see old ones, so they do not tell whether the service is called. */
function looksFarBack(verdict: RuleVerdict, watching: readonly Judged[]): boolean {
  const own = watching.find((one) => one.verdict === verdict);
  if (own === undefined) return false;
  const { rule, settings } = own.watched;
  return Object.values(rule.asks(settings)).some(({ over }) => over.kind === 'newest');
}

function judgeChangesOf(name: string, its: readonly Judged[]): Trouble[] {
  return its.flatMap(({ watched, verdict }) => {
    const isChange = watched.rule.id === 'quality.score' && verdict.state === 'insufficient';
    if (!isChange || verdict.detail === null) return [];
    const problem = `Quality score of ${watched.service} cannot be compared: ${verdict.detail}`;
    return [{ key: `judge:${name}`, problem }];
  });
}
