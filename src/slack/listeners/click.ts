import type { BlockAction, RespondFn } from '@slack/bolt';
import type { KnownBlock } from '@slack/types';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';

/** Who clicked, where, and what the button carried, which may have been forged. */
export function readClick(body: BlockAction): { userId: string; channelId: string; value: string } {
  const [action] = body.actions;
  const value = action === undefined ? '' : carried(action);
  const channelId =
    body.channel?.id ?? ('channel_id' in body.container ? String(body.container['channel_id']) : '');
  return { userId: body.user.id, channelId, value };
}

/** Of a button, or of what was chosen from a menu. */
function carried(action: BlockAction['actions'][number]): string {
  if (action.type === 'static_select') return action.selected_option?.value ?? '';
  return 'value' in action && typeof action.value === 'string' ? action.value : '';
}

export interface Telling {
  /** Absent where the payload carried no response_url. */
  respond?: RespondFn | undefined;
  channelId: string;
  userId: string;
  text: string;
  blocks?: KnownBlock[];
}

/** Tells one person what came of it. It may get lost, and nothing is done again for that: the state is kept. */
export async function tell(flow: Flow, { respond, channelId, userId, text, blocks }: Telling): Promise<void> {
  flow.wake();
  try {
    if (typeof respond === 'function') {
      const said = { text, ...(blocks === undefined ? {} : { blocks }) };
      await respond({ response_type: 'ephemeral', replace_original: false, ...said });
    } else {
      await flow.chat.whisper({ channelId, userId, text });
    }
  } catch (thrown) {
    flow.log.info({ error: messageOf(thrown) }, 'an answer could not be delivered');
  }
}
