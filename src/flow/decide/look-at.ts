import type { LooksAt } from '../../decision/playbook.ts';
import type { Incident } from '../../incident/incident.ts';
import { aboutIncident } from '../incident/about-incident.ts';
import type { Finding, Investigation, Looking } from './investigation.ts';
import {
  affectedPrompts,
  contextLength,
  errorCodesFound,
  rateLimits,
  refusalsFound,
  retrievedChunks,
  schemaErrors,
  topicCoverage,
} from './look-at-calls.ts';
import {
  apiChangelog,
  indexAge,
  indexUpdate,
  promptChange,
  providerStatus,
  servedModel,
  sourceDates,
} from './look-at-changes.ts';
import { costFinding, exposedUsers, safetyEvents } from './look-at-usage.ts';

const INVESTIGATIONS: Readonly<Record<Exclude<LooksAt, 'none'>, Investigation>> = {
  'last-prompt-change': promptChange,
  'served-model': servedModel,
  'context-length': contextLength,
  'error-codes': errorCodesFound,
  'rate-limits': rateLimits,
  'schema-errors': schemaErrors,
  'api-changelog': apiChangelog,
  'last-index-update': indexUpdate,
  'index-age': indexAge,
  'source-dates': sourceDates,
  'provider-status': providerStatus,
  'retrieved-chunks': retrievedChunks,
  'refusals-by-prompt': refusalsFound,
  'affected-prompts': affectedPrompts,
  'topic-coverage': topicCoverage,
  injection: costFinding('injection'),
  loop: costFinding('loop'),
  load: costFinding('load'),
  'safety-events': safetyEvents,
  'exposed-users': exposedUsers,
};

/** Runs the investigation of a step. Null where only people can tell, or the incident names no service. */
export async function lookAt(flow: Looking, incident: Incident, looksAt: LooksAt): Promise<Finding | null> {
  if (looksAt === 'none') return null;
  const about = await aboutIncident(flow, incident);
  return about === null ? null : INVESTIGATIONS[looksAt](flow, incident, about);
}
