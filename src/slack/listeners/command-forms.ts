import type { ModalView } from '@slack/types';
import type { Flow } from '../../flow/flow.ts';
import { pagingBefore } from '../../flow/incident/severity-consequence.ts';
import { declareModal } from '../views/declare-modal.ts';
import { updateModal } from '../views/people-modals.ts';

export interface CommandForm {
  view: ModalView;
  /** What to type when the form could not be opened. */
  instead: string;
}

type FormOf = (flow: Flow, place: { channelId: string }) => CommandForm;

/** Words that open a form when nothing follows them. A form asks nobody anything first: its trigger lives three seconds. */
const FORMS: Readonly<Record<string, FormOf>> = {
  declare: (flow, { channelId }) => ({
    view: declareModal({
      services: Object.keys(flow.config.services),
      paging: pagingBefore(flow),
      channelId,
    }),
    instead: '`declare sev1 quality SERVICE TITLE`',
  }),
  update: (_flow, place) => ({ view: updateModal(place), instead: '`update WHAT YOU KNOW`' }),
};

/** The form that a command opens instead of answering in text; null for all others. */
export function formOf(
  flow: Flow,
  command: { word: string; rest: string; channelId: string },
): CommandForm | null {
  if (command.rest !== '' || !Object.hasOwn(FORMS, command.word)) return null;
  return FORMS[command.word]?.(flow, command) ?? null;
}
