import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Stands before a TCP service and can take it away. */
export interface TcpGate {
  port: number;
  /** Cuts every connection and refuses new ones. */
  cut(): void;
  /** Keeps every connection and lets nothing through, in either direction. */
  hold(): void;
  /** Lets everything through again. */
  restore(): void;
  close(): Promise<void>;
}

export async function startTcpGate(to: { host: string; port: number }): Promise<TcpGate> {
  let state: 'open' | 'cut' | 'held' = 'open';
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    if (state === 'cut') return void near.destroy();
    const far = connect(to);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    near.pipe(far);
    far.pipe(near);
    if (state === 'held') for (const socket of pair) socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    state = 'cut';
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    hold() {
      state = 'held';
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    restore() {
      state = 'open';
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    close() {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
