import type { Clock } from '../../clock.ts';
import type { ConfigFile } from '../../config/config-file.ts';
import type { Db } from '../../db/database.ts';
import { InputError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { initialSettings } from '../../mitigation/serving-change.ts';
import { keepPromptTexts } from '../../mitigation/serving-store.ts';
import type { Target } from '../../mitigation/target.ts';
import { targetOf } from '../../mitigation/targets/all-targets.ts';
import { builtInTarget } from '../../mitigation/targets/built-in.ts';
import { createServingSnapshot, type ServingSnapshot } from './serving-snapshot.ts';

/** What carries mitigations out, service by service, and what the built-in target serves. */
export interface ConfiguredTargets {
  targetFor(about: { service: string; environment: string }): Target | null;
  serving: ServingSnapshot;
}

/**
 * Builds each target once, for it keeps its connections. The snapshot runs until `serving.stop()`. Throws InputError when
 * a prompt version of the file has another text than the one that is kept under it.
 */
export async function configuredTargets(
  config: Pick<ConfigFile, 'services' | 'environment'>,
  { db, clock, log }: { db: Db; clock: Clock; log: Log },
): Promise<ConfiguredTargets> {
  const { environment, services } = config;
  const builtIn = Object.entries(services).filter(([, { target }]) => target?.type === 'built-in');
  const withTexts = Object.entries(services).filter(
    ([, { target, rehearsal }]) => target?.type === 'built-in' || rehearsal !== undefined,
  );
  const texts = withTexts.flatMap(([service, { serving }]) =>
    serving.prompt_texts.map((text) => ({ ...text, service })),
  );
  const problems = await keepPromptTexts(db, texts, clock.now());
  if (problems.length > 0) throw new InputError(problems);
  const served = Object.fromEntries(builtIn.map(([service, { serving }]) => [service, serving]));
  const serving = createServingSnapshot(db, { environment, services: served, log });
  await serving.start();
  const targets = new Map(
    Object.entries(services).flatMap(([service, { target, serving: settings }]): [string, Target][] => {
      if (target === undefined) return [];
      const own = { service, environment, initial: initialSettings(settings) };
      const built = () =>
        builtInTarget(db, { ...own, now: () => clock.now(), onChange: (changed) => serving.put(changed) });
      return [[service, targetOf(target, { service, environment, builtIn: built })]];
    }),
  );
  return {
    targetFor: (about) => (about.environment === environment ? (targets.get(about.service) ?? null) : null),
    serving,
  };
}
