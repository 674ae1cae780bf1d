import type { CardAction } from '../../flow/room/incident-card.ts';
import { truncate } from '../mrkdwn.ts';
import type { ButtonSpec, Confirmation } from './blocks.ts';

const ORDER: readonly CardAction[] = ['propose', 'contain', 'acknowledge', 'false_alarm', 'resolve'];

interface Face {
  label: (about: ButtonContext) => string;
  style?: 'primary' | 'danger';
  confirm?: (about: ButtonContext) => Confirmation;
}

/** Escaped texts for the dialogs. */
export interface ButtonContext {
  incidentId: number;
  service: string;
  knownGood: string | null;
  /** What the button that rolls back names. */
  rollBackTo?: string | null;
  blastRadius?: { propose: string | null; contain: string | null };
  hasTarget?: boolean;
  /** Actions that run at one click of someone who may approve. */
  atOnce?: readonly CardAction[];
}

// A dialog says what will happen before it does; acknowledging harms nobody, so it asks nothing.
const FACES: Record<CardAction, Face> = {
  propose: {
    label: rollBack,
    style: 'primary',
    confirm: ({ service, knownGood, atOnce, blastRadius, ...about }) => ({
      title: `${rollBack(about)}?`,
      text: dialogText(
        blastRadius?.propose,
        `Returns ${service} to ${knownGood ?? 'its last known-good state'}`,
        atOnce?.includes('propose')
          ? 'at once if you may approve (standing approval), else proposes it.'
          : 'once someone else who may approves it.',
      ),
      confirm: atOnce?.includes('propose') ? 'Roll back' : 'Propose it',
    }),
  },
  contain: {
    label: ({ hasTarget = true }) => (hasTarget ? 'Disable' : 'It is contained'),
    confirm: (about) => (about.hasTarget === false ? BY_HAND : disabling(about)),
  },
  acknowledge: { label: () => "I'm on it" },
  false_alarm: {
    label: () => 'False alarm',
    confirm: ({ incidentId }) => ({
      title: 'Was this a false alarm?',
      text:
        `Declines incident ${incidentId}: its clocks stop, its page is resolved, no post-mortem is due. ` +
        'Mitigations in force stay in force. In a safety incident it takes two people, the owner among them.',
      confirm: 'False alarm',
    }),
  },
  resolve: {
    label: () => 'Resolve',
    confirm: ({ incidentId }) => ({
      title: 'Resolve the incident?',
      text:
        `Resolves incident ${incidentId}: its page is resolved and the post-mortem is due within 48 hours. ` +
        'Mitigations in force stay in force.',
      confirm: 'Resolve',
    }),
  },
};

function rollBack({ rollBackTo }: Pick<ButtonContext, 'rollBackTo'>): string {
  return rollBackTo ? `Roll back to ${truncate(rollBackTo, 40)}` : 'Roll back to known-good';
}

const BY_HAND: Confirmation = {
  title: 'Is it contained?',
  text: 'Records that users are no longer exposed, because somebody switched it off where it runs.',
  confirm: 'It is contained',
};

function disabling({ service, atOnce, blastRadius }: ButtonContext): Confirmation {
  const isAtOnce = atOnce?.includes('contain');
  return {
    title: 'Disable it?',
    text: dialogText(
      blastRadius?.contain,
      `Disables ${service}`,
      isAtOnce
        ? 'at once if you may approve (standing approval), else proposes it.'
        : 'once someone else who may approves it.',
    ),
    confirm: isAtOnce ? 'Disable' : 'Propose it',
  };
}

const LONGEST_DIALOG = 300;

/** What happens, then what it touches, cut to what a dialog shows; it is never the first that is cut. */
function dialogText(radius: string | null | undefined, what: string, how: string): string {
  const said = `${what} ${how}`;
  const left = LONGEST_DIALOG - said.length - 1;
  return radius && left > 40 ? `${said} ${truncate(radius, left)}` : said;
}

/** The incident's buttons, each once, the fastest cure first whatever the order they are asked in. */
export function incidentButtons(actions: readonly CardAction[], about: ButtonContext): ButtonSpec[] {
  return ORDER.filter((action) => actions.includes(action)).map((action) => {
    const { label, style, confirm } = FACES[action];
    return {
      label: label(about),
      actionId: action,
      value: String(about.incidentId),
      ...(style === undefined ? {} : { style }),
      ...(confirm === undefined ? {} : { confirm: confirm(about) }),
    };
  });
}
