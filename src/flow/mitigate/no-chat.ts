import { ExternalError } from '../../errors.ts';
import type { Chat } from '../ports.ts';

/** Slack as a terminal has it: not at all. What a job wanted to say there waits for the bot. */
export function noChat(): Chat {
  const away = async () => {
    throw new ExternalError('Slack is not asked from a terminal', { service: 'Slack', retryable: true });
  };
  return new Proxy({} as Chat, { get: () => away });
}
