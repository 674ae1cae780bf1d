import type { DutyView } from '../../flow/learn/duty-view.ts';
import { person, truncate } from '../mrkdwn.ts';
import { bullets, buttons, type Rendered, rendered, section, smallPrint } from './blocks.ts';
import { outsideLine } from './outside-text.ts';

/** A direct message about a post-mortem; of a private incident it says where to look, and nothing of what it is. */
export function renderDuty(duty: DutyView): Rendered {
  const name = `INC-${duty.incidentId}`;
  const headline = `The post-mortem of ${name} ${outsideLine(duty.state, 200)}.`;
  const owner = duty.owner === null ? null : `${truncate(person(duty.owner), 80)} owns it.`;
  const left = duty.left.map((line) => outsideLine(line, 200));
  const value = String(duty.incidentId);
  const room =
    duty.roomId === null ? null : `<https://slack.com/app_redirect?channel=${duty.roomId}|Open the room>`;
  const title = duty.title === null ? null : outsideLine(duty.title, 200);
  return rendered([headline, owner].filter((part) => part !== null).join(' '), [
    section(`*${headline}*`, title, owner, room),
    section(bullets('*To do*', left, 12) ?? 'Nothing is left to do.'),
    ...buttons([
      { label: 'Open', actionId: 'postmortem_edit', value, style: 'primary' },
      { label: 'Snooze', actionId: 'postmortem_snooze', value },
    ]),
    smallPrint('Whoever should write it instead: `/llm-incident postmortem owner @PERSON` in its room.'),
  ]);
}
