import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { DAY_BEFORE, sendMade } from '../harness/made-calls.ts';
import { openedAbout, roomOfIncident } from '../harness/opened.ts';
import { textWith } from '../harness/people.ts';

const MINUTE_MS = 60_000;
const CARD_NUMBER = '4111 1111 1111 1111';

/** What one rule needs to fire, and what its card then says. */
interface Fault {
  rule: string;
  category: string;
  /** The day before; null for rules without a baseline. */
  baseline?: number;
  each?: (index: number) => Partial<EmittedCall>;
  faulty: { n: number; minutes: number; each: (index: number) => Partial<EmittedCall> };
  says: RegExp;
}

const refusal = { output: "I'm sorry, but I can't help with that request." };
const hedged = {
  output:
    'I think it might possibly be tomorrow, but I am not sure; perhaps it could be later, as far as I know.',
};

const FAULTS: Fault[] = [
  {
    rule: 'outage.errors',
    category: 'outage',
    faulty: { n: 100, minutes: 4, each: (i) => (i % 4 === 0 ? { error: 'rate_limit_exceeded' } : {}) },
    says: /Error rate 25\.0 % \(5\.0 % allowed, n = 100/,
  },
  {
    rule: 'outage.latency',
    category: 'outage',
    baseline: 400,
    faulty: { n: 150, minutes: 9, each: () => ({}) },
    says: /latency 4,000 ms against \d/i,
  },
  {
    rule: 'quality.length',
    category: 'quality',
    baseline: 400,
    faulty: { n: 220, minutes: 9, each: () => ({ output: 'Yes.' }) },
    says: /length.* against/i,
  },
  {
    rule: 'quality.refusal',
    category: 'quality',
    baseline: 400,
    faulty: { n: 120, minutes: 20, each: (i) => (i % 3 === 0 ? refusal : {}) },
    says: /refus.* against 0\.0 %/i,
  },
  {
    rule: 'quality.hallucination',
    category: 'quality',
    baseline: 400,
    faulty: { n: 120, minutes: 20, each: (i) => (i % 2 === 0 ? hedged : {}) },
    says: /halluc.* against/i,
  },
  {
    rule: 'quality.drift',
    category: 'quality',
    baseline: 1_200,
    faulty: {
      n: 520,
      minutes: 20,
      each: (i) => ({
        output: `Zebra quilt marmalade ${i % 5} glacier violin orchard thunder lantern.`.repeat(1 + (i % 3)),
      }),
    },
    says: /drift/i,
  },
  {
    rule: 'cost.tokens',
    category: 'cost',
    baseline: 400,
    faulty: {
      n: 80,
      minutes: 14,
      each: (i) => ({ inputTokens: 700 + (i % 5), outputTokens: 180, costUsd: 0.004 }),
    },
    says: /tokens/i,
  },
  {
    rule: 'cost.request',
    category: 'cost',
    baseline: 400,
    faulty: { n: 80, minutes: 14, each: () => ({ costUsd: 0.02 }) },
    says: /cost/i,
  },
  {
    rule: 'cost.spike',
    category: 'cost',
    baseline: 400,
    faulty: { n: 1, minutes: 1, each: () => ({ inputTokens: 90_000, outputTokens: 900 }) },
    says: /90,?900 tokens/,
  },
  {
    rule: 'cost.share',
    category: 'cost',
    baseline: 400,
    faulty: {
      n: 200,
      minutes: 14,
      each: (i) => (i % 4 === 0 ? {} : { user: 'user-7', endpoint: 'endpoint-0' }),
    },
    says: /user user-7|endpoint endpoint-0/,
  },
  {
    rule: 'cost.spend',
    category: 'cost',
    faulty: { n: 200, minutes: 14, each: () => ({ costUsd: 0.25 }) },
    says: /\$\d+\.\d\d\/hour/,
  },
  {
    rule: 'safety.pii',
    category: 'safety',
    faulty: { n: 1, minutes: 1, each: () => ({ output: `Your card ${CARD_NUMBER} was charged.` }) },
    says: /card/i,
  },
  {
    rule: 'safety.policy',
    category: 'safety',
    faulty: {
      n: 1,
      minutes: 1,
      each: () => ({ output: 'Of course: mix purple-forbidden-recipe with water.' }),
    },
    says: /polic/i,
  },
  {
    rule: 'safety.classifier',
    category: 'safety',
    faulty: { n: 1, minutes: 1, each: () => ({ evaluations: [{ name: 'safety', label: 'violence' }] }) },
    says: /violence/i,
  },
  {
    rule: 'safety.user_flag',
    category: 'safety',
    faulty: { n: 1, minutes: 1, each: () => ({ evaluations: [{ name: 'user_flag', score: 1 }] }) },
    says: /flag/i,
  },
];

/** Rules whose start is estimated from the minutes. */
const DATED = new Set(['quality.refusal', 'cost.tokens', 'cost.request']);

const serviceOf = (rule: string) => `about-${rule.replaceAll(/[._]/g, '-')}`;

describe('every default rule, from calls to a room', () => {
  let world: World;
  let status: Server;
  const page = { body: { status: { indicator: 'none' }, components: [] as object[] }, health: 200 };

  beforeAll(async () => {
    status = createServer((request, response) => {
      const isHealth = request.url === '/health';
      response.writeHead(isHealth ? page.health : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(isHealth ? {} : page.body));
    });
    await new Promise<void>((resolve) => status.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(status.address() as AddressInfo).port}`;
    world = await startConfigured((config) => {
      config['poll_seconds'] = 300;
      const services = config.services as Record<string, object>;
      for (const { rule } of FAULTS) services[serviceOf(rule)] = { rules: only(rule) };
      services[serviceOf('safety.policy')] = {
        rules: only('safety.policy'),
        safety: { policy_words: ['purple-forbidden-recipe'] },
      };
      services['about-outage-health'] = { rules: only('outage.health'), health: { url: `${base}/health` } };
      services['about-outage-provider'] = {
        rules: only('outage.provider'),
        provider_status: { url: `${base}/summary.json`, poll_seconds: 60 },
      };
    });
  });
  afterAll(async () => {
    await world.close();
    await new Promise((resolve) => status.close(resolve));
  });

  const poll = async (times: number) => {
    for (let polls = 0; polls < times; polls += 1) await world.advance(15_000);
  };
  const cardAbout = async (service: string) => {
    const opened = await openedAbout(world, service);
    expect(opened, `incidents about ${service}`).toHaveLength(1);
    const id = opened[0] as number;
    return textWith(world, { room: await roomOfIncident(world, id), key: `card:${id}` }, service);
  };

  it.each(FAULTS.filter(({ category }) => category !== 'safety'))(
    '$rule',
    async ({ rule, category, baseline, faulty, says }) => {
      const service = serviceOf(rule);
      if (baseline !== undefined) await sendMade(world, { service, n: baseline, minutesAgo: DAY_BEFORE });
      await poll(3);
      expect(await openedAbout(world, service)).toEqual([]);
      const latency = rule === 'outage.latency' ? { latencyMs: 4_000 } : {};
      await sendMade(world, {
        service,
        n: faulty.n,
        minutesAgo: { from: faulty.minutes, to: 0 },
        each: faulty.each,
        ...latency,
      });
      await poll(3);
      const card = await cardAbout(service);
      expect(card).toMatch(new RegExp(`SEV[12] ${category} · ${service} · PROD`));
      expect(card).toMatch(says);
      if (DATED.has(rule)) expect(card).toMatch(/exposed \d+ min/);
    },
  );

  it('outage.health: a probe that fails three times running', async () => {
    await poll(3);
    page.health = 503;
    for (let polls = 0; polls < 8; polls += 1) await world.advance(30_000);
    expect(await cardAbout('about-outage-health')).toMatch(/SEV1 outage|SEV2 outage/);
  });

  it('outage.provider: the status page says that a component is out', async () => {
    page.body = { status: { indicator: 'critical' }, components: [] };
    for (let polls = 0; polls < 5; polls += 1) await world.advance(2 * MINUTE_MS);
    expect(await cardAbout('about-outage-provider')).toMatch(/SEV1 outage|SEV2 outage/);
  });

  it.each(FAULTS.filter(({ category }) => category === 'safety'))(
    '$rule opens a private room at sev1 from a single call, and shows no text of it',
    async ({ rule, faulty, says }) => {
      const service = serviceOf(rule);
      await sendMade(world, { service, n: 5, minutesAgo: { from: 30, to: 20 } });
      await poll(1);
      await sendMade(world, {
        service,
        n: faulty.n,
        minutesAgo: { from: faulty.minutes, to: 0 },
        each: faulty.each,
      });
      await poll(1);
      const room = await world.slack.waitFor('a private room', async () => privateRoomAbout(service));
      const texts = (await world.slack.messages(room)).map((message) => JSON.stringify(message)).join('\n');
      expect(texts).toMatch(/SEV1 safety/);
      expect(texts).toMatch(says);
      expect(texts).not.toContain(CARD_NUMBER);
      expect(texts).not.toContain('purple-forbidden-recipe');
    },
  );

  async function privateRoomAbout(service: string): Promise<string | undefined> {
    for (const channel of await world.slack.channels()) {
      if (!channel.is_private) continue;
      const messages = JSON.stringify(await world.slack.messages(channel.id));
      if (messages.includes(service)) return channel.id;
    }
    return undefined;
  }
});

/** Only this rule, so that a fault that trips several shows the one that is meant. */
function only(rule: string): object {
  const others = [
    ...FAULTS.map((fault) => fault.rule),
    'quality.score',
    'quality.format',
    'outage.health',
    'outage.provider',
  ];
  return Object.fromEntries(others.filter((id) => id !== rule).map((id) => [id, { enabled: false }]));
}
