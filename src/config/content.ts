import { z } from 'zod';

const address = z.url({ protocol: /^https?$/, error: 'must be an http(s) address' });

/** What a well-formed output is: a JSON Schema, or a regular expression. The calls' own `format` verdict wins. */
export const outputFormat = z.strictObject({
  json_schema: z.record(z.string(), z.unknown()).optional(),
  pattern: z.string().min(1).optional(),
});
export type OutputFormatConfig = z.infer<typeof outputFormat>;

/** What must not reach a user. */
export const safety = z.strictObject({
  /** Kinds of personal data and secrets that count. */
  pii: z
    .array(z.enum(['email', 'phone', 'card', 'iban', 'id', 'key']))
    .default(['email', 'phone', 'card', 'iban', 'id', 'key']),
  /** Texts that are no leak: the feature's own addresses and numbers. `*` stands for anything. */
  allow: z.array(z.string().min(1)).default([]),
  /** Words and phrases that an output may not hold, added to the shipped list. */
  policy_words: z.array(z.string().min(1)).default([]),
});
export type SafetyConfig = z.infer<typeof safety>;

const action = z.enum(['allow', 'redact', 'block']);

/** What `POST /v1/check` answers. */
export const deliveryCheck = z.strictObject({
  pii: action.default('redact'),
  policy: action.default('block'),
  /** What is answered when the check itself fails. */
  on_failure: z.enum(['open', 'closed']).default('open'),
  /** Output classes that are blocked at the moment, as words or phrases. */
  blocked: z.array(z.string().min(1)).default([]),
  classifier: z
    .strictObject({
      url: address,
      token: z.string().min(1).optional(),
      timeout_ms: z.number().int().positive().default(300),
    })
    .optional(),
});
export type DeliveryCheckConfig = z.infer<typeof deliveryCheck>;

/** A model that scores a sample of the calls against a rubric. Off unless it is configured. */
export const judge = z.strictObject({
  url: address,
  model: z.string().min(1),
  token: z.string().min(1).optional(),
  rubric: z.string().min(1),
  sample_share: z.number().positive().max(1).default(0.05),
  /** Spread over the day; quality.score needs 100 scores in 30 minutes, which is 4,800 a day. */
  calls_per_day: z.number().int().positive().default(5_000),
  timeout_seconds: z.number().positive().default(30),
});
export type JudgeConfig = z.infer<typeof judge>;

const canaryPrompt = z
  .strictObject({
    name: z.string().min(1),
    prompt: z.string().min(1),
    /** `same`: as before, to the letter; `similar`: like before; `format`: the service's format; `contains`: `expect`. */
    compare: z.enum(['same', 'similar', 'format', 'contains']).default('similar'),
    expect: z.string().min(1).optional(),
  })
  .refine(({ compare, expect }) => compare !== 'contains' || expect !== undefined, {
    path: ['expect'],
    error: 'is needed with compare: contains',
  });

/** Fixed prompts sent on a schedule through the service's own endpoint. They must have no side effects. */
export const canaries = z.strictObject({
  type: z.enum(['openai', 'webhook']).default('openai'),
  url: address,
  model: z.string().min(1).optional(),
  token: z.string().min(1).optional(),
  every_minutes: z.number().positive().default(10),
  calls_per_day: z.number().int().positive().default(500),
  max_tokens: z.number().int().positive().default(256),
  timeout_seconds: z.number().positive().default(30),
  prompts: z
    .array(canaryPrompt)
    .min(1)
    .refine((prompts) => new Set(prompts.map(({ name }) => name)).size === prompts.length, {
      error: 'must have different names',
    }),
});
export type CanariesConfig = z.infer<typeof canaries>;
export type CanaryPrompt = z.infer<typeof canaryPrompt>;

export const contentShapes = {
  'services.NAME.format.': outputFormat.shape,
  'services.NAME.safety.': safety.shape,
  'services.NAME.check.': deliveryCheck.shape,
  'services.NAME.judge.': judge.shape,
  'services.NAME.canaries.': canaries.shape,
};
