import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Category, Severity } from '../db/schema.ts';
import { storableText } from './otlp-value.ts';

/** One alert, in our words. */
export interface Alert {
  state: 'firing' | 'resolved';
  fingerprint: string;
  name: string;
  /** Its annotation `summary` or `description`. */
  summary: string | null;
  service: string;
  environment: string;
  category: Category;
  severity: Severity;
  startsAt: Date;
  /** When it resolved; a firing alert has none. */
  endsAt: Date | null;
}

export interface AlertBatch {
  alerts: Alert[];
  /** What was not taken, and labels that were read as something else, each naming its field. */
  rejected: string[];
  notes: string[];
  /** The key under which Alertmanager's own PagerDuty receiver opens the incident of this group. */
  pageKey: string | null;
  /** Alerts that Alertmanager left out of the body. */
  truncated: number;
}

export type ReadAlerts = { kind: 'alerts'; batch: AlertBatch } | { kind: 'malformed'; problems: string[] };

const time = z.iso.datetime({ offset: true });

const body = z.looseObject({
  groupKey: z.string().min(1).optional(),
  truncatedAlerts: z.number().int().min(0).default(0),
  alerts: z.array(z.unknown()),
});

const alert = z.looseObject({
  status: z.enum(['firing', 'resolved']),
  fingerprint: z.string().min(1).max(256),
  startsAt: time,
  endsAt: time.optional(),
  labels: z.looseObject({
    service: z.string('is missing: label the alert with the service it is about').min(1),
    alertname: z.string().optional(),
    category: z.string().optional(),
    severity: z.string().optional(),
    environment: z.string().optional(),
  }),
  annotations: z
    .looseObject({ summary: z.string().optional(), description: z.string().optional() })
    .prefault({}),
});

/**
 * Reads a webhook of Alertmanager, version 4 (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
 * A malformed alert is rejected alone. `environment`: of alerts without that label.
 */
export function readAlerts(value: unknown, defaults: { environment: string }): ReadAlerts {
  const parsed = body.safeParse(value);
  if (!parsed.success) return { kind: 'malformed', problems: problemsOf(parsed.error, 'body') };
  const { alerts: given, groupKey, truncatedAlerts: truncated } = parsed.data;
  const pageKey = groupKey === undefined ? null : pageKeyOf(groupKey);
  const batch: AlertBatch = { alerts: [], rejected: [], notes: [], pageKey, truncated };
  given.forEach((entry, index) => {
    const path = `alerts[${index}]`;
    const read = alert.safeParse(entry);
    if (read.success) batch.alerts.push(alertOf(read.data, { path, notes: batch.notes, ...defaults }));
    else batch.rejected.push(...problemsOf(read.error, path));
  });
  const isLost = batch.alerts.length === 0 && batch.rejected.length > 0;
  return isLost ? { kind: 'malformed', problems: batch.rejected } : { kind: 'alerts', batch };
}

/** Alertmanager's `dedup_key` for PagerDuty: the SHA-256 of the group's key, in hex. */
export function pageKeyOf(groupKey: string): string {
  return createHash('sha256').update(groupKey).digest('hex');
}

interface Reading {
  path: string;
  notes: string[];
  environment: string;
}

const LONGEST_NAME = 100;
const LONGEST_SUMMARY = 300;

function alertOf(given: z.infer<typeof alert>, reading: Reading): Alert {
  const { labels, annotations } = given;
  const summary = text(annotations.summary ?? annotations.description ?? '', LONGEST_SUMMARY);
  return {
    state: given.status,
    fingerprint: storableText(given.fingerprint),
    name: text(labels.alertname ?? '', LONGEST_NAME) || 'alert',
    summary: summary === '' ? null : summary,
    service: storableText(labels.service),
    environment: storableText(labels.environment ?? '') || reading.environment,
    category: known(CATEGORIES, { label: 'category', value: labels.category, fallback: 'outage' }, reading),
    severity: known(SEVERITIES, { label: 'severity', value: labels.severity, fallback: 'sev2' }, reading),
    startsAt: new Date(given.startsAt),
    endsAt: given.status === 'firing' || given.endsAt === undefined ? null : new Date(given.endsAt),
  };
}

const CATEGORIES = new Map<string, Category>([
  ['outage', 'outage'],
  ['quality', 'quality'],
  ['cost', 'cost'],
  ['safety', 'safety'],
]);

const SEVERITIES = new Map<string, Severity>([
  ['critical', 'sev1'],
  ['page', 'sev1'],
  ['sev1', 'sev1'],
  ['warning', 'sev2'],
  ['sev2', 'sev2'],
  ['info', 'sev3'],
  ['none', 'sev3'],
  ['sev3', 'sev3'],
]);

/** Policy: an alert is not lost for a word that is not known here; it gets the default, and the answer says so. */
function known<T extends string>(
  words: ReadonlyMap<string, T>,
  { label, value, fallback }: { label: string; value: string | undefined; fallback: T },
  { path, notes }: Reading,
): T {
  if (value === undefined || value === '') return fallback;
  const found = words.get(value.toLowerCase());
  if (found === undefined) {
    const wanted = [...words.keys()].join(', ');
    notes.push(`${path}.labels.${label}: is none of ${wanted}; taken as ${fallback}`);
  }
  return found ?? fallback;
}

function text(value: string, longest: number): string {
  const line = storableText(value).replace(/\s+/g, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest - 1).toWellFormed()}…` : line;
}

function problemsOf(error: z.ZodError, at: string): string[] {
  return error.issues.map(({ path, message }) => {
    const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
    const field = at === 'body' && steps !== '' ? steps.slice(1) : `${at}${steps}`;
    return `${field}: ${message}`;
  });
}
