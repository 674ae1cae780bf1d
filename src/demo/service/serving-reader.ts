import { z } from 'zod';
import { messageOf } from '../../errors.ts';

const prompt = z.object({ version: z.string(), sha256: z.string().optional(), text: z.string().optional() });
const limit = z.number().optional();
const served = z.object({
  enabled: z.boolean(),
  prompts: z.record(z.string(), prompt),
  prompt: prompt.optional(),
  model: z.string().nullable(),
  fallback: z.object({ mode: z.string(), notice: z.string().optional(), model: z.string().optional() }),
  types: z.record(z.string(), z.boolean()),
  limits: z.object({ user: limit, session: limit, endpoint: limit }),
  token_cap: z.number().nullable(),
  disclaimer: z.string().nullable(),
  blocked: z.array(z.string()),
  version: z.number(),
});
const flag = z.object({ value: served });

/** What a service obeys: the keys of the built-in target's flag that it acts on. */
export type ServedSettings = z.infer<typeof served>;

/** Until the bot has answered, a feature that is watched by nobody does not run. */
export const HELD: ServedSettings = {
  enabled: false,
  prompts: {},
  model: null,
  fallback: { mode: 'none' },
  types: {},
  limits: {},
  token_cap: null,
  disclaimer: null,
  blocked: [],
  version: -1,
};

export interface ServingReader {
  /** Never fails and never takes longer than the deadline; `problem` says why the answer is not from the bot. */
  read(context: ServingContext): Promise<{ settings: ServedSettings; problem?: string }>;
}

interface ServingContext {
  targetingKey?: string;
  user?: string;
  session?: string;
  endpoint?: string;
}

interface Bot {
  /** Base of the bot's routes, without path. */
  url: string;
  token: string;
  service: string;
  /** Obeyed until the bot has answered for the first time. */
  held: ServedSettings;
  deadlineMs?: number;
}

/**
 * Reads what a service shall serve from the bot.
 * Policy: when the bot does not answer in time, the last answer counts, without the limits that were somebody's own:
 * what was switched off stays off.
 */
export function createServingReader({ url, token, service, held, deadlineMs = 200 }: Bot): ServingReader {
  const address = `${url}/ofrep/v1/evaluate/flags/${encodeURIComponent(service)}`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  let last = held;
  return {
    async read(context) {
      try {
        const answer = await fetch(address, {
          method: 'POST',
          headers,
          body: JSON.stringify({ context }),
          signal: AbortSignal.timeout(deadlineMs),
        });
        if (!answer.ok) throw new Error(`the bot answered ${answer.status}`);
        const { value } = flag.parse(await answer.json());
        // A late answer to an earlier question never takes back what a newer version said.
        if (value.version >= last.version) last = { ...value, limits: {} };
        return { settings: value };
      } catch (thrown) {
        return { settings: last, problem: messageOf(thrown) };
      }
    },
  };
}
