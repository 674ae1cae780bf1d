import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { ExternalError } from '../../errors.ts';
import { type Repository, readFile, textOf } from './github-places.ts';
import { refusal } from './vendor-errors.ts';
import type { Operation } from './vendor-request.ts';
import type { Change } from './vendor-target.ts';

const run = z.object({
  id: z.number().int(),
  display_title: z.string().nullish(),
  status: z.string().nullish(),
  conclusion: z.string().nullish(),
  html_url: z.string(),
});
const runs = z.object({ workflow_runs: z.array(run) });

/** By which a run is found again: an input of the workflow that it shows in its name. */
const KEY = 'llm_incident_key';
const NAMED_BY_KEY = /^run-name:.*\binputs\.llm_incident_key\b/m;
const NEWEST_RUNS = '50';
const ASK_AGAIN_MS = 5_000;

type Run = z.infer<typeof run>;

/** How long one call follows a run, and how often it looks. A later call takes up where this one left. */
export interface Following {
  followMs: number;
  pauseMs: number;
}

export interface Dispatch extends Repository {
  workflow: string;
  service: string;
  environment: string;
  following: Following;
}

/**
 * Policy: one run per idempotency key, whatever was cut short. A run with the key in its name is followed; only where
 * there is none is one dispatched, and only when the workflow names its runs by the key.
 */
export async function followWorkflow(change: Change, dispatch: Dispatch): Promise<void> {
  const { operation } = change;
  const id = (await runWithKey(operation, change, dispatch))?.id ?? (await start(change, dispatch));
  const deadlineMs = Date.now() + dispatch.following.followMs;
  for (;;) {
    const found = id === undefined ? await runWithKey(change.ask(), change, dispatch) : undefined;
    const now = id === undefined ? found : await runOf(change.ask(), dispatch, id);
    if (now?.status === 'completed') return settle(now);
    if (Date.now() >= deadlineMs) throw stillRunning(now);
    await pause(dispatch.following.pauseMs);
  }
}

/** The id of the run that was started; undefined where GitHub does not say it. */
async function start(change: Change, dispatch: Dispatch): Promise<number | undefined> {
  const { operation, step, idempotencyKey } = change;
  await refuseUnnamed(operation, dispatch);
  const body = {
    ref: dispatch.branch,
    inputs: {
      [KEY]: idempotencyKey,
      service: dispatch.service,
      environment: dispatch.environment,
      setting: step.setting,
      from: textOf(step.from),
      to: textOf(step.to),
    },
    return_run_details: true,
  };
  const answer = await operation.send({ method: 'POST', path: `${workflowPath(dispatch)}/dispatches`, body });
  const id = /"workflow_run_id":\s*(\d+)/.exec(answer.text)?.[1];
  return id === undefined ? undefined : Number(id);
}

async function refuseUnnamed(operation: Operation, dispatch: Dispatch): Promise<void> {
  const path = `.github/workflows/${dispatch.workflow}`;
  const found = await readFile(operation, dispatch, path);
  if (found !== undefined && NAMED_BY_KEY.test(found.text)) return;
  const what =
    found === undefined
      ? `there is no ${path} on ${dispatch.branch}`
      : `${path} needs the line run-name: "… \${{ inputs.${KEY} }}", by which its runs are told apart`;
  throw refusal('GitHub', 'WORKFLOW', `${what}; nothing was sent`);
}

async function runWithKey(
  operation: Operation,
  { idempotencyKey }: Change,
  dispatch: Dispatch,
): Promise<Run | undefined> {
  const query = { event: 'workflow_dispatch', per_page: NEWEST_RUNS };
  const { workflow_runs } = await operation.get(`${workflowPath(dispatch)}/runs`, runs, query);
  return workflow_runs.find(({ display_title }) => (display_title ?? '').includes(idempotencyKey));
}

const runOf = (operation: Operation, { root }: Repository, id: number): Promise<Run> =>
  operation.get(`${root}/actions/runs/${id}`, run);

function settle({ conclusion, html_url }: Run): void {
  if (conclusion === 'success') return;
  throw new ExternalError(`the workflow ended with ${conclusion ?? 'no conclusion'}: ${html_url}`, {
    service: 'GitHub',
    code: 'RUN_FAILED',
    retryable: false,
    outcomeUnknown: true,
  });
}

function stillRunning(now: Run | undefined): ExternalError {
  const where = now === undefined ? 'has not been listed yet' : `is ${now.status}: ${now.html_url}`;
  return new ExternalError(`the workflow's run ${where}`, {
    service: 'GitHub',
    code: 'RUNNING',
    retryable: true,
    retryAfterMs: ASK_AGAIN_MS,
    outcomeUnknown: true,
  });
}

const workflowPath = ({ root, workflow }: Dispatch) =>
  `${root}/actions/workflows/${encodeURIComponent(workflow)}`;
