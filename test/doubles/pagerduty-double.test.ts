import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { api } from '@pagerduty/pdjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type PagerDuty, startPagerDuty } from '../../src/demo/pagerduty/pagerduty-double.ts';
import type { Wire } from './wire.ts';

const KEY = 'r'.repeat(32);
const FROM = 'bot@example.test';
const oncall = { id: 'PONCALL', name: 'oncall', email: 'oncall@example.test' };
const lead = { id: 'PLEAD', name: 'lead', email: 'lead@example.test' };
let pd: PagerDuty;

beforeEach(async () => {
  pd = await startPagerDuty({
    token: 'tok',
    from: FROM,
    routingKey: KEY,
    services: [
      { id: 'PSVC1', name: 'support-answers' },
      { id: 'PSVC2', routingKey: 'd'.repeat(32), disabled: true },
    ],
    oncalls: [
      { escalationPolicyId: 'PEP1', level: 1, user: oncall },
      { escalationPolicyId: 'PEP1', level: 2, user: lead },
      { escalationPolicyId: 'PEP2', level: 1, user: lead, end: '2020-01-01T00:00:00Z' },
    ],
  });
});
afterEach(() => pd.close());

interface Options {
  body?: unknown;
  from?: string | null;
  headers?: Record<string, string>;
}

