import { z } from 'zod';
import type { Job, NewJob } from '../../db/jobs.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { addToTimeline, findIncident } from '../../incident/incident-store.ts';
import { casesJsonl, promptfooYaml } from '../../postmortem/case-export.ts';
import { casesOf } from '../../postmortem/case-store.ts';
import type { EvalCase } from '../../postmortem/eval-case.ts';
import type { ExportDocument, Exporter } from '../../postmortem/exporters/exporter.ts';
import { langfuseDataset } from '../../postmortem/exporters/langfuse-dataset.ts';
import { findPostmortem } from '../../postmortem/postmortem-store.ts';
import type { Flow } from '../flow.ts';

export const EXPORT = 'export-incident';

const payload = z.object({ incidentId: z.number(), exporter: z.string() });

/** Every configured exporter, by its name. */
function exportersOf({ config, installation }: Pick<Flow, 'config' | 'installation'>): Exporter[] {
  const { langfuse } = config.exports;
  return langfuse === undefined ? [] : [langfuseDataset(langfuse, { installation })];
}

/**
 * A job for each exporter, so that one that fails holds up neither the others nor the room. Policy: what is private stays
 * with its people, and a drill leaves nothing behind.
 */
export function exportJobs(
  flow: Pick<Flow, 'config' | 'installation'>,
  incident: Incident,
  now: Date,
): NewJob[] {
  if (incident.private || incident.drill) return [];
  return exportersOf(flow).map(({ name }) => ({
    kind: EXPORT,
    payload: { incidentId: incident.id, exporter: name },
    runAt: now,
    lane: `export:${name}:${incident.id}`,
  }));
}

/** Exports the newest document; what fails is tried again by the runner, and is on the record when it is given up. */
export async function runExport(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'installation'>,
  job: Job,
): Promise<void> {
  const { incidentId, exporter: wanted } = payload.parse(job.payload);
  const exporter = exportersOf(flow).find(({ name }) => name === wanted);
  const incident = await findIncident(flow.db, incidentId);
  const written = await findPostmortem(flow.db, incidentId);
  if (exporter === undefined || incident === undefined || written === undefined) return;
  const cases = await casesOf(flow.db, incidentId);
  const receipt = await exporter.export(documentOf(incident, written.markdown, cases));
  const text = `Exported: ${receipt.text}.`;
  const at = flow.clock.now();
  await addToTimeline(flow.db, { incidentId, at, kind: 'exported', actor: null, text });
}

function documentOf(
  { id, title, service }: Incident,
  markdown: string,
  cases: readonly EvalCase[],
): ExportDocument {
  const incident = nameOf(id);
  const evals = [
    { name: 'evals.yaml', text: promptfooYaml(cases, { incidentId: incident }) },
    { name: 'evals.jsonl', text: casesJsonl(cases) },
  ];
  const files = [{ name: 'postmortem.md', text: markdown }, ...(cases.length === 0 ? [] : evals)];
  return { incident, title, service, cases, files };
}
