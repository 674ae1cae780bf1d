import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback, sendJson } from '../demo/loopback-server.ts';
import type { Question } from './metric-source.ts';
import { providerStatusSource } from './provider-status.ts';

const NOW = Date.UTC(2026, 0, 5, 10);
const secondsAfter = (count: number) => new Date(NOW + count * 1000);

const servers: LoopbackServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** A status page that answers as it is told, and counts. */
async function statusPage(answer: (response: ServerResponse, path: string) => unknown) {
  const asked: string[] = [];
  const server = await listenOnLoopback(async (request, response) => {
    asked.push(request.url ?? '');
    answer(response, request.url ?? '');
  });
  servers.push(server);
  return { url: server.url, asked };
}

const question = (change: Partial<Question> = {}): Question => ({
  service: 'bot',
  environment: 'production',
  rule: 'outage.provider',
  measure: 'provider',
  from: secondsAfter(-300),
  to: secondsAfter(0),
  isBaseline: false,
  ...change,
});

const watch = (url: string, components: string[] = [], poll_seconds = 120) => ({
  provider_status: { url, components, poll_seconds },
});

const summary = (components: [id: string, name: string, status: string][], indicator = 'none') => ({
  page: { id: 'p1', name: 'Acme AI', url: 'https://status.example.com' },
  status: { indicator, description: 'some words' },
  components: components.map(([id, name, status]) => ({ id, name, status, position: 1 })),
  incidents: [{ id: 'i1', impact: 'major', components: [] }],
});

async function readingOf(
  answer: (response: ServerResponse, path: string) => unknown,
  { components = [] as string[], path = '' } = {},
) {
  const page = await statusPage(answer);
  const source = providerStatusSource({ bot: watch(`${page.url}${path}`, components) });
  const [found] = await source.read([question()], secondsAfter(0));
  if (found?.kind !== 'reading') throw new Error(JSON.stringify(found));
  return found.reading;
}

const says = (body: unknown) => (response: ServerResponse) => sendJson(response, { status: 200, body });

describe('what a status page says', () => {
  test.each([
    ['operational', 0],
    ['degraded_performance', 0.5],
    ['under_maintenance', 0.5],
    ['partial_outage', 0.75],
    ['major_outage', 1],
  ])('a-watched-component-that-is-%s', async (status, value) => {
    const page = summary(
      [
        ['c1', 'Chat API', status],
        ['c2', 'Login', 'major_outage'],
      ],
      'critical',
    );
    const about = value === 0 ? {} : { about: `Chat API: ${status.replace('_', ' ')}` };
    expect(await readingOf(says(page), { components: ['c1'] })).toEqual({ n: 1, value, sd: null, ...about });
  });

  test.each([
    ['none', 0],
    ['minor', 0.5],
    ['major', 0.75],
    ['critical', 1],
  ])('a-page-without-watched-components-that-says-%s', async (indicator, value) => {
    expect(await readingOf(says(summary([], indicator)))).toMatchObject({ n: 1, value });
  });

  test('components-are-told-apart-by-id-and-the-worst-counts', async () => {
    const page = summary([
      ['c1', 'Login', 'operational'],
      ['c2', 'Login', 'partial_outage'],
      ['c3', 'Login', 'major_outage'],
    ]);
    expect(await readingOf(says(page), { components: ['c1', 'c2'] })).toEqual({
      n: 2,
      value: 0.75,
      sd: null,
      about: 'Login: partial outage',
    });
  });

  test('the-address-may-be-the-page-or-its-summary', async () => {
    const paths: string[] = [];
    const answer = (response: ServerResponse, path: string) => {
      paths.push(path);
      says(summary([]))(response);
    };
    for (const path of ['', '/', '/acme/', '/feeds/summary.json']) await readingOf(answer, { path });
    expect(paths).toEqual([
      '/api/v2/summary.json',
      '/api/v2/summary.json',
      '/acme/api/v2/summary.json',
      '/feeds/summary.json',
    ]);
  });
});

describe('what cannot be read is no data, never an outage and never well', () => {
  test.each([
    [
      'a web page',
      (response: ServerResponse) => response.end('<!doctype html>'),
      'something else than a status summary',
    ],
    ['another shape', says({ components: 'all good' }), 'something else than a status summary'],
    [
      'a move',
      (response: ServerResponse) => response.writeHead(301, { location: 'https://new.example' }).end(),
      'has moved to https://new.example',
    ],
    ['an error', (response: ServerResponse) => response.writeHead(503).end(), 'answered 503'],
    ['a cut connection', (response: ServerResponse) => response.destroy(), 'is unreachable'],
    ['silence', () => {}, 'no answer within 2 s'],
    ['an unknown indicator', says(summary([], 'sunny')), '"sunny"'],
    ['no indicator', says({ components: [] }), '"nothing"'],
  ])('%s', async (_, answer, about) => {
    expect(await readingOf(answer)).toEqual({
      n: 0,
      value: null,
      sd: null,
      about: expect.stringContaining(about),
    });
  });

  test('a-component-that-is-missing-or-unclear-hides-that-all-is-well-but-not-an-outage', async () => {
    const page = summary([
      ['c1', 'Chat', 'operational'],
      ['c2', 'Files', 'major_outage'],
      ['c3', 'Voice', 'sunny'],
    ]);
    const nothing = { n: 0, value: null };
    expect(await readingOf(says(page), { components: ['c1', 'c9'] })).toMatchObject({
      ...nothing,
      about: expect.stringContaining('how c9 is'),
    });
    expect(await readingOf(says(page), { components: ['c1', 'c3'] })).toMatchObject(nothing);
    expect(await readingOf(says(page), { components: ['c2', 'c9'] })).toMatchObject({ n: 1, value: 1 });
  });
});

describe('polling', () => {
  test('one-page-of-many-services-is-asked-once-a-poll', async () => {
    const page = await statusPage(says(summary([['c1', 'Chat', 'operational']])));
    const services = {
      a: watch(page.url, ['c1']),
      b: watch(`${page.url}/`, [], 60),
      c: watch(page.url, ['c1'], 300),
    };
    const source = providerStatusSource(services, { random: () => 0 });
    const questions = ['a', 'b', 'c', 'a'].map((service) => question({ service }));
    const at = async (seconds: number) => source.read(questions, secondsAfter(seconds));
    const first = await Promise.all([at(0), at(0)]);
    expect(first.flat()).toEqual(Array(8).fill({ kind: 'reading', reading: { n: 1, value: 0, sd: null } }));
    await at(59);
    expect(page.asked).toHaveLength(1);
    await at(60);
    expect(page.asked).toHaveLength(2);
  });

  test('a-page-that-fails-is-not-asked-more-often', async () => {
    const page = await statusPage((response) => response.writeHead(500).end());
    const source = providerStatusSource({ bot: watch(page.url) }, { random: () => 1 });
    for (const seconds of [0, 60, 120, 131]) await source.read([question()], secondsAfter(seconds));
    expect(page.asked).toHaveLength(1);
    await source.read([question()], secondsAfter(132));
    expect(page.asked).toHaveLength(2);
  });

  test('other-measures-and-services-are-not-its-own', async () => {
    const source = providerStatusSource({ bot: {} });
    const answers = await source.read([question(), question({ measure: 'errors' })], secondsAfter(0));
    expect(answers).toEqual([{ kind: 'unsupported' }, { kind: 'unsupported' }]);
  });
});
