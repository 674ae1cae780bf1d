import { z } from 'zod';
import { startVendor, type VendorDouble, type VendorReply, type VendorRequest } from './vendor-double.ts';

export interface DoubleStrategy {
  id: string;
  name: string;
  disabled: boolean;
  constraints: unknown[];
  segments: unknown[];
  parameters: Record<string, string>;
}
export interface DoubleFlag {
  environments: Record<string, { enabled: boolean; strategies: DoubleStrategy[] }>;
}

export const UNLEASH_TOKEN = '*:*.adminsecret1';

const newStrategy = z.strictObject({
  name: z.string(),
  parameters: z.record(z.string(), z.string()),
  constraints: z.array(z.unknown()),
  segments: z.array(z.unknown()),
});
const patch = z
  .array(z.strictObject({ op: z.literal('replace'), path: z.string(), value: z.string() }))
  .min(1);

export const rollout = (percent: string, change: Partial<DoubleStrategy> = {}): DoubleStrategy => ({
  id: `strategy-${percent}`,
  name: 'flexibleRollout',
  disabled: false,
  constraints: [],
  segments: [],
  parameters: { rollout: percent, stickiness: 'default', groupId: 'g' },
  ...change,
});

/** The part of Unleash's admin API that is used, as the server answers it. It takes any rollout, as that does. */
export async function startUnleash(
  flags: Record<string, DoubleFlag>,
  events: Record<string, object[]> = {},
): Promise<VendorDouble> {
  return startVendor((request) => {
    if (request.headers.authorization !== UNLEASH_TOKEN) return { status: 401, body: { message: 'no' } };
    if (request.path === '/api/admin/search/events') {
      const found = events[(request.query.get('feature') ?? '').replace(/^IS:/, '')] ?? [];
      return { status: 200, body: { events: found, total: found.length } };
    }
    return flagAnswer(flags, request);
  });
}

const ROUTE = /^\/api\/admin\/projects\/default\/features\/([^/]+)(?:\/environments\/([^/]+)(\/.+))?$/;

function flagAnswer(flags: Record<string, DoubleFlag>, { method, path, body }: VendorRequest): VendorReply {
  const [, name = '', environment, action = ''] = ROUTE.exec(path) ?? [];
  const flag = flags[decodeURIComponent(name)];
  if (flag === undefined) return { status: 404, body: { name: 'NotFoundError', message: `no ${name}` } };
  if (environment === undefined && method === 'GET') {
    const environments = Object.entries(flag.environments).map(([key, one]) => ({ name: key, ...one }));
    return { status: 200, body: { name, environments } };
  }
  const there = flag.environments[environment ?? ''];
  if (there === undefined) return { status: 404, body: { message: `no ${environment}` } };
  if (method === 'POST' && (action === '/on' || action === '/off')) {
    there.enabled = action === '/on';
    return { status: 200 };
  }
  if (method === 'POST' && action === '/strategies') {
    const made = { id: 'new', disabled: false, ...newStrategy.parse(body) };
    there.strategies.push(made);
    return { status: 200, body: made };
  }
  const strategy = there.strategies.find(({ id }) => action === `/strategies/${id}`);
  if (method !== 'PATCH' || strategy === undefined) return { status: 404, body: { message: action } };
  for (const one of patch.parse(body)) {
    if (one.path !== '/parameters/rollout') return { status: 400, body: { message: one.path } };
    strategy.parameters['rollout'] = one.value;
  }
  return { status: 200, body: strategy };
}
