import type { Tx } from '../../db/database.ts';
import { enqueue } from '../../db/jobs.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import type { Incident } from '../../incident/incident.ts';
import { addToTimeline } from '../../incident/incident-store.ts';
import { notice } from '../effects.ts';
import type { Flow } from '../flow.ts';
import { nameOrId } from '../room/display-name.ts';

/** A message that somebody opened an incident from; its text is redacted. */
export interface ReportedMessage {
  channelId: string;
  ts: string;
  author: string | null;
  /** Null for an app, or who cannot be looked up. */
  authorName: string | null;
  text: string;
  permalink: string | null;
}

/** Adds what Slack must be asked for: who wrote it, and where it can be read. What cannot be had is left out. */
export async function lookUpMessage(
  flow: Pick<Flow, 'chat' | 'log'>,
  message: Pick<ReportedMessage, 'channelId' | 'ts' | 'author' | 'text'>,
): Promise<ReportedMessage> {
  const { channelId, ts, author } = message;
  const authorName = author === null ? null : await nameOrId(flow, author);
  try {
    return { ...message, authorName, permalink: await flow.chat.permalink(channelId, ts) };
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    flow.log.info({ error: messageOf(thrown) }, 'the link to a reported message could not be had');
    return { ...message, authorName, permalink: null };
  }
}

/** The message stands on the timeline of the incident and in its room, with its author, its own time and its link. */
export async function bringMessage(
  tx: Tx,
  { incident, by, message, now }: { incident: Incident; by: string; message: ReportedMessage; now: Date },
): Promise<void> {
  const { channelId, ts, author, authorName, text: words, permalink } = message;
  const writtenAt = new Date(Math.round(Number(ts) * 1000));
  const data = { channelId, ts, author, permalink, writtenAt: writtenAt.toISOString() };
  const link = permalink === null ? '' : ` ${permalink}`;
  const at = `${writtenAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const text = `Reported from a message by ${authorName ?? 'an app'} of ${at}: ${words}${link}`;
  const entry = { incidentId: incident.id, at: now, kind: 'reported-message', actor: by, text, data };
  await addToTimeline(tx, entry);
  await enqueue(tx, notice(incident.id, now, { text }));
}
