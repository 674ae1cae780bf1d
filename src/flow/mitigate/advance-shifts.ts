import canonicalize from 'canonicalize';
import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { messageOf } from '../../errors.ts';
import { LIVE, nameOf } from '../../incident/incident.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { type Mitigation, mitigationsIn } from '../../mitigation/mitigation-store.ts';
import { type Plan, parsePlan, type Shift } from '../../mitigation/plan.ts';
import { type Arms, describeArms, judgeGate } from '../../mitigation/shift-gate.ts';
import { beginStage, keepLook, moveStage, type Stage, stagesOf } from '../../mitigation/shift-store.ts';
import { runStage, showReceipt } from '../effects.ts';
import { type Flow, minutesToMs } from '../flow.ts';
import { endShift } from './end-shift.ts';
import { releaseGap } from './safety-release.ts';
import { armsSince } from './shift-arms.ts';
import { nameOfStage } from './shift-lines.ts';

type Advancing = Pick<Flow, 'db' | 'clock' | 'config' | 'log' | 'automation'>;

/** Looks at the gate of every shift that waits at one: on to the next stage, back to the one before, or held for people. */
export async function advanceShifts(flow: Advancing): Promise<void> {
  for (const mitigation of await mitigationsIn(flow.db, ['running'])) {
    try {
      await advance(flow, mitigation);
    } catch (thrown) {
      flow.log.error({ mitigation: mitigation.id, error: messageOf(thrown) }, 'a gate could not be judged');
    }
  }
}

interface AtGate {
  mitigation: Mitigation;
  plan: Plan & { shift: Shift };
  stage: Stage;
  now: Date;
}

async function advance(flow: Advancing, mitigation: Mitigation): Promise<void> {
  const { shift, ...rest } = parsePlan(mitigation.plan);
  if (shift === null) return;
  const stage = (await stagesOf(flow.db, mitigation.id)).find(({ status }) => status === 'gating');
  if (stage === undefined || stage.applied_at === null) return;
  const now = flow.clock.now();
  const gate: AtGate = { mitigation, plan: { ...rest, shift }, stage, now };
  const over = await endOfIncident(flow, mitigation);
  if (over !== null) return stopAt(flow, gate, { why: over, calls: false });
  const arms = await armsSince(flow.db, { plan: gate.plan, since: stage.applied_at, now });
  const isLate = now.getTime() >= stage.applied_at.getTime() + minutesToMs(shift.gate.minutes);
  const judged = judgeGate({ arms, gate: shift.gate, lookedAt: stage.looked_at, isLate });
  switch (judged.verdict) {
    case 'waiting':
      return wait(flow, gate, { arms, lookedAt: judged.lookedAt });
    case 'undecided':
      return hold(flow, gate, arms);
    default: {
      const held = await whyNotOn(flow, gate, judged.verdict);
      if (held !== null) return stopAt(flow, gate, { why: held, calls: true });
      return goOn(flow, gate, { arms, to: judged.verdict });
    }
  }
}

/** Why its gate may not move it now: automation is off, or it would serve more freely what is held back for safety. */
async function whyNotOn(flow: Advancing, gate: AtGate, to: 'passed' | 'failed'): Promise<string | null> {
  if (to === 'passed' && flow.automation === 'off') return 'its gate passed, but automation is switched off';
  const { plan, mitigation, stage } = gate;
  const share = { setting: plan.shift.setting, from: stage.to_percent, to: nextShare(gate, to) };
  const asked = { ...plan, steps: [share], shift: null, mitigationId: mitigation.id };
  const gap = await releaseGap(flow, flow.db, asked);
  return gap === null ? null : 'more cannot be served of it now (ask the service’s owner)';
}

function nextShare({ plan, stage }: AtGate, to: 'passed' | 'failed'): number {
  const next = plan.shift.stages.find((percent) => percent > stage.to_percent) ?? 100;
  return to === 'failed' ? stage.from_percent : next;
}

/** Why the shift must end with its incident; null while that lives. */
async function endOfIncident(flow: Advancing, { incident_id: id }: Mitigation): Promise<string | null> {
  const incident = id === null ? undefined : await findIncident(flow.db, id);
  if (incident === undefined || LIVE.includes(incident.status)) return null;
  return `${nameOf(incident.id)} is ${incident.status}`;
}

async function wait(flow: Advancing, gate: AtGate, seen: { arms: Arms; lookedAt: number }): Promise<void> {
  const { mitigation, stage, now } = gate;
  const isSame = canonicalize(stage.arms) === canonicalize(seen.arms) && stage.looked_at === seen.lookedAt;
  if (isSame) return;
  await flow.db.transaction().execute(async (tx) => {
    await keepLook(tx, stage, seen);
    await show(tx, mitigation, now);
  });
}

/** The next stage, or the one before it again: the row that moves first decides, also between replicas. */
async function goOn(
  flow: Advancing,
  gate: AtGate,
  { arms, to }: { arms: Arms; to: 'passed' | 'failed' },
): Promise<void> {
  const { mitigation, stage, now } = gate;
  const isBack = to === 'failed';
  const number = stage.number + 1;
  await flow.db.transaction().execute(async (tx) => {
    const set = { settled_at: now, arms };
    if ((await moveStage(tx, { of: stage, from: 'gating', to, set })) === undefined) return;
    const share = { from: stage.to_percent, to: nextShare(gate, to) };
    await beginStage(tx, { mitigationId: mitigation.id, number, ...share, isBack, at: now });
    await enqueue(tx, runStage(mitigation, number, now));
    await show(tx, mitigation, now);
  });
}

async function hold(flow: Advancing, gate: AtGate, arms: Arms): Promise<void> {
  const { mitigation, plan, stage, now } = gate;
  const { minutes } = plan.shift.gate;
  const seen = arms.fresh.n === 0 ? 'no call reached the new arm' : describeArms(arms);
  const note = `Held at ${nameOfStage(plan.shift, stage)}: after ${minutes} minutes it cannot be told whether it is worse, ${seen}. Decide whether it goes on.`;
  await flow.db.transaction().execute(async (tx) => {
    const set = { settled_at: now, arms };
    if ((await moveStage(tx, { of: stage, from: 'gating', to: 'held', set })) === undefined) return;
    await endShift(tx, {
      mitigation,
      ending: { to: 'unproven', note, by: 'llm-incident', calls: true, now },
    });
  });
}

async function stopAt(
  flow: Advancing,
  { mitigation, stage, now }: AtGate,
  { why, calls }: { why: string; calls: boolean },
): Promise<void> {
  const note = `Stopped, because ${why}; it stands at ${stage.to_percent} %.`;
  await flow.db.transaction().execute(async (tx) => {
    const set = { settled_at: now };
    if ((await moveStage(tx, { of: stage, from: 'gating', to: 'stopped', set })) === undefined) return;
    await endShift(tx, {
      mitigation,
      ending: { to: 'needs-human', note, by: 'llm-incident', calls, now },
    });
  });
}

async function show(tx: Tx, { id, incident_id: incidentId }: Mitigation, now: Date): Promise<void> {
  if (incidentId !== null) await enqueue(tx, showReceipt(incidentId, id, now));
}
