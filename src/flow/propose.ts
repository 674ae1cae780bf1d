import type { Tx } from '../db/database.ts';
import { enqueue } from '../db/jobs.ts';
import { ExternalError } from '../errors.ts';
import { promptNameOf, type ServingState } from '../evidence/ledger.ts';
import { type Incident, LIVE } from '../incident/incident.ts';
import { addToTimeline, lockIncident } from '../incident/incident-store.ts';
import { audit } from '../mitigation/audit-store.ts';
import { insertProposal, type Mitigation, mitigationsOf } from '../mitigation/mitigation-store.ts';
import {
  describeSteps,
  hashPlan,
  type Plan,
  stepsTo,
  type TargetState,
  type Wanted,
} from '../mitigation/plan.ts';
import { servedSince } from '../sources/call-statistics-store.ts';
import { refreshCard, showProposal } from './effects.ts';
import { type Flow, minutesToMs } from './flow.ts';
import { findKnownGood } from './known-good.ts';

export type WantedState = 'known-good' | Wanted[];

export type Proposed =
  | { kind: 'proposed' | 'already-proposed'; mitigation: Mitigation; summary: string }
  | { kind: 'ended'; status: Incident['status'] }
  | { kind: 'no-service' | 'no-target' | 'no-known-good' }
  | { kind: 'nothing-to-change'; summary: string }
  | { kind: 'target-unreachable'; problem: string };

/** Reads "known-good", "prompt NAME=VERSION", "model ID" or "disable"; null for anything else. */
export function readWanted(text: string): WantedState | null {
  const [word = '', ...rest] = text.trim().split(/\s+/);
  const argument = rest.join(' ');
  switch (word.toLowerCase()) {
    case 'known-good':
      return argument === '' ? 'known-good' : null;
    case 'disable':
      return argument === '' ? [{ action: 'disable' }] : null;
    case 'model':
      return argument === '' ? null : [{ action: 'model', to: argument }];
    case 'prompt': {
      const [, name, version] = /^(?:([^=\s]+)=)?([^=\s]+)$/.exec(argument) ?? [];
      return version === undefined ? null : [{ action: 'prompt', promptName: name ?? null, to: version }];
    }
    default:
      return null;
  }
}

/**
 * Proposes a mitigation: what the target serves now is read, the wanted state comes from the person or is the last
 * one in the ledger that was green before the onset, and the plan is hashed as it is shown.
 */
export async function propose(
  flow: Flow,
  { incident, by, wanted }: { incident: Incident; by: string; wanted: WantedState },
): Promise<Proposed> {
  if (!LIVE.includes(incident.status)) return { kind: 'ended', status: incident.status };
  const { service, environment } = incident;
  if (service === null) return { kind: 'no-service' };
  const target = flow.targetFor({ service, environment });
  if (target === null) return { kind: 'no-target' };
  const aim =
    wanted === 'known-good' ? await knownGoodAim(flow, incident) : { states: wanted, why: 'Named by hand.' };
  if (aim === null) return { kind: 'no-known-good' };
  let current: TargetState;
  try {
    current = await target.read();
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    return { kind: 'target-unreachable', problem: thrown.message };
  }
  const steps = stepsTo(aim.states, current);
  if (steps.length === 0) return { kind: 'nothing-to-change', summary: 'The target serves that already.' };
  const plan: Plan = {
    format: 1,
    incidentId: incident.id,
    service,
    environment,
    target: target.describe(),
    steps,
    why: aim.why,
    blastRadius: await blastRadius(flow, { service, environment }),
    rule: incident.rule ?? (incident.category === 'quality' ? 'quality.score' : null),
  };
  return flow.db.transaction().execute((tx) => save(flow, tx, { plan, incident, by }));
}

async function save(
  flow: Flow,
  tx: Tx,
  { plan, incident, by }: { plan: Plan; incident: Incident; by: string },
): Promise<Proposed> {
  const now = flow.clock.now();
  const summary = describeSteps(plan.steps);
  const current = (await lockIncident(tx, incident.id)) ?? incident;
  if (!LIVE.includes(current.status)) return { kind: 'ended', status: current.status };
  const twin = (await mitigationsOf(tx, incident.id)).find(
    (known) => known.status === 'proposed' && describeSteps((known.plan as Plan).steps) === summary,
  );
  if (twin !== undefined) return { kind: 'already-proposed', mitigation: twin, summary };
  const planHash = hashPlan(plan);
  const expiresAt = new Date(now.getTime() + minutesToMs(flow.config.approval_expires_minutes));
  const mitigation = await insertProposal(tx, { plan, planHash, proposedBy: by, at: now, expiresAt });
  await audit(tx, {
    at: now,
    actor: by,
    action: 'mitigation.proposed',
    subject: `mitigation ${mitigation.id}`,
    data: { planHash, incident: `INC-${incident.id}` },
  });
  const text = `Proposed: ${summary}.`;
  await addToTimeline(tx, { incidentId: incident.id, at: now, kind: 'proposed', actor: by, text });
  await enqueue(tx, [showProposal(incident.id, mitigation.id, now), refreshCard(incident.id, now)]);
  return { kind: 'proposed', mitigation, summary };
}

interface Aim {
  states: Wanted[];
  why: string;
}

async function knownGoodAim(flow: Flow, incident: Incident): Promise<Aim | null> {
  const good = await findKnownGood(flow, incident);
  return good === null ? null : { states: wantedOf(good.changed), why: good.sentence };
}

/** What a target is told so that it serves this state: each prompt's version, and the model that really answered. */
function wantedOf(state: ServingState): Wanted[] {
  return Object.entries(state).flatMap(([component, values]): Wanted[] => {
    const { version, served, requested } = values;
    if (component === 'model') {
      const model = served ?? requested;
      return model ? [{ action: 'model', to: model }] : [];
    }
    return version && component.startsWith('prompt')
      ? [{ action: 'prompt', promptName: promptNameOf(component), to: version }]
      : [];
  });
}

const LOOK_BACK_MS = 60 * 60_000;

/** How much of the service's traffic of the last hour the change touches. */
async function blastRadius(flow: Flow, about: { service: string; environment: string }): Promise<string> {
  const since = new Date(flow.clock.now().getTime() - LOOK_BACK_MS);
  const variants = await servedSince(flow.db, { ...about, since });
  const calls = variants.reduce((total, variant) => total + variant.n, 0);
  return `All traffic of ${about.service}: ${calls} calls in the last hour.`;
}

/** What to tell whoever asked for it. */
export function describeProposal(outcome: Proposed): string {
  switch (outcome.kind) {
    case 'proposed':
      return `Proposed: ${outcome.summary}. Someone else who may must approve it; the buttons are in the room.`;
    case 'already-proposed':
      return `That is proposed already: ${outcome.summary}. Its buttons are in the room.`;
    case 'ended':
      return `The incident is ${outcome.status}; nothing can be proposed any more.`;
    case 'no-service':
      return 'This incident names no service, so there is nothing to change.';
    case 'no-target':
      return 'No target is configured for this service. Change it where it runs, then `/llm-incident contain HOW`.';
    case 'no-known-good':
      return 'The ledger has no state that was green long enough before this began. Name one: `mitigate prompt NAME=VERSION` or `mitigate model ID`.';
    case 'nothing-to-change':
      return `${outcome.summary} Nothing to change.`;
    case 'target-unreachable':
      return `The target could not be read, so nothing was proposed: ${outcome.problem}.`;
  }
}
