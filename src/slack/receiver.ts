import { type App, type Receiver, type ReceiverEvent, SocketModeReceiver } from '@slack/bolt';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { deliveryOf, parseRequest, type SlackDelivery, storable } from './delivery.ts';
import type { SlackInbox } from './inbox.ts';
import { isSignedBySlack } from './signature.ts';

/** Slack gives three seconds; what is not answered by then gets a plain 200 and its answer later. */
const ANSWER_WITHIN_MS = 2_500;
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** The HTTP server's life is main's; Bolt only needs something to hold the app. */
export const httpReceiver: Receiver = {
  init: () => undefined,
  start: async () => undefined,
  stop: async () => undefined,
};

/** Adds `POST /slack/events`. 401 unsigned, stale or future-dated; 400 malformed; 503 when nothing can be written. */
export function addSlackRoute(
  server: FastifyInstance,
  { inbox, signingSecret, log }: { inbox: SlackInbox; signingSecret: string; log: Log },
): void {
  server.post('/slack/events', { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
    const rawBody = request.body instanceof Buffer ? request.body : Buffer.alloc(0);
    if (!isSigned(request, rawBody, signingSecret)) return reply.code(401).send();
    const parsed = parseRequest(rawBody, request.headers['content-type'] ?? '');
    if (parsed.kind === 'challenge') return reply.send({ challenge: parsed.challenge });
    if (parsed.kind === 'ssl-check') return reply.send();
    if (parsed.kind === 'malformed') return reply.code(400).send({ error: parsed.problem });
    try {
      if (!(await inbox.accept(parsed.delivery))) return reply.send();
    } catch (thrown) {
      log.error({ error: messageOf(thrown) }, 'the inbox could not be written');
      return reply.code(503).send();
    }
    return answer(reply, await runForAnswer(inbox, parsed.delivery));
  });
}

function isSigned(request: FastifyRequest, rawBody: Buffer, secret: string): boolean {
  const { 'x-slack-request-timestamp': timestamp, 'x-slack-signature': signature } = request.headers;
  return isSignedBySlack({ rawBody, timestamp, signature }, { secret, nowMs: Date.now() });
}

/** The body of the listener's ack, or what to say when it took too long, failed or did not answer. */
function runForAnswer(inbox: SlackInbox, delivery: SlackDelivery): Promise<unknown> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), ANSWER_WITHIN_MS);
    const settleWith = (body: unknown) => {
      clearTimeout(timer);
      resolve(body);
    };
    const ack: ReceiverEvent['ack'] = async (body?: unknown) => settleWith(body);
    inbox.run(delivery, ack).then(
      () => settleWith(undefined),
      () => settleWith(apology(delivery)),
    );
  });
}

function apology(delivery: SlackDelivery): unknown {
  if (delivery.kind !== 'command') return undefined;
  return { response_type: 'ephemeral', text: 'That did not work just now. It is being tried again.' };
}

function answer(reply: FastifyReply, body: unknown): FastifyReply {
  if (body === undefined || body === '') return reply.send();
  return typeof body === 'string' ? reply.type('text/plain').send(body) : reply.send(body);
}

/** Socket Mode with the same inbox beneath it: Bolt's receiver hands its envelopes to us instead of to the app. */
export function socketReceiver(
  appToken: string,
  { inbox, slackApiUrl, log }: { inbox: () => SlackInbox; slackApiUrl: string; log: Log },
): Receiver {
  const socket = new SocketModeReceiver({
    appToken,
    clientPingTimeout: 1_000,
    installerOptions: { clientOptions: { slackApiUrl } },
  });
  const processEvent = async (event: ReceiverEvent) => {
    const delivery = deliveryOf(JSON.parse(JSON.stringify(event.body), storable));
    if (delivery === null) return event.ack();
    if (!(await inbox().accept(delivery))) return event.ack();
    await inbox()
      .run(delivery, event.ack)
      .catch((thrown) => log.warn({ error: messageOf(thrown) }, 'socket delivery failed'));
  };
  return {
    init: () => socket.init({ processEvent } as unknown as App),
    start: () => socket.start(),
    stop: () => socket.stop(),
  };
}
