import { optionsOf } from '../slack/slack-form.ts';
import { type Fields, isRecord, list, type SlackView, text } from '../slack/slack-shapes.ts';
import { optionHtml, textHtml } from './page-blocks.ts';
import { escapeHtml } from './page-mrkdwn.ts';

/** An open modal as a form; its fields are named by block_id. */
export function formHtml(view: SlackView, nameOf: (userId: string) => string): string {
  const place = { nameOf };
  const fields = view.blocks.map((block) => {
    if (block['type'] !== 'input' || !isRecord(block['element']))
      return `<p>${textHtml(block['text'], place)}</p>`;
    const name = escapeHtml(text(block['block_id']));
    const optional = block['optional'] === true ? ' <small>(optional)</small>' : '';
    const hint = isRecord(block['hint']) ? `<small>${textHtml(block['hint'], place)}</small>` : '';
    const label = `<span>${textHtml(block['label'], place)}${optional}</span>`;
    const input = inputHtml(block['element'], { name, isRequired: block['optional'] !== true });
    return `<label class="field">${label}${input}${hint}<em class="problem" data-problem="${name}"></em></label>`;
  });
  const said = (key: string, fallback: string) => textHtml(view[key], place) || fallback;
  return (
    `<form id="modal" data-view="${escapeHtml(view.id)}"><h2>${said('title', 'Form')}</h2>${fields.join('')}` +
    `<p class="problem" data-problem=""></p><div class="actions"><button class="primary">${said('submit', 'Submit')}</button>` +
    `<button type="button" data-act="dismiss" data-view="${escapeHtml(view.id)}">${said('close', 'Cancel')}</button></div></form>`
  );
}

function inputHtml(element: Fields, { name, isRequired }: { name: string; isRequired: boolean }): string {
  const required = isRequired ? ' required' : '';
  switch (element['type']) {
    case 'plain_text_input':
      return textInputHtml(element, `name="${name}"${required}`);
    case 'datetimepicker':
      return `<input type="datetime-local" name="${name}" data-kind="datetime"${required}><small>in UTC</small>`;
    case 'checkboxes':
    case 'multi_static_select':
      return list(element['options'])
        .map((option) => checkboxHtml(option, name))
        .join('');
    case 'static_select':
    case 'radio_buttons':
      return `<select name="${name}"${required}><option value=""></option>${optionsOf(element).map(optionHtml).join('')}</select>`;
    default:
      return `<input name="${name}"${required} placeholder="${escapeHtml(text(element['type']))}">`;
  }
}

function textInputHtml(element: Fields, attributes: string): string {
  const limits = ['min_length', 'max_length']
    .filter((key) => typeof element[key] === 'number')
    .map((key) => ` ${key.replace('_', '')}="${Number(element[key])}"`)
    .join('');
  const hint = isRecord(element['placeholder']) ? text(element['placeholder']['text']) : '';
  const initial = escapeHtml(text(element['initial_value']));
  const common = `${attributes}${limits} placeholder="${escapeHtml(hint)}"`;
  return element['multiline'] === true
    ? `<textarea ${common}>${initial}</textarea>`
    : `<input ${common} value="${initial}">`;
}

function checkboxHtml(option: Fields, name: string): string {
  const label = isRecord(option['text']) ? text(option['text']['text']) : text(option['value']);
  return `<span class="check"><input type="checkbox" name="${name}" value="${escapeHtml(text(option['value']))}"> ${escapeHtml(label)}</span>`;
}
