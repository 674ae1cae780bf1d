import { subDays } from 'date-fns';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Db } from '../db/database.ts';
import { jobCounts } from '../db/jobs.ts';
import type { Flow } from '../flow/flow.ts';
import { watchStatus } from '../flow/watch/watch-status.ts';
import { listLive } from '../incident/incident-store.ts';
import { reportedIncidents } from '../postmortem/response-time-store.ts';
import { responseTimesBy } from '../postmortem/response-times.ts';
import { checkTotals } from '../sources/check-count-store.ts';
import { requireToken } from './server.ts';

interface Measured {
  flow: Pick<Flow, 'db' | 'config' | 'clock'>;
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
    await addResponseTimes(registry, flow);
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

const REPORTED_DAYS = 90;
const STAGE = /^Time to (\w+)$/;

/** Of the last 90 days; a stage of which nothing is known yet has no sample. */
async function addResponseTimes(registry: Registry, { db, clock }: Measured['flow']): Promise<void> {
  const until = clock.now();
  const incidents = await reportedIncidents(db, { since: subDays(until, REPORTED_DAYS), until });
  const seconds = gauge(registry, {
    name: 'response_seconds',
    help: `How long each stage took over the last ${REPORTED_DAYS} days, by category`,
    labels: ['category', 'stage', 'quantile'],
  });
  const counted = gauge(registry, {
    name: 'response_incidents',
    help: `Incidents of the last ${REPORTED_DAYS} days of which the stage is known`,
    labels: ['category', 'stage'],
  });
  for (const { group: category, times } of responseTimesBy(incidents, 'category')) {
    for (const { label, n, medianMs, p90Ms } of times.stages) {
      const stage = STAGE.exec(label)?.[1] ?? label;
      counted.set({ category, stage }, n);
      if (medianMs !== null) seconds.set({ category, stage, quantile: '0.5' }, medianMs / 1000);
      if (p90Ms !== null) seconds.set({ category, stage, quantile: '0.9' }, p90Ms / 1000);
    }
  }
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
