import type { JobHandler } from '../../db/job-runner.ts';
import type { Flow } from '../flow.ts';
import { invitePeople } from '../incident/invite-people.ts';
import { lookWhoWasNotified } from './look-at-notifications.ts';
import { LOOK_AT_PAGES, lookAtPages } from './look-at-pages.ts';
import { notePage, pageSomeone, settlePages } from './page.ts';
import { pagePeople } from './page-people.ts';
import { takePageEvent } from './take-page-event.ts';
import { mirrorNote, prioritisePage, reassignPage } from './tell-pager.ts';

/** The durable jobs that call people and speak with PagerDuty. */
export function pagerJobs(flow: Flow): Record<string, JobHandler> {
  return {
    page: (job) => pageSomeone(flow, job),
    'invite-people': (job) => invitePeople(flow, job),
    'page-people': (job) => pagePeople(flow, job),
    'note-on-page': (job) => notePage(flow, job),
    'settle-pages': (job) => settlePages(flow, job),
    'prioritise-page': (job) => prioritisePage(flow, job),
    'reassign-page': (job) => reassignPage(flow, job),
    'mirror-note': (job) => mirrorNote(flow, job),
    'look-at-notifications': (job) => lookWhoWasNotified(flow, job),
    [LOOK_AT_PAGES]: () => lookAtPages(flow),
    'take-page-event': (job) => takePageEvent(flow, job),
  };
}
