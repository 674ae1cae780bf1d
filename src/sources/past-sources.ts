import type { ConfigFile } from '../config/config-file.ts';
import { InputError } from '../errors.ts';
import { configuredSource } from './all-sources.ts';
import type { MetricSource } from './metric-source.ts';

/**
 * The source of one service for questions about the past. Throws InputError for a service that names none: its calls
 * are judged from a recording instead.
 */
export function pastSources(
  config: Pick<ConfigFile, 'sources' | 'services' | 'environment'>,
  service: string,
): { source: MetricSource; close(): Promise<void> } {
  const name = config.services[service]?.source;
  const chosen = name === undefined ? undefined : config.sources[name];
  if (name === undefined || chosen === undefined) {
    throw new InputError([
      `--service: ${service} names no source in the config file; backtest it over a recording: FILE.jsonl`,
    ]);
  }
  const moment = { now: () => new Date() };
  const source = configuredSource(name, chosen, { ...config, clock: moment });
  return { source, close: async () => source.close?.() };
}
