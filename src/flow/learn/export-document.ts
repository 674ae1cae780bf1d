import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { timelineOf } from '../../incident/incident-store.ts';
import { casesJsonl, promptfooYaml } from '../../postmortem/case-export.ts';
import { casesOf } from '../../postmortem/case-store.ts';
import type { ExportDocument, ExportedAction, Picture } from '../../postmortem/exporters/exporter.ts';
import { withoutRoomFiles } from '../../postmortem/exporters/room-files.ts';
import { person } from '../../postmortem/prose.ts';
import { redact } from '../../redaction.ts';
import type { Flow } from '../flow.ts';
import { actionItemsOf } from './action-items.ts';
import { tellRecord } from './document-record.ts';
import { documentsOf } from './documents-folder.ts';
import { loadRecord } from './postmortem-record.ts';

type Using = Pick<Flow, 'db' | 'log' | 'chat' | 'config' | 'documentsDir'>;

/** What may leave. Policy: the calls of a safety incident never do, neither as eval cases nor in what people shared. */
export async function exportDocument(
  flow: Using,
  incident: Incident,
  markdown: string,
): Promise<ExportDocument> {
  const { id, service, category } = incident;
  const name = nameOf(id);
  const isSafety = category === 'safety';
  const cases = isSafety ? [] : await casesOf(flow.db, id);
  const evals = [
    { name: 'evals.yaml', text: promptfooYaml(cases, { incidentId: name }) },
    { name: 'evals.jsonl', text: casesJsonl(cases) },
  ];
  const { title, actions } = await toldActions(flow, incident);
  const pictures = await picturesOf(documentsOf(flow, id), markdown);
  const sent = isSafety ? withoutRoomFiles({ markdown, pictures }) : { markdown, pictures };
  return {
    ...{ incident: name, title, service, declaredAt: incident.created_at, cases, actions },
    files: [{ name: 'postmortem.md', text: sent.markdown }, ...(cases.length === 0 ? [] : evals)],
    pictures: sent.pictures,
  };
}

/** The record is read only where something of it is wanted. */
async function toldActions(
  flow: Using,
  incident: Incident,
): Promise<{ title: string; actions: ExportedAction[] }> {
  const hasActions = actionItemsOf(await timelineOf(flow.db, incident.id)).length > 0;
  if (!hasActions && !flow.config.blameless_names) return { title: redact(incident.title), actions: [] };
  const { record, names } = await tellRecord(flow, incident, (await loadRecord(flow, incident)).record);
  const actions = record.actionItems.flatMap(({ id, text, owner, dueAt }): ExportedAction[] => {
    if (id === undefined) return [];
    const ownerName = owner === undefined ? 'nobody' : person(owner, names);
    return [{ id, text: redact(text), owner: owner ?? null, ownerName, dueAt: dueAt ?? null }];
  });
  return { title: redact(record.incident.title), actions };
}

/** Only what the bot itself wrote beside the document, by the paths that it made. */
const REFERENCE =
  /\]\(((?:INC-\d{1,9}-[a-z]{1,20}\.png|files\/[A-Za-z0-9][A-Za-z0-9-]{1,100}\.(?:png|jpg|gif|webp|pdf|txt)))\)/g;

async function picturesOf(folder: string, markdown: string): Promise<Picture[]> {
  const paths = new Set([...markdown.matchAll(REFERENCE)].map(([, path = '']) => path));
  const pictures: Picture[] = [];
  for (const path of paths) {
    const isThere = await access(join(folder, path)).then(
      () => true,
      () => false,
    );
    if (isThere) pictures.push({ path, read: () => readFile(join(folder, path)) });
  }
  return pictures;
}
