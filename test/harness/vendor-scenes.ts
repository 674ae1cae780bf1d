import { type DoubleRepository, GITHUB_TOKEN, startGithub } from './github-double.ts';
import { repositoryOf } from './github-scene.ts';
import { type DoublePrompt, LANGFUSE_KEYS, startLangfusePrompts } from './langfuse-prompts-double.ts';
import { LAUNCHDARKLY_TOKEN, startLaunchDarkly } from './launchdarkly-double.ts';
import { type DoubleProxy, LITELLM_TOKEN, startLitellm } from './litellm-double.ts';
import { type DoubleFlag, rollout, startUnleash, UNLEASH_TOKEN } from './unleash-double.ts';
import type { VendorDouble, VendorReply } from './vendor-double.ts';

/** One vendor as a service's target: what is asked for, what that does there, and how it is given back. */
export interface VendorScene {
  service: string;
  double: VendorDouble;
  /** The `target` of the config file; its secrets are in `SECRETS`. */
  target: object;
  /** `mitigate THERE` takes what is served from `was` to `is`; `mitigate BACK` is the way back. */
  there: string;
  back: string;
  was: unknown;
  is: unknown;
  /** What is served at the vendor now. */
  served(): unknown;
  /** How it says that it took a change; absent where that alone is no answer. */
  accepted?: VendorReply;
  /** A conflict is two changes at once there, which passes. */
  conflictPasses?: true;
}

export const SECRETS = {
  UNLEASH_TOKEN,
  LAUNCHDARKLY_TOKEN,
  LANGFUSE_PUBLIC: LANGFUSE_KEYS.public_key,
  LANGFUSE_SECRET: LANGFUSE_KEYS.secret_key,
  LITELLM_TOKEN,
  GITHUB_TOKEN,
};

export async function startVendorScenes(): Promise<VendorScene[]> {
  return Promise.all([
    unleash(),
    launchDarkly(),
    langfuse(),
    litellm(),
    github('variable'),
    github('file'),
    github('workflow'),
  ]);
}

/** Two are changed by more than one request, which can be cut short between them. */
export interface CutScene extends VendorScene {
  /** What it says when only the first of them was taken. */
  cut: string;
}

const OK: VendorReply = { status: 200, body: {} };
const AT = { allow_private: true };
const SWITCH = { there: 'disable', back: 'enable', was: true, is: false };

async function unleash(): Promise<VendorScene> {
  const answers: DoubleFlag = {
    environments: { production: { enabled: true, strategies: [rollout('100')] } },
  };
  const double = await startUnleash({ answers });
  const config = { type: 'unleash', url: double.url, token: '${UNLEASH_TOKEN}', feature: 'answers', ...AT };
  const served = () => answers.environments['production']?.enabled;
  return { service: 'on-unleash', double, target: config, ...SWITCH, served, accepted: { status: 200 } };
}

async function launchDarkly(): Promise<VendorScene> {
  const there = { on: true, offVariation: 1, fallthrough: { variation: 0 } };
  const flag = {
    key: 'answers',
    variations: [
      { _id: 'id-on', value: true },
      { _id: 'id-off', value: false },
    ],
    environments: { production: there },
  };
  const double = await startLaunchDarkly([flag]);
  const token = '${LAUNCHDARKLY_TOKEN}';
  const names = { token, project: 'shop', flag: 'answers' };
  const target = { type: 'launchdarkly', url: double.url, ...names, ...AT };
  const served = () => flag.environments.production.on;
  const told = { accepted: OK, conflictPasses: true } as const;
  return { service: 'on-launchdarkly', double, target, ...SWITCH, served, ...told };
}

