import { enqueue, type NewJob } from '../../db/jobs.ts';
import { digestOf } from '../../evidence/digest.ts';
import {
  decideNotice,
  draftNotice,
  type ExposureNotice,
  findNotice,
  newestNotice,
} from '../../incident/exposure-notice-store.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { notice } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { approverIds } from '../mitigate/approvers.ts';
import { type Exposure, everyExposed, exposureOf, exposureRights } from './exposure.ts';

export const SEND_NOTICE = 'send-exposure-notice';

type Deciding = Pick<Flow, 'db' | 'clock' | 'config' | 'chat' | 'log' | 'pager'>;

/** What the configured template makes of an incident. Nothing of it is sent before somebody else approved it. */
export function templateFor(
  flow: Pick<Flow, 'config'>,
  { service, from, to }: Pick<Exposure, 'service' | 'from' | 'to'>,
): string {
  const values: Record<string, string> = { service, from: minute(from), to: minute(to) };
  return flow.config.exposure.template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] as string) : whole,
  );
}

const minute = (at: Date) => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

export type Drafted =
  | { kind: 'drafted'; notice: ExposureNotice }
  | { kind: 'open'; notice: ExposureNotice | undefined }
  | { kind: 'not-allowed' | 'nobody' | 'no-webhook' | 'empty' };

/** Keeps the text with the users of this moment: what is approved later is this and nothing else. */
export async function draftExposureNotice(
  flow: Deciding,
  { incident, by, text }: { incident: Incident; by: string; text: string },
): Promise<Drafted> {
  if (flow.config.exposure.webhook === undefined) return { kind: 'no-webhook' };
  if (text.trim() === '') return { kind: 'empty' };
  if (!(await exposureRights(flow, incident, by)).act) return { kind: 'not-allowed' };
  const exposure = await exposureOf(flow, incident);
  const users = exposure === null ? [] : (await everyExposed(flow, exposure)).map(({ userId }) => userId);
  if (users.length === 0) return { kind: 'nobody' };
  const at = flow.clock.now();
  const digest = digestOf({ incidentId: incident.id, text, users });
  return flow.db.transaction().execute(async (tx) => {
    const drafted = await draftNotice(tx, { incidentId: incident.id, text, users, digest, by, at });
    if (drafted === undefined) return { kind: 'open', notice: await newestNotice(tx, incident.id) };
    const said = `Drafted a notice to ${users.length} users. \`/llm-incident exposure\` shows it; somebody else who may must approve it.`;
    const mention = approverIds(flow, incident.service).filter((id) => id !== by);
    const data = { notice: drafted.id, users: users.length, digest };
    const subject = nameOf(incident.id);
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'exposure', actor: by, text: said });
    await audit(tx, { at, actor: by, action: 'notice.drafted', subject, data });
    await enqueue(tx, notice(incident.id, at, { text: said, mention }));
    return { kind: 'drafted', notice: drafted };
  });
}

export type NoticeDecision =
  | { kind: 'done'; notice: ExposureNotice }
  | { kind: 'not-allowed' | 'own-draft' | 'changed' }
  | { kind: 'decided'; notice: ExposureNotice };

interface NoticeDecided {
  incident: Incident;
  by: string;
  id: number;
  /** Of what the person read; null where they read nothing, as for a withdrawal. */
  digest: string | null;
  to: 'approved' | 'withdrawn';
}

/**
 * Policy: a notice leaves when somebody other than its author, who may, approves this very text for these very users;
 * anybody who may withdraws it before that.
 */
export async function decideExposureNotice(
  flow: Deciding,
  { incident, by, id, digest, to }: NoticeDecided,
): Promise<NoticeDecision> {
  const found = await findNotice(flow.db, id);
  if (found === undefined || found.incident_id !== incident.id) return { kind: 'changed' };
  if (!(await exposureRights(flow, incident, by)).act) return { kind: 'not-allowed' };
  if (found.status !== 'drafted') return { kind: 'decided', notice: found };
  if (to === 'approved' && found.drafted_by === by) return { kind: 'own-draft' };
  if (digest !== null && digest !== found.digest) return { kind: 'changed' };
  const at = flow.clock.now();
  return flow.db.transaction().execute(async (tx) => {
    const decided = await decideNotice(tx, { id, status: to, by, at, byAnother: to === 'approved' });
    if (decided === undefined) return { kind: 'decided', notice: (await findNotice(tx, id)) ?? found };
    const subject = nameOf(incident.id);
    const data = { notice: id, users: decided.users.length, digest: decided.digest };
    const text = `${to === 'approved' ? 'Approved' : 'Withdrew'} the notice to ${decided.users.length} users.`;
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'exposure', actor: by, text });
    await audit(tx, { at, actor: by, action: `notice.${to}`, subject, data });
    await enqueue(tx, to === 'approved' ? [sendJob(decided, at)] : []);
    return { kind: 'done', notice: decided };
  });
}

function sendJob({ id: noticeId, incident_id: incidentId }: ExposureNotice, now: Date): NewJob {
  return {
    kind: SEND_NOTICE,
    payload: { noticeId, incidentId },
    runAt: now,
    dedupeKey: `${SEND_NOTICE}:${noticeId}`,
  };
}
