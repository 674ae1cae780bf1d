import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../demo/loopback-server.ts';
import { healthProbeSource } from './health-probe.ts';
import type { Question } from './metric-source.ts';

const NOW = Date.UTC(2026, 0, 5, 10);
const secondsAfter = (count: number) => new Date(NOW + count * 1000);

const servers: LoopbackServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serviceAt(answer: (response: ServerResponse) => unknown) {
  let probes = 0;
  const server = await listenOnLoopback(async (_, response) => {
    probes += 1;
    answer(response);
  });
  servers.push(server);
  return { url: `${server.url}/healthz`, probes: () => probes };
}

const question = (seconds: number, change: Partial<Question> = {}): Question => ({
  service: 'bot',
  environment: 'production',
  rule: 'outage.health',
  measure: 'health',
  from: secondsAfter(seconds - 120),
  to: secondsAfter(seconds),
  isBaseline: false,
  ...change,
});

const health = (url: string, timeout_seconds = 5) => ({ health: { url, timeout_seconds } });

async function firstReading(url: string, timeoutSeconds?: number) {
  const source = healthProbeSource({ bot: health(url, timeoutSeconds) });
  const [answer] = await source.read([question(0)], secondsAfter(0));
  if (answer?.kind !== 'reading') throw new Error(JSON.stringify(answer));
  return answer.reading;
}

describe('one probe', () => {
  test.each([200, 204, 299])('%i-is-healthy', async (status) => {
    const { url } = await serviceAt((response) => response.writeHead(status).end());
    expect(await firstReading(url)).toEqual({ n: 1, value: 0, sd: null });
  });

  test.each([302, 404, 429, 500, 503])('%i-is-a-failure', async (status) => {
    const { url } = await serviceAt((response) => response.writeHead(status, { location: '/' }).end());
    expect(await firstReading(url)).toEqual({ n: 1, value: 1, sd: null, about: `answered ${status}` });
  });

  test('a-refused-connection-a-cut-one-and-silence-are-failures', async () => {
    expect(await firstReading('http://127.0.0.1:1/')).toMatchObject({
      value: 1,
      about: expect.stringContaining('ECONNREFUSED'),
    });
    const cut = await serviceAt((response) => response.destroy());
    expect(await firstReading(cut.url)).toMatchObject({ value: 1, n: 1 });
    const silent = await serviceAt(() => {});
    expect(await firstReading(silent.url, 0.2)).toMatchObject({
      value: 1,
      about: expect.stringContaining('within 0.2 s'),
    });
  });
});

describe('the share that failed', () => {
  test('counts-the-probes-within-the-window', async () => {
    let status = 200;
    const { url, probes } = await serviceAt((response) => response.writeHead(status).end());
    const source = healthProbeSource({ bot: health(url) });
    for (let seconds = 0; seconds <= 180; seconds += 15) {
      status = seconds >= 150 ? 503 : 200;
      await source.read([question(seconds)], secondsAfter(seconds));
    }
    expect(probes()).toBe(13);
    const read = async (change: Partial<Question>) => {
      const [answer] = await source.read([question(181, change)], secondsAfter(181));
      return answer?.kind === 'reading' ? answer.reading : answer;
    };
    expect(await read({})).toMatchObject({ n: 8, value: 3 / 8, about: 'answered 503' });
    expect(await read({ newest: 4, wantsOutcomes: true })).toMatchObject({ n: 4, outcomes: [0, 1, 1, 1] });
    const excluding = [{ from: secondsAfter(150), to: secondsAfter(200) }];
    expect(await read({ excluding })).toEqual({ n: 5, value: 0, sd: 0 });
    expect(await read({ from: secondsAfter(-500), to: secondsAfter(-400) })).toEqual({
      n: 0,
      value: null,
      sd: null,
    });
  });

  test('an-address-is-probed-at-most-once-in-15-seconds-for-all-who-ask', async () => {
    const { url, probes } = await serviceAt((response) => response.end());
    const source = healthProbeSource({ bot: health(url), twin: health(url) });
    const ask = async (seconds: number) =>
      source.read(
        [question(seconds), question(seconds, { service: 'twin' }), question(seconds)],
        secondsAfter(seconds),
      );
    for (const seconds of [0, 1, 13.999]) await ask(seconds);
    expect(probes()).toBe(1);
    expect(await ask(14.995)).toEqual(Array(3).fill({ kind: 'reading', reading: { n: 2, value: 0, sd: 0 } }));
    expect(probes()).toBe(2);
  });

  test('other-measures-and-services-without-an-address-are-not-its-own', async () => {
    const { url, probes } = await serviceAt((response) => response.end());
    const source = healthProbeSource({ bot: health(url), other: {} });
    const questions = [
      question(0, { measure: 'errors' }),
      question(0, { service: 'other' }),
      question(0, { service: '?' }),
    ];
    expect(await source.read(questions, secondsAfter(0))).toEqual(Array(3).fill({ kind: 'unsupported' }));
    expect(probes()).toBe(0);
  });
});
