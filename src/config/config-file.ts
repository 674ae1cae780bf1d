import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { InputError, messageOf } from '../errors.ts';
import { approver, approverShapes } from './approvers.ts';
import { canaries, contentShapes, deliveryCheck, judge, outputFormat, safety } from './content.ts';
import { documentKeys, exportShapes } from './exports.ts';
import { pagerDutyService, pagerDutyShapes, peopleMap, priorityNames } from './pagerduty.ts';
import { peopleShapes, updateMinutes, whoMay } from './people.ts';
import { archiveAfterDays, lessonEmoji, postmortemShapes } from './postmortem.ts';
import { rehearsal, rehearsalShapes } from './rehearsal.ts';
import { ruleOverrides } from './rules.ts';
import { builtInTargetConfig, isPromptText, servingSettings, servingShapes } from './serving.ts';
import { shiftOverrides, shiftSettings, shiftShapes, throttle } from './shift.ts';
import { healthProbe, metricSource, providerStatus, sourceShapes } from './sources.ts';
import { contacts, exposure, productSla, stakeholderShapes } from './stakeholders.ts';
import { vendorTargetConfigs, vendorTargetShapes } from './targets.ts';

type Environment = Record<string, string | undefined>;

const slackUser = z.string().regex(/^[UW][A-Z0-9]+$/, 'must be a Slack user id such as U012ABC');

const webhookTarget = z.strictObject({
  type: z.literal('webhook'),
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }),
  secret: z.string().min(1, 'must name an environment variable, such as "${SUPPORT_BOT_SECRET}"'),
  allow_private: z.boolean().default(false),
});

const service = z.strictObject({
  /** A name under `sources`; the calls that were sent in where none is named. */
  source: z.string().min(1).optional(),
  /** What picks this service out of the source: a PromQL label matcher, or the value of its service column. */
  selector: z.string().min(1).optional(),
  /** By rule id: the source's own query for it. */
  queries: z.record(z.string(), z.string().min(1)).default({}),
  rules: z.record(z.string(), ruleOverrides).default({}),
  health: healthProbe.optional(),
  provider_status: providerStatus.optional(),
  format: outputFormat.optional(),
  safety: safety.prefault({}),
  check: deliveryCheck.prefault({}),
  judge: judge.optional(),
  canaries: canaries.optional(),
  rehearsal: rehearsal.optional(),
  /** The decision tree of this service, where it has its own. */
  playbook: z.string().min(1).optional(),
  owner: slackUser.optional(),
  approvers: z.array(approver).default([]),
  pagerduty: pagerDutyService.optional(),
  target: z
    .discriminatedUnion('type', [webhookTarget, builtInTargetConfig, ...vendorTargetConfigs])
    .optional(),
  /** What the built-in target serves until a mitigation says otherwise. */
  serving: servingSettings.prefault({}),
  /** How its traffic is shifted, where that differs. */
  shift: shiftOverrides.prefault({}),
  throttle: throttle.optional(),
  standing_approvals: z.array(z.enum(['disable', 'known-good', 'throttle-offender'])).default([]),
});

export const SIGN_OFF_ROLES = ['owner', 'legal', 'compliance', 'engineering_lead'] as const;

const minutes = (fallback: number) => z.number().positive().default(fallback);

const retention = z.strictObject({
  calls_days: z.number().int().min(8).default(30),
  content_days: z.number().int().min(1).default(14),
  evaluations_days: z.number().int().min(1).default(30),
});

const digestChannel = z
  .string()
  .regex(/^[CG][A-Z0-9]+$/, 'must be a Slack channel id such as C012ABC')
  .optional();

const digestChannels = z.strictObject({
  outage: digestChannel,
  quality: digestChannel,
  cost: digestChannel,
  safety: digestChannel,
});

