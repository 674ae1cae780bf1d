import { z } from 'zod';
import type { LitellmConfig } from '../../config/targets.ts';
import type { Setting, Value } from '../serving.ts';
import { refusal } from './vendor-errors.ts';
import { type Operation, unless404 } from './vendor-request.ts';

const user = z.object({ user_info: z.object({ rpm_limit: z.number().nullish() }).nullish() });
const keys = z.object({
  keys: z.array(
    z.object({
      token: z.string(),
      key_alias: z.string().nullish(),
      rpm_limit: z.number().nullish(),
      blocked: z.boolean().nullish(),
    }),
  ),
});

type Key = z.infer<typeof keys>['keys'][number];

/** To LiteLLM null means "as it was", so that a limit can only be lifted by one that nobody reaches. */
const NO_LIMIT = 2_147_483_647;
const USER = /^limit:user (.+)$/;

/** What one setting is on the proxy. */
export interface LitellmControl {
  refuses(to: Value): string | null;
  read(operation: Operation): Promise<Value | undefined>;
  write(operation: Operation, to: Value): Promise<void>;
}

/** Requests a minute of one user, or of the virtual key with that alias. */
export function limitControl({ limits }: LitellmConfig, setting: Setting): LitellmControl | undefined {
  const name = USER.exec(setting)?.[1];
  if (name === undefined || limits === undefined) return undefined;
  return limits === 'user' ? userControl(name) : keyControl(name);
}

const userControl = (name: string): LitellmControl => ({
  refuses: refusesLimit,
  async read(operation) {
    const found = await unless404(operation.get('/user/info', user, { user_id: name }));
    return limitOf(found?.user_info?.rpm_limit);
  },
  async write(operation, to) {
    const body = { user_id: name, rpm_limit: wireOf(to) };
    await operation.send({ method: 'POST', path: '/user/update', body });
  },
});

/** Policy: 0 blocks the key and leaves its limit alone, so that unblocking gives back what was. */
const keyControl = (alias: string): LitellmControl => ({
  refuses: refusesLimit,
  async read(operation) {
    const key = await keyOf(operation, alias);
    if (key === undefined) return undefined;
    return key.blocked === true ? 0 : limitOf(key.rpm_limit);
  },
  async write(operation, to) {
    const key = await keyOf(operation, alias);
    if (key === undefined) throw refusal('LiteLLM', '404', `there is no key with the alias ${alias}`);
    const post = (path: string, body: object) => operation.send({ method: 'POST', path, body });
    if (to === 0) {
      await post('/key/block', { key: key.token });
      return;
    }
    if (limitOf(key.rpm_limit) !== to) await post('/key/update', { key: key.token, rpm_limit: wireOf(to) });
    if (key.blocked === true) await post('/key/unblock', { key: key.token });
  },
});

/** Undefined where no key, or more than one, has the alias. */
async function keyOf(operation: Operation, alias: string): Promise<Key | undefined> {
  const query = { key_alias: alias, return_full_object: 'true', size: '100' };
  const answer = await operation.get('/key/list', keys, query);
  const [only, ...more] = answer.keys.filter(({ key_alias }) => key_alias === alias);
  return more.length === 0 ? only : undefined;
}

const limitOf = (said: number | null | undefined): number | null =>
  said === null || said === undefined || said >= NO_LIMIT ? null : said;

const wireOf = (to: Value): number => (typeof to === 'number' ? to : NO_LIMIT);

function refusesLimit(to: Value): string | null {
  const fits = to === null || (typeof to === 'number' && Number.isInteger(to) && to >= 0 && to < NO_LIMIT);
  return fits ? null : `${to} is not a whole number of requests a minute`;
}
