import type { Tx } from '../../db/database.ts';
import { enqueue, hurry, type NewJob } from '../../db/jobs.ts';
import type { Incident } from '../../incident/incident.ts';
import type { Exporter } from '../../postmortem/exporters/exporter.ts';
import { githubIssues } from '../../postmortem/exporters/github-issues.ts';
import { githubPullRequest } from '../../postmortem/exporters/github-pull-request.ts';
import { langfuseDataset } from '../../postmortem/exporters/langfuse-dataset.ts';
import type { Flow } from '../flow.ts';

export const EXPORT = 'export-incident';

/** Every configured exporter. Another one is added here. */
export function exportersOf({ config, installation }: Pick<Flow, 'config' | 'installation'>): Exporter[] {
  const { langfuse, github } = config.exports;
  return [
    ...(langfuse === undefined ? [] : [langfuseDataset(langfuse, { installation })]),
    ...(github === undefined
      ? []
      : [githubIssues(github, { installation }), githubPullRequest(github, { installation })]),
  ];
}

/** Exports what was just written. What an earlier export waits for is tried now, for somebody may have mended it. */
export async function enqueueExports(
  flow: Pick<Flow, 'config' | 'installation'>,
  tx: Tx,
  { incident, now }: { incident: Incident; now: Date },
): Promise<void> {
  const jobs = exportJobs(flow, incident, now);
  for (const { lane } of jobs) if (lane !== undefined) await hurry(tx, lane);
  await enqueue(tx, jobs);
}

/**
 * A job for each exporter that takes the incident, in a lane of its own, so that one that fails holds up neither the
 * others nor the room.
 */
export function exportJobs(
  flow: Pick<Flow, 'config' | 'installation'>,
  incident: Incident,
  now: Date,
): NewJob[] {
  return exportersOf(flow)
    .filter((exporter) => exporter.takes(incident))
    .map(({ name }) => ({
      kind: EXPORT,
      payload: { incidentId: incident.id, exporter: name },
      runAt: now,
      lane: `export:${name}:${incident.id}`,
    }));
}
