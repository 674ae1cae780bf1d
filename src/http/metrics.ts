import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Db } from '../db/database.ts';
import { jobCounts } from '../db/jobs.ts';
import type { Flow } from '../flow/flow.ts';
import { watchStatus } from '../flow/watch-status.ts';
import { listLive } from '../incident/incident-store.ts';
import { checkTotals } from '../sources/check-count-store.ts';
import { requireToken } from './server.ts';

interface Measured {
  flow: Pick<Flow, 'db' | 'config'>;
  tokens: readonly string[];
}

/** `GET /metrics`: Prometheus text, drawn from the rows at every scrape, so that each replica says the same. */
export function addMetricsRoute(server: FastifyInstance, { flow, tokens }: Measured): void {
  const process = new Registry();
  collectDefaultMetrics({ register: process, prefix: 'llm_incident_' });
  server.get('/metrics', { onRequest: requireToken(tokens) }, async (_request, reply) => {
    const registry = new Registry();
    await addSignals(registry, flow);
    await addIncidents(registry, flow.db);
    await addJobs(registry, flow.db);
    await addChecks(registry, flow.db);
    reply.type(registry.contentType);
    return `${await registry.metrics()}${await process.metrics()}`;
  });
}

async function addSignals(registry: Registry, flow: Measured['flow']): Promise<void> {
  const { signals, troubles } = await watchStatus(flow);
  const signal = gauge(registry, {
    name: 'signal',
    help: 'State of each rule: 1 on the state that it is in',
    labels: ['service', 'environment', 'rule', 'warning', 'shadow', 'state'],
  });
  for (const { service, environment, rule, warning, shadow, state } of signals) {
    const labels = { service, environment, rule, warning: String(warning), shadow: String(shadow), state };
    signal.set(labels, 1);
  }
  const trouble = gauge(registry, {
    name: 'trouble',
    help: 'What the bot itself cannot see or do now',
    labels: ['key'],
  });
  for (const { key } of troubles) trouble.set({ key }, 1);
}

async function addIncidents(registry: Registry, db: Db): Promise<void> {
  const live = gauge(registry, {
    name: 'incidents_live',
    help: 'Incidents that still need people',
    labels: ['category', 'severity'],
  });
  for (const { category, severity } of await listLive(db)) live.inc({ category, severity });
}

async function addJobs(registry: Registry, db: Db): Promise<void> {
  const jobs = gauge(registry, {
    name: 'jobs',
    help: 'Durable jobs that are not done',
    labels: ['kind', 'state'],
  });
  for (const { kind, state, n } of await jobCounts(db)) jobs.set({ kind, state }, n);
}

async function addChecks(registry: Registry, db: Db): Promise<void> {
  const checks = gauge(registry, {
    name: 'checks_total',
    help: 'Answers of the check before delivery',
    labels: ['service', 'environment', 'verdict', 'reason'],
  });
  for (const { service, environment, verdict, reason, n } of await checkTotals(db)) {
    checks.set({ service, environment, verdict, reason }, n);
  }
}

function gauge<Label extends string>(
  registry: Registry,
  { name, help, labels }: { name: string; help: string; labels: Label[] },
): Gauge<Label> {
  return new Gauge({ name: `llm_incident_${name}`, help, labelNames: labels, registers: [registry] });
}
