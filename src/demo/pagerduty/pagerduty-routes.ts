import type { Account } from './pagerduty-account.ts';
import { DIRECTORY_ROUTES } from './pagerduty-directory-routes.ts';
import { INCIDENT_ROUTES } from './pagerduty-incident-routes.ts';
import type { RestAnswer, RestRequest } from './pagerduty-rest.ts';
import { PagerDutyRefusal, type PagerDutyUser } from './pagerduty-shapes.ts';

const ROUTES = [...INCIDENT_ROUTES, ...DIRECTORY_ROUTES];

/** Answers one authenticated REST request; refuses with PagerDutyRefusal. */
export function answerRest(account: Account, request: RestRequest): RestAnswer {
  const onPath = ROUTES.filter((route) => route.path.test(request.path));
  const route = onPath.find((one) => one.method === request.method);
  if (!route) throw new PagerDutyRefusal(onPath.length > 0 ? 405 : 404, 2100);
  const allowed = new Set(route.query ?? []);
  const unknown = [...request.query.keys()].filter((key) => !allowed.has(key));
  if (unknown.length > 0)
    throw new PagerDutyRefusal(
      400,
      2001,
      unknown.map((key) => `Unknown parameter ${key}`),
    );
  const id = route.path.exec(request.path)?.[1] ?? '';
  return route.run({ account, request, id, by: () => requester(account, request.from) });
}

function requester(account: Account, from: string | undefined): PagerDutyUser {
  if (!from) throw new PagerDutyRefusal(400, 2001, ['From header is required']);
  const user = account.users.find((one) => one.email.toLowerCase() === from.toLowerCase());
  if (!user) throw new PagerDutyRefusal(400, 1008);
  return user;
}
