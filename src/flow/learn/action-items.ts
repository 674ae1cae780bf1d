import { enqueue } from '../../db/jobs.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline, type timelineOf } from '../../incident/incident-store.ts';
import type { ActionItem } from '../../postmortem/record.ts';
import { refreshCard } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { showPostmortem } from './duty-effects.ts';
import { enqueueExports } from './export-jobs.ts';

type Timeline = Awaited<ReturnType<typeof timelineOf>>;

export const ACTION_USAGE = 'Use `postmortem action @OWNER YYYY-MM-DD TEXT`.';

/** Reads "@OWNER YYYY-MM-DD TEXT"; null when one of the three is missing. Owner is a mention as Slack sends it. */
export function readActionItem(text: string): { owner: string; dueAt: Date; text: string } | null {
  const [, owner, day, rest] =
    /^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>\s+(\d{4}-\d{2}-\d{2})\s+(\S.*)$/s.exec(text.trim()) ?? [];
  const dueAt = new Date(`${day}T00:00:00Z`);
  if (owner === undefined || rest === undefined || Number.isNaN(dueAt.getTime())) return null;
  return { owner, dueAt, text: rest };
}

/** Keeps an action item, for the post-mortem to list. */
export async function addActionItem(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'installation'>,
  given: { incident: Incident; by: string; item: { owner: string; dueAt: Date; text: string } },
): Promise<void> {
  const { owner, dueAt, text } = given.item;
  const { id: incidentId } = given.incident;
  const at = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    const data = { owner, dueAt: dueAt.toISOString() };
    await addToTimeline(tx, { incidentId, at, kind: 'action-item', actor: given.by, text, data });
    const isOver = given.incident.status === 'resolved' || given.incident.status === 'closed';
    await enqueue(tx, [showPostmortem(incidentId, at), refreshCard(incidentId, at)]);
    if (isOver) await enqueueExports(flow, tx, { incident: given.incident, now: at });
  });
}

export function actionItemsOf(
  timeline: Timeline,
  links: ReadonlyMap<number, NonNullable<ActionItem['link']>> = new Map(),
): ActionItem[] {
  return timeline
    .filter((entry) => entry.kind === 'action-item')
    .map(({ id, text, data }) => ({
      id,
      link: links.get(id),
      text,
      owner: String(data['owner']),
      dueAt: new Date(String(data['dueAt'])),
    }));
}
