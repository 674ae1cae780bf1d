import { ExternalError, messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import { addByHand, loadTimeline, readTimeline } from '../../flow/room/timeline.ts';
import { escapeLine, slackDate } from '../mrkdwn.ts';
import { outsideLine } from '../views/outside-text.ts';
import { timelineText } from '../views/timeline.ts';
import { inRoom } from './ask.ts';

/** `timeline` shows it; `timeline TEXT` and `timeline at HH:MM TEXT` add a line, in the zone of whoever says it. */
export const timeline = inRoom(async ({ flow, incident, userId: by, text }) => {
  const namesTime = /^\s*at\s/i.test(text);
  const offsetMinutes = namesTime ? await zoneOf(flow, by) : 0;
  const read = readTimeline(text, { now: flow.clock.now(), offsetMinutes });
  if (read.kind === 'wrong') return escapeLine(read.problem);
  if (read.kind === 'show') return timelineText(await loadTimeline(flow, incident.id));
  await addByHand(flow, { incident, by, at: read.at, text: read.text, lesson: read.lesson });
  const lesson = read.lesson === null ? '' : ` (${read.lesson})`;
  return `In the timeline at ${slackDate(read.at)}${lesson}: ${outsideLine(read.text, 300)}`;
});

/** Where Slack cannot be asked, a time is taken as UTC; the answer shows it in the reader's own zone. */
async function zoneOf(flow: Flow, userId: string): Promise<number> {
  try {
    return await flow.chat.zoneOffsetMinutes(userId);
  } catch (thrown) {
    if (!(thrown instanceof ExternalError)) throw thrown;
    flow.log.info({ error: messageOf(thrown) }, 'a time zone could not be looked up');
    return 0;
  }
}
