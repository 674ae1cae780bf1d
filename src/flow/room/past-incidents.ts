import { mostAlike } from '../../evidence/recurrence.ts';
import { type PastIncident, pastIncidents, signatureOf } from '../../evidence/recurrence-store.ts';
import { nameOf } from '../../incident/incident.ts';
import { mitigationsOf } from '../../mitigation/mitigation-store.ts';
import { describeSteps, parsePlan } from '../../mitigation/plan.ts';
import { readProof } from '../../mitigation/proof.ts';
import type { Flow } from '../flow.ts';
import type { PastLikeThis } from '../ports.ts';

const SHOWN = 3;

/** Policy: past incidents that are private stay unnamed, also in the room of another private one, whose people differ. */
export async function pastLikeThis(flow: Pick<Flow, 'db'>, incidentId: number): Promise<PastLikeThis[]> {
  const own = await signatureOf(flow.db, incidentId);
  if (own === undefined) return [];
  const past = (await pastIncidents(flow.db, { before: incidentId })).filter((one) => !one.private);
  const alike = mostAlike(own, past, SHOWN);
  return Promise.all(alike.map(({ past: one, likeness }) => described(flow, one, likeness.common)));
}

async function described(
  flow: Pick<Flow, 'db'>,
  { id, title, declaredAt }: PastIncident,
  common: string[],
): Promise<PastLikeThis> {
  const worked = (await mitigationsOf(flow.db, id))
    .filter(({ proof }) => readProof(proof)?.verdict === 'proven')
    .map(({ plan }) => parsePlan(plan))
    .filter(({ wish }) => wish.kind !== 'undo')
    .map(({ steps }) => describeSteps(steps));
  return { name: nameOf(id), title, at: declaredAt, common, worked: [...new Set(worked)] };
}
