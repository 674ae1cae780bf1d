import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PagerDuty, startPagerDuty } from '../demo/pagerduty/pagerduty-double.ts';
import { onCallPeople } from '../flow/page/on-call.ts';
import type { PageRequest } from '../flow/page/pager-port.ts';
import { createLog } from '../log.ts';
import { type Access, pagerDutyPager } from './pager.ts';

const HOUR_MS = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();
const person = (id: string) => ({ id, name: id, email: `${id.toLowerCase()}@example.test` });
const row = (id: string, level: number, more: object = {}) => ({
  escalationPolicyId: 'PPOL1',
  level,
  user: person(id),
  ...more,
});

let account: PagerDuty;
let access: Access;
beforeAll(async () => {
  account = await startPagerDuty({
    token: 'the-token',
    from: 'bot@example.test',
    services: [{ id: 'PSVC1' }],
    oncalls: [
      row('PNOW', 1, { start: inHours(-1), end: inHours(1) }),
      row('PALWAYS', 1),
      row('PALWAYS', 1),
      row('PSECOND', 2),
      row('POVER', 1, { start: inHours(-2), end: inHours(-1) }),
      row('POTHER', 1, { escalationPolicyId: 'PPOL2' }),
      ...Array.from({ length: 120 }, (_, i) => row(`PMANY${i}`, 3)),
    ],
    users: [{ id: 'PALMOST', name: 'Almost', email: 'pnow@example.test.elsewhere' }],
  });
  access = {
    apiUrl: account.url,
    eventsUrl: account.url,
    token: 'the-token',
    from: 'bot@example.test',
    routingKey: undefined,
  };
});
afterAll(() => account.close());

const idsOf = (rows: readonly { id: string }[]) => rows.map(({ id }) => id);

test('on-call-is-read-to-its-last-page-and-by-policy-and-time', async () => {
  const rows = await pagerDutyPager(access).onCall('PPOL1');
  expect(idsOf(rows.filter(({ level }) => level < 3))).toEqual(['PNOW', 'PALWAYS', 'PSECOND']);
  expect(rows.filter(({ level }) => level === 3)).toHaveLength(120);
  await expect(pagerDutyPager(access).onCall('PPOL1&x=')).rejects.toThrow('no id of an escalation policy');
});

test('an-answer-that-ignores-the-filter-makes-nobody-an-approver', async () => {
  const lax = createServer((_request, response) => {
    const user = { id: 'PEVIL', type: 'user', name: 'x', email: 'evil@example.test' };
    const policy = { id: 'PPOL9', type: 'escalation_policy_reference' };
    const past = { start: inHours(-2), end: inHours(-1) };
    const rows = [
      { user, escalation_level: 1, escalation_policy: policy, start: null, end: null },
      { user, escalation_level: 1, escalation_policy: { ...policy, id: 'PPOL1' }, ...past },
    ];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ oncalls: rows, more: false }));
  });
  await new Promise<void>((resolve) => lax.listen(0, '127.0.0.1', resolve));
  const apiUrl = `http://127.0.0.1:${(lax.address() as AddressInfo).port}`;
  expect(await pagerDutyPager({ ...access, apiUrl }).onCall('PPOL1')).toEqual([]);
  lax.close();
});

test('on-call-people-are-matched-by-table-or-exact-address-and-by-level-and-fail-closed', async () => {
  const asked: string[] = [];
  const chat = {
    async userByEmail(email: string) {
      asked.push(email);
      return email === 'pnow@example.test' ? 'UNOW' : null;
    },
  };
  const pager = pagerDutyPager(access);
  const flow = { config: { people: { PSECOND: 'USECOND' } }, chat, pager, log: createLog('silent') } as never;
  expect(await onCallPeople(flow, { escalation_policy: 'PPOL1' })).toEqual(['UNOW']);
  expect(asked).toEqual(['pnow@example.test', 'palways@example.test']);
  expect(await onCallPeople(flow, { escalation_policy: 'PPOL1', levels: [1, 2] })).toEqual([
    'UNOW',
    'USECOND',
  ]);
  account.fault({ kind: '500', path: '/oncalls' });
  expect(await onCallPeople(flow, { escalation_policy: 'PPOL1', levels: [2] })).toEqual([]);
  expect((await pager.userByEmail('PNOW@example.test'))?.id).toBe('PNOW');
  expect(await pager.userByEmail('pnow@example.te')).toBeNull();
});

const request = (key: string): PageRequest => ({
  key,
  title: key,
  details: key,
  urgency: 'high',
  serviceId: 'PSVC1',
  escalationPolicyId: null,
  link: null,
  priority: 'no such',
  raise: null,
});
const own = { ...request('own'), key: 'summons/own' };

test('a-repeated-page-of-people-asks-nobody-twice-and-leaves-the-bots-own-user', async () => {
  const pager = pagerDutyPager(access);
  const { pagerdutyId: on } = await pager.page(request('page'));
  const people = { userIds: ['PSECOND', 'PBOTUSER'], message: 'come', on, own };
  account.fault({ kind: 'reset', method: 'POST', path: '/incidents/' });
  await expect(pager.pagePeople(people)).rejects.toThrow();
  const again = { on, asked: ['PSECOND'], own: null, assigned: [], left: ['PBOTUSER'] };
  expect(await pager.pagePeople(people)).toEqual(again);
  const seen = await pager.notifications(on ?? '');
  expect(seen.filter(({ userId }) => userId === 'PSECOND')).toMatchObject([{ name: 'PSECOND', how: 'push' }]);
});

test('a-service-has-its-own-access-and-a-scoped-app-asks-for-a-new-token-when-one-is-refused', async () => {
  const tokens: string[] = [];
  const identity = createServer(async (asked, response) => {
    let body = '';
    for await (const chunk of asked) body += String(chunk);
    tokens.push(body);
    const token = tokens.length === 1 ? 'pdus+gone' : 'the-token';
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: token, expires_in: 86_400, token_type: 'bearer' }));
  });
  await new Promise<void>((resolve) => identity.listen(0, '127.0.0.1', resolve));
  const identityUrl = `http://127.0.0.1:${(identity.address() as AddressInfo).port}`;
  const app = { identityUrl, clientId: 'id', clientSecret: 'secret', account: 'us.acme' };
  const pager = pagerDutyPager(
    { ...access, token: 'wrong' },
    { apart: { ...access, token: undefined, app } },
  );
  await expect(pager.of(null).onCall('PPOL2')).rejects.toThrow('401');
  expect(idsOf(await pager.of('apart').onCall('PPOL2'))).toEqual(['POTHER']);
  expect(idsOf(await pager.of('apart').onCall('PPOL2'))).toEqual(['POTHER']);
  expect(tokens).toHaveLength(2);
  expect(new URLSearchParams(tokens[0]).get('scope')).toMatch(/^as_account-us\.acme incidents\.read /);
  identity.close();
});
