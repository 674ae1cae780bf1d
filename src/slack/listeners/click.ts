import type { BlockAction, RespondFn } from '@slack/bolt';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';

/** Who clicked, where, and what the button carried, which may have been forged. */
export function readClick(body: BlockAction): { userId: string; channelId: string; value: string } {
  const [action] = body.actions;
  const value =
    action !== undefined && 'value' in action && typeof action.value === 'string' ? action.value : '';
  const channelId =
    body.channel?.id ?? ('channel_id' in body.container ? String(body.container['channel_id']) : '');
  return { userId: body.user.id, channelId, value };
}

export interface Telling {
  /** Absent where the payload carried no response_url. */
  respond?: RespondFn | undefined;
  channelId: string;
  userId: string;
  text: string;
}

/** Tells one person what came of it. It may get lost, and nothing is done again for that: the state is kept. */
export async function tell(flow: Flow, { respond, channelId, userId, text }: Telling): Promise<void> {
  flow.wake();
  try {
    if (typeof respond === 'function') {
      await respond({ response_type: 'ephemeral', replace_original: false, text });
    } else {
      await flow.chat.whisper({ channelId, userId, text });
    }
  } catch (thrown) {
    flow.log.info({ error: messageOf(thrown) }, 'an answer could not be delivered');
  }
}