const configFile = z.strictObject({
  environment: z.string().min(1).default('production'),
  sources: z.record(z.string().min(1), metricSource).default({}),
  rules: z.record(z.string(), ruleOverrides).default({}),
  /** The team's own decision tree, a YAML file; the shipped one without. */
  playbook: z.string().min(1).optional(),
  /** Slack channel id where the bot reports its own troubles and what is not worth a room. */
  ops_channel: z
    .string()
    .regex(/^[CG][A-Z0-9]+$/, 'must be a Slack channel id such as C012ABC')
    .optional(),
  retention: retention.prefault({}),
  services: z.record(z.string().min(1), service).default({}),
  contacts: contacts.prefault({}),
  product_sla_minutes: productSla.prefault({}),
  exposure: exposure.prefault({}),
  ...documentKeys,
  /** Who sees samples of private incidents as they are, without redaction. */
  may_see_raw: z.array(slackUser).default([]),
  people: peopleMap,
  who_may: whoMay.prefault({}),
  update_minutes: updateMinutes.prefault({}),
  pagerduty_priorities: priorityNames.prefault({}),
  /** By category: the Slack channel id where stakeholders read one message an incident. */
  digests: digestChannels.prefault({}),
  /** The reaction that puts a message into the timeline, without colons. */
  timeline_emoji: z
    .string()
    .regex(/^[a-z0-9_+'-]+$/, 'must be the name of an emoji without colons, such as pushpin')
    .default('pushpin'),
  lesson_emoji: lessonEmoji.prefault({}),
  archive_after_days: archiveAfterDays,
  poll_seconds: z.number().int().min(1).max(300).default(15),
  /** How often each target is asked what it serves. */
  watch_targets_seconds: z.number().int().min(10).max(3600).default(60),
  acknowledge_within_minutes: minutes(5),
  contain_within_minutes: minutes(10),
  escalate_after_minutes: minutes(20),
  approval_expires_minutes: minutes(15),
  approval_nudge_minutes: minutes(3),
  prove_within_minutes: minutes(30),
  green_minutes: minutes(30),
  shift: shiftSettings.prefault({}),
  lease_hours: z.number().positive().default(24),
  lease_answer_minutes: minutes(60),
  /** Whose sign-offs give back what a safety incident took away: as many different people. */
  safety_sign_offs: z
    .array(z.enum(SIGN_OFF_ROLES))
    .min(2, 'must name at least two roles')
    .default(['owner', 'legal']),
});

/** `llm-incident.yaml`, checked. Secrets are already the values of the environment variables that they named. */
export type ConfigFile = z.infer<typeof configFile>;
export type ServiceConfig = z.infer<typeof service>;
export type RetentionConfig = z.infer<typeof retention>;
export type WebhookTargetConfig = z.infer<typeof webhookTarget>;

/** Reads the YAML text; throws InputError with every problem and its path, missing `${NAME}` variables included. */
export function parseConfigFile(text: string, env: Environment): ConfigFile {
  const problems: string[] = [];
  const raw = expanded(parseYaml(text) ?? {}, { env, path: '', problems });
  const result = configFile.safeParse(raw);
  if (!result.success) {
    for (const issue of result.error.issues)
      problems.push(`${issue.path.join('.') || 'file'}: ${issue.message}`);
  }
  if (problems.length > 0 || !result.success) throw new InputError(problems);
  return result.data;
}

/** The same of a file; each problem names it. */
export function readConfigFile(path: string, env: Environment): ConfigFile {
  try {
    return parseConfigFile(readFileSync(path, 'utf8'), env);
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    throw new InputError(thrown.problems.map((problem) => `${path}: ${problem}`));
  }
}

/** Every key that the file may hold, in dotted form with `NAME` for a service, for the README's table. */
export function configKeys(): string[] {
  const under = (prefix: string, shape: object) => Object.keys(shape).map((key) => `${prefix}${key}`);
  return [
    ...under('', configFile.shape),
    ...under('services.NAME.', service.shape),
    ...under('services.NAME.target.', {
      ...webhookTarget.shape,
      ...vendorTargetShapes['services.NAME.target.'],
    }),
    ...under('services.NAME.approvers.', approverShapes['services.NAME.approvers.']),
    ...under('retention.', retention.shape),
    ...under('digests.', digestChannels.shape),
    ...under('rules.RULE.', ruleOverrides.shape),
    ...Object.entries({
      ...sourceShapes,
      ...contentShapes,
      ...servingShapes,
      ...shiftShapes,
      ...pagerDutyShapes,
      ...rehearsalShapes,
      ...exportShapes,
      ...stakeholderShapes,
      ...peopleShapes,
      ...postmortemShapes,
    }).flatMap(([prefix, shape]) => under(prefix, shape)),
  ];
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (thrown) {
    throw new InputError([`file: not valid YAML: ${messageOf(thrown)}`]);
  }
}

/** An alias that holds itself has no end. */
function expanded(value: unknown, context: SecretContext): unknown {
  try {
    return withSecrets(value, context);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new InputError(['file: is nested too deeply, or an alias refers to itself']);
  }
}

interface SecretContext {
  env: Environment;
  path: string;
  problems: string[];
}

/** Replaces `${NAME}` in every string by that environment variable. */
function withSecrets(value: unknown, context: SecretContext): unknown {
  if (typeof value === 'string' && isPromptText(context.path)) return value;
  if (typeof value === 'string' && isSecret(context.path) && !/^\$\{[A-Za-z0-9_]+\}$/.test(value)) {
    context.problems.push(
      `${context.path}: must name an environment variable, as in "\${SUPPORT_BOT_SECRET}"`,
    );
    return value;
  }
  if (typeof value === 'string')
    return value.replace(/\$\{([A-Za-z0-9_]+)\}/g, (_, name) => secretOf(name, context));
  if (Array.isArray(value))
    return value.map((item, i) => withSecrets(item, { ...context, path: join(context.path, i) }));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([k, v]) => [k, withSecrets(v, { ...context, path: join(context.path, k) })]),
  );
}

/** What must never be written in the file itself. */
const isSecret = (path: string) =>
  /\.(secret|token|password|secret_key|public_key|routing_key|webhook_secret)$/.test(path) ||
  /^sources\.[^.]+\.headers\./.test(path);

function secretOf(name: string, { env, path, problems }: SecretContext): string {
  const found = env[name];
  if (found === undefined || found === '') problems.push(`${path}: environment variable ${name} is not set`);
  return found ?? '';
}

const join = (path: string, key: string | number) => (path === '' ? String(key) : `${path}.${key}`);
