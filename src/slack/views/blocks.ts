import type {
  ActionsBlock,
  Button,
  ConfirmationDialog,
  ContextBlock,
  KnownBlock,
  SectionBlock,
} from '@slack/types';
import { truncate } from '../mrkdwn.ts';

/** A message as Slack takes it; `text` is what a lock screen and a screen reader show. */
export interface Rendered {
  text: string;
  blocks: KnownBlock[];
}

/** A dialog in mrkdwn: outside text in it must be escaped. */
export interface Confirmation {
  title: string;
  text: string;
  confirm: string;
}

export interface ButtonSpec {
  label: string;
  actionId: string;
  value: string;
  style?: 'primary' | 'danger';
  confirm?: Confirmation;
}

// Slack's limits, checked against its reference on 2026-11-22. A fallback text over 4,000 refuses an edit.
const LIMITS = {
  fallback: 3000,
  section: 3000,
  context: 3000,
  button: 75,
  perActions: 25,
  dialogTitle: 100,
  dialogText: 300,
  dialogButton: 30,
};

// Verbatim: Slack neither links nor pings what only looks like a name or address; our own tokens still work.
const mrkdwn = (text: string) => ({ type: 'mrkdwn' as const, text, verbatim: true });
const plain = (text: string, max: number) => ({
  type: 'plain_text' as const,
  text: truncate(text.toWellFormed(), max),
});

/** Message of escaped texts; the fallback is cut to what an edit accepts. */
export function rendered(text: string, blocks: KnownBlock[]): Rendered {
  return { text: truncate(text, LIMITS.fallback), blocks };
}

/** A paragraph of escaped lines; empty ones (null) are left out. */
export function section(...lines: (string | null)[]): SectionBlock {
  return { type: 'section', text: mrkdwn(truncate(orDash(joined(lines)), LIMITS.section)) };
}

/** A paragraph only if one of its lines says something. */
export function optionalSection(...lines: (string | null)[]): SectionBlock[] {
  return joined(lines) === '' ? [] : [section(...lines)];
}

/** Small print of escaped text. */
export function smallPrint(...lines: (string | null)[]): ContextBlock {
  return { type: 'context', elements: [mrkdwn(truncate(orDash(joined(lines)), LIMITS.context))] };
}

/** Buttons in rows of at most 25; no block at all without buttons. */
export function buttons(specs: readonly ButtonSpec[]): ActionsBlock[] {
  const rows: ActionsBlock[] = [];
  for (let from = 0; from < specs.length; from += LIMITS.perActions) {
    rows.push({ type: 'actions', elements: specs.slice(from, from + LIMITS.perActions).map(buttonOf) });
  }
  return rows;
}

/** At most `max` escaped lines as bullets under a label, then how many more there are; null without lines. */
export function bullets(label: string | null, lines: readonly string[], max: number): string | null {
  if (lines.length === 0) return null;
  const more = lines.length > max ? [`• and ${lines.length - max} more`] : [];
  return joined([label, ...lines.slice(0, max).map((line) => `• ${line}`), ...more]);
}

// Slack refuses an empty text, so what turned out to say nothing is shown as a dash.
const orDash = (text: string) => text || '–';

function joined(lines: readonly (string | null)[]): string {
  return lines.filter((line) => line !== null && line !== '').join('\n');
}

function buttonOf(spec: ButtonSpec): Button {
  const button: Button = {
    type: 'button',
    text: plain(spec.label, LIMITS.button),
    action_id: spec.actionId,
    value: spec.value,
  };
  if (spec.style !== undefined) button.style = spec.style;
  if (spec.confirm !== undefined) button.confirm = dialogOf(spec.confirm);
  return button;
}

function dialogOf(confirmation: Confirmation): ConfirmationDialog {
  return {
    title: plain(confirmation.title, LIMITS.dialogTitle),
    text: mrkdwn(truncate(confirmation.text, LIMITS.dialogText)),
    confirm: plain(confirmation.confirm, LIMITS.dialogButton),
    deny: plain('Not now', LIMITS.dialogButton),
  };
}
