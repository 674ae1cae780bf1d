import { OFREPProvider } from '@openfeature/ofrep-provider';
import { type Client, OpenFeature } from '@openfeature/server-sdk';
import { HELD } from '../../src/demo/service/serving-reader.ts';
import { type SimulatedService, startSimulatedService } from '../../src/demo/service/simulated-service.ts';
import { TOKEN, type World } from './bot.ts';
import { seedOf } from './services.ts';

/** A simulated service whose settings the bot serves, and its entry for the config file. */
export async function obedientService(
  world: World,
  { name, serving }: { name: string; serving: object },
): Promise<{ service: SimulatedService; entry: object }> {
  const service = await startSimulatedService({
    secret: 'unused',
    service: name,
    environment: 'production',
    seed: seedOf(name),
    ingestUrl: world.url,
    token: TOKEN,
    master: { url: world.url, token: TOKEN, service: name, held: HELD },
  });
  const entry = {
    owner: world.slack.userId('lead'),
    approvers: [world.slack.userId('approver')],
    target: { type: 'built-in' },
    serving,
  };
  return { service, entry };
}

/** What OpenFeature's own SDK makes of the bot's flags, and the entity tag of all of them. */
export async function flagsOf(world: World): Promise<{ client: Client; tag(): Promise<string | null> }> {
  const headers: [string, string][] = [['authorization', `Bearer ${TOKEN}`]];
  const domain = world.url;
  await OpenFeature.setProviderAndWait(domain, new OFREPProvider({ baseUrl: world.url, headers }));
  return {
    client: OpenFeature.getClient(domain),
    async tag() {
      const answer = await fetch(`${world.url}/ofrep/v1/evaluate/flags`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ context: {} }),
      });
      await answer.arrayBuffer();
      return answer.headers.get('etag');
    },
  };
}
