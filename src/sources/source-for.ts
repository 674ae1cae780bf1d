import type { ServiceConfig } from '../config/config-file.ts';
import type { Measure, Question } from './metric-source.ts';

/** The sources that are always there; no configured source may have one of these names. */
export const OWN_SOURCES = {
  calls: 'calls',
  health: 'health',
  provider: 'provider',
  canaries: 'canaries',
  safety: 'safety',
  checks: 'checks',
} as const;

const ALWAYS: Partial<Record<Measure, string>> = {
  health: OWN_SOURCES.health,
  provider: OWN_SOURCES.provider,
  canaries: OWN_SOURCES.canaries,
  safety: OWN_SOURCES.safety,
  blocks: OWN_SOURCES.checks,
};

/** What routing reads of a service; a service that is only seen in calls has no entry. */
export type RoutedServices = Readonly<Record<string, Pick<ServiceConfig, 'source'>>>;

/**
 * The name of the source that answers. Policy: probes, provider pages, canaries and safety events come from their own
 * sources; everything else from the source that the service names, else from the calls that were sent in.
 */
export function sourceFor(
  { service, measure }: Pick<Question, 'service' | 'measure'>,
  services: RoutedServices,
): string {
  return ALWAYS[measure] ?? services[service]?.source ?? OWN_SOURCES.calls;
}

/** What is wrong with the names: one line each, for the list of the configuration's problems. */
export function sourceNameProblems(
  services: RoutedServices,
  configured: Readonly<Record<string, unknown>>,
): string[] {
  const own = new Set<string>(Object.values(OWN_SOURCES));
  const taken = Object.keys(configured)
    .filter((name) => own.has(name))
    .map((name) => `sources.${name}: this name is taken by a source that is always there; choose another`);
  const sources = new Map(Object.entries(configured));
  const missing = Object.entries(services).flatMap(([service, { source: name }]) =>
    name === undefined || name === OWN_SOURCES.calls || sources.has(name)
      ? []
      : [noSuchSource(service, { name, sources })],
  );
  return [...taken, ...missing];
}

function noSuchSource(
  service: string,
  known: { name: string; sources: ReadonlyMap<string, unknown> },
): string {
  const names = [...known.sources.keys()].join(', ') || 'none';
  return `services.${service}.source: there is no source "${known.name}"; there are ${names}`;
}
