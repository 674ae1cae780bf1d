import { createHash } from 'node:crypto';
import { z } from 'zod';

const name = z.string().min(1);
const perMinute = z.number().int().min(0, 'must be requests a minute, from 0');

/** The built-in target: the bot itself serves the settings, over OFREP. */
export const builtInTargetConfig = z.strictObject({ type: z.literal('built-in') });

const promptText = z
  .strictObject({
    /** Of the prompt; missing for a service that names none. */
    name: name.optional(),
    version: name,
    text: z.string().min(1).optional(),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits in lower case')
      .optional(),
  })
  .refine(({ text, sha256 }) => text !== undefined || sha256 !== undefined, {
    error: 'needs text or sha256',
  })
  .refine(({ text, sha256 }) => text === undefined || sha256 === undefined || sha256 === sha256Of(text), {
    path: ['sha256'],
    error: 'is not the SHA-256 of the text; a YAML block with | ends in a line break, with |- it does not',
  });

const mode = z.enum(['none', 'cached', 'simple', 'notice', 'queue']);
const fallback = z.strictObject({
  mode: mode.default('none'),
  /** What users read while the fallback is on. */
  notice: z.string().min(1).optional(),
  /** The simpler model of mode `simple`. */
  model: name.optional(),
});

const limits = z.strictObject({
  user: z.record(name, perMinute).default({}),
  session: z.record(name, perMinute).default({}),
  endpoint: z.record(name, perMinute).default({}),
  /** Of everybody who has no limit by name. */
  each_user: perMinute.optional(),
  each_session: perMinute.optional(),
});

/** What a service serves until a mitigation says otherwise. */
export const servingSettings = z.strictObject({
  enabled: z.boolean().default(true),
  /** Version by prompt name. */
  prompts: z.record(name, name).default({}),
  /** The version, for a service that names no prompt. */
  prompt: name.optional(),
  prompt_texts: z.array(promptText).default([]),
  model: name.optional(),
  fallback: fallback.prefault({}),
  /** By query type: whether it is answered. */
  types: z.record(name, z.boolean()).default({}),
  /** Percent of the traffic by the model, or PROMPT=VERSION, that gets it. */
  split: z
    .record(name, z.number().min(0).max(100))
    .refine(
      (split) => largestTotal(split) <= 100,
      'must be at most 100 % together, for the model and each prompt',
    )
    .default({}),
  limits: limits.prefault({}),
  /** Output tokens a request. */
  token_cap: z.number().int().positive().optional(),
  disclaimer: z.string().min(1).optional(),
  /** Phrases whose outputs are held back. */
  blocked: z.array(name).default([]),
});

export type ServingConfig = z.infer<typeof servingSettings>;
export type PromptTextConfig = ServingConfig['prompt_texts'][number];

/** For the README's table: the keys by where they stand. */
export const servingShapes = {
  'services.NAME.serving.': servingSettings.shape,
  'services.NAME.serving.fallback.': fallback.shape,
  'services.NAME.serving.limits.': limits.shape,
};

/** A prompt's own `${placeholders}` are no environment variables. */
export function isPromptText(path: string): boolean {
  return /\.serving\.prompt_texts\.\d+\.text$/.test(path);
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

function largestTotal(split: Record<string, number>): number {
  const groups = Map.groupBy(Object.entries(split), ([subject]) => /^(.*?)=/s.exec(subject)?.[1]);
  const totals = [...groups.values()].map((arms) => arms.reduce((total, [, percent]) => total + percent, 0));
  return Math.max(0, ...totals);
}
