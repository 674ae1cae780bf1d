import type { JobHandler } from '../../db/job-runner.ts';
import type { Flow } from '../flow.ts';
import { archiveRoom } from '../room/archive-room.ts';
import { ARCHIVE_ROOM, REMIND_OWNER, SHOW_POSTMORTEM, TELL_OWNER } from './duty-effects.ts';
import { tellNewOwner } from './postmortem-owner.ts';
import { sendReminder } from './remind-owner.ts';
import { refreshPostmortem } from './show-postmortem.ts';

/** What is done about a post-mortem between the end of its incident and the end of its room. */
export function dutyJobs(flow: Flow): Record<string, JobHandler> {
  return {
    [SHOW_POSTMORTEM]: (job) => refreshPostmortem(flow, job),
    [REMIND_OWNER]: (job) => sendReminder(flow, job),
    [TELL_OWNER]: (job) => tellNewOwner(flow, job),
    [ARCHIVE_ROOM]: (job) => archiveRoom(flow, job),
  };
}
