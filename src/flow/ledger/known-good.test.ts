import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type JobBench, startJobBench } from '../../../test/harness/job-bench.ts';
import { type ModelEndpoint, startModelEndpoint } from '../../../test/harness/model-endpoint.ts';
import { recordEvaluations } from '../../detection/evaluation-store.ts';
import { costTokens } from '../../detection/rules/cost-tokens.ts';
import { appendChanges } from '../../evidence/ledger-store.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { wantedToServe } from '../../mitigation/ledger-component.ts';
import { saveCalls, saveEvaluations } from '../../sources/call-store.ts';
import { call, evaluation } from '../../sources/example-calls.ts';
import { openIncident } from '../incident/open-incident.ts';
import { bringLedgerUp } from './bring-ledger-up.ts';
import { findKnownGood, probedKnownGood } from './known-good.ts';
import { probeCandidate } from './probe-candidate.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const OF = { service: 'support-bot', environment: 'production' };
const before = (minutes: number) => new Date(NOON.getTime() - minutes * 60_000);
/** The prompt's versions by when they began, in minutes before noon; the last one is bad. */
const SERVED = [
  ['11', 300],
  ['12', 220],
  ['13', 130],
  ['14', 20],
] as const;

let bench: JobBench;
let model: ModelEndpoint;
let incidentId: number;
beforeAll(async () => {
  bench = await startJobBench();
  model = await startModelEndpoint();
  bench.moveTo(NOON);
  await serve();
  await tell();
  incidentId = await opened();
});
afterAll(async () => {
  await bench.close();
  await model.close();
});
beforeEach(async () => {
  await bench.db.deleteFrom('evaluation').execute();
  model.requests.length = 0;
  bench.configure({ services: { 'support-bot': {} } });
});

/** A scored call every 20 seconds. */
async function serve(): Promise<void> {
  const calls = Array.from({ length: 900 }, (_, number) => {
    const minutes = 300 - number / 3;
    const version = SERVED.findLast(([, from]) => minutes <= from)?.[0] ?? '11';
    return { number, minutes, version };
  });
  await saveCalls(
    bench.db,
    calls.map(({ number, minutes, version }) =>
      call(number, { at: before(minutes), promptVersion: version }),
    ),
  );
  await saveEvaluations(
    bench.db,
    calls.map(({ number, version }) => evaluation(number, { value: version === '14' ? 0.3 : 0.9 })),
  );
  await bringLedgerUp(bench, OF, NOON);
}

/** What a target said and somebody reported, of what calls do not show. */
async function tell(): Promise<void> {
  type Told = { from: string | null; to: string; minutes: number };
  const told = (source: string, component: string, { from, to, minutes }: Told) => ({
    ...{ ...OF, source, component, actor: null, recordedAt: NOON, at: before(minutes) },
    ...{ previous: from === null ? null : { value: from }, state: { value: to } },
  });
  await bench.db
    .transaction()
    .execute((tx) =>
      appendChanges(tx, [
        told('unleash', 'split:m-2', { from: null, to: '0 %', minutes: 290 }),
        told('unleash', 'flag:enabled', { from: null, to: 'on', minutes: 290 }),
        told('reported', 'index', { from: null, to: 'i1', minutes: 290 }),
        told('unleash', 'split:m-2', { from: '0 %', to: '50 %', minutes: 15 }),
        told('unleash', 'flag:enabled', { from: 'on', to: 'off', minutes: 5 }),
        told('reported', 'index', { from: 'i1', to: 'i2', minutes: 10 }),
      ]),
    );
}

async function opened(): Promise<number> {
  const { incident } = await bench.db.transaction().execute((tx) =>
    openIncident({ config: bench.config, pager: null }, tx, {
      ...{ title: 'Answers got worse', category: 'quality', severity: 'sev2', ...OF, private: false },
      ...{ source: 'person', rule: 'quality.score', symptom: null, declaredBy: 'U1', startedAt: before(20) },
      ...{ signal: null, passScore: null, origin: 'test', now: NOON },
    }),
  );
  return incident.id;
}

const incidentNow = async () => (await findIncident(bench.db, incidentId)) ?? expect.fail('no incident');
const found = async () => findKnownGood(bench, await incidentNow());
const probed = async () =>
  probedKnownGood(bench, {
    incident: await incidentNow(),
    probe: (candidate) => probeCandidate(bench, candidate),
  });

const fired = async (changes: object, ...minutes: number[]) => {
  const verdict = {
    ...{ rule: costTokens.id, state: 'firing', value: 2, baseline: 1, n: 100, baselineN: 300, lower: null },
    ...{ upper: null, threshold: 1.5, pastBound: true, warning: false, detail: null },
    ...changes,
  } as const;
  await recordEvaluations(
    bench.db,
    minutes.map((at) => ({ ...OF, at: before(at), source: 'calls', verdict: verdict as never })),
  );
};

