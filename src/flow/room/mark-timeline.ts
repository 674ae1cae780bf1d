import { z } from 'zod';
import { enqueue, type Job, type NewJob } from '../../db/jobs.ts';
import type { Incident } from '../../incident/incident.ts';
import { findByChannel } from '../../incident/incident-store.ts';
import { setMark, setPermalink, type TimelineMark } from '../../incident/mark-store.ts';
import type { Flow } from '../flow.ts';
import { timeOf } from './record-room.ts';
import { LESSONS } from './timeline.ts';

export const LINK_MARK = 'link-mark';

/** A message that somebody wants in the timeline, or no longer; `changedTs` is Slack's time of that. */
export interface Mark {
  channelId: string;
  ts: string;
  by: string;
  author: string | null;
  changedTs: string;
}

/**
 * The emoji of the timeline, or one that tells a lesson, was put on a message, or taken off; in other channels than rooms it
 * means nothing.
 */
export async function markByEmoji(
  flow: Pick<Flow, 'db' | 'clock' | 'config' | 'wake'>,
  mark: Mark & { emoji: string; isOn: boolean },
): Promise<void> {
  const [name] = mark.emoji.split('::');
  const meanings = meaningsOf(flow.config, name ?? '');
  if (meanings.length === 0) return;
  const incident = await findByChannel(flow.db, mark.channelId);
  if (incident === undefined) return;
  for (const via of meanings) await put(flow, { ...mark, incident, via, text: null });
}

/** An emoji may be set for more than one of them. */
function meaningsOf(
  { timeline_emoji: plain, lesson_emoji: telling }: Flow['config'],
  name: string,
): TimelineMark['via'][] {
  return [...(name === plain ? ['emoji' as const] : []), ...LESSONS.filter((one) => telling[one] === name)];
}

/** Adds a message of any channel, with its text as it is now. */
export async function markByShortcut(
  flow: Pick<Flow, 'db' | 'clock' | 'wake'>,
  mark: Mark & { incident: Incident; text: string },
): Promise<{ kind: 'added' | 'already' }> {
  const isNew = await put(flow, { ...mark, via: 'shortcut', isOn: true });
  return { kind: isNew ? 'added' : 'already' };
}

async function put(
  flow: Pick<Flow, 'db' | 'clock' | 'wake'>,
  mark: Mark & { incident: Incident; via: TimelineMark['via']; text: string | null; isOn: boolean },
): Promise<boolean> {
  const { channelId, ts } = mark;
  const isChanged = await flow.db.transaction().execute(async (tx) => {
    const changed = await setMark(tx, {
      incident_id: mark.incident.id,
      channel_id: channelId,
      ts,
      marked_by: mark.by,
      via: mark.via,
      author: mark.author,
      text: mark.text,
      said_at: timeOf(flow, ts),
      is_on: mark.isOn,
      changed_ts: mark.changedTs,
    });
    if (changed && mark.isOn) await enqueue(tx, linkMark({ channelId, ts }, flow.clock.now()));
    return changed;
  });
  flow.wake();
  return isChanged;
}

const linkMark = (message: { channelId: string; ts: string }, now: Date): NewJob => ({
  kind: LINK_MARK,
  payload: message,
  runAt: now,
});

const payload = z.object({ channelId: z.string(), ts: z.string() });

/** Fetches the link of a message that was marked; one that is gone has none. */
export async function linkMarked(flow: Pick<Flow, 'db' | 'chat'>, job: Job): Promise<void> {
  const message = payload.parse(job.payload);
  const permalink = await flow.chat.permalink(message.channelId, message.ts);
  if (permalink !== null) await setPermalink(flow.db, { ...message, permalink });
}
