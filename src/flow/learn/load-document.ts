import { mkdir } from 'node:fs/promises';
import type { Incident } from '../../incident/incident.ts';
import type { EvalCase } from '../../postmortem/eval-case.ts';
import type { Flow } from '../flow.ts';
import { type Told, tellRecord, withFiles } from './document-record.ts';
import { documentsOf } from './documents-folder.ts';
import { drawCharts } from './draw-charts.ts';
import { keepFiles } from './keep-files.ts';
import { loadRecord } from './postmortem-record.ts';

type Using = Pick<Flow, 'db' | 'clock' | 'log' | 'chat' | 'config' | 'documentsDir'>;

/** Everything that goes into the document, with the charts and the room's files beside it on disk. */
export async function loadDocument(
  flow: Using,
  incident: Incident,
  { isLastTry }: { isLastTry: boolean },
): Promise<Told & { cases: EvalCase[] }> {
  const documents = documentsOf(flow, incident.id);
  await mkdir(documents, { recursive: true, mode: 0o700 });
  const { record, cases } = await loadRecord(flow, incident);
  const kept = await keepFiles(flow, incident, { documents, isLastTry });
  const charts = await drawCharts(flow, incident, { record, documents });
  const told = await tellRecord(flow, incident, { ...withFiles(record, kept), charts });
  return { ...told, cases };
}
