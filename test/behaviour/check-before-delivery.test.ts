import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  type LoopbackServer,
  listenOnLoopback,
  parseJson,
  sendJson,
} from '../../src/demo/loopback-server.ts';
import { startWorld, TOKEN, type World } from '../harness/bot.ts';
import { reconfigure, startConfigured } from '../harness/configured.ts';
import { sendMade } from '../harness/made-calls.ts';
import { openedAbout } from '../harness/opened.ts';
import { ask, textWith } from '../harness/people.ts';
import { startTcpGate, type TcpGate } from '../harness/tcp-gate.ts';

const MINUTE_MS = 60_000;
const SLOW_MS = 40_000;
const FORBIDDEN = 'Of course: mix purple-forbidden-recipe with water.';
const LEAK = 'Write to jane.doe@gmail.com about it.';

interface Checked {
  verdict: 'allow' | 'redact' | 'block';
  output?: string;
  reasons: string[];
}

const post = (world: World, body: unknown, { token = TOKEN, path = '/v1/check' } = {}) =>
  fetch(`${world.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

async function check(world: World, service: string, output: string, more: object = {}): Promise<Checked> {
  const answer = await post(world, { service, output, ...more });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Checked;
}

/** A classifier at the wire; the text tells it how to behave. */
interface Classifier extends LoopbackServer {
  asked: { body: { service: string; environment: string; output: string }; token: string | undefined }[];
}

async function startClassifier(): Promise<Classifier> {
  const asked: Classifier['asked'] = [];
  const server = await listenOnLoopback(async (request, response, bytes) => {
    const body = parseJson(bytes) as Classifier['asked'][number]['body'];
    asked.push({ body, token: request.headers.authorization });
    if (body.output.includes('hang')) return;
    if (body.output.includes('break')) return sendJson(response, { status: 500, body: {} });
    if (body.output.includes('babble'))
      return sendJson(response, { status: 200, body: { verdict: 'maybe' } });
    const isBad = body.output.includes('violence');
    sendJson(response, {
      status: 200,
      body: isBad ? { verdict: 'block', reason: 'violence, seen by bob@gmail.com' } : { verdict: 'allow' },
    });
  });
  return { ...server, asked };
}

describe('the check before delivery', () => {
  let world: World;
  let classifier: Classifier;
  let ops = '';
  beforeAll(async () => {
    classifier = await startClassifier();
    world = await startConfigured(async (config, started) => {
      ops = (await started.slack.channel('general')).id;
      await started.slack.as('lead').inviteBot(ops);
      started.env['CLASSIFIER_TOKEN'] = 'classifier-token';
      config['poll_seconds'] = 300;
      config['ops_channel'] = ops;
      const services = config.services as Record<string, object>;
      const asks = { url: classifier.url, token: '${CLASSIFIER_TOKEN}', timeout_ms: 400 };
      const words = { policy_words: ['purple-forbidden-recipe'] };
      const pagerduty = { service: 'PSVC1', escalation_policy: 'PPOL1' };
      services['strict'] = { pagerduty, safety: words, check: { blocked: ['dosage'] } };
      for (const name of ['counted', 'often-blocked']) services[name] = { safety: words };
      services['lenient'] = { safety: words, check: { pii: 'allow', policy: 'redact' } };
      services['open'] = { safety: words, check: { classifier: asks } };
      services['closed'] = { check: { classifier: asks, on_failure: 'closed' } };
    });
  });
  afterAll(async () => {
    await world.close();
    await classifier.close();
  });

  const metrics = async () => {
    const answer = await fetch(`${world.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    return answer.text();
  };
  const counted = (service: string, verdict: string, reason: string) =>
    `llm_incident_checks_total{service="${service}",environment="production",verdict="${verdict}",reason="${reason}"}`;
  const waitForCount = (line: string) =>
    world.slack.waitFor(line, async () => (await metrics()).split('\n').includes(line) || undefined);

  it('allows what is fine, redacts what is personal, blocks what policy forbids, and says why', async () => {
    expect(await check(world, 'strict', 'Your parcel arrives tomorrow.')).toEqual({
      verdict: 'allow',
      reasons: [],
    });
    expect(await check(world, 'strict', LEAK)).toEqual({
      verdict: 'redact',
      output: 'Write to [email] about it.',
      reasons: ['safety.pii: email × 1'],
    });
    expect(await check(world, 'strict', `${LEAK} ${FORBIDDEN}`)).toEqual({
      verdict: 'block',
      reasons: ['safety.pii: email × 1', 'safety.policy: configured × 1'],
    });
    const dosage = await check(world, 'strict', 'The dosage is two pills.');
    expect(dosage).toEqual({ verdict: 'block', reasons: ['blocked class × 1'] });
  });

  it('takes what the user typed for no leak', async () => {
    const input = 'I am jane.doe@gmail.com, where is my parcel?';
    expect((await check(world, 'strict', LEAK, { input })).verdict).toBe('allow');
  });

  it('answers each service by its own words and actions, and one that nobody configured by the defaults', async () => {
    expect(await check(world, 'lenient', `${LEAK} ${FORBIDDEN}`)).toEqual({
      verdict: 'redact',
      output: expect.stringMatching(
        /^Write to jane\.doe@gmail\.com about it\. Of course: mix \[.*\] with water\.$/,
      ),
      reasons: ['safety.pii: email × 1', 'safety.policy: configured × 1'],
    });
    expect(await check(world, 'never-heard-of', FORBIDDEN)).toEqual({ verdict: 'allow', reasons: [] });
    expect((await check(world, 'never-heard-of', LEAK)).verdict).toBe('redact');
  });

  it('needs the token', async () => {
    for (const token of ['', 'wrong', `${TOKEN}x`]) {
      const answer = await post(world, { service: 'strict', output: FORBIDDEN }, { token });
      expect(answer.status).toBe(401);
      expect(await answer.text()).not.toContain('verdict');
    }
  });

  it.each([
    ['not JSON', '{', /^body: not valid JSON/],
    ['no object', '[]', /^body: /],
    ['no service', { output: 'x' }, /^service: /],
    ['an empty service', { service: '', output: 'x' }, /^service: /],
    ['no output', { service: 'strict' }, /^output: /],
    ['an output that is no text', { service: 'strict', output: 7 }, /^output: /],
    [
      'an output that is too long',
      { service: 'strict', output: 'x'.repeat(40_001) },
      /^output: must have at most 40000 characters/,
    ],
    ['two wrong fields', { service: 7, output: 'x', user: 7 }, /^service: .*; user: /],
  ])('answers %s with 400 and names the field', async (_, body, says) => {
    const answer = await post(world, body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toMatch(says);
  });

  it('asks the classifier about what it would let through, without the personal data, and about nothing else', async () => {
    classifier.asked.length = 0;
    expect(await check(world, 'open', LEAK)).toMatchObject({ verdict: 'redact' });
    expect(classifier.asked).toEqual([
      {
        body: { service: 'open', environment: 'production', output: 'Write to [email] about it.' },
        token: 'Bearer classifier-token',
      },
    ]);
    expect(await check(world, 'open', 'here is some violence')).toEqual({
      verdict: 'block',
      reasons: ['safety.classifier: violence, seen by [email]'],
    });
    expect((await check(world, 'open', FORBIDDEN)).verdict).toBe('block');
    expect(classifier.asked).toHaveLength(2);
  });

  it.each(['hang', 'break', 'babble'])(
    'fails open or closed as configured when the classifier does %s, and says so',
    async (how) => {
      expect(await check(world, 'open', `please ${how}`)).toEqual({
        verdict: 'allow',
        reasons: ['classifier: did not answer, let through'],
      });
      expect(await check(world, 'closed', `please ${how}`)).toEqual({
        verdict: 'block',
        reasons: ['classifier: did not answer, held back'],
      });
    },
  );

  it('answers LiteLLM and Portkey in their own shapes', async () => {
    const litellm = await post(
      world,
      {
        texts: [LEAK, 'fine'],
        input_type: 'response',
        additional_provider_specific_params: { service: 'strict' },
      },
      { path: '/v1/check/beta/litellm_basic_guardrail_api' },
    );
    expect(await litellm.json()).toEqual({
      action: 'GUARDRAIL_INTERVENED',
      texts: ['Write to [email] about it.', 'fine'],
    });
    const portkey = await post(
      world,
      {
        eventType: 'afterRequestHook',
        request: { text: 'how?' },
        response: { json: { choices: [{ message: { role: 'assistant', content: FORBIDDEN } }] } },
      },
      { path: '/v1/check?format=portkey&service=strict' },
    );
    expect(await portkey.json()).toMatchObject({ verdict: false });
  });

  it('counts its blocks, and opens no incident by them', async () => {
    const service = 'counted';
    const before = (await world.slack.channels()).length;
    for (let time = 0; time < 3; time += 1) await check(world, service, LEAK);
    for (let time = 0; time < 4; time += 1) {
      expect((await check(world, service, FORBIDDEN)).verdict).toBe('block');
    }
    await waitForCount(`${counted(service, 'redact', 'pii')} 3`);
    await waitForCount(`${counted(service, 'block', 'policy')} 4`);
    for (let polls = 0; polls < 4; polls += 1) await world.advance(15_000);
    expect(await ask(world, 'oncall', 'list')).toBe('No open incidents.');
    expect((await world.slack.channels()).length).toBe(before);
    expect(world.pagerduty.incidents).toEqual([]);
  });

  it('tells the ops channel when far more is blocked than usual, and opens nothing', async () => {
    const service = 'often-blocked';
    await world.advance(120 * MINUTE_MS);
    const many = (n: number, output: string) =>
      Promise.all(Array.from({ length: n }, () => check(world, service, output)));
    await many(250, 'all is well');
    await waitForCount(`${counted(service, 'allow', 'none')} 250`);
    await world.advance(60 * MINUTE_MS);
    await many(60, 'all is well');
    await many(60, FORBIDDEN);
    await waitForCount(`${counted(service, 'allow', 'none')} 310`);
    await waitForCount(`${counted(service, 'block', 'policy')} 60`);
    for (let polls = 0; polls < 5; polls += 1) await world.advance(15_000);
    const wanted = 'often-blocked (production): Share of outputs blocked before delivery 50.0 % against';
    const told = await world.slack.waitFor(wanted, async () => {
      const texts = (await world.slack.messages(ops)).map(({ text }) => text ?? '');
      return texts.filter((text) => text.includes('blocked before delivery')).at(0);
    });
    expect(told).toContain(wanted);
    expect(await openedAbout(world, service)).toEqual([]);
  });

  it('opens a private sev1 and pages at once when the same output reached a user', async () => {
    const service = 'strict';
    expect((await check(world, service, FORBIDDEN)).verdict).toBe('block');
    await world.advance(0);
    expect(world.pagerduty.incidents).toEqual([]);
    await sendMade(world, {
      service,
      n: 1,
      minutesAgo: { from: 1, to: 0 },
      each: () => ({ output: FORBIDDEN }),
    });
    await world.advance(0);
    const room = await world.slack.waitFor('a private room', async () =>
      (await world.slack.channels()).find(
        ({ name, is_private: isPrivate }) => name.startsWith('inc-') && isPrivate,
      ),
    );
    const id = Number(/^inc-\d{8}-(\d+)/.exec(room.name)?.[1]);
    const text = await textWith(world, { room: room.id, key: `card:${id}` }, 'Paged: PagerDuty');
    expect(text).toContain('SEV1 safety · strict · PROD');
    expect(world.pagerduty.incidents).toMatchObject([
      { title: `INC-${id} (private): open the room`, urgency: 'high' },
    ]);
    expect(JSON.stringify(await world.slack.messages(room.id))).not.toContain('purple-forbidden-recipe');
  });
});

