import { z } from 'zod';
import type { LaunchDarklyConfig } from '../../config/targets.ts';
import { ExternalError } from '../../errors.ts';
import type { Step } from '../plan.ts';
import type { Setting, Value } from '../serving.ts';
import type { TargetChange } from '../target.ts';
import { MISNAMED, refusal, retold } from './vendor-errors.ts';
import type { Connection, Operation } from './vendor-request.ts';
import { refusesPercent, refusesSwitch, type VendorTarget, vendorTarget } from './vendor-target.ts';

const targets = z
  .array(z.object({ values: z.array(z.string()), variation: z.number(), contextKind: z.string().nullish() }))
  .nullish();
const environmentShape = z.object({
  on: z.boolean(),
  targets,
  contextTargets: targets,
  offVariation: z.number().nullish(),
  fallthrough: z
    .object({
      variation: z.number().nullish(),
      rollout: z
        .object({ variations: z.array(z.object({ variation: z.number(), weight: z.number() })) })
        .nullish(),
    })
    .nullish(),
});
const flagShape = z.object({
  variations: z.array(z.object({ _id: z.string(), value: z.unknown(), name: z.string().nullish() })),
  environments: z.record(z.string(), environmentShape),
});

const auditEntries = z.object({
  items: z.array(
    z.object({
      date: z.number(),
      member: z.object({ email: z.string().nullish() }).nullish(),
      token: z.object({ name: z.string().nullish() }).nullish(),
      titleVerb: z.string().nullish(),
    }),
  ),
});
/** The most that LaunchDarkly gives at once. */
const AUDIT_ENTRIES = '20';

/** Weights are thousandths of a percent. */
const PER_PERCENT = 1_000;
const WHOLE = 100 * PER_PERCENT;
const SEMANTIC_PATCH = 'application/json; domain-model=launchdarkly.semanticpatch';
const USER = /^limit:user (.+)$/;

type Flag = z.infer<typeof flagShape>;
type Instruction = { kind: string } & Record<string, unknown>;
interface Found {
  flag: Flag;
  there: z.infer<typeof environmentShape>;
}

/** How one setting is told from a flag, and which instructions change it. */
interface Control {
  flagKey: string;
  refuses(to: Value): string | null;
  read(found: Found): Value | undefined;
  instructions(found: Found, step: Step): Instruction[];
}

/** LaunchDarkly, by semantic patches: a flag on or off, the rollout of its default rule, and users that are blocked. */
export function launchDarklyTarget(
  config: LaunchDarklyConfig,
  serves: { environment: string },
  timing: Pick<Connection, 'timeoutMs'> = {},
): VendorTarget {
  const environment = config.environment ?? serves.environment;
  const fixed = controlsOf(config);
  const controlOf = (setting: Setting) => fixed.get(setting) ?? blockOf(config, setting);
  const { host, origin } = new URL(config.url);
  const project = encodeURIComponent(config.project);
  const pathOf = (flagKey: string) => `/api/v2/flags/${project}/${encodeURIComponent(flagKey)}`;
  const find = async (operation: Operation, { flagKey }: Control): Promise<Found | undefined> => {
    const flag = await operation.get(pathOf(flagKey), flagShape, { env: environment });
    const there = flag.environments[environment];
    return there === undefined ? undefined : { flag, there };
  };

  return vendorTarget(
    {
      describe: `LaunchDarkly ${host} ${config.project}/${environment}`,
      byHand: `${origin}/projects/${project}/flags`,
      settings: [...fixed.keys()],
      can: (setting) => controlOf(setting) !== undefined,
      refuses: ({ setting, to }) => controlOf(setting)?.refuses(to) ?? null,
      async readOne(operation, setting) {
        const control = controlOf(setting) as Control;
        const found = await find(operation, control);
        return found === undefined ? undefined : control.read(found);
      },
      async change({ step, planHash, operation }) {
        const control = controlOf(step.setting) as Control;
        const found = (await find(operation, control)) as Found;
        const body = {
          environmentKey: environment,
          comment: `llm-incident, plan ${planHash.slice(0, 12)}`,
          instructions: control.instructions(found, step),
        };
        const sent = { method: 'PATCH', path: pathOf(control.flagKey), body } as const;
        await operation.send({ ...sent, contentType: SEMANTIC_PATCH }).catch(explain);
      },
      async changes(operation, since) {
        const within = `proj/${config.project}:env/${environment}`;
        return auditLogs(operation, { controls: fixed, since, within });
      },
    },
    { ...connectionOf(config), ...timing },
  );
}

async function auditLogs(
  operation: Operation,
  { controls, since, within }: { controls: ReadonlyMap<Setting, Control>; since: Date; within: string },
): Promise<TargetChange[]> {
  const found = [...controls].map(async ([setting, { flagKey }]) =>
    auditLog(operation, { setting, since, spec: `${within}:flag/${flagKey}` }),
  );
  return (await Promise.all(found)).flat();
}

