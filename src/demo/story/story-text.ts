import { optionsOf } from '../slack/slack-form.ts';
import { type Fields, isRecord, list, type SlackMessage, text } from '../slack/slack-shapes.ts';

type NameOf = (userId: string) => string;

/** What a message shows, as lines of plain text; buttons in brackets. */
export function messageLines(
  message: Pick<SlackMessage, 'text' | 'blocks' | 'files'>,
  nameOf: NameOf,
): string[] {
  const blocks = message.blocks ?? [];
  const files = (message.files ?? []).map((file) => `file ${text(file['name'])}`);
  const said = message.text === '' ? [] : plainText(message.text, nameOf).split('\n');
  return [...(blocks.length === 0 ? said : blocks.flatMap((block) => blockLines(block, nameOf))), ...files];
}

function blockLines(block: Fields, nameOf: NameOf): string[] {
  const said = (value: unknown) =>
    isRecord(value) ? plainText(text(value['text']), nameOf).split('\n') : [];
  switch (block['type']) {
    case 'header':
    case 'section':
      return [...said(block['text']), ...list(block['fields']).flatMap(said)];
    case 'context':
      return [
        list(block['elements'])
          .map((element) => plainText(text(element['text']), nameOf))
          .join('  '),
      ];
    case 'actions':
      return [list(block['elements']).map(face).join('  ')];
    case 'divider':
      return ['―――'];
    default:
      return [];
  }
}

function face(element: Fields): string {
  const label = isRecord(element['text']) ? text(element['text']['text']) : text(element['action_id']);
  const shown = optionsOf(element).length > 0 ? `[ ${label} ▾ ]` : `[ ${label} ]`;
  // A button is not broken over two lines.
  return shown.replaceAll(' ', '\u00a0');
}

/** Slack's mrkdwn without its marks: people by role, dates as times of day in UTC. */
export function plainText(mrkdwn: string, nameOf: NameOf): string {
  return mrkdwn
    .replace(/<!date\^\d+\^[^|>]*\|([^>]*)>/g, (_, iso: string) => timeOf(iso))
    .replace(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, (_, id: string) => `@${nameOf(id)}`)
    .replace(/<!subteam\^([A-Z0-9]+)(?:\|[^>]*)?>/g, '@$1')
    .replace(/<#([A-Z0-9]+)(?:\|([^>]*))?>/g, (_, id: string, name?: string) => `#${name ?? id}`)
    .replace(/<([^<>|]+)\|([^<>]+)>/g, '$2')
    .replace(/<([^<>]+)>/g, '$1')
    .replace(/(?<![\p{L}\p{N}*])\*([^*\n]+)\*(?![\p{L}\p{N}*])/gu, '$1')
    .replace(/```\n?|\n?```/g, '')
    .replaceAll('\u2060', '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function timeOf(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? iso : `${at.toISOString().slice(11, 16)} UTC`;
}

/** Breaks a line at spaces so that none is longer than `width`, long words excepted. */
export function wrap(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}
