import { ExternalError } from '../../errors.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { dropPosted, findPosted, rememberPosted } from '../../incident/room-store.ts';
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

/** What Slack answers when the message is gone, or is no longer ours to edit. */
const GONE = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed']);

/**
 * Posts the message in the incident's room, or edits it when it is there already. Policy: a card that somebody deleted
 * comes back, because the buttons are on it; any other message stays deleted.
 */
export async function present(
  flow: Flow,
  { incidentId, key, message, under, retried }: Presentation,
): Promise<void> {
  const posted = await findPosted(flow.db, key);
  if (posted !== undefined) {
    const ref = { channelId: posted.channel_id, ts: posted.ts };
    if ((await editIfThere(flow, ref, message)) || message.kind !== 'card') return;
    await dropPosted(flow.db, key);
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

/** False: there is nothing left to edit. */
async function editIfThere(
  flow: Pick<Flow, 'chat'>,
  ref: { channelId: string; ts: string },
  message: RoomMessage,
): Promise<boolean> {
  try {
    await flow.chat.edit(ref, message);
    return true;
  } catch (thrown) {
    if (thrown instanceof ExternalError && GONE.has(thrown.code ?? '')) return false;
    throw thrown;
  }
}

function noRoom(incidentId: number): ExternalError {
  return new ExternalError(`INC-${incidentId} has no room to post in`, {
    service: 'Slack',
    retryable: false,
  });
}
