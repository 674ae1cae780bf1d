import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, expect, it } from 'vitest';
import { createServingReader, type ServedSettings } from './serving-reader.ts';

const settings = (more: Partial<ServedSettings> = {}): ServedSettings => ({
  enabled: true,
  prompts: { answer: { version: 'v14' } },
  model: 'm-1',
  fallback: { mode: 'none' },
  types: {},
  limits: {},
  token_cap: null,
  disclaimer: null,
  blocked: [],
  version: 0,
  ...more,
});

let server: FastifyInstance | undefined;
afterEach(() => server?.close());

/** A bot that gives these answers one after the other; 'silence' never answers. */
async function readerOf(answers: (object | 'silence' | 500)[]) {
  server = fastify({ forceCloseConnections: true });
  server.post('/ofrep/v1/evaluate/flags/:key', (_, reply) => {
    const next = answers.shift();
    if (next === 'silence') return;
    if (next === 500) return reply.code(500).send({ errorDetails: 'away' });
    return reply.send({ key: 'answers', value: next });
  });
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  return createServingReader({
    url,
    token: 't',
    service: 'answers',
    held: settings({ model: 'held' }),
    deadlineMs: 500,
  });
}

it('obeys what it was built with until the bot has answered', async () => {
  const reader = await readerOf([500, settings()]);
  const first = await reader.read({});
  expect([first.settings.model, first.problem]).toEqual(['held', 'the bot answered 500']);
  expect(await reader.read({})).toEqual({ settings: settings() });
});

it('keeps what was switched off when the bot goes silent, and nobody else’s limits', async () => {
  const off = settings({ enabled: false, limits: { user: 4 }, version: 2 });
  const reader = await readerOf([off, 'silence', { enabled: 'nonsense' }]);
  expect((await reader.read({ targetingKey: 'u1' })).settings).toEqual(off);
  for (let time = 0; time < 2; time += 1) {
    const { settings: obeyed, problem } = await reader.read({ targetingKey: 'u2' });
    expect(obeyed).toEqual({ ...off, limits: {} });
    expect(problem).toBeTypeOf('string');
  }
});
