import { z } from 'zod';
import { type ChartRow, outlinePng } from '../../chart/outline-chart.ts';
import type { Job } from '../../db/jobs.ts';
import { pathOf } from '../../decision/decision-store.ts';
import { type OutlineRow, outlineOf, outlineText, overviewOf } from '../../decision/outline.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { findPosted } from '../../incident/room-store.ts';
import type { Flow } from '../flow.ts';
import { cardKey } from '../room/open-room.ts';
import { playbookFor } from './playbooks.ts';

const payload = z.object({ incidentId: z.number(), symptom: z.string().nullable() });
/** Slack cuts a longer one. */
const LONGEST_ALT_TEXT = 1_000;

/** Posts the picture of a branch with the way that was walked, or of all symptoms, under the card. */
export async function drawTree(flow: Flow, job: Job): Promise<void> {
  const { incidentId, symptom: wanted } = payload.parse(job.payload);
  const incident = await findIncident(flow.db, incidentId);
  if (incident?.channel_id == null) return;
  const playbook = playbookFor(flow.config, incident.service);
  const symptom = playbook.symptoms.find(({ id }) => id === wanted);
  const path = (await pathOf(flow.db, incidentId)).filter((step) => step.symptom === symptom?.id);
  const rows =
    symptom === undefined
      ? overviewOf(playbook)
      : outlineOf(playbook, symptom, new Map(path.map(({ step, answer }) => [step, answer])));
  const title = `Decision tree, ${playbook.edition}`;
  const root = await findPosted(flow.db, cardKey(incidentId));
  await flow.chat.upload({
    key: `tree-drawing:${job.id}`,
    channelId: incident.channel_id,
    filename: `decision-tree${symptom === undefined ? '' : `-${symptom.id}`}.png`,
    // A picture is found again by its title; of two drawings each has its own.
    title: `${title}, drawn ${job.created_at.toISOString().slice(11, 19)} UTC`,
    content: outlinePng(title, [...(path.length === 0 ? [] : [LEGEND]), ...rows.map(chartRow)]),
    altText: outlineText(rows).slice(0, LONGEST_ALT_TEXT),
    comment: '',
    ...(root === undefined ? {} : { threadTs: root.ts }),
    retried: job.attempts > 1,
  });
}

const LEGEND: ChartRow = {
  depth: 0,
  label: null,
  text: 'The way that was walked',
  kind: 'note',
  isMarked: true,
};
const KINDS = { symptom: 'head', cause: 'note', step: 'step', leaf: 'end', again: 'note' } as const;

function chartRow({ depth, answer, kind, text, isWalked }: OutlineRow): ChartRow {
  return { depth, label: answer, text: text.replaceAll('`', ''), kind: KINDS[kind], isMarked: isWalked };
}
