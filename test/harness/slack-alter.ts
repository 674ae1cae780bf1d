import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { World } from './bot.ts';

type Fields = Record<string, unknown>;

/** Puts a proxy between bot and workspace that alters what Slack answers; call it before the bot starts. */
export async function alterAnswers(
  world: World,
  alter: (method: string, answer: Fields) => Fields,
): Promise<{ close(): Promise<void> }> {
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const body = Buffer.concat(await request.toArray());
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const answer = await fetch(`${world.slack.url}${request.url}`, {
      method: request.method ?? 'POST',
      headers: headers as Record<string, string>,
      body,
    });
    const text = await answer.text();
    const method = (request.url ?? '').replace(/^\/api\//, '');
    response.statusCode = answer.status;
    response.setHeader('content-type', answer.headers.get('content-type') ?? 'application/json');
    response.end(text.startsWith('{') ? JSON.stringify(alter(method, JSON.parse(text))) : text);
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  world.env['SLACK_API_URL'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
