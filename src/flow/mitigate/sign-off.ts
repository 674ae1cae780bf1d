import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { digestOf } from '../../evidence/digest.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, lockIncident } from '../../incident/incident-store.ts';
import { insertRootCause, insertSignOff, releaseOf } from '../../incident/release-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { notice, refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { gapOf, type ReleaseGap, releaseNow, roleName, signOffRoles } from './safety-release.ts';

interface Saying {
  incident: Incident;
  by: string;
  text: string;
}

type Refused = { kind: 'ended'; status: Incident['status'] } | { kind: 'not-allowed'; who: string[] };

/** Policy: an incident that was none has no root cause; any other may get one, also after it was closed. */
const isOver = ({ status }: Incident) => status === 'declined' || status === 'merged';

/** Records what caused it; a root cause that changes has no sign-offs yet. */
export async function recordRootCause(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  { incident, by, text: cause }: Saying,
): Promise<Refused | { kind: 'same' } | { kind: 'recorded'; voided: number; gap: ReleaseGap | null }> {
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const current = (await lockIncident(tx, incident.id)) ?? incident;
    if (isOver(current)) return { kind: 'ended', status: current.status };
    const before = await releaseOf(tx, incident.id);
    if (before.rootCause?.cause === cause) return { kind: 'same' };
    await insertRootCause(tx, { incidentId: incident.id, cause, by, at: now });
    const voided = before.signOffs.length;
    const lost = voided === 0 ? '' : ` (It replaces the one before, and its sign-offs with it.)`;
    await record(tx, {
      incident,
      by,
      now,
      kind: 'root-cause',
      text: `Root cause: ${cause}${lost}`,
      data: { digest: digestOf({ cause }), voided },
    });
    return { kind: 'recorded', voided, gap: await gapNow(flow, tx, current) };
  });
}

/** Signs the recorded root cause off, in the place of every role that the person holds. */
export async function signOff(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  { incident, by, text: note }: Saying,
): Promise<
  | Refused
  | { kind: 'not-safety' }
  | { kind: 'no-cause' }
  | { kind: 'already'; gap: ReleaseGap | null }
  | { kind: 'signed'; cause: string; gap: ReleaseGap | null }
> {
  if (incident.category !== 'safety') return { kind: 'not-safety' };
  const roles = signOffRoles(flow, incident.service);
  const mine = roles.filter(({ people }) => people.includes(by)).map(({ role }) => roleName(role));
  if (mine.length === 0)
    return { kind: 'not-allowed', who: [...new Set(roles.flatMap(({ people }) => people))] };
  const now = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const current = (await lockIncident(tx, incident.id)) ?? incident;
    if (isOver(current)) return { kind: 'ended', status: current.status };
    const { rootCause, since } = await releaseNow(tx, incident.id);
    if (rootCause === null) return { kind: 'no-cause' };
    const signed = { rootCauseId: rootCause.id, person: by, note: note === '' ? null : note, at: now, since };
    const isNew = await insertSignOff(tx, signed);
    const gap = await gapNow(flow, tx, current);
    if (!isNew) return { kind: 'already', gap };
    const said = note === '' ? '' : ` ${note}`;
    await record(tx, {
      incident,
      by,
      now,
      kind: 'sign-off',
      text: `Root cause signed off for ${[...new Set(mine)].join(' and ')}.${said}`,
      data: { digest: digestOf({ cause: rootCause.cause }) },
    });
    return { kind: 'signed', cause: rootCause.cause, gap };
  });
}

async function gapNow(flow: Pick<Flow, 'config'>, tx: Tx, incident: Incident): Promise<ReleaseGap | null> {
  if (incident.category !== 'safety') return null;
  const gap = gapOf(flow, incident.service, await releaseNow(tx, incident.id));
  return gap === null ? null : { ...gap, isOwn: true };
}

interface Recorded {
  incident: Incident;
  by: string;
  now: Date;
  kind: 'root-cause' | 'sign-off';
  text: string;
  data: Record<string, unknown>;
}

async function record(tx: Tx, { incident, by, now, kind, text, data }: Recorded): Promise<void> {
  const { id: incidentId } = incident;
  await addToTimeline(tx, { incidentId, at: now, kind, actor: by, text });
  await audit(tx, { at: now, actor: by, action: `incident.${kind}`, subject: nameOf(incidentId), data });
  await enqueue(tx, [notice(incidentId, now, { text }), refreshCard(incidentId, now)]);
}
