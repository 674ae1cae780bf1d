import type { FastifyInstance } from 'fastify';
import { createServer } from '../src/http/server.ts';
import { createLog } from '../src/log.ts';
import { createInbox } from '../src/slack/inbox.ts';
import { addSlackRoute } from '../src/slack/receiver.ts';
import { isSignedBySlack } from '../src/slack/signature.ts';
import { signedForm } from './bench-bot.ts';
import { withDatabase } from './database.ts';
import { allAtOnce, COMMANDS, manyCommands } from './many-commands.ts';
import { compareCosts, type Measurement, quantile } from './measurement.ts';
import { openLoop } from './open-loop.ts';

const SECRET = 'bench';
const RATE_PER_SECOND = 100;
const SECONDS = 6;
const WARM_UP = 100;

/** Slack gives three seconds; a command that takes longer than one feels broken. */
const AT_ONCE_MS = 1_000;

export async function slack(): Promise<Measurement[]> {
  return [await durableAck(), await atOnce()];
}

/** p99 of a signed command's answer: with its inbox row committed first, beside the same route answering only. */
async function durableAck(): Promise<Measurement> {
  const floor = await serve(addBareRoute, sendCommands);
  const value = await withDatabase((db) => {
    const log = createLog('silent');
    const processor = { processEvent: async (event: { ack(): Promise<void> }) => event.ack() };
    const inbox = createInbox({ db, log, processor });
    return serve((server) => addSlackRoute(server, { inbox, signingSecret: SECRET, log }), sendCommands);
  });
  const name = `durable ack, p99 at ${RATE_PER_SECOND}/s`;
  return compareCosts({
    name,
    floor: quantile(floor, 0.99),
    value: quantile(value, 0.99),
    unit: 'ms',
    target: 2,
  });
}

/** p99 of whole answers of the whole bot, beside a route that checks the signature of as many and says nothing of use. */
async function atOnce(): Promise<Measurement> {
  const bare = await serve(addBareRoute, async (url) => {
    await allAtOnce(url, { textOf: () => 'list', secret: SECRET });
    return allAtOnce(url, { textOf: () => 'list', secret: SECRET });
  });
  const floor = quantile(bare, 0.99);
  const value = quantile(await manyCommands(), 0.99);
  const name = `${COMMANDS} commands at once while a room is being opened, answer p99, target ${AT_ONCE_MS} ms`;
  return compareCosts({ name, floor, value, unit: 'ms', target: AT_ONCE_MS / floor });
}

/** The floor: the signature is checked and the answer given, and nothing is kept. */
function addBareRoute(server: FastifyInstance): void {
  server.post('/slack/events', async (request, reply) => {
    const { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature } = request.headers;
    const rawBody = request.body as Buffer;
    const isSigned = isSignedBySlack(
      { rawBody, timestamp, signature },
      { secret: SECRET, nowMs: Date.now() },
    );
    return reply.code(isSigned ? 200 : 401).send({ text: 'heard' });
  });
}

async function serve(
  add: (server: FastifyInstance) => void,
  work: (url: string) => Promise<number[]>,
): Promise<number[]> {
  const server = createServer();
  add(server);
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  try {
    return await work(`${url}/slack/events`);
  } finally {
    await server.close();
  }
}

async function sendCommands(url: string): Promise<number[]> {
  return openLoop({ rate: RATE_PER_SECOND, seconds: SECONDS, warmUp: WARM_UP }, async (index) => {
    const answer = await fetch(url, signedCommand(index));
    if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
    await answer.text();
  });
}

function signedCommand(index: number): RequestInit {
  const form = { command: '/llm-incident', text: 'list', user_id: 'U1', team_id: 'T1', channel_id: 'C1' };
  return signedForm({ ...form, trigger_id: `${index}.${performance.now()}` }, SECRET);
}
