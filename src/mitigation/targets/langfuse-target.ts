import { z } from 'zod';
import type { LangfusePromptsConfig } from '../../config/targets.ts';
import { digestOf } from '../../evidence/digest.ts';
import type { Setting } from '../serving.ts';
import type { TargetChange } from '../target.ts';
import { refusal } from './vendor-errors.ts';
import { type Connection, type Operation, unless404, vendorOperations } from './vendor-request.ts';
import { type Vendor, type VendorTarget, vendorTarget } from './vendor-target.ts';

const promptShape = z.object({
  name: z.string(),
  version: z.number().int(),
  type: z.string(),
  prompt: z.unknown(),
  config: z.unknown(),
  labels: z.array(z.string()),
  commitMessage: z.string().nullish(),
  // Not in the published contract, yet in the answer: when the version was made and touched, and who made it.
  createdAt: z.string().nullish(),
  updatedAt: z.string().nullish(),
  createdBy: z.string().nullish(),
});
const moved = z.object({ version: z.number().int(), labels: z.array(z.string()) });

type Prompt = z.infer<typeof promptShape>;
type Which = { label: string } | { version: string };

/** A prompt as Langfuse stores it, with its dependencies unresolved. */
export interface ServedPrompt {
  setting: Setting;
  version: string;
  /** Of {type, prompt, config}, in canonical JSON; Langfuse keeps none. */
  sha256: string;
  labels: readonly string[];
  commitMessage: string | null;
}

export interface LangfuseTarget extends VendorTarget {
  /** What carries the label now; a prompt without it is left out. */
  prompts(): Promise<ServedPrompt[]>;
  /** Any version of a prompt; undefined when there is none. */
  promptAt(setting: Setting, version: string): Promise<ServedPrompt | undefined>;
}

/** Prompts of Langfuse: one label is moved from version to version, and nothing else is changed. */
export function langfuseTarget(
  config: LangfusePromptsConfig,
  timing: Pick<Connection, 'timeoutMs'> = {},
): LangfuseTarget {
  const names = new Map(config.prompts.map((name) => [`prompt:${name}`, name]));
  const connection = { ...connectionOf(config), ...timing };
  const start = vendorOperations(connection);
  const find = async (operation: Operation, setting: Setting, which: Which) => {
    const found = await promptOf(operation, names.get(setting) as string, which);
    return found === undefined ? undefined : served(setting, found);
  };
  return {
    ...vendorTarget(labelOf(config, names), connection),
    async prompts() {
      const operation = start();
      const found = [...names.keys()].map((setting) => find(operation, setting, { label: config.label }));
      return (await Promise.all(found)).filter((one) => one !== undefined);
    },
    promptAt: (setting, version) => find(start(), setting, { version }),
  };
}

function labelOf({ url, label }: LangfusePromptsConfig, names: ReadonlyMap<Setting, string>): Vendor {
  const { host, origin } = new URL(url);
  const nameOf = (setting: Setting) => names.get(setting) as string;
  return {
    describe: `Langfuse ${host} label ${label}`,
    byHand: origin,
    settings: [...names.keys()],
    can: (setting) => names.has(setting),
    refuses: ({ to }) =>
      typeof to === 'string' && /^[1-9]\d*$/.test(to) ? null : `${to} is no version in Langfuse, such as 12`,
    async readOne(operation, setting) {
      const found = await promptOf(operation, nameOf(setting), { label });
      return found === undefined ? null : String(found.version);
    },
    async change({ step, operation }) {
      const name = encodeURIComponent(nameOf(step.setting));
      const path = `/api/public/v2/prompts/${name}/versions/${step.to}`;
      const body = { newLabels: [label] };
      const answer = await operation.sendFor({ method: 'PATCH', path, body }, moved);
      if (answer.labels.includes(label)) return;
      throw refusal('Langfuse', 'NOT_MOVED', `version ${step.to} did not get the label ${label}`);
    },
    async changes(operation, since) {
      const found = [...names].map(async ([setting, name]) => {
        const prompt = await promptOf(operation, name, { label });
        return prompt === undefined ? [] : changeOf(setting, prompt, { label, since });
      });
      return (await Promise.all(found)).flat();
    },
  };
}

/**
 * Policy: Langfuse says when a version was last touched, which its labels' moves do, and who made it, not who moved a
 * label: its maker is named only where the version itself is new.
 */
function changeOf(
  setting: Setting,
  { version, createdAt, updatedAt, createdBy }: Prompt,
  { label, since }: { label: string; since: Date },
): TargetChange[] {
  const at = updatedAt ?? createdAt;
  if (at == null) return [];
  const isNew = createdAt != null && new Date(createdAt) > since;
  const by = isNew && createdBy !== 'API' ? (createdBy ?? null) : null;
  return [{ setting, at: new Date(at), by, what: `label ${label} on version ${version}` }];
}

/** Canonical, so that the order of keys and the label do not matter. */
export function promptChecksum({ type, prompt, config }: Pick<Prompt, 'type' | 'prompt' | 'config'>): string {
  return digestOf({ type, prompt, config: config ?? {} });
}

function served(setting: Setting, prompt: Prompt): ServedPrompt {
  return {
    setting,
    version: String(prompt.version),
    sha256: promptChecksum(prompt),
    labels: prompt.labels,
    commitMessage: prompt.commitMessage ?? null,
  };
}

/** `resolve=false` is the text as it is stored, and passes Langfuse's own cache by. */
function promptOf(operation: Operation, name: string, which: Which): Promise<Prompt | undefined> {
  const query = { ...which, resolve: 'false' };
  return unless404(operation.get(`/api/public/v2/prompts/${encodeURIComponent(name)}`, promptShape, query));
}

function connectionOf({ url, public_key, secret_key, allow_private }: LangfusePromptsConfig): Connection {
  const basic = Buffer.from(`${public_key}:${secret_key}`).toString('base64');
  return {
    vendor: 'Langfuse',
    url,
    headers: { authorization: `Basic ${basic}` },
    allowPrivate: allow_private,
    secrets: [secret_key, basic],
  };
}
