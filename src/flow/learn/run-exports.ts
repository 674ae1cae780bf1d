import { z } from 'zod';
import type { Tx } from '../../db/database.ts';
import { enqueue, isSuperseded, type Job } from '../../db/jobs.ts';
import { ExternalError } from '../../errors.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { keepActionLinks, noteExported, noteExportProblem } from '../../postmortem/export-store.ts';
import type { ExportDocument, Exporter, ExportReceipt } from '../../postmortem/exporters/exporter.ts';
import { findPostmortem } from '../../postmortem/postmortem-store.ts';
import { notice, writePostmortem } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { exportDocument } from './export-document.ts';
import { exportersOf } from './export-jobs.ts';

const payload = z.object({ incidentId: z.number(), exporter: z.string() });

type Using = Pick<Flow, 'db' | 'clock' | 'log' | 'chat' | 'config' | 'installation' | 'documentsDir'>;

/** A failure that passes within these is nobody's business. */
const QUIET_ATTEMPTS = 3;
const QUIET_MS = 10 * 60_000;
const HOUR_MS = 60 * 60_000;
/** What is refused is tried again for so long, in case somebody mends it. */
const GIVE_UP_AFTER_MS = 24 * HOUR_MS;

/** Exports the newest document. Policy: the room is told once that it fails, and once that it works again. */
export async function runExport(flow: Using, job: Job): Promise<void> {
  const { incidentId, exporter: wanted } = payload.parse(job.payload);
  if (job.lane !== null && (await isSuperseded(flow.db, { id: job.id, kind: job.kind, lane: job.lane })))
    return;
  const exporter = exportersOf(flow).find(({ name }) => name === wanted);
  const incident = await findIncident(flow.db, incidentId);
  const written = await findPostmortem(flow.db, incidentId);
  if (exporter === undefined || incident === undefined || written === undefined) return;
  if (!exporter.takes(incident)) return;
  const document = await exportDocument(flow, incident, written.markdown);
  let receipt: ExportReceipt;
  try {
    receipt = await exporter.export(document);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    await noteFailure(flow, { exporter, incident, job, error: thrown });
    throw afterRefusal(job, thrown);
  }
  const settled = { exporter, incident, receipt, document };
  await flow.db.transaction().execute((tx) => settle(flow, tx, settled));
}

interface Failed {
  exporter: Exporter;
  incident: Incident;
  job: Job;
  error: ExternalError;
}

async function noteFailure(flow: Using, { exporter, incident, job, error }: Failed): Promise<void> {
  const at = flow.clock.now();
  const isFinal = !error.retryable;
  const isOld = Date.now() - job.created_at.getTime() > QUIET_MS;
  const isToBeTold = isFinal || isOld || job.attempts >= QUIET_ATTEMPTS;
  const about = { incidentId: incident.id, exporter: exporter.name, problem: error.message, isToBeTold, at };
  const again = isFinal ? 'It is tried again every hour for a day, and at `postmortem`' : 'It is tried again';
  const text = `Not exported (${exporter.name}): ${error.message}. ${again}; nothing waits for it.`;
  await flow.db.transaction().execute(async (tx) => {
    if (await noteExportProblem(tx, about)) await enqueue(tx, notice(incident.id, at, { text }));
  });
}

/** What is refused for good, such as a token, is not asked for every minute. */
function afterRefusal(job: Job, error: ExternalError): ExternalError {
  const ageMs = Date.now() - job.created_at.getTime();
  if (error.retryable || ageMs > GIVE_UP_AFTER_MS) return error;
  const { service, code, message, cause } = error;
  return new ExternalError(message, { service, code, retryable: true, retryAfterMs: HOUR_MS, cause });
}

interface Settled {
  exporter: Exporter;
  incident: Incident;
  receipt: ExportReceipt;
  document: ExportDocument;
}

async function settle(
  flow: Using,
  tx: Tx,
  { exporter, incident, receipt, document }: Settled,
): Promise<void> {
  const at = flow.clock.now();
  const which = { incidentId: incident.id, exporter: exporter.name };
  const say = (text: string) => enqueue(tx, notice(incident.id, at, { text }));
  const place = receipt.url === null ? '' : ` ${receipt.url}`;
  if (receipt.outcome === 'left') {
    const told = { ...which, problem: receipt.text, isToBeTold: true, at };
    if (await noteExportProblem(tx, told))
      await say(`Not exported (${exporter.name}): ${receipt.text}.${place}`);
    return;
  }
  const before = await noteExported(tx, { ...which, receipt: receipt.text, url: receipt.url, at });
  const fresh = await keepActionLinks(tx, { exporter: exporter.name, links: receipt.links ?? [] });
  const isElsewhere = receipt.url !== null && before?.url !== receipt.url;
  const works = before?.told_at == null ? '' : `Exporting works again (${exporter.name}). `;
  const issues = fresh.map(({ action, label, url }) => `${label} ${nameOfAction(document, action)} ${url}`);
  if (works !== '' || isElsewhere || issues.length > 0)
    await say([`${works}Exported: ${receipt.text}.${place}`, ...issues].join('\n'));
  if (receipt.outcome === 'exported') {
    const text = `Exported: ${receipt.text}.`;
    await addToTimeline(tx, { incidentId: incident.id, at, kind: 'exported', actor: null, text });
  }
  // The document shows where its action items stand.
  if (fresh.length > 0) await enqueue(tx, writePostmortem(incident.id, at, { quiet: true }));
}

function nameOfAction({ actions }: ExportDocument, id: number): string {
  return actions.find((one) => one.id === id)?.text ?? '';
}
