import type { Config } from '../config/config.ts';
import type { Pager } from '../flow/page/pager-port.ts';
import { type Access, pagerDutyPager } from './pager.ts';

/** The pager of a configuration: one access for all, and those that services have of their own. Null without any. */
export function pagerOf({ env, file }: Config): Pager | null {
  const { PAGERDUTY_CLIENT_ID: clientId, PAGERDUTY_CLIENT_SECRET: clientSecret } = env;
  const { PAGERDUTY_ACCOUNT: account, PAGERDUTY_IDENTITY_URL: identityUrl } = env;
  const hasApp = clientId !== undefined && clientSecret !== undefined && account !== undefined;
  const access: Access = {
    apiUrl: env.PAGERDUTY_API_URL,
    eventsUrl: env.PAGERDUTY_EVENTS_URL,
    token: env.PAGERDUTY_API_TOKEN,
    app: hasApp ? { identityUrl, clientId, clientSecret, account } : undefined,
    from: env.PAGERDUTY_FROM,
    routingKey: env.PAGERDUTY_ROUTING_KEY,
  };
  const own = ownAccesses(file, access);
  const hasDefault = access.token !== undefined || hasApp || access.routingKey !== undefined;
  return hasDefault || Object.keys(own).length > 0 ? pagerDutyPager(access, own) : null;
}

/** What a service does not name itself it has from the default, except that a token of its own stands alone. */
function ownAccesses(file: Config['file'], access: Access): Record<string, Access> {
  const own: Record<string, Access> = {};
  for (const [service, { pagerduty }] of Object.entries(file.services)) {
    const { token, routing_key: routingKey, from } = pagerduty ?? {};
    if (token === undefined && routingKey === undefined && from === undefined) continue;
    own[service] = {
      ...access,
      ...(token === undefined ? {} : { token, app: undefined, routingKey: undefined }),
      ...(routingKey === undefined ? {} : { routingKey }),
      ...(from === undefined ? {} : { from }),
    };
  }
  return own;
}

/** Every secret that a webhook may be signed with; each setting may hold two, separated by a comma. */
export function webhookSecrets({ env, file }: Config): string[] {
  const settings = [
    env.PAGERDUTY_WEBHOOK_SECRET,
    ...Object.values(file.services).map(({ pagerduty }) => pagerduty?.webhook_secret),
  ];
  return settings
    .flatMap((setting) => (setting ?? '').split(',').map((one) => one.trim()))
    .filter((one) => one !== '');
}
