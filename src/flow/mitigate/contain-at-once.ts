import type { MitigationStatus } from '../../db/schema.ts';
import { ExternalError } from '../../errors.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, listLive } from '../../incident/incident-store.ts';
import { contains } from '../../mitigation/contains.ts';
import { findMitigation, type Mitigation } from '../../mitigation/mitigation-store.ts';
import { describeSteps, type Plan, parsePlan, undoOf, type Wanted } from '../../mitigation/plan.ts';
import type { TargetState } from '../../mitigation/serving.ts';
import type { Target } from '../../mitigation/target.ts';
import { everybodyOf, tightens } from '../../mitigation/tightens.ts';
import { readAsked } from '../../mitigation/wanted.ts';
import type { Flow } from '../flow.ts';
import { contain } from '../incident/contain.ts';
import { declare } from '../incident/declare.ts';
import { breakGlass } from './break-glass.ts';
import { describeProposal } from './describe-proposal.ts';
import { describeVote } from './describe-vote.ts';
import { propose } from './propose.ts';

/** What somebody asks for who has no Slack. */
export interface ContainRequest {
  service: string;
  /** What `mitigate` understands: "disable", "fallback cached". */
  wish: string;
  reason: string;
  /** Who asks, by the name that the terminal knows. */
  by: string;
  /** It is about safety: a private incident, whatever else is live. */
  safety?: boolean | undefined;
}

/** What came of it. `contained`: the target's read-back shows the containing state. */
export interface ContainReport {
  contained: boolean;
  incident: string | null;
  mitigation: number | null;
  status: MitigationStatus | 'served-already' | 'not-run';
  planHash: string | null;
  /** "disable the feature"; with whom it touches and how it is taken back. */
  plan: { changes: string; blastRadius: string; undo: string } | null;
  /** The read-back, or why nothing was changed. */
  said: string;
  /** Where a person switches it at the vendor. */
  byHand: string | null;
}

const LOOK_MS = 50;

/**
 * Contains a service by an approved plan, without Slack: opens or joins its live incident, plans, approves by break-glass
 * and waits up to `waitMs` for the run. What was not done by then goes on. Policy: a terminal only takes from users, and
 * always says why; the last known-good state is the one change of version that it makes.
 */
export async function containAtOnce(
  flow: Flow,
  request: ContainRequest,
  { waitMs }: { waitMs: number },
): Promise<ContainReport> {
  const { service } = request;
  const target = flow.targetFor({ service, environment: flow.config.environment });
  const byHand = target?.byHand?.() ?? null;
  const read = await readRequest(flow, request, target);
  if (read.kind === 'wrong') return { ...NOTHING, said: read.problem, byHand };
  const { wanted, state } = read;
  const by = `terminal:${request.by}`;
  const incident = await incidentOf(flow, { ...request, by });
  const known = { ...NOTHING, incident: nameOf(incident.id), byHand };
  const proposed = await propose(flow, { incident, by, wanted });
  if (proposed.kind === 'nothing-to-change') {
    await contain(flow, { incident, by, how: `${request.wish} was served already. ${request.reason}` });
    return { ...known, contained: true, status: 'served-already', said: proposed.summary };
  }
  if (proposed.kind !== 'proposed' && proposed.kind !== 'already-proposed')
    return { ...known, said: describeProposal(proposed) };
  const { id, plan_hash: planHash, plan } = proposed.mitigation;
  // What is served may have changed since it was asked.
  if (wanted !== 'known-good' && !parsePlan(plan).steps.every((step) => isTighter(step, state)))
    return { ...reportOf(known, proposed.mitigation), said: `${GIVES} It is proposed there.` };
  const vote = await breakGlass(flow, { mitigationId: id, planHash, by, reason: request.reason });
  if (vote.kind !== 'approved' && vote.kind !== 'already-decided')
    return { ...reportOf(known, proposed.mitigation), said: describeVote(vote, incident.id) };
  flow.wake();
  return reportOf(known, await settled(flow, { id, waitMs }));
}

const GIVES = 'That gives something back to users, or serves them something else: propose it in Slack.';

const isTighter = (step: Plan['steps'][number], state: TargetState) =>
  tightens(step, { ...state, [step.setting]: step.from });

const NOTHING: ContainReport = {
  contained: false,
  incident: null,
  mitigation: null,
  status: 'not-run',
  planHash: null,
  plan: null,
  said: '',
  byHand: null,
};

