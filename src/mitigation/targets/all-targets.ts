import type { z } from 'zod';
import type { WebhookTargetConfig } from '../../config/config-file.ts';
import type { builtInTargetConfig } from '../../config/serving.ts';
import type { VendorTargetConfig } from '../../config/targets.ts';
import type { Target } from '../target.ts';
import { githubTarget } from './github-target.ts';
import { langfuseTarget } from './langfuse-target.ts';
import { launchDarklyTarget } from './launchdarkly-target.ts';
import { litellmTarget } from './litellm-target.ts';
import { unleashTarget } from './unleash-target.ts';
import { webhookTarget } from './webhook.ts';

export type TargetConfig = WebhookTargetConfig | VendorTargetConfig | z.infer<typeof builtInTargetConfig>;

export interface Serves {
  service: string;
  environment: string;
  /** The bot's own target needs its database, which whoever composes has. */
  builtIn(): Target;
}

/** The target that a service's config names. */
export function targetOf(config: TargetConfig, serves: Serves): Target {
  switch (config.type) {
    case 'built-in':
      return serves.builtIn();
    case 'webhook':
      return webhookTarget(config, serves);
    case 'unleash':
      return unleashTarget(config, serves);
    case 'launchdarkly':
      return launchDarklyTarget(config, serves);
    case 'langfuse':
      return langfuseTarget(config);
    case 'litellm':
      return litellmTarget(config);
    case 'github':
      return githubTarget(config, serves);
  }
}

/** Where a person switches a service at its vendor; null where it has no target, or the bot itself is the vendor. */
export function switchOf(
  {
    services,
    environment,
  }: { services: Record<string, { target?: TargetConfig | undefined }>; environment: string },
  service: string,
): string | null {
  const target = Object.hasOwn(services, service) ? services[service]?.target : undefined;
  if (target === undefined || target.type === 'built-in') return null;
  const builtIn = () => {
    throw new Error('the built-in target is no vendor');
  };
  return targetOf(target, { service, environment, builtIn }).byHand?.() ?? null;
}
