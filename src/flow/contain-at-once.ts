import type { MitigationStatus } from '../db/schema.ts';
import { type Incident, nameOf } from '../incident/incident.ts';
import { listLive } from '../incident/incident-store.ts';
import { findMitigation, type Mitigation } from '../mitigation/mitigation-store.ts';
import {
  contains,
  describeSteps,
  isResume,
  type Plan,
  parsePlan,
  undoOf,
  type Wanted,
} from '../mitigation/plan.ts';
import { readAsked } from '../mitigation/wanted.ts';
import type { WantedState } from './aim.ts';
import { breakGlass } from './break-glass.ts';
import { contain } from './contain.ts';
import { declare } from './declare.ts';
import { describeProposal } from './describe-proposal.ts';
import { describeVote } from './describe-vote.ts';
import type { Flow } from './flow.ts';
import { propose } from './propose.ts';

/** What somebody asks for who has no Slack. */
export interface ContainRequest {
  service: string;
  /** What `mitigate` understands: "disable", "fallback cached". */
  wish: string;
  reason: string;
  /** Who asks, by the name that the terminal knows. */
  by: string;
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
 * and waits up to `waitMs` for the run. What was not done by then goes on. Policy: a terminal takes away, it never gives
 * back, and it always says why.
 */
export async function containAtOnce(
  flow: Flow,
  request: ContainRequest,
  { waitMs }: { waitMs: number },
): Promise<ContainReport> {
  const { service } = request;
  const { environment } = flow.config;
  const byHand = flow.targetFor({ service, environment })?.byHand?.() ?? null;
  const read = readRequest(flow, request);
  if (read.kind === 'wrong') return { ...NOTHING, said: read.problem, byHand };
  const by = `terminal:${request.by}`;
  const incident = await incidentOf(flow, { ...request, by });
  const known = { ...NOTHING, incident: nameOf(incident.id), byHand };
  const proposed = await propose(flow, { incident, by, wanted: read.wanted });
  if (proposed.kind === 'nothing-to-change') {
    await contain(flow, { incident, by, how: `${request.wish} was served already. ${request.reason}` });
    return { ...known, contained: true, status: 'served-already', said: proposed.summary };
  }
  if (proposed.kind !== 'proposed' && proposed.kind !== 'already-proposed')
    return { ...known, said: describeProposal(proposed) };
  const { id, plan_hash: planHash } = proposed.mitigation;
  const vote = await breakGlass(flow, { mitigationId: id, planHash, by, reason: request.reason });
  if (vote.kind !== 'approved' && vote.kind !== 'already-decided')
    return { ...reportOf(known, proposed.mitigation), said: describeVote(vote, incident.id) };
  flow.wake();
  return reportOf(known, await settled(flow, { id, waitMs }));
}

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

function readRequest(
  flow: Flow,
  { service, wish, reason, by }: ContainRequest,
): { kind: 'wanted'; wanted: WantedState } | { kind: 'wrong'; problem: string } {
  const wrong = (problem: string) => ({ kind: 'wrong' as const, problem: `${problem} Nothing was changed.` });
  const { services, environment } = flow.config;
  if (reason.trim() === '' || by.trim() === '') return wrong('Say who contains it, and why.');
  if (!Object.hasOwn(services, service))
    return wrong(
      `There is no service ${service}. Configured: ${Object.keys(services).join(', ') || 'none'}.`,
    );
  if (flow.targetFor({ service, environment }) === null)
    return wrong(`No target is configured for ${service}: switch it off where it runs.`);
  const asked = readAsked(wish);
  if (asked?.kind === 'wrong') return wrong(asked.problem);
  if (asked?.kind === 'known-good') return { kind: 'wanted', wanted: 'known-good' };
  if (asked?.kind !== 'named') return wrong(`"${wish}" is nothing that contains.`);
  const back = asked.wanted.find(isGivenBack);
  if (back !== undefined) return wrong('That gives something back to users. Propose it in Slack.');
  return { kind: 'wanted', wanted: asked.wanted };
}

/** Switching on again, or lifting what was set. */
const isGivenBack = ({ setting, to }: Wanted) => to === null || isResume({ setting, to });

/** Users are exposed where it is open; it is contained; it is nearly over. */
const NEED: readonly Incident['status'][] = ['open', 'triage', 'contained', 'mitigated'];

/** The live incident of the service, the newest of those that need it most; else a new one. */
async function incidentOf(flow: Flow, asked: ContainRequest): Promise<Incident> {
  const { service, reason, by } = asked;
  const { environment } = flow.config;
  const live = (await listLive(flow.db))
    .filter((one) => one.service === service && one.environment === environment && !one.drill)
    .sort((a, b) => NEED.indexOf(a.status) - NEED.indexOf(b.status) || b.id - a.id);
  if (live[0] !== undefined) return live[0];
  const { incident } = await declare(flow, {
    title: reason.slice(0, LONGEST_TITLE),
    category: 'quality',
    severity: 'sev2',
    service,
    symptom: null,
    startedAt: null,
    private: false,
    by,
    // Two terminals at once declare one incident.
    origin: `terminal ${environment}/${service}`,
  });
  return incident;
}

const LONGEST_TITLE = 150;

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
