import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { World } from './bot.ts';

/** Stands before the workspace's Web API and answers for user groups, whose members a test may change. */
export interface SlackGate {
  /** Members by group id; a group that is not here cannot be read. */
  groups: Map<string, string[]>;
  close(): Promise<void>;
}

/** Puts the gate between bot and workspace; call it before the bot starts. */
export async function standBefore(world: World): Promise<SlackGate> {
  const groups = new Map<string, string[]>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (request.url === '/api/usergroups.users.list') {
      const users = groups.get(new URLSearchParams(body.toString()).get('usergroup') ?? '');
      const answer = users === undefined ? { ok: false, error: 'no_such_subteam' } : { ok: true, users };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
      return;
    }
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const passed = await fetch(`${world.slack.url}${request.url}`, {
      method: request.method ?? 'POST',
      headers: headers as Record<string, string>,
      body,
    });
    response.statusCode = passed.status;
    response.setHeader('content-type', passed.headers.get('content-type') ?? 'application/json');
    response.end(Buffer.from(await passed.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  world.env['SLACK_API_URL'] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
  return {
    groups,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
