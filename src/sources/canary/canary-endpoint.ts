import { z } from 'zod';
import type { CanariesConfig, CanaryPrompt } from '../../config/content.ts';
import { completeChat } from '../chat-completion.ts';
import { askSource, notUnderstood, refusedBy } from '../source-request.ts';

/** Marks canary traffic wherever a user is named; the calls of this user are no user's. */
export const CANARY_USER = 'llm-incident-canary';

/** A service that may do something must see that this is only a question: canaries never have side effects. */
const MARKS = { 'x-llm-incident-canary': '1', 'x-llm-incident-dry-run': '1' };

/** Where the fixed prompts of one service are sent. */
export interface CanaryEndpoint {
  /** The service's output. Throws ExternalError when it gave none; redirects are not followed. */
  ask(prompt: Pick<CanaryPrompt, 'name' | 'prompt'>): Promise<string>;
}

export function canaryEndpoint(config: CanariesConfig, service: string): CanaryEndpoint {
  const source = `canary endpoint of ${service}`;
  return config.type === 'openai' ? openAiEndpoint(config, source) : webhookEndpoint(config, source);
}

/** As little as possible is left to chance: temperature 0. */
function openAiEndpoint(config: CanariesConfig, source: string): CanaryEndpoint {
  return {
    ask: ({ prompt }) =>
      completeChat({
        source,
        url: config.url,
        token: config.token,
        headers: MARKS,
        timeoutMs: config.timeout_seconds * 1000,
        body: {
          ...(config.model === undefined ? {} : { model: config.model }),
          messages: [{ role: 'user', content: prompt }],
          temperature: 0,
          max_tokens: config.max_tokens,
          user: CANARY_USER,
        },
      }),
  };
}

const webhookAnswer = z.object({ output: z.string() });

/** `POST url {"prompt", "canary", "dry_run": true}`, answered by `{"output"}`. */
function webhookEndpoint(config: CanariesConfig, source: string): CanaryEndpoint {
  return {
    async ask({ name, prompt }) {
      const answer = await askSource({
        source,
        url: config.url,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...(config.token === undefined ? {} : { authorization: `Bearer ${config.token}` }),
          ...MARKS,
        },
        body: JSON.stringify({ prompt, canary: name, dry_run: true }),
        timeoutMs: config.timeout_seconds * 1000,
      });
      if (answer.status < 200 || answer.status > 299) throw refusedBy(source, answer);
      return outputOf(source, answer.text);
    },
  };
}

function outputOf(source: string, text: string): string {
  try {
    return webhookAnswer.parse(JSON.parse(text)).output;
  } catch (thrown) {
    throw notUnderstood(source, thrown instanceof z.ZodError ? z.prettifyError(thrown) : thrown);
  }
}
