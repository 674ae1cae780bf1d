import { ExternalError } from '../../errors.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { findPosted, rememberPosted } from '../../incident/room-store.ts';
import type { Flow } from '../flow.ts';
import type { RoomMessage } from '../ports.ts';

export interface Presentation {
  incidentId: number;
  /** What makes this message itself: the same key is edited in place, never posted again. */
  key: string;
  message: RoomMessage;
  /** Key of the message whose thread it belongs to. */
  under?: string;
  retried: boolean;
}

/** Posts the message in the incident's room, or edits it when it is there already. */
export async function present(
  flow: Flow,
  { incidentId, key, message, under, retried }: Presentation,
): Promise<void> {
  const posted = await findPosted(flow.db, key);
  if (posted !== undefined) {
    await flow.chat.edit({ channelId: posted.channel_id, ts: posted.ts }, message);
    return;
  }
  const incident = await findIncident(flow.db, incidentId);
  const channelId = incident?.channel_id;
  if (channelId === undefined || channelId === null) throw noRoom(incidentId);
  const root = under === undefined ? undefined : await findPosted(flow.db, under);
  const thread = root === undefined ? {} : { threadTs: root.ts };
  const ref = await flow.chat.post({ key, channelId, message, retried, ...thread });
  await rememberPosted(flow.db, {
    key,
    incidentId,
    channelId: ref.channelId,
    ts: ref.ts,
    at: flow.clock.now(),
  });
}

function noRoom(incidentId: number): ExternalError {
  return new ExternalError(`INC-${incidentId} has no room to post in`, {
    service: 'Slack',
    retryable: false,
  });
}
