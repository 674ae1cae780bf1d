import type { Account } from './pagerduty-account.ts';
import { at, type Context, known, page, type RestAnswer, type Route } from './pagerduty-rest.ts';
import { type OnCallSeed, type PagerDutyUser, QUERY } from './pagerduty-shapes.ts';
import { userReference } from './pagerduty-state.ts';

/** Who is there, who is on call, and for what. */
export const DIRECTORY_ROUTES: Route[] = [
  { method: 'GET', path: at('/oncalls'), query: QUERY.oncalls, run: listOncalls },
  { method: 'GET', path: at('/users'), query: QUERY.users, run: listUsers },
  { method: 'GET', path: at('/users/{id}'), query: ['include[]'], run: showUser },
  { method: 'GET', path: at('/services'), query: QUERY.services, run: listServices },
  { method: 'GET', path: at('/services/{id}'), query: ['include[]'], run: showService },
  { method: 'GET', path: at('/priorities'), query: QUERY.priorities, run: listPriorities },
];

function listOncalls({ account, request }: Context): RestAnswer {
  const { query } = request;
  const wants = (key: string, value: string): boolean => !query.has(key) || query.getAll(key).includes(value);
  const now = Date.now();
  const found = account.oncalls.filter(
    (one) =>
      wants('escalation_policy_ids[]', one.escalationPolicyId) &&
      wants('user_ids[]', one.user.id) &&
      (one.start === undefined || Date.parse(one.start) <= now) &&
      (one.end === undefined || now < Date.parse(one.end)),
  );
  const whole = query.getAll('include[]').includes('users');
  return page(
    'oncalls',
    found.map((one) => shownOncall(one, whole)),
    request,
  );
}

function listUsers({ account, request }: Context): RestAnswer {
  const wanted = (request.query.get('query') ?? '').toLowerCase();
  const found = account.users.filter((user) => `${user.name} ${user.email}`.toLowerCase().includes(wanted));
  return page('users', found.map(shownUser), request);
}

function showUser({ account, id }: Context): RestAnswer {
  return { status: 200, body: { user: shownUser(known(account.users, id)) } };
}

function listServices({ account, request }: Context): RestAnswer {
  const services = account.services.map((service) => shownService(account, service.id));
  return page('services', services, request);
}

function showService({ account, id }: Context): RestAnswer {
  return { status: 200, body: { service: shownService(account, id) } };
}

function listPriorities({ account, request }: Context): RestAnswer {
  const shown = account.priorities.map((one) => ({ ...one, type: 'priority', summary: one.name }));
  return page('priorities', shown, request);
}

function shownOncall(one: OnCallSeed, whole: boolean): object {
  return {
    user: whole ? shownUser(one.user) : userReference(one.user),
    schedule: null,
    escalation_level: one.level,
    escalation_policy: {
      id: one.escalationPolicyId,
      type: 'escalation_policy_reference',
      summary: one.escalationPolicyId,
    },
    start: one.start ?? null,
    end: one.end ?? null,
  };
}

function shownUser(user: PagerDutyUser): object {
  return { ...user, type: 'user', summary: user.name, role: 'user', time_zone: 'Etc/UTC' };
}

function shownService(account: Account, id: string): object {
  const service = known(account.services, id);
  const policy = account.oncalls[0]?.escalationPolicyId;
  return {
    id,
    type: 'service',
    name: service.name ?? id,
    summary: service.name ?? id,
    status: service.disabled ? 'disabled' : 'active',
    html_url: `https://demo.pagerduty.com/service-directory/${id}`,
    escalation_policy: policy ? { id: policy, type: 'escalation_policy_reference' } : null,
  };
}
