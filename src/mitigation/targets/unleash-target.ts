import { z } from 'zod';
import type { UnleashConfig } from '../../config/targets.ts';
import type { Setting } from '../serving.ts';
import type { TargetChange } from '../target.ts';
import type { Connection, Operation } from './vendor-request.ts';
import { refusesPercent, refusesSwitch, type VendorTarget, vendorTarget } from './vendor-target.ts';

const strategy = z.object({
  id: z.string(),
  name: z.string(),
  disabled: z.boolean().nullish(),
  constraints: z.array(z.unknown()).nullish(),
  segments: z.array(z.unknown()).nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
});
const feature = z.object({
  environments: z.array(
    z.object({ name: z.string(), enabled: z.boolean(), strategies: z.array(strategy).default([]) }),
  ),
});
const events = z.object({
  events: z.array(
    z.object({
      type: z.string(),
      createdBy: z.string().nullish(),
      createdAt: z.string(),
      environment: z.string().nullish(),
    }),
  ),
});

const EVENTS = '20';
const FEATURE_WIDE = /archived|revived|deleted/;

type Environment = z.infer<typeof feature>['environments'][number];

interface Flag {
  name: string;
  kind: 'switch' | 'rollout';
  stickiness: string;
}

/** Unleash, by its admin API: a flag on or off in one environment, and the rollout of a flag. */
export function unleashTarget(
  config: UnleashConfig,
  serves: { environment: string },
  timing: Pick<Connection, 'timeoutMs'> = {},
): VendorTarget {
  const environment = config.environment ?? serves.environment;
  const flags = flagsOf(config);
  const { host, origin } = new URL(config.url);
  const pathOf = (flag: Flag) =>
    `/api/admin/projects/${encodeURIComponent(config.project)}/features/${encodeURIComponent(flag.name)}`;
  const within = `/environments/${encodeURIComponent(environment)}`;
  const find = (operation: Operation, flag: Flag) => environmentOf(operation, pathOf(flag), environment);
  const flagOf = (setting: Setting) => flags.get(setting) as Flag;

  return vendorTarget(
    {
      describe: `Unleash ${host} ${config.project}/${environment}`,
      byHand: `${origin}/projects/${encodeURIComponent(config.project)}`,
      settings: [...flags.keys()],
      can: (setting) => flags.has(setting),
      refuses: ({ setting, to }) =>
        flagOf(setting).kind === 'switch' ? refusesSwitch(to) : refusesPercent(to),
      async readOne(operation, setting) {
        const found = await find(operation, flagOf(setting));
        if (found === undefined) return undefined;
        return flagOf(setting).kind === 'switch' ? found.enabled : shareOf(found);
      },
      async change({ step, operation }) {
        const flag = flagOf(step.setting);
        const there = { flag, path: `${pathOf(flag)}${within}` };
        if (flag.kind === 'switch') await turn(operation, there.path, step.to === true);
        else {
          const found = (await find(operation, flag)) as Environment;
          await shift(operation, { ...there, found, to: Number(step.to) });
        }
      },
      changes: (operation) => changesOf(operation, flags, environment),
    },
    {
      vendor: 'Unleash',
      url: config.url,
      headers: { authorization: config.token },
      allowPrivate: config.allow_private,
      secrets: [config.token],
      ...timing,
    },
  );
}

function flagsOf({ feature: main, types, splits }: UnleashConfig): Map<Setting, Flag> {
  const flags = new Map<Setting, Flag>();
  if (main !== undefined) flags.set('enabled', { name: main, kind: 'switch', stickiness: '' });
  for (const [type, name] of Object.entries(types))
    flags.set(`type:${type}`, { name, kind: 'switch', stickiness: '' });
  for (const [model, split] of Object.entries(splits))
    flags.set(`split:${model}`, { name: split.feature, kind: 'rollout', stickiness: split.stickiness });
  return flags;
}

async function environmentOf(
  operation: Operation,
  path: string,
  environment: string,
): Promise<Environment | undefined> {
  const { environments } = await operation.get(path, feature);
  return environments.find(({ name }) => name === environment);
}

/**
 * Policy: off is 0; on without a strategy is 100; one gradual rollout to everybody is its percentage. Anything else
 * (constraints, segments, several strategies, a rollout that is no percentage) is no share of the traffic.
 */
function shareOf({ enabled, strategies }: Environment): number | undefined {
  const [only, ...more] = strategies;
  const plain = only === undefined || (more.length === 0 && isPlainRollout(only));
  if (!plain) return undefined;
  const rollout = only === undefined ? 100 : rolloutOf(only);
  return rollout === undefined || enabled ? rollout : 0;
}

const isPlainRollout = (one: z.infer<typeof strategy>) =>
  one.name === 'flexibleRollout' &&
  one.disabled !== true &&
  (one.constraints ?? []).length === 0 &&
  (one.segments ?? []).length === 0;

function rolloutOf({ parameters }: z.infer<typeof strategy>): number | undefined {
  const said = String(parameters?.['rollout'] ?? '');
  return /^\d{1,3}$/.test(said) && Number(said) <= 100 ? Number(said) : undefined;
}

interface Shift {
  flag: Flag;
  path: string;
  found: Environment;
  to: number;
}

/** Only after its rollout is set is a flag turned on: what was off never serves more than was approved. */
async function shift(operation: Operation, { flag, path, found, to }: Shift): Promise<void> {
  const [only] = found.strategies;
  const strategies = `${path}/strategies`;
  if (only !== undefined) {
    const body = [{ op: 'replace', path: '/parameters/rollout', value: String(to) }];
    await operation.send({ method: 'PATCH', path: `${strategies}/${encodeURIComponent(only.id)}`, body });
  } else {
    const parameters = { rollout: String(to), stickiness: flag.stickiness, groupId: flag.name };
    const body = { name: 'flexibleRollout', parameters, constraints: [], segments: [] };
    await operation.send({ method: 'POST', path: strategies, body });
  }
  if (!found.enabled && to > 0) await turn(operation, path, true);
}

const turn = (operation: Operation, path: string, on: boolean) =>
  operation.send({ method: 'POST', path: `${path}/${on ? 'on' : 'off'}` });

async function changesOf(
  operation: Operation,
  flags: ReadonlyMap<Setting, Flag>,
  environment: string,
): Promise<TargetChange[]> {
  const found = await Promise.all(
    [...flags].map(async ([setting, flag]) => {
      const query = { feature: `IS:${flag.name}`, limit: EVENTS };
      const answer = await operation.get('/api/admin/search/events', events, query);
      return answer.events
        .filter((event) => event.environment === environment || FEATURE_WIDE.test(event.type))
        .map(({ type, createdBy, createdAt }) => ({
          setting,
          at: new Date(createdAt),
          by: createdBy ?? null,
          what: type,
        }));
    }),
  );
  return found.flat();
}
