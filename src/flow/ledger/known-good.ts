import { percent } from '../../detection/amount.ts';
import { QUALITY_SCORE } from '../../detection/rules/quality-score.ts';
import { rules } from '../../detection/rules.ts';
import { settingsIn } from '../../detection/settings.ts';
import { greenStates, lastKnownGood, type ServingInterval } from '../../evidence/known-good.ts';
import { servingIntervals } from '../../evidence/known-good-store.ts';
import { isPrompt, promptNameOf, type ServingState } from '../../evidence/ledger.ts';
import { stateAt } from '../../evidence/ledger-store.ts';
import { diff } from '../../evidence/what-changed.ts';
import type { Incident } from '../../incident/incident.ts';
import { milestonesOf, troubledTimes } from '../../incident/incident-store.ts';
import { isSettable, settingOf, wantedToServe, withoutTwin } from '../../mitigation/ledger-component.ts';
import type { Step } from '../../mitigation/plan.ts';
import { kindOf, subjectOf } from '../../mitigation/serving.ts';
import { scoreSummary } from '../../sources/call-statistics-store.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import { nameOfComponent } from './component-text.ts';
import type { Candidate, Probed } from './probe-candidate.ts';

export interface KnownGood {
  /** What it would change: the components that a target can set and that are not served like that now. */
  changed: ServingState;
  /** What it is, in short: "prompt answer v13". Empty when all of it is served now. */
  name: string;
  /** Why it counts as good, with its numbers, and whether it still answers. */
  sentence: string;
}

type Looking = Pick<Flow, 'db' | 'clock' | 'config'>;

interface About {
  service: string;
  environment: string;
  onset: Date;
}

async function aboutIncident(flow: Looking, incident: Incident): Promise<About | null> {
  const { service, environment } = incident;
  if (service === null) return null;
  const { started } = await milestonesOf(flow.db, incident.id);
  return { service, environment, onset: started ?? incident.created_at };
}

/** The last state in the ledger that was green before the incident began, nobody asked; null when none was. */
export async function findKnownGood(flow: Looking, incident: Incident): Promise<KnownGood | null> {
  const about = await aboutIncident(flow, incident);
  return about === null ? null : knownGoodBefore(flow, about);
}

/** The last state that was green before `onset`. */
export async function knownGoodBefore(flow: Looking, about: About): Promise<KnownGood | null> {
  for await (const newest of knownGoods(flow, about))
    return { changed: newest.changed, name: newest.name, sentence: sentenceOf(newest) };
  return null;
}

export type ProbedGood =
  | { kind: 'found'; good: KnownGood }
  /** `silent`: those that were green and do not answer any more. */
  | { kind: 'none'; silent: string[] };

const MOST_PROBED = 3;

/**
 * The same before it is proposed. Policy: a state that does not answer any more is passed over for the one that was
 * green before it; at most three are asked, and the plan says which did not answer.
 */
export async function probedKnownGood(
  flow: Looking,
  { incident, probe }: { incident: Incident; probe: Probe },
): Promise<ProbedGood> {
  const about = await aboutIncident(flow, incident);
  if (about === null) return { kind: 'none', silent: [] };
  const silent = new Map<string, string>();
  for await (const good of knownGoods(flow, about)) {
    if (silent.size === MOST_PROBED) break;
    if (silent.has(good.name)) continue;
    const probed = await probeOf(good, { about, probe });
    if (probed.kind === 'silent') {
      silent.set(good.name, `${good.name} was green later and does not answer (${probed.problem}).`);
      continue;
    }
    const answer = probed.kind === 'answers' ? 'It still answers when probed.' : probed.why;
    const passedOver = [...silent.values()];
    const sentence = [sentenceOf(good), answer, ...passedOver].filter((part) => part !== '').join(' ');
    return { kind: 'found', good: { changed: good.changed, name: good.name, sentence } };
  }
  return { kind: 'none', silent: [...silent.keys()] };
}

type Probe = (candidate: Candidate) => Promise<Probed>;

/** What is served now needs no probe. */
async function probeOf({ changed }: Good, { about, probe }: { about: About; probe: Probe }): Promise<Probed> {
  const wanted = wantedToServe(changed);
  if (wanted.length === 0) return { kind: 'not-probed', why: '' };
  const { service, environment } = about;
  return probe({ service, environment, wanted });
}

