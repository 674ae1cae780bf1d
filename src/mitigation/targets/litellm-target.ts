import { z } from 'zod';
import type { LitellmConfig } from '../../config/targets.ts';
import { ExternalError } from '../../errors.ts';
import type { Setting } from '../serving.ts';
import { type LitellmControl, limitControl } from './litellm-limits.ts';
import { refusal, retold } from './vendor-errors.ts';
import type { Connection, Operation } from './vendor-request.ts';
import { refusesPercent, refusesSwitch, type VendorTarget, vendorTarget } from './vendor-target.ts';

const models = z.object({
  data: z.array(
    z.object({
      litellm_params: z.object({ model: z.string(), weight: z.number().nullish() }),
      model_info: z.object({
        id: z.string(),
        db_model: z.boolean().nullish(),
        blocked: z.boolean().nullish(),
      }),
    }),
  ),
});

type Deployment = z.infer<typeof models>['data'][number];
type Patch = { id: string; body: object };

/** A LiteLLM proxy: a deployment's model, deployments that are blocked, weights, and limits of one user or key. */
export function litellmTarget(
  config: LitellmConfig,
  timing: Pick<Connection, 'timeoutMs'> = {},
): VendorTarget {
  const fixed = controlsOf(config);
  const controlOf = (setting: Setting) => fixed.get(setting) ?? limitControl(config, setting);
  const { host, origin } = new URL(config.url);
  return vendorTarget(
    {
      describe: `LiteLLM ${host}`,
      byHand: `${origin}/ui`,
      settings: [...fixed.keys()],
      can: (setting) => controlOf(setting) !== undefined,
      refuses: ({ setting, to }) => controlOf(setting)?.refuses(to) ?? null,
      readOne: (operation, setting) => (controlOf(setting) as LitellmControl).read(operation),
      change: ({ step, operation }) => (controlOf(step.setting) as LitellmControl).write(operation, step.to),
    },
    {
      vendor: 'LiteLLM',
      url: config.url,
      headers: { authorization: `Bearer ${config.token}` },
      allowPrivate: config.allow_private,
      secrets: [config.token],
      ...timing,
    },
  );
}

function controlsOf({ deployment, deployments, splits }: LitellmConfig): Map<Setting, LitellmControl> {
  const controls = new Map<Setting, LitellmControl>();
  if (deployments.length > 0) controls.set('enabled', enabledControl(deployments));
  if (deployment !== undefined) controls.set('model', modelControl(deployment));
  for (const [model, split] of Object.entries(splits)) controls.set(`split:${model}`, splitControl(split));
  return controls;
}

const modelControl = (id: string): LitellmControl => ({
  refuses: (to) => (typeof to === 'string' && to !== '' ? null : `${to} is no model`),
  read: async (operation) => (await deploymentOf(operation, id))?.litellm_params.model,
  write: (operation, to) => patchAll(operation, [{ id, body: { litellm_params: { model: to } } }]),
});

/**
 * Policy: the feature is enabled while any of its deployments is open, so a disabling that was cut short reads as not
 * done, and can be taken up again.
 */
const enabledControl = (ids: readonly string[]): LitellmControl => ({
  refuses: refusesSwitch,
  async read(operation) {
    const found = await Promise.all(ids.map((id) => deploymentOf(operation, id)));
    const known = found.filter((one) => one !== undefined);
    if (known.length < ids.length) return undefined;
    return known.some(({ model_info }) => model_info.blocked !== true);
  },
  write: (operation, to) =>
    patchAll(
      operation,
      ids.map((id) => ({ id, body: { blocked: to === false } })),
      { resumable: to === false },
    ),
});

/** Policy: weights are read as shares of their sum; without any both have half, with one missing nobody knows. */
const splitControl = (split: { deployment: string; rest: string }): LitellmControl => ({
  refuses: refusesPercent,
  async read(operation) {
    const wanted = (await deploymentOf(operation, split.deployment))?.litellm_params;
    const rest = (await deploymentOf(operation, split.rest))?.litellm_params;
    if (wanted === undefined || rest === undefined) return undefined;
    if (typeof wanted.weight !== 'number' && typeof rest.weight !== 'number') return 50;
    if (typeof wanted.weight !== 'number' || typeof rest.weight !== 'number') return undefined;
    const sum = wanted.weight + rest.weight;
    return sum > 0 ? (100 * wanted.weight) / sum : undefined;
  },
  write: (operation, to) =>
    patchAll(operation, [
      { id: split.deployment, body: { litellm_params: { weight: Number(to) } } },
      { id: split.rest, body: { litellm_params: { weight: 100 - Number(to) } } },
    ]),
});

async function deploymentOf(operation: Operation, id: string): Promise<Deployment | undefined> {
  const { data } = await operation.get('/model/info', models);
  return data.find(({ model_info }) => model_info.id === id);
}

/** What is cut short after the first is told as such, and tried again only where a half reads as not done. */
async function patchAll(
  operation: Operation,
  patches: readonly Patch[],
  { resumable }: { resumable: boolean } = { resumable: false },
): Promise<void> {
  for (const { id } of patches) await refuseConfigModel(operation, id);
  for (const [index, { id, body }] of patches.entries()) {
    try {
      await operation.send({ method: 'PATCH', path: `/model/${encodeURIComponent(id)}/update`, body });
    } catch (thrown) {
      if (!(thrown instanceof ExternalError)) throw thrown;
      const told = explained(thrown, id);
      if (index === 0 || resumable) throw told;
      const message = `only ${index} of ${patches.length} deployments were changed: ${told.message}`;
      throw retold(told, { message, retryable: false, outcomeUnknown: true });
    }
  }
}

async function refuseConfigModel(operation: Operation, id: string): Promise<void> {
  const found = await deploymentOf(operation, id);
  if (found?.model_info.db_model !== false) return;
  throw refusal('LiteLLM', 'CONFIG_MODEL', `${configModel(id)}; nothing was sent`);
}

const configModel = (id: string) =>
  `deployment ${id} comes from the proxy's config file and cannot be edited; add it with /model/new`;

/** LiteLLM says 500 for a proxy that keeps no models, which no waiting mends. */
function explained(thrown: ExternalError, id: string): ExternalError {
  if (/STORE_MODEL_IN_DB|only supported for DB-stored models/i.test(thrown.message)) {
    const message = `${thrown.message}; set STORE_MODEL_IN_DB=True on the proxy`;
    return retold(thrown, { message, retryable: false, outcomeUnknown: false });
  }
  if (!/Cannot edit config-based model/i.test(thrown.message)) return thrown;
  return retold(thrown, { message: configModel(id), retryable: false, outcomeUnknown: false });
}
