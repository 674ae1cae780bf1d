import type { Clock } from '../clock.ts';
import type { ConfigFile } from '../config/config-file.ts';
import type { MetricSourceConfig } from '../config/sources.ts';
import type { Db } from '../db/database.ts';
import { withBaselineCache } from './baseline-cache.ts';
import { callsSource } from './calls-source.ts';
import { canarySource } from './canary-source.ts';
import { checksSource } from './checks-source.ts';
import { clickhouseSource } from './clickhouse/clickhouse-source.ts';
import { healthProbeSource } from './health-probe.ts';
import { langfuseSource } from './langfuse/langfuse-source.ts';
import type { MetricSource, Question } from './metric-source.ts';
import { prometheusSource } from './prometheus/prometheus-source.ts';
import { providerStatusSource } from './provider-status.ts';
import { withBackoff } from './source-backoff.ts';
import { OWN_SOURCES, sourceFor } from './source-for.ts';
import { sqlSource } from './sql/sql-source.ts';

/** All that the rules can be answered by. */
export interface AllSources {
  sourceFor(question: Question): MetricSource;
  close(): Promise<void>;
}

type Closing = MetricSource & { close?(): Promise<void> };

/**
 * Builds the sources of a configuration. Policy: a configured source speaks for the configured environment alone; calls
 * of other environments are judged by what was sent in.
 */
export function allSources(
  config: Pick<ConfigFile, 'sources' | 'services' | 'environment'>,
  { db, clock }: { db: Db; clock: Clock },
): AllSources {
  const { services, environment } = config;
  const calls = callsSource(db);
  const configured = Object.entries(config.sources).map(([name, source]): [string, Closing] => [
    name,
    configuredSource(name, source, { ...config, clock }),
  ]);
  const byName = new Map<string, MetricSource>([
    [OWN_SOURCES.calls, calls],
    [OWN_SOURCES.safety, calls],
    [OWN_SOURCES.health, healthProbeSource(services)],
    [OWN_SOURCES.provider, providerStatusSource(services)],
    [OWN_SOURCES.canaries, canarySource({ db, environment, services })],
    [OWN_SOURCES.checks, checksSource(db)],
    ...configured.map(([name, source]): [string, MetricSource] => [name, orFrom(calls, source)]),
  ]);
  return {
    sourceFor(question) {
      const name = sourceFor(question, question.environment === environment ? services : {});
      return byName.get(name) ?? calls;
    },
    async close() {
      await Promise.all(configured.map(([, source]) => source.close?.()));
    },
  };
}

/** Policy: what a source has no measure of is asked of the calls that were sent in. */
function orFrom(calls: MetricSource, source: MetricSource): MetricSource {
  return {
    name: source.name,
    async read(questions, now) {
      const answers = await source.read(questions, now);
      const open = questions.filter((_, i) => answers[i]?.kind === 'unsupported');
      if (open.length === 0) return answers;
      const others = await calls.read(open, now);
      return answers.map((answer) => (answer.kind === 'unsupported' ? (others.shift() ?? answer) : answer));
    },
  };
}

/** Prometheus and Langfuse keep baselines and pause after failures by themselves, because they know more about both. */
export function configuredSource(
  name: string,
  source: MetricSourceConfig,
  { services, environment, clock }: Pick<ConfigFile, 'services' | 'environment'> & { clock: Clock },
): Closing {
  const patient = (asked: MetricSource) => withBackoff(withBaselineCache(asked), clock);
  const its = Object.fromEntries(Object.entries(services).filter(([, service]) => service.source === name));
  switch (source.type) {
    case 'prometheus': {
      const named = Object.entries(its).map(([service, { selector, queries }]) => {
        return { name: service, environment, selector, queries };
      });
      return prometheusSource(source, named, { name });
    }
    case 'sql': {
      const tables = sqlSource(name, source, its);
      return { ...patient(tables), close: () => tables.close() };
    }
    case 'clickhouse':
      return patient(clickhouseSource(name, source, its));
    case 'langfuse':
      return langfuseSource(name, source, its);
  }
}
