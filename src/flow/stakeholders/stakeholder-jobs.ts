import type { JobHandler } from '../../db/job-runner.ts';
import type { Flow } from '../flow.ts';
import { CLOSE_FORMER_ROOM, closeRoom } from '../incident/make-private.ts';
import { ASK_STAKEHOLDER, SHOW_ASKS } from './ask-stakeholders.ts';
import { SEND_NOTICE } from './exposure-notice.ts';
import { sendNotice } from './send-notice.ts';
import { askStakeholder, refreshAsks } from './show-ask.ts';

/** What is done for stakeholders, for the users of an incident, and for rooms that were left. */
export function stakeholderJobs(flow: Flow): Record<string, JobHandler> {
  return {
    [ASK_STAKEHOLDER]: (job) => askStakeholder(flow, job),
    [SHOW_ASKS]: (job) => refreshAsks(flow, job),
    [SEND_NOTICE]: (job) => sendNotice(flow, job),
    [CLOSE_FORMER_ROOM]: (job) => closeRoom(flow, job),
  };
}
