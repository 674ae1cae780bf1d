import type { Observations } from '../../decision/walk.ts';
import { categoryOf, type RuleId } from '../../detection/rule.ts';
import { isPrompt } from '../../evidence/ledger.ts';
import type { Incident } from '../../incident/incident.ts';
import { failureKinds } from '../../sources/failure-store.ts';
import { aboutIncident } from '../incident/about-incident.ts';
import type { Looking } from './investigation.ts';
import { contextGrowth, failingTopics, relevance } from './look-at-calls.ts';
import { changesAbout, couldHaveBegun, isIndex, isModel } from './look-at-changes.ts';

/** A share of the calls that has risen by so many points has risen. */
const ROSE = 0.05;

/** What the evidence shows without asking anybody: what fired, what changed, and how calls fail more than before. */
export async function observe(flow: Looking, incident: Incident): Promise<Observations> {
  const of = byRule(incident);
  const about = await aboutIncident(flow, incident);
  if (about === null) return of;
  const changes = await changesAbout(flow, about);
  const changed = (isWanted: (component: string) => boolean) =>
    couldHaveBegun(changes, isWanted) !== undefined;
  const now = await failureKinds(flow.db, { ...about.window, ...about.bar });
  const before = await failureKinds(flow.db, { ...about.baseline, ...about.bar });
  const rose = (kind: string) => shareOf(now, kind) - shareOf(before, kind) > ROSE;
  const chunks = await relevance(flow, about);
  const context = await contextGrowth(flow, about);
  return {
    ...of,
    promptChanged: changed(isPrompt),
    modelChanged: changed(isModel),
    indexChanged: changed(isIndex),
    contextGrew: context?.grew ?? false,
    scoreFell: of.scoreFell || rose('low score'),
    formatFell: of.formatFell || rose('format'),
    errorsRose: of.errorsRose || rose('error'),
    refusalsRose: of.refusalsRose === true || rose('refusal'),
    retrievalFell: chunks?.fell ?? false,
    hasTopics: (await failingTopics(flow, about)).topics.length > 0,
  };
}

type Failures = Awaited<ReturnType<typeof failureKinds>>;

const shareOf = ({ calls, kinds }: Failures, kind: string) =>
  calls === 0 ? 0 : (kinds.find((one) => one.kind === kind)?.n ?? 0) / calls;

function byRule({ rule, category }: Incident): Observations {
  return {
    promptChanged: false,
    modelChanged: false,
    contextGrew: false,
    scoreFell: rule === 'quality.score',
    formatFell: rule === 'quality.format',
    errorsRose: rule === 'outage.errors',
    refusalsRose: rule === 'quality.refusal',
    latencyRose: rule === 'outage.latency',
    costRose: category === 'cost' || (rule !== null && categoryOf(rule as RuleId) === 'cost'),
    safety: category === 'safety',
  };
}
