import type { Clock } from '../clock.ts';
import type { ConfigFile, ServiceConfig } from '../config/config-file.ts';
import type { Db } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Target } from '../mitigation/target.ts';
import type { MetricSource, Question } from '../sources/metric-source.ts';
import type { Pager } from './page/pager-port.ts';
import type { Chat } from './ports.ts';

/** What a verb may use. Built once in main.ts and handed to each verb; nothing imports an instance. */
export interface Flow {
  db: Db;
  clock: Clock;
  log: Log;
  config: ConfigFile;
  chat: Chat;
  /** Null when PagerDuty is not configured; the room says so. */
  pager: Pager | null;
  targetFor(about: { service: string; environment: string }): Target | null;
  /** `off` stops every automatic mitigation at once. */
  automation: 'on' | 'off';
  /** Where the numbers of a question come from. */
  metricSourceFor(question: Question): MetricSource;
  /** Tells this installation from others that page through the same account. */
  installation: string;
  /** Where documents are kept on disk. */
  documentsDir: string;
  /** A hint that somebody waits for what was just enqueued; without it the next poll finds it. */
  wake(): void;
}

export function serviceConfig(flow: Pick<Flow, 'config'>, service: string | null): ServiceConfig | null {
  return service === null ? null : (flow.config.services[service] ?? null);
}

export function minutesToMs(minutes: number): number {
  return minutes * 60_000;
}