const title = 'the check before delivery while the database is away';
if (inject('testDatabaseUrl') === '')
  console.log(`not run on the embedded database, which cannot go away without the bot: ${title}`);
else
  describe(title, { timeout: 120_000 }, () => {
    let world: World;
    let gate: TcpGate;
    beforeAll(async () => {
      world = await startWorld({ start: false });
      await reconfigure(world, (config) => {
        const services = config.services as Record<string, object>;
        services['strict'] = { safety: { policy_words: ['purple-forbidden-recipe'] } };
      });
      const url = new URL(world.env['DATABASE_URL'] as string);
      gate = await startTcpGate({ host: url.hostname, port: Number(url.port || 5432) });
      url.hostname = '127.0.0.1';
      url.port = String(gate.port);
      world.env['DATABASE_URL'] = url.toString();
      await world.spawn();
    });
    afterAll(async () => {
      gate.restore();
      await world.close();
      await gate.close();
    });

    const ready = async () => (await fetch(`${world.url}/readyz`)).status;

    it.each(['cut', 'hold'] as const)(
      'answers on (%s), and stores its counts once it is back',
      async (how) => {
        const before = how === 'cut' ? 0 : 20;
        gate[how]();
        expect(await ready()).toBe(503);
        for (let time = 0; time < 20; time += 1) {
          expect((await check(world, 'strict', FORBIDDEN)).verdict).toBe('block');
          expect((await check(world, 'strict', LEAK)).verdict).toBe('redact');
        }
        expect((await post(world, { service: 'strict' })).status).toBe(400);
        gate.restore();
        await world.slack.waitFor('readiness', async () => (await ready()) === 200, SLOW_MS);
        const line = `verdict="block",reason="policy"} ${before + 20}`;
        await world.slack.waitFor(
          line,
          async () => {
            const answer = await fetch(`${world.url}/metrics`, {
              headers: { authorization: `Bearer ${TOKEN}` },
            });
            return (await answer.text()).includes(line) || undefined;
          },
          SLOW_MS,
        );
      },
    );
  });