async function rest(method: string, path: string, { body, from = FROM, headers = {} }: Options = {}) {
  const response = await fetch(pd.url + path, {
    method,
    headers: {
      authorization: 'Token token=tok',
      accept: 'application/vnd.pagerduty+json;version=2',
      'content-type': 'application/json; charset=utf-8',
      ...(from ? { from } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text.startsWith('{') ? JSON.parse(text) : undefined,
  };
}

const incident = (extra: object = {}) => ({
  incident: {
    type: 'incident',
    title: 'answers are wrong',
    service: { id: 'PSVC1', type: 'service_reference' },
    ...extra,
  },
});
const create = async (extra: object = {}) =>
  (await rest('POST', '/incidents', { body: incident(extra) })).json.incident;
const move = (id: string, status: string) =>
  rest('PUT', `/incidents/${id}`, { body: { incident: { type: 'incident_reference', status } } });

describe('REST incidents', () => {
  test('live from triggered to resolved, on the first level on-call', async () => {
    const made = await create({
      urgency: 'low',
      incident_key: 'inc-1',
      body: { type: 'incident_body', details: 'why' },
    });
    expect(made).toMatchObject({
      status: 'triggered',
      urgency: 'low',
      assignments: [{ assignee: { id: 'PONCALL' } }],
    });
    expect((await move(made.id, 'acknowledged')).json.incident.acknowledgements).toHaveLength(1);
    expect((await move(made.id, 'resolved')).json.incident).toMatchObject({ status: 'resolved' });
    expect((await rest('GET', `/incidents/${made.id}`, { from: null })).json.incident.status).toBe(
      'resolved',
    );
    expect(pd.incidents[0]?.status).toBe('resolved');
    expect(pd.calls.map((call) => [call.method, call.status])).toEqual([
      ['POST', 201],
      ['PUT', 200],
      ['PUT', 200],
      ['GET', 200],
    ]);
  });

  test('a second open incident with the same key is refused, after resolving it is not', async () => {
    const first = await create({ incident_key: 'inc-1' });
    const again = await rest('POST', '/incidents', { body: incident({ incident_key: 'inc-1' }) });
    expect(again).toMatchObject({ status: 400, json: { error: { code: 2001 } } });
    const found = await rest(
      'GET',
      '/incidents?incident_key=inc-1&statuses[]=triggered&statuses[]=acknowledged',
    );
    expect(found.json.incidents.map((one: Wire) => one.id)).toEqual([first.id]);
    await move(first.id, 'resolved');
    expect(await create({ incident_key: 'inc-1' })).toMatchObject({ status: 'triggered' });
    expect(pd.open()).toHaveLength(1);
  });

  test('resolving twice is 1001, acknowledging twice 1002, an unknown incident 2100', async () => {
    const { id } = await create();
    await move(id, 'acknowledged');
    expect(await move(id, 'acknowledged')).toMatchObject({ status: 400, json: { error: { code: 1002 } } });
    await move(id, 'resolved');
    expect(await move(id, 'resolved')).toMatchObject({ status: 400, json: { error: { code: 1001 } } });
    expect(await move('QNOWHERE', 'resolved')).toMatchObject({
      status: 404,
      json: { error: { code: 2100 } },
    });
    expect((await move(id, 'triggered')).json.incident.status).toBe('triggered');
  });

  test.each<[string, object]>([
    ['an urgency that does not exist', { urgency: 'medium' }],
    ['a service without id', { service: { type: 'service_reference' } }],
    ['a service of another type', { service: { id: 'PSVC1', type: 'svc' } }],
    ['an unknown service', { service: { id: 'PSVC9', type: 'service_reference' } }],
    ['details that are no string', { body: { type: 'incident_body', details: { a: 1 } } }],
    ['an unknown key', { severity: 'sev1' }],
    ['no title', { title: undefined }],
    [
      'assignments beside an escalation policy',
      {
        assignments: [{ assignee: { id: 'PONCALL', type: 'user_reference' } }],
        escalation_policy: { id: 'PEP1', type: 'escalation_policy_reference' },
      },
    ],
    ['a key of 256 characters', { incident_key: 'k'.repeat(256) }],
    ['an unknown priority', { priority: { id: 'PX', type: 'priority_reference' } }],
    [
      'an escalation policy with nobody on call',
      { escalation_policy: { id: 'PEP9', type: 'escalation_policy_reference' } },
    ],
  ])('%s is refused', async (_what, extra) => {
    const answer = await rest('POST', '/incidents', { body: incident(extra) });
    expect(answer.status).toBe(400);
    expect(pd.incidents).toEqual([]);
  });

  test('From is required for writes and must be somebody in the account', async () => {
    expect((await rest('POST', '/incidents', { body: incident(), from: null })).status).toBe(400);
    const stranger = await rest('POST', '/incidents', { body: incident(), from: 'nobody@example.test' });
    expect(stranger).toMatchObject({ status: 400, json: { error: { code: 1008 } } });
    const { id } = await create();
    const asked = {
      requester_id: 'PONCALL',
      message: 'help',
      responder_request_targets: [{ responder_request_target: { id: 'PLEAD', type: 'user_reference' } }],
    };
    expect(
      (await rest('POST', `/incidents/${id}/responder_requests`, { body: asked, from: null })).status,
    ).toBe(200);
    const flat = { ...asked, responder_request_targets: [{ id: 'PLEAD', type: 'user_reference' }] };
    expect((await rest('POST', `/incidents/${id}/responder_requests`, { body: flat })).status).toBe(400);
  });

  test('token, path, method, body and parameters are checked', async () => {
    expect(
      (await rest('GET', '/incidents', { headers: { authorization: 'Token token=other' } })).status,
    ).toBe(401);
    expect((await rest('GET', '/incidents', { headers: { authorization: '' } })).status).toBe(401);
    expect((await rest('GET', '/incidents', { headers: { authorization: 'Bearer tok' } })).status).toBe(200);
    expect((await rest('GET', '/nowhere')).status).toBe(404);
    expect((await rest('DELETE', '/incidents')).status).toBe(405);
    expect((await rest('POST', '/incidents')).status).toBe(400);
    expect((await rest('GET', '/incidents?statuses=triggered')).status).toBe(400);
    expect((await rest('GET', '/incidents?limit=all')).status).toBe(400);
    expect((await rest('GET', '/incidents?limit=101')).status).toBe(400);
    expect((await rest('GET', '/oncalls?escalation_policy_ids=PEP1')).status).toBe(400);
  });

  test('notes are kept with their author, status updates need a message', async () => {
    const { id } = await create();
    const added = await rest('POST', `/incidents/${id}/notes`, {
      body: { note: { content: 'rolled back' } },
    });
    expect(added.json.note).toMatchObject({ content: 'rolled back', user: { summary: 'llm-incident' } });
    expect((await rest('POST', `/incidents/${id}/notes`, { body: { content: 'flat' } })).status).toBe(400);
    expect((await rest('GET', `/incidents/${id}/notes`)).json.notes).toHaveLength(1);
    expect(pd.notes).toMatchObject([{ incidentId: id, content: 'rolled back' }]);
    expect((await rest('POST', `/incidents/${id}/status_updates`, { body: {} })).status).toBe(400);
  });

  test('who is on call, by policy and time, with e-mail when asked for', async () => {
    const rows = (await rest('GET', '/oncalls?escalation_policy_ids[]=PEP1&include[]=users')).json.oncalls;
    expect(rows.map((row: Wire) => [row.escalation_level, row.user.email])).toEqual([
      [1, oncall.email],
      [2, lead.email],
    ]);
    const bare = (await rest('GET', '/oncalls?escalation_policy_ids%5B%5D=PEP1')).json.oncalls;
    expect(bare[0].user).not.toHaveProperty('email');
    expect((await rest('GET', '/oncalls?escalation_policy_ids[]=PEP2')).json.oncalls).toEqual([]);
    expect((await rest('GET', '/users?query=lead')).json.users).toMatchObject([{ id: 'PLEAD' }]);
    expect((await rest('GET', '/users/PLEAD')).json.user.email).toBe(lead.email);
    expect((await rest('GET', '/services/PSVC2')).json.service.status).toBe('disabled');
    expect((await rest('GET', '/priorities')).json.priorities[0]).toMatchObject({ name: 'P1' });
  });

  test('pdjs, PagerDuty own client, gets through', async () => {
    const call = (path: string, method: 'get' | 'post', data?: object): Promise<Wire> =>
      api({
        token: 'tok',
        url: pd.url + path,
        method,
        requestTimeout: 0,
        headers: { From: FROM },
        ...(data ? { data } : {}),
      } as never);
    expect((await call('/incidents', 'post', incident({ incident_key: 'k' }))).data.incident.status).toBe(
      'triggered',
    );
    expect((await call('/incidents?incident_key=k', 'get')).data.incidents).toHaveLength(1);
    expect(pd.calls[0]?.headers.contentType).toContain('charset');
  });
});

describe('Events v2', () => {
  const send = async (event: object, path = '/v2/enqueue') => {
    const response = await fetch(pd.url + path, {
      method: 'POST',
      body: JSON.stringify({ routing_key: KEY, ...event }),
    });
    return { status: response.status, json: (await response.json()) as Wire };
  };
  const payload = { summary: 'quality fell', source: 'llm-incident', severity: 'critical' };
  const trigger = (extra: object = {}) => ({
    event_action: 'trigger',
    dedup_key: 'inc-1',
    payload,
    ...extra,
  });

  test('a repeated trigger joins the open alert, resolve ends it, a later trigger opens a new incident', async () => {
    expect(await send(trigger())).toMatchObject({
      status: 202,
      json: { status: 'success', dedup_key: 'inc-1' },
    });
    await send(trigger(), '/enqueue');
    expect(pd.open()).toMatchObject([{ incident_key: null, urgency: 'high', title: 'quality fell' }]);
    const found = await rest('GET', '/incidents?incident_key=inc-1');
    expect(found.json.incidents).toHaveLength(1);
    await send({ event_action: 'acknowledge', dedup_key: 'inc-1' });
    expect(pd.incidents[0]?.status).toBe('acknowledged');
    await send({ event_action: 'resolve', dedup_key: 'inc-1' });
    expect((await send({ event_action: 'resolve', dedup_key: 'inc-1' })).status).toBe(202);
    expect(pd.open()).toEqual([]);
    await send(trigger());
    expect(pd.incidents.map((one) => one.status)).toEqual(['resolved', 'triggered']);
    expect(pd.events).toHaveLength(6);
  });

  test('a disabled service accepts the event and opens nothing; a low severity does not ring', async () => {
    expect((await send(trigger({ routing_key: 'd'.repeat(32) }))).status).toBe(202);
    expect(pd.incidents).toEqual([]);
    await send(trigger({ payload: { ...payload, severity: 'warning' } }));
    expect(pd.incidents[0]?.urgency).toBe('low');
  });

  test.each<[string, object]>([
    ['an invented severity', trigger({ payload: { ...payload, severity: 'sev1' } })],
    ['a trigger without payload', trigger({ payload: undefined })],
    ['a summary of 1,025 characters', trigger({ payload: { ...payload, summary: 's'.repeat(1025) } })],
    ['a key of 256 characters', trigger({ dedup_key: 'k'.repeat(256) })],
    ['a resolve without key', { event_action: 'resolve' }],
    ['an invented action', { event_action: 'close', dedup_key: 'x' }],
    ['an unknown routing key', trigger({ routing_key: 'x'.repeat(32) })],
    ['an unknown field', trigger({ urgency: 'high' })],
  ])('%s is an invalid event', async (_what, event) => {
    const answer = await send(event);
    expect(answer).toMatchObject({ status: 400, json: { status: 'invalid event' } });
    expect(answer.json.errors).not.toEqual([]);
    expect(pd.events).toEqual([]);
  });

  test('the limits themselves are accepted, more than 512 KB is not', async () => {
    expect(
      (
        await send(
          trigger({ dedup_key: 'k'.repeat(255), payload: { ...payload, summary: 's'.repeat(1024) } }),
        )
      ).status,
    ).toBe(202);
    expect(
      (await send(trigger({ payload: { ...payload, custom_details: 'x'.repeat(600_000) } }))).status,
    ).toBe(413);
  });
});

describe('faults', () => {
  test('429 says when to come back, then the request works', async () => {
    pd.fault({ kind: '429', path: '/incidents', times: 2, resetSeconds: 3 });
    const limited = await rest('POST', '/incidents', { body: incident() });
    expect(limited).toMatchObject({ status: 429, json: { error: { code: 2020 } } });
    expect(limited.headers.get('ratelimit-reset')).toBe('3');
    expect((await rest('GET', '/oncalls')).status).toBe(200);
    expect((await rest('GET', '/incidents')).status).toBe(429);
    expect((await rest('GET', '/incidents')).json.incidents).toEqual([]);
  });

  test('a lost answer has still paged, a hanging request has not', async () => {
    pd.fault({ kind: 'reset', method: 'POST', path: '/incidents' });
    await expect(rest('POST', '/incidents', { body: incident({ incident_key: 'k' }) })).rejects.toThrow();
    expect(pd.open()).toHaveLength(1);
    pd.fault({ kind: 'hang' });
    await expect(fetch(`${pd.url}/incidents`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
    pd.fault({ kind: 'html' });
    expect(await rest('GET', '/incidents')).toMatchObject({ status: 502, json: undefined });
    expect(pd.open()).toHaveLength(1);
  });
});

test('what people do in PagerDuty reaches the bot as a signed V3 webhook', async () => {
  const got: { body: string; signature: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    got.push({ body, signature: String(request.headers['x-pagerduty-signature']) });
    response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { id } = await create();
  pd.webhooks.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, 'hook-secret');
  pd.as('PONCALL').acknowledge(id);
  pd.as('PONCALL').note(id, 'on it');
  await pd.webhooks.idle();
  const other = await create({ title: 'twin' });
  await rest('PUT', `/incidents/${id}/merge`, {
    body: { source_incidents: [{ id: other.id, type: 'incident_reference' }] },
  });
  await pd.webhooks.idle();
  await pd.webhooks.replay();
  server.close();
  const events = got.map((one) => JSON.parse(one.body).event);
  expect(events.map((event) => event.event_type).sort()).toEqual([
    'incident.acknowledged',
    'incident.annotated',
    'incident.resolved',
    'incident.resolved',
    'incident.triggered',
  ]);
  const acknowledged = events.find((event) => event.event_type === 'incident.acknowledged');
  expect(acknowledged).toMatchObject({
    agent: { id: 'PONCALL' },
    data: { id, number: 1, status: 'acknowledged' },
  });
  expect(events.at(-1).data.resolve_reason.type).toBe('merge_resolve_reason');
  expect(events.at(-1).id).toBe(events.at(-2).id);
  for (const { body, signature } of got) {
    expect(signature).toBe(`v1=${createHmac('sha256', 'hook-secret').update(body).digest('hex')}`);
  }
});
