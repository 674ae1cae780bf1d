import { type SimulatedService, startSimulatedService } from '../../src/demo/service/simulated-service.ts';
import { TOKEN, type World } from './bot.ts';
import type { ServiceEntry } from './configured.ts';

/** One more simulated service with a target of its own, and its entry for the config file. */
export async function oneMoreService(
  world: World,
  name: string,
): Promise<{ service: SimulatedService; entry: ServiceEntry }> {
  const service = await startSimulatedService({
    secret: 'target-secret',
    service: name,
    environment: 'production',
    seed: seedOf(name),
    ingestUrl: world.url,
    token: TOKEN,
  });
  const entry = {
    owner: world.slack.userId('lead'),
    approvers: [world.slack.userId('approver')],
    target: { type: 'webhook', url: service.controlUrl, secret: '${TARGET_SECRET}', allow_private: true },
  };
  return { service, entry };
}

/** Two services must not make up the same trace ids. */
export const seedOf = (name: string) =>
  [...name].reduce((seed, letter) => (seed * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003, 7);
