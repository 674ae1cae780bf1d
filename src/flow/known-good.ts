import { QUALITY_SCORE } from '../detection/rules/quality-score.ts';
import { lastKnownGood, type ServingInterval } from '../evidence/known-good.ts';
import { servingIntervals } from '../evidence/known-good-store.ts';
import { promptNameOf, type ServingState } from '../evidence/ledger.ts';
import { stateAt } from '../evidence/ledger-store.ts';
import { diff } from '../evidence/what-changed.ts';
import type { Incident } from '../incident/incident.ts';
import { milestonesOf, troubledTimes } from '../incident/incident-store.ts';
import type { Step } from '../mitigation/plan.ts';
import { kindOf, subjectOf } from '../mitigation/serving.ts';
import { scoreSummary } from '../sources/call-statistics-store.ts';
import { type Flow, minutesToMs } from './flow.ts';
import { percent } from './verdict-text.ts';

export interface KnownGood {
  /** What it would change: the components that are not served like that now. */
  changed: ServingState;
  /** What it is, in short: "prompt answer v13". Empty when all of it is served now. */
  name: string;
  /** Why it counts as good, with its numbers. */
  sentence: string;
}

type Looking = Pick<Flow, 'db' | 'clock' | 'config'>;

/** The last state in the ledger that was green before the incident began; null when none was. */
export async function findKnownGood(flow: Looking, incident: Incident): Promise<KnownGood | null> {
  const history = await historyOf(flow, incident);
  const good = history === null ? null : lastKnownGood(history);
  if (good === null) return null;
  const { service, environment } = incident;
  const about = { service: service as string, environment };
  const now = await stateAt(flow.db, { ...about, at: flow.clock.now() });
  const differences = diff(now, good.state).filter(({ component }) => good.state[component] !== undefined);
  const changed = Object.fromEntries(
    differences.map(({ component }) => [component, good.state[component] ?? {}]),
  );
  return { changed, name: nameOf(changed), sentence: sentenceOf(good) };
}

/**
 * Policy: a plan goes forward when it names a prompt version or a model that the ledger has not seen serving well before
 * the incident. Where no call ever had a verdict, to have served for long enough is to have served well; where the
 * ledger knows nothing of the service, forward cannot be told from back.
 */
export async function goesForward(
  flow: Looking,
  incident: Incident,
  steps: readonly Step[],
): Promise<boolean> {
  const versions = steps.filter(({ setting }) => ['prompt', 'model'].includes(kindOf(setting)));
  const history = versions.length === 0 ? null : await historyOf(flow, incident);
  if (history === null || history.intervals.length === 0) return false;
  const hasVerdicts = history.intervals.some(({ scored, format }) => scored.n + format.n > 0);
  const until = history.onset.getTime();
  const good = history.intervals.filter((one) =>
    hasVerdicts
      ? lastKnownGood({ ...history, intervals: [one] }) !== null
      : Math.min(one.to.getTime(), until) - one.from.getTime() >= history.minGreenMs,
  );
  return versions.some((step) => !good.some(({ state }) => served(state, step)));
}

function served(state: ServingState, { setting, to }: Step): boolean {
  const name = subjectOf(setting);
  if (kindOf(setting) === 'model') {
    const model = state['model'];
    return model !== undefined && (model['served'] === to || model['requested'] === to);
  }
  return Object.entries(state).some(
    ([component, { version }]) =>
      component.startsWith('prompt') &&
      (name === null || promptNameOf(component) === null || promptNameOf(component) === name) &&
      version === to,
  );
}

interface History {
  intervals: ServingInterval[];
  onset: Date;
  baselineMean: number | null;
  minGreenMs: number;
}

async function historyOf(flow: Looking, incident: Incident): Promise<History | null> {
  if (incident.service === null) return null;
  const about = { service: incident.service, environment: incident.environment };
  const { started } = await milestonesOf(flow.db, incident.id);
  const onset = started ?? incident.created_at;
  const since = new Date(onset.getTime() - QUALITY_SCORE.baselineMs);
  const excluding = await troubledTimes(flow.db, { ...about, since, now: onset });
  const baseline = await scoreSummary(flow.db, { ...about, from: since, to: onset, excluding });
  const intervals = await servingIntervals(flow.db, { ...about, since, onset });
  const minGreenMs = minutesToMs(flow.config.green_minutes);
  return { intervals, onset, baselineMean: baseline.mean, minGreenMs };
}

function nameOf(state: ServingState): string {
  const parts = Object.entries(state).map(([component, values]) =>
    component === 'model'
      ? `model ${values['served'] ?? values['requested'] ?? 'unknown'}`
      : `${component.replace(':', ' ')} ${values['version'] ?? 'unknown version'}`,
  );
  return parts.join(', ');
}

function sentenceOf(good: NonNullable<ReturnType<typeof lastKnownGood>>): string {
  const served = `Served from ${minute(good.from)} to ${minute(good.to)} UTC`;
  const score =
    good.scored.mean === null
      ? ''
      : ` with a quality score of ${good.scored.mean.toFixed(2)} (n = ${good.scored.n})`;
  const share = good.format.n === 0 ? '' : `, format ${percent(good.format.passed / good.format.n)}`;
  return `${served}${score}${share}, before this began.`;
}

const minute = (at: Date) => at.toISOString().slice(0, 16).replace('T', ' ');
