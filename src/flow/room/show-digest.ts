import { createHash } from 'node:crypto';
import { z } from 'zod';
import { enqueue, isSuperseded, type Job, type NewJob } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import { digestPostOf, keepDigestPost } from '../../incident/digest-store.ts';
import type { Incident } from '../../incident/incident.ts';
import { findIncident, milestonesOf } from '../../incident/incident-store.ts';
import { latestUpdate } from '../../incident/update-store.ts';
import { tellOps } from '../effects.ts';
import type { Flow } from '../flow.ts';
import type { RoomMessage } from '../ports.ts';
import type { DigestView } from './digest-view.ts';

export const SHOW_DIGEST = 'show-digest';

const payload = z.object({ incidentId: z.number() });

const showDigest = (incidentId: number, now: Date): NewJob => ({
  kind: SHOW_DIGEST,
  payload: { incidentId },
  runAt: now,
  lane: `digest:${incidentId}`,
});

/** Where the digest of an incident would say something else than it does, it is brought up to date. */
export async function followDigest(
  flow: Pick<Flow, 'db' | 'clock' | 'config'>,
  incidentId: number,
): Promise<void> {
  const wanted = await wantedDigest(flow, incidentId);
  if (wanted?.isNew === true) await enqueue(flow.db, showDigest(incidentId, flow.clock.now()));
}

/**
 * Posts the one message about an incident, or edits it. It mentions nobody: it is for reading, not for waking. Policy:
 * what Slack refuses for good is told in the ops channel once, and tried again when there is something else to say.
 */
export async function drawDigest(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = payload.parse(job.payload);
  if (job.lane !== null && (await isSuperseded(flow.db, { id: job.id, kind: job.kind, lane: job.lane })))
    return;
  const wanted = await wantedDigest(flow, incidentId);
  if (wanted === null || !wanted.isNew) return;
  const { channelId, ts, view, shown } = wanted;
  const message: RoomMessage = { kind: 'digest', digest: view };
  const key = `digest:${incidentId}`;
  const retried = job.attempts > 1;
  const at = flow.clock.now();
  try {
    const ref =
      ts === null
        ? await flow.chat.post({ key, channelId, message, retried })
        : await flow.chat.edit({ channelId, ts }, message).then(() => ({ channelId, ts }));
    await keepDigestPost(flow.db, { incidentId, ...ref, shown, at });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    const text = `The digests for <#${channelId}> were refused: ${thrown.message}.`;
    await enqueue(flow.db, tellOps({ key: `digest:${channelId}`, text }, at));
    await keepDigestPost(flow.db, { incidentId, channelId, ts: '', shown, at });
  }
}

interface Wanted {
  channelId: string;
  /** Of the message that is there already. */
  ts: string | null;
  view: DigestView;
  shown: string;
  isNew: boolean;
}

/**
 * What the digest should say, and whether that differs. Policy: of private incidents and drills nothing is said; of one
 * that was made private, what was said is taken back.
 */
async function wantedDigest(flow: Pick<Flow, 'db' | 'config'>, incidentId: number): Promise<Wanted | null> {
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) return null;
  const kept = await digestPostOf(flow.db, incidentId);
  const posted = kept?.ts === '' ? undefined : kept;
  const channelId = posted?.channel_id ?? flow.config.digests[incident.category];
  if (channelId === undefined || incident.drill) return null;
  if (posted === undefined && incident.private) return null;
  const view = { incidentId, about: incident.private ? null : await aboutOf(flow, incident) };
  const shown = createHash('sha256').update(JSON.stringify(view)).digest('hex');
  return { channelId, ts: posted?.ts ?? null, view, shown, isNew: kept?.shown !== shown };
}

async function aboutOf(flow: Pick<Flow, 'db'>, incident: Incident): Promise<DigestView['about']> {
  const { title, status, severity, category, service, environment, created_at: openedAt } = incident;
  const milestones = await milestonesOf(flow.db, incident.id);
  const update = await latestUpdate(flow.db, incident.id);
  return {
    ...{ title, status, severity, category, service, environment, openedAt },
    roomId: incident.channel_id,
    containedAt: milestones.contained ?? null,
    mitigatedAt: milestones.mitigated ?? null,
    resolvedAt: milestones.resolved ?? null,
    update: update === undefined ? null : { text: update.known, at: update.at },
  };
}
