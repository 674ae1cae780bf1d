import { readFileSync, writeFileSync } from 'node:fs';
import { startWorld, type World, type WorldOptions } from './bot.ts';

/** The part of the config file that tests change; ids and addresses are known only once the world stands. */
export interface TestConfig {
  environment: string;
  services: Record<string, ServiceEntry>;
  contacts: Record<string, string[]>;
  [key: string]: unknown;
}

export interface ServiceEntry {
  owner?: string;
  approvers?: (string | { on_call: string; levels?: number[] })[];
  pagerduty?: { service: string; escalation_policy?: string };
  target?: { type: string; url: string; secret: string; allow_private?: boolean };
  standing_approvals?: string[];
}

/** A world whose config and environment `furnish` may change before the bot starts. */
export async function startConfigured(
  furnish: (config: TestConfig, world: World) => Promise<void> | void,
  options: WorldOptions = {},
): Promise<World> {
  const world = await startWorld({ ...options, start: false });
  await reconfigure(world, furnish);
  await world.restart();
  return world;
}

/** Rewrites the config file; the bot reads it when it starts next. */
export async function reconfigure(
  world: World,
  furnish: (config: TestConfig, world: World) => Promise<void> | void,
): Promise<void> {
  const path = world.env['LLM_INCIDENT_CONFIG'] as string;
  const config = JSON.parse(readFileSync(path, 'utf8')) as TestConfig;
  await furnish(config, world);
  writeFileSync(path, JSON.stringify(config));
}
