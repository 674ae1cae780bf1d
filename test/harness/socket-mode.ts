import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';

/** Slack's Web API with `apps.connections.open`, and the WebSocket that it leads to. */
export interface SocketSlack {
  apiUrl: string;
  /** Sends an envelope to the bot; resolves with its acknowledgement. */
  deliver(envelope: { type: string; payload: object }): Promise<{ envelope_id: string; payload?: unknown }>;
  connections(): number;
  close(): Promise<void>;
}

/** Answers `apps.connections.open` itself and passes every other method on to `upstream`. */
export async function startSocketSlack(upstream: string): Promise<SocketSlack> {
  const sockets = new Set<WebSocket>();
  const waiting = new Map<string, (ack: { envelope_id: string; payload?: unknown }) => void>();
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/apps.connections.open'))
      return openConnection(response, url().replace('http', 'ws'));
    void passOn(request, response, upstream);
  });
  const hub = new WebSocketServer({ server });
  hub.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('message', (data) => {
      const ack = JSON.parse(String(data));
      waiting.get(ack.envelope_id)?.(ack);
    });
    socket.send(JSON.stringify({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A1' } }));
  });
  const url = () => `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  let last = 0;
  return {
    apiUrl: `${url()}/api/`,
    connections: () => sockets.size,
    deliver(envelope) {
      last += 1;
      const envelope_id = `envelope-${last}`;
      const acknowledged = new Promise<{ envelope_id: string; payload?: unknown }>((resolve) => {
        waiting.set(envelope_id, resolve);
      });
      const [socket] = sockets;
      socket?.send(JSON.stringify({ ...envelope, envelope_id, accepts_response_payload: true }));
      return acknowledged;
    },
    async close() {
      for (const socket of sockets) socket.terminate();
      hub.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function openConnection(response: ServerResponse, url: string): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ ok: true, url: `${url}/link` }));
}

async function passOn(request: IncomingMessage, response: ServerResponse, upstream: string): Promise<void> {
  const body = Buffer.concat(await request.toArray());
  const method = (request.url ?? '').replace(/^\/api\//, '');
  const headers: Record<string, string> = {};
  for (const name of ['authorization', 'content-type']) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  const answer = await fetch(`${upstream}${method}`, { method: 'POST', headers, body });
  response.writeHead(answer.status, {
    'content-type': answer.headers.get('content-type') ?? 'application/json',
  });
  response.end(Buffer.from(await answer.arrayBuffer()));
}
