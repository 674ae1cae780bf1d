import { ExternalError, messageOf } from '../../errors.ts';
import type { Flow } from '../flow.ts';

/** A person's name for a document; the id when Slack does not know it or cannot be asked. */
export async function nameOrId(flow: Pick<Flow, 'chat' | 'log'>, userId: string): Promise<string> {
  try {
    return await flow.chat.displayName(userId);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    flow.log.info({ userId, error: messageOf(thrown) }, 'a name could not be looked up');
    return userId;
  }
}