async function langfuse(): Promise<VendorScene> {
  const name = 'support/answer';
  const edition = (version: number, labels: string[]): DoublePrompt => ({
    ...{ name, version, labels, tags: [], config: {}, type: 'text' },
    prompt: `Answer politely, edition ${version}.`,
  });
  const prompts = [edition(12, []), edition(13, ['production', 'latest'])];
  const double = await startLangfusePrompts(prompts);
  const keys = { public_key: '${LANGFUSE_PUBLIC}', secret_key: '${LANGFUSE_SECRET}' };
  return {
    service: 'on-langfuse',
    double,
    target: { type: 'langfuse', url: double.url, ...keys, prompts: [name], ...AT },
    ...{ there: `prompt ${name}=12`, back: `prompt ${name}=13`, was: 13, is: 12 },
    served: () => prompts.find(({ labels }) => labels.includes('production'))?.version,
    accepted: { status: 200, body: { version: 12, labels: ['production'] } },
  };
}

async function litellm(): Promise<VendorScene> {
  const proxy: DoubleProxy = {
    deployments: [],
    users: { eve: { rpm_limit: 60, tpm_limit: null } },
    keys: [],
  };
  const double = await startLitellm(proxy);
  return {
    service: 'on-litellm',
    double,
    target: { type: 'litellm', url: double.url, token: '${LITELLM_TOKEN}', limits: 'user', ...AT },
    ...{ there: 'limit user eve 5', back: 'limit user eve 60', was: 60, is: 5 },
    served: () => proxy.users['eve']?.rpm_limit,
    accepted: OK,
  };
}

type Sort = 'variable' | 'file' | 'workflow';

async function github(sort: Sort): Promise<VendorScene> {
  const repository: DoubleRepository = repositoryOf();
  repository.onDispatch = (inputs, run) => {
    repository.variables['MODEL'] = inputs['to'] ?? '';
    Object.assign(run, { status: 'completed', conclusion: 'success' });
  };
  const double = await startGithub(repository);
  const kinds: Record<Sort, Pick<VendorScene, 'there' | 'back' | 'was' | 'is' | 'served' | 'accepted'>> = {
    variable: {
      ...{ ...SWITCH, was: 'true', is: 'false', accepted: { status: 204 } },
      served: () => repository.variables['AI_ENABLED'],
    },
    file: {
      ...{ there: 'prompt pin=v13', back: 'prompt pin=v14', was: 'v14\n', is: 'v13\n', accepted: OK },
      served: () => repository.files['prompts/pin file.txt'],
    },
    workflow: {
      ...{ there: 'model gpt-4', back: 'model gpt-4o', was: 'gpt-4o', is: 'gpt-4' },
      served: () => repository.variables['MODEL'],
    },
  };
  const settings = {
    enabled: { variable: 'AI_ENABLED' },
    'prompt:pin': { file: 'prompts/pin file.txt' },
    model: { variable: 'MODEL', workflow: 'switch.yml' },
  };
  const names = { token: '${GITHUB_TOKEN}', repository: 'acme/prompts', settings };
  const target = { type: 'github', url: double.url, ...names, ...AT };
  return { service: `on-github-${sort}`, double, target, ...kinds[sort] };
}

/** Vendors whose change takes several requests, of which the first is made. */
export async function startCutScenes(): Promise<CutScene[]> {
  const deployment = (id: string, weight: number) => ({
    model_name: 'answers',
    litellm_params: { model: `openai/${id}`, weight },
    model_info: { id, db_model: true },
  });
  const deployments = [deployment('full', 100), deployment('mini', 0)];
  const double = await startLitellm({ deployments, users: {}, keys: [] });
  const splits = { mini: { deployment: 'mini', rest: 'full' } };
  const weights = () => deployments.map(({ litellm_params: { weight } }) => weight);
  const litellmSplit = {
    ...{ service: 'cut-litellm', double, was: [100, 0], is: [100, 30], served: weights },
    target: { type: 'litellm', url: double.url, token: '${LITELLM_TOKEN}', splits, ...AT },
    ...{ there: 'split mini 30', back: 'split mini 0', cut: 'only 1 of 2 deployments were changed' },
  };
  return [litellmSplit];
}
