import type { ActionsBlock, StaticSelect } from '@slack/types';
import type { CardMenuChoice, IncidentCard } from '../../flow/room/incident-card.ts';

/** action_id of the menu; the value of a choice is "CHOICE:INCIDENT". */
export const CARD_MENU = 'more';

const LABELS: Record<CardMenuChoice, string> = {
  page: 'Page on-call',
  severity: 'Change the severity',
  private: 'Make it private',
  tree: 'Decision tree',
  update: 'Post an update',
  resolve: 'Resolve',
};

const plain = (text: string) => ({ type: 'plain_text' as const, text });

/** Buttons of a card with the menu after them; no block at all without either. */
export function withMenu(
  rows: readonly ActionsBlock[],
  { incidentId, menu }: Pick<IncidentCard, 'incidentId' | 'menu'>,
): ActionsBlock[] {
  if (menu.length === 0) return [...rows];
  const select: StaticSelect = {
    type: 'static_select',
    action_id: CARD_MENU,
    placeholder: plain('⋯'),
    options: menu.map((choice) => ({ text: plain(LABELS[choice]), value: `${choice}:${incidentId}` })),
  };
  const [first, ...others] = rows;
  return [{ type: 'actions', elements: [...(first?.elements ?? []), select] }, ...others];
}

/** What was chosen, of which incident; null where the value is none of ours. */
export function readMenuChoice(value: string): { choice: CardMenuChoice; incidentId: number } | null {
  const [, choice = '', id] = /^([a-z0-9 ]+):(\d{1,9})$/.exec(value) ?? [];
  return id !== undefined && Object.hasOwn(LABELS, choice)
    ? { choice: choice as CardMenuChoice, incidentId: Number(id) }
    : null;
}
