import { z } from 'zod';

const address = z.url({ protocol: /^https?$/, error: 'must be an http(s) address' });
const name = z.string().min(1);

const common = {
  url: address,
  allow_private: z.boolean().default(false),
  /** Of one incident, all candidates together. */
  max_calls: z.number().int().positive().default(200),
  max_cost_usd: z.number().positive().default(5),
  concurrency: z.number().int().min(1).max(50).default(8),
  /** Tries a prompt or model that changed on the proven cases of past incidents, within max_calls and max_cost_usd a day. */
  on_change: z.boolean().default(true),
  within_seconds: z.number().positive().max(120, 'must be at most 120 seconds').default(120),
  /** What could be served instead, beside the known-good state: another model, another prompt version, or both. */
  backup: z
    .strictObject({ model: name.optional(), prompt: name.optional() })
    .refine(({ model, prompt }) => model !== undefined || prompt !== undefined, {
      error: 'must name a model or a prompt',
    })
    .optional(),
};

const openAi = z.strictObject({ type: z.literal('openai'), token: name.optional(), ...common });
const webhook = z.strictObject({
  type: z.literal('webhook'),
  secret: z.string().min(1, 'must name an environment variable, such as "${SUPPORT_BOT_SECRET}"'),
  ...common,
});

/** Where calls are replayed before a mitigation is approved, without side effects. */
export const rehearsal = z.discriminatedUnion('type', [openAi, webhook]);
export type RehearsalConfig = z.infer<typeof rehearsal>;

/** For the README's table: the keys of both kinds. */
export const rehearsalShapes = {
  'services.NAME.rehearsal.': { ...openAi.shape, ...webhook.shape },
  'services.NAME.rehearsal.backup.': { model: 1, prompt: 1 },
};
