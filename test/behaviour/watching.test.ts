import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { sendGoodDay, sendVerdicts } from '../harness/exact-calls.ts';
import { DAY_BEFORE, sendMade } from '../harness/made-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { ask, textWith } from '../harness/people.ts';

/** A metric source at the wire that answers as it is told. */
interface Liar {
  server: Server;
  url: string;
  /** What the next queries get: a status and a body. */
  answer: { status: number; body: string };
}

const NAMES = JSON.stringify({ status: 'success', data: ['gen_ai_client_operation_duration_seconds_count'] });

async function startLiar(): Promise<Liar> {
  const liar = { answer: { status: 200, body: '{}' } } as Liar;
  liar.server = createServer((request, response) => {
    request.resume();
    const isDiscovery = request.url?.includes('/label/') === true && liar.answer.status === 200;
    response.writeHead(liar.answer.status, { 'content-type': 'application/json' });
    response.end(isDiscovery ? NAMES : liar.answer.body);
  });
  await new Promise<void>((resolve) => liar.server.listen(0, '127.0.0.1', resolve));
  liar.url = `http://127.0.0.1:${(liar.server.address() as AddressInfo).port}`;
  return liar;
}

const vector = (value: string) =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: [{ metric: {}, value: [1_700_000_000, value] }] },
  });

