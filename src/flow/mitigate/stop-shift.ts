import { type Incident, nameOf } from '../../incident/incident.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { findMitigation, lockMitigation } from '../../mitigation/mitigation-store.ts';
import { parsePlan } from '../../mitigation/plan.ts';
import { askToStop, moveStage, stagesOf } from '../../mitigation/shift-store.ts';
import type { Flow } from '../flow.ts';
import { endShift } from './end-shift.ts';

export type Stopped =
  | { kind: 'stopped'; percent: number }
  /** A stage is being set: it ends when that is known. */
  | { kind: 'stopping' }
  | { kind: 'not-found'; incident: string }
  | { kind: 'no-shift' }
  | { kind: 'over'; status: string };

/** Policy: anyone in the room may stop a shift where it is; nothing is taken back by that. */
export async function stopShift(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  { incident, mitigationId, by }: { incident: Incident; mitigationId: number; by: string },
): Promise<Stopped> {
  const known = await findMitigation(flow.db, mitigationId);
  if (known === undefined || known.incident_id !== incident.id)
    return { kind: 'not-found', incident: nameOf(incident.id) };
  if (parsePlan(known.plan).shift === null) return { kind: 'no-shift' };
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx): Promise<Stopped> => {
    const mitigation = await lockMitigation(tx, mitigationId);
    if (mitigation?.status !== 'running') return { kind: 'over', status: mitigation?.status ?? 'gone' };
    const stage = (await stagesOf(tx, mitigationId)).findLast(
      ({ status, is_back: isBack }) => status === 'gating' || (status === 'running' && !isBack),
    );
    if (stage === undefined) return { kind: 'over', status: 'on its way back' };
    const subject = `mitigation ${mitigationId}`;
    await audit(tx, { at: now, actor: by, action: 'mitigation.stop', subject, data: {} });
    const set = { settled_at: now };
    if ((await moveStage(tx, { of: stage, from: 'gating', to: 'stopped', set })) === undefined) {
      await askToStop(tx, stage, by);
      return { kind: 'stopping' };
    }
    const percent = stage.to_percent;
    const note = `Stopped; it stands at ${percent} %.`;
    await endShift(tx, { mitigation, ending: { to: 'needs-human', note, by, calls: false, now } });
    return { kind: 'stopped', percent };
  });
}

/** What to tell whoever asked for it. */
export function describeStop(outcome: Stopped, id: number): string {
  switch (outcome.kind) {
    case 'stopped':
      return `Stopped at ${outcome.percent} %. \`mitigate undo ${id}\` takes it back.`;
    case 'stopping':
      return 'A stage is being set at this moment; it stops when that is known, and the receipt says where.';
    case 'not-found':
      return `There is no mitigation ${id} in ${outcome.incident}.`;
    case 'no-shift':
      return `Mitigation ${id} is no shift of traffic; \`mitigate undo ${id}\` takes it back.`;
    case 'over':
      return `Mitigation ${id} is ${outcome.status}; there is nothing to stop.`;
  }
}
