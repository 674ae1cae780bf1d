import { type Closed, close as closeVerb } from '../../flow/incident/close-incident.ts';
import { askToArchive } from '../../flow/room/archive-room.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { person } from '../mrkdwn.ts';
import { type Ask, inRoom } from './ask.ts';
import { describeStillOn } from './lease-commands.ts';
import { listed } from './postmortem-commands.ts';

/** `close [WHAT]`, `close anyway REASON`, `close archive`. */
export const close = inRoom(async (ask) => {
  const { flow, incident, userId: by, text } = ask;
  const [, word = '', rest = ''] = /^(\S*)\s*([\s\S]*)$/.exec(text.trim()) ?? [];
  if (word === 'archive') return archive(ask);
  const anyway = word === 'anyway';
  if (anyway && rest.trim() === '') return 'Say why: `close anyway REASON`.';
  const reason = (anyway ? rest : text).trim();
  return describeClosed(incident, await closeVerb(flow, { incident, by, reason, anyway }));
});

function describeClosed(incident: Incident, outcome: Closed): string {
  const name = nameOf(incident.id);
  switch (outcome.kind) {
    case 'done':
      return `${name} is closed; its reminders have stopped.`;
    case 'still-on':
      return describeStillOn(incident, outcome.mitigations);
    case 'not-done': {
      const how = 'The engineering lead may close it all the same: `close anyway REASON`.';
      return `${listed(`${name} is not closed: its post-mortem is not done.`, outcome.left)}\n${how}`;
    }
    case 'not-allowed':
      return `You may not close it before its post-mortem is done. Who may: ${outcome.who.map(person).join(', ')}. Nothing was changed.`;
    case 'not-possible':
      return outcome.status === 'closed'
        ? `${name} is closed already.`
        : `${name} is ${outcome.status}; resolve it before you close it.`;
  }
}

/** Closes it first where it is not closed. */
async function archive({ flow, incident, userId: by }: Ask & { incident: Incident }): Promise<string> {
  if (incident.status !== 'closed') {
    const outcome = await closeVerb(flow, { incident, by, reason: '', anyway: false });
    if (outcome.kind !== 'done') return describeClosed(incident, outcome);
  }
  const asked = await askToArchive(flow, { incident, by });
  return asked.kind === 'asked'
    ? 'This room will be archived once its history is read and its documents are kept; it says so here before.'
    : 'This room is being archived already.';
}