/** The newest entries about one flag in one environment. */
async function auditLog(
  operation: Operation,
  { setting, since, spec }: { setting: Setting; since: Date; spec: string },
): Promise<TargetChange[]> {
  const query = { spec, after: String(since.getTime()), limit: AUDIT_ENTRIES };
  const { items } = await operation.get('/api/v2/auditlog', auditEntries, query);
  return items.map(({ date, member, token, titleVerb }) => ({
    setting,
    at: new Date(date),
    by: member?.email ?? token?.name ?? null,
    what: titleVerb ?? 'changed',
  }));
}

const connectionOf = ({ url, token, allow_private }: LaunchDarklyConfig): Connection => ({
  vendor: 'LaunchDarkly',
  url,
  headers: { authorization: token },
  allowPrivate: allow_private,
  secrets: [token],
});

function controlsOf({ flag, types, splits }: LaunchDarklyConfig): Map<Setting, Control> {
  const controls = new Map<Setting, Control>();
  if (flag !== undefined) controls.set('enabled', switchOf(flag));
  for (const [type, flagKey] of Object.entries(types)) controls.set(`type:${type}`, switchOf(flagKey));
  for (const [model, split] of Object.entries(splits)) controls.set(`split:${model}`, splitOf(split));
  return controls;
}

const switchOf = (flagKey: string): Control => ({
  flagKey,
  refuses: refusesSwitch,
  read: ({ there }) => there.on,
  instructions: (_, { to }) => [{ kind: to === true ? 'turnFlagOn' : 'turnFlagOff' }],
});

/** One patch is taken whole or not at all, so a flag that is off is turned on together with its weights. */
function splitOf(split: LaunchDarklyConfig['splits'][string]): Control {
  return {
    flagKey: split.flag,
    refuses: refusesPercent,
    read: (found) => shareOf(found, split),
    instructions: ({ flag, there }, { to }) => {
      const weight = Number(to) * PER_PERCENT;
      const rolloutWeights = {
        [variationOf(flag, split.variation).id]: weight,
        [variationOf(flag, split.rest).id]: WHOLE - weight,
      };
      const rollout = { rolloutWeights, rolloutContextKind: split.context_kind };
      const turnOn = there.on || weight === 0 ? [] : [{ kind: 'turnFlagOn' }];
      return [{ kind: 'updateFallthroughVariationOrRollout', ...rollout }, ...turnOn];
    },
  };
}

/**
 * Policy: the share in the default rule, or of the off variation while the flag is off; a rule that gives something to
 * a third variation could not be given back and is no share.
 */
function shareOf({ flag, there }: Found, split: { variation: string; rest: string }): number | undefined {
  const wanted = variationOf(flag, split.variation).index;
  const rest = variationOf(flag, split.rest).index;
  const weights = new Map<number, number>();
  const sole = there.on ? there.fallthrough?.variation : there.offVariation;
  if (typeof sole === 'number') weights.set(sole, WHOLE);
  else if (there.on) {
    for (const { variation, weight } of there.fallthrough?.rollout?.variations ?? [])
      weights.set(variation, (weights.get(variation) ?? 0) + weight);
  }
  const share = weights.get(wanted) ?? 0;
  return share + (weights.get(rest) ?? 0) === WHOLE ? share / PER_PERCENT : undefined;
}

/** A user without a limit is a user who is not blocked; there is nothing in between. */
function blockOf({ block }: LaunchDarklyConfig, setting: Setting): Control | undefined {
  const user = USER.exec(setting)?.[1];
  if (user === undefined || block === undefined) return undefined;
  const contextKind = block.context_kind;
  return {
    flagKey: block.flag,
    refuses: (to) =>
      to === 0 || to === null ? null : `LaunchDarkly can block a user (0) or not (none), not limit to ${to}`,
    read: ({ flag, there }) => {
      const { index } = variationOf(flag, block.variation);
      const all = [...(there.targets ?? []), ...(there.contextTargets ?? [])];
      const holding = all.filter(
        (one) => (one.contextKind ?? 'user') === contextKind && one.values.includes(user),
      );
      if (holding.length === 0) return null;
      return holding.every(({ variation }) => variation === index) ? 0 : undefined;
    },
    instructions: ({ flag }, { to }) => {
      const variationId = variationOf(flag, block.variation).id;
      const kind = to === 0 ? 'addTargets' : 'removeTargets';
      return [{ kind, contextKind, variationId, values: [user] }];
    },
  };
}

function variationOf(flag: Flag, named: string): { id: string; index: number } {
  const index = flag.variations.findIndex(
    ({ _id, name, value }) => _id === named || name === named || value === named || String(value) === named,
  );
  const id = flag.variations[index]?._id;
  if (id === undefined)
    throw refusal('LaunchDarkly', MISNAMED, `the flag has no variation ${named}; check the config`);
  return { id, index };
}

/** 409 is a lost race, nothing was changed; 405 and 400 are LaunchDarkly's own protections. */
function explain(thrown: unknown): never {
  if (!(thrown instanceof ExternalError)) throw thrown;
  if (thrown.code === '409') throw retold(thrown, { message: thrown.message, retryable: true });
  if (thrown.code === '405') {
    const cure = 'this environment wants an approval in LaunchDarkly; give the token the right to bypass it';
    throw retold(thrown, { message: `${thrown.message}; ${cure}` });
  }
  throw thrown;
}
