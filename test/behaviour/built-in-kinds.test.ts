import type { Client, JsonValue } from '@openfeature/server-sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmittedCall } from '../../src/demo/service/otlp-calls.ts';
import { promptSha256 } from '../../src/demo/service/simulated-calls.ts';
import type { SimulatedService } from '../../src/demo/service/simulated-service.ts';
import { allRules } from '../../src/detection/rules.ts';
import type { World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { flagsOf, obedientService } from '../harness/obedient.ts';
import { ask, declareIncident, type Opened, press, proposeIn, textWith } from '../harness/people.ts';
import { keyOf } from '../harness/room.ts';

const MINUTE_MS = 60_000;
const GOOD = 'gpt-4-0314';
const BAD = 'gpt-4-0613';
/** Slack takes about one edit a second in a room. */
const SHOWN_WITHIN_MS = 40_000;
const TEXT = 'Is {number} a prime number? Answer step by step, and say nothing that you do not know.';

/** One mitigation: what is asked, what the SDK then reads, and what live calls prove it by. */
interface Row {
  wanted: string;
  served: object;
  proof: RegExp;
}

interface Scene {
  serving?: object;
  /** What broke, for those that are proven by a metric that recovers. */
  isBad?: boolean;
  alter?: (call: EmittedCall, index: number) => EmittedCall;
  rows: Row[];
}

const recovered = /Quality score 0\.\d+, baseline 0\.83 /;
const quiet = /No call reached the feature for five minutes/;
const SCENES: Record<string, Scene> = {
  disabled: { rows: [{ wanted: 'disable', served: { enabled: false }, proof: quiet }] },
  typed: {
    serving: { types: { refund: true } },
    alter: (call, index) => (index % 3 === 0 ? { ...call, endpoint: 'refund' } : call),
    rows: [
      {
        wanted: 'disable refund',
        served: { types: { refund: false } },
        proof: /No query of type refund for five minutes/,
      },
      {
        wanted: 'limit endpoint /answers 6',
        served: { limits: { endpoint: 6 } },
        proof: /endpoint \/answers got \d\.\d answers a minute over five minutes, 6 allowed/,
      },
    ],
  },
  cached: { rows: [{ wanted: 'fallback cached', served: { fallback: { mode: 'cached' } }, proof: quiet }] },
  notice: {
    rows: [
      {
        wanted: 'fallback notice',
        served: { fallback: { mode: 'notice', notice: 'We are on it.' } },
        proof: quiet,
      },
    ],
  },
  queued: { rows: [{ wanted: 'fallback queue', served: { fallback: { mode: 'queue' } }, proof: quiet }] },
  simple: {
    rows: [
      {
        wanted: 'fallback simple',
        served: { fallback: { mode: 'simple', model: 'gpt-3.5-turbo-0125' } },
        proof: /The fallback answers; none of \d+ calls was answered as before/,
      },
    ],
  },
  shaped: {
    alter: (call) => (call.user === 'user-002' ? { ...call, session: 'session-2' } : call),
    rows: [
      {
        wanted: 'limit user user-001 1',
        served: { limits: { user: 1 } },
        proof: /user user-001 got 0\.\d answers/,
      },
      {
        wanted: 'limit session session-2 0',
        served: { limits: { user: 1, session: 0 } },
        proof: /session session-2 got 0\.0 answers/,
      },
      { wanted: 'cap 60', served: { token_cap: 60 }, proof: /None of \d+ outputs was above 60 tokens/ },
      {
        wanted: 'disclaimer May be wrong.',
        served: { disclaimer: 'May be wrong.' },
        proof: /(\d+) of \1 outputs carry the disclaimer/,
      },
      { wanted: 'block step by step', served: { blocked: ['step by step'] }, proof: /holding the phrase/ },
    ],
  },
  split: {
    serving: { split: { [BAD]: 0 } },
    rows: [
      {
        wanted: `split ${BAD} 25`,
        served: { split: { [BAD]: 25 } },
        proof: new RegExp(`went to ${BAD}, 25 % wanted`),
      },
    ],
  },
  earlier: {
    serving: { prompts: { answer: 'v14' } },
    isBad: true,
    rows: [
      {
        wanted: 'prompt answer=v13',
        served: { prompts: { answer: { version: 'v13', sha256: promptSha256('v13') } } },
        proof: recovered,
      },
    ],
  },
  stricter: {
    serving: { prompts: { answer: 'v14' } },
    isBad: true,
    rows: [
      {
        wanted: 'prompt answer=strict',
        served: { prompts: { answer: { version: 'strict', text: TEXT } } },
        proof: recovered,
      },
    ],
  },
  pinned: {
    serving: { model: BAD },
    isBad: true,
    rows: [{ wanted: `model ${GOOD}`, served: { model: GOOD }, proof: recovered }],
  },
  backup: {
    serving: { model: BAD },
    isBad: true,
    rows: [{ wanted: 'model other-1', served: { model: 'other-1' }, proof: recovered }],
  },
};

describe('a team that has nothing but the bot', { timeout: 400_000 }, () => {
  let world: World;
  let client: Client;
  let tag: () => Promise<string | null>;
  const services = new Map<string, SimulatedService>();
  const incidents = new Map<string, Opened>();

  beforeAll(async () => {
    world = await startConfigured(async (config, started) => {
      config['poll_seconds'] = 300;
      // Proofs are read by one rule alone; the others would cost each tick its time.
      const others = new Set(allRules.map(({ id }) => id).filter((id) => id !== 'quality.score'));
      config['rules'] = Object.fromEntries([...others].map((id) => [id, { enabled: false }]));
      for (const [name, { serving }] of Object.entries(SCENES)) {
        const made = await obedientService(started, {
          name,
          serving: {
            prompts: { answer: 'v13' },
            model: 'gpt-4',
            fallback: { notice: 'We are on it.', model: 'gpt-3.5-turbo-0125' },
            prompt_texts: [
              { name: 'answer', version: 'v13', sha256: promptSha256('v13') },
              { name: 'answer', version: 'strict', text: TEXT },
            ],
            ...serving,
          },
        });
        services.set(name, made.service);
        config.services[name] = made.entry as never;
      }
    });
    ({ client, tag } = await flagsOf(world));
  });
  afterAll(async () => {
    await world.close();
    for (const service of services.values()) await service.close();
  });

  const context = { targetingKey: 'user-001', user: 'user-001', session: 'session-2', endpoint: '/answers' };
  const served = async (name: string) => {
    const { value, errorCode } = await client.getObjectDetails(name, {} as JsonValue, context);
    expect(errorCode).toBeUndefined();
    return value as Record<string, JsonValue>;
  };
  /** The clock moves once for all of them; by little, for a proof by silence must not outrun the calls. */
  const pass = async (minutes: number, calls: number) => {
    const from = await world.now();
    const to = await world.advance(minutes * MINUTE_MS);
    for (const [name, service] of services) await service.emit({ from, to, calls, ...alterOf(name) });
    await world.advance(0);
  };
  const alterOf = (name: string) => {
    const { alter } = SCENES[name] as Scene;
    return alter === undefined ? {} : { alter };
  };
  const incidentOf = (name: string) => incidents.get(name) as Opened;
  const approved = async (name: string, wanted: string) => {
    const { room } = incidentOf(name);
    const proposal = await proposeIn(world, room, { wanted });
    const said = await press(world, 'approver', { on: proposal, action: 'approve' });
    if (said.includes('1 of 2')) await press(world, 'lead', { on: proposal, action: 'approve' });
    const key = (keyOf(proposal) ?? '').replace('proposal', 'receipt');
    await textWith(world, { room, key }, 'Read-back: ');
    return { room, key };
  };

  it('gets every mitigation planned, approved, obeyed, proven by its kind and taken back', async () => {
    const to = await world.now();
    const from = new Date(to.getTime() - 360 * MINUTE_MS);
    for (const [name, service] of services) {
      const sound = (call: EmittedCall, index: number) => ({
        ...call,
        evaluations: [{ name: 'quality' as const, score: index % 6 === 0 ? 0 : 1 }],
      });
      const alter = SCENES[name]?.isBad ? { alter: sound } : alterOf(name);
      await service.emit({ from, to, calls: 600, ...alter });
    }
    await pass(30, 150);
    for (const [name, { isBad }] of Object.entries(SCENES)) {
      const category = isBad ? 'quality' : 'cost';
      incidents.set(name, await declareIncident(world, `sev3 ${category} ${name} something is wrong`));
    }
    const receipts = [];
    const before = new Map<string, object>();
    for (const [name, { rows }] of Object.entries(SCENES)) {
      before.set(name, { ...(await served(name)), version: expect.any(Number) });
      for (const row of rows) {
        const known = await tag();
        const receipt = await approved(name, row.wanted);
        expect(await served(name), row.wanted).toMatchObject(row.served);
        expect(await tag(), row.wanted).not.toBe(known);
        receipts.push({ name, row, receipt });
      }
    }
    for (let hop = 0; hop < 4; hop += 1) await pass(2, 50);
    for (const { row, receipt } of receipts) {
      const text = await textWith(world, receipt, 'PROVEN', SHOWN_WITHIN_MS);
      expect(text, row.wanted).not.toContain('UNPROVEN');
      expect(text, row.wanted).toMatch(row.proof);
    }
    const undone = [];
    for (const { name, receipt } of receipts.toReversed())
      undone.push({ name, receipt: await approved(name, `undo ${receipt.key.split(':').at(-1)}`) });
    for (const name of services.keys()) expect(await served(name), name).toEqual(before.get(name));
    await pass(2, 50);
    for (const { receipt } of receipts) await textWith(world, receipt, 'Taken back', SHOWN_WITHIN_MS);
    const resumed = undone.find(({ name }) => name === 'disabled');
    if (resumed === undefined) throw new Error('nothing was resumed');
    expect(await textWith(world, resumed.receipt, 'PROVEN', SHOWN_WITHIN_MS)).toMatch(
      /Live calls come \(n = \d+\)/,
    );
    const status = await ask(world, 'oncall', 'status', incidentOf('disabled').room);
    expect(status).toContain('• disable the feature: reverted\n• enable the feature: proven');
  });
});