/** `state`: what is served now, empty where the target cannot be read; then the run says so. */
type ReadRequest =
  | { kind: 'wanted'; wanted: 'known-good' | readonly Wanted[]; state: TargetState }
  | { kind: 'wrong'; problem: string };

async function readRequest(
  flow: Flow,
  { service, wish, reason, by }: ContainRequest,
  target: Target | null,
): Promise<ReadRequest> {
  const wrong = (problem: string) => ({ kind: 'wrong' as const, problem: `${problem} Nothing was changed.` });
  const { services } = flow.config;
  if (reason.trim() === '' || by.trim() === '') return wrong('Say who contains it, and why.');
  if (!Object.hasOwn(services, service))
    return wrong(
      `There is no service ${service}. Configured: ${Object.keys(services).join(', ') || 'none'}.`,
    );
  if (target === null) return wrong(`No target is configured for ${service}: switch it off where it runs.`);
  const asked = readAsked(wish);
  if (asked?.kind === 'wrong') return wrong(asked.problem);
  if (asked?.kind === 'known-good') return { kind: 'wanted', wanted: 'known-good', state: {} };
  if (asked?.kind !== 'named') return wrong(`"${wish}" is nothing that contains.`);
  const { wanted } = asked;
  const state = await servedNow(target, wanted);
  return wanted.every((one) => tightens(one, state)) ? { kind: 'wanted', wanted, state } : wrong(GIVES);
}

/** With the limit for everybody, by which one by name is measured. */
async function servedNow(target: Target, wanted: readonly Wanted[]): Promise<TargetState> {
  const settings = wanted.flatMap(({ setting }) => [setting, everybodyOf(setting) ?? setting]);
  try {
    return await target.read([...new Set(settings)]);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return {};
  }
}

/** Users are exposed where it is open; it is contained; it is nearly over. */
const NEED: readonly Incident['status'][] = ['open', 'triage', 'contained', 'mitigated'];

const safetyFirst = ({ category }: Incident) => (category === 'safety' ? 0 : 1);

/**
 * The live incident of the service that needs it most, of several the newest; else a new one. Policy: a safety incident
 * goes before any other and is never passed over for a public one; the reason is for the room alone, not for the title.
 */
async function incidentOf(flow: Flow, asked: ContainRequest): Promise<Incident> {
  const { service, reason, by, safety = false } = asked;
  const { environment } = flow.config;
  const [live] = (await listLive(flow.db))
    .filter((one) => one.service === service && one.environment === environment && !one.drill)
    .filter(({ category }) => !safety || category === 'safety')
    .sort(
      (a, b) =>
        safetyFirst(a) - safetyFirst(b) || NEED.indexOf(a.status) - NEED.indexOf(b.status) || b.id - a.id,
    );
  if (live !== undefined) return live;
  const { opened, incident } = await declare(flow, {
    title: 'Contained from a terminal',
    category: safety ? 'safety' : 'quality',
    severity: safety ? 'sev1' : 'sev2',
    service,
    symptom: null,
    startedAt: null,
    private: safety,
    by,
    // Two terminals at once declare one incident.
    origin: `terminal ${environment}/${service}`,
  });
  const note = { incidentId: incident.id, at: flow.clock.now(), kind: 'note', actor: by, text: reason };
  if (opened) await addToTimeline(flow.db, note);
  return incident;
}

async function settled(flow: Flow, { id, waitMs }: { id: number; waitMs: number }): Promise<Mitigation> {
  const until = Date.now() + waitMs;
  for (;;) {
    const found = await findMitigation(flow.db, id);
    if (found === undefined) throw new Error(`mitigation ${id} does not exist`);
    const isRunning = found.status === 'approved' || found.status === 'running';
    if (!isRunning || Date.now() > until) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** In force, and of a kind that takes users out of harm's way. */
const IN_PLACE: readonly MitigationStatus[] = ['applied', 'proven', 'unproven'];

function reportOf(known: ContainReport, { id, status, outcome, plan_hash, plan }: Mitigation): ContainReport {
  const made = parsePlan(plan);
  return {
    ...known,
    contained: IN_PLACE.includes(status) && contains(made),
    mitigation: id,
    status,
    planHash: plan_hash,
    plan: planText(made),
    said: outcome ?? 'It has not run yet; it will. Ask again with the same command.',
  };
}

function planText({ steps, blastRadius }: Plan): ContainReport['plan'] {
  const undo = undoOf(steps);
  return {
    changes: describeSteps(steps),
    blastRadius,
    undo: undo.length === 0 ? 'not known: the target does not say what it serves now' : describeSteps(undo),
  };
}
