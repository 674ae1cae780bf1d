import type { RuleSettings } from '../config/rules.ts';
import type { Rule, RuleVerdict } from './rule.ts';

const MINUTE_MS = 60_000;
/** More samples than this are not waited for: a rule that wants 1,000 is answered sooner, with its bound. */
const MOST_SAMPLES = 200;
const LEAST_SAMPLES = 20;
/** A rule that fires on single events has recovered when so many calls brought none. */
const CALLS_WITHOUT_EVENT = 100;

export interface Recovery {
  state: 'proving' | 'recovered' | 'failing';
  n: number;
  /** Samples that settle it, at the most. */
  needed: number;
  value: number | null;
  lower: number | null;
  upper: number | null;
}

/**
 * The settings by which a rule looks at the calls since a mitigation alone: its window reaches back to it at the most,
 * and it waits for 20 samples at least, for it takes more to call a thing well than to call it broken, and 200 at most.
 */
export function recoverySettings(settings: RuleSettings, sinceMs: number): RuleSettings {
  return {
    ...settings,
    window_minutes: Math.min(settings.window_minutes, Math.max(sinceMs, 1) / MINUTE_MS),
    min_samples:
      settings.min_samples === 1 ? 1 : Math.min(Math.max(settings.min_samples, LEAST_SAMPLES), MOST_SAMPLES),
  };
}

/**
 * Policy: a metric has recovered when its own rule finds it ok and past the closing threshold, from enough samples since
 * the mitigation; it fails when the rule fires on as many samples as it asks for itself, or on fewer with its bound.
 * Rules that count no samples need their own window of time instead; rules about single events 100 calls without one.
 */
export function recoveryOf(
  verdict: RuleVerdict,
  seen: { rule: Pick<Rule, 'unit'>; settings: RuleSettings; sinceMs: number; calls: number },
): Recovery {
  const { settings, sinceMs } = seen;
  const ofEvents = seen.rule.unit === 'events';
  const needed = ofEvents ? CALLS_WITHOUT_EVENT : Math.min(settings.min_samples, MOST_SAMPLES);
  const n = ofEvents ? seen.calls : verdict.n;
  const { value, lower, upper } = verdict;
  const found = { n, needed, value, lower, upper };
  if (ofEvents && verdict.state === 'firing') return { ...found, state: 'failing' };
  const isTimed = !ofEvents && settings.min_samples <= 1;
  const isRipe = n >= needed && (!isTimed || sinceMs >= settings.window_minutes * MINUTE_MS);
  if (!isRipe) return { ...found, state: 'proving' };
  if (verdict.state === 'firing') {
    const isSure = n >= settings.min_samples || verdict.pastBound;
    return isSure
      ? { ...found, state: 'failing' }
      : { ...found, needed: settings.min_samples, state: 'proving' };
  }
  return { ...found, state: verdict.state === 'ok' && verdict.isClear ? 'recovered' : 'proving' };
}
