import { z } from 'zod';
import { startVendor, type VendorDouble, type VendorReply } from './vendor-double.ts';

export interface DoubleDeployment {
  model_name: string;
  litellm_params: { model: string; weight?: number };
  model_info: { id: string; db_model: boolean; blocked?: boolean };
}
export interface DoubleLimits {
  rpm_limit: number | null;
  tpm_limit: number | null;
}
export type DoubleKey = DoubleLimits & { token: string; key_alias: string; blocked: boolean | null };
export interface DoubleProxy {
  deployments: DoubleDeployment[];
  users: Record<string, DoubleLimits>;
  keys: DoubleKey[];
}

export const LITELLM_TOKEN = 'sk-master-1234';

const patch = z.strictObject({
  litellm_params: z
    .strictObject({ model: z.string().optional(), weight: z.number().int().optional() })
    .optional(),
  blocked: z.boolean().optional(),
});
const limit = z.number().int().nullish();
const userUpdate = z.strictObject({ user_id: z.string(), rpm_limit: limit, tpm_limit: limit });
const keyUpdate = z.strictObject({ key: z.string(), rpm_limit: limit, tpm_limit: limit });
const keyOnly = z.strictObject({ key: z.string() });

/** A proxy that keeps its models in a database; null leaves a limit as it was, and config models are refused. */
export async function startLitellm(proxy: DoubleProxy): Promise<VendorDouble> {
  return startVendor(({ method, path, query, headers, body }) => {
    if (headers.authorization !== `Bearer ${LITELLM_TOKEN}`)
      return failure(401, 'Authentication Error, Invalid proxy server token passed');
    const id = /^\/model\/([^/]+)\/update$/.exec(path)?.[1];
    if (method === 'PATCH' && id !== undefined) return patched(proxy, decodeURIComponent(id), body);
    switch (`${method} ${path}`) {
      case 'GET /model/info':
        return { status: 200, body: { data: proxy.deployments } };
      case 'GET /user/info': {
        const user = proxy.users[query.get('user_id') ?? ''];
        const found = user === undefined ? failure(404, 'User not found') : undefined;
        return found ?? { status: 200, body: { user_info: user, keys: [], teams: [] } };
      }
      case 'GET /key/list': {
        const keys = proxy.keys.filter(({ key_alias }) => key_alias.includes(query.get('key_alias') ?? ''));
        return { status: 200, body: { keys, total_count: keys.length, current_page: 1, total_pages: 1 } };
      }
      case 'POST /user/update': {
        const { user_id, rpm_limit } = userUpdate.parse(body);
        const user = proxy.users[user_id] ?? { rpm_limit: null, tpm_limit: null };
        proxy.users[user_id] = { ...user, rpm_limit: rpm_limit ?? user.rpm_limit };
        return { status: 200, body: { user_id, data: proxy.users[user_id] } };
      }
      default:
        return keyChanged(proxy, path, body);
    }
  });
}

function patched({ deployments }: DoubleProxy, id: string, body: unknown): VendorReply {
  const { litellm_params = {}, blocked } = patch.parse(body);
  const found = deployments.find(({ model_info }) => model_info.id === id);
  if (found === undefined) return failure(404, `Model ${id} not found on proxy.`);
  if (!found.model_info.db_model)
    return failure(400, 'Cannot edit config-based model. Store model in DB via /model/new first.');
  const { model, weight } = litellm_params;
  if (model !== undefined) found.litellm_params.model = model;
  if (weight !== undefined) found.litellm_params.weight = weight;
  if (blocked !== undefined) found.model_info.blocked = blocked;
  return { status: 200, body: { model_id: id } };
}

function keyChanged({ keys }: DoubleProxy, path: string, body: unknown): VendorReply {
  const isUpdate = path === '/key/update';
  if (!isUpdate && path !== '/key/block' && path !== '/key/unblock') return failure(404, 'Not Found');
  const { key, rpm_limit } = isUpdate ? keyUpdate.parse(body) : { ...keyOnly.parse(body), rpm_limit: null };
  const found = keys.find(({ token }) => token === key);
  if (found === undefined) return failure(404, 'Key not found');
  if (isUpdate) found.rpm_limit = rpm_limit ?? found.rpm_limit;
  else found.blocked = path === '/key/block';
  return { status: 200, body: { key } };
}

const failure = (status: number, message: string): VendorReply => ({
  status,
  body: { error: { message, type: 'error', param: null, code: String(status) } },
});
