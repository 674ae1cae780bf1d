import { z } from 'zod';

const address = z.url({ protocol: /^https?$/, error: 'must be an http(s) address' });
const secret = z.string().min(1, 'must name an environment variable, such as "${UNLEASH_TOKEN}"');
const name = z.string().min(1);
const allow_private = z.boolean().default(false);
const named = z.record(name, name).default({});

const NOTHING = { error: 'names nothing that could be changed' };
const hasAny = (...parts: (object | string | undefined)[]) =>
  parts.some((part) => (typeof part === 'object' ? Object.keys(part).length > 0 : part !== undefined));

/** Feature flags of Unleash, in one project and environment. */
const unleash = z
  .strictObject({
    type: z.literal('unleash'),
    url: address,
    token: secret,
    project: name.default('default'),
    /** Unleash's name of the environment; the file's own where it is the same. */
    environment: name.optional(),
    /** The flag that is `enabled`. */
    feature: name.optional(),
    /** By query type: its flag. */
    types: named,
    /** By model or prompt: the flag whose rollout is its share. */
    splits: z
      .record(name, z.strictObject({ feature: name, stickiness: name.default('default') }))
      .default({}),
    allow_private,
  })
  .refine(({ feature, types, splits }) => hasAny(feature, types, splits), NOTHING);

/** Feature flags of LaunchDarkly. A variation is named by its id, its name or its value. */
const launchDarkly = z
  .strictObject({
    type: z.literal('launchdarkly'),
    url: address.default('https://app.launchdarkly.com'),
    token: secret,
    project: name,
    environment: name.optional(),
    flag: name.optional(),
    types: named,
    splits: z
      .record(
        name,
        z.strictObject({ flag: name, variation: name, rest: name, context_kind: name.default('user') }),
      )
      .default({}),
    /** The flag and variation that a blocked user gets. */
    block: z.strictObject({ flag: name, variation: name, context_kind: name.default('user') }).optional(),
    allow_private,
  })
  .refine(({ flag, types, splits, block }) => hasAny(flag, types, splits, block), NOTHING);

/** Labels of prompts in Langfuse. */
const langfuse = z.strictObject({
  type: z.literal('langfuse'),
  url: address,
  public_key: secret,
  secret_key: secret,
  /** What is served is the version that carries this label. */
  label: name
    .default('production')
    .refine((label) => label !== 'latest', 'must not be "latest", which Langfuse moves by itself'),
  /** Names of the prompts. */
  prompts: z.array(name).min(1),
  allow_private,
});

/** Deployments, users and keys of a LiteLLM proxy. */
const litellm = z
  .strictObject({
    type: z.literal('litellm'),
    url: address,
    token: secret,
    /** Id of the deployment whose model is `model`. */
    deployment: name.optional(),
    /** Ids of the deployments that are blocked when the feature is not `enabled`. */
    deployments: z.array(name).default([]),
    /** By model: its deployment, and the one that has the rest of the traffic. */
    splits: z.record(name, z.strictObject({ deployment: name, rest: name })).default({}),
    /** What the calls' user is to the proxy: its user, or the alias of a virtual key. */
    limits: z.enum(['user', 'key-alias']).optional(),
    allow_private,
  })
  .refine(
    ({ deployment, deployments, splits, limits }) => hasAny(deployment, deployments, splits, limits),
    NOTHING,
  );

const SETTING =
  /^(enabled|model|fallback|token-cap|disclaimer|prompt(:.+)?|(type|split|blocked):.+|limit:(user|session|endpoint) .+)$/;

const place = z
  .strictObject({
    variable: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable')
      .optional(),
    file: name.optional(),
    /** `value`: the file holds nothing else; `text`: it is the prompt, whose version is its blob id. */
    holds: z.enum(['value', 'text']).default('value'),
    /** File name of the workflow that makes the change; without one it is written directly. */
    workflow: z
      .string()
      .regex(/^[\w.-]+\.ya?ml$/, 'must be the file name of a workflow')
      .optional(),
  })
  .refine((at) => (at.variable === undefined) !== (at.file === undefined), {
    error: 'must have a variable or a file, where the value stands',
  });

/** Variables and files of a repository, written directly or by a workflow. */
const github = z.strictObject({
  type: z.literal('github'),
  url: address.default('https://api.github.com'),
  token: secret,
  repository: z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be OWNER/NAME'),
  branch: name.default('main'),
  settings: z
    .record(name, place)
    .refine((settings) => hasAny(settings), NOTHING)
    .superRefine((settings, context) => {
      for (const setting of Object.keys(settings).filter((one) => !SETTING.test(one))) {
        const message = 'must be a setting such as enabled, model or prompt:answer';
        context.addIssue({ code: 'custom', path: [setting], message });
      }
    }),
  allow_private,
});

export const vendorTargetConfigs = [unleash, launchDarkly, langfuse, litellm, github] as const;

/** A vendor's API that carries mitigations out. */
export const vendorTargetConfig = z.discriminatedUnion('type', vendorTargetConfigs);

export type VendorTargetConfig = z.infer<typeof vendorTargetConfig>;
export type UnleashConfig = z.infer<typeof unleash>;
export type LaunchDarklyConfig = z.infer<typeof launchDarkly>;
export type LangfusePromptsConfig = z.infer<typeof langfuse>;
export type LitellmConfig = z.infer<typeof litellm>;
export type GithubConfig = z.infer<typeof github>;
export type GithubPlace = z.infer<typeof place>;

/** The keys of all vendors together, for the README's table. */
export const vendorTargetShapes = {
  'services.NAME.target.': Object.assign({}, ...vendorTargetConfigs.map(({ shape }) => shape)),
};
