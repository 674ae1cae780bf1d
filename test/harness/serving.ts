import type { AddressInfo } from 'node:net';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { type Client, OpenFeature } from '@openfeature/server-sdk';
import { deliveryCheck, safety } from '../../src/config/content.ts';
import { servingSettings } from '../../src/config/serving.ts';
import type { Db } from '../../src/db/database.ts';
import { createServingSnapshot, type ServingSnapshot } from '../../src/flow/ledger/serving-snapshot.ts';
import { addCheckRoute } from '../../src/http/check.ts';
import { addOfrepRoutes } from '../../src/http/ofrep.ts';
import { createServer } from '../../src/http/server.ts';
import { createLog } from '../../src/log.ts';
import { initialSettings } from '../../src/mitigation/serving-change.ts';
import type { Target } from '../../src/mitigation/target.ts';
import { builtInTarget } from '../../src/mitigation/targets/built-in.ts';
import { createCheckCounts } from '../../src/sources/check-count-store.ts';

export const SERVED = 'support-answers';
const ENVIRONMENT = 'production';
const TOKEN = 't';

/** What one process of the bot has to do with serving: the target, the snapshot and the routes. */
export interface ServingReplica {
  url: string;
  target: Target;
  snapshot: ServingSnapshot;
  client: Client;
  /** What it logged, as parsed lines. */
  logged: { msg: string }[];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  stop(): Promise<void>;
}

let made = 0;

/** A replica with the service `support-answers`, configured as given, read through the OpenFeature SDK. */
export async function startServing(db: Db, configured: object): Promise<ServingReplica> {
  const config = servingSettings.parse(configured);
  const logged: { msg: string }[] = [];
  const log = createLog('info', { write: (line: string) => logged.push(JSON.parse(line)) });
  const snapshot = createServingSnapshot(db, {
    environment: ENVIRONMENT,
    services: { [SERVED]: config },
    log,
  });
  const target = builtInTarget(db, {
    service: SERVED,
    environment: ENVIRONMENT,
    initial: initialSettings(config),
    now: () => new Date(),
    onChange: snapshot.put,
  });
  await snapshot.start();
  const server = createServer();
  const route = { tokens: [TOKEN], environment: ENVIRONMENT };
  addOfrepRoutes(server, { ...route, snapshot });
  addCheckRoute(server, {
    ...route,
    log,
    services: { [SERVED]: { check: deliveryCheck.parse({}), safety: safety.parse({}) } },
    counts: createCheckCounts(),
    now: () => new Date(),
    blockedFor: snapshot.blockedFor,
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  made += 1;
  const domain = `replica-${made}`;
  const headers: [string, string][] = [['authorization', `Bearer ${TOKEN}`]];
  await OpenFeature.setProviderAndWait(domain, new OFREPProvider({ baseUrl: url, headers }));
  return {
    url,
    target,
    snapshot,
    client: OpenFeature.getClient(domain),
    logged,
    post: (path, body, more = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...more },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async stop() {
      await snapshot.stop();
      if (server.server.listening) await server.close();
    },
  };
}