describe('what the bot says about its own eyes', () => {
  let world: World;
  let liar: Liar;
  let ops = '';
  beforeAll(async () => {
    liar = await startLiar();
    world = await startConfigured(async (config, started) => {
      ops = (await started.slack.channel('general')).id;
      await started.slack.as('lead').inviteBot(ops);
      config['poll_seconds'] = 5;
      config['ops_channel'] = ops;
      config['sources'] = { prom: { type: 'prometheus', url: liar.url, profile: 'otel', delay_seconds: 0 } };
      const services = config.services as Record<string, object>;
      services['from-prom'] = { source: 'prom' };
      services['in-shadow'] = { rules: { 'outage.errors': { shadow: true } } };
      services['only-told'] = { rules: { 'outage.errors': onlyTold } };
      services['patient'] = { rules: { 'outage.errors': { for_minutes: 3 } } };
    });
  });
  afterAll(async () => {
    await world.close();
    await new Promise((resolve) => liar.server.close(resolve));
  });

  const onlyTold = { sev1: { action: 'notify' }, sev2: { action: 'notify' } };
  const saidInOps = async () =>
    (await world.slack.messages(ops)).map((message) => message.text ?? '').join('\n');
  const waitForOps = (wanted: string) =>
    world.slack.waitFor(wanted, async () => ((await saidInOps()).includes(wanted) ? true : undefined));
  const poll = async (times: number) => {
    for (let polls = 0; polls < times; polls += 1) await world.advance(15_000);
  };
  const failing = { n: 100, each: (i: number) => (i % 3 === 0 ? { error: 'timeout' } : {}) };

  it('tells once that a source cannot be reached, goes on with the others, and tells when it is back', async () => {
    liar.answer = { status: 503, body: 'away' };
    await poll(2);
    await waitForOps('source prom');
    await poll(3);
    const told = (await saidInOps()).split('\n').filter((line) => line.startsWith('source prom'));
    expect(told).toHaveLength(1);
    expect(await ask(world, 'oncall', 'status')).toMatch(/blind since .*source prom/);
    const metrics = await (
      await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
    ).text();
    expect(metrics).toContain('llm_incident_trouble{key="source:prom"} 1');
    await sendGoodDay(world, { service: 'beside-it' });
    await sendVerdicts(world, { service: 'beside-it', n: 100, good: 40 });
    await poll(1);
    expect(await openedAbout(world, 'beside-it')).toHaveLength(1);
    liar.answer = {
      status: 200,
      body: JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [] } }),
    };
    for (let polls = 0; polls < 8; polls += 1) await world.advance(60_000);
    await waitForOps('Works again: source:prom');
  });

  it('opens nothing on NaN, on HTML and on an empty answer', async () => {
    for (const body of [vector('NaN'), '<html>ok</html>', vector('+Inf')]) {
      liar.answer = { status: 200, body };
      await poll(2);
    }
    expect(await openedAbout(world, 'from-prom')).toEqual([]);
  });

  it('a shadow rule opens nothing and is shown as firing', async () => {
    await sendMade(world, { service: 'in-shadow', ...failing });
    await poll(3);
    expect(await openedAbout(world, 'in-shadow')).toEqual([]);
    expect(await ask(world, 'oncall', 'status')).toContain('in-shadow outage.errors (shadow): firing');
  });

  it('a rule that only notifies says so in the ops channel and opens no room', async () => {
    await sendMade(world, { service: 'only-told', ...failing });
    await poll(3);
    await waitForOps('only-told (production): Error rate 34.0 %');
    expect(await openedAbout(world, 'only-told')).toEqual([]);
  });

  it('a rule with a patience of three minutes waits for them', async () => {
    await sendMade(world, { service: 'patient', ...failing });
    await poll(3);
    expect(await ask(world, 'oncall', 'status')).toContain('patient outage.errors: pending');
    await sendMade(world, { service: 'patient', ...failing, minutesAgo: { from: 0.2, to: 0 } });
    for (let minute = 0; minute < 4; minute += 1) {
      await world.advance(60_000);
      await sendMade(world, { service: 'patient', ...failing, minutesAgo: { from: 0.9, to: 0 } });
    }
    await poll(1);
    expect(await openedAbout(world, 'patient')).toHaveLength(1);
  });

  it('says that the judge changed instead of that quality fell', async () => {
    const service = 'two-judges';
    const by = (evaluator: string, score: number) => () => ({
      evaluations: [{ name: 'quality', score, evaluator }],
    });
    await sendMade(world, { service, n: 400, minutesAgo: DAY_BEFORE, each: by('judge-a', 0.9) });
    await sendMade(world, { service, n: 120, minutesAgo: { from: 20, to: 0 }, each: by('judge-b', 0.5) });
    await poll(2);
    expect(await openedAbout(world, service)).toEqual([]);
    expect(await ask(world, 'oncall', 'status')).toMatch(
      /two-judges: .*too little data for .*quality\.score/,
    );
    await waitForOps(
      'Quality score of two-judges cannot be compared: the judge changed from judge-a to judge-b',
    );
  });

  it('tells once that a service went silent', async () => {
    const service = 'gone-quiet';
    await sendGoodDay(world, { service });
    await sendVerdicts(world, { service, n: 120, good: 100 });
    await poll(1);
    for (let quarter = 0; quarter < 7; quarter += 1) await world.advance(15 * 60_000);
    await waitForOps('gone-quiet went silent: no calls and no metrics for an hour');
    expect(await openedAbout(world, service)).toEqual([]);
  });

  it('warns early, opens nothing by it, and says on the card when it saw it first', async () => {
    const service = 'warned-early';
    const rated = (from: number, goodOf: (i: number) => boolean) => (i: number) => ({
      evaluations: [{ name: 'format', score: goodOf(i + from) ? 1 : 0 }],
    });
    await sendMade(world, {
      service,
      n: 1_500,
      minutesAgo: DAY_BEFORE,
      each: rated(0, (i) => i % 250 !== 0),
    });
    await sendMade(world, {
      service,
      n: 150,
      minutesAgo: { from: 9, to: 0 },
      each: rated(0, (i) => i % 10 !== 0),
    });
    await poll(1);
    expect(await ask(world, 'oncall', 'status')).toContain(
      'warned-early quality.format (early warning): firing',
    );
    expect(await openedAbout(world, service)).toEqual([]);
    await world.advance(60_000);
    await sendMade(world, {
      service,
      n: 1_000,
      minutesAgo: { from: 1, to: 0 },
      each: rated(0, (i) => i % 10 !== 0),
    });
    await poll(1);
    const [id = 0] = await openedAbout(world, service);
    const room = await roomOfIncident(world, id);
    await textWith(world, { room, key: `card:${id}` }, 'Format compliance 90.0 %');
    await ask(world, 'oncall', 'resolve seen', room);
    const document = await world.slack.waitFor(
      'the post-mortem',
      async () => (await world.slack.files(room)).find(({ name }) => name === 'postmortem.md')?.content,
    );
    expect(document).toContain('Early warning since');
  });
});
