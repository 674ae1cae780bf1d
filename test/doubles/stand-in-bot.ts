import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Wire } from './wire.ts';

/** A request that the stand-in received, with its verdict on the signature. */
export interface Received {
  headers: Record<string, string | string[] | undefined>;
  body: string;
  signed: boolean;
  form: Record<string, string>;
  payload: Wire;
}

/** What the stand-in answers. */
export interface Reply {
  status: number;
  body: string;
  type?: string;
}

/** A tiny http server in the bot's place: checks signatures as Slack documents them and answers what it is told. */
export async function startStandInBot(secret: string) {
  const received: Received[] = [];
  const bot = {
    received,
    reply: (_request: Received): Reply | Promise<Reply> => ({ status: 200, body: '' }),
    events: () =>
      received.filter((one) => one.payload?.type === 'event_callback').map((one) => one.payload.event),
    url: '',
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const isForm = request.headers['content-type'] === 'application/x-www-form-urlencoded';
    const form = isForm ? Object.fromEntries(new URLSearchParams(body)) : {};
    const json = isForm ? form['payload'] : body;
    const one: Received = {
      headers: request.headers,
      body,
      form,
      signed: isSigned(request.headers, body, secret),
      payload: json ? JSON.parse(json) : undefined,
    };
    received.push(one);
    const answer: Reply = one.signed ? await bot.reply(one) : { status: 401, body: '' };
    response.writeHead(answer.status, { 'content-type': answer.type ?? 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  bot.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack/events`;
  return bot;
}

function isSigned(
  headers: Record<string, string | string[] | undefined>,
  body: string,
  secret: string,
): boolean {
  const timestamp = String(headers['x-slack-request-timestamp']);
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
  const fresh = Math.abs(Date.now() / 1000 - Number(timestamp)) < 300;
  return fresh && headers['x-slack-signature'] === `v0=${expected}`;
}
