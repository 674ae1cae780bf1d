import { Agent, request } from 'undici';
import { z } from 'zod';
import type { ExposureWebhookConfig } from '../../config/stakeholders.ts';
import { enqueue, type Job } from '../../db/jobs.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { type ExposureNotice, findNotice, settleNotice } from '../../incident/exposure-notice-store.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { guardedLookup, refuseForbiddenHost } from '../../mitigation/targets/address-guard.ts';
import { signedHeaders } from '../../mitigation/targets/webhook.ts';
import { notice as roomNotice } from '../effects.ts';
import type { Flow } from '../flow.ts';

const SERVICE = 'notice webhook';
const TIMEOUT_MS = 10_000;
const LONGEST_RECEIPT = 500;

const payload = z.object({ noticeId: z.number() });

/**
 * Hands an approved notice to the configured webhook. Policy: tried until it is taken or refused, always under the same
 * idempotency key, so that the other side sends it once; what it answered is the receipt.
 */
export async function sendNotice(flow: Flow, job: Job): Promise<void> {
  const { noticeId } = payload.parse(job.payload);
  const notice = await findNotice(flow.db, noticeId);
  if (notice?.status !== 'approved') return;
  const incident = await findIncident(flow.db, notice.incident_id);
  const { webhook } = flow.config.exposure;
  if (incident === undefined) return;
  try {
    if (webhook === undefined) throw refused('is not configured any more');
    const receipt = await deliver(webhook, {
      key: `${flow.installation}/exposure-notice/${noticeId}`,
      body: JSON.stringify(wireForm(incident, notice)),
    });
    await record(flow, { notice, status: 'sent', receipt, failure: null });
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    await record(flow, { notice, status: 'failed', receipt: null, failure: thrown.message });
  }
}

function wireForm(incident: Incident, notice: ExposureNotice): object {
  return {
    incident: nameOf(incident.id),
    service: incident.service,
    environment: incident.environment,
    notice: notice.text,
    users: notice.users,
    digest: notice.digest,
    approved_at: notice.decided_at,
  };
}

async function deliver(
  config: ExposureWebhookConfig,
  { key, body }: { key: string; body: string },
): Promise<{ status: number; answer: string }> {
  const url = new URL(config.url);
  const agent = new Agent({ connect: { lookup: guardedLookup(config.allow_private), timeout: 5_000 } });
  try {
    refuseForbiddenHost(url, config.allow_private);
    const answer = await request(url, {
      method: 'POST',
      dispatcher: agent,
      headers: signedHeaders(config.secret, { url, body, key }),
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = (await answer.body.text()).slice(0, LONGEST_RECEIPT);
    if (answer.statusCode >= 200 && answer.statusCode <= 299)
      return { status: answer.statusCode, answer: text };
    const isLater = answer.statusCode === 429 || answer.statusCode >= 500;
    throw refused(`answered ${answer.statusCode}`, isLater);
  } catch (thrown) {
    if (thrown instanceof ExternalError) throw thrown;
    const code = (thrown as { code?: string }).code;
    throw refused(`could not be reached: ${messageOf(thrown)}`, code !== 'ADDRESS_REFUSED');
  } finally {
    await agent.close();
  }
}

function refused(what: string, retryable = false): ExternalError {
  return new ExternalError(`the notice webhook ${what}`, { service: SERVICE, retryable });
}

async function record(
  flow: Flow,
  settled: {
    notice: ExposureNotice;
    status: 'sent' | 'failed';
    receipt: { status: number; answer: string } | null;
    failure: string | null;
  },
): Promise<void> {
  const { notice, status, receipt, failure } = settled;
  const at = flow.clock.now();
  const { id, incident_id: incidentId, users } = notice;
  const outcome =
    failure === null
      ? `The notice to ${users.length} users was taken by the webhook (${receipt?.status}).`
      : `The notice to ${users.length} users was not sent: ${failure}.`;
  await flow.db.transaction().execute(async (tx) => {
    if (!(await settleNotice(tx, { id, status, outcome, receipt, at }))) return;
    await addToTimeline(tx, { incidentId, at, kind: 'exposure', actor: null, text: outcome });
    const data = { notice: id, users: users.length, digest: notice.digest };
    const subject = nameOf(incidentId);
    await audit(tx, { at, actor: 'llm-incident', action: `notice.${status}`, subject, data });
    await enqueue(tx, roomNotice(incidentId, at, { text: outcome }));
  });
}