describe('known-good', () => {
  test('is-the-newest-state-that-was-green-with-what-a-target-can-set-and-what-it-cannot', async () => {
    const good = await found();
    expect(good?.name).toBe('prompt support 13, split m-2 0 %');
    expect(wantedToServe(good?.changed ?? {})).toEqual([
      { setting: 'prompt:support', to: '13' },
      { setting: 'split:m-2', to: 0 },
    ]);
    expect(good?.sentence).toBe(
      'Served from 2026-03-02 09:50 to 2026-03-02 11:40 UTC with a quality score of 0.90 (n = 330), ' +
        'before this began. Different since and not changed by this: index i1 → i2.',
    );
  });

  test('skips-a-state-during-which-another-rule-fired-to-its-end', async () => {
    await fired({}, 120, 90, 40);
    expect((await found())?.name).toContain('prompt support 12');
    await fired({}, 215, 140);
    expect((await found())?.name).toContain('prompt support 11');
    await fired({}, 235);
    expect(await found()).toBeNull();
  });

  test('counts-from-the-last-firing-where-the-state-was-green-long-enough-after-it', async () => {
    await fired({}, 125, 100);
    const good = await found();
    expect(good?.name).toContain('prompt support 13');
    expect(good?.sentence).toContain('(n = 240), no rule firing since 2026-03-02 10:20, before');
  });

  test('does-not-count-early-warnings-rules-in-shadow-and-what-is-not-firing', async () => {
    await fired({ warning: true }, 30);
    await fired({ state: 'insufficient' }, 30);
    await fired({ state: 'no-data' }, 30);
    expect((await found())?.name).toContain('prompt support 13');
    await fired({}, 30);
    expect((await found())?.name).toContain('prompt support 12');
    bench.configure({ services: { 'support-bot': { rules: { 'cost.tokens': { shadow: true } } } } });
    expect((await found())?.name).toContain('prompt support 13');
  });
});

const rehearsal = (url = `${model.url}/replay`) => ({
  ...{ type: 'webhook', url, secret: '${MODEL_TOKEN}', allow_private: true },
});
const answering = (statuses: Record<string, number>) => {
  bench.configure({ services: { 'support-bot': { rehearsal: rehearsal() } } });
  model.answerWith(({ body }) => {
    const { version } = body['prompt'] as unknown as { version: string };
    return { status: statuses[version] ?? 200, body: { output: 'yes' } };
  });
};
const sentenceOf = async () => {
  const outcome = await probed();
  return outcome.kind === 'found' ? outcome.good.sentence : outcome;
};

describe('a known-good state that is to be proposed', () => {
  test('is-probed-and-passed-over-for-the-one-before-it-when-it-does-not-answer', async () => {
    answering({});
    expect(await sentenceOf()).toMatch(/It still answers when probed\.$/);
    expect(model.requests).toHaveLength(1);
    expect(model.requests[0]?.body).toMatchObject({
      dry_run: true,
      prompt: { name: 'support', version: '13' },
    });
    answering({ 13: 500 });
    const fallback = await probed();
    expect(fallback).toMatchObject({ kind: 'found', good: { name: 'prompt support 12, split m-2 0 %' } });
    expect(await sentenceOf()).toMatch(
      /It still answers when probed\. prompt support 13, split m-2 0 % was green later and does not answer \(answered 500\)\.$/,
    );
    answering({ 13: 500, 12: 404, 11: 503 });
    const silent = ['13', '12', '11'].map((version) => `prompt support ${version}, split m-2 0 %`);
    expect(await probed()).toEqual({ kind: 'none', silent });
  });

  test('is-not-ruled-out-by-trouble-of-the-endpoint-itself', async () => {
    answering({ 13: 401 });
    expect(await sentenceOf()).toMatch(/Not probed: the rehearsal endpoint answered 401\.$/);
    bench.configure({ services: { 'support-bot': { rehearsal: rehearsal('http://127.0.0.1:9/') } } });
    expect(await sentenceOf()).toMatch(/Not probed: the rehearsal endpoint could not be asked\.$/);
  });

  test('says-what-the-health-address-says-or-that-there-is-none', async () => {
    expect(await sentenceOf()).toMatch(/Not probed: the service declares no endpoint for it\.$/);
    bench.configure({ services: { 'support-bot': { health: { url: `${model.url}/health` } } } });
    model.answerWith(() => ({ status: 200 }));
    expect(await sentenceOf()).toMatch(/The service is healthy now; this state itself was not probed\.$/);
    model.answerWith(() => ({ status: 503 }));
    expect(await sentenceOf()).toMatch(/The health check fails now \(answered 503\), and this state/);
  });
});
