import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { enqueue, type Job, wasBegun } from '../../db/jobs.ts';
import { evidenceOf } from '../../evidence/evidence-store.ts';
import { FAILURE_OF, freezeAtResolve } from '../../evidence/freeze-store.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident, milestonesOf } from '../../incident/incident-store.ts';
import { casesJsonl, promptfooYaml } from '../../postmortem/case-export.ts';
import { casesOf } from '../../postmortem/case-store.ts';
import { isArchived } from '../../postmortem/duty-store.ts';
import { markdownPieces } from '../../postmortem/postmortem.ts';
import { findPostmortem, markPosted, savePostmortem } from '../../postmortem/postmortem-store.ts';
import { whatTheRecordLacks } from '../../postmortem/what-is-missing.ts';
import { publishPostmortem as publishJob, refreshCard, writePostmortem as writeJob } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { collectHistory } from '../room/collect-history.ts';
import { passScoreOf } from './data-points.ts';
import { documentsOf } from './documents-folder.ts';
import { dutyState } from './duty-state.ts';
import { enqueueExports } from './export-jobs.ts';
import { loadDocument } from './load-document.ts';
import { presentPostmortem } from './show-postmortem.ts';
import { writeWhole } from './write-whole.ts';

const payload = z.object({ incidentId: z.number() });
const writing = payload.extend({ readFrom: z.coerce.date(), quiet: z.boolean().default(false) });

/** Completes the room's history, assembles the document and the eval cases, and keeps both. */
export async function writePostmortem(flow: Flow, job: Job): Promise<void> {
  const { incidentId, readFrom, quiet } = writing.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident === undefined) throw new Error(`incident ${incidentId} does not exist`);
  if (incident.channel_id !== null && !(await isArchived(flow.db, incidentId)))
    await collectHistory(flow, { incidentId, channelId: incident.channel_id, readFrom });
  await freezeOnceOver(flow, incident);
  const { record, cases, names } = await loadDocument(flow, incident, { isLastTry: job.attempts >= 3 });
  const markdown = await joined(markdownPieces(record, { names }));
  const yaml = promptfooYaml(cases, { incidentId: nameOf(incidentId) });
  await keepOnDisk(flow, incident, { markdown, yaml, jsonl: casesJsonl(cases) });
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    await savePostmortem(tx, { incidentId, markdown, missing: whatTheRecordLacks(record), cases, at: now });
    const text = `Post-mortem written from ${record.messages.length} messages, with ${cases.length} eval cases.`;
    await addToTimeline(tx, { incidentId, at: now, kind: 'postmortem', actor: null, text });
    const telling = quiet ? [] : [publishJob(incidentId, now)];
    await enqueue(tx, [...telling, refreshCard(incidentId, now)]);
    await enqueueExports(flow, tx, { incident, now });
  });
}

const UNINTERRUPTED_MS = 10;

/** What is made in pieces, as one; between them others get their turn. */
async function joined(pieces: Iterable<string>): Promise<string> {
  const all: string[] = [];
  await new Promise(setImmediate);
  let since = performance.now();
  for (const piece of pieces) {
    all.push(piece);
    if (performance.now() - since < UNINTERRUPTED_MS) continue;
    await new Promise(setImmediate);
    since = performance.now();
  }
  return all.join('');
}

/** What was serving, and samples of all that went wrong, before retention eats them. A second time changes nothing. */
async function freezeOnceOver(flow: Pick<Flow, 'db' | 'clock'>, incident: Incident): Promise<void> {
  const { id: incidentId, service, environment, category } = incident;
  if (service === null) return;
  const { started, contained, resolved } = await milestonesOf(flow.db, incidentId);
  const at = contained ?? resolved ?? flow.clock.now();
  const passScore = passScoreOf(await evidenceOf(flow.db, incidentId));
  const onset = started ?? null;
  const freeze = { incidentId, service, environment, at, onset, passScore, failure: FAILURE_OF[category] };
  await flow.db.transaction().execute((tx) => freezeAtResolve(tx, freeze));
}

async function keepOnDisk(
  flow: Flow,
  incident: Incident,
  texts: { markdown: string; yaml: string; jsonl: string },
): Promise<void> {
  const folder = documentsOf(flow, incident.id);
  // They hold what a private incident holds: for the bot's own user alone.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeWhole(join(folder, 'postmortem.md'), texts.markdown);
  await writeWhole(join(folder, 'evals.yaml'), texts.yaml);
  await writeWhole(join(folder, 'evals.jsonl'), texts.jsonl);
}

/** Posts both documents in the room, and says what is still missing. */
export async function publishPostmortem(flow: Flow, job: Job): Promise<void> {
  const { incidentId } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  const written = await findPostmortem(flow.db, incidentId);
  if (incident?.channel_id == null || written === undefined) return;
  if (await isArchived(flow.db, incidentId)) return;
  const cases = await casesOf(flow.db, incidentId);
  const retried = wasBegun(job);
  const version = written.assembled_at.toISOString();
  const name = nameOf(incidentId);
  const common = { channelId: incident.channel_id, comment: '', retried };
  const title = `Post-mortem ${name} (${version})`;
  await flow.chat.upload({
    ...common,
    key: `postmortem:${job.id}`,
    filename: 'postmortem.md',
    title,
    content: written.markdown,
  });
  const evals = { key: `evals:${job.id}`, filename: 'evals.yaml', title: `Eval cases ${name} (${version})` };
  const yaml = promptfooYaml(cases, { incidentId: name });
  // Samples of a safety incident are in no message and no file of a room.
  if (cases.length > 0 && incident.category !== 'safety')
    await flow.chat.upload({ ...common, ...evals, content: yaml });
  await presentPostmortem(flow, { incident, retried });
  await markPosted(flow.db, incidentId, flow.clock.now());
}

/** Writes it again from what is known by now; people do so after they added what was missing. */
export async function rewritePostmortem(flow: Flow, incident: Incident): Promise<string> {
  if (incident.status !== 'resolved' && incident.status !== 'closed') {
    return `The post-mortem is written when ${nameOf(incident.id)} is resolved; it is ${incident.status} now.`;
  }
  await enqueue(flow.db, writeJob(incident.id, flow.clock.now()));
  const { left } = await dutyState(flow, flow.db, incident);
  const missing = left.length === 0 ? '' : ` Missing so far: ${left.join(' ')}`;
  return `Writing the post-mortem again; it will be posted here.${missing}`;
}

/** The eval cases as they are, for whoever asks. */
export async function describeDocuments(flow: Flow, incident: Incident): Promise<string> {
  const cases = await casesOf(flow.db, incident.id);
  if (cases.length === 0)
    return 'No eval cases yet: they are proposed from the frozen failing calls when it is resolved.';
  const lines = cases.map(
    (found, index) => `${index + 1}. ${found.proven ? 'proven' : 'not proven'}: ${found.description}`,
  );
  return [`${cases.length} eval cases, in \`evals.yaml\`:`, ...lines].join('\n').slice(0, 2900);
}
