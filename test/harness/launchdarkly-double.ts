import type { AuditLogEntryListingRep, FeatureFlag, FeatureFlagConfig } from 'launchdarkly-api-typescript';
import { z } from 'zod';
import { flagInstructions, problemOf } from './launchdarkly-contract.ts';
import { startVendor, type VendorDouble, type VendorReply, type VendorRequest } from './vendor-double.ts';

/** As much of a flag as its own type must have. */
export type DoubleFlag = Pick<FeatureFlag, 'key' | 'variations'> & {
  environments: Record<
    string,
    Pick<FeatureFlagConfig, 'on' | 'targets' | 'contextTargets' | 'fallthrough' | 'offVariation'>
  >;
};
type Environment = DoubleFlag['environments'][string];

export const LAUNCHDARKLY_TOKEN = 'api-1234-abcd';

const patch = z.strictObject({
  environmentKey: z.string(),
  comment: z.string(),
  instructions: z.array(z.looseObject({ kind: z.string() })).min(1),
});
const weights = z.record(z.string(), z.number().int().min(0).max(100_000));

/** An entry of the audit log as its own type has it, and which flag of which environment it is about. */
export type DoubleEntry = AuditLogEntryListingRep & { about: string };

export const auditEntry = (
  about: string,
  date: number,
  change: Partial<AuditLogEntryListingRep> = {},
): DoubleEntry => ({
  ...{ about, date, _links: {}, _id: `entry-${date}`, _accountId: 'account', accesses: [], kind: 'flag' },
  ...{ name: about, description: '', shortDescription: '', titleVerb: 'turned off the flag', ...change },
});

/**
 * LaunchDarkly's flags: documented instructions only, a patch is taken whole or not at all; and its audit log, by the
 * documented parameters.
 */
export async function startLaunchDarkly(
  flags: DoubleFlag[],
  entries: DoubleEntry[] = [],
): Promise<VendorDouble> {
  const known = flagInstructions();
  return startVendor((request) => {
    if (request.headers.authorization !== LAUNCHDARKLY_TOKEN)
      return { status: 401, body: { code: 'unauthorized', message: 'Invalid account ID header' } };
    if (request.path === '/api/v2/auditlog') return logged(entries, request);
    const key = /^\/api\/v2\/flags\/shop\/([^/]+)$/.exec(request.path)?.[1];
    const flag = flags.find((one) => one.key === decodeURIComponent(key ?? ''));
    if (flag === undefined) return { status: 404, body: { code: 'not_found', message: 'Unknown flag' } };
    if (request.method === 'GET') return shown(flag, request);
    return request.method === 'PATCH' ? patched(flag, request, known) : { status: 405 };
  });
}

const LOG_PARAMETERS = ['before', 'after', 'q', 'limit', 'spec'];

function logged(entries: readonly DoubleEntry[], { query }: VendorRequest): VendorReply {
  const unknown = [...query.keys()].find((key) => !LOG_PARAMETERS.includes(key));
  if (unknown !== undefined) return bad(`no parameter ${unknown}`);
  const limit = Number(query.get('limit') ?? 10);
  const after = Number(query.get('after') ?? 0);
  if (!(limit >= 1 && limit <= 20) || !Number.isInteger(after)) return bad('limit or after');
  const [, about] = /^proj\/shop:env\/([^:]+:flag\/.+)$/.exec(query.get('spec') ?? '') ?? [];
  if (about === undefined) return bad('spec');
  const found = entries.filter((one) => one.about === about.replace(':flag/', ' ') && one.date > after);
  const items = found
    .toSorted((a, b) => b.date - a.date)
    .slice(0, limit)
    .map(({ about: _, ...entry }) => entry);
  return { status: 200, body: { items, _links: {} } };
}

function shown(flag: DoubleFlag, { query }: VendorRequest): VendorReply {
  const env = query.get('env');
  const environments = Object.entries(flag.environments).filter(([key]) => env === null || key === env);
  return { status: 200, body: { ...flag, environments: Object.fromEntries(environments) } };
}

function patched(
  flag: DoubleFlag,
  { headers, body }: VendorRequest,
  known: ReturnType<typeof flagInstructions>,
): VendorReply {
  if (headers['content-type'] !== 'application/json; domain-model=launchdarkly.semanticpatch')
    return bad('not a semantic patch');
  const parsed = patch.safeParse(body);
  if (!parsed.success) return bad(parsed.error.message);
  const { environmentKey, instructions } = parsed.data;
  const there = structuredClone(flag.environments[environmentKey]);
  if (there === undefined) return bad('no such environment');
  for (const instruction of instructions) {
    const problem = problemOf(instruction, known) ?? follow(flag, there, instruction);
    if (problem !== null) return bad(problem);
  }
  flag.environments[environmentKey] = there;
  return { status: 200, body: flag };
}

function follow(flag: DoubleFlag, there: Environment, instruction: Record<string, unknown>): string | null {
  const indexOf = (id: unknown) => flag.variations.findIndex(({ _id }) => _id === id);
  switch (instruction['kind']) {
    case 'turnFlagOn':
    case 'turnFlagOff':
      there.on = instruction['kind'] === 'turnFlagOn';
      return null;
    case 'updateFallthroughVariationOrRollout': {
      const given = weights.parse(instruction['rolloutWeights']);
      const variations = Object.entries(given).map(([id, weight]) => ({ variation: indexOf(id), weight }));
      const sum = variations.reduce((total, { weight }) => total + weight, 0);
      if (sum !== 100_000 || variations.some(({ variation }) => variation < 0)) return 'wrong weights';
      there.fallthrough = { rollout: { variations, contextKind: String(instruction['rolloutContextKind']) } };
      return null;
    }
    default:
      return target(there, instruction, indexOf(instruction['variationId']));
  }
}

function target(there: Environment, instruction: Record<string, unknown>, variation: number): string | null {
  const {
    kind,
    contextKind = 'user',
    values,
  } = instruction as { kind: string; contextKind?: string } & {
    values: string[];
  };
  if (variation < 0) return 'no such variation';
  const list = contextKind === 'user' ? 'targets' : 'contextTargets';
  const before = there[list] ?? [];
  const inAnother = before.some(
    (one) => one.variation !== variation && one.values.some((value) => values.includes(value)),
  );
  if (kind === 'addTargets' && inAnother) return 'the key is targeted by another variation';
  const mine = before.find((one) => one.variation === variation)?.values ?? [];
  const kept = mine.filter((value) => !values.includes(value));
  const now = { variation, contextKind, values: kind === 'addTargets' ? [...kept, ...values] : kept };
  there[list] = [...before.filter((one) => one.variation !== variation), now];
  return null;
}

const bad = (message: string): VendorReply => ({ status: 400, body: { code: 'invalid_request', message } });