interface Good extends Omit<KnownGood, 'sentence'> {
  interval: ServingInterval;
  /** What is different since then and no target can set. */
  beyond: string[];
}

/** Newest first. */
async function* knownGoods(flow: Looking, { onset, ...about }: About): AsyncIterable<Good> {
  const history = await historyOf(flow, { ...about, onset });
  const now = withoutTwin(await stateAt(flow.db, { ...about, at: flow.clock.now() }));
  for (const interval of greenStates(history)) {
    const at = new Date(interval.to.getTime() - 1);
    const served = withoutTwin(await stateAt(flow.db, { ...about, at }));
    const differences = diff(served, now).filter(({ from }) => from !== null);
    const settable = differences.filter(({ component }) => isSettable(component));
    const changed = Object.fromEntries(
      settable.map(({ component }) => [component, interval.state[component] ?? {}]),
    );
    const beyond = differences
      .filter(({ component }) => !isSettable(component) && settingOf(component) === null)
      .map(({ sentence }) => sentence);
    yield { changed, name: nameOf(changed), interval, beyond };
  }
}

/**
 * Policy: a plan goes forward when it names a prompt version or a model that the ledger has not seen serving well before
 * the incident. Where no call ever had a verdict, to have served for long enough is to have served well; where the
 * ledger knows of nothing that served for long enough, forward cannot be told from back.
 */
export async function goesForward(
  flow: Looking,
  incident: Incident,
  steps: readonly Step[],
): Promise<boolean> {
  const versions = steps.filter(({ setting }) => ['prompt', 'model'].includes(kindOf(setting)));
  const about = versions.length === 0 ? null : await aboutIncident(flow, incident);
  const history = about === null ? null : await historyOf(flow, about);
  if (history === null || history.intervals.length === 0) return false;
  const hasVerdicts = history.intervals.some(({ scored, format }) => scored.n + format.n > 0);
  const until = history.onset.getTime();
  const good = history.intervals.filter((one) =>
    hasVerdicts
      ? lastKnownGood({ ...history, intervals: [one] }) !== null
      : Math.min(one.to.getTime(), until) - one.from.getTime() >= history.minGreenMs,
  );
  if (!hasVerdicts && good.length === 0) return false;
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
      isPrompt(component) &&
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

async function historyOf(flow: Looking, { onset, ...about }: About): Promise<History> {
  const since = new Date(onset.getTime() - QUALITY_SCORE.baselineMs);
  const excluding = await troubledTimes(flow.db, { ...about, since, now: onset });
  const baseline = await scoreSummary(flow.db, { ...about, from: since, to: onset, excluding });
  const unheard = rules.filter((rule) => settingsIn(flow.config, rule, about).shadow).map(({ id }) => id);
  const intervals = await servingIntervals(flow.db, { ...about, since, onset, matters: isSettable, unheard });
  const minGreenMs = minutesToMs(flow.config.green_minutes);
  return { intervals, onset, baselineMean: baseline.mean, minGreenMs };
}

function nameOf(state: ServingState): string {
  const parts = Object.entries(state).map(([component, values]) =>
    component === 'model'
      ? `model ${values['served'] ?? values['requested'] ?? 'unknown'}`
      : `${nameOfComponent(component)} ${values['version'] ?? values['value'] ?? 'unknown version'}`,
  );
  return parts.join(', ');
}

const SHOWN_BEYOND = 3;

function sentenceOf({ interval, beyond }: Good): string {
  const { from, to, firedAt, scored, format } = interval;
  const served = `Served from ${minute(from)} to ${minute(to)} UTC`;
  const score =
    scored.mean === null ? '' : ` with a quality score of ${scored.mean.toFixed(2)} (n = ${scored.n})`;
  const share = format.n === 0 ? '' : `, format ${percent(format.passed / format.n)}`;
  const since = firedAt === null ? '' : `, no rule firing since ${minute(firedAt)}`;
  const more = beyond.length > SHOWN_BEYOND ? `, and ${beyond.length - SHOWN_BEYOND} more` : '';
  const rest = `Different since and not changed by this: ${beyond.slice(0, SHOWN_BEYOND).join('; ')}${more}.`;
  return `${served}${score}${share}${since}, before this began.${beyond.length === 0 ? '' : ` ${rest}`}`;
}

const minute = (at: Date) => at.toISOString().slice(0, 16).replace('T', ' ');
