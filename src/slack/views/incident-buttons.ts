import type { CardAction } from '../../flow/ports.ts';
import type { ButtonSpec, Confirmation } from './blocks.ts';

const ORDER: readonly CardAction[] = ['propose', 'contain', 'acknowledge', 'false_alarm', 'resolve'];

interface Face {
  label: string;
  style?: 'primary' | 'danger';
  confirm?: (about: ButtonContext) => Confirmation;
}

/** Escaped texts for the dialogs. */
export interface ButtonContext {
  incidentId: number;
  service: string;
  knownGood: string | null;
  /** Actions that run at one click of someone who may approve. */
  atOnce?: readonly CardAction[];
}

// A dialog says what will happen before it does; acknowledging harms nobody, so it asks nothing.
const FACES: Record<CardAction, Face> = {
  propose: {
    label: 'Roll back to known-good',
    style: 'primary',
    confirm: ({ service, knownGood, atOnce }) => ({
      title: 'Roll back to known-good?',
      text: atOnce?.includes('propose')
        ? `Returns ${service} to ${knownGood ?? 'its last known-good state'} at once if you may approve (a ` +
          'standing approval covers it), else proposes it. Live traffic then has to prove it.'
        : `Proposes to return ${service} to ${knownGood ?? 'its last known-good state'}. It runs once someone ` +
          'else who may approves it, and live traffic then has to prove it.',
      confirm: atOnce?.includes('propose') ? 'Roll back' : 'Propose it',
    }),
  },
  contain: {
    label: 'Contain…',
    confirm: ({ service, atOnce }) => ({
      title: 'Contain now?',
      text: atOnce?.includes('contain')
        ? `Disables ${service} at once if you may approve (a standing approval covers it), else proposes it. It ` +
          'stays until somebody undoes it.'
        : `With a target: proposes to disable ${service}, which runs once someone else approves it and stays ` +
          'until somebody undoes it. Without one: records that you contained it.',
      confirm: 'Contain',
    }),
  },
  acknowledge: { label: "I'm on it" },
  false_alarm: {
    label: 'False alarm',
    confirm: ({ incidentId }) => ({
      title: 'Was this a false alarm?',
      text:
        `Declines incident ${incidentId}: its clocks stop, its page is resolved, no post-mortem is due. ` +
        'Mitigations in force stay in force. In a safety incident it takes two people, the owner among them.',
      confirm: 'False alarm',
    }),
  },
  resolve: {
    label: 'Resolve',
    confirm: ({ incidentId }) => ({
      title: 'Resolve the incident?',
      text:
        `Resolves incident ${incidentId}: its page is resolved and the post-mortem is due within 48 hours. ` +
        'Mitigations in force stay in force.',
      confirm: 'Resolve',
    }),
  },
};

/** The incident's buttons, each once, the fastest cure first whatever the order they are asked in. */
export function incidentButtons(actions: readonly CardAction[], about: ButtonContext): ButtonSpec[] {
  return ORDER.filter((action) => actions.includes(action)).map((action) => {
    const { label, style, confirm } = FACES[action];
    return {
      label,
      actionId: action,
      value: String(about.incidentId),
      ...(style === undefined ? {} : { style }),
      ...(confirm === undefined ? {} : { confirm: confirm(about) }),
    };
  });
}
