import { optionsOf } from '../slack/slack-form.ts';
import { type Fields, isRecord, list, type MessageRef, text } from '../slack/slack-shapes.ts';
import { escapeHtml, mrkdwnHtml } from './page-mrkdwn.ts';

/** Where blocks are shown: names for ids, and the message whose buttons they hold. */
export interface Place {
  nameOf(userId: string): string;
  ref: MessageRef;
}

/** Block Kit as HTML; what this page cannot draw is named, not hidden. */
export function blocksHtml(blocks: readonly Fields[], place: Place): string {
  return blocks.map((block) => blockHtml(block, place)).join('');
}

function blockHtml(block: Fields, place: Place): string {
  switch (block['type']) {
    case 'header':
      return `<h3>${textHtml(block['text'], place)}</h3>`;
    case 'section':
      return sectionHtml(block, place);
    case 'context':
      return `<p class="context">${list(block['elements'])
        .map((one) => contextHtml(one, place))
        .join(' ')}</p>`;
    case 'actions':
      return `<div class="actions">${list(block['elements'])
        .map((one) => elementHtml(one, place))
        .join('')}</div>`;
    case 'divider':
      return '<hr>';
    default:
      return `<p class="context">[${escapeHtml(text(block['type']))}]</p>`;
  }
}

function sectionHtml(block: Fields, place: Place): string {
  const fields = list(block['fields']).map((field) => `<div>${textHtml(field, place)}</div>`);
  const accessory = isRecord(block['accessory']) ? elementHtml(block['accessory'], place) : '';
  const body = isRecord(block['text']) ? `<div>${textHtml(block['text'], place)}</div>` : '';
  const grid = fields.length > 0 ? `<div class="fields">${fields.join('')}</div>` : '';
  return `<div class="section">${body}${grid}${accessory}</div>`;
}

/** A text object, mrkdwn or plain. */
export function textHtml(value: unknown, { nameOf }: Pick<Place, 'nameOf'>): string {
  if (!isRecord(value)) return '';
  const said = text(value['text']);
  return value['type'] === 'mrkdwn' ? mrkdwnHtml(said, nameOf) : escapeHtml(said);
}

function contextHtml(element: Fields, place: Place): string {
  return element['type'] === 'image' ? escapeHtml(text(element['alt_text'])) : textHtml(element, place);
}

function elementHtml(element: Fields, place: Place): string {
  const data = {
    act: 'click',
    at: place.ref.channel,
    ts: place.ref.ts,
    action: text(element['action_id']),
    ...confirmData(element['confirm']),
  };
  if (element['type'] === 'button') {
    const style = escapeHtml(text(element['style']));
    return `<button type="button" class="${style}" ${attributes(data)}>${textHtml(element['text'], place)}</button>`;
  }
  const options = optionsOf(element).map(optionHtml).join('');
  if (options === '') return `<span class="context">[${escapeHtml(text(element['type']))}]</span>`;
  return `<select ${attributes(data)}><option value="">${textHtml(element['placeholder'], place) || '…'}</option>${options}</select>`;
}

export function optionHtml(option: Fields): string {
  const label = isRecord(option['text']) ? text(option['text']['text']) : text(option['value']);
  return `<option value="${escapeHtml(text(option['value']))}">${escapeHtml(label)}</option>`;
}

function confirmData(dialog: unknown): Record<string, string> {
  if (!isRecord(dialog)) return {};
  const said = (key: string) => (isRecord(dialog[key]) ? text(dialog[key]['text']) : '');
  return { title: said('title'), confirm: said('text'), yes: said('confirm'), no: said('deny') };
}

function attributes(data: Record<string, string>): string {
  return Object.entries(data)
    .map(([name, value]) => `data-${name}="${escapeHtml(value)}"`)
    .join(' ');
}
