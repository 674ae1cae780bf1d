import { isAbsolute, join } from 'node:path';
import type { ConfigFile } from '../../config/config-file.ts';
import { loadPlaybook, type Playbook } from '../../decision/playbook.ts';
import { InputError, messageOf } from '../../errors.ts';

type Configured = Pick<ConfigFile, 'playbook' | 'services'>;

/** What of one configuration was read from its files, so that each is read once. */
const read = new WeakMap<Configured, Map<string, Playbook>>();
const SHIPPED = '';

/** The tree of a service: its own, else the team's, else the shipped one. */
export function playbookFor(config: Configured, service: string | null): Playbook {
  const own = service === null ? undefined : config.services[service]?.playbook;
  const file = own ?? config.playbook ?? SHIPPED;
  const kept = read.get(config) ?? new Map<string, Playbook>();
  read.set(config, kept);
  const known = kept.get(file) ?? loadPlaybook(file === SHIPPED ? undefined : pathOf(file));
  kept.set(file, known);
  return known;
}

/** What is wrong with the trees that the configuration names, each problem with its key and file. */
export function playbookProblems(config: Configured): string[] {
  const named = Object.entries(config.services).map(([name, { playbook }]) => ({
    key: `services.${name}.playbook`,
    file: playbook,
  }));
  return [{ key: 'playbook', file: config.playbook }, ...named].flatMap(({ key, file }) =>
    file === undefined ? [] : problemsOf(file).map((problem) => `${key}: ${file}: ${problem}`),
  );
}

function problemsOf(file: string): readonly string[] {
  try {
    loadPlaybook(pathOf(file));
    return [];
  } catch (thrown) {
    return thrown instanceof InputError ? thrown.problems : [`cannot be read: ${messageOf(thrown)}`];
  }
}

/** Relative to where the bot starts, as the configuration itself is. */
const pathOf = (file: string) => (isAbsolute(file) ? file : join(process.cwd(), file));
